"""Two-dimensional kernels from radial transfer functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from scintscope.errors import InputError
from scintscope.forward.plane import Plane, pixel_transfer
from scintscope.grids import Grid

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

_TABLE_NODES = 1 << 17
"""Nodes of the dense table that a curve is read from: linear interpolation between them is off by
(2 pi R df)^2 / 8 < 1e-5 for blur radii R up to 100 um and 2 cycles/um."""


@dataclass(frozen=True, slots=True)
class DenseCurve:
    """A radial curve made ready for reading.

    Parameters
    ----------
    top_cy_per_um : float
        Zero from there on.
    spline : callable
        The curve itself.
    table : (T,) complex64 array or None
        Values, and as imaginary parts the steps to the next; None in float64.
    """

    top_cy_per_um: float
    spline: Callable[[Array], Array]
    table: NDArray[np.complex64] | None


@lru_cache(maxsize=2)
def table_positions(grid: Grid, top_cy_per_um: float) -> tuple[NDArray[np.int32], Float32]:
    """Return where each frequency of the upper half of a transform lies in the dense table."""
    row2 = grid.row_frequency_cy_per_um[: grid.shape[0] // 2 + 1] ** 2
    column2 = grid.column_frequency_cy_per_um**2
    position = np.sqrt(row2[:, None] + column2[None, :]) * ((_TABLE_NODES - 1) / top_cy_per_um)
    np.minimum(position, _TABLE_NODES, out=position)
    index = position.astype(np.int32)
    return index, (position - index).astype(np.float32)


def dense_curve(tabulated_cy_per_um: Array, values: Array, dtype: Any) -> DenseCurve:
    """Return a curve ready for reading in a precision.

    Parameters
    ----------
    tabulated_cy_per_um : (F,) array
        Ascending from 0; the curve is zero beyond the last.
    values : (F,) array
        The curve.
    dtype
        float32 reads a dense table linearly, float64 the spline.
    """
    spline = CubicSpline(tabulated_cy_per_um, values, bc_type=((1, 0.0), "not-a-knot"))
    top = float(tabulated_cy_per_um[-1])
    if np.dtype(dtype) != np.float32:
        return DenseCurve(top, spline, None)
    dense = np.zeros(_TABLE_NODES + 1)
    dense[:_TABLE_NODES] = spline(np.linspace(0.0, top, _TABLE_NODES))
    dense[_TABLE_NODES - 1] = 0.0
    table = np.zeros(_TABLE_NODES + 1, dtype=np.complex64)
    table.real = dense
    table.imag[:-1] = np.diff(dense)
    return DenseCurve(top, spline, table)


def read_dense(dense: DenseCurve, index: NDArray[np.int32], share: Float32) -> Float32:
    """Return the curve at places of its table (`table_positions`)."""
    if dense.table is None:
        raise InputError("this curve was made for float64: read its spline.")
    found = np.take(dense.table, index)
    return np.asarray(found.real + share * found.imag)


def radial_kernel(
    grid: Grid, tabulated_cy_per_um: Array, values: Array, dtype: Any = np.float32
) -> NDArray[Any]:
    """Return radial curves on the frequencies of a 2-D real transform.

    The curve is splined onto a dense table and read from it linearly; in float64 the spline itself
    is evaluated at every frequency.

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
    dense = dense_curve(tabulated_cy_per_um, values, dtype)
    rows = grid.shape[0]
    kernel = np.empty((rows, grid.shape[1] // 2 + 1), dtype=dtype)
    upper = rows // 2 + 1
    if dense.table is not None:
        kernel[:upper] = read_dense(dense, *table_positions(grid, dense.top_cy_per_um))
    else:
        row2 = grid.row_frequency_cy_per_um[:upper] ** 2
        f = np.sqrt(row2[:, None] + grid.column_frequency_cy_per_um**2)
        top = dense.top_cy_per_um
        kernel[:upper] = np.where(f < top, dense.spline(np.minimum(f, top)), 0.0)
    mirrored = np.arange(upper, rows)
    kernel[mirrored] = kernel[rows - mirrored]
    return kernel


def camera_kernel(
    plane: Plane,
    tabulated_cy_per_um: Array,
    values: Array,
    dtype: Any = np.float32,
    area_means: bool = True,
) -> NDArray[Any]:
    """Return a radial curve times the pixel's aperture on the fine grid's frequencies.

    ``area_means`` tells what it will act on; see `plane.pixel_transfer`.
    """
    kernel = radial_kernel(plane.fine, tabulated_cy_per_um, values, dtype)
    row, column = pixel_transfer(plane, area_means)
    kernel *= row[:, None].astype(dtype)
    kernel *= column[None, :].astype(dtype)
    return kernel


def gaussian_kernel(grid: Grid, sigma_um: float, dtype: Any = np.float32) -> NDArray[Any]:
    """Return the transfer of a Gaussian blur, exp(-2 pi^2 sigma^2 f^2), separable."""
    row = np.exp(-2.0 * (np.pi * sigma_um * grid.row_frequency_cy_per_um) ** 2)
    column = np.exp(-2.0 * (np.pi * sigma_um * grid.column_frequency_cy_per_um) ** 2)
    return np.asarray(row[:, None].astype(dtype) * column[None, :].astype(dtype))
