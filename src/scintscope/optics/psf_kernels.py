r"""Square-pixel kernels of many depths from one radial table.

The PSF has no frequency above f_c = 2 NA / lambda. Sampled along the radius M times finer than its
Nyquist distance, h = 1 / (2 f_c M), the interpolating quintic spline errs by at most 1.27 M^-6 of
the peak (Favard's constant and Bernstein's inequality: de Boor 1978, A Practical Guide to Splines,
ch. 12). The mean over a square pixel - in frequency the factor sinc(f_x w) sinc(f_y w) - is a
Gauss-Legendre sum in it. Both are linear: one sparse matrix (pixels of an octant x spline
coefficients), shared by all depths, takes the radial table to all kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError, SamplingError, check_range
from scintscope.optics.psf_radial import radial_psf
from scintscope.optics.pupil import SCALAR, Pupil, with_aberrations
from scintscope.optics.radial_nodes import TOLERANCE, radial_nodes
from scintscope.optics.wavefront import OpticalPath

Array = NDArray[np.float64]

_DEGREE = 5
_MARGIN = 24
"""Samples beyond both ends of the radial table: a spline's end effects fall by 0.43 per sample."""
_PIXEL_ERROR = 1e-7
_FAVARD = 1.27


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelStack:
    """Kernels on a camera's pixels, one per depth.

    Parameters
    ----------
    kernels : (D, rows, columns) array
        Share of the emitter's light in each pixel; the emitter at [rows // 2, columns // 2].
    energy_outside : (D,) array
        1 - sum of each kernel: the light that falls outside the window. Never renormalised.
    error_bound : (D,) array
        Bound of the error of a pixel, over the largest radial value of that plane.
    nodes : int
        Of the pupil.
    """

    kernels: NDArray[Any]
    energy_outside: Array
    error_bound: Array
    nodes: int


def psf_stack(
    depth_below_exit_um: Any,
    travel_um: Any,
    path: OpticalPath,
    *,
    pixel_um: float,
    shape: tuple[int, int] = (255, 255),
    aperture_um: float | None = None,
    pupil: Pupil = SCALAR,
    samples_per_nyquist: int = 8,
    dtype: Any = np.float64,
) -> KernelStack:
    """Return the kernels of emitters at several depths on square pixels.

    Parameters
    ----------
    depth_below_exit_um : (D,) array
        s of the emitters.
    travel_um : float or (D,) array
        Stage travel a.
    path : OpticalPath
        Lens and layers.
    pixel_um : float
        Pitch, object side.
    shape : (int, int)
        Rows and columns of the kernels.
    aperture_um : float, optional
        Side of the light-sensitive square; None: the pitch. 0: point samples times the area of
        the pitch, for those who apply the aperture's sinc to the transfer function.
    pupil : Pupil
        Scalar or vectorial, axially symmetric aberrations.
    samples_per_nyquist : int
        M of the module, 4 to 32.
    dtype
        Of the kernels.

    Returns
    -------
    KernelStack

    Raises
    ------
    SamplingError
        Point samples on a pitch above lambda / (4 NA), which would alias.
    InputError
        As in `psf_radial.radial_psf`.
    """
    check_range("pixel_um", pixel_um, low=0.0, low_open=True, unit="um")
    check_range("samples_per_nyquist", samples_per_nyquist, low=4, high=32)
    side = pixel_um if aperture_um is None else aperture_um
    check_range("aperture_um", side, low=0.0, high=pixel_um, unit="um")
    if min(shape) < 1:
        raise InputError(f"shape = {shape}: a kernel has at least one row and one column.")
    cutoff = path.cutoff_cy_per_um
    if side == 0.0:
        require_nyquist(pixel_um, path)
    layout = _layout(shape, pixel_um, side, cutoff, int(samples_per_nyquist))
    table, nodes, bound = _radial_table(
        layout, depth_below_exit_um, travel_um, path, pupil, int(samples_per_nyquist)
    )
    octant = layout.matrix @ _spline_coefficients(table)
    kernels = _spread(octant, layout.places, shape, dtype)
    inside = layout.multiplicity @ octant
    return KernelStack(kernels=kernels, energy_outside=1.0 - inside, error_bound=bound, nodes=nodes)


def require_nyquist(pixel_um: float, path: OpticalPath) -> None:
    """Refuse a pitch above lambda / (4 NA), half a period of the cut-off.

    Raises
    ------
    SamplingError
        Naming pitch and limit.
    """
    limit = 0.5 / path.cutoff_cy_per_um
    if pixel_um > limit * (1.0 + 1e-12):
        raise SamplingError(
            f"pixel_um = {pixel_um:g} undersamples: point samples of this PSF need at most "
            f"lambda / (4 NA) = {limit:.4g} um. Use smaller pixels or keep the aperture on."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """Sparse map from spline coefficients to the octant's pixels, and where these go."""

    matrix: Any
    places: NDArray[np.int64]
    multiplicity: Array
    step_um: float
    count: int


@lru_cache(maxsize=4)
def _layout(
    shape: tuple[int, int], pixel_um: float, side_um: float, cutoff: float, fineness: int
) -> _Layout:
    from scipy.interpolate import BSpline
    from scipy.sparse import csr_array

    row, column = (np.abs(np.arange(n) - n // 2) for n in shape)
    high = np.maximum(row[:, None], column[None, :])
    low = np.minimum(row[:, None], column[None, :])
    key, places = np.unique(high * (high.max() + 1) + low, return_inverse=True)
    near, far = (np.asarray(v) for v in np.divmod(key, high.max() + 1))
    x, y, weight = _pixel_points(side_um, cutoff)
    radius = np.hypot(
        near[:, None] * pixel_um + x[None, :], far[:, None] * pixel_um + y[None, :]
    ).ravel()
    step = 0.5 / (cutoff * fineness)
    count = int(np.ceil(radius.max() / step)) + 1 + _MARGIN
    design = BSpline.design_matrix(radius, _knots(step, count), _DEGREE)
    pointer = np.arange(key.size + 1) * weight.size
    mean = csr_array((np.tile(weight, key.size), np.arange(radius.size), pointer))
    return _Layout(
        matrix=(mean @ design) * pixel_um**2,
        places=places.reshape(shape),
        multiplicity=np.bincount(places.ravel()).astype(np.float64),
        step_um=step,
        count=count,
    )


def _knots(step_um: float, count: int) -> Array:
    """Return the knots of a quintic interpolant of samples -_MARGIN ... count - 1, not-a-knot."""
    samples = step_um * np.arange(-_MARGIN, count)
    drop = (_DEGREE + 1) // 2
    ends = np.repeat(samples[[0, -1]], _DEGREE + 1).reshape(2, -1)
    return np.concatenate([ends[0], samples[drop:-drop], ends[1]])


def _pixel_points(side_um: float, cutoff: float) -> tuple[Array, Array, Array]:
    """Return points and weights of the mean over a pixel; nodes by Gauss-Legendre's error term."""
    if side_um == 0.0:
        return np.zeros(1), np.zeros(1), np.ones(1)
    omega = np.pi * cutoff * side_um
    count = 2
    while (
        omega ** (2 * count)
        * 2.0 ** (2 * count)
        * factorial(count) ** 4
        / ((2 * count + 1) * factorial(2 * count) ** 3)
        > _PIXEL_ERROR
    ):
        count += 1
    nodes, weights = np.polynomial.legendre.leggauss(count)
    x, y = np.meshgrid(0.5 * side_um * nodes, 0.5 * side_um * nodes)
    return x.ravel(), y.ravel(), (0.25 * np.outer(weights, weights)).ravel()


def _radial_table(
    layout: _Layout,
    depths_um: Any,
    travel_um: Any,
    path: OpticalPath,
    pupil: Pupil,
    fineness: int,
) -> tuple[Array, int, Array]:
    """Return the PSF at the spline's samples, (count + margin, D), the nodes and error bounds."""
    radius = layout.step_um * np.arange(layout.count)
    full = with_aberrations(path, pupil)
    nodes, delta = radial_nodes(radius[-1], depths_um, travel_um, full, pupil, TOLERANCE)
    values = radial_psf(radius, depths_um, travel_um, path, pupil=pupil, nodes=nodes).T
    table = np.concatenate([values[_MARGIN:0:-1], values])
    peak = values.max(axis=0)
    scale = (2.0 * np.pi * path.na / path.wavelength_um) ** 2 / np.pi / peak
    bound = 2.0 * delta * np.sqrt(scale) + delta**2 * scale
    return table, nodes, bound + _FAVARD * fineness**-6.0 + _PIXEL_ERROR


def _spline_coefficients(table: Array) -> Array:
    from scipy.interpolate import make_interp_spline

    step = np.arange(table.shape[0], dtype=np.float64)
    return np.asarray(make_interp_spline(step, table, k=_DEGREE, check_finite=False).c)


def _spread(
    octant: Array, places: NDArray[np.int64], shape: tuple[int, int], dtype: Any
) -> NDArray[Any]:
    """Return the kernels (D, rows, columns) from the values on the octant's pixels."""
    by_depth = np.ascontiguousarray(octant.T, dtype=dtype)
    kernels = np.empty((by_depth.shape[0], *shape), dtype=dtype)
    flat = places.ravel()
    for values, kernel in zip(by_depth, kernels, strict=True):
        np.take(values, flat, out=kernel.reshape(-1), mode="clip")
    return kernels
