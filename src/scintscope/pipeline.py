"""The commands' work: simulate, restore, judge, report; results appear whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scintscope.forward.simulate import Bench, Experiment, Exposures, as_arrays, expose_all, set_up
from scintscope.inspection import data_sheet
from scintscope.outputs import Outcome, provenance, staged_output, write_json, write_text
from scintscope.progress import Progress
from scintscope.report.records import INTERIM
from scintscope.report.validity import map_csv
from scintscope.restoration import PlateFrames, Restoration, restore
from scintscope.verdict.budget import Budget, error_budget
from scintscope.verdict.judge import SPECIMEN, TARGET, THIN_SPECIMEN, Verdict, judge
from scintscope.verdict.numbers import map_numbers, single_psf_numbers, verdict_numbers
from scintscope.verdict.single_psf import SinglePsf
from scintscope.verdict.validity import ValidityMap, checked_axes, validity_maps
from scintscope.verdict.words import SMALL_ERROR, budget_sentence, map_sentences, sentences

if TYPE_CHECKING:
    from scintscope.report import Easel
    from scintscope.scenario import Scenario

RESTORE_STEPS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Everything a run made; what the report is written from.

    Parameters
    ----------
    scenario : Scenario
    bench : Bench
        Responses, planes, defects.
    exposures : Exposures
        Frames and drift.
    restoration : Restoration
    verdict : Verdict
    sheet : dict
        Data sheet (``inspect``).
    metrics : dict
        Content of ``metrics.json``.
    sentences : list of str
        The verdict in words.
    """

    scenario: Scenario
    bench: Bench
    exposures: Exposures
    restoration: Restoration
    verdict: Verdict
    sheet: Mapping[str, Any]
    metrics: Mapping[str, Any]
    sentences: list[str]


@dataclass(slots=True)
class _Clock:
    """Seconds per stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def experiment(scenario: Scenario) -> Experiment:
    """Return what a scenario asks the forward model for."""
    samples = {TARGET: scenario.target}
    if scenario.specimen is not None:
        samples[SPECIMEN] = scenario.specimen
    return Experiment(
        instrument=scenario.instrument(),
        acquisition=scenario.acquisition,
        samples=samples,
        absorbers=scenario.absorbers,
    )


def run(scenario: Scenario, out: Path, progress: Progress, easel: Easel | None = None) -> Outcome:
    """Simulate, restore, judge and report into a folder.

    Parameters
    ----------
    scenario : Scenario
        What to do.
    out : Path
        Final folder; see `outputs.staged_output`.
    progress : callable
        See `scintscope.progress`.
    easel : Easel, optional
        Who draws the figures; by default this process, at the end.

    Raises
    ------
    InputError
        If the scenario cannot be simulated or the folder not be written.
    FigureError
        If a figure cannot be drawn; it names the figure.
    """
    from scintscope.report import verdict_table, write_report

    clock = _Clock()
    with staged_output(out) as folder:
        result = perform(scenario, progress, clock, easel)
        with clock.stage("images"), progress("images", 1) as advance:
            write_images(folder / "images", result)
            advance(1)
        with clock.stage("report"), progress("report", 1) as advance:
            write_report(folder, result, easel)
            advance(1)
        write_json(folder / "metrics.json", result.metrics)
        _write_records(folder, scenario, clock)
    text = f"{verdict_table(result.metrics)}\n" + "\n".join(result.sentences)
    return Outcome(document=result.metrics, text=f"{text}\nReport: {out / 'report.html'}")


def inspect_into(scenario: Scenario, out: Path) -> dict[str, Any]:
    """Write the data sheet's page into a folder and return the sheet.

    Parameters
    ----------
    scenario : Scenario
        Whose instrument is described.
    out : Path
        Final folder; see `outputs.staged_output`.

    Raises
    ------
    InputError
        If the instrument cannot be simulated or the folder not be written.
    """
    from scintscope.report import write_sheet
    from scintscope.response import check_sampling, depth_response

    clock = _Clock()
    with staged_output(out) as folder:
        instrument = scenario.instrument()
        with clock.stage("instrument"):
            responses = {
                name: depth_response(instrument, getattr(instrument, name))
                for name in ("thin", "thick")
            }
        check_sampling(instrument, tuple(responses.values()))
        sheet = data_sheet(instrument, responses["thin"], responses["thick"])
        with clock.stage("report"):
            write_sheet(folder, scenario.name, instrument, responses, sheet)
        _write_records(folder, scenario, clock)
    return sheet


def perform(
    scenario: Scenario,
    progress: Progress,
    clock: _Clock | None = None,
    easel: Easel | None = None,
) -> Run:
    """Return everything a run makes, without writing anything.

    With an easel, figures are ordered as soon as their numbers are there.
    """
    from scintscope.report import frames_drawing, instrument_drawings

    clock = clock or _Clock()
    with clock.stage("instrument"), progress("instrument", 1) as advance:
        bench = set_up(experiment(scenario))
        responses = bench.responses
        sheet = data_sheet(bench.experiment.instrument, responses["thin"], responses["thick"])
        if easel is not None:
            easel.order(*instrument_drawings(bench, sheet))
        advance(1)
    with clock.stage("frames"):
        exposures = expose_all(bench, progress)
    if easel is not None:
        easel.order(frames_drawing(bench, exposures))
    with clock.stage("restoration"):
        restoration = restore_exposures(scenario, exposures, progress)
    with clock.stage("verdict"), progress("verdict", 1) as advance:
        verdict = judge(bench, exposures, restoration)
        advance(1)
    return Run(
        scenario=scenario,
        bench=bench,
        exposures=exposures,
        restoration=restoration,
        verdict=verdict,
        sheet=sheet,
        metrics=sheet
        | verdict_numbers(verdict)
        | {"depth_sum": depth_sum_numbers(bench, exposures), "notes": _notes(restoration)},
        sentences=sentences(verdict),
    )


def depth_sum_numbers(bench: Bench, exposures: Exposures) -> dict[str, Any]:
    """Return what the depth sum of each image took, and its error as estimated from the image.

    Rms over the image's standard deviation, against the sum over all depths.
    """
    found = {
        name: {"transforms": light.terms, "estimated_error": light.error}
        for name, light in exposures.truth.items()
    }
    return {"error_target": bench.experiment.instrument.accuracy.error_target, "images": found}


def _notes(restoration: Restoration) -> list[dict[str, str]]:
    """Return what the restoration chain had to say, as it stands in its records."""
    return [
        {"stage": note.stage, "level": note.level, "sentence": note.sentence}
        for note in restoration.notes
    ]


def restore_exposures(scenario: Scenario, exposures: Exposures, progress: Progress) -> Restoration:
    """Return the chain's result on simulated frames: counts, exposures and darks only."""
    stacks = exposures.stacks

    def frames(plate: str, sample: str) -> PlateFrames:
        return PlateFrames(
            sample=stacks[f"{plate}_{sample}"],
            background=stacks[f"{plate}_background"],
            exposure_s=getattr(scenario, plate).exposure_s,
        )

    specimens = {}
    if f"thick_{SPECIMEN}" in stacks:
        specimens = {
            SPECIMEN: frames("thick", SPECIMEN),
            THIN_SPECIMEN: frames("thin", SPECIMEN),
        }
    with progress("restoration", RESTORE_STEPS) as advance:
        done = 0

        def tell(stage: str, share: float) -> None:
            nonlocal done
            steps = int(share * RESTORE_STEPS) - done
            done += steps
            advance(steps)

        return restore(
            frames("thin", TARGET),
            frames("thick", TARGET),
            specimens,
            dark=dict(exposures.darks) or None,
            flat=exposures.flat,
            flat_exposure_s=exposures.flat_exposure_s if exposures.flat is not None else None,
            config=scenario.restoration,
            progress=tell,
        )


def write_images(folder: Path, result: Run) -> None:
    """Write the images people want in Fiji: float32 TIFF with the pixel size in the tags."""
    from scintscope.tiff import write_image

    pixel = result.bench.planes["thick"].pixel_um
    images: dict[str, Any] = {
        "psf_estimated": result.restoration.psf.psf,
        "psf_true": result.verdict.psf.true,
        "single_psf_exact": result.verdict.single.exact,
        "single_psf_error": result.verdict.single.registered - result.verdict.single.exact,
    }
    for name, sample in result.verdict.samples.items():
        images |= {f"{name}_{kind}": image for kind, image in sample.images.items()}
        images |= {
            f"{name}_truth_thin": sample.truth.thin,
            f"{name}_truth_xray": sample.truth.xray,
        }
    for name, image in images.items():
        write_image(folder / f"{name}.tif", np.asarray(image, dtype=np.float32), pixel)


def _write_records(folder: Path, scenario: Scenario, clock: _Clock) -> None:
    """Write resolved scenario and provenance beside the results."""
    write_text(folder / "scenario.toml", scenario.to_toml())
    record = provenance(
        scenario_hash=scenario.hash(),
        seed=scenario.acquisition.seed,
        timings_s=clock.seconds,
        interim=INTERIM,
    )
    write_json(folder / "provenance.json", record)


def simulate(scenario: Scenario, out: Path, progress: Progress) -> Outcome:
    """Write the frames and their truth into a folder, and stop there."""
    from scintscope.tiff import write_stack

    clock = _Clock()
    with staged_output(out) as folder:
        with clock.stage("instrument"):
            bench = set_up(experiment(scenario))
        with clock.stage("frames"):
            exposures = expose_all(bench, progress)
        pixel = bench.planes["thick"].pixel_um
        stacks = {f"frames/{name}": stack for name, stack in exposures.stacks.items()}
        stacks |= {f"frames/dark_{t:g}s": stack for t, stack in exposures.darks.items()}
        if exposures.flat is not None:
            stacks["frames/flat"] = exposures.flat
        for name, stack in stacks.items():
            write_stack(folder / f"{name}.tif", stack, pixel)
        truth: dict[str, Any] = {"drift": as_arrays(exposures)}
        truth["depth_sum"] = depth_sum_numbers(bench, exposures)["images"]
        truth["defects"] = {name: defects.catalogue for name, defects in bench.defects.items()}
        (folder / "truth").mkdir()
        write_json(folder / "truth" / "truth.json", truth)
        _write_truth_images(folder / "truth", bench, exposures)
        _write_records(folder, scenario, clock)
    names = ", ".join(sorted(stacks))
    return Outcome(document={"folder": str(out), "stacks": sorted(stacks)}, text=f"{out}: {names}")


def _write_truth_images(folder: Path, bench: Bench, exposures: Exposures) -> None:
    """Write noise-free images, X-ray images, defect maps and kernels."""
    from scintscope.forward.plane import camera_image, shifted
    from scintscope.forward.simulate import sample_position_um
    from scintscope.tiff import write_image
    from scintscope.verdict.truth import true_kernel, xray_truth

    for plate, plane in bench.planes.items():
        response = bench.responses[plate]
        for sample in bench.experiment.samples:
            name = f"{plate}_{sample}"
            shift, light = sample_position_um(exposures, name), exposures.truth[name]
            image = camera_image(shifted(light.spectrum, plane.fine, shift), plane)
            electrons = (image * response.plate.exposure_s).astype(np.float32)
            write_image(folder / f"{name}_electrons.tif", electrons, plane.pixel_um)
            transmission = xray_truth(light, response, plane, 1.0, shift).astype(np.float32)
            write_image(folder / f"{name}_xray.tif", transmission, plane.pixel_um)
        for i, group in enumerate(bench.defects[plate].emission):
            path = folder / f"{plate}_emission_defects_{i}.tif"
            write_image(path, group.loss, plane.fine.pixel_um)
    kernel = true_kernel(bench.responses["thin"], bench.responses["thick"])
    pixel = bench.planes["thick"].pixel_um
    write_image(folder / "psf_true.tif", kernel.astype(np.float32), pixel)


def verify(scenario: Scenario, out: Path, progress: Progress, maps: str | None = None) -> Outcome:
    """Compare the exact image with the single-PSF image on both plates, without noise.

    With the error budget of the thick plate as images and numbers, and the validity map.

    Parameters
    ----------
    scenario : Scenario
        What to do.
    out : Path
        Final folder; see `outputs.staged_output`.
    progress : callable
        See `scintscope.progress`.
    maps : str, optional
        Axes of the validity map (`verdict.validity.parse_axes`); none if not given.
    """
    from scintscope.report import write_verify_report

    if maps is not None:
        checked_axes(experiment(scenario), TARGET, maps)
    clock = _Clock()
    with staged_output(out) as folder:
        found, pixel, budget = _verified(scenario, progress, clock)
        grids = _mapped(scenario, maps, progress, clock)
        _write_verify_images(folder / "images", found, budget, pixel)
        document: dict[str, Any] = {
            "single_psf": single_psf_numbers(found["thick"], budget),
            "single_psf_thin": single_psf_numbers(found["thin"]),
            "validity": map_numbers(grids, SMALL_ERROR) if grids else None,
        }
        if grids:
            write_text(folder / "validity.csv", map_csv(grids))
        write_verify_report(folder, found, pixel, budget, grids)
        write_json(folder / "metrics.json", document)
        _write_records(folder, scenario, clock)
    lines = ["RMS of exact minus single-PSF image over std(exact):"]
    lines += [
        f"{plate:5s} registered {single.rms_relative_error:.3%}  edge "
        f"{single.edge_relative_error:.3%}  as printed {single.rms_relative_error_entrance:.3%}"
        for plate, single in found.items()
    ]
    lines += [f"  {effect:20s} {part.rms:.4%}" for effect, part in budget.parts.items()]
    lines += [f"  {'interaction':20s} {budget.interaction.rms:.4%}", budget_sentence(budget)]
    lines += map_sentences(grids) if grids else []
    return Outcome(document=document, text="\n".join([*lines, f"Report: {out / 'report.html'}"]))


def _verified(
    scenario: Scenario, progress: Progress, clock: _Clock
) -> tuple[dict[str, SinglePsf], float, Budget]:
    """Return the verdict on Eq. 2 by plate, the camera's pixel, and the thick plate's budget."""
    from scintscope.forward.simulate import rendered
    from scintscope.verdict.single_psf import judge_light

    with progress("exact and single-PSF images", 3) as advance:
        with clock.stage("instrument"):
            bench = set_up(experiment(scenario))
        advance(1)
        found = {}
        for plate in ("thick", "thin"):
            with clock.stage(plate):
                light = rendered(bench, plate, TARGET)
                found[plate] = judge_light(light, bench.responses[plate], bench.planes[plate])
            advance(1)
    with clock.stage("budget"):
        budget = error_budget(bench, TARGET, progress)
    return found, bench.planes["thick"].pixel_um, budget


def _mapped(
    scenario: Scenario, maps: str | None, progress: Progress, clock: _Clock
) -> list[ValidityMap]:
    """Return the validity maps asked for."""
    if maps is None:
        return []
    with clock.stage("validity map"):
        return validity_maps(experiment(scenario), TARGET, maps, progress)


def _write_verify_images(
    folder: Path, found: Mapping[str, SinglePsf], budget: Budget, pixel_um: float
) -> None:
    """Write exact images and errors (electrons), and the budget's images (shares of std)."""
    from scintscope.tiff import write_image

    for plate, single in found.items():
        error = (single.registered - single.exact).astype(np.float32)
        write_image(folder / f"{plate}_exact.tif", single.exact, pixel_um)
        write_image(folder / f"{plate}_error.tif", error, pixel_um)
    parts = {effect: budget.parts[effect] for effect in budget.present}
    parts |= {"interaction": budget.interaction, "total": budget.total}
    for name, part in parts.items():
        write_image(folder / f"budget_{name}.tif", part.error.astype(np.float32), pixel_um)
