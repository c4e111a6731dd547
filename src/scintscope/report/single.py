"""Figure: the exact image against the single-PSF image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.report import style
from scintscope.verdict import SinglePsf
from scintscope.verdict.profile import radial_rms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_MOST_PX = 480


def error_map(single: SinglePsf, image: NDArray[Any]) -> Array:
    """Return (image - exact) / std(exact) inside the border of judgements, share."""
    from scintscope.verdict.single_psf import inner

    exact = inner(single.exact, single.border_px).astype(np.float64)
    spread = float(exact.std())
    difference = inner(image, single.border_px).astype(np.float64) - exact
    return np.asarray(difference / spread if spread > 0.0 else difference)


def draw_single(found: Mapping[str, SinglePsf], pixel_um: float) -> Figure:
    """Return, one row a plate: exact image, error map, error over field radius."""
    figure = style.new_figure(3.7 * len(found))
    grid = figure.subplots(len(found), 3, squeeze=False, width_ratios=[1.0, 1.0, 1.1])
    for row, (plate, single) in zip(grid, found.items(), strict=True):
        limits = style.grey_limits(single.exact, 0.2, 99.8)
        shown = style.show(row[0], single.exact, pixel_um, limits, largest_px=_MOST_PX)
        style.colour_bar(figure, shown, row[0], "electrons per pixel and s", shrink=0.85)
        row[0].set_title(f"{plate} plate: exact image, all depths")
        error = error_map(single, single.registered)
        top = 100.0 * max(float(np.percentile(np.abs(error), 99.5)), 1e-9)
        shown = style.show(
            row[1], 100.0 * error, pixel_um, (-top, top), cmap=style.DIVERGING, largest_px=_MOST_PX
        )
        style.colour_bar(figure, shown, row[1], "single - exact (% of std(exact))", shrink=0.85)
        row[1].set_title("single PSF, registered, minus exact")
        _draw_radial(row[2], single, pixel_um)
    return figure


def _draw_radial(axes: Axes, single: SinglePsf, pixel_um: float) -> None:
    curves = [
        (single.registered, style.RESTORED, "registered"),
        (single.entrance, style.ACCENT, "entrance magnification (Eq. 2 as printed)"),
    ]
    top = 1.0
    for image, colour, text in curves:
        radius, rms = radial_rms(error_map(single, image))
        axes.plot(radius * pixel_um, 100.0 * rms, color=colour, label=text)
        top = max(top, 100.0 * float(rms.max()))
    axes.axhline(1.0, color=style.LIGHT, lw=1.0, ls="--", label="good enough: 1 %")
    axes.set_xlim(0.0, None)
    axes.set_ylim(0.0, 1.35 * top)
    axes.set_xlabel("distance from the optical axis (um)")
    axes.set_ylabel("RMS error on a ring (% of std(exact))")
    axes.set_title(f"error over the field: {single.rms_relative_error:.2%} in all")
    axes.legend(loc="upper right")
