"""Figure: the spectrum, where its energy turns into light, and which photons stop where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.report import style
from scintscope.report.radial import share_per_um
from scintscope.response import DepthResponse
from scintscope.source import Spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_DEPTHS = 400
_LINE_WIDTH_KEV = 0.5
_MOST_DECADES = 3.0


def draw_spectrum(responses: Mapping[str, DepthResponse], sheet: Mapping[str, Any]) -> Figure:
    """Return spectrum, k(z) of thin and thick plate, light per energy and depth (thick)."""
    figure = style.new_figure(6.6)
    grid = figure.add_gridspec(2, 2)
    _draw_lines(figure.add_subplot(grid[0, 0]), responses["thick"].spectrum)
    above = figure.add_subplot(grid[0, 1])
    for column, name in enumerate(("thin", "thick")):
        response = responses[name]
        z = np.linspace(0.0, response.thickness_um, _DEPTHS)
        light = response.light_per_um(z)
        k = share_per_um(response, light)
        _draw_depth(figure.add_subplot(grid[1, column]), name, response, (z, k), sheet[name])
    _draw_map(figure, above, responses["thick"], z, light)
    return figure


def _draw_lines(axes: Axes, spectrum: Spectrum) -> None:
    """Draw the continuum per keV and lines as stems whose height is their rate."""
    line = spectrum.width_kev == 0.0
    bins = ~line
    if bins.any():
        density = spectrum.photons_per_um2_s[bins] / spectrum.width_kev[bins]
        energy = spectrum.energy_kev[bins]
        axes.fill_between(energy, density, step="mid", color=style.SKY, alpha=0.5, lw=0)
        axes.step(
            energy, density, where="mid", color=style.THIN, lw=1.2, label="continuum, per keV"
        )
    if line.any():
        axes.vlines(
            spectrum.energy_kev[line], 0.0, spectrum.photons_per_um2_s[line],
            color=style.THICK, lw=1.8, label="lines, each",
        )  # fmt: skip
    top = float(spectrum.energy_kev.max())
    axes.axvline(spectrum.mean_energy_kev, color=style.TRUTH, lw=1.0, ls=":")
    axes.set_xlim(0.0, 1.05 * top)
    axes.set_ylim(0.0, None)
    axes.set_xlabel("photon energy (keV)")
    axes.set_ylabel("photons (1/um²/s, per keV or per line)")
    axes.set_title(
        f"Open beam at the thick plate: {spectrum.total_photons_per_um2_s:.3g} /um²/s, "
        f"mean {spectrum.mean_energy_kev:.1f} keV (dotted)"
    )
    axes.legend()


def _draw_depth(
    axes: Axes,
    name: str,
    response: DepthResponse,
    curve: tuple[Array, Array],
    sheet: Mapping[str, Any],
) -> None:
    z, k = curve
    zone = sheet["depth_of_field_um"]["contrast_zero"]
    focus = response.focus_um
    if zone is not None:
        axes.axvspan(
            max(0.0, focus - 0.5 * zone), min(response.thickness_um, focus + 0.5 * zone),
            color=style.WARM, alpha=0.25, lw=0, label="contrast above 0 at camera Nyquist",
        )  # fmt: skip
    axes.plot(z, k, color=style.COLOURS[name], label="k(z)")
    axes.axvline(focus, color=style.TRUTH, lw=1.0, ls="--", label=f"focus, {focus:.1f} um")
    axes.axvline(
        sheet["mean_depth_um"], color=style.TRUTH, lw=1.0, ls=":",
        label=f"mean depth, {sheet['mean_depth_um']:.1f} um",
    )  # fmt: skip
    axes.set_xlim(0.0, response.thickness_um)
    axes.set_ylim(0.0, 1.08 * float(k.max()))
    axes.set_xlabel("depth from the X-ray entrance face, z (um)")
    axes.set_ylabel("share of the light per um, k (1/um)")
    axes.set_title(
        f"{name} plate, {response.thickness_um:g} um: absorbs "
        f"{sheet['absorbed_photon_fraction']:.0%} of the photons, "
        f"{sheet['absorbed_energy_fraction']:.0%} of the energy"
    )
    axes.legend(loc="upper right")


def _draw_map(figure: Figure, axes: Axes, response: DepthResponse, z: Array, light: Array) -> None:
    """Draw which energies make light at which depth, and the depth 1/mu."""
    from matplotlib.colors import LogNorm

    spectrum = response.spectrum
    width = np.where(spectrum.width_kev > 0.0, spectrum.width_kev, _LINE_WIDTH_KEV)
    edges = np.arange(0.0, float((spectrum.energy_kev + width).max()) + 1.0, _LINE_WIDTH_KEV)
    index = np.clip(np.digitize(spectrum.energy_kev, edges) - 1, 0, edges.size - 2)
    table = np.zeros((edges.size - 1, z.size))
    np.add.at(table, index, light / float(light.sum(axis=0).max()) / _LINE_WIDTH_KEV)
    top = float(table.max())
    shown = axes.pcolormesh(
        edges, z, np.maximum(table, 1e-12 * top).T[:-1, :], cmap=style.HEAT, rasterized=True,
        norm=LogNorm(top * 10.0**-_MOST_DECADES, top),
    )  # fmt: skip
    stops = 1.0 / np.asarray(response.deposition.attenuation_per_um)
    order = np.argsort(spectrum.energy_kev)
    axes.plot(
        spectrum.energy_kev[order], stops[order], color="white", lw=2.6, marker=_dot(stops), ms=5
    )
    axes.plot(
        spectrum.energy_kev[order], stops[order], color=style.SKY, lw=1.4, marker=_dot(stops), ms=4,
        label="1/attenuation coefficient",
    )  # fmt: skip
    axes.set_ylim(response.thickness_um, 0.0)
    axes.set_xlim(0.0, float(edges[-1]))
    axes.set_xlabel("photon energy (keV)")
    axes.set_ylabel("depth z (um)")
    axes.set_title("thick plate: which photons make light where")
    axes.grid(False)
    axes.legend(loc="lower left", labelcolor="white", facecolor=style.TRUTH)
    style.colour_bar(figure, shown, axes, "light per um and keV (peak total per um = 1)")


def _dot(values: Any) -> str:
    return "o" if values.size == 1 else ""
