"""Figures: where the error of the single PSF comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.report import style
from scintscope.report.records import Table
from scintscope.report.tables import percent
from scintscope.verdict.budget import Budget
from scintscope.verdict.effects import WORDS
from scintscope.verdict.local import LocalBudget

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_LEAST = 1e-7
_MOST_PX = 320
_LINES = 5
_DECADES = 1e-4
_PALETTE = (style.THICK, style.THIN, style.RESTORED, style.ACCENT, style.WARM)


def _bars(axes: Axes, values: Mapping[str, float]) -> None:
    """Draw errors as horizontal bars on a logarithmic axis, the largest on top."""
    kept = sorted((v, name) for name, v in values.items() if v > _LEAST)
    names = [name for _, name in kept]
    colours = [style.TRUTH if n in {"all together", "interaction"} else style.SKY for n in names]
    axes.barh(range(len(kept)), [100.0 * v for v, _ in kept], color=colours)
    axes.set_yticks(range(len(kept)), names)
    axes.set_xscale("log")
    axes.set_axisbelow(True)
    axes.grid(axis="y", visible=False)
    axes.axvline(1.0, color=style.LIGHT, lw=1.0, ls="--")
    axes.set_xlabel("RMS error (% of std(exact)); dashed: 1 %")
    axes.set_title("each effect alone, and together")


def _curves(axes: Axes, curves: Mapping[str, tuple[Array, Array]]) -> None:
    """Draw errors over the field's radius; the largest few and the total."""
    ranked = sorted(curves.items(), key=lambda item: -float(np.nanmax(item[1][1])))
    colour = iter(_PALETTE)
    for name, (radius, error) in ranked[: _LINES + 1]:
        total = name == "all together"
        axes.plot(
            radius, 100.0 * error, color=style.TRUTH if total else next(colour, style.LIGHT),
            lw=2.2 if total else 1.4, label=name,
        )  # fmt: skip
    axes.set_yscale("log")
    top = 100.0 * max((float(np.nanmax(error)) for _, error in curves.values()), default=1.0)
    if top > 0.0:
        axes.set_ylim(_DECADES * top, 3.0 * top)
    axes.set_xlabel("distance from the optical axis (um)")
    axes.set_ylabel("RMS error (% of std(exact))")
    axes.set_title("over the field")
    axes.legend()


def draw_local_budget(budget: LocalBudget) -> Figure:
    """Return bars and field profiles of a budget without images."""
    figure = style.new_figure(4.2)
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1.0])
    values = {WORDS[effect]: v for effect, v in budget.rms.items() if v is not None}
    _bars(left, values | {"interaction": budget.interaction, "all together": budget.total})
    curves = {WORDS.get(e, "all together"): v for e, v in budget.profile.items()}
    order = np.argsort(budget.radius_um)
    _curves(right, {k: (budget.radius_um[order], v[order]) for k, v in curves.items()})
    return figure


def draw_budget(budget: Budget) -> Figure:
    """Return bars and field profiles, and below them the images of parts, rest and total."""
    shown = sorted(budget.present, key=lambda effect: -budget.parts[effect].rms)[:4]
    panels: list[tuple[str, Any]] = [(WORDS[e], budget.parts[e].error) for e in shown]
    panels += [("interaction", budget.interaction.error), ("all together", budget.total.error)]
    figure = style.new_figure(4.2 + 3.1 * (-(-len(panels) // 3)), nested=True)
    rows = -(-len(panels) // 3)
    top, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[4.2, 3.1 * rows])[:, 0]
    left, right = top.subplots(1, 2, width_ratios=[1.1, 1.0])
    values = {WORDS[e]: part.rms for e, part in budget.parts.items()}
    values |= {"interaction": budget.interaction.rms, "all together": budget.total.rms}
    _bars(left, values)
    curves = {}
    for name, part in [
        *((WORDS[e], budget.parts[e]) for e in budget.present),
        ("all together", budget.total),
    ]:
        radius, rms = part.profile()
        curves[name] = (radius * budget.pixel_um, rms)
    _curves(right, curves)
    for axes, (name, error) in zip(
        below.subplots(rows, 3, squeeze=False).ravel(), panels, strict=False
    ):
        limit = 100.0 * max(float(np.percentile(np.abs(error), 99.5)), 1e-9)
        image = style.show(
            axes, 100.0 * error, budget.pixel_um, (-limit, limit), cmap=style.DIVERGING,
            largest_px=_MOST_PX,
        )  # fmt: skip
        below.colorbar(image, ax=axes, shrink=0.85, label="single - exact (% of std)")
        axes.set_title(name)
    for axes in below.axes[len(panels) : rows * 3]:
        if not axes.images:
            axes.set_axis_off()
    return figure


def budget_table(numbers: Mapping[str, Any]) -> Table:
    """Return the budget of ``single_psf``, each effect's RMS and edge error."""
    rows = [
        [WORDS[effect], percent(value), percent((numbers["budget_edge"] or {}).get(effect))]
        for effect, value in (numbers["budget"] or {}).items()
    ]
    rows += [
        ["not explained by the parts (interaction)", percent(numbers["budget_interaction"]), "-"],
        ["all together", percent(numbers["budget_total"]), "-"],
        ["PSF of the optics alone, no halo in it", percent(numbers["optics_only_relative_error"]),
         "-"],
    ]  # fmt: skip
    return Table(
        title="Error budget of the single PSF on the thick plate",
        head=["effect alone", "RMS over std(exact)", "at the field's edge"],
        rows=rows,
        note="Registered. With the thin plate's X-ray image at its best contrast (all together), "
        "hence above the error of the plate's own X-ray image."
        + (
            " From local transfer functions; images by the command verify."
            if numbers["budget_method"] == "local"
            else ""
        ),
    )
