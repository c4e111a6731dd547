"""The steps of the chain that need more than one module, and what they have to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.restoration.background import (
    BackgroundReport,
    absorbed_fraction,
    clip_negative,
    divide_background,
    subtract_background,
)
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.deconvolve import deconvolve
from scintscope.restoration.exposures import CorrectedPlate
from scintscope.restoration.notes import Note, info, warning
from scintscope.restoration.psf import PsfEstimate, PsfStatus
from scintscope.restoration.records import AlignedPlate, RestoredSpecimen, Targets
from scintscope.restoration.registration import (
    DISABLED,
    RegistrationReport,
    RegistrationStatus,
    register_background,
    register_pair,
)
from scintscope.restoration.richardson_lucy import DeconvolutionResult, DeconvolutionStatus
from scintscope.restoration.transform import warp

Image = NDArray[np.floating[Any]]

LARGE_TRUNCATION = 0.5
"""Share of the PSF estimate outside its square above which the report warns."""


def align_plate(plate: CorrectedPlate, config: RestorationConfig) -> AlignedPlate:
    """Return a plate with its background moved onto its sample; the sample is never resampled."""
    if config.registration == "none":
        return AlignedPlate(sample=plate.sample, background=plate.background, registration=DISABLED)
    report = register_background(
        plate.sample,
        plate.background,
        model=config.background_model,
        threshold_px=config.ransac_threshold_px,
        max_shift_fraction=config.max_shift_fraction,
    )
    moved, _ = warp(plate.background, report.transform)
    return AlignedPlate(sample=plate.sample, background=moved, registration=report)


def target_signal(
    plate: AlignedPlate, name: str, config: RestorationConfig
) -> tuple[Image, BackgroundReport]:
    """Return the target's non-negative signal on one plate, and what that took."""
    remove = subtract_background if config.target_background == "subtract" else absorbed_fraction
    return remove(
        plate.sample,
        plate.background,
        sign=config.target_sign,
        offset=config.subtract_offset,
        name=f"the {name} target",
    )


def pair_targets(thin: AlignedPlate, thick: AlignedPlate, config: RestorationConfig) -> Targets:
    """Return both plates' target signals in the thick frame, lifted by one constant if at all."""
    thin_signal, thin_report = target_signal(thin, "thin", config)
    thick_signal, thick_report = target_signal(thick, "thick", config)
    lift = max(thin_report.offset, thick_report.offset)
    thin_signal = thin_signal + (lift - thin_report.offset)
    thick_signal = thick_signal + (lift - thick_report.offset)
    pair = DISABLED
    if config.registration != "none":
        pair = register_pair(
            thick_signal,
            thin_signal,
            model=config.pair_model,
            threshold_px=config.ransac_threshold_px,
            max_shift_fraction=config.max_shift_fraction,
        )
    warped, valid = warp(thin_signal, pair.transform)
    warped, negative = clip_negative(warped)
    return Targets(
        thin=warped,
        thick=thick_signal,
        valid=valid,
        lift=lift,
        pair=pair,
        backgrounds={
            "thin": replace(thin_report, offset=lift),
            "thick": replace(thick_report, offset=lift),
        },
        notes=_target_notes(pair, {"thin": thin_report, "thick": thick_report}, negative),
    )


def restore_specimen(
    name: str, plate: AlignedPlate, psf: NDArray[np.float64], config: RestorationConfig
) -> RestoredSpecimen:
    """Return a specimen with its background taken off once, and restored by the PSF."""
    lift = 0.0
    if config.specimen_background == "divide":
        image, report = divide_background(plate.sample, plate.background, name=name)
    else:
        image, report = subtract_background(
            plate.sample,
            plate.background,
            sign=config.target_sign,
            offset=config.subtract_offset,
            name=name,
        )
        lift = report.offset
    data, clipped = image, 0.0
    if config.deconvolution != "wiener":
        data, clipped = clip_negative(image)
    result = deconvolve(data, psf, config)
    return RestoredSpecimen(
        plate=plate,
        image=(image - lift).astype(np.float32),
        restored=(result.estimate - lift).astype(np.float32),
        background_report=report,
        clipped_fraction=clipped,
        deconvolution=result,
    )


def registration_notes(stage: str, report: RegistrationReport) -> tuple[Note, ...]:
    """Return what a registration has to say; anything but a measured motion is a warning."""
    quiet = report.status.trusted or report.status is RegistrationStatus.DISABLED
    say = info if quiet else warning
    return (say(stage, report.sentence),)


def _target_notes(
    pair: RegistrationReport, reports: dict[str, BackgroundReport], negative: float
) -> tuple[Note, ...]:
    notes = []
    for name, report in reports.items():
        sentence = (
            f"{report.negative_fraction:.1%} of the signal was negative; offset {report.offset:.3g}"
            f" of the background's mean added, {report.clipped_fraction:.1%} set to zero."
        )
        notes.append(info(f"{name}.background", sentence))
    notes += registration_notes("pair", pair)
    if negative > 0:
        notes.append(
            info("pair", f"{negative:.1%} of the warped thin target undershot zero; set to zero.")
        )
    return tuple(notes)


def psf_notes(psf: PsfEstimate) -> tuple[Note, ...]:
    """Return what the PSF estimate has to say."""
    row, column = psf.centre_offset_px
    notes = [
        (warning if psf.status is PsfStatus.DIVERGED else info)("psf", psf.status.value),
        info(
            "psf",
            f"centre found at ({row:+.2f}, {column:+.2f}) px; {psf.truncated_share:.1%} of the "
            f"estimate lay outside the square, thick over thin signal {psf.gain:.3f}.",
        ),
    ]
    if psf.change:
        notes.append(info("psf", f"the last iteration changed it by {psf.change[-1]:.2%}."))
    if psf.truncated_share > LARGE_TRUNCATION:
        notes.append(
            warning(
                "psf",
                "most of the estimate lies outside the square: too few iterations, a square too "
                "small, or images that do not fit together.",
            )
        )
    return tuple(notes)


def deconvolution_notes(stage: str, result: DeconvolutionResult) -> tuple[Note, ...]:
    """Return what a deconvolution has to say."""
    bad = result.status is DeconvolutionStatus.DIVERGED
    return ((warning if bad else info)(stage, result.status.value),)


def specimen_notes(name: str, item: RestoredSpecimen) -> tuple[Note, ...]:
    """Return what a specimen's restoration has to say."""
    notes = list(deconvolution_notes(name, item.deconvolution))
    report = item.background_report
    if report.bad_pixels:
        notes.append(
            warning(name, f"{report.bad_pixels} pixels of the background were too dark; repaired.")
        )
    if item.clipped_fraction > 0:
        notes.append(info(name, f"{item.clipped_fraction:.2%} negative pixels were set to zero."))
    return tuple(notes)
