"""Figures: what restoring buys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scintscope.report import style
from scintscope.report.records import Table
from scintscope.report.tables import number
from scintscope.units import UM_PER_MM
from scintscope.verdict.bought import SEEN, Bought

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOK = {
    "thin": (style.THIN, "-"),
    "thin_equal": (style.THIN, "--"),
    "thick": (style.THICK, "-"),
    "restored": (style.RESTORED, "-"),
}


def label_of(bought: Bought, kind: str) -> str:
    """Return an image's name with its exposure."""
    name = "thin" if kind == "thin_equal" else kind
    return f"{name}, {bought.exposure_s[kind]:g} s"


def draw_bought(bought: Bought) -> Figure:
    """Return MTF, noise, NEQ; contrast needed over size; distance from the truth by frequency."""
    figure = style.new_figure(7.6)
    grid = figure.subplots(2, 3)
    for axes, name in zip(grid[0], ("mtf", "nnps_um2", "neq_per_um2"), strict=True):
        _curves(axes, bought, name)
    _contrast(grid[1, 0], bought, "not_prewhitening")
    _contrast(grid[1, 1], bought, "ideal")
    _bands(grid[1, 2], bought)
    return figure


def _curves(axes: Axes, bought: Bought, name: str) -> None:
    text = {
        "mtf": ("transfer of weak detail", "MTF"),
        "nnps_um2": ("noise power over level squared", "NNPS (um2)"),
        "neq_per_um2": ("noise-equivalent quanta", "NEQ (1/um2)"),
    }[name]
    for kind, seen in bought.seen.items():
        colour, dash = _LOOK[kind]
        axes.plot(
            seen.frequency_cy_per_um * UM_PER_MM, getattr(seen, name), color=colour, ls=dash,
            label=label_of(bought, kind),
        )  # fmt: skip
    if name != "mtf":
        axes.set_yscale("log")
    if name == "neq_per_um2":
        top = max(float(s.neq_per_um2.max()) for s in bought.seen.values())
        axes.set_ylim(1e-5 * top, 2.0 * top)
    axes.set_xlabel("spatial frequency (lp/mm)")
    axes.set_ylabel(text[1])
    axes.set_title(text[0])
    if name == "mtf":
        axes.legend()


def _contrast(axes: Axes, bought: Bought, observer: str) -> None:
    """Draw the contrast a disc needs to be seen over its diameter."""
    found = bought.ideal if observer == "ideal" else bought.plain
    for kind, values in found.items():
        colour, dash = _LOOK[kind]
        axes.loglog(bought.size_um, SEEN / np.maximum(values, 1e-12), color=colour, ls=dash)
    axes.set_ylim(None, 10.0)
    axes.axhline(1.0, color=style.LIGHT, lw=1.0, ls="--")
    axes.set_xlabel("diameter of a disc (um)")
    axes.set_ylabel(f"contrast needed for d' = {SEEN:g}")
    axes.set_title(
        "ideal observer" if observer == "ideal" else "observer who does not undo the blur"
    )


def _bands(axes: Axes, bought: Bought) -> None:
    """Draw the distance from the perfect thin image by frequency."""
    for (name, bands), dash in zip(bought.bands.items(), ("-", "--", ":"), strict=False):
        for kind, error in bands.error.items():
            axes.semilogy(
                bands.frequency_cy_per_um * UM_PER_MM, error, color=style.COLOURS[kind], ls=dash,
                label=f"{name}, {kind}",
            )  # fmt: skip
    axes.axhline(1.0, color=style.LIGHT, lw=1.0, ls="--")
    axes.set_ylim(1e-3, 30.0)
    axes.set_xlabel("spatial frequency (lp/mm)")
    axes.set_ylabel("error power over the truth's")
    axes.set_title("distance from the perfect thin image")
    axes.legend(fontsize=7)


def bought_table(bought: Bought) -> Table:
    """Return each image's distance from the truth at own and equal exposure."""
    kinds = tuple(bought.seen)
    return Table(
        title="Distance from the perfect thin image, at own and at equal exposure",
        head=["", *(label_of(bought, kind) for kind in kinds)],
        rows=[
            [name, *(number(values.get(kind), ".3f") for kind in kinds)]
            for name, values in bought.rmse.items()
        ],
        note="RMS over the truth's standard deviation, after gain and offset. The thin plate's at "
        "the thick plate's exposure: measured distance with the noise the model gives it.",
    )
