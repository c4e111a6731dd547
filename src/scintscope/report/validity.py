"""Figures: where one PSF is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scintscope.report import style
from scintscope.report.records import Table
from scintscope.report.tables import percent
from scintscope.verdict.criterion import columns
from scintscope.verdict.places import AXES
from scintscope.verdict.validity import ValidityMap, criterion_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _axis_label(axis: str) -> str:
    text, unit = AXES[axis]
    return f"{text} ({unit})" if unit else text


def draw_maps(maps: Sequence[ValidityMap], tolerance: float) -> Figure:
    """Return a panel a map, and the fitted rule beside the paper's criterion."""
    figure = style.new_figure(4.0 + 4.0, nested=True)
    top, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    panels = top.subplots(1, len(maps), squeeze=False)[0]
    for axes, grid in zip(panels, maps, strict=True):
        if len(grid.axes) == 2:
            _plane(axes, grid, tolerance)
        else:
            _lines(axes, grid, tolerance)
    _rules(below.subplots(1, 3), maps, tolerance)
    return figure


def _plane(axes: Axes, grid: ValidityMap, tolerance: float) -> None:
    """Draw a map over two axes as coloured cells with their errors, and its boundaries."""
    (first, rows), (second, across) = grid.axes.items()
    error, noise = 100.0 * grid.values("error"), 100.0 * grid.values("noise")
    shown = np.log10(np.maximum(error, 1e-3))
    axes.imshow(shown, cmap="RdYlGn_r", aspect="auto", origin="lower", vmin=-1.0, vmax=1.5)
    for i, j in np.ndindex(*error.shape):
        mark = "" if not np.isfinite(error[i, j]) else f"{error[i, j]:.2g}"
        bold = "bold" if error[i, j] <= 100.0 * tolerance else "normal"
        hidden = "*" if error[i, j] <= noise[i, j] else ""
        axes.text(j, i, mark + hidden, ha="center", va="center", fontsize=7, fontweight=bold)
    for values, level, dash in ((error, 100.0 * tolerance, "-"), (error - noise, 0.0, "--")):
        if np.nanmin(values) < level < np.nanmax(values):
            axes.contour(values, levels=[level], colors=style.TRUTH, linestyles=dash)
    axes.grid(False)
    axes.set_xticks(range(len(across)), [f"{v:.3g}" for v in across])
    axes.set_yticks(range(len(rows)), [f"{v:.3g}" for v in rows])
    axes.set_xlabel(_axis_label(second))
    axes.set_ylabel(_axis_label(first))
    axes.set_title(f"error, % of std (line: {tolerance:.0%}; *, dashed: below noise)")


def _lines(axes: Axes, grid: ValidityMap, tolerance: float) -> None:
    """Draw a map over one axis, or several in the order of its points, as curves."""
    name, values = next(iter(grid.axes.items()))
    alone = len(grid.axes) == 1
    x = np.array(values) if alone else np.arange(len(grid.points))
    found = columns(grid.points)
    for key, colour in (
        ("error", style.TRUTH), ("geometry", style.THIN), ("hardening", style.THICK),
        ("noise", style.LIGHT),
    ):  # fmt: skip
        axes.plot(x, 100.0 * found[key], color=colour, marker="o", ms=3, label=key)
    axes.axhline(100.0 * tolerance, color=style.LIGHT, ls="--", lw=1.0)
    axes.set_yscale("log")
    if alone:
        axes.set_xscale("log")
    axes.set_xlabel(_axis_label(name) if alone else "point, in the order of the table")
    axes.set_ylabel("% of std(exact)")
    axes.legend()


def _rules(panels: Sequence[Axes], maps: Sequence[ValidityMap], tolerance: float) -> None:
    """Draw errors against the rule's and the paper's measures."""
    found = columns([point for grid in maps for point in grid.points])
    rule = criterion_of(maps)
    for axes, measure, error, fit, text in (
        (panels[0], found["spread_um"] / found["blur_um"], found["geometry"], rule.geometry,
         "x = R t (1/z0 + 1/(n d2)) f50"),
        (panels[1], found["angles"], found["geometry"], rule.angles,
         "the paper's: field angle over lens angle"),
        (panels[2], found["depth_shift"], found["hardening"], rule.hardening,
         "h, shift of the light's depth behind the absorber"),
    ):  # fmt: skip
        good = np.isfinite(error) & (error > 0.0) & (measure > 0.0)
        axes.loglog(measure[good], 100.0 * error[good], "o", ms=3, color=style.THIN)
        if fit.factor and good.any():
            line = np.array([measure[good].min(), measure[good].max()])
            label = f"{fit.factor:.2g} x, within a factor {fit.scatter:.2f}"
            axes.loglog(line, 100.0 * fit.factor * line, color=style.TRUTH, label=label)
            axes.legend()
        axes.axhline(100.0 * tolerance, color=style.LIGHT, ls="--", lw=1.0)
        axes.set_xlabel(text)
    panels[0].set_ylabel("error of the geometry (% of std)")
    panels[1].set_ylabel("error of the geometry (% of std)")
    panels[2].set_ylabel("error of hardening and halo (% of std)")


def map_table(grid: ValidityMap) -> Table:
    """Return the points of a map."""
    return Table(
        title="Validity over " + " and ".join(AXES[axis][0] for axis in grid.axes),
        head=[*(_axis_label(a) for a in grid.axes), "error", "edge", "geometry", "hardening",
              "noise of a pixel"],
        rows=[
            [*(f"{getattr(p, a):.4g}" for a in grid.axes), percent(p.error), percent(p.edge),
             percent(p.geometry), percent(p.hardening), percent(p.noise)]
            for p in grid.points
        ],
        note="RMS over the standard deviation of the exact image.",
    )  # fmt: skip


def map_csv(maps: Sequence[ValidityMap]) -> str:
    """Return all points as comma-separated values with a head line; unknown values are empty."""
    points = [point for grid in maps for point in grid.points]
    names = list(columns(points))
    lines = [",".join(names)]
    for point in points:
        values = (getattr(point, name) for name in names)
        lines.append(",".join(f"{v:.9g}" if np.isfinite(v) else "" for v in values))
    return "\n".join(lines) + "\n"
