"""The restoration chain, run on camera counts as in a laboratory.

Order: check -> average -> dark and camera flat -> register each background to its sample on the
plate's defects -> take the background off -> register thin to thick on the target -> PSF -> centre,
cut, normalise -> deconvolve target and specimens. Method of Zhou et al. 2025, An approach to
overcome the resolution-efficiency trade-off in X-ray scintillator imaging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

import numpy as np

from scintscope.errors import DataError
from scintscope.restoration.average import Frames, check_frames
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.deconvolve import deconvolve
from scintscope.restoration.exposures import (
    CorrectedPlate,
    Darks,
    PlateFrames,
    check_flat_is_not_background,
    correct_plate,
    prepare_corrections,
    single_dark_note,
)
from scintscope.restoration.notes import Note
from scintscope.restoration.psf import PsfEstimate, estimate_psf
from scintscope.restoration.records import AlignedPlate, Restoration, RestoredSpecimen, Targets
from scintscope.restoration.richardson_lucy import DeconvolutionResult
from scintscope.restoration.steps import (
    align_plate,
    deconvolution_notes,
    pair_targets,
    psf_notes,
    registration_notes,
    restore_specimen,
    specimen_notes,
)
from scintscope.sharing import share
from scintscope.threads import POOL_THREADS

Progress = Callable[[str, float], None]
Plates = dict[str, PlateFrames]
Tell = Callable[[str, float], None]

RESERVED = ("thin", "thick", "flat", "pair", "all")


def restore(
    thin: PlateFrames,
    thick: PlateFrames,
    specimens: Mapping[str, PlateFrames] | None = None,
    *,
    dark: Darks = None,
    flat: Frames | None = None,
    flat_exposure_s: float | None = None,
    config: RestorationConfig | None = None,
    progress: Progress | None = None,
) -> Restoration:
    """Return the thick plate's images made sharp with the PSF of a thin/thick pair.

    Parameters
    ----------
    thin, thick : PlateFrames
        The target on the thin and on the thick plate.
    specimens : mapping of str to PlateFrames, or None
        Other objects on the thick plate, to be restored with the same PSF. The names "thin",
        "thick", "flat", "pair" and "all" are taken.
    dark : stack, mapping of exposure (s) or name to stack, or None
        See `exposures.Darks`.
    flat : stack or None
        Camera flat: light without scintillator.
    flat_exposure_s : float or None
        Its exposure, to pick its dark.
    config : RestorationConfig or None
        None takes the paper's settings, which are the defaults.
    progress : callable or None
        Called as ``progress(stage, share_done)``, the share of the whole chain in [0, 1].

    Returns
    -------
    Restoration

    Raises
    ------
    DataError
        Frames that cannot be processed: empty, colour, NaN, wrong or unequal shapes, saturated,
        without signal, without a fitting dark.
    """
    settings = config or RestorationConfig()
    tell = progress or _silent
    plates = _checked_plates(thin, thick, specimens or {})
    tell("averaging frames", 0.0)
    corrected, notes = _correct(plates, dark, flat, flat_exposure_s, settings)
    aligned = _align(corrected, settings, tell)
    for name, plate in aligned.items():
        notes += registration_notes(f"{name}.background", plate.registration)
    tell("registering thin to thick", 0.3)
    targets = pair_targets(aligned["thin"], aligned["thick"], settings)
    psf = _psf(targets, settings, tell)
    tell("restoring the target", 0.7)
    result = deconvolve(targets.thick, psf.psf, settings)
    notes += [*targets.notes, *psf_notes(psf), *deconvolution_notes("target", result)]
    restored = _restore_specimens(aligned, psf, settings, tell)
    notes += [note for name, item in restored.items() for note in specimen_notes(name, item)]
    tell("done", 1.0)
    return _assemble(settings, corrected, aligned, targets, psf, result, restored, notes)


def _silent(stage: str, share_done: float) -> None:
    """Take no notice of progress."""


def _checked_plates(
    thin: PlateFrames, thick: PlateFrames, specimens: Mapping[str, PlateFrames]
) -> Plates:
    """Return all plates by name, their stacks checked and of one shape."""
    for name in specimens:
        if name in RESERVED:
            raise DataError(f"a specimen cannot be called {name!r}; that name is taken.")
    plates = {"thin": thin, "thick": thick, **specimens}
    shapes = {
        f"{name}.{part}": check_frames(getattr(plate, part), f"{name}.{part}").shape[-2:]
        for name, plate in plates.items()
        for part in ("sample", "background")
    }
    wanted = shapes["thick.sample"]
    for label, shape in shapes.items():
        if shape != wanted:
            raise DataError(
                f"{label} is {shape} but thick.sample is {wanted}: all frames must have one "
                "shape. Crop them to the same region of the camera."
            )
    return plates


def _correct(
    plates: Plates,
    dark: Darks,
    flat: Frames | None,
    flat_exposure_s: float | None,
    config: RestorationConfig,
) -> tuple[dict[str, CorrectedPlate], list[Note]]:
    """Return all plates' corrected mean images, and what was found on the way."""
    corrections = prepare_corrections(dark, flat, flat_exposure_s, config)
    notes = [*corrections.notes, *single_dark_note(dark, [p.exposure_s for p in plates.values()])]
    corrected: dict[str, CorrectedPlate] = {}
    for name, plate in plates.items():
        notes += check_flat_is_not_background(corrections, plate, name, config)
        corrected[name] = correct_plate(plate, name, corrections, config)
        notes += [note for report in corrected[name].reports.values() for note in report.notes]
    return corrected, notes


def _align(
    corrected: dict[str, CorrectedPlate], config: RestorationConfig, tell: Tell
) -> dict[str, AlignedPlate]:
    """Return all plates with their backgrounds registered to their samples, two at a time."""
    names, count = iter(corrected), len(corrected)

    def align(plate: CorrectedPlate) -> AlignedPlate:
        return align_plate(plate, config)

    aligned: dict[str, AlignedPlate] = {}
    for index in range(0, count, POOL_THREADS):
        part = list(islice(names, POOL_THREADS))
        tell(f"registering {part[0]} to its background", 0.1 + 0.2 * index / count)
        found = share(align, [corrected[name] for name in part])
        aligned |= dict(zip(part, found, strict=True))
    return aligned


def _psf(targets: Targets, config: RestorationConfig, tell: Tell) -> PsfEstimate:
    stage = "estimating the PSF"
    tell(stage, 0.4)
    return estimate_psf(
        targets.thin,
        targets.thick,
        config,
        valid=targets.valid,
        progress=lambda share: tell(stage, 0.4 + 0.3 * share),
    )


def _restore_specimens(
    aligned: dict[str, AlignedPlate], psf: PsfEstimate, config: RestorationConfig, tell: Tell
) -> dict[str, RestoredSpecimen]:
    names = [name for name in aligned if name not in ("thin", "thick")]
    restored: dict[str, RestoredSpecimen] = {}
    for index, name in enumerate(names):
        tell(f"restoring {name}", 0.8 + 0.2 * index / len(names))
        restored[name] = restore_specimen(name, aligned[name], psf.psf, config)
    return restored


def _assemble(
    config: RestorationConfig,
    corrected: dict[str, CorrectedPlate],
    aligned: dict[str, AlignedPlate],
    targets: Targets,
    psf: PsfEstimate,
    result: DeconvolutionResult,
    restored: dict[str, RestoredSpecimen],
    notes: list[Note],
) -> Restoration:
    """Return the record; a lift of the signals is taken off again."""
    return Restoration(
        config=config,
        thin=aligned["thin"],
        thick=aligned["thick"],
        thin_target=(targets.thin - targets.lift).astype(np.float32),
        thin_valid=targets.valid,
        thick_target=(targets.thick - targets.lift).astype(np.float32),
        restored_target=(result.estimate - targets.lift).astype(np.float32),
        psf=psf,
        deconvolution=result,
        specimens=restored,
        pair=targets.pair,
        registrations={
            "pair": targets.pair,
            **{f"{name}.background": plate.registration for name, plate in aligned.items()},
        },
        backgrounds={
            **targets.backgrounds,
            **{name: item.background_report for name, item in restored.items()},
        },
        averages={key: r for plate in corrected.values() for key, r in plate.reports.items()},
        notes=tuple(notes),
    )
