"""Where to look: regions of a sample worth a zoom, on camera pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.report.records import FinishedRun
from scintscope.sample.layout import LineGroup, TargetLayout, target_layout
from scintscope.verdict.judge import TARGET

ZOOM_UM = 130.0
_LEAST_PX, _MOST_PX = 32, 160
_BLOCK_PX = 16
_FINE_PX = 4.5
"""Lines up to this many pixels wide count as fine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A square of an image: first row and column, side, pixels; and what is in it."""

    row: int
    column: int
    side: int
    text: str

    def cut(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return the part of an image."""
        return image[self.row : self.row + self.side, self.column : self.column + self.side]


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """How sample-plane lengths map to pixels of the thick plate's image."""

    scale_px_per_um: float
    centre_px: tuple[float, float]
    shape: tuple[int, int]

    def pixel(self, row_um: float, column_um: float) -> tuple[float, float]:
        """Return the position of a sample point, pixel indices."""
        return (
            row_um * self.scale_px_per_um + self.centre_px[0],
            column_um * self.scale_px_per_um + self.centre_px[1],
        )

    def holds(self, row_um: float, column_um: float, margin_px: float = 4.0) -> bool:
        """Return whether a sample point lies inside the image."""
        place = self.pixel(row_um, column_um)
        return all(margin_px <= p <= n - margin_px for p, n in zip(place, self.shape, strict=True))


def placement(run: FinishedRun, sample: str) -> Placement:
    """Return where the sample's layout lies on the thick plate's image of it."""
    plane = run.bench.planes["thick"]
    drift = run.exposures.drift[f"thick_{sample}"].sample_um.mean(axis=0)
    rows, columns = plane.camera_shape
    centre = [
        0.5 * (n - 1) + float(d) / plane.pixel_um
        for n, d in zip(plane.camera_shape, drift, strict=True)
    ]
    scale = plane.sample_magnification * run.verdict.single.similarity.scale / plane.pixel_um
    return Placement(
        scale_px_per_um=scale, centre_px=(centre[0], centre[1]), shape=(int(rows), int(columns))
    )


def layout_of(run: FinishedRun, sample: str) -> TargetLayout:
    """Return the layout of a named sample; empty for fish and images."""
    recipe = run.bench.experiment.samples[sample]
    return target_layout(recipe, run.bench.planes["thick"].sample_grid)


def zoom_regions(run: FinishedRun, sample: str) -> list[Region]:
    """Return one or two regions of a sample: fine lines and star, edge, points, or most detail."""
    place, layout = placement(run, sample), layout_of(run, sample)
    side = zoom_side(run)
    found = []
    if sample == TARGET:
        centre = finest_lines(layout, place, side)
        if centre is not None:
            found.append(_around(centre, side, place.shape, "finest lines"))
        for star in layout.stars[:1]:
            if place.holds(star.row_um, star.column_um):
                at = place.pixel(star.row_um, star.column_um)
                found.append(_around(at, side, place.shape, "star"))
        points = [p for p in layout.points_um if place.holds(*p, margin_px=side / 2)]
        if not found and points:
            nearest = min(points, key=lambda p: p[0] ** 2 + p[1] ** 2)
            found.append(_around(place.pixel(*nearest), side, place.shape, "points"))
    if not found:
        side = min(2 * side, min(place.shape) // 2)
        detail = most_detail(np.asarray(run.verdict.samples[sample].truth.thin), side)
        found.append(_around(detail, side, place.shape, "most detail"))
    return found[:2]


def zoom_side(run: FinishedRun) -> int:
    """Return the side of a zoom, pixels."""
    plane = run.bench.planes["thick"]
    wanted = int(np.clip(round(ZOOM_UM / plane.pixel_um), _LEAST_PX, _MOST_PX))
    return min(wanted, min(plane.camera_shape) // 2)


def _around(centre: tuple[float, float], side: int, shape: tuple[int, int], text: str) -> Region:
    row, column = (
        int(np.clip(round(c - side / 2), 0, n - side)) for c, n in zip(centre, shape, strict=True)
    )
    return Region(row=row, column=column, side=side, text=text)


def finest_lines(layout: TargetLayout, place: Placement, side: int) -> tuple[float, float] | None:
    """Return the centre of the window that holds the most groups of fine lines; None without."""
    fine = [
        place.pixel(*g.box.centre_um)
        for g in layout.groups
        if g.line_width_um * place.scale_px_per_um <= _FINE_PX and place.holds(*g.box.centre_um)
    ]
    if not fine:
        return None
    spots = np.array(fine)
    near = np.abs(spots[:, None, :] - spots[None, :, :]).max(axis=2) < 0.42 * side
    best = int(np.argmax(near.sum(axis=1)))
    low, high = spots[near[best]].min(axis=0), spots[near[best]].max(axis=0)
    row, column = 0.5 * (low + high)
    return float(row), float(column)


def most_detail(image: NDArray[np.floating], side: int) -> tuple[float, float]:
    """Return the centre of the window with the largest variance of its blocks' pixels."""
    from scipy import ndimage

    block = min(_BLOCK_PX, side)
    variance = ndimage.uniform_filter(image**2, block) - ndimage.uniform_filter(image, block) ** 2
    score = ndimage.uniform_filter(np.sqrt(np.maximum(variance, 0.0)), side, mode="constant")
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    return float(row), float(column)


def profile_groups(run: FinishedRun, count: int = 3) -> list[LineGroup]:
    """Return line groups for profiles: vertical lines, the widths nearest to 1.5, 2.5, 4 pixels."""
    place = placement(run, TARGET)
    groups = [
        g
        for g in layout_of(run, TARGET).groups
        if g.orientation == "vertical"
        and place.holds(g.box.row_low_um, g.box.column_low_um)
        and place.holds(g.box.row_high_um, g.box.column_high_um)
    ]
    chosen: list[LineGroup] = []
    for wanted in (1.5, 2.5, 4.0):
        left = [g for g in groups if g.line_width_um not in [c.line_width_um for c in chosen]]
        if left:
            chosen.append(
                min(left, key=lambda g: abs(g.line_width_um * place.scale_px_per_um - wanted))
            )
    return sorted(chosen[:count], key=lambda g: g.line_width_um)
