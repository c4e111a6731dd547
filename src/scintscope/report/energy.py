"""Figures: where the X-rays' energy stays, and what becomes of the light it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.report import style
from scintscope.report.records import Drawing
from scintscope.response import DepthResponse
from scintscope.units import UM_PER_MM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_FREQUENCIES = 4000
_TOP_CY_PER_UM = 3.0
_SMOOTH_UM = 0.25
_RADII_UM = (0.3, 150.0, 90)
_DEPTHS = 80
_MOST_DECADES = 8.0


def draw_deposition(responses: Mapping[str, DepthResponse]) -> Figure:
    """Return the deposition map of the thick plate, shares within a radius, deposition MTF."""
    figure = style.new_figure(3.9)
    left, middle, right = figure.subplots(1, 3)
    _draw_map(figure, left, responses["thick"])
    _draw_radius(middle, responses)
    _draw_transfer(right, responses)
    return figure


def energy_map(response: DepthResponse, radius_um: Array, z_um: Array) -> Array:
    """Return the energy a pencil of the open beam leaves, keV per um3 and photon, (D, R).

    Inverse Hankel transform of the radial transfer functions, smoothed over a quarter of a um.
    """
    from scipy.special import j0

    f, step = np.linspace(0.0, _TOP_CY_PER_UM, _FREQUENCIES, retstep=True)
    share = response.spectrum.photons_per_um2_s / response.spectrum.total_photons_per_um2_s
    left = response.deposition.mean_transfer(share[None], z_um, f)[0]
    window = np.exp(-2.0 * (np.pi * f * _SMOOTH_UM) ** 2)
    rings = 2.0 * np.pi * f * window * step
    return np.asarray(left @ (rings[:, None] * j0(2.0 * np.pi * np.outer(f, radius_um))))


def _draw_map(figure: Figure, axes: Axes, response: DepthResponse) -> None:
    from matplotlib.colors import LogNorm

    radius = np.geomspace(*_RADII_UM)
    z = (np.arange(_DEPTHS) + 0.5) / _DEPTHS * response.thickness_um
    density = energy_map(response, radius, z)
    top = float(density.max())
    floor = top * 10.0**-_MOST_DECADES
    shown = axes.pcolormesh(
        radius, z, np.maximum(density, floor), cmap=style.HEAT, rasterized=True,
        norm=LogNorm(floor, top), shading="nearest",
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(response.thickness_um, 0.0)
    axes.grid(False)
    axes.set_xlabel("distance from the entry axis (um)")
    axes.set_ylabel("depth z (um)")
    axes.set_title("thick plate: energy left by a pencil beam")
    style.colour_bar(figure, shown, axes, "keV per um³ and photon")


def _draw_radius(axes: Axes, responses: Mapping[str, DepthResponse]) -> None:
    radius = np.geomspace(0.5, 200.0, 30)
    for name, response in responses.items():
        beyond = response.deposition.distant_share(response.spectrum.photons_per_um2_s, radius)
        axes.semilogx(radius, 1.0 - beyond, color=style.COLOURS[name], label=f"{name} plate")
    axes.set_xlabel("radius about the entry axis (um)")
    axes.set_ylabel("share of the deposited energy within")
    axes.set_ylim(0.0, 1.02)
    axes.set_title("Energy within a radius")
    axes.legend(loc="lower right")


def _draw_transfer(axes: Axes, responses: Mapping[str, DepthResponse]) -> None:
    top = 0.0
    for name, response in responses.items():
        curve = response.depth_weight_um @ response.energy_left
        f = response.frequency_cy_per_um
        top = max(top, 0.5 * float(f[-1]))
        axes.plot(f * UM_PER_MM, curve / curve[0], color=style.COLOURS[name], label=f"{name} plate")
    style.frequency_axis(axes, top * UM_PER_MM, 0.5 * UM_PER_MM / response.pixel_um)
    axes.set_ylim(0.0, 1.02)
    axes.set_ylabel("transfer of the deposited energy")
    axes.set_title("Energy spread alone, no optics")
    axes.legend()


def draw_light_budget(sheet: Mapping[str, Any]) -> Figure:
    """Return the light budget of both plates: what each step leaves of a keV's photons."""
    figure = style.new_figure(3.4)
    for axes, name in zip(figure.subplots(1, 2, sharey=True), ("thin", "thick"), strict=True):
        steps = sheet[name]["light_budget"]
        left = np.cumprod([step["factor"] for step in steps])
        rows = np.arange(left.size)
        axes.barh(rows, left, color=style.COLOURS[name], alpha=0.85)
        for row, value in zip(rows, left, strict=True):
            axes.text(value * 1.1, row, f"{value:.3g}", va="center", fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(left.min() * 0.5, left.max() * 8.0)
        axes.set_yticks(rows, [step["label"] for step in steps])
        axes.set_ylim(left.size - 0.5, -0.5)
        axes.set_xlabel("left of a deposited keV: photons, in the last bar electrons")
        axes.set_title(f"{name} plate: {left[-1]:.3g} electrons per keV")
    return figure


def deposition_drawing(responses: Mapping[str, DepthResponse]) -> Drawing:
    """Return the figure of where the energy stays."""
    return Drawing(
        name="deposition",
        title="Where the energy stays",
        caption="Photoelectrons keep most of it within micrometres; fluorescence of the crystal "
        "carries the rest tens of micrometres away: a halo no lens can focus.",
        draw=draw_deposition,
        arguments=(responses,),
    )


def budget_drawing(sheet: Mapping[str, Any]) -> Drawing:
    """Return the waterfall of the light."""
    return Drawing(
        name="light-budget",
        title="Light budget",
        caption="What each step leaves of the photons that a deposited keV makes; the lens's "
        "aperture takes most.",
        draw=draw_light_budget,
        arguments=(sheet,),
    )
