"""Thickness maps of foam, spheres and fibres: chords of the beam in spheres and cylinders.

A pixel holds the mean chord over its square, taken at a few points of it: fine enough that the
volume of the smallest body is right to a per cent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scintscope.grids import Grid
from scintscope.sample.coverage import Box, Window, interval_coverage, window
from scintscope.sample.packings import (
    Fibres,
    FloatArray,
    Foam,
    Spheres,
    fibre_lines,
    pores,
    spheres,
)

Image = NDArray[np.float32]

_POINTS_PER_RADIUS = 8.0
_LEAST_POINTS, _MOST_POINTS = 3, 8
"""Of a pixel along an axis; the most where a body is smaller than it."""


def draw_foam(recipe: Foam, grid: Grid) -> Image:
    """Return the walls' thickness of a foam, um, (M, N): the block's less the pores' chords."""
    half = 0.5 * recipe.width_um
    sides = [
        interval_coverage(x, grid.pixel_um, -half, half) for x in (grid.row_um, grid.column_um)
    ]
    block = recipe.thickness_um * np.outer(*sides)
    block -= _chords(pores(recipe), grid)
    return np.maximum(block, 0.0).astype(np.float32)


def draw_spheres(recipe: Spheres, grid: Grid) -> Image:
    """Return the thickness of a layer of spheres, um, (M, N)."""
    return _chords(spheres(recipe), grid).astype(np.float32)


def draw_fibres(recipe: Fibres, grid: Grid) -> Image:
    """Return the thickness of a mat of fibres, um, (M, N).

    Fibres lie on each other, so their chords add; one tilted by t is longer along the beam by
    1 / cos t.
    """
    half = 0.5 * recipe.width_um
    part = window(
        grid, Box(row_low_um=-half, row_high_um=half, column_low_um=-half, column_high_um=half)
    )
    lines = fibre_lines(recipe)
    total = np.zeros((part.row_um.size, part.column_um.size))
    for distance, angle, radius, tilt in zip(
        lines.distance_um, lines.angle_rad, lines.radius_um, lines.tilt_rad, strict=True
    ):
        across = (
            part.column_um[None, :] * math.cos(angle)
            + part.row_um[:, None] * math.sin(angle)
            - distance
        )
        near = np.abs(across) < radius + grid.pixel_um
        total[near] += _strip_mean(across[near], radius, angle, grid.pixel_um) / math.cos(tilt)
    image = np.zeros(grid.shape, dtype=np.float32)
    sides = [
        interval_coverage(x, grid.pixel_um, -half, half) for x in (part.row_um, part.column_um)
    ]
    image[part.index] = total * np.outer(*sides)
    return image


def _points(radius_um: float, pixel_um: float) -> FloatArray:
    """Return offsets within a pixel at which chords are taken, um: midpoints of equal parts."""
    count = int(
        np.clip(math.ceil(_POINTS_PER_RADIUS * pixel_um / radius_um), _LEAST_POINTS, _MOST_POINTS)
    )
    return np.asarray((np.arange(count) + 0.5) / count - 0.5) * pixel_um


def _strip_mean(across_um: FloatArray, radius: float, angle: float, pixel_um: float) -> FloatArray:
    """Return the mean chord of a cylinder over pixels whose centres lie at distances."""
    steps = _points(radius, pixel_um)
    shifts = (steps[:, None] * math.cos(angle) + steps[None, :] * math.sin(angle)).ravel()
    inside = radius**2 - (across_um[:, None] + shifts[None, :]) ** 2
    return np.asarray(2.0 * np.sqrt(np.maximum(inside, 0.0)).mean(axis=1))


def _chords(bodies: FloatArray, grid: Grid) -> FloatArray:
    """Return the sum of the chords of spheres, um, (M, N)."""
    total = np.zeros(grid.shape)
    for row, column, _, radius in bodies:
        part = window(
            grid,
            Box(
                row_low_um=row - radius,
                row_high_um=row + radius,
                column_low_um=column - radius,
                column_high_um=column + radius,
            ),
        )
        if not part.empty:
            total[part.index] += _sphere_mean(part, (row, column), radius, grid.pixel_um)
    return total


def _sphere_mean(
    part: Window, centre: tuple[float, float], radius: float, pixel_um: float
) -> FloatArray:
    """Return the mean chord of a sphere over the pixels of a window."""
    steps = _points(radius, pixel_um)
    rows = (part.row_um[:, None] + steps - centre[0]) ** 2
    columns = (part.column_um[:, None] + steps - centre[1]) ** 2
    inside = radius**2 - rows[:, :, None, None] - columns[None, None, :, :]
    return np.asarray(2.0 * np.sqrt(np.maximum(inside, 0.0)).mean(axis=(1, 3)))
