"""Defects of a plate: drawn as objects at depths, rendered as maps that multiply light.

Three effects, each a map at a depth: emission is lost where scintillator is missing or scratched;
light from beyond is lost where something scatters it; glowing spots add light. The list of
objects is kept as the truth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import check_range
from scintscope.grids import Grid
from scintscope.scintillator.defect_shapes import HARMONICS, DefectObject, profiles
from scintscope.scintillator.plate import DefectRecipe
from scintscope.units import UM2_PER_MM2

Image = NDArray[np.float32]
FloatArray = NDArray[np.float64]

KINDS = ("scratch", "bubble", "inclusion", "dust", "glow")
"""Order of the random streams; the slow shading has one of its own after them."""

SCRATCH_DEPTH_UM = 2.0
"""Greatest depth of a scratch below its face, um (assumed; at most a tenth of the plate)."""

THICK_UM = 60.0
"""A plate thicker than this has its bulk split into two depth ranges, um."""

SCATTERED_FRACTION = 0.6
"""Part of a bubble's or inclusion's contrast that acts on light from beyond (assumed)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmissionDefect:
    """Light emitted between two depths is multiplied by 1 - loss, (M, N) in [0, 1]."""

    depth_low_um: float
    depth_high_um: float
    loss: Image


@dataclass(frozen=True, kw_only=True, slots=True)
class TransmissionDefect:
    """Light from smaller z that crosses this depth is multiplied by 1 - loss, (M, N) in [0, 1]."""

    depth_um: float
    loss: Image


@dataclass(frozen=True, kw_only=True, slots=True)
class GlowDefect:
    """Light added at a depth, (M, N), as a fraction of the plate's local open-beam light."""

    depth_um: float
    relative_brightness: Image


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateDefects:
    """All defects of one plate on one grid; empty tuples and None cost nothing.

    Parameters
    ----------
    emission, transmission, glow
        Maps at depths; at most three, three and two. Emission ranges do not overlap.
    shading : (M, N) float32 array or None
        Factor 1 + ... on the light yield, slow over the field.
    catalogue : tuple of DefectObject
        The objects drawn, as the truth. Maps hold them at the depth of their group.
    """

    emission: tuple[EmissionDefect, ...] = ()
    transmission: tuple[TransmissionDefect, ...] = ()
    glow: tuple[GlowDefect, ...] = ()
    shading: Image | None = None
    catalogue: tuple[DefectObject, ...] = ()


def make_defects(
    recipe: DefectRecipe, grid: Grid, thickness_um: float, rng: np.random.Generator
) -> PlateDefects:
    """Draw and render the defects of one plate.

    Parameters
    ----------
    recipe : DefectRecipe
        Densities and sizes. A seed of its own takes the place of ``rng``.
    grid : Grid
        Fine grid in the scintillator plane.
    thickness_um : float
        Thickness of the plate, um.
    rng : numpy.random.Generator
        Parent of one stream per kind, so that a change of one kind leaves the others alone.

    Returns
    -------
    PlateDefects

    Raises
    ------
    RangeError
        When the thickness is not positive.

    Notes
    -----
    Counts are Poisson with mean density times area. The objects depend on the grid's extent
    alone, not on its pitch. An object of axial size D in a group of range L takes
    strength * min(1, D / L) of the group's emission; overlapping losses multiply.
    """
    check_range("thickness_um", thickness_um, low=0.0, low_open=True, unit="um")
    catalogue, shading_rng = _draw_all(recipe, grid, thickness_um, rng)
    emission, passing, glow = _render_groups(catalogue, grid, thickness_um)
    return PlateDefects(
        emission=emission,
        transmission=passing,
        glow=glow,
        shading=_shading(recipe.shading, grid, shading_rng),
        catalogue=catalogue,
    )


def draw_catalogue(
    recipe: DefectRecipe, grid: Grid, thickness_um: float, rng: np.random.Generator
) -> tuple[DefectObject, ...]:
    """Return the defects of a plate as objects, without rendering (see `make_defects`)."""
    check_range("thickness_um", thickness_um, low=0.0, low_open=True, unit="um")
    return _draw_all(recipe, grid, thickness_um, rng)[0]


def scratch_depth_um(thickness_um: float) -> float:
    """Return the depth below a face that scratches can reach, um."""
    return min(SCRATCH_DEPTH_UM, 0.1 * thickness_um)


def bulk_ranges_um(thickness_um: float) -> tuple[tuple[float, float], ...]:
    """Return the depth ranges, um, at whose middle bubbles and inclusions scatter or glow."""
    face = scratch_depth_um(thickness_um)
    middle = 0.5 * thickness_um
    if thickness_um <= THICK_UM:
        return ((face, thickness_um - face),)
    return ((face, middle), (middle, thickness_um - face))


def _draw_all(
    recipe: DefectRecipe, grid: Grid, thickness_um: float, rng: np.random.Generator
) -> tuple[tuple[DefectObject, ...], np.random.Generator]:
    if recipe.seed is not None:
        rng = np.random.default_rng(recipe.seed)
    *streams, shading_rng = rng.spawn(len(KINDS) + 1)
    height, width = grid.extent_um
    area_mm2 = height * width / UM2_PER_MM2
    densities = (
        recipe.scratches_per_mm2,
        recipe.bubbles_per_mm2,
        recipe.inclusions_per_mm2,
        recipe.dust_per_mm2,
        recipe.glow_per_mm2,
    )
    objects: list[DefectObject] = []
    for kind, density, stream in zip(KINDS, densities, streams, strict=True):
        for _ in range(int(stream.poisson(density * area_mm2))):
            base = DefectObject(
                kind=kind,
                row_um=float(stream.uniform(-0.5, 0.5) * height),
                column_um=float(stream.uniform(-0.5, 0.5) * width),
                depth_um=0.0,
                size_um=0.0,
                strength=float(stream.uniform(0.35, 1.0) * recipe.contrast),
            )
            objects.append(_shape(base, recipe, thickness_um, stream))
    return tuple(objects), shading_rng


def _shape(
    base: DefectObject, recipe: DefectRecipe, thickness_um: float, rng: np.random.Generator
) -> DefectObject:
    """Return the object with its size, shape and depth drawn."""
    if base.kind == "scratch":
        return _scratch(base, recipe, thickness_um, rng)
    size = recipe.spot_diameter_um * float(np.exp(0.35 * rng.standard_normal()))
    if base.kind == "dust":
        size *= 1.5
        spread = [0.35 / order for order in HARMONICS]
        outline = tuple(
            (float(a * rng.uniform(0.0, 1.0)), float(rng.uniform(0.0, 2.0 * math.pi)))
            for a in spread
        )
        return replace(base, size_um=size, depth_um=thickness_um, outline=outline)
    face = scratch_depth_um(thickness_um)
    if base.kind == "inclusion":
        size *= 0.8
    axial = min(size, thickness_um - 2.0 * face)
    room = thickness_um - 2.0 * face - axial
    depth = face + 0.5 * axial + room * float(rng.uniform())
    return replace(base, size_um=size, depth_um=depth, axial_um=axial)


def _scratch(
    base: DefectObject, recipe: DefectRecipe, thickness_um: float, rng: np.random.Generator
) -> DefectObject:
    length = recipe.scratch_length_um * float(np.exp(0.5 * rng.standard_normal()))
    deep = scratch_depth_um(thickness_um) * float(rng.uniform(0.2, 1.0))
    on_exit = bool(rng.uniform() < 0.5)
    return replace(
        base,
        size_um=recipe.scratch_width_um * float(rng.uniform(0.5, 1.5)),
        length_um=length,
        angle_rad=float(rng.uniform(0.0, math.pi)),
        sagitta_um=0.04 * length * float(rng.standard_normal()),
        axial_um=deep,
        depth_um=thickness_um - 0.5 * deep if on_exit else 0.5 * deep,
    )


def _render_groups(
    objects: Iterable[DefectObject], grid: Grid, thickness_um: float
) -> tuple[tuple[EmissionDefect, ...], tuple[TransmissionDefect, ...], tuple[GlowDefect, ...]]:
    """Sort the objects into depth groups and render each group that has any."""
    face, middle = scratch_depth_um(thickness_um), 0.5 * thickness_um
    bulk = bulk_ranges_um(thickness_um)
    everything = list(objects)
    scratches = [o for o in everything if o.kind == "scratch"]
    entrance = [o for o in scratches if o.depth_um < middle]
    exit_face = [o for o in scratches if o.depth_um >= middle]
    spots = [o for o in everything if o.kind in ("bubble", "inclusion")]
    dust = [o for o in everything if o.kind == "dust"]
    # Emission of the whole bulk is one range: an object takes little of it wherever it lies.
    ranges = [
        ((0.0, face), entrance),
        ((face, thickness_um - face), spots),
        ((thickness_um - face, thickness_um), exit_face),
    ]
    planes = [(0.5 * sum(r), _within(spots, r), SCATTERED_FRACTION) for r in bulk]
    planes += [(thickness_um, exit_face + dust, 1.0)]
    emission = tuple(
        EmissionDefect(depth_low_um=low, depth_high_um=high, loss=_loss(group, grid, high - low))
        for (low, high), group in ranges
        if group
    )
    passing = tuple(
        TransmissionDefect(depth_um=depth, loss=_loss(group, grid, None, share))
        for depth, group, share in planes
        if group
    )
    glows = [(0.5 * sum(r), _within(everything, r, ("glow",))) for r in bulk]
    glow = tuple(
        GlowDefect(depth_um=depth, relative_brightness=_brightness(group, grid))
        for depth, group in glows
        if group
    )
    return emission, passing, glow


def _within(
    objects: Iterable[DefectObject],
    depths_um: tuple[float, float],
    kinds: tuple[str, ...] = ("bubble", "inclusion"),
) -> list[DefectObject]:
    low, high = depths_um
    return [o for o in objects if o.kind in kinds and low <= o.depth_um < high]


def _loss(
    objects: Iterable[DefectObject], grid: Grid, range_um: float | None, share: float = 1.0
) -> Image:
    """Return the loss map of a group; with a range, diluted by the part each object fills."""
    kept = np.ones(grid.shape, dtype=np.float32)
    for item in objects:
        filled = 1.0 if range_um is None else min(1.0, item.axial_um / range_um)
        for index, profile in profiles(item, grid):
            kept[index] *= 1.0 - np.float32(item.strength * filled * share) * profile
    np.subtract(1.0, kept, out=kept)
    return kept


def _brightness(objects: Iterable[DefectObject], grid: Grid) -> Image:
    total = np.zeros(grid.shape, dtype=np.float32)
    for item in objects:
        for index, profile in profiles(item, grid):
            total[index] += np.float32(item.strength) * profile
    return total


def _shading(amplitude: float, grid: Grid, rng: np.random.Generator) -> Image | None:
    """Return 1 + amplitude * (slow field whose greatest deviation is 1), or None."""
    if amplitude == 0.0:
        return None
    weights = rng.standard_normal((4, 4))
    order = np.arange(4)
    weights /= 1.0 + order[:, None] ** 2 + order[None, :] ** 2
    weights[0, 0] = 0.0
    rows, columns = (
        np.cos(np.pi * order[:, None] * ((np.arange(n) + 0.5) / n)[None, :]) for n in grid.shape
    )
    field = (rows.T @ weights @ columns).astype(np.float32)
    field *= np.float32(amplitude) / np.abs(field).max()
    field += np.float32(1.0)
    return field
