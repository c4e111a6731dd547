"""Figures: thin, thick, restored and truth side by side; raw frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from scintscope.report import style
from scintscope.report.records import FinishedRun
from scintscope.report.regions import Region, zoom_regions
from scintscope.verdict.judge import TARGET, SampleVerdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Image = NDArray[Any]

_TITLES = {
    "thin": "thin plate",
    "thick": "thick plate",
    "restored": "thick, restored",
    "truth": "perfect thin plate (truth)",
}
_OVERVIEW_PX = 400


def is_signal(run: FinishedRun, sample: str) -> bool:
    """Return whether a sample's images are 1 - transmission (subtracted), not transmissions."""
    config = run.restoration.config
    return sample == TARGET or config.specimen_background == "subtract"


def unit_of(run: FinishedRun, sample: str) -> str:
    """Return the grey values' meaning."""
    if is_signal(run, sample):
        return "light taken away by the sample (share of the open beam)"
    return "transmission (share of the open beam)"


def panels_of(run: FinishedRun, sample: str) -> dict[str, Image]:
    """Return thin, thick, restored and truth of a sample in one unit."""
    verdict = run.verdict.samples[sample]
    truth = 1.0 - verdict.truth.thin if is_signal(run, sample) else verdict.truth.thin
    return {k: verdict.images[k] for k in ("thin", "thick", "restored")} | {"truth": truth}


def common_limits(panels: Mapping[str, Image], verdict: SampleVerdict) -> tuple[float, float]:
    """Return one grey scale for all panels: the truth's, and room for the thick image's noise."""
    low, high = style.grey_limits(panels["truth"][verdict.mask], 0.1, 99.9)
    noisy_low, noisy_high = style.grey_limits(panels["thick"][verdict.mask], 0.5, 99.5)
    margin = 0.15 * (high - low)
    return max(min(low, noisy_low), low - margin), min(max(high, noisy_high), high + margin)


def draw_side_by_side(run: FinishedRun, sample: str) -> Figure:
    """Return thin, thick, restored, truth: whole field above, zooms below, one grey scale."""
    panels = panels_of(run, sample)
    regions = zoom_regions(run, sample)
    pixel = run.bench.planes["thick"].pixel_um
    limits = common_limits(panels, run.verdict.samples[sample])
    rows, columns = panels["truth"].shape
    tall = style.WIDTH_IN / 4 * 0.94
    figure = style.new_figure(0.75 + tall * (rows / columns + len(regions)))
    grid = figure.subplots(
        1 + len(regions), 4, squeeze=False, height_ratios=[rows / columns] + [1.0] * len(regions)
    )
    shown: Any = None
    for j, (name, image) in enumerate(panels.items()):
        shown = style.show(grid[0, j], image, pixel, limits, largest_px=_OVERVIEW_PX)
        grid[0, j].set_title(_TITLES[name], color=style.COLOURS[name], fontweight="bold")
        for i, region in enumerate(regions):
            _mark(grid[0, j], region, "AB"[i])
            style.show(grid[i + 1, j], region.cut(image), pixel, limits)
            if j == 0:
                grid[i + 1, j].set_ylabel(f"{'AB'[i]}: {region.text}")
    style.colour_bar(
        figure, shown, list(grid[-1]), unit_of(run, sample), location="bottom", shrink=0.5
    )
    return figure


def _mark(axes: Any, region: Region, letter: str) -> None:
    style.frame(axes, region.row, region.column, region.side, region.side, letter)


def draw_frames(run: FinishedRun) -> Figure:
    """Return single raw frames: target and background on both plates, counts."""
    pixel = run.bench.planes["thick"].pixel_um
    rows, columns = run.bench.planes["thick"].camera_shape
    wide = style.WIDTH_IN / 4
    figure = style.new_figure(0.95 + wide * 0.8 * rows / columns)
    grid = figure.subplots(1, 4)
    names = ("thin_target", "thin_background", "thick_target", "thick_background")
    for axes, name in zip(grid, names, strict=True):
        plate, what = name.split("_")
        image = run.exposures.stacks[name][0]
        limits = style.grey_limits(image, 0.2, 99.8)
        shown = style.show(axes, image, pixel, limits, largest_px=_OVERVIEW_PX)
        axes.set_title(f"{plate} plate, {what}", color=style.COLOURS[plate], fontweight="bold")
        style.colour_bar(figure, shown, axes, "camera counts (ADU)", location="bottom", shrink=0.9)
    return figure


def defect_count(run: FinishedRun, plate: str) -> int:
    """Return how many defects of a plate lie in the simulated field."""
    return len(run.bench.defects[plate].catalogue)
