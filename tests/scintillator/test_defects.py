"""Plate defects: statistics, independence of kinds, depths, and maps."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import RangeError
from scintscope.grids import Grid
from scintscope.scintillator.defect_shapes import DefectObject, profiles
from scintscope.scintillator.defects import (
    PlateDefects,
    draw_catalogue,
    make_defects,
    scratch_depth_um,
)
from scintscope.scintillator.plate import DefectRecipe

GRID = Grid(shape=(301, 420), pixel_um=1.3)
BUSY = DefectRecipe(
    scratches_per_mm2=60.0,
    bubbles_per_mm2=80.0,
    inclusions_per_mm2=70.0,
    dust_per_mm2=90.0,
    glow_per_mm2=50.0,
    shading=0.03,
)
DENSITIES = ("scratches", "bubbles", "inclusions", "dust", "glow")


def _make(recipe: DefectRecipe, thickness: float = 20.0, seed: int = 1) -> PlateDefects:
    return make_defects(recipe, GRID, thickness, np.random.default_rng(seed))


def test_perfect_plate_costs_nothing() -> None:
    """Zero densities give no map at all."""
    assert _make(DefectRecipe()) == PlateDefects()


@pytest.mark.parametrize("name", DENSITIES)
def test_counts_follow_density_times_area(name: str) -> None:
    """The number of objects of a kind is Poisson with mean density x area."""
    recipe = DefectRecipe(**{f"{name}_per_mm2": 900.0})
    grid = Grid(shape=(1000, 2000), pixel_um=0.7)
    objects = draw_catalogue(recipe, grid, 20.0, np.random.default_rng(5))
    mean = 900.0 * 0.7 * 1.4
    assert abs(len(objects) - mean) < 5.0 * math.sqrt(mean)  # five sigma
    assert len({o.kind for o in objects}) == 1
    rows = np.array([o.row_um for o in objects])
    # Uniform over the field: mean 0 with sigma of width / sqrt(12 N), five of them.
    assert abs(rows.mean()) < 5.0 * 700.0 / math.sqrt(12 * len(objects))
    assert 300.0 < abs(rows).max() <= 350.0


def test_same_seed_same_bits_and_other_seed_another_plate() -> None:
    """The plate is a function of its seed; the recipe's own seed wins over the generator's."""
    one, two, other = _make(BUSY), _make(BUSY), _make(BUSY, seed=2)
    assert one.catalogue == two.catalogue != other.catalogue
    for a, b in zip(one.emission, two.emission, strict=True):
        assert np.array_equal(a.loss, b.loss)
    own = replace(BUSY, seed=77)
    assert _make(own, seed=1).catalogue == _make(own, seed=2).catalogue


@pytest.mark.parametrize("name", DENSITIES)
def test_one_kind_does_not_move_another(name: str) -> None:
    """Changing the density of one kind leaves all objects of the others, and the shading."""
    changed = _make(replace(BUSY, **{f"{name}_per_mm2": 5.0}))
    kind = {"scratches": "scratch", "bubbles": "bubble", "inclusions": "inclusion"}.get(name, name)
    original = _make(BUSY)
    assert [o for o in original.catalogue if o.kind != kind] == [
        o for o in changed.catalogue if o.kind != kind
    ]
    np.testing.assert_array_equal(original.shading, changed.shading)


def test_objects_do_not_depend_on_the_pitch() -> None:
    """The same field sampled twice as finely holds the same plate."""
    fine = Grid(shape=(602, 840), pixel_um=0.65)
    coarse = _make(BUSY)
    refined = make_defects(BUSY, fine, 20.0, np.random.default_rng(1))
    assert coarse.catalogue == refined.catalogue
    for a, b in zip(coarse.transmission, refined.transmission, strict=True):
        binned = b.loss.reshape(301, 2, 420, 2).mean(axis=(1, 3))
        # Rims a pixel wide on objects a few pixels across: total loss within some per cent.
        assert binned.sum() == pytest.approx(a.loss.sum(), rel=0.06)


@settings(max_examples=25, deadline=None)
@given(thickness=st.floats(0.5, 2000.0), seed=st.integers(0, 1000))
def test_depths_stay_within_the_plate(thickness: float, seed: int) -> None:
    """Objects, with their axial extent, lie between the faces."""
    grid = Grid(shape=(100, 80), pixel_um=3.0)
    for item in draw_catalogue(BUSY, grid, thickness, np.random.default_rng(seed)):
        slack = 1e-9 * thickness  # float rounding
        assert item.depth_um - 0.5 * item.axial_um >= -slack
        assert item.depth_um + 0.5 * item.axial_um <= thickness + slack


@pytest.mark.parametrize("thickness", [1.0, 20.0, 200.0])
def test_groups_are_few_ordered_and_inside(thickness: float) -> None:
    """Emission ranges tile the plate without overlap; planes lie in it; losses are in [0, 1]."""
    defects = _make(BUSY, thickness)
    edges = [(e.depth_low_um, e.depth_high_um) for e in defects.emission]
    assert len(edges) == 3 and edges[0][0] == 0.0 and edges[-1][1] == thickness
    assert all(a[1] == b[0] for a, b in pairwise(edges))
    assert 2 <= len(defects.transmission) <= 3 and 1 <= len(defects.glow) <= 2
    assert defects.transmission[-1].depth_um == thickness
    for part in (*defects.emission, *defects.transmission):
        assert part.loss.dtype == np.float32 and part.loss.shape == GRID.shape
        assert part.loss.min() >= 0.0 and 0.0 < part.loss.max() <= 1.0
    for plane in (*defects.transmission, *defects.glow):
        assert 0.0 <= plane.depth_um <= thickness


def test_dust_only_stops_light() -> None:
    """Dust on the exit face takes no emission; a bubble takes both; a glow adds only."""
    dust = _make(DefectRecipe(dust_per_mm2=200.0))
    assert not dust.emission and not dust.glow and len(dust.transmission) == 1
    bubbles = _make(DefectRecipe(bubbles_per_mm2=200.0))
    assert len(bubbles.emission) == len(bubbles.transmission) == 1
    glow = _make(DefectRecipe(glow_per_mm2=200.0))
    assert not glow.emission and not glow.transmission and len(glow.glow) == 1


def test_bubble_takes_less_of_a_thicker_plate() -> None:
    """Emission lost is strength x height / range: ten times less in a ten times thicker bulk."""
    recipe = DefectRecipe(bubbles_per_mm2=100.0, spot_diameter_um=4.0, contrast=0.8)
    thick, thicker = _make(recipe, 200.0), _make(recipe, 2000.0)
    ratio = thick.emission[0].loss.sum(dtype=float) / thicker.emission[0].loss.sum(dtype=float)
    # Bulk is 196 and 1996 um; overlaps and float32 losses of 1e-3 leave some per mille.
    assert ratio == pytest.approx(1996.0 / 196.0, rel=5e-3)


def test_contrast_bounds_a_single_object() -> None:
    """No object exceeds the recipe's contrast; overlapping ones multiply and stay below one."""
    objects = _make(replace(BUSY, contrast=0.3)).catalogue
    assert max(o.strength for o in objects) <= 0.3
    full = _make(replace(BUSY, contrast=1.0, dust_per_mm2=2000.0))
    assert max(t.loss.max() for t in full.transmission) <= 1.0


def test_spot_has_its_area_and_place() -> None:
    """A bubble's profile is centred on it, and its smooth rim has its half level at the radius."""
    item = DefectObject(
        kind="bubble", row_um=31.0, column_um=-87.5, depth_um=5.0, size_um=20.0, strength=1.0
    )
    grid = Grid(shape=(300, 421), pixel_um=0.8)
    image = _draw(item, grid)
    total = image.sum(dtype=float)
    assert image.sum(axis=1) @ grid.row_um / total == pytest.approx(31.0, abs=0.02)
    assert image.sum(axis=0) @ grid.column_um / total == pytest.approx(-87.5, abs=0.02)
    # Rim 3s^2 - 2s^3 over 2 e = 6 um: its slope's variance (2e)^2 / 20 adds to r^2.
    # Sampling a rim seven pixels wide leaves some 1e-3.
    assert total * 0.8**2 == pytest.approx(math.pi * (100.0 + 36.0 / 20.0), rel=2e-3)


def _draw(item: DefectObject, grid: Grid) -> np.ndarray:
    image = np.zeros(grid.shape, np.float32)
    for index, profile in profiles(item, grid):
        image[index] += profile
    return image


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 150.0])
def test_scratch_has_its_direction_length_and_width(angle_deg: float) -> None:
    """Second moments of a straight scratch give its angle; its integral is width x length."""
    angle = math.radians(angle_deg)
    item = DefectObject(
        kind="scratch",
        row_um=-9.0,
        column_um=14.0,
        depth_um=0.0,
        size_um=1.5,
        length_um=130.0,
        angle_rad=angle,
        strength=1.0,
    )
    image = _draw(item, GRID).astype(float)
    assert image.max() <= 1.0
    r, c = GRID.row_um[:, None] + 9.0, GRID.column_um[None, :] - 14.0
    along, across = (
        r * math.sin(angle) + c * math.cos(angle),
        r * math.cos(angle) - c * math.sin(angle),
    )
    total = image.sum()
    assert (image * across**2).sum() / total < 2.0 < 500.0 < (image * along**2).sum() / total
    # Gaussian: area = FWHM sqrt(pi / (4 ln 2)); fading over a tenth at both ends takes a tenth.
    area = 1.5 * math.sqrt(math.pi / (4.0 * math.log(2.0))) * 130.0 * 0.9
    # At this pitch, 0.87 of the width, the sum over pixels misses the integral by some per cent.
    assert total * GRID.pixel_um**2 == pytest.approx(area, rel=0.06)


def test_curved_scratch_bows_to_its_stated_side() -> None:
    """With the chord along the columns, a positive sagitta bows towards greater rows."""
    item = DefectObject(
        kind="scratch",
        row_um=0.0,
        column_um=0.0,
        depth_um=0.0,
        size_um=3.0,
        length_um=200.0,
        sagitta_um=20.0,
        strength=1.0,
    )
    image = _draw(item, GRID).astype(float)
    middle = image[:, GRID.shape[1] // 2]
    # The peak of one column, to a pixel.
    assert GRID.row_um[middle.argmax()] == pytest.approx(20.0, abs=1.3)
    # Pieces join without gap or overlap: the ridge never dips along the inner chord.
    inner = abs(GRID.column_um) < 70.0
    assert image[:, inner].max(axis=0).min() > 0.75 and image.max() <= 1.0


def test_shading_is_slow_and_bounded() -> None:
    """The shading deviates from one by its amplitude at most, and changes slowly."""
    shading = _make(DefectRecipe(shading=0.05)).shading
    assert shading is not None and shading.dtype == np.float32
    assert abs(shading - 1.0).max() == pytest.approx(0.05, rel=1e-4)  # float32 near one
    # Three half-waves over the field: slope at most 3 pi amplitude x the sum of a few terms.
    assert abs(np.diff(shading, axis=0)).max() < 0.05 * 30.0 / GRID.shape[0]


def test_scratches_are_shallow() -> None:
    """Scratches reach 2 um at most, a tenth of a thin plate."""
    assert scratch_depth_um(200.0) == 2.0
    assert scratch_depth_um(5.0) == 0.5


def test_bad_thickness_is_refused() -> None:
    """A plate needs a positive thickness."""
    with pytest.raises(RangeError, match="thickness_um"):
        _make(BUSY, 0.0)
