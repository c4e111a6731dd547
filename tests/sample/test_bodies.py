"""Foam, spheres and fibres: chords, volumes, individuals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scintscope.errors import InputError, RangeError
from scintscope.grids import Grid
from scintscope.sample import build_specimen
from scintscope.sample.packings import Fibres, Foam, Spheres, fibre_lines, pores, spheres

GRID = Grid(shape=(301, 322), pixel_um=1.0)
LAYER = Spheres(width_um=260.0, thickness_um=80.0, diameter_um=25.0, volume_fraction=0.2)
FOAM = Foam(width_um=260.0, thickness_um=90.0, pore_diameter_um=25.0, porosity=0.25)


def thickness(recipe: Spheres | Foam | Fibres, grid: Grid = GRID) -> np.ndarray:
    """Return the only map of a specimen."""
    (values,) = build_specimen(recipe, grid).thickness_um.values()
    return values.astype(np.float64)


def test_volume_of_spheres_is_that_of_their_radii() -> None:
    """The map's integral is sum 4/3 pi r^3, to the points taken within a pixel."""
    bodies = spheres(LAYER)
    wanted = (4.0 / 3.0 * math.pi * bodies[:, 3] ** 3).sum()
    # Midpoints two to a pixel: the rim's error falls as (pixel / radius)^(3/2) and averages out
    # over some 2 pi r / pixel rim pixels of a hundred spheres, well below 2e-3.
    assert thickness(LAYER).sum() == pytest.approx(wanted, rel=2e-3)
    assert wanted == pytest.approx(0.2 * 260.0**2 * 80.0, rel=0.05)


def test_chord_through_the_middle_is_the_diameter() -> None:
    """A lone sphere is as thick as it is wide; towards its rim it follows 2 sqrt(r^2 - d^2)."""
    one = Spheres(
        width_um=80.0, thickness_um=80.0, diameter_um=60.0, spread=0.0, volume_fraction=0.3
    )
    ((row, column, _, radius),) = spheres(one).tolist()
    assert radius == pytest.approx(30.0)
    grid = Grid(shape=(301, 301), pixel_um=0.25)
    values = thickness(one, grid)
    distance = np.hypot(grid.row_um[:, None] - row, grid.column_um[None, :] - column)
    wanted = 2.0 * np.sqrt(np.maximum(radius**2 - distance**2, 0.0))
    inner = distance < 0.9 * radius
    # Mean over a pixel against its centre: second order, pixel^2 / 24 times the curvature of the
    # chord there, at most 2 / (r (1 - 0.81)^1.5) per um.
    assert np.abs(values - wanted)[inner].max() < 0.25**2 / 12.0 * 2.0 / (30.0 * 0.19**1.5)


def test_nothing_overlaps() -> None:
    """No two spheres are nearer than the sum of their radii, and all lie in the block."""
    for bodies, depth in ((spheres(LAYER), 80.0), (pores(FOAM), 90.0)):
        gap = bodies[:, None, :3] - bodies[None, :, :3]
        apart = np.sqrt((gap**2).sum(axis=2)) - bodies[:, None, 3] - bodies[None, :, 3]
        apart[np.diag_indices(len(bodies))] = 1.0
        assert apart.min() >= -1e-9  # rounding of coordinates of 100 um
        assert np.all(np.abs(bodies[:, :2]) + bodies[:, 3:] <= 130.0 + 1e-9)
        assert np.all((bodies[:, 2] >= bodies[:, 3]) & (bodies[:, 2] + bodies[:, 3] <= depth))


def test_foam_is_block_less_pores() -> None:
    """Walls and pores fill the block, nothing lies outside it, and no chord is negative."""
    values = thickness(FOAM)
    solid = 1.0 - (4.0 / 3.0 * math.pi * pores(FOAM)[:, 3] ** 3).sum() / (260.0**2 * 90.0)
    # Reason as for spheres, the pores being a quarter of the volume.
    assert values.sum() == pytest.approx(solid * 260.0**2 * 90.0, rel=2e-3)
    assert 0.70 < solid < 0.80
    assert values.min() >= 0.0 and values.max() <= 90.0
    assert not values[:, :30].any() and not values[:20].any()


def test_fibre_has_the_volume_of_its_cylinder() -> None:
    """A fibre's map integrates to cross-section times length, longer by its tilt."""
    mat = Fibres(width_um=200.0, diameter_um=12.0, spread=0.0, count=1, tilt_deg=30.0, seed=5)
    lines = fibre_lines(mat)
    tilt, angle = float(lines.tilt_rad[0]), float(lines.angle_rad[0])
    distance = float(lines.distance_um[0])
    # Length of the axis inside the square, by brute force along it.
    t = np.linspace(-200.0, 200.0, 400_001)
    column = distance * math.cos(angle) - t * math.sin(angle)
    row = distance * math.sin(angle) + t * math.cos(angle)
    inside = (np.abs(column) <= 100.0) & (np.abs(row) <= 100.0)
    length = inside.mean() * 400.0
    assert length > 50.0
    wanted = math.pi * 6.0**2 * length / math.cos(tilt)
    # The ends are cut by the square's sides: slanted cuts through the axis keep the volume unless
    # a corner is near; 1 % holds for this individual.
    assert thickness(mat).sum() == pytest.approx(wanted, rel=1e-2)


@pytest.mark.parametrize("recipe", [LAYER, FOAM, Fibres(width_um=200.0, count=20)])
def test_one_individual_on_every_grid(recipe: Spheres | Foam | Fibres) -> None:
    """A finer grid shows the same body: its binned map is the coarse one."""
    coarse = thickness(recipe, Grid(shape=(150, 160), pixel_um=2.0))
    fine = thickness(recipe, Grid(shape=(300, 320), pixel_um=1.0))
    binned = fine.reshape(150, 2, 160, 2).mean(axis=(1, 3))
    # At a rim a chord starts as 2 sqrt(2 r s). Over a step h from it the midpoint rule is off by
    # 0.04 of 2 sqrt(2 r) h^1.5: with h = 2/3 um, r = 7.5 um that is 0.09 um of a pixel's mean, less
    # than a hundredth of these maps' rms, at rim pixels only. Half a per cent over the whole map.
    assert np.sqrt(np.mean((binned - coarse) ** 2)) < 5e-3 * np.sqrt(np.mean(coarse**2))


def test_seed_makes_the_individual() -> None:
    """One seed gives the same bits, another seed another individual."""
    again = Spheres(width_um=260.0, thickness_um=80.0, diameter_um=25.0, volume_fraction=0.2)
    other = Spheres(
        width_um=260.0, thickness_um=80.0, diameter_um=25.0, volume_fraction=0.2, seed=2
    )
    assert np.array_equal(thickness(LAYER), thickness(again))
    assert not np.array_equal(thickness(LAYER), thickness(other))


def test_what_cannot_be_packed_is_refused() -> None:
    """Too dense, too many, or larger than the block: each is refused with a remedy."""
    with pytest.raises(RangeError, match=r"specimen.porosity = 0.5 .* find no room"):
        Foam(porosity=0.5)
    with pytest.raises(InputError, match="does not hold the largest body"):
        Spheres(thickness_um=50.0, diameter_um=60.0)
    with pytest.raises(InputError, match="larger bodies or a smaller block"):
        Spheres(width_um=5000.0, diameter_um=5.0)
