"""One sample: from a drawn scenario to its arrays and numbers. Nothing is written here."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.dataset.contents import PLATES, objects, specs
from scintscope.dataset.draw import Drawn, draw, scenario_of
from scintscope.dataset.hashes import sample_hash
from scintscope.dataset.instruments import InstrumentShelf
from scintscope.dataset.score import scores
from scintscope.dataset.study import Study
from scintscope.dataset.truths import (
    as_float32,
    defect_mask,
    depth_profile,
    generalized_psf,
    image_scale,
)
from scintscope.errors import InputError, PhysicsWarning
from scintscope.forward.plane import camera_image, shifted
from scintscope.forward.simulate import (
    BACKGROUND,
    Bench,
    Exposures,
    expose_all,
    sample_position_um,
    set_up,
)
from scintscope.pipeline import experiment, restore_exposures
from scintscope.progress import silent
from scintscope.restoration import PlateFrames, Restoration
from scintscope.restoration.exposures import correct_plate, prepare_corrections
from scintscope.scenario import Scenario
from scintscope.verdict.judge import SPECIMEN, TARGET
from scintscope.verdict.truth import thin_truth, true_kernel, xray_truth

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A finished sample.

    Parameters
    ----------
    drawn : Drawn
        Index, split and what was drawn.
    arrays : dict of str to array
        As `contents.specs` says.
    scores : dict of str to float, int, str or None
        Metrics and how the restoration went.
    sha256 : str
        Over arrays and parameters.
    """

    drawn: Drawn
    arrays: Mapping[str, NDArray[Any]]
    scores: Mapping[str, Any]
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A sample while it is made: scenario, bench, exposures, restoration if any."""

    study: Study
    scenario: Scenario
    bench: Bench
    exposures: Exposures
    restoration: Restoration | None
    trouble: str


def make_sample(study: Study, index: int, shelf: InstrumentShelf) -> Sample:
    """Return a sample; it depends on the study and the index alone.

    Parameters
    ----------
    study : Study
        What is made.
    index : int
        Which one.
    shelf : InstrumentShelf
        Where apparatus is kept between samples.

    Raises
    ------
    InputError
        If the drawn scenario cannot be simulated.
    """
    drawn = draw(study, index)
    with warnings.catch_warnings():
        # Each sample would repeat the same notes; the data card carries the study's own.
        warnings.simplefilter("ignore", PhysicsWarning)
        case = _case(study, scenario_of(study, drawn), shelf)
        arrays = _arrays(case)
        numbers = scores(case, arrays)
    _check_arrays(study, arrays, index)
    return Sample(
        drawn=drawn, arrays=arrays, scores=numbers, sha256=sample_hash(arrays, drawn.values)
    )


def _case(study: Study, scenario: Scenario, shelf: InstrumentShelf) -> Case:
    bench = set_up(experiment(scenario), shelf.apparatus(scenario.instrument()))
    exposures = expose_all(bench, silent)
    restoration, trouble = None, ""
    if "restored" in study.contents:
        try:
            restoration = restore_exposures(scenario, exposures, silent)
        except InputError as error:  # a drawn sample may be too dark, saturated or without contrast
            trouble = str(error)
    return Case(
        study=study,
        scenario=scenario,
        bench=bench,
        exposures=exposures,
        restoration=restoration,
        trouble=trouble,
    )


def _arrays(case: Case) -> Arrays:
    makers = {
        "frames": _frames,
        "darks": _darks,
        "averaged": _averaged,
        "noise_free": _noise_free,
        "xray": _xray,
        "truth": _truth,
        "kz": _kz,
        "psf": _psf,
        "defects": _defects,
        "drift": _drift,
        "restored": _restored,
    }
    made: Arrays = {}
    for content in case.study.contents:
        try:
            made |= makers[content](case)
        except InputError:
            if content != "averaged":
                raise
            made |= _nothing(case, content)  # frames that cannot be averaged, e.g. saturated ones
    return made


def _nothing(case: Case, content: str) -> Arrays:
    """Return NaN for the arrays of a content that a sample does not have."""
    wanted = {n: s for n, s in specs(case.study).items() if s.content == content}
    return {name: np.full(s.shape, np.nan, dtype=s.dtype) for name, s in wanted.items()}


def _check_arrays(study: Study, arrays: Arrays, index: int) -> None:
    """Refuse arrays that are not what the store was laid out for."""
    wanted = {name: (spec.dtype, spec.shape) for name, spec in specs(study).items()}
    found = {name: (a.dtype.str, a.shape) for name, a in arrays.items()}
    if wanted != found:
        odd = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        raise InputError(f"sample {index}: arrays are not as laid out: {', '.join(odd)}.")


def _frames(case: Case) -> Arrays:
    return {f"{name}_frames": stack for name, stack in case.exposures.stacks.items()}


def _darks(case: Case) -> Arrays:
    exposures = case.exposures
    made: Arrays = {}
    for plate in PLATES if exposures.darks else ():
        made[f"{plate}_dark_frames"] = exposures.darks[getattr(case.scenario, plate).exposure_s]
    if exposures.flat is not None:
        made["camera_flat_frames"] = exposures.flat
    return made


def _averaged(case: Case) -> Arrays:
    exposures, config = case.exposures, case.scenario.restoration
    flat_s = exposures.flat_exposure_s if exposures.flat is not None else None
    corrections = prepare_corrections(dict(exposures.darks) or None, exposures.flat, flat_s, config)
    made: Arrays = {}
    for plate in PLATES:
        background = exposures.stacks[f"{plate}_{BACKGROUND}"]
        for what in objects(case.study):
            frames = PlateFrames(
                sample=exposures.stacks[f"{plate}_{what}"],
                background=background,
                exposure_s=getattr(case.scenario, plate).exposure_s,
            )
            corrected = correct_plate(frames, f"{plate} {what}", corrections, config)
            made[f"{plate}_{what}_averaged"] = as_float32(corrected.sample)
        made[f"{plate}_{BACKGROUND}_averaged"] = as_float32(corrected.background)
    return made


def _noise_free(case: Case) -> Arrays:
    made: Arrays = {}
    for plate in PLATES:
        plane = case.bench.planes[plate]
        for what in objects(case.study):
            name = f"{plate}_{what}"
            shift = sample_position_um(case.exposures, name)
            spectrum = shifted(case.exposures.truth[name].spectrum, plane.fine, shift)
            electrons = camera_image(spectrum, plane) * getattr(case.scenario, plate).exposure_s
            made[f"{name}_electrons"] = as_float32(electrons)
    return made


def _xray(case: Case) -> Arrays:
    bench, exposures = case.bench, case.exposures
    made: Arrays = {}
    for plate in PLATES:
        for what in objects(case.study):
            name = f"{plate}_{what}"
            shift = sample_position_um(exposures, name)
            image = xray_truth(
                exposures.truth[name], bench.responses[plate], bench.planes[plate], 1.0, shift
            )
            made[f"{name}_xray"] = as_float32(image)
    return made


def _truth(case: Case) -> Arrays:
    """Return both truths where a registration onto the thick plate's image would lay them."""
    bench, light = case.bench, case.exposures.truth
    made: Arrays = {}
    scales = {
        plate: image_scale(bench.responses[plate], bench.planes[plate], case.scenario.instrument())
        for plate in PLATES
    }
    sizes = {p: bench.planes[p].sample_magnification * scales[p] for p in PLATES}
    for what in objects(case.study):
        shift = sample_position_um(case.exposures, f"thick_{what}")
        thin = thin_truth(
            light[f"thin_{what}"],
            bench.responses["thin"],
            bench.planes["thin"],
            sizes["thick"] / sizes["thin"],
            shift,
        )
        xray = xray_truth(
            light[f"thick_{what}"],
            bench.responses["thick"],
            bench.planes["thick"],
            scales["thick"],
            shift,
        )
        made |= {f"{what}_truth": as_float32(thin), f"{what}_truth_xray": as_float32(xray)}
    return made


def _kz(case: Case) -> Arrays:
    made: Arrays = {}
    for plate in PLATES:
        depth, share = depth_profile(case.bench.responses[plate])
        made |= {f"{plate}_depth_um": depth, f"{plate}_k_per_um": share}
    return made


def _psf(case: Case) -> Arrays:
    responses, size = case.bench.responses, case.study.base.restoration.psf_size_px
    made = {f"{plate}_psf": as_float32(generalized_psf(responses[plate], size)) for plate in PLATES}
    kernel = true_kernel(responses["thin"], responses["thick"], max(256, 2 * size))
    start = kernel.shape[0] // 2 - size // 2
    window = kernel[start : start + size, start : start + size]
    return made | {"psf_thin_to_thick": as_float32(window)}


def _defects(case: Case) -> Arrays:
    bench = case.bench
    return {f"{p}_defect_mask": defect_mask(bench.defects[p], bench.planes[p]) for p in PLATES}


def _drift(case: Case) -> Arrays:
    drift = case.exposures.drift.values()
    return {
        "plate_drift_um": np.stack([d.plate_um for d in drift]).astype(np.float64),
        "sample_drift_um": np.stack([d.sample_um for d in drift]).astype(np.float64),
        "source_factor": np.stack([d.source_factor for d in drift]).astype(np.float64),
    }


def _restored(case: Case) -> Arrays:
    found = case.restoration
    if found is None:
        return _nothing(case, "restored")
    made = {
        "target_input": found.thick_target,
        "target_restored": found.restored_target,
        "psf_estimated": found.psf.psf,
    }
    if SPECIMEN in objects(case.study):
        item = found.specimens[SPECIMEN]
        made |= {"specimen_input": item.image, "specimen_restored": item.restored}
    return {name: as_float32(image) for name, image in made.items()}


__all__ = ["SPECIMEN", "TARGET", "Case", "Sample", "make_sample"]
