"""From camera frames to one image: data checks, mean over frames, dark and camera flat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, check_range
from scintscope.restoration.notes import Note, info, warning

Image = NDArray[np.floating[Any]]
Frames = NDArray[Any]

LARGEST_BAD_FRACTION = 0.01
"""Share of unusable pixels above which an image is refused rather than repaired."""

LARGEST_SATURATED_FRACTION = 0.5
"""Share of saturated pixels above which an image is refused."""

SMALLEST_FLAT = 0.1
"""A flat pixel below this share of the flat's median is dead."""

SMALLEST_SIDE_PX = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class AverageReport:
    """What the average was made of.

    Parameters
    ----------
    frames : int
        Frames averaged.
    nonfinite_values, rejected_values, saturated_values : int
        Values that were NaN or infinite, rejected as zingers, at or above saturation; of the
        whole stack. The first two do not enter the mean, saturated values do.
    saturated_fraction : float
        Share of the stack's values that are saturated.
    bad_pixels : int
        Pixels without any usable value, or dead in the flat; replaced by the median of the usable
        pixels around them.
    notes : tuple of Note
        Sentences for the report.
    """

    frames: int
    nonfinite_values: int
    rejected_values: int
    saturated_values: int
    saturated_fraction: float
    bad_pixels: int = 0
    notes: tuple[Note, ...] = ()


def check_frames(frames: Frames, name: str) -> Frames:
    """Return the frames as (frame, row, column), or say why they cannot be processed.

    Parameters
    ----------
    frames : (M, N) or (F, M, N) array of numbers
        One frame or a stack, camera counts.
    name : str
        What to call it in an error, e.g. ``"thin.sample"``.

    Raises
    ------
    DataError
        Empty, colour, complex or not numbers, wrong dimensions, too small, or too much of a frame
        NaN or infinite.
    """
    array = np.asarray(frames)
    if array.dtype.kind not in "uif":
        raise DataError(
            f"{name} has type {array.dtype}: give real numbers (integers or floating point)."
        )
    if array.size == 0:
        raise DataError(f"{name} is empty (shape {array.shape}): check the file or pattern.")
    if array.ndim >= 3 and array.shape[-1] in (3, 4):
        raise DataError(
            f"{name} of shape {array.shape} looks like a colour image: convert it to grey (one "
            "number per pixel) first."
        )
    if array.ndim not in (2, 3):
        raise DataError(
            f"{name} has {array.ndim} dimensions: give (row, column) or (frame, row, column)."
        )
    if min(array.shape[-2:]) < SMALLEST_SIDE_PX:
        raise DataError(
            f"{name} of shape {array.shape} is too small: give at least {SMALLEST_SIDE_PX} pixels "
            "on each side."
        )
    stack = array[None] if array.ndim == 2 else array
    _check_finite(stack, name)
    return stack


def _check_finite(stack: Frames, name: str) -> None:
    if stack.dtype.kind != "f":
        return
    for index, frame in enumerate(stack):
        share = 1.0 - float(np.isfinite(frame).mean())
        if share > LARGEST_BAD_FRACTION:
            raise DataError(
                f"{name}: {share:.1%} of frame {index} is NaN or infinite; at most "
                f"{LARGEST_BAD_FRACTION:.0%} can be repaired. Leave the frame out."
            )


def saturation_level(frames: Frames, saturation_adu: float | None) -> float:
    """Return the level at which values count as saturated: as given, or the integer type's top."""
    if saturation_adu is not None:
        return check_range("saturation_adu", saturation_adu, low=0.0, low_open=True)
    return float(np.iinfo(frames.dtype).max) if frames.dtype.kind in "ui" else float("inf")


def average_frames(
    frames: Frames,
    *,
    name: str = "frames",
    zinger_sigma: float = 0.0,
    saturation_adu: float | None = None,
) -> tuple[Image, AverageReport]:
    """Return the mean of a stack of frames and what it was made of.

    Parameters
    ----------
    frames : (M, N) or (F, M, N) array
        Camera counts.
    name : str
        What to call the stack in errors and notes.
    zinger_sigma : float
        Values further above a pixel's median over the frames than this many standard deviations
        do not enter the mean (see `zinger_mask`); 0 keeps all. Needs two frames.
    saturation_adu : float or None
        Saturation level; None takes the top of an integer type.

    Returns
    -------
    image : (M, N) float64 array
        Mean counts; NaN where no frame has a usable value.
    report : AverageReport

    Raises
    ------
    DataError
        See `check_frames`; or more than half of the values saturated.
    """
    stack = check_frames(frames, name)
    saturated = int((stack >= saturation_level(stack, saturation_adu)).sum())
    if saturated > LARGEST_SATURATED_FRACTION * stack.size:
        raise DataError(
            f"{name}: {saturated / stack.size:.1%} of the values are saturated: expose shorter."
        )
    if not float(np.nanmax(stack)) > float(np.nanmin(stack)):
        raise DataError(f"{name} is one constant value: it holds no image.")
    usable = np.isfinite(stack) if stack.dtype.kind == "f" else None
    nonfinite = 0 if usable is None else int(stack.size - usable.sum())
    rejected = 0
    if zinger_sigma > 0 and len(stack) > 1:
        zingers = zinger_mask(stack, zinger_sigma)
        rejected = int(zingers.sum())
        usable = ~zingers if usable is None else usable & ~zingers
    report = AverageReport(
        frames=len(stack),
        nonfinite_values=nonfinite,
        rejected_values=rejected,
        saturated_values=saturated,
        saturated_fraction=saturated / stack.size,
        notes=_average_notes(name, stack, nonfinite, rejected, saturated),
    )
    return _mean(stack, usable, nonfinite + rejected), report


def _mean(stack: Frames, usable: NDArray[np.bool_] | None, excluded: int) -> Image:
    if usable is None or excluded == 0:
        return np.asarray(stack.mean(axis=0, dtype=np.float64))
    count = usable.sum(axis=0)
    total = np.where(usable, stack, 0).sum(axis=0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _average_notes(
    name: str, stack: Frames, nonfinite: int, rejected: int, saturated: int
) -> tuple[Note, ...]:
    notes = []
    if len(stack) == 1:
        notes.append(info(name, "a single frame: its noise is not averaged down."))
    if stack.dtype == np.uint8:
        notes.append(info(name, "8-bit frames: grey levels are coarse, faint signal may be lost."))
    if nonfinite:
        notes.append(warning(name, f"{nonfinite} NaN or infinite values were left out."))
    if rejected:
        notes.append(info(name, f"{rejected} values were rejected as zingers."))
    if saturated:
        share = saturated / stack.size
        notes.append(
            warning(name, f"{saturated} values ({share:.2%}) are saturated; their level is lost.")
        )
    return tuple(notes)


def zinger_mask(stack: Frames, sigma: float) -> NDArray[np.bool_]:
    """Return where a value stands out above the other frames' value of the same pixel.

    Frames are first brought to one mean level (source flicker). A value is rejected when it
    exceeds the pixel's median over frames (of two frames: the lower) by ``sigma`` standard
    deviations, which are measured over the whole stack (median absolute difference of successive
    frames) and scaled with the square root of the pixel's level, as counting noise is. Only bright
    outliers exist.

    Parameters
    ----------
    stack : (F, M, N) array
    sigma : float

    Returns
    -------
    (F, M, N) bool array
    """
    values = np.where(np.isfinite(stack), stack, np.nan).astype(np.float32)
    levels = np.nanmedian(values, axis=(1, 2))
    reference_level = float(levels.mean())
    gains = np.where(levels > 0, reference_level / np.where(levels > 0, levels, 1.0), 1.0)
    values *= gains[:, None, None].astype(np.float32)
    with np.errstate(invalid="ignore"):
        filled = np.where(np.isnan(values), np.float32(reference_level), values)
        low = filled.min(axis=0) if len(stack) == 2 else np.median(filled, axis=0)
        relative = np.sqrt(np.clip(low / max(reference_level, 1e-30), 0.1, None))
        steps = np.diff(filled, axis=0) / (math.sqrt(2.0) * relative)
        spread = 1.4826 * float(np.median(np.abs(steps)))
        scale = max(spread, 1e-6 * abs(reference_level), 1e-30)
        if len(stack) == 2:
            scale *= math.sqrt(2.0)
        return np.asarray(filled - low > sigma * scale * relative)


def correct_image(
    image: Image, *, dark: Image | None = None, flat: Image | None = None, name: str = "image"
) -> tuple[Image, int, tuple[Note, ...]]:
    """Return (image - dark) / (flat - dark) * mean(flat - dark), bad pixels repaired.

    Parameters
    ----------
    image : (M, N) float array
        Mean counts; NaN marks pixels without a value.
    dark : (M, N) float array or None
        Mean of frames without light, same exposure.
    flat : (M, N) float array or None
        Camera flat (light, no scintillator) with its own dark already taken off. Plate shading
        belongs to the background image, never here.
    name : str
        What to call the image in errors and notes.

    Returns
    -------
    image : (M, N) float64 array
        Corrected counts, finite everywhere.
    bad_pixels : int
        Pixels that were NaN or dead in the flat and were replaced.
    notes : tuple of Note

    Raises
    ------
    DataError
        Shapes differ, the flat has no light, or more than 1 % of the pixels are bad.
    """
    for label, other in (("dark", dark), ("flat", flat)):
        if other is not None and other.shape != image.shape:
            raise DataError(f"{name} is {image.shape} but its {label} is {other.shape}.")
    corrected: Image = np.array(image, dtype=np.float64)
    if dark is not None:
        corrected -= dark
    if flat is not None:
        corrected *= flat_gain(flat)
    bad = ~np.isfinite(corrected)
    corrected = repair_pixels(corrected, bad, name)
    count = int(bad.sum())
    notes = [warning(name, f"{count} bad pixels were replaced by their surroundings.")]
    return corrected, count, tuple(notes if count else [])


def flat_gain(flat: Image) -> Image:
    """Return mean(flat) / flat, NaN where the flat is dead (below a tenth of its median)."""
    level = float(np.nanmedian(flat))
    if not level > 0:
        raise DataError(
            f"the flat's median is {level:g} after its dark: it holds no light. Check that flat "
            "and dark are not swapped."
        )
    with np.errstate(invalid="ignore"):
        alive = flat > SMALLEST_FLAT * level
    if not alive.any():
        raise DataError("no pixel of the flat is alive.")
    mean = float(flat[alive].mean())
    return np.where(alive, mean / np.where(alive, flat, 1.0), np.nan)


def repair_pixels(image: Image, bad: NDArray[np.bool_], name: str) -> Image:
    """Return the image with bad pixels replaced by the median of the good ones around them.

    The neighbourhood grows from 3 x 3 until it holds a good pixel. More than 1 % bad: `DataError`.
    """
    share = float(bad.mean())
    if share > LARGEST_BAD_FRACTION:
        raise DataError(
            f"{name}: {share:.1%} of the pixels are bad (NaN, or dead in the flat); at most "
            f"{LARGEST_BAD_FRACTION:.0%} can be repaired. Check dark and flat."
        )
    repaired = np.array(image, dtype=np.float64)
    for row, column in np.argwhere(bad):
        for reach in range(1, max(image.shape)):
            near = (
                slice(max(row - reach, 0), row + reach + 1),
                slice(max(column - reach, 0), column + reach + 1),
            )
            if not bad[near].all():
                repaired[row, column] = np.median(image[near][~bad[near]])
                break
    return repaired
