"""Figure for the first page: what the method does, and what it cannot do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scintscope.report import style
from scintscope.report.blur import draw_curve
from scintscope.report.gallery import common_limits, panels_of
from scintscope.report.records import FinishedRun
from scintscope.report.regions import zoom_regions
from scintscope.verdict.judge import TARGET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = ("thin", "thick", "restored")
_PANEL_IN, _TITLE_IN = 2.55, 0.3


def draw_overview(run: FinishedRun) -> Figure:
    """Return zooms of the target, thin, thick, restored, beside MTF and DQE of both plates."""
    panels, regions = panels_of(run, TARGET), zoom_regions(run, TARGET)
    plane = run.bench.planes["thick"]
    limits = common_limits(panels, run.verdict.samples[TARGET])
    rows = len(regions)
    figure = style.new_figure(_TITLE_IN + max(_PANEL_IN * rows, 4.6), nested=True)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[2.0, 1.0])[0]
    grid = left.subplots(rows, len(_COLUMNS), squeeze=False)
    titles = {
        name: f"{name}, {run.bench.responses[name].thickness_um:g} um" for name in ("thin", "thick")
    }
    titles["restored"] = "thick, restored"
    for i, region in enumerate(regions):
        for j, name in enumerate(_COLUMNS):
            axes = grid[i, j]
            style.show(axes, region.cut(panels[name]), plane.pixel_um, limits)
            if i == 0:
                axes.set_title(titles[name], color=style.COLOURS[name], fontweight="bold")
    nyquist = run.bench.experiment.instrument.camera_nyquist_cy_per_um
    for axes, kind in zip(right.subplots(2, 1), ("mtf", "dqe"), strict=True):
        draw_curve(axes, run.sheet, kind, nyquist)
    return figure


def overview_figure(run: FinishedRun) -> bytes:
    """Return the overview as PNG: line groups and star on thin, thick, restored; MTF, DQE."""
    return style.picture(draw_overview, run)


def write_overview(path: Path, run: FinishedRun) -> None:
    """Write `overview_figure` into a file, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(overview_figure(run))
    partial.replace(path)
