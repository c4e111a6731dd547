r"""Sum over the emission band, with the dispersion of the plate and the lens's axial colour.

.. math:: h = \sum_j w_j\, h(\lambda_j, n(\lambda_j), a + c(\lambda_j)) / \sum_j w_j

(incoherent: intensities and transfer functions add; Goodman 2005, section 7.1). n is the plate's
index and c the lens's axial colour: how far further from the lens than at the reference it focuses
in air at that wavelength, um, object side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, InputError
from scintscope.jax64 import namespace

Array = NDArray[np.float64]

Engine = Callable[[Any, Any, Any], Any]
"""engine(wavelength_um, index, focus_shift_um) -> array: a PSF or transfer function."""


def band_average(
    engine: Engine,
    wavelengths_um: Any,
    weights: Any,
    index_at: Callable[[float], Any] | float,
    axial_colour_um: Callable[[float], Any] | Any = 0.0,
) -> Any:
    """Return the weighted mean of an engine over wavelengths (module equation).

    Parameters
    ----------
    engine : callable
        ``engine(wavelength_um, index, focus_shift_um)`` returns an array of the same shape and
        sampling at every wavelength, such as ``lambda w, n, c: radial_psf(r, s, a + c,
        OpticalPath(na=0.4, index=n, wavelength_um=w))``.
    wavelengths_um : (K,) array
        Of the band.
    weights : (K,) array
        Light collected at each, in photons, quadrature weights included; any scale.
    index_at : callable or float
        n(wavelength_um) of the plate.
    axial_colour_um : callable, (K,) array or float
        c(wavelength_um), stage travel that refocuses the lens at that wavelength.

    Returns
    -------
    array
        Unit integral (or H(0) = 1) if the engine's have it.

    Raises
    ------
    DataError
        Shapes that do not match, weights that are negative or all zero.
    """
    waves = np.atleast_1d(np.asarray(wavelengths_um, dtype=np.float64))
    xp = namespace(weights)
    share = xp.atleast_1d(xp.asarray(weights, dtype=np.float64))
    if waves.ndim != 1 or share.shape != waves.shape:
        raise DataError(
            f"weights of shape {share.shape} do not match wavelengths of shape {waves.shape}."
        )
    if xp is np and not (np.isfinite(share).all() and (share >= 0.0).all() and share.sum() > 0.0):
        raise DataError("weights of an emission band are finite, not negative and not all zero.")
    if (waves <= 0.1).any() or (waves >= 20.0).any():
        raise InputError(f"wavelengths_um of {waves.min():g} to {waves.max():g}: give micrometres.")
    colour = _colour(axial_colour_um, waves)
    total: Any = 0.0
    for wave, part, shift in zip(waves, share / share.sum(), colour, strict=True):
        index = index_at(float(wave)) if callable(index_at) else index_at
        total = total + part * engine(float(wave), index, shift)
    return total


def _colour(axial_colour_um: Callable[[float], Any] | Any, waves: Array) -> list[Any]:
    if callable(axial_colour_um):
        return [axial_colour_um(float(wave)) for wave in waves]
    values = np.asarray(axial_colour_um, dtype=np.float64)
    if values.ndim and values.shape != waves.shape:
        raise DataError(
            f"axial_colour_um of shape {values.shape} does not match wavelengths of shape "
            f"{waves.shape}."
        )
    return list(np.broadcast_to(values, waves.shape))


def band_nodes(wavelengths_um: Any, density: Any, count: int) -> tuple[Array, Array]:
    """Return quadrature wavelengths and weights of a tabulated band.

    Gauss nodes of the band's own density, so that polynomials in the wavelength up to degree
    2 count - 1 are summed exactly for the piecewise linear density (Golub and Welsch 1969, Math.
    Comput. 23, 221, by the discretised Stieltjes procedure).

    Parameters
    ----------
    wavelengths_um, density : (K,) array
        Ascending wavelengths, light per um of wavelength, any scale.
    count : int
        Nodes, 1 to 64.

    Returns
    -------
    nodes_um, weights : (count,) array
        Weights sum to 1.

    Raises
    ------
    DataError
        Wavelengths not ascending, or a density negative or zero throughout.
    """
    waves, light = (np.asarray(v, dtype=np.float64) for v in (wavelengths_um, density))
    if (
        waves.ndim != 1
        or waves.size < 2
        or waves.shape != light.shape
        or (np.diff(waves) <= 0).any()
    ):
        raise DataError("an emission band is given on at least two ascending wavelengths.")
    if (light < 0.0).any() or light.max() <= 0.0:
        raise DataError("the density of an emission band is not negative and not all zero.")
    if not 1 <= count <= 64:
        raise InputError(f"count = {count}: 1 to 64 wavelengths.")
    unit, share = np.polynomial.legendre.leggauss(count + 2)
    middle, half = 0.5 * (waves[1:] + waves[:-1]), 0.5 * np.diff(waves)
    fine = (middle[:, None] + half[:, None] * unit[None, :]).ravel()
    measure = (half[:, None] * share[None, :]).ravel() * np.interp(fine, waves, light)
    return _gauss(fine, measure / measure.sum(), count)


def fewer_lines(wavelengths_um: Any, weights: Any, count: int) -> tuple[Array, Array]:
    """Return a few wavelengths that stand for a band of many lines.

    The Gauss rule of the lines themselves: moments of the wavelength up to 2 count - 1 are kept.
    For bands that come as lines with their share of the photons.

    Parameters
    ----------
    wavelengths_um, weights : (K,) array
        Lines and their light, any scale.
    count : int
        Lines wanted, 1 to 64; a band with no more lines than that is returned as it is.

    Returns
    -------
    nodes_um, weights : (count,) array
        Weights sum to 1.

    Raises
    ------
    DataError
        Shapes that do not match, weights that are negative or all zero.
    """
    waves, light = (np.asarray(v, dtype=np.float64) for v in (wavelengths_um, weights))
    if waves.ndim != 1 or waves.shape != light.shape or (light < 0.0).any() or light.sum() <= 0.0:
        raise DataError("lines and weights match; weights are not negative and not all zero.")
    if not 1 <= count <= 64:
        raise InputError(f"count = {count}: 1 to 64 wavelengths.")
    lit = light > 0.0
    waves, light = waves[lit], light[lit] / light.sum()
    if np.unique(waves).size <= count:
        return waves, light
    return _gauss(waves, light, count)


def _gauss(points: Array, measure: Array, count: int) -> tuple[Array, Array]:
    """Return the Gauss rule of a discrete measure from its Jacobi matrix."""
    centre = float(measure @ points)
    scale = float(np.ptp(points)) or 1.0
    x = (points - centre) / scale
    diagonal, off = np.zeros(count), np.zeros(count)
    before, now = np.zeros_like(x), np.ones_like(x)
    last: Any = 0.0
    for k in range(count):
        norm = np.sqrt(measure @ now**2)
        now = now / norm
        off[k] = norm
        diagonal[k] = measure @ (x * now**2)
        last = norm if k else 0.0
        before, now = now, (x - diagonal[k]) * now - last * before
    matrix = np.diag(diagonal) + np.diag(off[1:], 1) + np.diag(off[1:], -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return centre + scale * nodes, vectors[0] ** 2
