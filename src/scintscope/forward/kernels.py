"""Two-dimensional kernels from radial transfer functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from scintscope.forward.plane import Plane, pixel_transfer
from scintscope.grids import Grid

Array = NDArray[np.float64]

_ROWS_AT_ONCE = 128


def radial_kernel(
    grid: Grid, tabulated_cy_per_um: Array, values: Array, dtype: Any = np.float32
) -> NDArray[Any]:
    """Return radial curves on the frequencies of a 2-D real transform.

    Parameters
    ----------
    grid : Grid
        Of the image.
    tabulated_cy_per_um : (F,) array
        Ascending from 0; the curves are zero beyond the last.
    values : (F,) array
        The curve.
    dtype
        Of the result.

    Returns
    -------
    (rows, columns // 2 + 1) array
    """
    spline = CubicSpline(tabulated_cy_per_um, values, bc_type=((1, 0.0), "not-a-knot"))
    top = float(tabulated_cy_per_um[-1])
    row2 = grid.row_frequency_cy_per_um**2
    column2 = grid.column_frequency_cy_per_um**2
    rows = grid.shape[0]
    kernel = np.empty((rows, column2.size), dtype=dtype)
    for part in _row_parts(rows // 2 + 1):
        f = np.sqrt(row2[part, None] + column2[None, :])
        kernel[part] = np.where(f < top, spline(np.minimum(f, top)), 0.0)
    mirrored = np.arange(rows // 2 + 1, rows)
    kernel[mirrored] = kernel[rows - mirrored]
    return kernel


def _row_parts(count: int) -> Iterator[slice]:
    for start in range(0, count, _ROWS_AT_ONCE):
        yield slice(start, min(start + _ROWS_AT_ONCE, count))


def camera_kernel(
    plane: Plane, tabulated_cy_per_um: Array, values: Array, dtype: Any = np.float32
) -> NDArray[Any]:
    """Return a radial curve times the pixel's aperture on the fine grid's frequencies."""
    kernel = radial_kernel(plane.fine, tabulated_cy_per_um, values, dtype)
    row, column = pixel_transfer(plane)
    kernel *= row[:, None].astype(dtype)
    kernel *= column[None, :].astype(dtype)
    return kernel


def gaussian_kernel(grid: Grid, sigma_um: float, dtype: Any = np.float32) -> NDArray[Any]:
    """Return the transfer of a Gaussian blur, exp(-2 pi^2 sigma^2 f^2), separable."""
    row = np.exp(-2.0 * (np.pi * sigma_um * grid.row_frequency_cy_per_um) ** 2)
    column = np.exp(-2.0 * (np.pi * sigma_um * grid.column_frequency_cy_per_um) ** 2)
    return np.asarray(row[:, None].astype(dtype) * column[None, :].astype(dtype))
