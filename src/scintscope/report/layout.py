"""Where the panels of a figure lie: room for what is written beside each panel, found in one pass.

Matplotlib's own engines lay all ticks of every panel out to measure it, twice, before it is drawn:
half of the time that a figure took. Here only texts are measured; ticks are made once, when drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.layout_engine import LayoutEngine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

PAD_IN = 0.04
"""Around each panel and what is written beside it."""

BAR_GAP_IN, BAR_WIDTH_IN = 0.08, 0.13
_POINTS_PER_IN = 72.0
_LINE = 1.1
"""Height of a line of text over its font size."""

_TITLE_PAD, _LABEL_PAD, _TICK_ROOM = 6.0, 4.0, 7.0
"""Matplotlib's distances, points: title, axis label, tick with its pad."""

_SIDES = ("left", "right", "bottom", "top")
Margins = dict[str, float]
"""Inches by side."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A colour bar beside one panel or a row of them.

    Parameters
    ----------
    axes : Axes
        Of the bar.
    beside : sequence of Axes
        Panels.
    location : {"right", "bottom"}
        Its side.
    shrink : float
        Its length over the panels'.
    """

    axes: Axes
    beside: Sequence[Axes]
    location: str
    shrink: float

    def last(self) -> list[Axes]:
        """Return the panels that the bar lies next to."""
        kind = "colspan" if self.location == "right" else "rowspan"
        ends = [getattr(axes.get_subplotspec(), kind).stop for axes in self.beside]
        return [axes for axes, end in zip(self.beside, ends, strict=True) if end == max(ends)]


class PanelLayout(LayoutEngine):
    """Give every panel of a grid the room its texts need; columns and rows stay aligned.

    Panels that span several rows or columns are allowed; figures within figures are not.
    """

    _adjust_compatible = False
    _colorbar_gridspec = False

    def __init__(self) -> None:
        super().__init__()
        self.bars: list[Bar] = []

    def set(self, **options: Any) -> None:
        """Take no options: margins follow from the texts."""

    def execute(self, fig: Figure) -> None:
        """Place panels and colour bars."""
        ruler = _Ruler(fig.dpi)
        panels = [axes for axes in fig.axes if axes.get_subplotspec() is not None]
        own = {axes: ruler.margins(axes) for axes in panels}
        needed = {axes: dict(room) for axes, room in own.items()}
        for bar in self.bars:
            room = BAR_GAP_IN + BAR_WIDTH_IN + ruler.margins(bar.axes)[bar.location]
            for axes in bar.last():
                needed[axes][bar.location] += room
        width, height = (float(side) for side in fig.get_size_inches())
        across = _spans(panels, needed, "colspan", ("left", "right"), width)
        down = _spans(panels, needed, "rowspan", ("top", "bottom"), height)
        for axes in panels:
            (left, right), (top, bottom) = across[axes], down[axes]
            size = ((right - left) / width, (bottom - top) / height)
            axes.set_position((left / width, 1.0 - bottom / height, *size))
        for bar in self.bars:
            offset = max(own[axes][bar.location] for axes in bar.last())
            _place_bar(bar, offset, width, height)


class _Ruler:
    """Measures what is written beside a panel, inches."""

    def __init__(self, dpi: float) -> None:
        self._dpi = dpi
        self._renderer: Any = RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]

    def margins(self, axes: Axes) -> Margins:
        """Return the room that a panel's title, ticks and labels need."""
        room = dict.fromkeys(_SIDES, 0.0)
        if axes.get_title():
            room["top"] = _height(axes.title, axes.get_title()) + _TITLE_PAD / _POINTS_PER_IN
        if not axes.axison:
            return room
        beyond: Margins = {}
        axis: Axis
        for axis, ends in ((axes.xaxis, _SIDES[:2]), (axes.yaxis, _SIDES[2:])):
            width, height = self._ticks(axis)
            along, away = (width, height) if axis is axes.xaxis else (height, width)
            side = axis.get_label_position()
            if away:
                room[side] += away + _TICK_ROOM / _POINTS_PER_IN
            if axis.get_label_text():
                away = _height(axis.label, axis.get_label_text())
                room[side] += away + _LABEL_PAD / _POINTS_PER_IN
            beyond |= dict.fromkeys(ends, 0.5 * along)  # half a tick's label, at an axis's ends
        return {side: max(room[side], beyond[side]) for side in _SIDES}

    def _ticks(self, axis: Axis) -> tuple[float, float]:
        """Return width of the widest tick label, and height; zeros without any."""
        texts = _labels(axis)
        if not texts:
            return 0.0, 0.0
        label = axis.get_major_ticks(1)[0].label1
        font = label.get_fontproperties()
        sizes = [self._renderer.get_text_width_height_descent(t, font, "$" in t)[0] for t in texts]
        return float(max(sizes)) / self._dpi, _height(label, texts[0])


def _height(style: Text, text: str) -> float:
    """Return the height of a text's lines, inches."""
    return _LINE * (text.count("\n") + 1) * float(style.get_fontsize()) / _POINTS_PER_IN


def _labels(axis: Axis) -> list[str]:
    """Return the labels of the ticks within the view."""
    tick = axis.get_major_ticks(1)[0]
    if not (tick.label1.get_visible() or tick.label2.get_visible()):
        return []
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    found: list[str] = []
    for places, form in (
        (axis.get_majorticklocs(), axis.get_major_formatter()),
        (axis.get_minorticklocs(), axis.get_minor_formatter()),
    ):
        seen = [v for v in places if low - slack <= v <= high + slack]
        found += [text for text in form.format_ticks(seen) if text]
    return found


def _spans(
    panels: Sequence[Axes],
    needed: Mapping[Axes, Margins],
    kind: str,
    sides: tuple[str, str],
    extent_in: float,
) -> dict[Axes, tuple[float, float]]:
    """Return where each panel begins and ends along one direction, inches from the first side.

    Parameters
    ----------
    panels : sequence of Axes
        Of one grid.
    needed : dict of Axes to Margins
        Their margins.
    kind : {"colspan", "rowspan"}
        Direction.
    sides : (str, str)
        First and last side in that direction.
    extent_in : float
        Of the figure.
    """
    grid = panels[0].get_subplotspec().get_gridspec()  # type: ignore[union-attr]
    ratios = grid.get_width_ratios() if kind == "colspan" else grid.get_height_ratios()
    count = grid.ncols if kind == "colspan" else grid.nrows
    shares = np.ones(count) if ratios is None else np.asarray(ratios, dtype=np.float64)
    before, after = [0.0] * count, [0.0] * count
    spans = {axes: getattr(axes.get_subplotspec(), kind) for axes in panels}
    for axes, span in spans.items():
        before[span.start] = max(before[span.start], needed[axes][sides[0]])
        after[span.stop - 1] = max(after[span.stop - 1], needed[axes][sides[1]])
    free = extent_in - sum(before) - sum(after) - 2.0 * PAD_IN * count
    starts, stops, place = [], [], 0.0
    for i, share in enumerate(shares):
        starts.append(place + PAD_IN + before[i])
        stops.append(starts[i] + free * float(share / shares.sum()))
        place = stops[i] + after[i] + PAD_IN
    return {axes: (starts[span.start], stops[span.stop - 1]) for axes, span in spans.items()}


def _place_bar(bar: Bar, offset_in: float, width: float, height: float) -> None:
    """Place a colour bar beside its panels as drawn: an image may fill less than its place."""
    for axes in bar.beside:
        axes.apply_aspect()
    boxes = [axes.get_position() for axes in bar.beside]
    left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    bottom, top = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
    cut = 0.5 * (1.0 - bar.shrink)
    if bar.location == "right":
        long, across = bar.shrink * (top - bottom), BAR_WIDTH_IN / width
        place = (right + (BAR_GAP_IN + offset_in) / width, bottom + cut * (top - bottom))
        bar.axes.set_position((*place, across, long))
    else:
        long, across = bar.shrink * (right - left), BAR_WIDTH_IN / height
        below = bottom - (BAR_GAP_IN + offset_in) / height - across
        bar.axes.set_position((left + cut * (right - left), below, long, across))
