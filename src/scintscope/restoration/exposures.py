"""Camera exposures of a plate, checked and corrected: what enters the chain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, check_range
from scintscope.restoration.average import (
    AverageReport,
    Frames,
    average_frames,
    check_frames,
    correct_image,
)
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.notes import Note, info, warning

Image = NDArray[np.floating[Any]]
Darks = Mapping[Any, Frames] | Frames | None
"""Dark frames: one stack for all, or a mapping from exposure in seconds, or from the plate's name
("thin", "thick", a specimen's name, "flat"), to a stack; None: the frames have no dark level."""

FLAT_IS_BACKGROUND = 0.9
"""Correlation of flat and background above which the flat holds the plate's own shading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateFrames:
    """Frames of one plate with and without the object.

    Parameters
    ----------
    sample, background : (M, N) or (F, M, N) array
        Camera counts, object in and out; frame counts may differ.
    exposure_s : float
        Exposure time of both, s; picks the dark.
    """

    sample: Frames
    background: Frames
    exposure_s: float = 1.0

    def __post_init__(self) -> None:
        check_range("exposure_s", self.exposure_s, low=0.0, low_open=True, unit="s")


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectedPlate:
    """Mean images of one plate, dark and camera flat corrected.

    Parameters
    ----------
    sample, background : (M, N) float64 array
        Counts above dark.
    reports : dict of str to AverageReport
        By ``"<name>.sample"`` and ``"<name>.background"``.
    """

    sample: Image
    background: Image
    reports: dict[str, AverageReport]


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrections:
    """Mean darks and the camera flat, ready to be applied.

    Parameters
    ----------
    darks : dict
        Mean dark by exposure in seconds or by name; empty: none.
    flat : (M, N) float array or None
        Mean camera flat, its dark taken off.
    notes : tuple of Note
    """

    darks: dict[float | str, Image]
    flat: Image | None
    notes: tuple[Note, ...]

    def dark_for(self, name: str, exposure_s: float | None) -> Image | None:
        """Return the mean dark of a plate: by its name, else by exposure, else the only one.

        Raises
        ------
        DataError
            Darks were given, but none fits.
        """
        if not self.darks:
            return None
        for label in (name, "all"):
            if label in self.darks:
                return self.darks[label]
        for key, dark in self.darks.items():
            if (
                not isinstance(key, str)
                and exposure_s is not None
                and math.isclose(key, exposure_s, rel_tol=1e-6)
            ):
                return dark
        wanted = f"{exposure_s:g} s" if exposure_s is not None else "its exposure"
        raise DataError(
            f"no dark fits {name} ({wanted}); darks given: {', '.join(map(str, self.darks))}. "
            f"Give one for {wanted} or under the name {name!r}, or no darks at all."
        )


def prepare_corrections(
    dark: Darks,
    flat: Frames | None,
    flat_exposure_s: float | None,
    config: RestorationConfig,
) -> Corrections:
    """Return mean darks and flat.

    Parameters
    ----------
    dark : see `Darks`
    flat : (M, N) or (F, M, N) array or None
        Camera flat: light without scintillator.
    flat_exposure_s : float or None
        Its exposure, to pick its dark; a dark named "flat" goes first. With neither, the darkest
        of the darks is taken and a note says so.
    config : RestorationConfig
    """
    groups: dict[Any, Frames] = {}
    if isinstance(dark, Mapping):
        groups = dict(dark)
    elif dark is not None:
        groups = {"all": dark}
    darks: dict[float | str, Image] = {}
    for key, stack in groups.items():
        name = key if isinstance(key, str) else float(key)
        darks[name] = _mean_dark(stack, f"dark[{key}]", config)
    made = Corrections(darks=darks, flat=None, notes=())
    if flat is None:
        return made
    image, report = average_frames(flat, name="flat", saturation_adu=config.saturation_adu)
    base, notes = _flat_dark(made, flat_exposure_s)
    if base is not None and base.shape != image.shape:
        raise DataError(f"the flat is {image.shape} but its dark is {base.shape}.")
    return replace(
        made, flat=image if base is None else image - base, notes=(*report.notes, *notes)
    )


def _mean_dark(stack: Frames, name: str, config: RestorationConfig) -> Image:
    """Return the mean of dark frames; a constant dark is allowed, zingers are rejected."""
    frames = check_frames(stack, name)
    if float(np.nanmax(frames)) == float(np.nanmin(frames)):
        return np.full(frames.shape[-2:], float(np.nanmax(frames)))
    return average_frames(
        frames,
        name=name,
        zinger_sigma=config.zinger_sigma,
        saturation_adu=config.saturation_adu,
    )[0]


def _flat_dark(
    corrections: Corrections, flat_exposure_s: float | None
) -> tuple[Image | None, tuple[Note, ...]]:
    if not corrections.darks:
        return None, ()
    try:
        return corrections.dark_for("flat", flat_exposure_s), ()
    except DataError:
        if flat_exposure_s is not None:
            raise
    lowest = min(corrections.darks, key=lambda key: float(np.nanmean(corrections.darks[key])))
    sentence = f'no dark is named "flat" and flat_exposure_s is not given: dark[{lowest}] is used.'
    return corrections.darks[lowest], (warning("flat", sentence),)


def correct_plate(
    frames: PlateFrames, name: str, corrections: Corrections, config: RestorationConfig
) -> CorrectedPlate:
    """Return a plate's mean images, dark and camera flat corrected, bad pixels repaired.

    Raises
    ------
    DataError
        See `average.check_frames` and `average.correct_image`; sample and background of unequal
        shape.
    """
    images: list[Image] = []
    reports: dict[str, AverageReport] = {}
    dark = corrections.dark_for(name, frames.exposure_s)
    for part in ("sample", "background"):
        label = f"{name}.{part}"
        mean, report = average_frames(
            getattr(frames, part),
            name=label,
            zinger_sigma=config.zinger_sigma,
            saturation_adu=config.saturation_adu,
        )
        image, bad, notes = correct_image(mean, dark=dark, flat=corrections.flat, name=label)
        reports[label] = replace(report, bad_pixels=bad, notes=(*report.notes, *notes))
        images.append(image)
    if images[0].shape != images[1].shape:
        raise DataError(
            f"{name}: the sample is {images[0].shape} but its background is {images[1].shape}."
        )
    return CorrectedPlate(sample=images[0], background=images[1], reports=reports)


def check_flat_is_not_background(
    corrections: Corrections, frames: PlateFrames, name: str, config: RestorationConfig
) -> tuple[Note, ...]:
    """Return a warning if the camera flat looks like the plate's own background.

    Plate shading must be taken off once, by the background. A flat that holds it too would take
    the plate's defects out of the background, where registration needs them. An identical flat is
    refused.
    """
    if corrections.flat is None:
        return ()
    mean = average_frames(
        frames.background, name=f"{name}.background", saturation_adu=config.saturation_adu
    )[0]
    if mean.shape != corrections.flat.shape:
        raise DataError(f"the flat is {corrections.flat.shape} but {name} is {mean.shape}.")
    dark = corrections.dark_for(name, frames.exposure_s)
    plate = np.nan_to_num(mean - dark if dark is not None else mean)
    flat = np.nan_to_num(corrections.flat)
    if np.array_equal(plate, flat) or np.array_equal(np.nan_to_num(mean), flat):
        raise DataError(
            f"the flat is {name}'s background: plate shading would be taken off twice. A camera "
            "flat is light without the scintillator; leave it out if there is none."
        )
    likeness = _detail_correlation(plate, flat)
    if likeness < FLAT_IS_BACKGROUND:
        return ()
    sentence = (
        f"the flat's detail correlates {likeness:.2f} with {name}'s background; if it was taken "
        "with the plate in place, leave it out, since the background already holds plate shading."
    )
    return (warning("flat", sentence),)


def _detail_correlation(first: Image, second: Image) -> float:
    """Return the correlation of two images' detail between 1 and 8 pixels."""
    from scintscope.restoration.features import band_pass

    a, b = (band_pass(im, 1.0, 8.0).ravel() for im in (first, second))
    norm = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    return float(np.vdot(a, b)) / norm if norm > 0 else 0.0


def single_dark_note(dark: Darks, exposures_s: list[float]) -> tuple[Note, ...]:
    """Return a note if one dark stack serves exposures of unequal length."""
    if dark is None or isinstance(dark, Mapping) or len(set(exposures_s)) < 2:
        return ()
    times = ", ".join(f"{t:g}" for t in sorted(set(exposures_s)))
    return (info("dark", f"one dark serves exposures of {times} s: dark current is not scaled."),)
