"""Area coverage of pixels by simple shapes: anti-aliased drawing without sub-sampling.

A pixel of a thickness map holds the mean thickness over its square, so each shape is drawn as
the fraction of the pixel that it covers. Rectangles, half-planes and discs have closed forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.grids import Grid, centred_coordinates

FloatArray = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """An axis-parallel rectangle in um, in coordinates centred on the optical axis."""

    row_low_um: float
    row_high_um: float
    column_low_um: float
    column_high_um: float

    @property
    def height_um(self) -> float:
        """Extent along the rows' coordinate, um."""
        return self.row_high_um - self.row_low_um

    @property
    def width_um(self) -> float:
        """Extent along the columns' coordinate, um."""
        return self.column_high_um - self.column_low_um

    @property
    def centre_um(self) -> tuple[float, float]:
        """Row and column coordinate of the centre, um."""
        return (
            0.5 * (self.row_low_um + self.row_high_um),
            0.5 * (self.column_low_um + self.column_high_um),
        )

    def shrunk(self, margin_um: float) -> Box:
        """Return the box with ``margin_um`` taken off each side."""
        return Box(
            row_low_um=self.row_low_um + margin_um,
            row_high_um=self.row_high_um - margin_um,
            column_low_um=self.column_low_um + margin_um,
            column_high_um=self.column_high_um - margin_um,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The part of a grid that a box touches: slices and the coordinates of its samples."""

    rows: slice
    columns: slice
    row_um: FloatArray
    column_um: FloatArray

    @property
    def empty(self) -> bool:
        """Whether the box lies outside the grid."""
        return self.row_um.size == 0 or self.column_um.size == 0

    @property
    def index(self) -> tuple[slice, slice]:
        """Slices into an image on the grid."""
        return self.rows, self.columns


def window(grid: Grid, box: Box) -> Window:
    """Return the samples of ``grid`` whose pixels a box touches (clipped to the grid)."""
    rows = _touched(grid.shape[0], grid.pixel_um, box.row_low_um, box.row_high_um)
    columns = _touched(grid.shape[1], grid.pixel_um, box.column_low_um, box.column_high_um)
    return Window(
        rows=rows,
        columns=columns,
        row_um=_coordinates(grid.shape[0], grid.pixel_um, rows),
        column_um=_coordinates(grid.shape[1], grid.pixel_um, columns),
    )


def _touched(count: int, pitch_um: float, low_um: float, high_um: float) -> slice:
    first = math.floor(low_um / pitch_um + 0.5 * count)
    last = math.ceil(high_um / pitch_um + 0.5 * count)
    first = min(max(first, 0), count)
    return slice(first, max(first, min(last, count)))


def _coordinates(count: int, pitch_um: float, part: slice) -> FloatArray:
    shift_um = 0.5 * (part.start + part.stop - count) * pitch_um
    return np.asarray(centred_coordinates(part.stop - part.start, pitch_um) + shift_um)


def interval_coverage(
    coordinate_um: FloatArray, pixel_um: float, low_um: float, high_um: float
) -> FloatArray:
    """Return the fraction of each pixel (1-D) that the interval [low, high] covers, exactly."""
    half = 0.5 * pixel_um
    overlap = np.minimum(coordinate_um + half, high_um) - np.maximum(coordinate_um - half, low_um)
    return np.asarray(np.clip(overlap / pixel_um, 0.0, 1.0))


def comb_coverage(
    coordinate_um: FloatArray, pixel_um: float, low_um: float, width_um: float, count: int
) -> FloatArray:
    """Return the coverage (1-D) of ``count`` bars of one width with gaps of the same width."""
    total = np.zeros(coordinate_um.shape)
    for bar in range(count):
        start = low_um + 2 * bar * width_um
        total += interval_coverage(coordinate_um, pixel_um, start, start + width_um)
    return np.minimum(total, 1.0)


def half_plane_coverage(
    distance_um: FloatArray,
    normal_row: FloatArray | float,
    normal_column: FloatArray | float,
    pixel_um: float,
) -> FloatArray:
    """Return the fraction of a square pixel inside a half-plane, exactly.

    Parameters
    ----------
    distance_um : float array
        Signed distance of the pixel centres from the edge, um, positive inside.
    normal_row, normal_column : float or array
        Unit normal of the edge, pointing inside.
    pixel_um : float
        Side of the pixels, um.

    Returns
    -------
    array
        In [0, 1].

    Notes
    -----
    Along the normal the square's profile is the convolution of two boxes of half-widths
    a >= b (p/2 times the normal's components), so the covered fraction is its running integral:
    [r(d+a+b) - r(d+a-b) - r(d-a+b) + r(d-a-b)] / (8 a b), r(x) = max(x, 0)^2.
    """
    first = 0.5 * pixel_um * np.abs(normal_row)
    second = 0.5 * pixel_um * np.abs(normal_column)
    a = np.maximum(first, second)
    # A tilt of 1e-7 moves an edge by 1e-7 pixel over a pixel; below it the formula loses digits.
    b = np.maximum(np.minimum(first, second), 1e-7 * pixel_um)
    d = np.clip(distance_um, -(a + b), a + b)

    def ramp(x: FloatArray) -> FloatArray:
        return np.square(np.maximum(x, 0.0))

    inside = ramp(d + a + b) - ramp(d + a - b) - ramp(d - a + b) + ramp(d - a - b)
    return np.asarray(np.clip(inside / (8.0 * a * b), 0.0, 1.0))


def disc_coverage(
    row_um: FloatArray, column_um: FloatArray, pixel_um: float, radius_um: float
) -> FloatArray:
    """Return the fraction of each pixel covered by a disc centred at zero, exactly.

    Parameters
    ----------
    row_um, column_um : (..., m) and (..., n) float array
        Coordinates of consecutive pixel centres relative to the disc's centre, um.
    pixel_um, radius_um : float
        Side of the pixels and radius of the disc, um.

    Returns
    -------
    (..., m, n) array
        In [0, 1].

    Notes
    -----
    The area of the disc below and left of each pixel corner has a closed form
    (`_quadrant_area`); its second difference is the area in a pixel.
    """
    half = 0.5 * pixel_um
    rows = np.concatenate([row_um - half, row_um[..., -1:] + half], axis=-1)
    columns = np.concatenate([column_um - half, column_um[..., -1:] + half], axis=-1)
    area = _quadrant_area(columns[..., None, :], rows[..., :, None], radius_um)
    inside = np.diff(np.diff(area, axis=-1), axis=-2)
    return np.asarray(np.clip(inside / pixel_um**2, 0.0, 1.0))


def _quadrant_area(x: FloatArray, y: FloatArray, radius: float) -> FloatArray:
    """Return the area of the disc of ``radius`` inside {x' <= x, y' <= y}."""
    y = np.clip(y, -radius, radius)
    w = np.sqrt((radius - y) * (radius + y))

    def segment(t: FloatArray) -> FloatArray:
        """Integral of sqrt(R^2 - t^2) from 0 to t; factored, and by arctan, to hold at t = R."""
        root = np.sqrt(np.maximum((radius - t) * (radius + t), 0.0))
        return np.asarray(0.5 * (t * root + radius**2 * np.arctan2(t, root)))

    inner = np.clip(x, -w, w)
    area = y * (inner + w) + segment(inner) + segment(w)
    left = np.clip(x, -radius, -w)
    right = np.clip(x, w, radius)
    full = 0.25 * np.pi * radius**2
    outer = 2.0 * (segment(left) + full) + 2.0 * (segment(right) - segment(w))
    return np.asarray(area + np.where(y >= 0.0, outer, 0.0))


def add_disjoint(canvas: Image, part: Window, coverage: FloatArray | Image) -> None:
    """Add the coverage of a shape that overlaps no other one to a canvas, in place."""
    if not part.empty:
        view = canvas[part.index]
        np.clip(view + coverage, 0.0, 1.0, out=view, casting="same_kind")
