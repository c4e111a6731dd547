"""Panels get the room that their texts need, and no axis more ticks than it can show."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from figure_boxes import assert_tidy, drawn
from scintscope.report import style
from scintscope.report.decades import power_of_ten, thin_out


def busy() -> Figure:
    """Return panels of all kinds: long labels, names as ticks, images, bars on two sides."""
    figure = style.new_figure(7.0)
    grid = figure.subplots(2, 3, width_ratios=[1.0, 1.4, 0.8])
    for axes in grid.ravel():
        axes.set_title("a title")
        axes.set_xlabel("one line\nand another")
        axes.set_ylabel("a quantity (unit)")
    grid[0, 0].plot([0.0, 1.0], [-0.000125, 0.000375])
    grid[0, 1].barh(range(3), [1.0, 2.0, 3.0])
    grid[0, 1].set_yticks(range(3), ["short", "a name of some length", "x"])
    grid[0, 2].semilogy([0.0, 1000.0], [1e-12, 1e3])
    for axes, where in ((grid[1, 0], "right"), (grid[1, 1], "bottom")):
        shown = axes.imshow(np.linspace(0.0, 12345.0, 600).reshape(20, 30))
        style.colour_bar(figure, shown, axes, "counts (ADU)", location=where, shrink=0.9)
    shown = grid[1, 2].imshow(np.eye(4))
    style.bare(grid[1, 2])
    style.colour_bar(figure, shown, grid[1, 2])
    return figure


def test_texts_neither_collide_nor_leave_the_figure() -> None:
    """Labels, ticks, titles and colour bars of neighbours keep apart, inside the figure."""
    with rc_context(style.SETTINGS):
        assert_tidy(busy())


def test_rows_and_columns_stay_aligned() -> None:
    """Panels of a column begin and end together, those of a row too, in the ratios asked for."""
    with rc_context(style.SETTINGS):
        figure = style.new_figure(5.0)
        grid = figure.subplots(2, 3, width_ratios=[1.0, 2.0, 3.0], height_ratios=[2.0, 1.0])
        grid[0, 0].set_ylabel("only here")
        grid[1, 2].set_xlabel("only\nhere")
        drawn(figure)
    box = np.array([[axes.get_position().bounds for axes in row] for row in grid])
    # positions are sums of a few floats of order one
    np.testing.assert_allclose(np.ptp(box[..., 0], axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.ptp(box[..., 1], axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(box[0, :, 2] / box[0, 0, 2], [1.0, 2.0, 3.0], rtol=1e-9)
    np.testing.assert_allclose(box[0, :, 3] / box[1, :, 3], 2.0, rtol=1e-9)


def test_a_bar_beside_a_row_spans_it() -> None:
    """A bar below two images is as long as both with the gap, and lies below their labels."""
    with rc_context(style.SETTINGS):
        figure = style.new_figure(4.0)
        panels = list(figure.subplots(1, 2))
        for axes in panels:
            shown = axes.imshow(np.eye(5), aspect="auto")
            axes.set_xlabel("column (px)")
        style.colour_bar(figure, shown, panels, "share", location="bottom")
        assert_tidy(figure)
    left, right, bar = (axes.get_position() for axes in figure.axes)
    assert (bar.x0, bar.x1) == pytest.approx((left.x0, right.x1), abs=1e-12)


def test_nested_figures_take_bars_too() -> None:
    """Where matplotlib lays a figure out, a bar is drawn all the same."""
    figure = style.new_figure(3.0, nested=True)
    axes = figure.subplots()
    style.colour_bar(figure, axes.imshow(np.eye(3)), axes, "share")
    assert len(drawn(figure)) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-3, "10⁻³"), (1.0, "10⁰"), (1e12, "10¹²"), (2.5, "2.5"), (0.0, "0"), (-10.0, "-10")],
)
def test_powers_of_ten_in_plain_text(value: float, text: str) -> None:
    """Powers of ten are written as such, all else as numbers."""
    assert power_of_ten(value) == text


@pytest.mark.parametrize(
    ("top", "minor", "shown"),
    [
        (15.0, True, ["1", "10", "2", "4", "6"]),
        (50.0, True, ["10⁰", "10¹"]),
        (1e4, False, ["10⁰", "10¹", "10²", "10³", "10⁴"]),
    ],
)
def test_long_axes_have_a_tick_a_decade(top: float, minor: bool, shown: list[str]) -> None:
    """Beyond two decades nothing stands between them; a short axis has numbers between them."""
    figure = style.new_figure(3.0)
    axes = figure.subplots()
    axes.semilogy([0.0, 1.0], [1.0, top])
    axes.set_ylim(1.0, top)
    thin_out(figure)
    axis = axes.yaxis
    assert (len(axis.get_minorticklocs()) > 0) == minor
    found = []
    for places, form in (
        (axis.get_majorticklocs(), axis.get_major_formatter()),
        (axis.get_minorticklocs(), axis.get_minor_formatter()),
    ):
        found += form.format_ticks([v for v in places if 1.0 <= v <= top])
    assert [text for text in found if text] == shown
