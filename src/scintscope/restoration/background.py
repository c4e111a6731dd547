"""Taking the plate's own image off: subtraction for targets, division for specimens.

Both remove the plate's shading and defects, once. A chain uses one of the two on an image, never
both, and a camera flat must not hold the plate's shading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, check_choice
from scintscope.restoration.average import repair_pixels

Image = NDArray[np.floating[Any]]

SMALLEST_BACKGROUND = 0.05
"""A background pixel below this share of the background's median cannot be divided by."""

SHIFT_PERCENTILE = 0.1
"""``offset="shift"`` lifts this percentile (of 100) of the signal to zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackgroundReport:
    """What background removal did, for the report.

    Parameters
    ----------
    operation : {"subtract", "divide"}
    sign : int
        +1: background - sample (absorbing target); -1: sample - background; 0: a transmission.
    level_adu : float
        Mean of the background image, the unit of a subtracted signal.
    offset : float
        Constant added to make the signal non-negative, in units of ``level_adu``.
    negative_fraction : float
        Share of pixels that were negative before anything was done about it.
    clipped_fraction : float
        Share of pixels that were set to zero.
    clipped_signal : float
        Mean of what clipping added, in units of ``level_adu``.
    bad_pixels : int
        Pixels whose background was too dark to divide by; replaced by their surroundings.
    """

    operation: str
    sign: int
    level_adu: float
    offset: float
    negative_fraction: float
    clipped_fraction: float
    clipped_signal: float
    bad_pixels: int = 0


def background_level(background: Image, name: str) -> float:
    """Return the mean of a background image; `DataError` unless it is positive."""
    level = float(np.mean(background))
    if not level > 0:
        raise DataError(
            f"the mean of {name}'s background is {level:g} counts: it holds no light. Check that "
            "dark and background are not swapped."
        )
    return level


def subtract_background(
    sample: Image,
    background: Image,
    *,
    sign: str = "absorbing",
    offset: str = "clip",
    name: str = "target",
) -> tuple[Image, BackgroundReport]:
    """Return the signal of a target, (background - sample) / mean(background), made non-negative.

    Dividing by the background's mean *level* (one number) makes plates of unequal brightness
    comparable: the signal is the absorbed share of the plate's light, 1 - T up to its shading.

    Parameters
    ----------
    sample, background : (M, N) float arrays
        Corrected counts, aligned.
    sign : {"absorbing", "emitting"}
        ``emitting`` takes sample - background.
    offset : {"clip", "shift"}
        Richardson-Lucy needs non-negative data. ``clip`` sets negative values to zero. ``shift``
        adds one constant that lifts the 0.1 percentile to zero; the few values still below it are
        clipped.
    name : str
        What to call it in errors.

    Returns
    -------
    signal : (M, N) float64 array, >= 0, in units of the background's mean
    report : BackgroundReport

    Raises
    ------
    DataError
        Shapes differ, no light in the background, sample and background identical, or the signal
        has the other sign almost everywhere.
    """
    _check_pair(sample, background, name)
    check_choice("sign", sign, ("absorbing", "emitting"))
    level = background_level(background, name)
    factor = 1 if sign == "absorbing" else -1
    signal = factor * (background - sample) / level
    return _finish_signal(signal, "subtract", factor, level, offset, name, 0)


def absorbed_fraction(
    sample: Image,
    background: Image,
    *,
    sign: str = "absorbing",
    offset: str = "clip",
    name: str = "target",
) -> tuple[Image, BackgroundReport]:
    """Return 1 - sample / background, made non-negative: a target's signal without shading.

    Parameters, returns and errors as in `subtract_background`; pixels whose background is too dark
    to divide by are repaired and counted.
    """
    ratio, report = divide_background(sample, background, name=name)
    check_choice("sign", sign, ("absorbing", "emitting"))
    factor = 1 if sign == "absorbing" else -1
    signal = factor * (1.0 - ratio)
    return _finish_signal(
        signal, "divide", factor, report.level_adu, offset, name, report.bad_pixels
    )


def divide_background(
    sample: Image, background: Image, *, name: str = "specimen"
) -> tuple[Image, BackgroundReport]:
    """Return sample / background, a transmission near 1 outside the specimen.

    Parameters
    ----------
    sample, background : (M, N) float arrays
        Corrected counts, aligned.
    name : str
        What to call it in errors.

    Returns
    -------
    transmission : (M, N) float64 array
        May be negative where the counts are below the dark level; the report gives the share.
    report : BackgroundReport

    Raises
    ------
    DataError
        Shapes differ, no light in the background, sample and background identical, or more than
        1 % of the background too dark (below 5 % of its median).
    """
    _check_pair(sample, background, name)
    level = background_level(background, name)
    dark = background <= SMALLEST_BACKGROUND * float(np.median(background))
    ratio: Image = sample / np.where(dark, 1.0, background)
    ratio = repair_pixels(ratio, dark, f"{name}'s background") if dark.any() else ratio
    report = BackgroundReport(
        operation="divide",
        sign=0,
        level_adu=level,
        offset=0.0,
        negative_fraction=float((ratio < 0).mean()),
        clipped_fraction=0.0,
        clipped_signal=0.0,
        bad_pixels=int(dark.sum()),
    )
    return ratio, report


def clip_negative(image: Image) -> tuple[Image, float]:
    """Return the image with negative values set to zero, and their share."""
    negative = image < 0
    return np.where(negative, 0.0, image), float(negative.mean())


def _check_pair(sample: Image, background: Image, name: str) -> None:
    if sample.shape != background.shape:
        raise DataError(
            f"{name}: the sample is {sample.shape} but its background is {background.shape}."
        )
    if np.array_equal(sample, background):
        raise DataError(
            f"{name}: sample and background are the same image, so no signal is left. Give a "
            "background taken without the sample."
        )


def _finish_signal(
    signal: Image, operation: str, sign: int, level: float, offset: str, name: str, bad: int
) -> tuple[Image, BackgroundReport]:
    """Return the signal made non-negative by the stated policy, and the report."""
    check_choice("offset", offset, ("clip", "shift"))
    negative = float((signal < 0).mean())
    low, high = np.percentile(signal, [SHIFT_PERCENTILE, 100.0 - SHIFT_PERCENTILE])
    if high <= 0 or (float(signal.sum()) < 0 and -low > 2.0 * high):
        raise DataError(
            f"{name}: the signal is negative where it is strong. Sample and background may be "
            'swapped, or target_sign should be "emitting" / "absorbing" instead.'
        )
    lift = float(max(-low, 0.0)) if offset == "shift" else 0.0
    lifted = signal + lift
    kept, clipped = clip_negative(lifted)
    report = BackgroundReport(
        operation=operation,
        sign=sign,
        level_adu=level,
        offset=lift,
        negative_fraction=negative,
        clipped_fraction=clipped,
        clipped_signal=float((kept - lifted).mean()),
        bad_pixels=bad,
    )
    return kept, report
