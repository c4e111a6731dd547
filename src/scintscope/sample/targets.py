"""Test targets as coverage of the field by an absorbing film."""

from __future__ import annotations

import math

import numpy as np

from scintscope.grids import Grid
from scintscope.sample.coverage import (
    Box,
    FloatArray,
    Image,
    Window,
    add_disjoint,
    comb_coverage,
    disc_coverage,
    half_plane_coverage,
    interval_coverage,
    window,
)
from scintscope.sample.layout import (
    EdgeElement,
    LineGroup,
    StarElement,
    TargetLayout,
    TextureElement,
)

_BLOCK_ROWS = 256
"""Rows handled at once where a shape fills the field, to keep temporaries small."""

_BATCH_DISCS = 2048
"""Discs whose coverage is computed at once."""


def draw_layout(layout: TargetLayout, grid: Grid) -> Image:
    """Return the fraction of each pixel covered by the elements of a layout.

    Parameters
    ----------
    layout : TargetLayout
        Elements, none overlapping another.
    grid : Grid
        Fine grid in the sample plane.

    Returns
    -------
    (M, N) float32 array
        In [0, 1]. Exact but for the pixels where two borders of one element meet.
    """
    canvas = np.zeros(grid.shape, dtype=np.float32)
    for group in layout.groups:
        _draw_group(canvas, group, grid)
    for edge in layout.edges:
        _draw_edge(canvas, edge, grid)
    for star in layout.stars:
        _draw_star(canvas, star, grid)
    for texture in layout.textures:
        _draw_texture(canvas, texture, grid)
    if layout.points_um:
        _draw_discs(canvas, np.asarray(layout.points_um), 0.5 * layout.point_diameter_um, grid)
    return canvas


def _draw_group(canvas: Image, group: LineGroup, grid: Grid) -> None:
    part = window(grid, group.box)
    box, width = group.box, group.line_width_um
    if group.orientation == "horizontal":
        rows = comb_coverage(part.row_um, grid.pixel_um, box.row_low_um, width, group.lines)
        columns = _column_span(part, box, grid)
    else:
        rows = _row_span(part, box, grid)
        columns = comb_coverage(
            part.column_um, grid.pixel_um, box.column_low_um, width, group.lines
        )
    add_disjoint(canvas, part, np.outer(rows, columns))


def _row_span(part: Window, box: Box, grid: Grid) -> FloatArray:
    return interval_coverage(part.row_um, grid.pixel_um, box.row_low_um, box.row_high_um)


def _column_span(part: Window, box: Box, grid: Grid) -> FloatArray:
    return interval_coverage(part.column_um, grid.pixel_um, box.column_low_um, box.column_high_um)


def _row_blocks(part: Window) -> list[Window]:
    """Split a window into blocks of rows."""
    blocks = []
    for start in range(0, part.row_um.size, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, part.row_um.size)
        rows = slice(part.rows.start + start, part.rows.start + stop)
        blocks.append(
            Window(
                rows=rows,
                columns=part.columns,
                row_um=part.row_um[start:stop],
                column_um=part.column_um,
            )
        )
    return blocks


def _draw_edge(canvas: Image, edge: EdgeElement, grid: Grid) -> None:
    """Draw the half of a box beyond an edge through its centre."""
    angle = math.radians(edge.angle_deg)
    normal_row, normal_column = -math.sin(angle), math.cos(angle)
    if edge.orientation == "horizontal":
        normal_row, normal_column = normal_column, normal_row
    row_0, column_0 = edge.box.centre_um
    for part in _row_blocks(window(grid, edge.box)):
        distance = (part.row_um - row_0)[:, None] * normal_row
        distance = distance + (part.column_um - column_0)[None, :] * normal_column
        covered = (distance > 0).astype(np.float32)
        near = np.abs(distance) < grid.pixel_um
        covered[near] = half_plane_coverage(
            distance[near], normal_row, normal_column, grid.pixel_um
        )
        spans = np.outer(_row_span(part, edge.box, grid), _column_span(part, edge.box, grid))
        add_disjoint(canvas, part, covered * spans)


def _draw_star(canvas: Image, star: StarElement, grid: Grid) -> None:
    """Draw wedges between two radii; a pixel there meets at most one wedge border."""
    radius = star.outer_radius_um
    box = Box(
        row_low_um=star.row_um - radius,
        row_high_um=star.row_um + radius,
        column_low_um=star.column_um - radius,
        column_high_um=star.column_um + radius,
    )
    for part in _row_blocks(window(grid, box)):
        row, column = part.row_um - star.row_um, part.column_um - star.column_um
        ring = disc_coverage(row, column, grid.pixel_um, radius) - disc_coverage(
            row, column, grid.pixel_um, star.inner_radius_um
        )
        add_disjoint(canvas, part, ring * _wedges(row, column, star.spokes, grid.pixel_um))


def _wedges(row_um: FloatArray, column_um: FloatArray, spokes: int, pixel_um: float) -> FloatArray:
    """Return the coverage of pixels by wedges with 50 % duty, first one starting at angle 0.

    The nearest wedge border at angle b is a straight line through the centre: the signed
    distance is r sin(angle - b), with the film on the side of greater angle for even borders.
    """
    angle = np.arctan2(row_um[:, None], column_um[None, :])
    border = np.rint(angle * (spokes / math.pi))
    b = border * (math.pi / spokes)
    sine, cosine = np.sin(b), np.cos(b)
    sign = np.where(np.mod(border, 2.0) == 0.0, 1.0, -1.0)
    distance = (row_um[:, None] * cosine - column_um[None, :] * sine) * sign
    return half_plane_coverage(distance, cosine, sine, pixel_um)


def _draw_texture(canvas: Image, texture: TextureElement, grid: Grid) -> None:
    """Draw random blocks: exact, as the product of coverage matrices with the block pattern."""
    part = window(grid, texture.box)
    count = round(texture.box.height_um / texture.block_um)
    # Fixed by the element alone: the same target on every grid and in every run.
    blocks = np.random.default_rng([2025, texture.seed]).random((count, count)) < 0.5
    rows = _block_coverage(part.row_um, texture.box.row_low_um, texture.block_um, count, grid)
    columns = _block_coverage(
        part.column_um, texture.box.column_low_um, texture.block_um, count, grid
    )
    add_disjoint(canvas, part, rows @ blocks.astype(np.float64) @ columns.T)


def _block_coverage(
    coordinate_um: FloatArray, low_um: float, block_um: float, count: int, grid: Grid
) -> FloatArray:
    """Return the fraction of pixel i covered by block j, (pixels, count)."""
    edges = low_um + block_um * np.arange(count + 1)
    position = coordinate_um[:, None]
    return np.asarray(
        np.clip(
            (
                np.minimum(position + 0.5 * grid.pixel_um, edges[None, 1:])
                - np.maximum(position - 0.5 * grid.pixel_um, edges[None, :-1])
            )
            / grid.pixel_um,
            0.0,
            1.0,
        )
    )


def _draw_discs(canvas: Image, centres_um: FloatArray, radius_um: float, grid: Grid) -> None:
    """Draw discs of one size, a batch at a time, on patches that hold them whole."""
    pixel = grid.pixel_um
    size = math.ceil(2.0 * radius_um / pixel) + 2
    offset = 0.5 * np.asarray(grid.shape) - 0.5
    first = np.floor((centres_um - radius_um) / pixel + offset).astype(int)
    steps = np.arange(size)
    for start in range(0, len(centres_um), _BATCH_DISCS):
        batch = slice(start, start + _BATCH_DISCS)
        position = (first[batch, :, None] + steps - offset[:, None]) * pixel
        position = position - centres_um[batch, :, None]
        patches = disc_coverage(position[:, 0], position[:, 1], pixel, radius_um)
        for (row, column), patch in zip(first[batch], patches, strict=True):
            _add_clipped(canvas, int(row), int(column), patch)


def _add_clipped(canvas: Image, row: int, column: int, patch: FloatArray) -> None:
    """Add the part of a patch that lies on the canvas, its corner at (row, column)."""
    rows, columns = canvas.shape
    top, left = max(0, -row), max(0, -column)
    bottom = min(patch.shape[0], rows - row)
    right = min(patch.shape[1], columns - column)
    if bottom > top and right > left:
        view = canvas[row + top : row + bottom, column + left : column + right]
        np.minimum(view + patch[top:bottom, left:right], 1.0, out=view, casting="same_kind")
