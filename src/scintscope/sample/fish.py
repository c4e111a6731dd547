"""A fish-like specimen: a textured body of soft tissue with scales, bones and fins.

It is a phantom, not an atlas: the shapes are chosen so that one radiograph holds smooth tissue,
fine relief of a few um, thin rods and dense bone, as the fish of Zhou et al. 2025, An approach to
overcome the resolution-efficiency trade-off in X-ray scintillator imaging, does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.grids import Grid
from scintscope.sample.coverage import Box, window
from scintscope.sample.fish_bones import (
    BODY_END,
    FloatArray,
    Rods,
    fin_rays,
    lower_profile,
    skeleton,
    upper_profile,
)
from scintscope.sample.specimen import Fish
from scintscope.sample.user_image import resample

Image = NDArray[np.float32]

_HALF_WIDTH, _HALF_HEIGHT = 0.505, 0.20
"""Half the fish's bounding box over its length, fins and bend included."""

_SCALE_RADIUS = 0.0125
_RIDGE_PERIOD_UM = 6.0
_SCALE_MINERAL = 0.35
"""Part of a scale that is bone; the rest is tissue (assumed)."""


def draw_fish(recipe: Fish, grid: Grid) -> dict[str, Image]:
    """Return the thickness maps of a fish seen from its side, nose towards column 0.

    Parameters
    ----------
    recipe : Fish
        Sizes, materials and the seed of the individual.
    grid : Grid
        Fine grid in the sample plane; the fish is centred and cut where it is larger.

    Returns
    -------
    dict of str to (M, N) float32 array
        Thickness of tissue and bone, um.

    Raises
    ------
    InputError
        When tissue and bone are the same material.
    """
    if recipe.tissue == recipe.bone:
        raise InputError(
            f"specimen.tissue and specimen.bone are both {recipe.bone!r}: give two materials."
        )
    part = _bounding_grid(recipe, grid)
    rngs = np.random.default_rng(recipe.seed).spawn(3)
    s = (part.column_um / max(recipe.length_um, part.pixel_um) + 0.5).astype(np.float32)
    v = (part.row_um[:, None] / max(recipe.length_um, part.pixel_um) - bend(s)).astype(np.float32)
    fins = fin_rays(rngs[2])
    bone = _draw_rods(skeleton(fins, rngs[0]), recipe, part)
    tissue = _body(s, v, recipe, part, rngs[1])
    inside = tissue > 0
    # Bone displaces tissue inside the body; rays stand out of the membrane.
    np.subtract(tissue, bone, out=tissue, where=inside)
    relief = inside * _scales(s, v, recipe, part)
    tissue += (1.0 - _SCALE_MINERAL) * relief
    bone += _SCALE_MINERAL * relief
    np.maximum(tissue, 0.0, out=tissue)
    membrane = _membranes(fins, recipe, part)
    np.add(tissue, 0.35 * recipe.fin_thickness_um * membrane, out=tissue, where=~inside)
    return {recipe.tissue: _embed(tissue, grid), recipe.bone: _embed(bone, grid)}


def bend(s: NDArray[np.floating]) -> FloatArray:
    """Return the sideways course of the body's axis, fraction of the length, at ``s``."""
    return np.asarray(0.010 * np.sin(2.0 * np.pi * (np.asarray(s, dtype=np.float64) - 0.15)))


def _bounding_grid(recipe: Fish, grid: Grid) -> Grid:
    """Return the central part of the grid that holds the fish, of the same parity."""
    shape = []
    for count, half in zip(grid.shape, (_HALF_HEIGHT, _HALF_WIDTH), strict=True):
        want = math.ceil(2.0 * half * recipe.length_um / grid.pixel_um) + 4
        want += (want - count) % 2
        shape.append(min(count, want))
    return Grid(shape=(shape[0], shape[1]), pixel_um=grid.pixel_um)


def _embed(image: Image, grid: Grid) -> Image:
    out = np.zeros(grid.shape, dtype=np.float32)
    row, column = ((n - m) // 2 for n, m in zip(grid.shape, image.shape, strict=True))
    out[row : row + image.shape[0], column : column + image.shape[1]] = image
    return out


def _ellipse(s: Image, v: Image, at: tuple[float, float], radii: tuple[float, float]) -> Image:
    """Return the relative thickness of an ellipsoid, sqrt(1 - r^2)."""
    inside = 1.0 - ((s - at[0]) / radii[0]) ** 2 - ((v - at[1]) / radii[1]) ** 2
    return np.asarray(np.sqrt(np.maximum(inside, 0.0)), dtype=np.float32)


def _body(s: Image, v: Image, recipe: Fish, part: Grid, rng: np.random.Generator) -> Image:
    """Return the tissue: elliptic sections, muscle segments, organs and random texture."""
    up, down = upper_profile(s).astype(np.float32), lower_profile(s).astype(np.float32)
    half = 0.5 * (up + down)
    across = (v - 0.5 * (down - up)) / np.maximum(half, 1e-6)
    section = np.sqrt(np.maximum(1.0 - across**2, 0.0))
    along = (half / half.max()) ** 0.7 * np.clip((BODY_END - s) / 0.09, 0.0, 1.0) ** 0.5
    section *= np.where((s > 0.0) & (s < BODY_END), along, 0.0)
    muscle = np.clip((s - 0.19) / 0.04, 0.0, 1.0)
    section *= 1.0 + 0.035 * muscle * np.sin(2.0 * np.pi * 46.0 * (s - 0.16 * np.abs(v + 0.014)))
    for pitch_um, strength in ((60.0, 0.05), (18.0, 0.04), (7.0, 0.03)):
        section *= 1.0 + strength * _noise(pitch_um, part, rng)
    section += (section > 0) * 0.22 * _ellipse(s, v, (0.073, -0.014), (0.028, 0.027))
    section += (section > 0) * 0.30 * _ellipse(s, v, (0.073, -0.014), (0.012, 0.012))
    section *= 1.0 - 0.55 * _ellipse(s, v, (0.285, 0.016), (0.042, 0.021))
    section *= 1.0 - 0.60 * _ellipse(s, v, (0.385, 0.014), (0.062, 0.019))
    section += (section > 0) * 0.10 * _ellipse(s, v, (0.33, 0.062), (0.10, 0.022))
    return np.asarray(recipe.body_thickness_um * np.maximum(section, 0.0), dtype=np.float32)


def _noise(pitch_um: float, part: Grid, rng: np.random.Generator) -> Image:
    """Return a smooth random field fixed in um: the same individual on every grid."""
    count = int(2.0e4 / pitch_um)
    rows, columns = (
        min(2 * math.ceil(0.5 * extent / pitch_um) + 3, count) for extent in part.extent_um
    )
    # Values are drawn outwards from the axis, so that a larger grid only adds to them.
    lattice = np.empty((rows, columns))
    half_row, half_column = rows // 2, columns // 2
    seeds = rng.integers(2**32, size=2)
    for i in range(rows):
        line = np.random.default_rng([*seeds, 2 * abs(i - half_row) + (i < half_row)])
        right = line.standard_normal(2 * count)
        lattice[i, half_column:] = right[0 : 2 * (columns - half_column) : 2]
        lattice[i, :half_column] = right[1 : 2 * half_column : 2][::-1]
    return resample(lattice, pitch_um, part)


def _scales(s: Image, v: Image, recipe: Fish, part: Grid) -> Image:
    """Return the relief of the scales of both flanks, um, over the whole box.

    A scale is a disc that lies over those behind it like a roof tile; it rises towards its rear
    rim and carries fine concentric ridges.
    """
    radius, step = _SCALE_RADIUS, 0.75 * _SCALE_RADIUS
    pixel = part.pixel_um / max(recipe.length_um, part.pixel_um)
    period = _RIDGE_PERIOD_UM / max(recipe.length_um, part.pixel_um)
    ridge = 0.22 * float(np.sinc(pixel / period))
    covered = np.clip((s - 0.18) / 0.03, 0.0, 1.0) * np.clip((0.86 - s) / 0.03, 0.0, 1.0)
    total = np.zeros(v.shape, dtype=np.float32)
    for flank in (0.0, 0.5):
        free = np.ones(v.shape, dtype=np.float32)
        foremost = np.ceil((s - radius) / step - flank)
        for layer in range(math.ceil(2.0 * radius / step) + 1):
            column = foremost + layer
            ds = s - (column + flank) * step
            row_shift = 0.5 * np.mod(column, 2.0) + 0.3 * flank
            dv = v / (1.5 * radius) - row_shift
            dv = (dv - np.rint(dv)) * np.float32(1.5 * radius)
            r = np.sqrt(dv**2 + ds**2)
            weight = free * np.clip((radius - r) / pixel + 0.5, 0.0, 1.0)
            height = 0.35 + 0.45 * r / radius + ridge * np.sin(2.0 * np.pi * r / period)
            total += weight * height
            free -= weight
    return np.asarray(0.5 * recipe.scale_relief_um * covered * total, dtype=np.float32)


def _to_um(points: FloatArray, length_um: float) -> FloatArray:
    """Return columns (row, column) in um of points (s, v) in the fish's frame."""
    return np.column_stack(
        [(points[:, 1] + bend(points[:, 0])) * length_um, (points[:, 0] - 0.5) * length_um]
    )


def _draw_rods(rods: Rods, recipe: Fish, part: Grid) -> Image:
    """Return the thickest rod at each pixel, um; sections are elliptic."""
    canvas = np.zeros(part.shape, dtype=np.float32)
    first = _to_um(rods.ends[:, :2], recipe.length_um)
    second = _to_um(rods.ends[:, 2:], recipe.length_um)
    radii = rods.radii * recipe.length_um
    for a, b, (ra, rb), level in zip(first, second, radii, rods.height, strict=True):
        _draw_rod(canvas, a, b, ra, rb, level * recipe.bone_thickness_um, part)
    return canvas


def _draw_rod(
    canvas: Image, a: FloatArray, b: FloatArray, ra: float, rb: float, height: float, part: Grid
) -> None:
    """Raise the canvas to a rod; one thinner than a pixel is spread over it at equal volume."""
    wide = max(ra, rb, 0.75 * part.pixel_um) + part.pixel_um
    box = Box(
        row_low_um=min(a[0], b[0]) - wide,
        row_high_um=max(a[0], b[0]) + wide,
        column_low_um=min(a[1], b[1]) - wide,
        column_high_um=max(a[1], b[1]) + wide,
    )
    view = window(part, box)
    if view.empty:
        return
    along = b - a
    dr, dc = view.row_um[:, None] - a[0], view.column_um[None, :] - a[1]
    t = np.clip((dr * along[0] + dc * along[1]) / max(float(along @ along), 1e-12), 0.0, 1.0)
    distance = np.hypot(dr - t * along[0], dc - t * along[1])
    true_radius = ra + t * (rb - ra)
    radius = np.maximum(true_radius, 0.75 * part.pixel_um)
    section = np.sqrt(np.maximum(1.0 - (distance / radius) ** 2, 0.0))
    target = canvas[view.index]
    np.maximum(target, (height * true_radius / radius) * section, out=target, casting="same_kind")


def _membranes(fins: list[list[FloatArray]], recipe: Fish, part: Grid) -> Image:
    """Return the relative coverage of the skin between the rays of each fin."""
    import cv2

    mask = np.zeros(part.shape, dtype=np.uint8)
    offset = 0.5 * (np.asarray(part.shape) - 1.0)
    for rays in fins:
        outline = np.vstack([rays[0], *[ray[-1:] for ray in rays[1:-1]], rays[-1][::-1]])
        pixels = _to_um(outline, recipe.length_um) / part.pixel_um + offset
        # Sixteenths of a pixel, (column, row), as OpenCV wants them.
        fixed = np.rint(pixels[:, ::-1] * 16.0).astype(np.int32)
        cv2.fillPoly(mask, [fixed[:, None, :]], 255, lineType=cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / np.float32(255.0)
