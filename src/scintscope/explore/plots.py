"""Plots of the page: axes, units, colours; data come and go through their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper, Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from scintscope.explore.engine import PlateView
from scintscope.explore.thumbnail import Thumbnails
from scintscope.units import UM_PER_MM

Array = NDArray[np.float64]

COLOURS = {"thin": "#0072B2", "thick": "#D55E00"}
"""As in all figures of the package (`report.style`)."""
HEIGHT_PX = 235
_FLOOR = 1e-9

CURVES = ("mtf", "nps", "dqe", "k", "psf")
IMAGES = ("thin", "thick", "restored")
SHOWN = "shown"
"""Source that names the state whose curves are plotted (`tell`)."""

SENTENCES = {
    "mtf": "Contrast of a sine grating in the image: 1 is the specimen's own. Dotted: the camera's "
    "Nyquist frequency.",
    "nps": "Noise power over the squared signal, before sampling: lower is smoother, flat is "
    "noise of the light.",
    "dqe": "Share of the arriving X-rays' information that the image keeps, at each frequency.",
    "k": "Where in the plate the light of the image is made; the bar marks the depth in focus.",
    "psf": "Image of a point, summed over the depths, without the pixel: its tails are what blurs "
    "the thick plate.",
    "thin": "Star through the thin plate: one frame at its exposure.",
    "thick": "The same through the thick plate.",
    "restored": "The thick plate's frame after 8 Richardson-Lucy iterations with the true ratio of "
    "the two plates' blurs.",
}

_AXES = {
    "mtf": ("Modulation transfer (MTF)", "spatial frequency at the scintillator (lp/mm)", "MTF"),
    "nps": ("Noise (normalised NPS)", "spatial frequency at the scintillator (lp/mm)", "NPS (um²)"),
    "dqe": ("Detective quantum efficiency", "spatial frequency at the scintillator (lp/mm)", "DQE"),
    "k": ("Where the light comes from, k(z)", "depth from the entrance face (um)", "k (1/um)"),
    "psf": ("Point spread function", "radius at the scintillator (um)", "PSF (1/um²)"),
}


def sources() -> dict[str, ColumnDataSource]:
    """Return empty sources ``<curve>:<plate>`` and ``<curve>:<plate>:marked`` of all curves."""
    names = [f"{curve}:{which}" for curve in CURVES for which in COLOURS]
    return {
        f"{name}{end}": ColumnDataSource({"x": [], "y": []}, name=f"{name}{end}")
        for name in names
        for end in ("", ":marked")
    } | {
        **{f"focus:{which}": ColumnDataSource({"x": [], "y": []}) for which in COLOURS},
        SHOWN: ColumnDataSource({"count": [0], "keys": [""], "notice": [""]}, name=SHOWN),
    }


def tell(data: Mapping[str, ColumnDataSource], keys: Sequence[str] | None, notice: str) -> None:
    """Say what the page shows, for programs that read it.

    Sent by the same way as the curves and after them, so whoever sees it sees them.

    Parameters
    ----------
    data : dict of ColumnDataSource
        Of the page.
    keys : sequence of str or None
        Changed keys of the state that the curves belong to; None: as before.
    notice : str
        Sentences on the page.
    """
    before = data[SHOWN].data
    lines = before["keys"] if keys is None else ["\n".join(keys)]
    data[SHOWN].data = {"count": [before["count"][0] + 1], "keys": lines, "notice": [notice]}


def curves_of(view: PlateView) -> dict[str, tuple[Array, Array]]:
    """Return x and y of every curve of a plate as they are plotted."""
    lp_per_mm = view.frequency_cy_per_um * UM_PER_MM
    found = view.curves
    return {
        "mtf": (lp_per_mm, found.mtf),
        "nps": (lp_per_mm, found.normalised_nps_um2),
        "dqe": (lp_per_mm, found.dqe),
        "k": (view.depth_um, view.k_per_um),
        "psf": (view.radius_um, np.maximum(view.psf_per_um2, _FLOOR)),
    }


def curve_figure(curve: str, data: Mapping[str, ColumnDataSource], nyquist_lp_per_mm: float) -> Any:
    """Return one plot with both plates, and the marked state dashed behind them."""
    title, x, y = _AXES[curve]
    log = curve in ("nps", "psf")
    plot = figure(
        title=title,
        height=HEIGHT_PX,
        sizing_mode="stretch_width",
        x_axis_label=x,
        y_axis_label=y,
        y_axis_type="log" if log else "linear",
        tools="pan,box_zoom,wheel_zoom,reset,save",
        toolbar_location="above",
        name=curve,
        tags=[data[SHOWN]],
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    for which, colour in COLOURS.items():
        name = f"{curve}:{which}"
        plot.line(
            "x", "y", source=data[f"{name}:marked"], line_color=colour, line_dash="dashed",
            line_alpha=0.5, line_width=1.5,
        )  # fmt: skip
        key = {} if curve == "nps" else {"legend_label": which}  # NPS: no corner is always free
        plot.line("x", "y", source=data[name], line_color=colour, line_width=2.5, **key)
    if curve == "k":
        for which, colour in COLOURS.items():
            plot.line("x", "y", source=data[f"focus:{which}"], line_color=colour, line_width=6)
    if curve in ("mtf", "nps", "dqe"):
        plot.add_layout(
            Span(
                location=nyquist_lp_per_mm, dimension="height", line_color="#777777",
                line_dash="dotted",
            )
        )  # fmt: skip
    if curve in ("mtf", "dqe"):
        plot.y_range.start = 0.0
    for legend in plot.legend:
        legend.location = "top_right"
        legend.background_fill_alpha = 0.7
        legend.border_line_alpha = 0.0
        legend.padding = 4
    plot.grid.grid_line_color = "#e5e5e5"
    plot.outline_line_color = None
    return plot


def fill(
    data: Mapping[str, ColumnDataSource], views: Mapping[str, PlateView], marked: bool = False
) -> None:
    """Put the curves of both plates into their sources."""
    for which, view in views.items():
        for curve, (x, y) in curves_of(view).items():
            end = ":marked" if marked else ""
            data[f"{curve}:{which}{end}"].data = {"x": x, "y": y}
        if not marked:
            top = 0.06 * max(float(v.k_per_um.max()) for v in views.values())
            data[f"focus:{which}"].data = {"x": [view.focus_um] * 2, "y": [0.0, top]}


def image_source() -> ColumnDataSource:
    """Return the source of one image, empty."""
    return ColumnDataSource({"image": [np.ones((2, 2), dtype=np.float32)], "w": [1.0]})


def image_figure(name: str, source: ColumnDataSource, title: str, side_um: float) -> Any:
    """Return the plot of one image: transmission from 0 (black) to 1.15 (white)."""
    plot = figure(
        title=title,
        width=300,
        height=310,
        x_range=(0.0, side_um),
        y_range=(0.0, side_um),
        x_axis_label="um at the scintillator",
        y_axis_label="um",
        tools="pan,wheel_zoom,reset,save",
        toolbar_location=None,
        match_aspect=True,
        name=f"image:{name}",
    )
    mapper = LinearColorMapper(palette=_greys(), low=0.0, high=1.15)
    plot.image("image", source=source, x=0, y=0, dw="w", dh="w", color_mapper=mapper)
    plot.grid.visible = False
    if name in COLOURS:
        plot.title.text_color = COLOURS[name]
    return plot


def _greys() -> list[str]:
    return [f"#{level:02x}{level:02x}{level:02x}" for level in range(256)]


def fill_images(data: Mapping[str, ColumnDataSource], images: Thumbnails) -> None:
    """Put the images into their sources."""
    for name in IMAGES:
        image = getattr(images, name).astype(np.float32)
        data[name].data = {"image": [image], "w": [image.shape[0] * images.pixel_um]}
