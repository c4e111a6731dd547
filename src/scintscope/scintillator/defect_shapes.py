"""The shapes of plate defects: one object as patches of a relative profile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scintscope.grids import Grid
from scintscope.units import FWHM_PER_SIGMA

Image = NDArray[np.float32]
FloatArray = NDArray[np.float64]

HARMONICS = (2, 3, 4, 5)
"""Angular orders that make the outline of dust irregular."""

_SCRATCH_PIECE_UM = 40.0
_REACH_SIGMA = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DefectObject:
    """One defect of the catalogue.

    Parameters
    ----------
    kind : {"scratch", "bubble", "inclusion", "dust", "glow"}
    row_um, column_um, depth_um : float
        Centre, um; depth from the entrance face.
    size_um : float
        Diameter, or width of a scratch (FWHM), um.
    length_um, angle_rad, sagitta_um : float
        Chord of a scratch, its direction (from the columns' axis towards greater rows), and how
        far its middle bows out; 0 for the others.
    axial_um : float
        Extent along the beam, um: depth of a scratch, height of a bubble, 0 for dust.
    strength : float
        Local loss (or relative brightness of a glow) at the centre, 0 to 1.
    outline : tuple of (amplitude, phase)
        Relative modulation of the radius by harmonics 2 to 5 (dust), else empty.
    """

    kind: str
    row_um: float
    column_um: float
    depth_um: float
    size_um: float
    strength: float
    axial_um: float = 0.0
    length_um: float = 0.0
    angle_rad: float = 0.0
    sagitta_um: float = 0.0
    outline: tuple[tuple[float, float], ...] = ()


_Patch = tuple[tuple[slice, slice], Image]


def profiles(item: DefectObject, grid: Grid) -> list[_Patch]:
    """Return the relative profile of a defect on the patches of a grid that it touches.

    Parameters
    ----------
    item : DefectObject
        What to draw.
    grid : Grid
        Fine grid in the scintillator plane.

    Returns
    -------
    list of (slices, (m, n) float32 array)
        Values in [0, 1], non-zero at a pixel in one patch at most: discs and blobs with a
        smooth rim, scratches in pieces.
    """
    if item.kind == "scratch":
        return _scratch_profiles(item, grid)
    blur = 0.5 * grid.pixel_um if item.kind == "dust" else 0.15 * item.size_um
    edge = max(blur, 0.5 * grid.pixel_um)
    reach = 0.5 * item.size_um * (1.0 + sum(a for a, _ in item.outline)) + edge
    box = (item.row_um - reach, item.row_um + reach, item.column_um - reach, item.column_um + reach)
    index, row, column = _patch(grid, box)
    dr, dc = row[:, None] - item.row_um, column[None, :] - item.column_um
    radius = np.full((row.size, column.size), 0.5 * item.size_um)
    if item.outline:
        angle = np.arctan2(dr, dc)
        for order, (amplitude, phase) in zip(HARMONICS, item.outline, strict=True):
            radius += 0.5 * item.size_um * amplitude * np.cos(order * angle + phase)
    inside = np.clip(0.5 + (radius - np.hypot(dr, dc)) / (2.0 * edge), 0.0, 1.0)
    return [(index, (inside * inside * (3.0 - 2.0 * inside)).astype(np.float32))]


def _scratch_profiles(item: DefectObject, grid: Grid) -> list[_Patch]:
    """Return a scratch in pieces along its chord, so that no patch is mostly empty.

    Across, a Gaussian of the scratch's width averaged over a pixel (its variance grows by
    p^2/12 at equal area); along, a parabola that fades out over the last tenth at both ends.
    """
    cosine, sine = math.cos(item.angle_rad), math.sin(item.angle_rad)
    own = item.size_um / FWHM_PER_SIGMA
    sigma = math.hypot(own, grid.pixel_um / math.sqrt(12.0))
    half, reach = 0.5 * item.length_um, _REACH_SIGMA * sigma
    edges = np.linspace(-half, half, math.ceil(item.length_um / _SCRATCH_PIECE_UM) + 1)
    patches = []
    for a, b in pairwise(edges.tolist()):
        # Corners of the piece's bounding box in the scratch's own frame (along, across).
        bow = sorted(
            (_bow(item, a), _bow(item, b), item.sagitta_um if a < 0 < b else _bow(item, a))
        )
        along = np.array([a, a, b, b])
        across = np.array([bow[0] - reach, bow[-1] + reach] * 2)
        rows = item.row_um + along * sine + across * cosine
        columns = item.column_um + along * cosine - across * sine
        index, row, column = _patch(grid, (rows.min(), rows.max(), columns.min(), columns.max()))
        dr, dc = row[:, None] - item.row_um, column[None, :] - item.column_um
        s, n = dr * sine + dc * cosine, dr * cosine - dc * sine
        slope = -8.0 * item.sagitta_um * s / item.length_um**2
        distance = (n - _bow(item, s)) / np.sqrt(1.0 + slope**2)
        profile = np.exp(-0.5 * np.square(distance / sigma)) * (own / sigma)
        profile *= np.clip((half - np.abs(s)) / (0.1 * item.length_um), 0.0, 1.0)
        profile *= (s >= a) & (s < b)
        patches.append((index, profile.astype(np.float32)))
    return patches


def _bow(item: DefectObject, s: FloatArray | float) -> FloatArray | float:
    """Return the offset of the scratch from its chord at ``s`` along it, um."""
    return item.sagitta_um * (1.0 - (2.0 * s / item.length_um) ** 2)


def _patch(
    grid: Grid, box_um: tuple[float, float, float, float]
) -> tuple[tuple[slice, slice], FloatArray, FloatArray]:
    """Return slices and coordinates of the samples in a box (row low, high, column low, high)."""
    slices, coordinates = [], []
    for count, low, high, axis in (
        (grid.shape[0], box_um[0], box_um[1], grid.row_um),
        (grid.shape[1], box_um[2], box_um[3], grid.column_um),
    ):
        first = min(max(math.floor(low / grid.pixel_um + 0.5 * count), 0), count)
        last = min(max(math.ceil(high / grid.pixel_um + 0.5 * count), first), count)
        slices.append(slice(first, last))
        coordinates.append(axis[first:last])
    return (slices[0], slices[1]), coordinates[0], coordinates[1]
