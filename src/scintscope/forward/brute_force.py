"""Frames drawn quantum by quantum: every X-ray, every place it leaves energy, every photo-electron.

The oracle of the noise model and of the fast sampler, and the sampler itself where too few X-rays
overlap for that one. Nothing is filtered: X-rays are Poisson per energy and fine sample, uniform
inside it; an event sampler says where each leaves its energy; each deposit gives Poisson(c keV)
detected light quanta, each displaced at random by the point-spread function of its depth and
counted in the camera pixel it falls into. The field is periodic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import j1

from scintscope.deposition.events import Deposits
from scintscope.forward.plane import blur_radius_um
from scintscope.quadrature import defocus_nodes
from scintscope.response import DepthResponse

Array = NDArray[np.float64]

EventSampler = Callable[[Array, np.random.Generator], Deposits]
"""From the energies of incident photons, keV, (N,), to what they leave (entry at x = y = 0)."""

LightShare = Callable[[Array, Array, Array], Array]
"""From row, column and depth of emitters, um, (N,) each, to the share of their light kept."""

_QUANTILES = 2048
_RADII = 1600
_FREQUENCIES = 6000
_NODES_PER_DEFOCUS_NODE = 4
_WINDOW_UM = 40.0
"""Radii are tabulated this far beyond the geometric blur."""
_BATCH = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class LightTable:
    """Radii at which light of each depth arrives, as quantiles.

    Parameters
    ----------
    depth_um : (K,) array
        Ascending, evenly spaced; transfer functions between them are interpolated linearly (by
        choosing a neighbour at random).
    radius2_um2 : (K, Q + 1) array
        Squared radius within which the share q / Q of the light inside the window lies.
    inside : (K,) array
        Share of the light inside the window.
    window_um : float
        Radius of the window. What lies beyond is given the tail 1 - E(R) ~ 1 / R that any sharp
        pupil leaves (Born and Wolf, section 8.5), so no light is lost.
    """

    depth_um: Array
    radius2_um2: NDArray[np.float32]
    inside: Array
    window_um: float

    @property
    def outside_share(self) -> float:
        """Largest share of the light beyond the window, of any depth."""
        return float(1.0 - self.inside.min())


def encircled_light(table_cy_per_um: Array, transfer: Array, radius_um: Array) -> Array:
    """Return the share of light within radii, E(R) = 2 pi R INT H(f) J1(2 pi f R) df, (K, R).

    Parameters
    ----------
    table_cy_per_um : (F,) array
        From 0 to the cut-off.
    transfer : (K, F) array
        H, 1 at f = 0.
    radius_um : (R,) array
        Radii.
    """
    f = np.linspace(0.0, table_cy_per_um[-1], _FREQUENCIES)
    values = CubicSpline(table_cy_per_um, transfer, axis=-1)(f)
    values[:, [0, -1]] *= 0.5
    kernel = j1(2.0 * np.pi * f[:, None] * radius_um) * (2.0 * np.pi * radius_um * f[1])
    return np.asarray(values @ kernel)


def light_table(response: DepthResponse) -> LightTable:
    """Return where light from each depth of a plate arrives."""
    path, thickness = response.path, response.thickness_um
    count = _NODES_PER_DEFOCUS_NODE * defocus_nodes(
        thickness, path.na, path.index, path.wavelength_um
    )
    depth = np.linspace(0.0, thickness, count + 1)
    return table_of_transfer(
        response.frequency_cy_per_um,
        response.otf_at(depth),
        depth,
        blur_radius_um(response) + _WINDOW_UM,
    )


def table_of_transfer(
    table_cy_per_um: Array, transfer: Array, depth_um: Array, window_um: float
) -> LightTable:
    """Return a table from transfer functions at evenly spaced depths, (K, F)."""
    radius = window_um * np.linspace(0.0, 1.0, _RADII) ** 1.5
    share = np.maximum.accumulate(
        np.clip(encircled_light(table_cy_per_um, transfer, radius), 0.0, 1.0), axis=1
    )
    level = np.linspace(0.0, 1.0, _QUANTILES + 1)
    squares = [np.interp(level * row[-1], row, radius**2) for row in share]
    return LightTable(
        depth_um=depth_um,
        radius2_um2=np.array(squares, dtype=np.float32),
        inside=share[:, -1],
        window_um=window_um,
    )


def light_radius_um(table: LightTable, depth_um: Array, rng: np.random.Generator) -> Array:
    """Draw how far from its emitter's axis each light quantum arrives, (N,)."""
    last = table.depth_um.size - 1
    place = np.zeros(depth_um.shape) if last == 0 else depth_um * (last / table.depth_um[-1])
    node = np.minimum((place + rng.random(place.size)).astype(np.intp), last)
    level = rng.random(place.size)
    inside = table.inside[node]
    q = np.minimum(level / inside, 1.0) * _QUANTILES
    low = np.minimum(q.astype(np.intp), _QUANTILES - 1)
    flat = node * (_QUANTILES + 1) + low
    squares = table.radius2_um2.ravel()
    here = squares[flat]
    radius = np.sqrt(here + (q - low) * (squares[flat + 1] - here))
    tail = level > inside
    radius[tail] = table.window_um * (1.0 - inside[tail]) / (1.0 - level[tail])
    return np.asarray(radius)


def count_light(
    row_um: Array,
    column_um: Array,
    left: Deposits,
    electrons_per_kev: float,
    table: LightTable,
    shape: tuple[int, int],
    pixel_um: float,
    rng: np.random.Generator,
    share: LightShare | None = None,
) -> NDArray[np.int64]:
    """Return the photo-electrons of deposits in camera pixels, periodic field.

    Parameters
    ----------
    row_um, column_um : (N,) array
        Where each X-ray enters; the first pixel's corner is the origin.
    left : Deposits
        What the X-rays leave.
    electrons_per_kev : float
        c.
    table : LightTable
        Of the plate.
    shape, pixel_um
        Camera.
    rng : numpy.random.Generator
        Stream.
    share : callable, optional
        Light that defects let pass.

    Returns
    -------
    (M, N) int array
    """
    total = np.zeros(shape[0] * shape[1], dtype=np.int64)
    source = np.repeat(np.arange(left.event.size), rng.poisson(electrons_per_kev * left.energy_kev))
    for start in range(0, source.size, _BATCH):
        part = source[start : start + _BATCH]
        (x, y, z), kept = left.places(part, rng)
        radius = light_radius_um(table, np.clip(z, 0.0, table.depth_um[-1]), rng)
        angle = (2.0 * np.pi) * rng.random(part.size)
        event = left.event[part]
        y, x = row_um[event] + y, column_um[event] + x
        if share is not None:
            kept = kept & (rng.random(part.size) < share(y, x, z))
        row = np.floor((y + radius * np.sin(angle)) / pixel_um)
        column = np.floor((x + radius * np.cos(angle)) / pixel_um)
        place = (row % shape[0]) * shape[1] + column % shape[1]
        total += np.bincount(place[kept].astype(np.intp), minlength=total.size)
    return total.reshape(shape)


def draw_points(
    mean: NDArray[Any], pitch_um: float, rng: np.random.Generator
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Draw Poisson points of a mean image: row, column in um and fine sample index, (N,) each."""
    counts = rng.poisson(mean.ravel())
    index = np.repeat(np.arange(counts.size), counts)
    row, column = np.divmod(index, mean.shape[1])
    return (
        (row + rng.random(index.size)) * pitch_um,
        (column + rng.random(index.size)) * pitch_um,
        np.asarray(index, dtype=np.intp),
    )


def draw_frame(
    xrays: Callable[[int], NDArray[Any]],
    energy_kev: Array,
    events: EventSampler,
    electrons_per_kev: float,
    table: LightTable,
    fine_pitch_um: float,
    shape: tuple[int, int],
    pixel_um: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the photo-electrons of one frame, every quantum drawn.

    Parameters
    ----------
    xrays : callable
        From the index of an energy to the mean image of incident X-rays, counts per fine sample.
    energy_kev : (E,) array
        Energies.
    events : callable
        `EventSampler` of the plate.
    electrons_per_kev : float
        c.
    table : LightTable
        Light of the plate.
    fine_pitch_um : float
        Of the X-ray images, which cover the same field as ``shape`` camera pixels.
    shape, pixel_um
        Camera.
    rng : numpy.random.Generator
        Stream.

    Returns
    -------
    (M, N) int array
    """
    total = np.zeros(shape, dtype=np.int64)
    for e, energy in enumerate(energy_kev):
        row, column, _ = draw_points(xrays(e), fine_pitch_um, rng)
        for start in range(0, row.size, _BATCH):
            part = slice(start, start + _BATCH)
            total += count_light(
                row[part],
                column[part],
                events(np.full(row[part].size, float(energy)), rng),
                electrons_per_kev,
                table,
                shape,
                pixel_um,
                rng,
            )
    return total
