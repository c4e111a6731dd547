"""Point spread functions from the radial transfer functions of a plate's response."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from scintscope.response import DepthResponse, at_frequencies, mean_transfer
from scintscope.units import UM_PER_MM

Array = NDArray[np.float64]

_FREQUENCIES = 2400


def radial_psf(response: DepthResponse, transfer: Array, radius_um: Array) -> Array:
    """Return radial point spread functions, 1/um2.

    Parameters
    ----------
    response : DepthResponse
        Whose frequencies ``transfer`` is tabulated at.
    transfer : (D, F) or (F,) array
        Transfer functions.
    radius_um : (R,) array
        Radii at the object.

    Returns
    -------
    (D, R) or (R,) array

    Notes
    -----
    PSF(r) = 2 pi int T(f) J0(2 pi f r) f df (Bracewell 2000, The Fourier Transform and Its
    Applications, ch. 13), by the trapezoidal rule on a uniform grid.
    """
    table = response.frequency_cy_per_um
    f, rings = _rings(float(table[-1]), radius_um)
    return np.asarray(at_frequencies(f, table, transfer) @ rings)


def _rings(top_cy_per_um: float, radius_um: Array) -> tuple[Array, Array]:
    """Return frequencies, (F,), and 2 pi f J0(2 pi f r) df, (F, R)."""
    from scipy.special import j0

    f, step = np.linspace(0.0, top_cy_per_um, _FREQUENCIES, retstep=True)
    bessel = j0(2.0 * np.pi * np.outer(f, radius_um))
    return f, np.asarray((2.0 * np.pi * step * f)[:, None] * bessel)


def mean_psf(response: DepthResponse, radius_um: Array) -> Array:
    """Return the generalized PSF, sum_z k(z) PSF(z), of a plate, 1/um2, (R,)."""
    return radial_psf(response, mean_transfer(response), radius_um)


def mean_psfs(responses: Mapping[str, DepthResponse], radius_um: Array) -> dict[str, Array]:
    """Return `mean_psf` of several plates behind one lens; the Bessel functions are shared."""
    top = min(float(r.frequency_cy_per_um[-1]) for r in responses.values())
    f, rings = _rings(top, radius_um)
    return {
        name: np.asarray(at_frequencies(f, r.frequency_cy_per_um, mean_transfer(r)) @ rings)
        for name, r in responses.items()
    }


def share_per_um(response: DepthResponse, light: Array) -> Array:
    """Return k(z), 1/um, from light per um of depth and energy (`DepthResponse.light_per_um`).

    The same as `DepthResponse.k_per_um`, for light that is at hand already.
    """
    total = response.depth_weight_um @ response.energy_left[:, 0] * response.electrons_per_kev
    return np.asarray(light.sum(axis=0) / total)


def mean_depth_um(response: DepthResponse) -> float:
    """Return the mean depth at which the plate's light is made."""
    light = response.depth_weight_um * response.energy_left[:, 0]
    return float(light @ response.depth_um / light.sum())


def blur_slope(response: DepthResponse) -> float:
    """Return the blur radius per um of defocus inside the plate, tan of the cone's half angle."""
    sine = response.path.na / response.path.index
    return float(sine / np.sqrt(1.0 - sine**2))


def lp_per_mm(frequency_cy_per_um: Array | float) -> Array:
    """Return a frequency in line pairs per mm."""
    return np.asarray(frequency_cy_per_um) * UM_PER_MM
