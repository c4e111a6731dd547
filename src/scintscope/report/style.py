"""One look for all figures: colours, type, panels, scale bars, PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Image = NDArray[Any]

THIN, THICK, RESTORED, TRUTH = "#0072B2", "#D55E00", "#009E73", "#222222"
ACCENT, LIGHT, WARM, SKY = "#CC79A7", "#999999", "#E69F00", "#56B4E9"
"""Okabe and Ito's palette: told apart by readers with any colour vision."""

COLOURS = {"thin": THIN, "thick": THICK, "restored": RESTORED, "truth": TRUTH}
GREY, HEAT, DIVERGING = "gray", "magma", "PuOr"
DOTS_PER_INCH = 120
WIDTH_IN = 11.5
LARGEST_PX = 512
_COMPRESSION = 1
"""Of the PNG: half the time of the usual 6, and no more bytes."""

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titley": 1.0,  # at its place, not where ticks of every panel leave room
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.6,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "image.interpolation": "nearest",
    "text.hinting": "no_hinting",  # at this size no worse, a tenth of the time
    "figure.facecolor": "white",
}


def picture(draw: Callable[..., Figure], *arguments: Any, **options: Any) -> bytes:
    """Return the PNG of a figure that ``draw(*arguments, **options)`` builds, in our style.

    It carries no date or software tag, so that the same run gives the same bytes.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image as Picture

    from scintscope.report.decades import thin_out

    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]
        figure = draw(*arguments, **options)
        figure.set_dpi(DOTS_PER_INCH)
        thin_out(figure)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
    small = io.BytesIO()
    Picture.fromarray(np.ascontiguousarray(pixels)).save(
        small, format="PNG", compress_level=_COMPRESSION
    )
    return small.getvalue()


def new_figure(height_in: float, width_in: float = WIDTH_IN, *, nested: bool = False) -> Figure:
    """Return an empty figure that lays out its panels itself; no global state.

    Parameters
    ----------
    height_in, width_in : float
        Its size.
    nested : bool
        It will hold figures of its own, and is laid out by matplotlib: slower.
    """
    from matplotlib.figure import Figure

    from scintscope.report.layout import PanelLayout

    size = (width_in, height_in)
    if nested:
        return Figure(figsize=size, layout="constrained")
    return Figure(figsize=size, layout=PanelLayout())


def colour_bar(
    figure: Figure,
    shown: Any,
    beside: Axes | Sequence[Axes],
    label: str = "",
    *,
    location: str = "right",
    shrink: float = 1.0,
) -> None:
    """Draw a colour bar beside a panel of `new_figure`, or beside a row of panels.

    Parameters
    ----------
    figure : Figure
        Theirs.
    shown : image, mesh
        Whose colours are explained.
    beside : Axes or sequence of Axes
        The panel or panels.
    label : str
        Quantity and unit.
    location : {"right", "bottom"}
        Side.
    shrink : float
        Length over the panels'.
    """
    from scintscope.report.layout import Bar, PanelLayout

    panels = beside if isinstance(beside, Sequence) else [beside]
    engine = figure.get_layout_engine()
    if not isinstance(engine, PanelLayout):
        figure.colorbar(shown, ax=list(panels), location=location, shrink=shrink, label=label)
        return
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    orientation = "vertical" if location == "right" else "horizontal"
    figure.colorbar(shown, cax=axes, orientation=orientation, label=label)
    axes.grid(False)
    engine.bars.append(Bar(axes, panels, location, shrink))


@dataclass(frozen=True, slots=True)
class Panel:
    """An image made small enough to be shown.

    Parameters
    ----------
    image : (M, N) array
        Block means.
    block : int
        Side of the blocks, pixels.
    shape : (int, int)
        Of the image given.
    """

    image: Image
    block: int
    shape: tuple[int, ...]


def panel(image: Image, largest_px: int = LARGEST_PX) -> Panel:
    """Return an image as a panel with no side above ``largest_px``."""
    small, block = reduced(image, largest_px)
    return Panel(np.asarray(small, dtype=np.float32), block, image.shape)


def reduced(image: Image, largest_px: int) -> tuple[Image, int]:
    """Return block means with no side above ``largest_px``, and the side of the blocks."""
    factor = max(1, -(-max(image.shape) // largest_px))
    if factor == 1:
        return image, 1
    rows, columns = (n // factor * factor for n in image.shape)
    blocks = image[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float64)), factor


def grey_limits(image: Image, low: float = 0.5, high: float = 99.5) -> tuple[float, float]:
    """Return grey-scale limits from percentiles; never equal."""
    bottom, top = (float(v) for v in np.percentile(image, (low, high)))
    if top <= bottom:
        top = bottom + max(abs(bottom), 1.0) * 1e-3
    return bottom, top


def show(
    axes: Axes,
    image: Image | Panel,
    pixel_um: float,
    limits: tuple[float, float],
    *,
    bar_um: float | None = None,
    cmap: str = GREY,
    largest_px: int = LARGEST_PX,
) -> Any:
    """Draw an image without axes and with a scale bar; return what a colour bar needs.

    Coordinates of the panel are pixel indices of the image given, row downwards.
    """
    small = image if isinstance(image, Panel) else panel(image, largest_px)
    height, width = (n * small.block for n in small.image.shape)
    shown = axes.imshow(
        small.image,
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )
    bare(axes)
    scale_bar(axes, small.shape, pixel_um, bar_um)
    return shown


def bare(axes: Axes) -> None:
    """Take ticks, grid and spines off a panel."""
    axes.grid(False)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def round_length_um(extent_um: float) -> float:
    """Return a 1-2-5 length near a fifth of an extent."""
    wanted = extent_um / 5.0
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(s * power for s in (1.0, 2.0, 5.0) if s * power <= wanted * 1.001))


def scale_bar(
    axes: Axes, shape: tuple[int, ...], pixel_um: float, bar_um: float | None = None
) -> None:
    """Draw a labelled scale bar into the lower left corner of an image panel."""
    rows, columns = shape[0], shape[1]
    length = bar_um or round_length_um(columns * pixel_um)
    left, bottom = 0.04 * columns, 0.955 * rows
    axes.plot(
        [left, left + length / pixel_um], [bottom, bottom], color="white", lw=3.2, zorder=4,
        path_effects=_outline(5.2), solid_capstyle="butt",
    )  # fmt: skip
    axes.text(
        left, bottom - 0.02 * rows, f"{length:g} um", color="white", fontsize=8, zorder=5,
        va="bottom", path_effects=_outline(2.0),
    )  # fmt: skip


def _outline(width: float) -> list[Any]:
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=width, foreground="black")]


def frame(axes: Axes, row: float, column: float, height: float, width: float, text: str) -> None:
    """Draw a labelled rectangle (pixel indices) onto an image panel."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((column, row), width, height, fill=False, edgecolor=WARM, linewidth=1.4)
    )
    axes.text(
        column, row, text, color=WARM, fontsize=9, fontweight="bold", va="bottom", ha="left",
        path_effects=_outline(2.0), clip_on=True,
    )  # fmt: skip


def frequency_axis(axes: Axes, top_lp_per_mm: float, nyquist_lp_per_mm: float | None) -> None:
    """Label a frequency axis in line pairs per mm at the object, and mark the camera's Nyquist."""
    axes.set_xlim(0.0, top_lp_per_mm)
    text = "spatial frequency at the scintillator (lp/mm)"
    if nyquist_lp_per_mm is not None and nyquist_lp_per_mm <= top_lp_per_mm:
        axes.axvline(nyquist_lp_per_mm, color=LIGHT, lw=1.0, ls="--", zorder=1)
        text += "\ndashed: camera Nyquist"
    axes.set_xlabel(text)
