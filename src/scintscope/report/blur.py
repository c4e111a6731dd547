"""Figures: the PSF through depth, and MTF, NPS, DQE of both plates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.report import style
from scintscope.report.radial import blur_slope, lp_per_mm, mean_psfs, radial_psf
from scintscope.response import DepthResponse, at_frequencies, presampled_mtf
from scintscope.units import UM_PER_MM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_DEPTHS, _RADII = 61, 181
_DECADES = 5.0
_DOWN_THE_TAIL = 1e-6


def draw_depth_psf(responses: Mapping[str, DepthResponse], nyquist_cy_per_um: float) -> Figure:
    """Return r-z section of the thick plate's PSF, MTF at several depths, generalized PSFs."""
    figure = style.new_figure(4.2)
    section, curves, profiles = figure.subplots(1, 3, width_ratios=[1.25, 1.0, 1.0])
    thick = responses["thick"]
    depths, chosen = np.linspace(0.0, thick.thickness_um, _DEPTHS), _chosen_depths_um(thick)
    otf = thick.otf_at(np.concatenate([depths, chosen]))  # in one go: it is compiled for a shape
    _draw_section(figure, section, thick, depths, otf[:_DEPTHS])
    _draw_depth_mtf(curves, thick, nyquist_cy_per_um, chosen, otf[_DEPTHS:])
    _draw_profiles(profiles, responses)
    return figure


def _radius_um(response: DepthResponse) -> float:
    farthest = max(abs(response.focus_um), abs(response.thickness_um - response.focus_um))
    return float(max(1.15 * farthest * blur_slope(response), 4.0 * response.pixel_um))


def _chosen_depths_um(response: DepthResponse) -> Array:
    offsets = np.array([0.0, 0.05, 0.15, 0.4, 1.0]) * (response.thickness_um - response.focus_um)
    return np.clip(response.focus_um + offsets, 0.0, response.thickness_um)


def _draw_section(
    figure: Figure, axes: Axes, response: DepthResponse, z: Array, otf: Array
) -> None:
    reach, slope = _radius_um(response), blur_slope(response)
    radius = np.linspace(0.0, reach, _RADII)
    psf = radial_psf(response, otf, radius)
    level = np.log10(np.maximum(psf / psf.max(), 10.0**-_DECADES))
    both = np.concatenate([level[:, :0:-1], level], axis=1)
    shown = axes.imshow(
        both, extent=(-reach, reach, response.thickness_um, 0.0), aspect="auto", cmap=style.HEAT,
        vmin=-_DECADES, vmax=0.0, interpolation="bilinear",
    )  # fmt: skip
    for sign in (-1.0, 1.0):
        axes.plot(sign * np.abs(z - response.focus_um) * slope, z, color=style.SKY, lw=0.9, ls="--")
    axes.set_xlim(-reach, reach)
    axes.set_ylim(response.thickness_um, 0.0)
    axes.grid(False)
    axes.set_xlabel("radius at the object (um)")
    axes.set_ylabel("depth of the emitter, z (um)")
    axes.set_title("thick plate: PSF(r, z); dashed: cone of rays")
    style.colour_bar(figure, shown, axes, "log₁₀ of PSF over its peak")


def _draw_depth_mtf(
    axes: Axes, response: DepthResponse, nyquist_cy_per_um: float, depths: Array, otf: Array
) -> None:
    from matplotlib import colormaps

    top = min(2.0 * nyquist_cy_per_um, float(response.frequency_cy_per_um[-1]))
    f = np.linspace(0.0, top, 400)
    pixel = np.sinc(f * response.pixel_um)
    curves = at_frequencies(f, response.frequency_cy_per_um, otf)
    for share, depth, curve in zip(np.linspace(0.1, 0.8, depths.size), depths, curves, strict=True):
        axes.plot(
            lp_per_mm(f), np.abs(curve * pixel), color=colormaps["viridis"](share), lw=1.1,
            label=f"z = {depth:.0f} um",
        )  # fmt: skip
    axes.plot(
        lp_per_mm(f), presampled_mtf(response, f), color=style.THICK, lw=2.6,
        label="generalized, all depths",
    )  # fmt: skip
    axes.set_ylim(0.0, 1.02)
    axes.set_ylabel("MTF, pixel included")
    axes.set_title(f"thick plate, in focus at {response.focus_um:.0f} um")
    style.frequency_axis(axes, float(lp_per_mm(top)), float(lp_per_mm(nyquist_cy_per_um)))
    axes.legend()


def _draw_profiles(axes: Axes, responses: Mapping[str, DepthResponse]) -> None:
    reach = _radius_um(responses["thick"])
    radius = np.linspace(0.0, reach, 4 * _RADII)
    floor = 1.0
    found = mean_psfs(responses, radius)
    for name, psf in found.items():
        axes.semilogy(
            radius, np.where(psf > 0.0, psf, np.nan), color=style.COLOURS[name],
            label=f"{name}, {responses[name].thickness_um:g} um",
        )  # fmt: skip
        floor = min(floor, float(psf.max()))
    low = max(0.3 * float(np.abs(found["thick"][-_RADII:]).mean()), _DOWN_THE_TAIL * floor)
    axes.set_ylim(low, None)
    axes.set_xlim(0.0, reach)
    axes.set_xlabel("radius at the object (um)")
    axes.set_ylabel("PSF (1/um²)")
    axes.set_title("generalized PSF of both plates")
    axes.legend()


def dqe_crossover_cy_per_um(sheet: Mapping[str, Any]) -> float | None:
    """Return the frequency above which the thin plate's DQE exceeds the thick one's, or None.

    None where the two curves never cross that way below their common end.
    """
    f, thin = (np.array(sheet["thin"]["dqe"][key]) for key in ("frequency_cy_per_um", "value"))
    other, thick = (
        np.array(sheet["thick"]["dqe"][key]) for key in ("frequency_cy_per_um", "value")
    )
    top = min(f[-1], other[-1])
    f, thin = f[f <= top], thin[f <= top]
    difference = thin - np.interp(f, other, thick)
    rising = np.flatnonzero((difference[:-1] < 0.0) & (difference[1:] >= 0.0))
    if not rising.size:
        return None
    i = int(rising[0])
    step = difference[i] / (difference[i] - difference[i + 1])
    return float(f[i] + step * (f[i + 1] - f[i]))


def draw_signal_noise(sheet: Mapping[str, Any], nyquist_cy_per_um: float) -> Figure:
    """Return MTF, normalised NPS and DQE of both plates."""
    figure = style.new_figure(3.9)
    panels = figure.subplots(1, 3)
    draw_curve(panels[0], sheet, "mtf", nyquist_cy_per_um)
    draw_curve(panels[1], sheet, "nps", nyquist_cy_per_um)
    draw_curve(panels[2], sheet, "dqe", nyquist_cy_per_um)
    return figure


_LABELS = {
    "mtf": ("MTF", "MTF, presampled, pixel included"),
    "nps": ("NPS of one frame over squared mean (um²)", "noise power, before sampling"),
    "dqe": ("DQE", "share of the X-rays' information kept"),
}


def draw_curve(axes: Axes, sheet: Mapping[str, Any], kind: str, nyquist_cy_per_um: float) -> None:
    """Draw one of ``mtf``, ``nps``, ``dqe`` of both plates; mark where thin DQE beats thick."""
    top = 0.0
    for name in ("thin", "thick"):
        f = np.array(sheet[name][kind]["frequency_cy_per_um"]) * UM_PER_MM
        value = np.array(sheet[name][kind]["value"])
        axes.plot(f, value, color=style.COLOURS[name], label=f"{name} plate")
        top = max(top, float(f[-1]))
    label, title = _LABELS[kind]
    axes.set_ylabel(label)
    axes.set_title(title)
    if kind == "mtf":
        axes.set_ylim(0.0, 1.02)
    elif kind == "nps":
        axes.set_yscale("log")
    else:
        axes.set_yscale("log")
        axes.set_ylim(1e-4, 1.0)
        crossover = dqe_crossover_cy_per_um(sheet)
        if crossover is not None:
            at = crossover * UM_PER_MM
            axes.axvline(at, color=style.RESTORED, lw=1.2, ls=":")
            axes.annotate(
                f"thin beats thick\nabove {at:.0f} lp/mm", (at, 0.3), xytext=(8, 0),
                textcoords="offset points", fontsize=8, color=style.RESTORED,
            )  # fmt: skip
    style.frequency_axis(axes, top, nyquist_cy_per_um * UM_PER_MM)
    axes.legend(loc="lower left" if kind == "dqe" else "best")
