"""Tolerances to defocus in closed form or by root finding: where contrast dies, Strehl falls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath, rms_waves

Array = NDArray[np.float64]

_STEPS = 64
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_RHO2, _PUPIL_WEIGHT = 0.5 * (1.0 + _NODES), 0.5 * _WEIGHTS


def contrast_at_um(
    defocus_um: Any, frequency_cy_per_um: float, na: float, wavelength_um: float, index: float
) -> Array:
    """Return H(f) at several depths from the focus, lens corrected at the focal depth."""
    path = OpticalPath(na=na, index=index, wavelength_um=wavelength_um)
    depths = np.atleast_1d(np.asarray(defocus_um, dtype=np.float64))
    return np.asarray(otf(np.array([frequency_cy_per_um]), depths, 0.0, path)[:, 0])


def first_crossing_um(
    level: float, frequency_cy_per_um: float, na: float, wavelength_um: float, index: float
) -> float | None:
    """Return the least defocus at which H(f) falls to ``level``; None if it starts below.

    Exact pupil phase W = z (n - sqrt(n^2 - p^2)); level 0 is the first contrast zero.
    """
    start = float(contrast_at_um(0.0, frequency_cy_per_um, na, wavelength_um, index)[0])
    if start <= level or frequency_cy_per_um >= 2.0 * na / wavelength_um:
        return None
    step = 0.05 * wavelength_um / (index - np.sqrt(index**2 - na**2))
    low = 0.0
    while True:
        z = low + step * np.arange(1, _STEPS + 1)
        values = contrast_at_um(z, frequency_cy_per_um, na, wavelength_um, index)
        below = np.flatnonzero(values <= level)
        if below.size:
            high = float(z[below[0]])
            break
        low = float(z[-1])
    return float(
        brentq(
            lambda d: (
                float(contrast_at_um(d, frequency_cy_per_um, na, wavelength_um, index)[0]) - level
            ),
            high - step,
            high,
            xtol=1e-6,
        )
    )


def rayleigh_half_depth_um(na: float, wavelength_um: float, index: float) -> float:
    """Return the defocus of a quarter wave between pupil centre and edge.

    z (n - sqrt(n^2 - NA^2)) = lambda / 4 (Born and Wolf 1999, section 8.8).
    """
    return 0.25 * wavelength_um / (index - float(np.sqrt(index**2 - na**2)))


def strehl_ratio(defocus_um: float, na: float, wavelength_um: float, index: float) -> float:
    """Return the peak of the defocused PSF over the perfect one, |mean exp(i 2 pi W / lambda)|^2.

    W = z (n - sqrt(n^2 - p^2)), the mean over the pupil's area (Born and Wolf 1999, section 9.1).
    """
    phase = 2.0 * np.pi * defocus_um * (index - np.sqrt(index**2 - na**2 * _RHO2)) / wavelength_um
    return float(np.abs(_PUPIL_WEIGHT @ np.exp(1j * phase)) ** 2)


def strehl_half_depth_um(na: float, wavelength_um: float, index: float, strehl: float) -> float:
    """Return the least defocus at which `strehl_ratio` falls to ``strehl``, 0 < strehl < 1."""
    guess = strehl_half_depth_mahajan_um(na, wavelength_um, index, strehl)
    high = wavelength_um / (index - float(np.sqrt(index**2 - na**2)))  # first zero, nearly
    return float(
        brentq(
            lambda z: strehl_ratio(z, na, wavelength_um, index) - strehl,
            0.0,
            min(1.5 * guess, high),
            xtol=1e-9,
        )
    )


def strehl_half_depth_mahajan_um(
    na: float, wavelength_um: float, index: float, strehl: float
) -> float:
    """Return the defocus at which exp(-(2 pi rms)^2) falls to ``strehl``.

    Mahajan 1983, J. Opt. Soc. Am. 73, 860; the rms is linear in defocus. At 0.8 it is 1 % deeper
    than the exact depth.
    """
    path = OpticalPath(na=na, index=index, wavelength_um=wavelength_um)
    per_um = float(rms_waves(1.0, 0.0, path))
    return float(np.sqrt(-np.log(strehl)) / (2.0 * np.pi * per_um))


def geometric_disc_um(defocus_um: float, na: float, index: float = 1.0) -> float:
    """Return the diameter of the blur disc 2 z tan(theta), sin(theta) = NA / n.

    Zhou et al. 2025 use n = 1 inside the plate; refraction makes it about n times smaller.
    """
    sine = na / index
    return 2.0 * defocus_um * sine / float(np.sqrt(1.0 - sine**2))
