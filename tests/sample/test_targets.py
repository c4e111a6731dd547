"""Test targets: what is drawn, where the layout says it is, and what is refused."""

import math

import numpy as np
import pytest

from scintscope.errors import RangeError, SamplingError
from scintscope.grids import Grid
from scintscope.sample import build_specimen, target_layout
from scintscope.sample.coverage import Box
from scintscope.sample.specimen import (
    Fish,
    PointGrid,
    ResolutionTarget,
    SiemensStar,
    SlantedEdge,
)

GRID = Grid(shape=(901, 1040), pixel_um=0.7)
# Maps are float32: 6e-8 relative per pixel, averaging out in sums.
FLOAT32 = 1e-6


def _boxes(recipe: ResolutionTarget, grid: Grid) -> list[Box]:
    layout = target_layout(recipe, grid)
    return [e.box for e in (*layout.groups, *layout.edges, *layout.textures)]


def _inside(image: np.ndarray, grid: Grid, box: Box, margin_um: float = 0.0) -> np.ndarray:
    rows = (grid.row_um > box.row_low_um - margin_um) & (grid.row_um < box.row_high_um + margin_um)
    columns = (grid.column_um > box.column_low_um - margin_um) & (
        grid.column_um < box.column_high_um + margin_um
    )
    return image[np.ix_(rows, columns)]


def test_every_group_covers_its_bars() -> None:
    """Around each group box the film's area is lines x width x length."""
    recipe = ResolutionTarget(thickness_um=2.0)
    image = build_specimen(recipe, GRID).thickness_um["Au"]
    layout = target_layout(recipe, GRID)
    assert len(layout.groups) > 20
    for group in layout.groups:
        film = _inside(image, GRID, group.box, margin_um=1.5 * GRID.pixel_um).sum(dtype=float)
        length = (2 * group.lines - 1) * group.line_width_um
        area = film / 2.0 * GRID.pixel_um**2
        assert area == pytest.approx(group.lines * group.line_width_um * length, rel=FLOAT32)


def test_group_orientation_is_the_direction_of_the_lines() -> None:
    """Along a vertical group's rows nothing changes; across them it does, and conversely."""
    recipe = ResolutionTarget(line_widths_um=(8.0,))
    image = build_specimen(recipe, GRID).thickness_um["Au"]
    seen = set()
    for group in target_layout(recipe, GRID).groups:
        part = _inside(image, GRID, group.box.shrunk(2 * GRID.pixel_um))
        along, across = (0, 1) if group.orientation == "vertical" else (1, 0)
        assert np.ptp(part, axis=along).max() < FLOAT32
        assert np.ptp(part, axis=across).min() > 0.99 * recipe.thickness_um
        seen.add(group.orientation)
    assert seen == {"vertical", "horizontal"}


def test_elements_do_not_overlap_and_stay_inside() -> None:
    """No two boxes of a layout share area, and all lie in the field."""
    for shape in ((4320, 4320), (1080, 1200), (600, 2001)):
        grid = Grid(shape=shape, pixel_um=0.64)
        boxes = _boxes(ResolutionTarget(), grid)
        height, width = grid.extent_um
        for i, a in enumerate(boxes):
            assert max(abs(a.row_low_um), abs(a.row_high_um)) < 0.5 * height
            assert max(abs(a.column_low_um), abs(a.column_high_um)) < 0.5 * width
            for b in boxes[:i]:
                tall = min(a.row_high_um, b.row_high_um) - max(a.row_low_um, b.row_low_um)
                wide = min(a.column_high_um, b.column_high_um) - max(
                    a.column_low_um, b.column_low_um
                )
                assert tall <= 1e-9 or wide <= 1e-9  # rounding of shared borders


def test_left_out_widths_are_named() -> None:
    """Each width is drawn in both orientations or reported, too fine and too coarse alike."""
    recipe = ResolutionTarget(line_widths_um=(1.0, 4.0, 200.0))
    layout = target_layout(recipe, GRID)
    drawn = {(g.line_width_um, g.orientation) for g in layout.groups}
    assert drawn == {(4.0, "vertical"), (4.0, "horizontal")}
    text = " ".join(layout.left_out)
    assert "line width 1 um: below two samples" in text
    assert "line width 200 um: a group of 1800 um finds no room" in text


def test_default_target_on_the_paper_grid_loses_the_finest_group_only() -> None:
    """On a 2.75 mm field all widths from 1.5 um on find a place."""
    grid = Grid(shape=(4320, 4320), pixel_um=0.637)
    layout = target_layout(ResolutionTarget(), grid)
    assert {g.line_width_um for g in layout.groups} == set(ResolutionTarget().line_widths_um[1:])
    assert {e.orientation for e in layout.edges} == {"vertical", "horizontal"}
    assert len(layout.stars) == 1 and layout.points_um and layout.textures


def test_tiny_field_keeps_an_empty_target_honest() -> None:
    """A field too small for anything but a star and edges says what it left out."""
    layout = target_layout(
        ResolutionTarget(line_widths_um=(25.0,)), Grid(shape=(90, 120), pixel_um=1)
    )
    assert not layout.groups
    assert len(layout.left_out) >= 2


def test_slanted_edge_runs_where_the_layout_says() -> None:
    """Row by row the uncovered length left of the edge is that of x = y tan(angle)."""
    for angle in (0.0, 5.0, -12.0):
        recipe = SlantedEdge(thickness_um=3.0, angle_deg=angle)
        image = build_specimen(recipe, GRID).thickness_um["Au"]
        clear = (1.0 - image / 3.0).sum(axis=1, dtype=float) * GRID.pixel_um
        edge = clear - 0.5 * GRID.extent_um[1]
        expected = GRID.row_um * math.tan(math.radians(angle))
        # A thousand float32 roundings per row, and the smallest tilt of the closed form.
        np.testing.assert_allclose(edge, expected, atol=1e-4)


def test_edges_of_the_target_have_their_film_to_the_right_and_below() -> None:
    """A vertical edge has film at greater columns, a horizontal one at greater rows, by half."""
    recipe = ResolutionTarget(thickness_um=1.0)
    image = build_specimen(recipe, GRID).thickness_um["Au"]
    for edge in target_layout(recipe, GRID).edges:
        part = _inside(image, GRID, edge.box.shrunk(GRID.pixel_um))
        if edge.orientation == "horizontal":
            part = part.T
        profile = part.mean(axis=0)
        quarter = profile.size // 4
        assert profile[:quarter].max() < 0.01 and profile[-quarter:].min() > 0.99
        assert part.mean() == pytest.approx(0.5, abs=0.01)  # one pixel of ~150 at the borders


def test_star_area_and_orientation() -> None:
    """Wedges fill half the ring; the first lies just below the axis to the right."""
    recipe = SiemensStar(spokes=8, radius_um=250.0, thickness_um=1.0)
    image = build_specimen(recipe, GRID).thickness_um["Au"]
    (star,) = target_layout(recipe, GRID).stars
    area = image.sum(dtype=float) * GRID.pixel_um**2
    ring = math.pi * (star.outer_radius_um**2 - star.inner_radius_um**2)
    # Exact but for the corners: 32 pixels of about 0.1 pixel error in 2e5.
    assert area == pytest.approx(0.5 * ring, rel=2e-5)
    row = int(np.argmin(abs(GRID.row_um - 150 * math.sin(math.pi / 16))))
    column = int(np.argmin(abs(GRID.column_um - 150 * math.cos(math.pi / 16))))
    mirror = GRID.shape[0] - 1 - row
    assert image[row, column] == 1.0 and image[mirror, column] == 0.0


def test_star_wedges_match_sub_sampling() -> None:
    """Down to the inner radius each pixel has the coverage of a 40 x 40 sub-sampling."""
    grid = Grid(shape=(121, 121), pixel_um=1.0)
    recipe = SiemensStar(spokes=20, radius_um=55.0, thickness_um=1.0)
    image = build_specimen(recipe, grid).thickness_um["Au"]
    (star,) = target_layout(recipe, grid).stars
    fine = (np.arange(40) + 0.5) / 40 - 0.5
    x = (grid.column_um[:, None] + fine).reshape(-1)
    r = np.hypot(x[:, None], x[None, :])
    wedge = np.mod(np.floor(np.arctan2(x[:, None], x[None, :]) * 20 / math.pi), 2) == 0
    inside = wedge & (r < 55.0) & (r > star.inner_radius_um)
    sampled = inside.reshape(121, 40, 121, 40).mean(axis=(1, 3))
    centre = np.hypot(grid.row_um[:, None], grid.column_um[None, :])
    middle = (centre < 54.0) & (centre > star.inner_radius_um + 1.0)
    # Sub-sampling errs by up to a row of sub-samples per border.
    np.testing.assert_allclose(image[middle], sampled[middle], atol=1.5 / 40)
    # At the two rims borders cross: product instead of intersection, below a quarter.
    np.testing.assert_allclose(image, sampled, atol=0.26)


def test_point_grid_area_centre_and_pitch() -> None:
    """Each disc has its exact area, one is on the axis, neighbours are a pitch apart."""
    recipe = PointGrid(diameter_um=5.0, pitch_um=61.0, thickness_um=1.0)
    image = build_specimen(recipe, GRID).thickness_um["Au"]
    layout = target_layout(recipe, GRID)
    assert (0.0, 0.0) in layout.points_um and (61.0, -122.0) in layout.points_um
    area = image.sum(dtype=float) * GRID.pixel_um**2
    # Float32 rounding of a few dozen partly covered pixels per disc.
    assert area == pytest.approx(len(layout.points_um) * math.pi * 2.5**2, rel=FLOAT32)
    disc = Box(row_low_um=56.0, row_high_um=66.0, column_low_um=-127.0, column_high_um=-117.0)
    part = _inside(image, GRID, disc)
    rows = GRID.row_um[(GRID.row_um > 56.0) & (GRID.row_um < 66.0)]
    # A rim pixel's film is not centred in it: of second order in pixel / diameter.
    assert (part.sum(axis=1) @ rows) / part.sum() == pytest.approx(61.0, abs=0.01 * 0.7)


def test_binning_a_finer_target_gives_the_coarser_one() -> None:
    """Coverage is exact: the mean of 2 x 2 fine pixels is the coarse pixel."""
    coarse, fine = Grid(shape=(400, 436), pixel_um=1.4), Grid(shape=(800, 872), pixel_um=0.7)
    for target in (SlantedEdge(angle_deg=9.0), PointGrid(diameter_um=11.0, pitch_um=40.0)):
        one = build_specimen(target, coarse).thickness_um["Au"]
        two = build_specimen(target, fine).thickness_um["Au"]
        mean = two.reshape(400, 2, 436, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(one, mean, atol=5e-6)  # 5 um of film in float32


def test_texture_is_half_covered() -> None:
    """Each block of a texture is covered with probability one half."""
    layout = target_layout(ResolutionTarget(thickness_um=1.0), GRID)
    image = build_specimen(ResolutionTarget(thickness_um=1.0), GRID).thickness_um["Au"]
    for texture in layout.textures:
        blocks = (texture.box.height_um / texture.block_um) ** 2
        part = _inside(image, GRID, texture.box)
        # Five binomial standard deviations, and the pixels on the rim.
        assert abs(part.mean() - 0.5) < 5 * 0.5 / math.sqrt(blocks) + 0.02


def test_same_recipe_same_bits() -> None:
    """A target is drawn without chance."""
    one, two = (build_specimen(ResolutionTarget(), GRID).thickness_um["Au"] for _ in range(2))
    assert np.array_equal(one, two)


def test_fish_has_an_empty_layout() -> None:
    """What is not a target has nothing to find."""
    layout = target_layout(Fish(), GRID)
    assert not (layout.groups or layout.edges or layout.stars or layout.points_um)


def test_targets_too_fine_for_the_grid_are_refused() -> None:
    """Points and stars below two samples are refused with the remedy."""
    with pytest.raises(SamplingError, match=r"raise accuracy\.oversampling"):
        build_specimen(PointGrid(diameter_um=1.0), GRID)
    with pytest.raises(SamplingError, match=r"target\.spokes = 1000"):
        build_specimen(SiemensStar(spokes=1000, radius_um=100.0), GRID)
    with pytest.raises(RangeError, match="must not overlap"):
        PointGrid(diameter_um=5.0, pitch_um=4.0)
