"""Figure: the exact image against the single-PSF image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
REGISTERED, AS_PRINTED = "registered", "entrance magnification (Eq. 2 as printed)"
_COLOURS = {REGISTERED: style.RESTORED, AS_PRINTED: style.ACCENT}


def error_map(single: SinglePsf, image: NDArray[Any]) -> Array:
    """Return (image - exact) / std(exact) inside the border of judgements, share."""
    from scintscope.verdict.single_psf import inner

    exact = inner(single.exact, single.border_px).astype(np.float64)
    spread = float(exact.std())
    difference = inner(image, single.border_px).astype(np.float64) - exact
    return np.asarray(difference / spread if spread > 0.0 else difference)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownSingle:
    """One plate's verdict on the single PSF as it is shown.

    Parameters
    ----------
    exact, error : Panel
        Exact image, electrons per pixel and s; single minus exact, per cent of its deviation.
    limits : (float, float)
        Grey scale of the exact image.
    top : float
        End of the error's scale.
    rings : dict of str to ((K,) array, (K,) array)
        By Eq. 2's reading: radius, um, and RMS error on a ring, per cent.
    in_all : float
        RMS error, share.
    """

    exact: style.Panel
    error: style.Panel
    limits: tuple[float, float]
    top: float
    rings: Mapping[str, tuple[Array, Array]]
    in_all: float


def shown_single(single: SinglePsf, pixel_um: float) -> ShownSingle:
    """Return a verdict as `draw_single` shows it."""
    error = 100.0 * error_map(single, single.registered)
    rings = {
        REGISTERED: radial_rms(error),
        AS_PRINTED: radial_rms(100.0 * error_map(single, single.entrance)),
    }
    return ShownSingle(
        exact=style.panel(single.exact, _MOST_PX),
        error=style.panel(error, _MOST_PX),
        limits=style.grey_limits(single.exact, 0.2, 99.8),
        top=max(float(np.percentile(np.abs(error), 99.5)), 1e-7),
        rings={text: (radius * pixel_um, rms) for text, (radius, rms) in rings.items()},
        in_all=single.rms_relative_error,
    )


def draw_single(found: Mapping[str, ShownSingle], pixel_um: float) -> Figure:
    """Return, one row a plate: exact image, error map, error over field radius."""
    figure = style.new_figure(3.7 * len(found))
    grid = figure.subplots(len(found), 3, squeeze=False, width_ratios=[1.0, 1.0, 1.1])
    for row, (plate, seen) in zip(grid, found.items(), strict=True):
        shown = style.show(row[0], seen.exact, pixel_um, seen.limits)
        style.colour_bar(figure, shown, row[0], "electrons per pixel and s", shrink=0.85)
        row[0].set_title(f"{plate} plate: exact image, all depths")
        span = (-seen.top, seen.top)
        shown = style.show(row[1], seen.error, pixel_um, span, cmap=style.DIVERGING)
        style.colour_bar(figure, shown, row[1], "single - exact (% of std(exact))", shrink=0.85)
        row[1].set_title("single PSF, registered, minus exact")
        _draw_radial(row[2], seen)
    return figure


def _draw_radial(axes: Axes, seen: ShownSingle) -> None:
    top = 1.0
    for text, (radius, rms) in seen.rings.items():
        axes.plot(radius, rms, color=_COLOURS[text], label=text)
        top = max(top, float(rms.max()))
    axes.axhline(1.0, color=style.LIGHT, lw=1.0, ls="--", label="good enough: 1 %")
    axes.set_xlim(0.0, None)
    axes.set_ylim(0.0, 1.35 * top)
    axes.set_xlabel("distance from the optical axis (um)")
    axes.set_ylabel("RMS error on a ring (% of std(exact))")
    axes.set_title(f"error over the field: {seen.in_all:.2%} in all")
    axes.legend(loc="upper right")
