"""The fish-like specimen."""

import numpy as np
import pytest

from scintscope.errors import InputError, RangeError
from scintscope.grids import Grid
from scintscope.sample import build_specimen
from scintscope.sample.specimen import Fish

GRID = Grid(shape=(361, 840), pixel_um=2.6)


@pytest.fixture(scope="module")
def maps() -> dict[str, np.ndarray]:
    """Return the default fish on a coarse grid."""
    return build_specimen(Fish(), GRID).thickness_um


def test_two_materials_with_the_stated_thickness(maps: dict[str, np.ndarray]) -> None:
    """Tissue reaches about the body's thickness; bone its own plus the scales' mineral."""
    assert set(maps) == {"soft tissue", "bone"}
    assert all(m.dtype == np.float32 and m.shape == GRID.shape for m in maps.values())
    # Eye, muscle and texture add up to a fifth.
    assert 400.0 * 0.9 < maps["soft tissue"].max() < 400.0 * 1.25
    assert 40.0 <= maps["bone"].max() <= 40.0 + 12.0


def test_nose_left_belly_down(maps: dict[str, np.ndarray]) -> None:
    """The mass is in the front half; the belly hangs deeper than the back rises."""
    tissue = maps["soft tissue"]
    columns = tissue.sum(axis=0)
    assert columns[:420].sum() > 2.0 * columns[420:].sum()
    front = np.flatnonzero(tissue[:, 250] > 20.0)
    above, below = 180 - front[0], front[-1] - 180
    assert below > above


def test_spine_is_segmented(maps: dict[str, np.ndarray]) -> None:
    """Along the spine bone thickness goes up and down about thirty times."""
    line = maps["bone"][150:200, 200:690].max(axis=0)
    high = line > 30.0
    assert 20 <= np.count_nonzero(high[1:] & ~high[:-1]) <= 62


def test_seed_makes_the_individual(maps: dict[str, np.ndarray]) -> None:
    """One seed gives the same bits, another seed another fish of nearly the same mass."""
    again = build_specimen(Fish(), GRID).thickness_um
    other = build_specimen(Fish(seed=2), GRID).thickness_um
    for name, values in maps.items():
        assert np.array_equal(values, again[name])
        assert not np.array_equal(values, other[name])
        # Texture is 3-5 % with zero mean: the mass differs by far less.
        assert other[name].sum() == pytest.approx(values.sum(), rel=0.05)


def test_finer_grid_shows_the_same_fish(maps: dict[str, np.ndarray]) -> None:
    """Binned from half the pitch, the tissue is the same but for rims and unresolved relief."""
    fine = build_specimen(Fish(), Grid(shape=(722, 1680), pixel_um=1.3)).thickness_um
    tissue = fine["soft tissue"].reshape(361, 2, 840, 2).mean(axis=(1, 3))
    difference = np.abs(tissue - maps["soft tissue"])
    # Scales' ridges (6 um) are unresolved at 2.6 um: a few um of 400; rims change more.
    assert np.median(difference[maps["soft tissue"] > 100.0]) < 2.0
    assert fine["bone"].mean() == pytest.approx(maps["bone"].mean(), rel=0.02)


@pytest.mark.parametrize("shape", [(64, 51), (101, 300)])
def test_small_field_cuts_the_fish(shape: tuple[int, int], maps: dict[str, np.ndarray]) -> None:
    """A field smaller than the fish holds its middle."""
    part = build_specimen(Fish(), Grid(shape=shape, pixel_um=2.6)).thickness_um["soft tissue"]
    assert part.shape == shape
    assert part.max() > 100.0


def test_relief_is_switched_by_its_height() -> None:
    """Without relief only the bones of the skeleton remain in the bone map."""
    plain = build_specimen(Fish(scale_relief_um=0.0), GRID).thickness_um["bone"]
    scaled = build_specimen(Fish(), GRID).thickness_um["bone"]
    assert np.count_nonzero(plain) < 0.6 * np.count_nonzero(scaled)


def test_bad_fish_are_refused() -> None:
    """One material for both, or no length, is refused."""
    with pytest.raises(InputError, match="give two materials"):
        build_specimen(Fish(tissue="bone"), GRID)
    with pytest.raises(RangeError, match=r"specimen\.length_um"):
        Fish(length_um=0.0)
