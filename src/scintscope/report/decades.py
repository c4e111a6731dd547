"""Ticks of logarithmic axes: one a decade, labelled in plain text.

Matplotlib sets eight unlabelled ticks between two decades and writes the label as a formula; each
tick is five objects, each formula is parsed. On an axis of several decades neither shows anything.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_MOST_WITH_MINOR = 2.0
"""Decades up to which an axis keeps the ticks between its decades."""

_MOST_LABELLED = 1.3
"""Decades up to which some of those are labelled, all in plain numbers."""

_LEAST = 0.4
"""Shorter axes may hold none of these; matplotlib's labels stay."""

_LABELLED = (2, 4, 6)

_HIGH = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """Return a power of ten as it is written, "10⁻³"; other values as plain numbers."""
    if value <= 0.0:
        return f"{value:g}"
    exponent = round(math.log10(value))
    if not math.isclose(value, 10.0**exponent, rel_tol=1e-9):
        return f"{value:g}"
    return "10" + str(exponent).translate(_HIGH)


def between_decades(value: float) -> str:
    """Return the label of a tick between two decades: a plain number at 2, 4, 6, else nothing."""
    leading = value / 10.0 ** math.floor(math.log10(value))
    return f"{value:g}" if any(math.isclose(leading, n) for n in _LABELLED) else ""


def thin_out(figure: Figure) -> None:
    """Give logarithmic axes plain labels, and those that span decades one tick a decade."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            decades = _decades(axis)
            if not decades:
                continue
            if decades > _MOST_LABELLED:
                axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
                axis.set_minor_formatter(NullFormatter())
            elif decades > _LEAST:
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_formatter(FuncFormatter(lambda value, _: between_decades(value)))
            if decades > _MOST_WITH_MINOR:
                axis.set_minor_locator(NullLocator())


def _decades(axis: Axis) -> float:
    """Return how many decades a logarithmic axis spans; 0 for others."""
    low, high = sorted(axis.get_view_interval())
    return math.log10(high / low) if axis.get_scale() == "log" and low > 0.0 else 0.0
