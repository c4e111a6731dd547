"""Figures: thin, thick, restored and truth side by side; raw frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from scintscope.forward.simulate import Bench, Exposures
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


@dataclass(frozen=True, kw_only=True, slots=True)
class SideBySide:
    """Images of one sample, whole and in part, as they are shown.

    Parameters
    ----------
    whole : dict of str to Panel
        Thin, thick, restored, truth.
    regions : list of Region
        Parts shown enlarged.
    parts : dict of str to list of Panel
        Those parts of each image.
    limits : (float, float)
        One grey scale for all.
    pixel_um : float
        Pixel at the object.
    unit : str
        The grey values' meaning.
    """

    whole: Mapping[str, style.Panel]
    regions: Sequence[Region]
    parts: Mapping[str, Sequence[style.Panel]]
    limits: tuple[float, float]
    pixel_um: float
    unit: str


def side_by_side(run: FinishedRun, sample: str) -> SideBySide:
    """Return a sample's images as `draw_side_by_side` shows them."""
    panels = panels_of(run, sample)
    regions = zoom_regions(run, sample)
    return SideBySide(
        whole={name: style.panel(image, _OVERVIEW_PX) for name, image in panels.items()},
        regions=regions,
        parts={
            name: [style.panel(region.cut(image)) for region in regions]
            for name, image in panels.items()
        },
        limits=common_limits(panels, run.verdict.samples[sample]),
        pixel_um=run.bench.planes["thick"].pixel_um,
        unit=unit_of(run, sample),
    )


def draw_side_by_side(seen: SideBySide) -> Figure:
    """Return thin, thick, restored, truth: whole field above, zooms below, one grey scale."""
    regions = seen.regions
    rows, columns = seen.whole["truth"].shape
    tall = style.WIDTH_IN / 4 * 0.94
    figure = style.new_figure(0.75 + tall * (rows / columns + len(regions)))
    grid = figure.subplots(
        1 + len(regions), 4, squeeze=False, height_ratios=[rows / columns] + [1.0] * len(regions)
    )
    shown: Any = None
    for j, (name, whole) in enumerate(seen.whole.items()):
        shown = style.show(grid[0, j], whole, seen.pixel_um, seen.limits)
        grid[0, j].set_title(_TITLES[name], color=style.COLOURS[name], fontweight="bold")
        for i, (region, part) in enumerate(zip(regions, seen.parts[name], strict=True)):
            _mark(grid[0, j], region, "AB"[i])
            style.show(grid[i + 1, j], part, seen.pixel_um, seen.limits)
            if j == 0:
                grid[i + 1, j].set_ylabel(f"{'AB'[i]}: {region.text}")
    style.colour_bar(figure, shown, list(grid[-1]), seen.unit, location="bottom", shrink=0.5)
    return figure


def _mark(axes: Any, region: Region, letter: str) -> None:
    style.frame(axes, region.row, region.column, region.side, region.side, letter)


Frame = tuple[style.Panel, tuple[float, float]]
"""A frame as shown, and its grey scale."""


def single_frames(exposures: Exposures) -> dict[str, Frame]:
    """Return the first frame of target and background on both plates."""
    found = {}
    for name in ("thin_target", "thin_background", "thick_target", "thick_background"):
        image = exposures.stacks[name][0]
        found[name] = style.panel(image, _OVERVIEW_PX), style.grey_limits(image, 0.2, 99.8)
    return found


def draw_frames(frames: Mapping[str, Frame], pixel_um: float) -> Figure:
    """Return single raw frames: target and background on both plates, counts."""
    rows, columns = frames["thick_target"][0].shape
    wide = style.WIDTH_IN / 4
    figure = style.new_figure(0.95 + wide * 0.8 * rows / columns)
    for axes, (name, (image, limits)) in zip(figure.subplots(1, 4), frames.items(), strict=True):
        plate, what = name.split("_")
        shown = style.show(axes, image, pixel_um, limits)
        axes.set_title(f"{plate} plate, {what}", color=style.COLOURS[plate], fontweight="bold")
        style.colour_bar(figure, shown, axes, "camera counts (ADU)", location="bottom", shrink=0.9)
    return figure


def defect_count(bench: Bench, plate: str) -> int:
    """Return how many defects of a plate lie in the simulated field."""
    return len(bench.defects[plate].catalogue)
