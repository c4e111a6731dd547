"""What can be measured on restored images when no truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.measured.files import Frames, Measurement
from scintscope.metrics import (
    PsdGain,
    RadialSpectrum,
    eight_bit_limits,
    gain_numbers,
    piqe,
    psd_gain,
    psf_widths,
    radial_power_spectrum,
    slanted_edge,
    to_eight_bit,
)
from scintscope.restoration import (
    AlignedPlate,
    Note,
    PsfEstimate,
    RegistrationReport,
    Restoration,
    RestorationConfig,
    deconvolve,
)
from scintscope.restoration.background import BackgroundReport

Image = NDArray[Any]
KINDS = ("thin", "thick", "restored")

SPECIMEN = "specimen"


@dataclass(frozen=True, kw_only=True, slots=True)
class Curves:
    """Densities of one object's images, for figures.

    Parameters
    ----------
    thick, restored : RadialSpectrum
        Of the images, signal and noise together.
    gain : PsdGain
        Restored over thick; split into signal and noise where frames repeat.
    """

    thick: RadialSpectrum
    restored: RadialSpectrum
    gain: PsdGain


def measured_numbers(
    measurement: Measurement,
    result: Restoration,
    curves: dict[str, Curves],
    edge: tuple[int, int, int, int] | None,
) -> dict[str, Any]:
    """Return the content of ``metrics.json``: everything that needs no truth.

    Parameters
    ----------
    measurement : Measurement
    result : Restoration
    curves : dict of str to Curves
        From `psd_curves`.
    edge : (int, int, int, int) or None
        Region of a slanted edge on the thick target image.

    Notes
    -----
    Without a pixel size every key in um is None and the one in pixels stands alone.
    """
    objects = {"target": _target_numbers(measurement, result, edge)}
    if SPECIMEN in result.specimens:
        item = result.specimens[SPECIMEN]
        images = {"thin": None, "thick": item.image, "restored": item.restored}
        objects[SPECIMEN] = _piqe_numbers(images) | edge_numbers({}, measurement.pixel_um, None)
    for name, curve in curves.items():
        objects[name] |= gain_numbers(curve.gain)
    return {
        "images": {
            "pixel_um_object": measurement.pixel_um,
            "pixel_source": measurement.pixel_source,
            "shape": list(result.thick_target.shape),
            "frames": {name: len(stack) for name, stack in measurement.stacks.items()},
            "pixel_type": {name: s.dtype.name for name, s in measurement.stacks.items()},
        },
        "psf": psf_numbers(result.psf, measurement.pixel_um),
        "restoration": objects,
        "registration": {n: registration_numbers(r) for n, r in result.registrations.items()},
        "background": {n: background_numbers(r) for n, r in result.backgrounds.items()},
        "notes": [note_entry(n) for n in (*measurement.notes, *result.notes)],
    }


def note_entry(note: Note) -> dict[str, str]:
    """Return a note as a JSON object."""
    return {"stage": note.stage, "level": note.level, "sentence": note.sentence}


def psf_numbers(psf: PsfEstimate, pixel_um: float | None) -> dict[str, Any]:
    """Return width, gain and truncation of the estimated PSF."""
    width_px = psf_widths(psf.psf, pixel_um=1.0).radial_fwhm_um
    known = width_px is not None and pixel_um is not None
    return {
        "fwhm_estimated_px": width_px,
        "fwhm_estimated_um": width_px * pixel_um if known else None,  # type: ignore[operator]
        "size_px": psf.psf.shape[0],
        "iterations": psf.iterations,
        "status": psf.status.name.lower(),
        "truncated_share": psf.truncated_share,
        "tapered_share": psf.tapered_share,
        "gain": psf.gain,
        "centre_offset_px": list(psf.centre_offset_px),
        "misfit_history": list(psf.history),
    }


def registration_numbers(report: RegistrationReport) -> dict[str, Any]:
    """Return a registration as plain numbers; scale and rotation are of the whole motion."""
    motion = report.transform
    return {
        "status": report.status.name.lower(),
        "shift_row_px": motion.shift_row_px,
        "shift_column_px": motion.shift_column_px,
        "scale": motion.scale,
        "angle_rad": motion.angle_rad,
        "matches": report.matches,
        "inliers": report.inliers,
        "rms_px": report.rms_px,
        "correlation": report.correlation,
        "correlation_before": report.correlation_before,
        "defects": report.defects,
    }


def background_numbers(report: BackgroundReport) -> dict[str, Any]:
    """Return what background removal did as plain numbers."""
    return {
        "operation": report.operation,
        "sign": report.sign,
        "level_adu": report.level_adu,
        "offset": report.offset,
        "negative_fraction": report.negative_fraction,
        "clipped_fraction": report.clipped_fraction,
        "clipped_signal": report.clipped_signal,
        "bad_pixels": report.bad_pixels,
    }


def _target_numbers(
    measurement: Measurement, result: Restoration, edge: tuple[int, int, int, int] | None
) -> dict[str, Any]:
    images: dict[str, Image | None] = {
        "thin": result.thin_target,
        "thick": result.thick_target,
        "restored": result.restored_target,
    }
    return _piqe_numbers(images) | edge_numbers(images, measurement.pixel_um, edge)


def _piqe_numbers(images: dict[str, Image | None]) -> dict[str, float | None]:
    """Return PIQE of thin, thick and restored, the thick image's 8-bit mapping for all."""
    thick = images["thick"]
    low, high = eight_bit_limits(thick) if thick is not None else (0.0, 0.0)
    return {
        f"piqe_{kind}": None
        if image is None or not high > low
        else piqe(to_eight_bit(image, low, high), rescale_to_peak=False).score
        for kind, image in images.items()
    }


def edge_numbers(
    images: dict[str, Image | None],
    pixel_um: float | None,
    edge: tuple[int, int, int, int] | None,
) -> dict[str, float | None]:
    """Return MTF50 along a slanted edge's normal, per pixel and per um.

    Parameters
    ----------
    images : dict of str to (M, N) array or None
        By kind, `KINDS`.
    pixel_um : float or None
        None leaves the keys per um at None.
    edge : (int, int, int, int) or None
        Region that holds the edge: row0, row1, column0, column1. Without it, or where the edge is
        lost in noise and blur, values are None.
    """
    numbers: dict[str, float | None] = {}
    for kind in KINDS:
        image, found = images.get(kind), None
        if image is not None and edge is not None:
            region = image[edge[0] : edge[1], edge[2] : edge[3]]
            try:
                found = slanted_edge(region, pixel_um=1.0).mtf50_cy_per_um
            except InputError:  # lost in noise and blur
                found = None
        known = found is not None and pixel_um is not None
        numbers[f"mtf50_{kind}_cy_per_px"] = found
        numbers[f"mtf50_{kind}_cy_per_um"] = (
            found / pixel_um if known else None  # type: ignore[operator]
        )
    return numbers


def psd_curves(measurement: Measurement, result: Restoration) -> dict[str, Curves]:
    """Return spectral densities and gains of the target and, where given, of the specimen.

    Frequencies are per pixel where the pixel size is unknown.
    """
    pixel_um = measurement.pixel_um or 1.0
    stacks, config = measurement.stacks, result.config
    background = stacks["thick_background"]
    noise = image_noise(
        stacks["thick"], background, result.thick, config.target_background == "divide"
    )
    curves = {
        "target": _curves(
            result.thick_target, result.restored_target, noise, result.psf, config, pixel_um
        )
    }
    if SPECIMEN in result.specimens:
        item = result.specimens[SPECIMEN]
        background = stacks.get("specimen_background", background)
        divided = config.specimen_background == "divide"
        noise = image_noise(stacks[SPECIMEN], background, item.plate, divided)
        curves[SPECIMEN] = _curves(item.image, item.restored, noise, result.psf, config, pixel_um)
    return curves


def half_difference(frames: Frames) -> Image | None:
    """Return an image with the noise of a stack's mean, ADU: half the difference of its halves.

    Successive frames alternate between the halves, so that slow drift of the source cancels. None
    for a single frame.
    """
    even = len(frames) // 2 * 2
    if even == 0:
        return None
    halves = [frames[start:even:2].mean(axis=0, dtype=np.float64) for start in (0, 1)]
    return np.asarray(0.5 * (halves[0] - halves[1]) * np.sqrt(even / len(frames)))


def image_noise(
    sample: Frames, background: Frames, plate: AlignedPlate, divided: bool
) -> Image | None:
    """Return an image with the noise of a signal or transmission; None without repeats.

    Parameters
    ----------
    sample, background : (F, M, N) array
        Frames, ADU.
    plate : AlignedPlate
        Their means above dark.
    divided : bool
        A transmission s/b; else a signal (b - s)/level, its sign being of no account.

    Notes
    -----
    To first order d(s/b) = (ds - (s/b) db) / b, and d((b - s)/level) = (db - ds)/level.
    """
    of_sample, of_background = half_difference(sample), half_difference(background)
    if of_sample is None or of_background is None:
        return None
    level = float(plate.background.mean())
    if not divided:
        return (of_background - of_sample) / level
    usable = np.maximum(plate.background, 0.05 * level)
    return np.asarray((of_sample - plate.sample / usable * of_background) / usable)


def _curves(
    thick: Image,
    restored: Image,
    noise: Image | None,
    psf: PsfEstimate,
    config: RestorationConfig,
    pixel_um: float,
) -> Curves:
    """Return densities and gain; the noise part by passing one more noise through the method."""
    before = after = None
    if noise is not None and noise.any():
        clean, disturbed = (
            deconvolve(np.maximum(image, 0.0), psf.psf, config).estimate
            for image in (thick, thick + noise)
        )
        before = radial_power_spectrum(noise, pixel_um=pixel_um)
        after = radial_power_spectrum(disturbed - clean, pixel_um=pixel_um)
    return Curves(
        thick=radial_power_spectrum(thick, pixel_um=pixel_um),
        restored=radial_power_spectrum(restored, pixel_um=pixel_um),
        gain=psd_gain(restored, thick, pixel_um=pixel_um, restored_noise=after, thick_noise=before),
    )
