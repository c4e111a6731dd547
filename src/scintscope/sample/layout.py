"""Where the elements of a test target stand, so that metrics can find them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scintscope.errors import SamplingError
from scintscope.grids import Grid
from scintscope.sample.coverage import Box
from scintscope.sample.specimen import (
    PointGrid,
    ResolutionTarget,
    SiemensStar,
    SlantedEdge,
    SpecimenRecipe,
)

MIN_SAMPLES_PER_LINE = 2.0
"""Finest line drawn, in samples of the fine grid."""

USED_FRACTION = 0.92
"""Part of the grid's extent that the elements fill; the rest is margin outside the camera."""

CELL_UM = 500.0
"""Wished side of the cells into which a resolution target divides its field, um."""

TEXTURE_BLOCKS_UM = (2.0, 4.0, 8.0, 16.0)
"""Sides of the random blocks in the four quarters of a texture cell, um."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LineGroup:
    """Parallel bars of one width; ``orientation`` is the direction along which they run."""

    box: Box
    line_width_um: float
    orientation: str
    lines: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeElement:
    """A film that fills one side of a box, up to a straight edge through its centre.

    Parameters
    ----------
    box : Box
        Where the element is.
    orientation : {"vertical", "horizontal"}
        Direction along which the edge nearly runs. A vertical edge is the line
        x = y tan(angle) with film to the right (greater column); a horizontal edge is the line
        y = x tan(angle) with film below (greater row); x, y from the box's centre.
    angle_deg : float
        Tilt, degrees.
    """

    box: Box
    orientation: str
    angle_deg: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StarElement:
    """A Siemens star: wedges of film between two radii.

    Wedge ``k`` of ``spokes`` covers the angles (2 k + [0, 1]) pi / spokes, measured from the
    columns' axis towards greater rows. Inside ``inner_radius_um``, where a wedge would be
    narrower than two samples, it is empty.
    """

    row_um: float
    column_um: float
    inner_radius_um: float
    outer_radius_um: float
    spokes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TextureElement:
    """A box of pseudo-random square blocks, half of them covered."""

    box: Box
    block_um: float
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetLayout:
    """All elements of a target in um, centred on the optical axis of the sample plane.

    Parameters
    ----------
    groups, edges, stars, textures
        Elements with their boxes.
    points_um : tuple of (row, column)
        Centres of the discs, um.
    point_diameter_um : float
        Their diameter, um (0 without discs).
    left_out : tuple of str
        What the recipe asked for and the grid cannot hold, with the reason.
    """

    groups: tuple[LineGroup, ...] = ()
    edges: tuple[EdgeElement, ...] = ()
    stars: tuple[StarElement, ...] = ()
    textures: tuple[TextureElement, ...] = ()
    points_um: tuple[tuple[float, float], ...] = ()
    point_diameter_um: float = 0.0
    left_out: tuple[str, ...] = ()


def target_layout(recipe: SpecimenRecipe, grid: Grid) -> TargetLayout:
    """Return where the elements of a target stand on a grid.

    Parameters
    ----------
    recipe : SpecimenRecipe
        What to draw. Fish and images have an empty layout.
    grid : Grid
        Fine grid in the sample plane.

    Raises
    ------
    SamplingError
        When the points are finer than two samples, or no star fits.
    """
    if isinstance(recipe, ResolutionTarget):
        return _resolution_layout(recipe, grid)
    if isinstance(recipe, SlantedEdge):
        edge = EdgeElement(
            box=_field(grid, 1.0), orientation="vertical", angle_deg=recipe.angle_deg
        )
        return TargetLayout(edges=(edge,))
    if isinstance(recipe, SiemensStar):
        radius = min(recipe.radius_um, 0.5 * min(grid.extent_um))
        star = _star(0.0, 0.0, radius, recipe.spokes, grid)
        if star is None:
            raise SamplingError(
                f"target.spokes = {recipe.spokes} over target.radius_um = {radius:g} um are finer "
                f"than two samples of {grid.pixel_um:g} um. Use fewer spokes or a larger radius."
            )
        cut = radius < recipe.radius_um
        note = f"star beyond {radius:g} um: outside the field" if cut else ""
        return TargetLayout(stars=(star,), left_out=(note,) if note else ())
    if isinstance(recipe, PointGrid):
        _check_points(recipe.diameter_um, grid)
        points = _lattice(_field(grid, 1.0).shrunk(0.5 * recipe.diameter_um), recipe.pitch_um)
        return TargetLayout(points_um=tuple(points), point_diameter_um=recipe.diameter_um)
    return TargetLayout()


def _field(grid: Grid, fraction: float) -> Box:
    height, width = (0.5 * fraction * extent for extent in grid.extent_um)
    return Box(row_low_um=-height, row_high_um=height, column_low_um=-width, column_high_um=width)


def _check_points(diameter_um: float, grid: Grid) -> None:
    if diameter_um < MIN_SAMPLES_PER_LINE * grid.pixel_um:
        raise SamplingError(
            f"points of {diameter_um:g} um are finer than two samples of {grid.pixel_um:g} um. "
            "Use larger points, or raise accuracy.oversampling."
        )


def _star(row: float, column: float, radius: float, spokes: int, grid: Grid) -> StarElement | None:
    inner = MIN_SAMPLES_PER_LINE * grid.pixel_um * spokes / math.pi
    if inner > 0.8 * radius:
        return None
    return StarElement(
        row_um=row, column_um=column, inner_radius_um=inner, outer_radius_um=radius, spokes=spokes
    )


def _lattice(box: Box, pitch_um: float) -> list[tuple[float, float]]:
    """Return a square lattice in a box, with a point at its centre."""
    if box.height_um < 0 or box.width_um < 0:
        return []
    row, column = box.centre_um
    tall, wide = (int(0.5 * size / pitch_um) for size in (box.height_um, box.width_um))
    return [
        (row + i * pitch_um, column + j * pitch_um)
        for i in range(-tall, tall + 1)
        for j in range(-wide, wide + 1)
    ]


_PATTERN = ("groups", "texture", "edge_vertical", "groups", "points", "edge_horizontal")
"""Cells in reading order cycle through this; the centre cell holds the star."""


def _resolution_layout(recipe: ResolutionTarget, grid: Grid) -> TargetLayout:
    cells = _cells(grid)
    drawable = [w for w in recipe.line_widths_um if w >= MIN_SAMPLES_PER_LINE * grid.pixel_um]
    left_out = [
        f"line width {w:g} um: below two samples of {grid.pixel_um:.4g} um"
        for w in recipe.line_widths_um
        if w not in drawable
    ]
    star_cell = cells.pop(len(cells) // 2)
    kinds = [_PATTERN[i % len(_PATTERN)] for i in range(len(cells))]
    chosen = {kind: [c for c, k in zip(cells, kinds, strict=True) if k == kind] for kind in kinds}
    groups = _pack_groups(chosen.get("groups", []), drawable, recipe.lines_per_group, grid)
    placed = {g.line_width_um for g in groups}
    left_out += [
        f"line width {w:g} um: a group of {(2 * recipe.lines_per_group - 1) * w:g} um finds no room"
        for w in drawable
        if w not in placed
    ]
    star = _star(*star_cell.centre_um, 0.5 * star_cell.height_um, recipe.siemens_spokes, grid)
    if star is None:
        left_out.append(f"star of {recipe.siemens_spokes} spokes: finer than two samples")
    points = _points(chosen.get("points", []), recipe.point_diameter_um, grid)
    if not points:
        left_out.append(f"points of {recipe.point_diameter_um:g} um: too fine or no room")
    return TargetLayout(
        groups=groups,
        edges=tuple(
            EdgeElement(box=cell, orientation=name, angle_deg=recipe.edge_angle_deg)
            for name in ("vertical", "horizontal")
            for cell in chosen.get(f"edge_{name}", [])
        ),
        stars=() if star is None else (star,),
        textures=tuple(_textures(chosen.get("texture", []), grid)),
        points_um=tuple(points),
        point_diameter_um=recipe.point_diameter_um if points else 0.0,
        left_out=tuple(left_out),
    )


def _cells(grid: Grid) -> list[Box]:
    """Return square cells in reading order, an odd number along each axis, with gaps."""
    field = _field(grid, USED_FRACTION)
    short = min(field.height_um, field.width_um)
    side = short / min(max(2 * round(0.5 * (short / CELL_UM - 1)) + 1, 3), 9)
    rows, columns = (
        2 * int(0.5 * (size / side - 1) + 1e-9) + 1 for size in (field.height_um, field.width_um)
    )
    tall, wide = field.height_um / rows, field.width_um / columns
    half = 0.5 * side - max(0.04 * side, 2.0 * grid.pixel_um)
    return [
        Box(
            row_low_um=(i - 0.5 * (rows - 1)) * tall - half,
            row_high_um=(i - 0.5 * (rows - 1)) * tall + half,
            column_low_um=(j - 0.5 * (columns - 1)) * wide - half,
            column_high_um=(j - 0.5 * (columns - 1)) * wide + half,
        )
        for i in range(rows)
        for j in range(columns)
    ]


def _pack_groups(
    cells: list[Box], widths_um: list[float], lines: int, grid: Grid
) -> tuple[LineGroup, ...]:
    """Place every width in both orientations, then repeat while there is room.

    When not all of them fit, the coarsest width is given up, and so on.
    """
    widths = sorted(set(widths_um), reverse=True)
    while widths:
        order = [(w, name) for w in widths for name in ("vertical", "horizontal")]
        groups, todo = [], list(order)
        for cell in cells:
            placed = list(_fill(cell, todo + order, lines, grid))
            done = {(g.line_width_um, g.orientation) for g in placed}
            # The next cell starts with what has no place yet, so fine groups lie everywhere.
            todo = [item for item in todo if item not in done]
            order = [i for i in order if i not in done] + [i for i in order if i in done]
            groups += placed
        if not todo:
            return tuple(groups)
        widths.pop(0)
    return ()


def _fill(
    space: Box, items: list[tuple[float, str]], lines: int, grid: Grid
) -> Iterator[LineGroup]:
    """Yield the first item that fits in the corner of a space, then fill what it leaves free."""
    room = min(space.height_um, space.width_um)
    for place, (width, name) in enumerate(items):
        size = (2 * lines - 1) * width
        if size > room:
            continue
        gap = max(2.0 * width, 6.0 * grid.pixel_um)
        bottom, right = space.row_low_um + size, space.column_low_um + size
        box = replace(space, row_high_um=bottom, column_high_um=right)
        yield LineGroup(box=box, line_width_um=width, orientation=name, lines=lines)
        rest = items[place + 1 :]
        beside = replace(space, row_high_um=bottom, column_low_um=right + gap)
        below = replace(space, row_low_um=bottom + gap)
        used = list(_fill(beside, rest, lines, grid))
        yield from used
        done = {(g.line_width_um, g.orientation) for g in used}
        yield from _fill(below, [item for item in rest if item not in done], lines, grid)
        return


def _points(cells: list[Box], diameter_um: float, grid: Grid) -> list[tuple[float, float]]:
    """Return a dense lattice in the upper half of each cell, isolated points in the lower."""
    if diameter_um < MIN_SAMPLES_PER_LINE * grid.pixel_um:
        return []
    points = []
    for cell in cells:
        middle = cell.centre_um[0]
        for low, high, pitch in (
            (cell.row_low_um, middle - 2.5 * diameter_um, 5.0 * diameter_um),
            (middle + 2.5 * diameter_um, cell.row_high_um, 20.0 * diameter_um),
        ):
            half = Box(
                row_low_um=low,
                row_high_um=high,
                column_low_um=cell.column_low_um,
                column_high_um=cell.column_high_um,
            )
            points += _lattice(half.shrunk(0.5 * diameter_um), pitch)
    return points


def _textures(cells: list[Box], grid: Grid) -> Iterator[TextureElement]:
    """Yield four quarters per cell with blocks of different sizes."""
    for number, cell in enumerate(cells):
        row, column = cell.centre_um
        for quarter, block in enumerate(TEXTURE_BLOCKS_UM):
            tall, wide = divmod(quarter, 2)
            side = max(block, MIN_SAMPLES_PER_LINE * grid.pixel_um)
            count = int((0.5 * cell.height_um - 2.0 * grid.pixel_um) / side)
            if count < 2:
                continue
            low_row = row + 2.0 * grid.pixel_um if tall else cell.row_low_um
            low_column = column + 2.0 * grid.pixel_um if wide else cell.column_low_um
            box = Box(
                row_low_um=low_row,
                row_high_um=low_row + count * side,
                column_low_um=low_column,
                column_high_um=low_column + count * side,
            )
            yield TextureElement(box=box, block_um=side, seed=4 * number + quarter)
