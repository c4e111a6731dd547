"""The lens's field in the image: local blur by eigen-PSFs, illumination and distortion.

The kernels of the depth-node form (module ``terms``) get, beside their value on the axis, the terms
of `space_variant` that tell the rest of the field from the axis. They follow from harmonics of the
transfer function on a small grid of focus shifts and field radii (`optics.field_otf`), so that the
cost of the optics does not depend on the number of places in the field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scintscope.forward.plane import transform
from scintscope.forward.space_variant import (
    FrequencyTable,
    Products,
    SpaceVariantKernel,
    field_nodes,
    lagrange_matrix,
    products,
    spline_matrix,
)
from scintscope.grids import Grid
from scintscope.optics.field import FieldAberrations, focus_shift_um
from scintscope.optics.field_otf import DepthSum, field_harmonics
from scintscope.optics.wavefront import OpticalPath, focus_for_travel_um

Array = NDArray[np.float64]
Image = NDArray[Any]

_NODES_OF_BLUR = 8
_RADII = 7
_LEAST_ANGLES, _ANGLES_PER_RADIAN = 3, 1.2
_SAMPLES_PER_PERIOD = 6.0
_MOST_FREQUENCIES = 800
_AIRY_RADII = 12.0
"""Added to the geometric spread, in lambda / NA: what differs over the field is compact."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldOptics:
    """A lens's field on a grid.

    Parameters
    ----------
    field : FieldAberrations
        Values at the corner.
    corner_um : float
        R.
    path : OpticalPath
        Lens and layers.
    travel_um : float
        Stage travel on the axis.
    grid : Grid
        Of the image, margin included.
    """

    field: FieldAberrations
    corner_um: float
    path: OpticalPath
    travel_um: float
    grid: Grid

    def shift_um(self, row_um: Any, column_um: Any) -> Array:
        """Return the focus shift at places of the field."""
        return focus_shift_um(self.field, row_um, column_um, self.corner_um)

    @property
    def shift_range_um(self) -> tuple[float, float]:
        """Least and greatest focus shift over the grid."""
        half_height, half_width = (0.5 * extent for extent in self.grid.extent_um)
        rows = np.linspace(-half_height, half_height, 65)[:, None]
        columns = np.linspace(-half_width, half_width, 65)[None, :]
        shift = self.shift_um(rows, columns)
        return float(min(shift.min(), 0.0)), float(max(shift.max(), 0.0))

    @property
    def radians_per_um(self) -> float:
        """Largest phase that a focus shift puts between two points of the pupil."""
        depth = 1.0 - float(np.sqrt(1.0 - self.path.na**2))
        return 2.0 * np.pi * depth / float(self.path.wavelength_um)

    @property
    def azimuthal_radians(self) -> float:
        """Peak-to-valley phase of coma and astigmatism at the corner, about."""
        waves = 2.0 * np.sqrt(8.0) * abs(self.field.coma_waves)
        return float(2.0 * np.pi * (waves + 2.0 * np.sqrt(6.0) * abs(self.field.astigmatism_waves)))


@dataclass(frozen=True, kw_only=True, slots=True)
class HarmonicTable:
    """C_j of K transfer functions less their value on the axis, over focus shifts and radii.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Regular, from 0.
    shift_um : (S,) array
    radius_fraction : (P,) array
        Gauss-Legendre nodes.
    difference : (K, F, J, S, P) array
        C_j(f; d, rho) - C_j(f; 0, 0).
    axis : (K, F) array
        C_0(f; 0, 0).
    """

    frequency_cy_per_um: Array
    shift_um: Array
    radius_fraction: Array
    difference: Array
    axis: Array


def spread_um(
    optics: FieldOptics, depth_below_exit_um: Array, path: OpticalPath | None = None
) -> float:
    """Return the radius that holds what differs over the field, of the depths given.

    ``path`` is theirs where it is not that of the film.
    """
    path = path or optics.path
    sine = path.na / path.index
    slope = float(sine / np.sqrt(1.0 - sine**2))
    farthest = 0.0
    for d in optics.shift_range_um:
        focus = float(focus_for_travel_um(optics.travel_um + d, path))
        farthest = max(farthest, float(np.abs(depth_below_exit_um - focus).max()))
    return float(farthest * slope + _AIRY_RADII * path.wavelength_um / path.na)


def harmonic_frequencies(optics: FieldOptics, radius_um: float) -> Array:
    """Return regular radial frequencies for a spread, up to the grid's corner or the cut-off."""
    top = min(optics.path.cutoff_cy_per_um, 1.5 * optics.grid.nyquist_cy_per_um)
    count = int(np.clip(np.ceil(_SAMPLES_PER_PERIOD * radius_um * top), 48, _MOST_FREQUENCIES))
    return np.linspace(0.0, top, count)


def harmonic_table(
    optics: FieldOptics, parts: Sequence[tuple[DepthSum, OpticalPath]], frequency: Array
) -> HarmonicTable:
    """Return the harmonics that all places of the grid are interpolated from.

    Parameters
    ----------
    optics : FieldOptics
        The field.
    parts : sequence of (DepthSum, OpticalPath)
        Emitters that are summed; each part (direct light, each reflection) has its own path.
    frequency : (F,) array
        From `harmonic_frequencies`.
    """
    low, high = optics.shift_range_um
    shifts = _interval(low, high, _NODES_OF_BLUR + optics.radians_per_um * 0.5 * (high - low))
    height, width = optics.grid.extent_um
    reach = 0.5 * float(np.hypot(height, width)) / optics.corner_um
    blurs = optics.field.blurs_by_azimuth
    radii = _interval(0.0, reach, _RADII if blurs else 1.0)
    angles = (
        _LEAST_ANGLES + int(_ANGLES_PER_RADIAN * optics.azimuthal_radians / 2.0) if blurs else 1
    )

    def summed(*where: Any) -> Array:
        field, travel = optics.field, optics.travel_um
        each = (field_harmonics(frequency, d, travel, p, field, *where) for d, p in parts)
        return np.asarray(sum(each))

    values = summed(shifts, radii, angles)
    axis = summed(np.zeros(1), np.zeros(1), 1)[:, :, 0, 0, 0]
    values[:, :, 0] -= axis[:, :, None, None]
    return HarmonicTable(
        frequency_cy_per_um=frequency,
        shift_um=shifts,
        radius_fraction=radii,
        difference=values,
        axis=axis,
    )


def _interval(low: float, high: float, wanted: float) -> Array:
    """Return Gauss-Legendre nodes on an interval; one node if it has no length."""
    count = int(np.ceil(wanted)) if high > low else 1
    node, _ = np.polynomial.legendre.leggauss(count)
    return np.asarray(low + 0.5 * (high - low) * (1.0 + node))


def harmonics_at(table: HarmonicTable, k: int, shift_um: Array, radius_fraction: Array) -> Array:
    """Return C_j less the axis' at places of the field, (places, F, J)."""
    by_shift = lagrange_matrix(table.shift_um, shift_um)
    by_radius = lagrange_matrix(table.radius_fraction, radius_fraction)
    both = (by_shift[:, :, None] * by_radius[:, None, :]).reshape(shift_um.size, -1)
    _, frequencies, harmonics, *_ = table.difference.shape
    flat = table.difference[k].reshape(frequencies * harmonics, -1)
    return np.asarray((both @ flat.T).reshape(-1, frequencies, harmonics))


def field_counts(optics: FieldOptics) -> tuple[int, int]:
    """Return how many nodes over rows and columns resolve the maps."""
    counts = []
    for axis in (0, 1):
        half = 0.5 * optics.grid.extent_um[axis]
        place = [np.zeros(33), np.zeros(33)]
        place[axis] = np.linspace(-half, half, 33)
        shift = optics.shift_um(*place)
        counts.append(_NODES_OF_BLUR + int(np.ceil(optics.radians_per_um * 0.5 * np.ptp(shift))))
    return counts[0], counts[1]


def field_products(
    table: HarmonicTable, k: int, optics: FieldOptics, ring_weight: Array, permitted: float
) -> Products:
    """Return maps and radial harmonics of one of the table's transfer functions.

    Parameters
    ----------
    table, k
        Harmonics, and which of the K.
    optics : FieldOptics
        The field.
    ring_weight : (F,) array
        Power of the image in the ring of each radial frequency, over the variance of the image.
    permitted : float
        Largest rms error over the image's standard deviation.

    Returns
    -------
    Products
        Kernels are c_j(f) and s_j(f) of u(f, psi) = sum_j i^(j mod 2) (c_j cos j psi + s_j sin
        j psi), flattened from (F, J, 2).
    """
    rows, columns, place_weight = field_nodes(optics.grid, field_counts(optics)).places
    radius = np.hypot(rows, columns) / optics.corner_um
    azimuth = np.arctan2(rows, columns)
    values = harmonics_at(table, k, optics.shift_um(rows, columns), radius)
    j = np.arange(values.shape[2])
    angle = np.multiply.outer(azimuth, j)[:, None, :]
    turned = np.stack([values * np.cos(angle), values * np.sin(angle)], axis=3)
    weight = np.multiply.outer(ring_weight, np.where(j == 0, 1.0, 0.5))[:, :, None]
    weight = np.broadcast_to(weight, turned.shape[1:]).ravel()
    return products(turned.reshape(rows.size, -1), place_weight, weight, permitted)


def tabulated(
    found: Products, table: HarmonicTable, optics: FieldOptics, frequencies: FrequencyTable
) -> SpaceVariantKernel:
    """Return products of `field_products` as the terms that images are made with."""
    nodes = field_nodes(optics.grid, field_counts(optics))
    radial = table.frequency_cy_per_um
    shape = (-1, radial.size, table.difference.shape[2], 2)
    kernels = np.concatenate([found.mean[None], found.kernels]).reshape(shape)
    values = _on_table(kernels, radial, frequencies)
    return SpaceVariantKernel(
        grid=optics.grid,
        nodes=nodes,
        maps=found.maps.reshape(-1, nodes.row_um.size, nodes.column_um.size),
        table=frequencies,
        mean=values[0],
        kernels=values[1:],
        error=found.error,
    )


def _on_table(harmonics: Array, frequency: Array, table: FrequencyTable) -> NDArray[np.complex128]:
    """Return sum_j i^(j mod 2) (c_j cos j psi + s_j sin j psi) on a table, (M, a, b).

    Parameters
    ----------
    harmonics : (M, F, J, 2) array
        c_j and s_j; they continue to negative f with the parity of j.
    frequency : (F,) array
        Their radial frequencies, regular from 0; zero beyond.
    """
    f_row, f_column = table.row_cy_per_um[:, None], table.column_cy_per_um[None, :]
    radial = np.hypot(f_row, f_column)
    inside = radial <= frequency[-1]
    psi = np.broadcast_to(np.arctan2(f_row, f_column), radial.shape)[inside]
    j = np.arange(harmonics.shape[2])
    angle = np.multiply.outer(psi, j)
    turn = np.stack([np.cos(angle), np.sin(angle)], axis=2)
    parity = np.where(j % 2, -1.0, 1.0)[:, None]
    whole = np.concatenate([parity * harmonics[:, :0:-1], harmonics], axis=1)
    coefficients = ndimage.spline_filter1d(whole, order=3, axis=1, mode="mirror")
    rows = spline_matrix(np.concatenate([-frequency[:0:-1], frequency]), radial[inside])
    result = np.zeros((harmonics.shape[0], *table.shape), dtype=np.complex128)
    for m, curve in enumerate(coefficients):
        values = np.asarray(rows @ curve.reshape(curve.shape[0], -1)).reshape(turn.shape)
        values *= turn
        result[m][inside] = values[:, 0::2].sum(axis=(1, 2)) + 1j * values[:, 1::2].sum(axis=(1, 2))
    return result


def ring_power(frequency: Array, power: Callable[[Array], Array], pixel_um: float) -> Array:
    """Return an image's power in the ring of each radial frequency, pixel included, (F,).

    Parameters
    ----------
    frequency : (F,) array
        Regular, from 0.
    power : callable
        Of the light before the blur, per unit area of frequency.
    pixel_um : float
        Camera's pixel; 0 for none.
    """
    angle = np.linspace(0.0, 0.5 * np.pi, 17)
    pixel = np.sinc(np.multiply.outer(frequency, np.cos(angle)) * pixel_um) * np.sinc(
        np.multiply.outer(frequency, np.sin(angle)) * pixel_um
    )
    positive = np.maximum(frequency, 0.5 * frequency[1])
    ring = power(positive) * positive * np.mean(pixel**2, axis=1) * frequency[1]
    ring[0] = 0.0
    return np.asarray(ring)


def slow_power(frequency: Array, power: Callable[[Array], Array], reach_um: float) -> float:
    """Return an image's power below the first ring of a regular grid of frequencies.

    Waves slower than a quarter over the field's radius ``reach_um`` are level and left out.
    """
    slowest, fastest = 0.25 / reach_um, 0.5 * frequency[1]
    if slowest >= fastest:
        return 0.0
    within = np.geomspace(slowest, fastest, 64)
    return float(np.trapezoid(power(within) * within, within))


def radial_power(image: Image, grid: Grid) -> Callable[[Array], Array]:
    """Return the radial mean of an image's power, as a function of frequency (log interpolation).

    A Hann window keeps the edges out.
    """
    rows, columns = (np.hanning(n + 2)[1:-1].astype(image.dtype) for n in image.shape)
    spectrum = np.abs(transform((image - image.mean()) * rows[:, None] * columns[None, :])) ** 2
    radial = grid.radial_frequency_cy_per_um()
    edges = np.geomspace(1.0 / max(grid.extent_um), 1.42 * grid.nyquist_cy_per_um, 40)
    index = np.digitize(radial.ravel(), edges)
    count = np.bincount(index, minlength=edges.size + 1)[1:-1]
    mean = np.bincount(index, weights=spectrum.ravel(), minlength=edges.size + 1)[1:-1]
    held = count > 0
    centre = np.log(np.sqrt(edges[1:] * edges[:-1])[held])
    level = np.log(np.maximum(mean[held] / count[held], 1e-300))
    return lambda f: np.exp(np.interp(np.log(f), centre, level))
