"""Figures: power spectra and their gain, slanted edges, profiles through line groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.metrics import (
    PsdGain,
    RadialSpectrum,
    SlantedEdge,
    bar_profile,
    radial_power_spectrum,
)
from scintscope.report import style
from scintscope.report.gallery import panels_of
from scintscope.report.radial import lp_per_mm
from scintscope.report.records import FinishedRun
from scintscope.report.regions import most_detail, placement, profile_groups, zoom_side
from scintscope.response import presampled_mtf
from scintscope.sample.layout import LineGroup
from scintscope.sharing import share
from scintscope.units import UM_PER_MM
from scintscope.verdict.judge import TARGET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_NAMES = {"thin": "thin", "thick": "thick", "restored": "restored", "truth": "truth (perfect thin)"}
_DASHES = {"thin": "-", "thick": "-", "restored": "-", "truth": "--"}
_PAPER_GAIN = 8.45


@dataclass(frozen=True, kw_only=True, slots=True)
class Spectra:
    """Power spectra of one sample as they are shown.

    Parameters
    ----------
    power : dict of str to RadialSpectrum
        Thin, thick, restored, truth.
    gain : PsdGain
        Restored over thick.
    pixel_um : float
        Pixel at the object.
    """

    power: Mapping[str, RadialSpectrum]
    gain: PsdGain
    pixel_um: float


def spectra_of(run: FinishedRun) -> dict[str, Spectra]:
    """Return the spectra of every sample as `draw_spectra` shows them."""
    pixel = run.bench.planes["thick"].pixel_um

    def power(image: NDArray[Any]) -> RadialSpectrum:
        return radial_power_spectrum(image, pixel_um=pixel)

    return {
        sample: Spectra(
            power=dict(zip(panels, share(power, panels.values()), strict=True)),
            gain=verdict.gain,
            pixel_um=pixel,
        )
        for sample, verdict in run.verdict.samples.items()
        for panels in (panels_of(run, sample),)
    }


def draw_spectra(spectra: Mapping[str, Spectra]) -> Figure:
    """Return, one row a sample: power spectra, and their gain restored over thick."""
    figure = style.new_figure(3.6 * len(spectra))
    grid = figure.subplots(len(spectra), 2, squeeze=False)
    for row, (name, seen) in zip(grid, spectra.items(), strict=True):
        _draw_power(row[0], seen, name)
        _draw_gain(row[1], seen, name)
    return figure


def _draw_power(axes: Axes, seen: Spectra, sample: str) -> None:
    lowest, highest = np.inf, 0.0
    for name, spectrum in seen.power.items():
        f, power = lp_per_mm(spectrum.frequency_cy_per_um[1:]), spectrum.power_um2[1:]
        axes.semilogy(
            f, np.where(power > 0.0, power, np.nan), color=style.COLOURS[name], lw=1.3,
            ls=_DASHES[name], label=_NAMES[name],
        )  # fmt: skip
        if name != "truth":
            lowest = min(lowest, float(power[power > 0.0].min(initial=np.inf)))
        highest = max(highest, float(power.max()))
    gain = seen.gain
    floor = np.where(gain.thick_floor_um2 > 0.0, gain.thick_floor_um2, np.nan)
    if np.isfinite(floor[1:]).any():
        axes.semilogy(
            lp_per_mm(gain.frequency_cy_per_um), floor, color=style.LIGHT, lw=1.2, ls=":",
            label="noise floor, thick",
        )  # fmt: skip
    if np.isfinite(lowest) and highest > 0.0:
        axes.set_ylim(0.2 * min(lowest, highest), 3.0 * highest)
    axes.set_ylabel("PSD, radial mean (um²)")
    axes.set_title(f"{sample}: power spectra")
    style.frequency_axis(axes, 0.5 / seen.pixel_um * UM_PER_MM, None)
    axes.legend(ncols=2)


def _draw_gain(axes: Axes, seen: Spectra, sample: str) -> None:
    gain = seen.gain
    f = lp_per_mm(gain.frequency_cy_per_um)
    curves = [
        (gain.gain, style.RESTORED, "-", "all"),
        (gain.signal_gain, style.TRUTH, "-", "signal (where resolved)"),
        (gain.noise_gain, style.LIGHT, "-", "noise"),
    ]
    for values, colour, dash, text in curves:
        if values is not None:
            shown = np.where(np.isfinite(values) & (values > 0.0), values, np.nan)
            axes.semilogy(f[1:], shown[1:], color=colour, ls=dash, lw=1.4, label=text)
    axes.axhline(1.0, color=style.TRUTH, lw=0.7)
    axes.axhline(_PAPER_GAIN, color=style.ACCENT, lw=1.0, ls="--", label="8.45 (Zhou et al. 2025)")
    axes.set_ylim(1e-2, 1e2)
    axes.set_ylabel("PSD of restored over thick")
    axes.set_title(f"{sample}: gain of the restoration")
    style.frequency_axis(axes, 0.5 / seen.pixel_um * UM_PER_MM, None)
    axes.legend(ncols=2)


def has_edges(run: FinishedRun) -> bool:
    """Return whether any slanted edge was measured."""
    return any(edge is not None for edge in run.verdict.samples[TARGET].edges.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Edges:
    """Slanted edges as they are shown.

    Parameters
    ----------
    nyquist_cy_per_um : float
        Of the camera.
    frequency_cy_per_um : (K,) array
        Of the data sheet's curves.
    sheet : dict of str to (K,) array
        Presampled MTF by plate.
    measured : dict of str to SlantedEdge
        On thin, thick, restored.
    """

    nyquist_cy_per_um: float
    frequency_cy_per_um: Array
    sheet: Mapping[str, Array]
    measured: Mapping[str, SlantedEdge]


def edges_of(run: FinishedRun) -> Edges:
    """Return the edges of a run as `draw_edges` shows them."""
    nyquist = 0.5 / run.bench.planes["thick"].pixel_um
    f = np.linspace(0.0, 1.5 * nyquist, 300)
    edges = run.verdict.samples[TARGET].edges
    kinds = ("thin", "thick", "restored")
    return Edges(
        nyquist_cy_per_um=nyquist,
        frequency_cy_per_um=f,
        sheet={name: presampled_mtf(r, f) for name, r in run.bench.responses.items()},
        measured={k: edge for k in kinds if (edge := edges.get(k)) is not None},
    )


def draw_edges(seen: Edges) -> Figure:
    """Return slanted-edge MTFs of thin, thick, restored beside the presampled MTFs; ESFs."""
    figure = style.new_figure(3.9)
    left, right = figure.subplots(1, 2)
    nyquist = seen.nyquist_cy_per_um
    for name, curve in seen.sheet.items():
        left.plot(
            lp_per_mm(seen.frequency_cy_per_um), curve, color=style.COLOURS[name], ls="--", lw=1.2,
            label=f"{name}, data sheet",
        )  # fmt: skip
    for name, edge in seen.measured.items():
        kept = edge.mtf.frequency_cy_per_um <= 1.5 * nyquist
        left.plot(
            lp_per_mm(edge.mtf.frequency_cy_per_um[kept]), edge.mtf.value[kept],
            color=style.COLOURS[name], label=f"{name}, slanted edge",
        )  # fmt: skip
        right.plot(edge.position_um, edge.esf, color=style.COLOURS[name], lw=1.2, label=name)
    left.set_ylim(0.0, 1.3)
    left.set_ylabel("MTF")
    left.set_title("slanted edge against the data sheet's presampled MTF")
    style.frequency_axis(left, 1.5 * nyquist * UM_PER_MM, nyquist * UM_PER_MM)
    left.legend(ncols=2)
    right.set_xlabel("distance from the edge along its normal (um)")
    right.set_ylabel("signal (share of the open beam)")
    right.set_title("edge-spread functions")
    right.set_xlim(-40.0, 40.0)
    right.legend()
    return figure


Profiles = Mapping[str, Mapping[str, Array]]
"""By title of the panel, by image: signal along a row of pixels."""


def profiles_of(run: FinishedRun) -> Profiles:
    """Return profiles across up to three line groups; else one row through the most detail."""
    groups = profile_groups(run)
    panels = panels_of(run, TARGET)
    found = {}
    for group in groups:
        width = group.line_width_um
        title = f"lines of {width:g} um ({500.0 / width:.0f} lp/mm at the sample)"
        found[title] = {k: bar_profile(_inside(run, group, v)) for k, v in panels.items()}
    if not groups:
        row, column = (round(v) for v in most_detail(panels["truth"], zoom_side(run)))
        start = max(column - zoom_side(run), 0)
        cut = np.s_[max(row - 1, 0) : row + 2, start : column + zoom_side(run)]
        found[f"profile along row {row}, mean of three rows"] = {
            k: np.asarray(v[cut].mean(axis=0), dtype=np.float64) for k, v in panels.items()
        }
    return found


def draw_profiles(profiles: Profiles, pixel_um: float) -> Figure:
    """Return a panel a profile: thin, thick, restored, truth."""
    figure = style.new_figure(3.7)
    grid = figure.subplots(1, len(profiles), squeeze=False)[0]
    for axes, (title, traces) in zip(grid, profiles.items(), strict=True):
        for name, trace in traces.items():
            _trace(axes, trace, pixel_um, name)
        axes.set_title(title)
        axes.set_xlabel("distance at the scintillator (um)")
        axes.set_xlim(0.0, None)
    grid[0].set_ylabel("signal (share of the open beam)")
    grid[0].legend(ncols=2)
    low, high = grid[0].get_ylim()
    grid[0].set_ylim(low, high + 0.18 * (high - low))
    return figure


def _trace(axes: Axes, profile: Array, pixel_um: float, name: str) -> None:
    axes.step(
        (np.arange(profile.size) + 0.5) * pixel_um, profile, where="mid", lw=1.4,
        color=style.COLOURS[name], ls=_DASHES[name], label=_NAMES[name],
    )  # fmt: skip


def _inside(run: FinishedRun, group: LineGroup, image: NDArray[np.floating]) -> Array:
    """Return the middle four fifths of a group's lines, and a line's width beside the group."""
    place, box = placement(run, TARGET), group.box
    low, left = place.pixel(
        box.row_low_um + 0.1 * box.height_um, box.column_low_um - group.line_width_um
    )
    high, right = place.pixel(
        box.row_high_um - 0.1 * box.height_um, box.column_high_um + group.line_width_um
    )
    rows = slice(max(round(low), 0), max(round(high), round(low) + 2))
    return np.asarray(image[rows, max(round(left), 0) : round(right) + 1], dtype=np.float64)
