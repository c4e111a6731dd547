"""Random bodies that do not overlap: closed-cell foam, layers of spheres, mats of fibres.

A specimen of these kinds is fixed by its recipe alone, its seed included: it is the same individual
on every grid, in front of every plate. It fills a square block about the optical axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError, check_range

FloatArray = NDArray[np.float64]

GREATEST_PACKING = 0.30
"""Random sequential addition of equal spheres jams at 0.384 (Torquato and Stillinger 2010, Rev.
Mod. Phys. 82, 2633, Sec. III.D); up to this share it needs few attempts."""

MOST_BODIES = 20_000
_ATTEMPTS = 2_000
_CUT_SIGMAS = 2.5
"""Sizes are log-normal, cut off at this many standard deviations."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Foam:
    """Closed-cell foam: a block with spherical pores that do not overlap.

    Parameters
    ----------
    width_um, thickness_um : float
        Side of the block across the beam; its thickness along it.
    pore_diameter_um, pore_spread : float
        Median diameter of the pores and the standard deviation of its logarithm.
    porosity : float
        Share of the block's volume that is pore.
    material : str
        What the walls are made of.
    seed : int
        Seed of the individual.
    """

    kind: str = "foam"
    width_um: float = 1000.0
    thickness_um: float = 300.0
    pore_diameter_um: float = 60.0
    pore_spread: float = 0.3
    porosity: float = 0.25
    material: str = "PMMA"
    seed: int = 1

    def __post_init__(self) -> None:
        _check_block(self.width_um, self.thickness_um)
        _check_sizes("pore", self.pore_diameter_um, self.pore_spread, self.thickness_um)
        _check_share("porosity", self.porosity)
        check_range("specimen.seed", self.seed, low=0, high=2**63 - 1)
        _check_count(self.porosity, self.width_um, self.thickness_um, self.pore_diameter_um)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spheres:
    """A layer of solid spheres that do not overlap.

    Parameters
    ----------
    width_um, thickness_um : float
        Side of the layer across the beam; its depth along it.
    diameter_um, spread : float
        Median diameter and the standard deviation of its logarithm.
    volume_fraction : float
        Share of the layer's volume that is sphere.
    material : str
        What the spheres are made of.
    seed : int
        Seed of the individual.
    """

    kind: str = "spheres"
    width_um: float = 1000.0
    thickness_um: float = 200.0
    diameter_um: float = 60.0
    spread: float = 0.2
    volume_fraction: float = 0.15
    material: str = "glass"
    seed: int = 1

    def __post_init__(self) -> None:
        _check_block(self.width_um, self.thickness_um)
        _check_sizes("", self.diameter_um, self.spread, self.thickness_um)
        _check_share("volume_fraction", self.volume_fraction)
        check_range("specimen.seed", self.seed, low=0, high=2**63 - 1)
        _check_count(self.volume_fraction, self.width_um, self.thickness_um, self.diameter_um)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fibres:
    """A mat of straight solid fibres, one on another, in all directions of the plane.

    Parameters
    ----------
    width_um : float
        Side of the square that the fibres cross from rim to rim.
    diameter_um, spread : float
        Median diameter and the standard deviation of its logarithm.
    count : int
        Number of fibres.
    tilt_deg : float
        Greatest angle of a fibre against the plane; angles are even up to it.
    material : str
        What the fibres are made of.
    seed : int
        Seed of the individual.
    """

    kind: str = "fibres"
    width_um: float = 1000.0
    diameter_um: float = 15.0
    spread: float = 0.2
    count: int = 60
    tilt_deg: float = 10.0
    material: str = "fused silica"
    seed: int = 1

    def __post_init__(self) -> None:
        check_range("specimen.width_um", self.width_um, low=1.0, high=1e5, unit="um")
        _check_sizes("", self.diameter_um, self.spread, math.inf)
        check_range("specimen.count", self.count, low=0, high=MOST_BODIES)
        check_range("specimen.tilt_deg", self.tilt_deg, low=0.0, high=60.0, unit="deg")
        check_range("specimen.seed", self.seed, low=0, high=2**63 - 1)


def _check_block(width_um: float, thickness_um: float) -> None:
    check_range("specimen.width_um", width_um, low=1.0, high=1e5, unit="um")
    check_range("specimen.thickness_um", thickness_um, low=1.0, high=1e5, unit="um")


def _check_sizes(prefix: str, diameter_um: float, spread: float, thickness_um: float) -> None:
    name = f"{prefix}_diameter_um" if prefix else "diameter_um"
    check_range(f"specimen.{name}", diameter_um, low=0.1, high=1e4, unit="um")
    check_range(f"specimen.{f'{prefix}_spread' if prefix else 'spread'}", spread, low=0.0, high=0.8)
    largest = diameter_um * math.exp(_CUT_SIGMAS * spread)
    if largest > thickness_um:
        raise InputError(
            f"specimen.thickness_um = {thickness_um:g} does not hold the largest body, "
            f"{largest:.4g} um (specimen.{name} with its spread). Give a thicker block or "
            "smaller bodies."
        )


def _check_share(name: str, share: float) -> None:
    check_range(
        f"specimen.{name}",
        share,
        low=0.0,
        high=GREATEST_PACKING,
        remedy="Bodies put down at random one after another find no room beyond that.",
    )


def _check_count(share: float, width_um: float, thickness_um: float, diameter_um: float) -> None:
    count = share * width_um**2 * thickness_um / (math.pi / 6.0 * diameter_um**3)
    if count > MOST_BODIES:
        raise InputError(
            f"specimen.width_um = {width_um:g} would hold {count:.0f} bodies; at most "
            f"{MOST_BODIES} are drawn. Use larger bodies or a smaller block."
        )


@lru_cache(maxsize=8)
def pores(recipe: Foam) -> FloatArray:
    """Return the pores of a foam as (row, column, depth, radius), um, (N, 4)."""
    return packed_spheres(
        recipe.width_um,
        recipe.thickness_um,
        recipe.porosity,
        (0.5 * recipe.pore_diameter_um, recipe.pore_spread),
        recipe.seed,
    )


@lru_cache(maxsize=8)
def spheres(recipe: Spheres) -> FloatArray:
    """Return the spheres of a layer as (row, column, depth, radius), um, (N, 4)."""
    return packed_spheres(
        recipe.width_um,
        recipe.thickness_um,
        recipe.volume_fraction,
        (0.5 * recipe.diameter_um, recipe.spread),
        recipe.seed,
    )


def packed_spheres(
    width_um: float,
    thickness_um: float,
    share: float,
    size: tuple[float, float],
    seed: int,
) -> FloatArray:
    """Return spheres in a block put down at random where they touch none before, largest first.

    Parameters
    ----------
    width_um, thickness_um : float
        The block; spheres lie wholly inside it.
    share : float
        Of the block's volume; met to the volume of one sphere; less where one found no room.
    size : (float, float)
        Median radius, um, and standard deviation of its logarithm.
    seed : int
        Seed of the individual.

    Returns
    -------
    (N, 4) float array
        Row, column (from the axis), depth (from the block's entrance), radius, um.
    """
    rng = np.random.default_rng([seed, 1])
    radii = _radii(share * width_um**2 * thickness_um, *size, rng)
    radii = radii[2.0 * radii <= min(width_um, thickness_um)]
    placed = np.empty((radii.size, 4))
    count = 0
    for radius in np.sort(radii)[::-1]:
        found = _free_place(placed[:count], radius, (width_um, thickness_um), rng)
        if found is not None:
            placed[count, :3], placed[count, 3] = found, radius
            count += 1
    placed[:count, :2] -= 0.5 * width_um
    placed.setflags(write=False)
    return placed[:count]


def _radii(
    volume_um3: float, median_um: float, spread: float, rng: np.random.Generator
) -> FloatArray:
    """Return log-normal radii whose spheres fill a volume, to one sphere."""
    mean = 4.0 / 3.0 * math.pi * median_um**3 * math.exp(4.5 * spread**2)
    normal = rng.standard_normal(int(2.0 * volume_um3 / mean) + 64)
    radii = median_um * np.exp(spread * np.clip(normal, -_CUT_SIGMAS, _CUT_SIGMAS))
    filled = np.cumsum(4.0 / 3.0 * math.pi * radii**3)
    return np.asarray(radii[: int(np.searchsorted(filled, volume_um3))])


def _free_place(
    placed: FloatArray, radius: float, block: tuple[float, float], rng: np.random.Generator
) -> FloatArray | None:
    """Return a centre where a sphere touches none, or None after many attempts."""
    width, thickness = block
    span = np.array([width, width, thickness]) - 2.0 * radius
    reach = (placed[:, 3] + radius) ** 2
    for _ in range(_ATTEMPTS):
        centre = radius + span * rng.random(3)
        if not placed.size:
            return np.asarray(centre)
        gap = placed[:, :3] - centre
        if np.all(np.einsum("ij,ij->i", gap, gap) >= reach):
            return np.asarray(centre)
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class FibreLines:
    """Fibres as lines in the plane.

    Parameters
    ----------
    distance_um, angle_rad : (N,) array
        Signed distance of a fibre's axis from the optical axis; direction of its normal against
        the columns' axis.
    radius_um, tilt_rad : (N,) array
        Radius; angle against the plane.
    """

    distance_um: FloatArray
    angle_rad: FloatArray
    radius_um: FloatArray
    tilt_rad: FloatArray


@lru_cache(maxsize=8)
def fibre_lines(recipe: Fibres) -> FibreLines:
    """Return the fibres of a mat: isotropic random lines through the block's circle."""
    rng = np.random.default_rng([recipe.seed, 2])
    normal = np.clip(rng.standard_normal(recipe.count), -_CUT_SIGMAS, _CUT_SIGMAS)
    reach = recipe.width_um / math.sqrt(2.0)
    return FibreLines(
        distance_um=reach * (2.0 * rng.random(recipe.count) - 1.0),
        angle_rad=math.pi * rng.random(recipe.count),
        radius_um=0.5 * recipe.diameter_um * np.exp(recipe.spread * normal),
        tilt_rad=np.radians(recipe.tilt_deg) * (2.0 * rng.random(recipe.count) - 1.0),
    )
