"""Figures of the audit: errors by setting, the kernels behind them, errors by condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.audit.kernel_error import WINDOW_PX, KernelTruth, on_window
from scintscope.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

METHOD_COLOURS = {"rl": style.THICK, "ratio": style.WARM, "radial": style.RESTORED}
METHOD_NAMES = {"rl": "Richardson-Lucy", "ratio": "ratio of transforms", "radial": "radial fit"}
SHOWN = 25


def draw_errors(rows: Sequence[Mapping[str, Any]], marked: Mapping[str, str]) -> Figure:
    """Draw the mean error of the best settings and of some by name, best first.

    Parameters
    ----------
    rows : sequence of dict
        From `recommend.summary`.
    marked : dict of str to str
        Settings that are shown anyway, and what they are called.
    """
    shown = [row for i, row in enumerate(rows) if i < SHOWN or row["setting"] in marked]
    figure = style.new_figure(0.19 * len(shown) + 1.1)
    axes = figure.subplots()
    for place, row in enumerate(shown):
        method = row["setting"].split()[0].split("-")[0]
        axes.barh(place, row["mean"], xerr=row["standard_error"], color=METHOD_COLOURS[method])
    names = [
        f"{row['setting']}  ({marked[row['setting']]})"
        if row["setting"] in marked
        else row["setting"]
        for row in shown
    ]
    axes.set_yticks(range(len(shown)), names, fontsize=7.5)
    axes.set_xlabel("kernel error  ||estimate - truth|| / ||truth||, mean over seeds (bar: 1 s.e.)")
    for method, colour in METHOD_COLOURS.items():
        axes.barh(0, 0.0, color=colour, label=METHOD_NAMES[method])
    axes.set_axisbelow(True)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.legend(loc="upper right")
    return figure


def draw_kernels(truth: KernelTruth, estimates: Mapping[str, Array], pixel_um: float) -> Figure:
    """Draw radial means of kernels and of their transfer functions beside the truth's."""
    figure = style.new_figure(3.6)
    left, right = figure.subplots(1, 2)
    colours = (style.THICK, style.RESTORED, style.WARM, style.SKY)
    curves = [("truth", truth.kernel, style.TRUTH, "--")]
    curves += [
        (name, on_window(kernel), colour, "-")
        for (name, kernel), colour in zip(estimates.items(), colours, strict=False)
    ]
    for name, kernel, colour, line in curves:
        radius, profile = radial_mean(kernel)
        left.plot(radius * pixel_um, profile, color=colour, linestyle=line, label=name)
        frequency, transfer = radial_transfer(kernel)
        right.plot(frequency / pixel_um * 1e3, transfer, color=colour, linestyle=line, label=name)
    left.set_yscale("log")
    left.set_ylim(1e-7, 1.0)
    left.set_xlabel("radius (um, object plane)")
    left.set_ylabel("kernel per pixel, radial mean")
    right.set_xlabel("spatial frequency (line pairs/mm, object plane)")
    right.set_ylabel("transfer function, thick over thin")
    right.set_ylim(-0.05, 1.05)
    right.legend()
    return figure


def draw_axes(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, str]) -> Figure:
    """Draw the mean error under each condition, a colour a setting.

    Parameters
    ----------
    rows : sequence of dict
        From `axes.axis_rows`.
    settings : dict of str to str
        Setting to its name in the legend.
    """
    figure = style.new_figure(0.26 * len(rows) + 1.1)
    axes = figure.subplots()
    colours = (style.THICK, style.WARM, style.SKY, style.RESTORED, style.THIN)
    for (name, label), colour in zip(settings.items(), colours, strict=False):
        means = [row["mean"][name] for row in rows]
        spread = [row["standard_error"][name] for row in rows]
        axes.errorbar(
            means, range(len(rows)), xerr=spread, fmt="o", color=colour, label=label, markersize=5
        )
    labels = [f"{row['axis']}: {row['label']}".rstrip(": ") for row in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=7.5)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("kernel error  ||estimate - truth|| / ||truth||, mean over seeds (bar: 1 s.e.)")
    figure.legend(loc="outside upper center", ncols=len(settings))
    return figure


def radial_mean(kernel: Array) -> tuple[Array, Array]:
    """Return radius, pixels, and mean of a kernel over rings one pixel wide."""
    offset = np.arange(WINDOW_PX) - WINDOW_PX // 2
    radius = np.hypot(offset[:, None], offset[None, :])
    ring = np.rint(radius).astype(int).ravel()
    count = np.bincount(ring)
    used = np.arange(count.size) <= WINDOW_PX // 2
    mean = np.bincount(ring, kernel.ravel()) / count
    return np.arange(count.size, dtype=np.float64)[used], mean[used]


def radial_transfer(kernel: Array) -> tuple[Array, Array]:
    """Return frequency, cycles/pixel up to Nyquist, and ring means of the kernel's transform."""
    spectrum = np.fft.fft2(np.fft.ifftshift(kernel)).real
    f = np.fft.fftfreq(WINDOW_PX)
    ring = np.rint(np.hypot(f[:, None], f[None, :]) * WINDOW_PX).astype(int).ravel()
    count = np.bincount(ring)
    used = np.arange(count.size) <= WINDOW_PX // 2
    mean = np.bincount(ring, spectrum.ravel()) / count
    return (np.arange(count.size) / WINDOW_PX)[used], mean[used]
