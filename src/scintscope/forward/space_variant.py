r"""Blur that differs over the field, as a few plain convolutions.

Light X(x) that leaves the field's place x is blurred by the transfer function T(f; x) of that
place. Expanded in products of a map and a kernel,

.. math:: T(f; x) = T_0(f) + u(f) + \sum_{m=0}^{M-1} a_m(x)\, u_m(f), \qquad
          \hat I(f) = (T_0 + u) \hat X + \sum_m u_m(f)\, \mathcal F\{a_m X\}(f)

costs one transform for each term (eigen-PSF: Flicker and Rigaut 2005, J. Opt. Soc. Am. A 22, 504;
Denis et al. 2015, Int. J. Comput. Vis. 115, 253). The maps and kernels are the singular vectors of
T - T_0 less its mean u over the field, sampled at Gauss-Legendre nodes and weighted with the
image's power: no other maps and kernels of that number leave less rms error in the image. T_0 is
the transfer function on the axis, kept exact on the full grid of frequencies; what is expanded has
no cusp at f = 0, so that its point spread is compact and its transfer function smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scintscope.forward.plane import transform
from scintscope.grids import Grid

Array = NDArray[np.float64]
Image = NDArray[Any]

_SPLINE_MARGIN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldNodes:
    """Gauss-Legendre nodes over the field, at which transfer functions are taken.

    Parameters
    ----------
    row_um, column_um : (m,), (n,) array
        Nodes.
    row_weight, column_weight : (m,), (n,) array
        Quadrature weights; each sums to 1.
    """

    row_um: Array
    column_um: Array
    row_weight: Array
    column_weight: Array

    @property
    def places(self) -> tuple[Array, Array, Array]:
        """Rows, columns and weights of all nodes, each (m n,)."""
        rows, columns = np.meshgrid(self.row_um, self.column_um, indexing="ij")
        weight = np.outer(self.row_weight, self.column_weight)
        return rows.ravel(), columns.ravel(), weight.ravel()


def field_nodes(grid: Grid, counts: tuple[int, int]) -> FieldNodes:
    """Return Gauss-Legendre nodes over a grid's whole extent."""
    parts = []
    for extent, count in zip(grid.extent_um, counts, strict=True):
        node, weight = np.polynomial.legendre.leggauss(count)
        parts.append((0.5 * extent * node, 0.5 * weight))
    (rows, row_weight), (columns, column_weight) = parts
    return FieldNodes(
        row_um=rows, column_um=columns, row_weight=row_weight, column_weight=column_weight
    )


def lagrange_matrix(nodes: Array, points: Array) -> Array:
    """Return the matrix that interpolates from Gauss-Legendre nodes to points, (points, nodes).

    Barycentric form (Berrut and Trefethen 2004, SIAM Rev. 46, 501, Eq. 4.2); one node is constant.
    """
    scale = max(float(np.ptp(nodes)), 1e-300)
    difference = (nodes[:, None] - nodes[None, :]) / scale * 4.0
    np.fill_diagonal(difference, 1.0)
    weight = 1.0 / difference.prod(axis=1)
    gap = points[:, None] - nodes[None, :]
    hit = gap == 0.0
    share = weight / np.where(hit, 1.0, gap)
    share = np.where(hit.any(axis=1)[:, None], hit, share)
    return np.asarray(share / share.sum(axis=1, keepdims=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class FrequencyTable:
    """A regular grid of frequencies, upper half plane of columns, coarser than an image's.

    Parameters
    ----------
    row_cy_per_um : (a,) array
        Ascending from below minus the top frequency to above it.
    column_cy_per_um : (b,) array
        Ascending from below zero, so that splines need no edge rule at zero.
    """

    row_cy_per_um: Array
    column_cy_per_um: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.row_cy_per_um.size, self.column_cy_per_um.size


def frequency_table(grid: Grid, spread_um: float, cutoff_cy_per_um: float) -> FrequencyTable:
    """Return a table fine enough for what spreads a point over ``spread_um`` (a radius).

    Ten samples a period 1 / spread: cubic splines through them are off by (2 pi / 10)^4 / 384 =
    4e-4 of the outermost light and less for the rest (de Boor 1978, A Practical Guide to Splines).
    """
    top = min(grid.nyquist_cy_per_um, cutoff_cy_per_um)
    step = 1.0 / (10.0 * spread_um)
    count = int(np.ceil(top / step))
    step = top / count
    last = count + _SPLINE_MARGIN
    return FrequencyTable(
        row_cy_per_um=step * np.arange(-last, last + 1.0),
        column_cy_per_um=step * np.arange(-_SPLINE_MARGIN, last + 1.0),
    )


def spline_matrix(table: Array, wanted: Array) -> sparse.csr_array:
    """Return the matrix of cubic B-splines on a regular table at wanted points, 0 outside."""
    step = table[1] - table[0]
    position = (wanted - table[0]) / step
    base = np.floor(position).astype(np.int64)
    t = position - base
    weights = np.stack(
        [
            (1.0 - t) ** 3 / 6.0,
            (3.0 * t**3 - 6.0 * t**2 + 4.0) / 6.0,
            (-3.0 * t**3 + 3.0 * t**2 + 3.0 * t + 1.0) / 6.0,
            t**3 / 6.0,
        ],
        axis=1,
    )
    index = base[:, None] + np.arange(-1, 3)[None, :]
    inside = (index >= 0) & (index < table.size)
    row = np.repeat(np.arange(wanted.size), 4).reshape(-1, 4)
    return sparse.csr_array(
        (weights[inside], (row[inside], index[inside])), shape=(wanted.size, table.size)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceVariantKernel:
    """The terms of a transfer function that differs over the field.

    Parameters
    ----------
    grid : Grid
        Of the images.
    nodes : FieldNodes
        Where the maps are given.
    maps : (M, m, n) array
        a_m at the nodes.
    table : FrequencyTable
        Where the kernels are given.
    mean : (a, b) complex array
        u.
    kernels : (M, a, b) complex array
        u_m.
    error : float
        Rms error expected of the image over its standard deviation: the singular values left out.
    """

    grid: Grid
    nodes: FieldNodes
    maps: Array
    table: FrequencyTable
    mean: NDArray[np.complex128]
    kernels: NDArray[np.complex128]
    error: float

    @property
    def terms(self) -> int:
        """M: transforms it costs beyond the plain convolution."""
        return int(self.maps.shape[0])

    def map_image(self, term: int, dtype: Any = np.float32) -> Image:
        """Return a_m on the whole grid."""
        down = lagrange_matrix(self.nodes.row_um, self.grid.row_um)
        across = lagrange_matrix(self.nodes.column_um, self.grid.column_um)
        return np.asarray((down @ self.maps[term]).astype(dtype) @ across.T.astype(dtype))

    def on_grid(self, values: NDArray[np.complex128], dtype: Any = np.complex64) -> Image:
        """Return a tabulated kernel on the frequencies of the grid's 2-D real transform."""
        from scipy.ndimage import spline_filter

        coefficients = spline_filter(values.real, order=3, mode="mirror") + 1j * spline_filter(
            values.imag, order=3, mode="mirror"
        )
        down = spline_matrix(self.table.row_cy_per_um, self.grid.row_frequency_cy_per_um)
        across = spline_matrix(self.table.column_cy_per_um, self.grid.column_frequency_cy_per_um)
        wide = np.ascontiguousarray(np.asarray(across @ coefficients.T).astype(dtype).T)
        return np.asarray(down.astype(np.zeros(0, dtype).real.dtype) @ wide)

    def added(self, image: Image, transformed: Image) -> Image:
        """Return u F{X} + sum_m u_m F{a_m X}: what the field adds to the plain T_0 F{X}.

        Parameters
        ----------
        image : (rows, columns) array
            X, float32 or float64, on the grid.
        transformed : (rows, columns // 2 + 1) complex array
            Its 2-D real transform.

        Returns
        -------
        (rows, columns // 2 + 1) complex array
        """
        total = transformed * self.on_grid(self.mean, transformed.dtype)
        for m in range(self.terms):
            part = transform(image * self.map_image(m, image.dtype))
            part *= self.on_grid(self.kernels[m], part.dtype)
            total += part
        return np.asarray(total)


@dataclass(frozen=True, kw_only=True, slots=True)
class Products:
    """A table of samples as mean + sum of products: maps over places times rows of numbers.

    Parameters
    ----------
    mean : (C,) array
    maps : (M, S) array
    kernels : (M, C) array
    strength : (M,) array
        Root of the weighted squares of each product, descending.
    error : float
        Root of the weighted squares of what is left out.
    """

    mean: Array
    maps: Array
    kernels: Array
    strength: Array
    error: float

    def first(self, count: int) -> Products:
        """Return the strongest products only."""
        lost = np.sum(self.strength[count:] ** 2)
        return Products(
            mean=self.mean,
            maps=self.maps[:count],
            kernels=self.kernels[:count],
            strength=self.strength[:count],
            error=float(np.sqrt(self.error**2 + lost)),
        )


def products(
    samples: Array, place_weight: Array, column_weight: Array, permitted: float
) -> Products:
    """Return the fewest products whose sum leaves a weighted rms error below a limit.

    Parameters
    ----------
    samples : (S, C) array
        Values at S places; C real numbers each.
    place_weight, column_weight : (S,), (C,) array
        Weights of squared errors; those of the places sum to 1.
    permitted : float
        Largest root of the sum of weighted squared errors.
    """
    mean = place_weight @ samples
    rest = samples - mean
    left = np.sqrt(place_weight)
    scaled = rest * left[:, None] * np.sqrt(column_weight)[None, :]
    values, vectors = np.linalg.eigh(scaled @ scaled.T)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    found = Products(
        mean=np.asarray(mean),
        maps=np.asarray((vectors / left[:, None]).T),
        kernels=np.asarray((vectors * left[:, None]).T @ rest),
        strength=np.sqrt(values),
        error=0.0,
    )
    return fewest((found,), max(permitted, 1e-7 * float(np.sqrt(values.sum()))))[0]


def fewest(candidates: tuple[Products, ...], permitted: float) -> tuple[Products, ...]:
    """Return tables of products cut so that their squared errors together stay below a limit.

    The weakest products of all go first, which leaves the fewest.
    """
    before = sum(c.error**2 for c in candidates)
    squares = np.sort(np.concatenate([c.strength**2 for c in candidates]))
    lost = before + np.cumsum(squares)
    gone = int(np.searchsorted(lost, permitted**2, side="right"))
    level = squares[gone - 1] if gone else -1.0
    return tuple(c.first(int(np.sum(c.strength**2 > level))) for c in candidates)


def from_function(
    otf_difference: Callable[[float, float, Array, Array], NDArray[np.complex128]],
    grid: Grid,
    counts: tuple[int, int],
    table: FrequencyTable,
    power: Callable[[Array], Array],
    permitted: float,
) -> SpaceVariantKernel:
    """Return the kernel of any transfer function of the field.

    Parameters
    ----------
    otf_difference : callable
        (row_um, column_um, f_row (a, 1), f_column (1, b)) -> T(f; place) - T_0(f), (a, b) complex,
        summed over depth.
    grid : Grid
        Of the images.
    counts : (int, int)
        Nodes over the field along rows and columns.
    table : FrequencyTable
        Where T is taken.
    power : callable
        Power of the image at |f|, per unit area of frequency; only its shape matters.
    permitted : float
        Largest rms error as a fraction of the image's standard deviation, for |T_0| = 1.
    """
    nodes = field_nodes(grid, counts)
    rows, columns, place_weight = nodes.places
    f_row, f_column = table.row_cy_per_um[:, None], table.column_cy_per_um[None, :]
    values = np.stack(
        [
            otf_difference(float(y), float(x), f_row, f_column).ravel()
            for y, x in zip(rows, columns, strict=True)
        ]
    )
    radial = np.hypot(f_row, f_column)
    weight = np.where(radial > 0.0, power(np.maximum(radial, 1e-12)), 0.0).ravel()
    weight = weight / weight.sum()
    samples = np.concatenate([values.real, values.imag], axis=1)
    found = products(samples, place_weight, np.tile(weight, 2), permitted)
    half = weight.size
    return SpaceVariantKernel(
        grid=grid,
        nodes=nodes,
        maps=found.maps.reshape(-1, *counts),
        table=table,
        mean=(found.mean[:half] + 1j * found.mean[half:]).reshape(table.shape),
        kernels=(found.kernels[:, :half] + 1j * found.kernels[:, half:]).reshape(-1, *table.shape),
        error=found.error,
    )
