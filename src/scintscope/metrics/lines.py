"""Contrast of line-pair patterns: the contrast transfer function from a bar profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scintscope.errors import SamplingError, check_choice, check_range
from scintscope.metrics.checks import Float64Array, as_image, check_pixel_um

HIGHEST_HARMONIC = 5
_PHASES = 720


@dataclass(frozen=True, kw_only=True, slots=True)
class BarModulation:
    """Contrast of a pattern of equal lines and gaps.

    Parameters
    ----------
    frequency_cy_per_um : float
        Line pairs per um.
    modulation : float or None
        (high - low) / (high + low) of the fitted periodic profile; None unless high + low > 0
        (a background-subtracted image has no absolute zero).
    contrast_transfer : float or None
        (high - low) / ``full_swing``; None if that was not given.
    fundamental_transfer : float or None
        Amplitude of the fundamental over that of a square wave of ``full_swing``
        (2 / pi x full_swing): the MTF at the frequency. None if the swing was not given.
    high, low : float
        Extremes of the fitted periodic profile, grey values.
    residual_rms : float
        Root mean square difference of profile and fit, grey values.
    harmonics : int
        Highest harmonic in the fit.
    """

    frequency_cy_per_um: float
    modulation: float | None
    contrast_transfer: float | None
    fundamental_transfer: float | None
    high: float
    low: float
    residual_rms: float
    harmonics: int


def bar_profile(region: ArrayLike, *, lines: str = "vertical") -> Float64Array:
    """Return the mean profile across parallel lines.

    Parameters
    ----------
    region : (M, N) float array
        A region inside the pattern, lines parallel to an axis.
    lines : {"vertical", "horizontal"}
        Lines along the columns' direction (profile over column index), or along the rows'.

    Returns
    -------
    (N,) or (M,) float array

    Raises
    ------
    DataError
        No finite two-dimensional region.
    InputError
        Another direction.
    """
    array = as_image("region", region)
    check_choice("lines", lines, ("vertical", "horizontal"))
    return np.asarray(array.mean(axis=0 if lines == "vertical" else 1))


def bar_modulation(
    region: ArrayLike,
    *,
    pixel_um: float,
    line_width_um: float,
    lines: str = "vertical",
    full_swing: float | None = None,
) -> BarModulation:
    """Return the contrast of a line-pair pattern of known line width.

    A Fourier series of the known period (constant and harmonics up to the fifth below the
    Nyquist frequency) is fitted to the mean profile by least squares; its extremes are the line's
    and the gap's level. Noise therefore does not raise the contrast as highest and lowest pixels
    would.

    Parameters
    ----------
    region : (M, N) float array
        A region inside the pattern, lines parallel to an axis, two periods or more.
    pixel_um : float
        Pixel pitch, um.
    line_width_um : float
        Width of a line, and of a gap: the period is twice this.
    lines : {"vertical", "horizontal"}
        Direction of the lines.
    full_swing : float, optional
        Grey-value difference of a large bright and a large dark area.

    Returns
    -------
    BarModulation

    Raises
    ------
    SamplingError
        A period of two pixels or less, or fewer than two periods in the region.
    DataError, InputError, RangeError
        Region, direction or numbers that cannot be used.

    Notes
    -----
    For a square wave CTF(f) = (4/pi) [M(f) - M(3f)/3 + M(5f)/5 - ...] (Coltman 1954, J. Opt. Soc.
    Am. 44, 468), at lines and gaps of equal width and with M falling fast enough that the extremes
    lie at their middles. The pixel is part of M.
    """
    profile = bar_profile(region, lines=lines)
    check_pixel_um(pixel_um)
    check_range("line_width_um", line_width_um, low=0.0, low_open=True, unit="um")
    if full_swing is not None:
        check_range("full_swing", full_swing, low=0.0, low_open=True)
    period_px = 2.0 * line_width_um / pixel_um
    harmonics = _harmonics(profile.size, period_px)
    terms = _series(np.arange(profile.size) / period_px, harmonics)
    coefficients = np.linalg.lstsq(terms, profile, rcond=None)[0]
    curve = _series(np.arange(_PHASES) / _PHASES, harmonics) @ coefficients
    high, low = float(curve.max()), float(curve.min())
    fundamental = float(np.hypot(coefficients[1], coefficients[2]))
    return BarModulation(
        frequency_cy_per_um=0.5 / line_width_um,
        modulation=(high - low) / (high + low) if high + low > 0.0 else None,
        contrast_transfer=None if full_swing is None else (high - low) / full_swing,
        fundamental_transfer=(
            None if full_swing is None else 0.5 * np.pi * fundamental / full_swing
        ),
        high=high,
        low=low,
        residual_rms=float(np.sqrt(np.mean((terms @ coefficients - profile) ** 2))),
        harmonics=harmonics,
    )


def _harmonics(count: int, period_px: float) -> int:
    """Return the number of harmonics to fit, or refuse a pattern that is not sampled."""
    if period_px <= 2.0:
        raise SamplingError(
            f"line_width_um: a period of {period_px:.3g} px is not sampled; more than 2 px are "
            "needed (the pattern aliases)."
        )
    if count < 2.0 * period_px:
        raise SamplingError(
            f"the region of {count} px across the lines holds {count / period_px:.2f} periods of "
            f"{period_px:.3g} px; at least 2 are needed."
        )
    # Below Nyquist, so two periods always hold more pixels than the fit has coefficients.
    return min(HIGHEST_HARMONIC, int(np.ceil(0.5 * period_px)) - 1)


def _series(phase: Float64Array, harmonics: int) -> Float64Array:
    """Return columns 1, cos 2 pi p, sin 2 pi p, cos 4 pi p, ... at phases in periods."""
    angle = 2.0 * np.pi * phase[:, None] * np.arange(1, harmonics + 1)
    pairs = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(phase.size, -1)
    return np.concatenate([np.ones((phase.size, 1)), pairs], axis=1)
