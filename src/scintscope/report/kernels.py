"""Figure: estimated against true PSF, and how the iterations got there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scintscope.metrics import radial_profile
from scintscope.report import style
from scintscope.report.records import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DECADES = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernels:
    """Estimated and true kernel as they are shown.

    Parameters
    ----------
    kernels : dict of str to (n, n) array
        Estimate, converged estimate, truth, by what they are called.
    pixel_um : float
        Pixel at the object.
    used, longer : sequence of float
        I-divergence entering each iteration of the estimate and of the converged one.
    """

    kernels: Mapping[str, np.ndarray]
    pixel_um: float
    used: Sequence[float]
    longer: Sequence[float]


def kernels_of(run: FinishedRun) -> Kernels:
    """Return the kernels of a run as `draw_kernels` shows them."""
    psf, estimate = run.verdict.psf, run.restoration.psf
    return Kernels(
        kernels={
            f"estimated, {_how(estimate.iterations)}": estimate.psf,
            f"estimated, {_how(psf.converged.iterations)}": psf.converged.psf,
            "true PSF (thick from thin)": psf.true,
        },
        pixel_um=run.bench.planes["thick"].pixel_um,
        used=estimate.history,
        longer=psf.converged.history,
    )


def draw_kernels(seen: Kernels) -> Figure:
    """Return estimate, converged estimate and truth as images; radial profiles; history."""
    figure = style.new_figure(6.4)
    grid = figure.subplots(2, 3, height_ratios=[1.0, 1.05])
    kernels, pixel = seen.kernels, seen.pixel_um
    top = float(np.log10(max(k.max() for k in kernels.values())))
    shown: Any = None
    for axes, (name, kernel) in zip(grid[0], kernels.items(), strict=True):
        level = np.log10(np.maximum(kernel, 10.0 ** (top - _DECADES)))
        shown = style.show(axes, level, pixel, (top - _DECADES, top), cmap=style.HEAT)
        axes.set_title(name)
    style.colour_bar(figure, shown, list(grid[0]), "log₁₀ of kernel (sum = 1)", shrink=0.9)
    _draw_profiles(grid[1, 0], kernels, pixel)
    _draw_share(grid[1, 1], kernels, pixel)
    _draw_history(grid[1, 2], seen)
    return figure


def _how(iterations: int) -> str:
    return f"{iterations} iterations" if iterations else "direct"


_LINES = ((style.RESTORED, "-"), (style.WARM, "--"), (style.TRUTH, "-"))


def _draw_profiles(axes: Axes, kernels: Mapping[str, np.ndarray], pixel_um: float) -> None:
    peak = 0.0
    for (name, kernel), (colour, dash) in zip(kernels.items(), _LINES, strict=True):
        radius, value = radial_profile(kernel, (kernel.shape[0] // 2, kernel.shape[1] // 2))
        density = value / pixel_um**2
        axes.semilogy(
            radius * pixel_um, np.where(density > 0.0, density, np.nan), color=colour, ls=dash,
            label=name, lw=1.6,
        )  # fmt: skip
        peak = max(peak, float(density.max()))
    axes.set_ylim(peak * 10.0**-_DECADES, 1.5 * peak)
    axes.set_xlim(0.0, None)
    axes.set_xlabel("radius at the object (um)")
    axes.set_ylabel("radial mean of the kernel (1/um²)")
    axes.set_title("profiles")
    axes.legend()


def _draw_share(axes: Axes, kernels: Mapping[str, np.ndarray], pixel_um: float) -> None:
    """Draw the sum inside squares of growing half side."""
    for (name, kernel), (colour, dash) in zip(kernels.items(), _LINES, strict=True):
        row, column = (np.abs(np.arange(n) - n // 2) for n in kernel.shape)
        ring = np.maximum(row[:, None], column[None, :])
        share = np.cumsum(np.bincount(ring.ravel(), weights=kernel.ravel()))
        half = (np.arange(share.size) + 0.5) * pixel_um
        axes.plot(half, share, color=colour, ls=dash, label=name)
    axes.set_xlim(0.0, None)
    axes.set_ylim(0.0, 1.05)
    axes.set_xlabel("half side of a centred square (um)")
    axes.set_ylabel("share of the kernel inside")
    axes.set_title("where the kernel's light is")


def _draw_history(axes: Axes, seen: Kernels) -> None:
    """Draw the I-divergence entering each iteration; a direct estimate has none."""
    longer, chosen = seen.longer, seen.used
    axes.set_title("misfit of thin * kernel with thick")
    axes.set_xlabel("iterations done")
    axes.set_ylabel("I-divergence per pixel (signal units)")
    if not chosen:
        axes.text(0.5, 0.5, "the estimate is direct", ha="center", transform=axes.transAxes)
        return
    axes.semilogx(np.arange(len(longer)) + 1, longer, color=style.WARM, ls="--", label="carried on")
    axes.semilogx(
        np.arange(len(chosen)) + 1, chosen, "o-", color=style.RESTORED, ms=3.5, label="used"
    )
    axes.set_xlabel("iteration (misfit entering it)")
    axes.legend()
