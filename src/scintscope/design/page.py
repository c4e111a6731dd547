"""The report of a study: map, front, curves of the chosen few, light budget."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scintscope.design.model import Curves
from scintscope.design.objectives import Objective
from scintscope.design.optimise import Found, judged_curves
from scintscope.design.results import Results
from scintscope.outputs import write_text
from scintscope.report import style
from scintscope.report.page import FILE, render_page, versions
from scintscope.report.records import Illustration, Table
from scintscope.units import UM_PER_MM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN_ROWS = 15
_STEP_NAMES = (
    "yield (photons/keV)", "escape cone", "lens cone", "exit face", "back face", "glass", "lens",
    "sensor",
)  # fmt: skip


def write_page(folder: Path, results: Results, found: Mapping[str, Any]) -> None:
    """Write ``report.html`` into a folder.

    Parameters
    ----------
    folder : Path
        Exists.
    results : Results
        Of the study.
    found : dict
        Content of ``design.json``.
    """
    text = render_page(
        title=f"scintscope: design study {results.study.name}",
        description=results.study.description,
        sentences=sentences(results, found),
        figures=figures(results),
        tables=[
            _optima_table(results, found), *_restored_tables(results), _ranked(results),
            _sensitivity_table(results),
        ],
        provenance=versions(),
        scenario=results.study.base.to_toml(),
    )  # fmt: skip
    write_text(folder / FILE, text)


def sentences(results: Results, found: Mapping[str, Any]) -> list[str]:
    """Return the answer, how it was checked, and how stable it is."""
    agrees = "agrees with" if found["within_one_step"] else "differs from"
    told = [
        found["answer"],
        f"{found['designs']} designs were computed, {found['allowed']} keep the limits; for "
        f"{'each objective' if len(results.optimum) > 1 else 'the objective'} the optimum by "
        f"gradients {agrees} the best of them within a step of the grid.",
    ]
    worst = [(cost[results.first], name) for name, cost in results.sensitivity.items()]
    if worst:
        parts = ", ".join(f"{name}: {cost:+.2%}" for cost, name in worst)
        told.append(f"At worst, {results.first} changes by {parts}.")
    if results.robust is not None:
        words = ", ".join(f"{k} = {_short(v)}" for k, v in results.robust.design.items())
        told.append(f"Under the stated tolerances the best mean is at {words}.")
    return told


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def figures(results: Results) -> list[Illustration]:
    """Return the figures: map, front where there are two objectives, curves, light budget."""
    chosen = chosen_few(results)
    found = []
    varying = [v for v in results.study.numeric if len(v.values) > 1]
    gridded = bool(varying) and not results.study.sample.points
    if gridded and len(varying) >= 2:
        found.append(_picture("map", "Where the best designs are", _MAP, _draw_map, results))
    elif gridded:
        found.append(_picture("profile", "Along the variable", _PROFILE, _draw_profile, results))
    if len(results.study.objectives) > 1:
        title = "What one objective costs of another"
        found.append(_picture("front", title, _FRONT, _draw_front, results))
    few = "of the chosen few"
    found.append(_picture("curves", f"Curves {few}", _CURVES, _draw_curves, results, chosen))
    found.append(_picture("light", f"Light budget {few}", _LIGHT, _draw_light, results, chosen))
    return found


_MAP = (
    "The first objective over the first two variables, the best over all others in each place; "
    "lines join equal values. Cross: optimum by gradients; circle: best of the grid."
)
_PROFILE = "Each curve is a choice of names; the best over all other variables. Cross: optimum."
_FRONT = (
    "Every allowed design (grey) and the Pareto front (orange): nothing beats these in every "
    "objective. Crosses: the optima of the two objectives."
)
_CURVES = "Presampled MTF and DQE of the optimum of every objective. Dotted: Nyquist frequency."
_LIGHT = "Photons or electrons per deposited keV that are left after each step of the light's way."


def _picture(name: str, title: str, caption: str, draw: Any, *arguments: Any) -> Illustration:
    return Illustration(
        name=name, title=title, png=style.picture(draw, *arguments), caption=caption
    )


def chosen_few(results: Results) -> dict[str, Found]:
    """Return the optimum of every objective, equal designs once, and the robust one."""
    few: dict[str, Found] = {}
    for name, found in results.optimum.items():
        same = [k for k, other in few.items() if other.design == found.design]
        if same:
            few[f"{same[0]}, {name}"] = few.pop(same[0])
        else:
            few[name] = found
    if results.robust is not None:
        few["robust"] = results.robust
    return few


def _curves_of(results: Results, found: Found) -> Curves:
    """Return the curves of a design."""
    return judged_curves(results.study, results.model_of(found), found.values)[2]


def _best_over(results: Results, objective: int, keep: list[str]) -> np.ndarray[Any, Any]:
    """Return the best allowed score over all variables but some, axes in their order."""
    study = results.study
    sign = study.objectives[objective].sign
    scores = np.stack(
        [
            np.where(flags, sign * rows["objectives"][:, objective], -np.inf)
            for rows, flags in zip(results.rows, results.allowed, strict=True)
        ]
    ).max(axis=0)
    cube = scores.reshape([len(v.values) for v in study.numeric])
    others = tuple(i for i, v in enumerate(study.numeric) if v.key not in keep)
    best = cube.max(axis=others)
    return np.asarray(np.where(np.isfinite(best), sign * best, np.nan))


def _draw_map(results: Results) -> Figure:
    study, objective = results.study, results.study.objectives[0]
    one, other = [v for v in study.numeric if len(v.values) > 1][:2]
    values = _best_over(results, 0, [one.key, other.key])
    figure = style.new_figure(4.6)
    axes = figure.subplots()
    shown = axes.pcolormesh(other.numbers, one.numbers, values, cmap="viridis", shading="nearest")
    if (
        np.isfinite(values).sum() > 8
        and min(values.shape) > 2
        and np.nanmax(values) > np.nanmin(values)
    ):
        lines = axes.contour(
            other.numbers, one.numbers, values, levels=8, colors="white", linewidths=0.8
        )
        axes.clabel(lines, fmt="%.3g", fontsize=8)
    style.colour_bar(figure, shown, axes, _label(objective))
    best, grid = results.optimum[results.first], results.grid_best[results.first]
    axes.plot(grid.values[other.key], grid.values[one.key], "o", mfc="none", color="white", ms=9)
    axes.plot(best.values[other.key], best.values[one.key], "x", color=style.THICK, ms=10, mew=2.5)
    for variable, scale in ((one, axes.set_yscale), (other, axes.set_xscale)):
        if variable.way == "log_range":
            scale("log")
    axes.set(xlabel=_key_label(other.key), ylabel=_key_label(one.key))
    axes.grid(False)
    return figure


def _draw_profile(results: Results) -> Figure:
    study, objective = results.study, results.study.objectives[0]
    variable = next(v for v in study.numeric if len(v.values) > 1)
    figure = style.new_figure(3.6)
    axes = figure.subplots()
    for choice, rows, flags in zip(study.choices(), results.rows, results.allowed, strict=True):
        values = np.where(flags, rows["objectives"][:, 0], np.nan)
        axes.plot(variable.numbers, values, "o-", ms=3, label=", ".join(choice.values()) or None)
    best = results.optimum[results.first]
    value = results.values[results.first]
    axes.plot(best.values[variable.key], value, "x", color=style.THICK, ms=10, mew=2.5)
    if variable.way == "log_range":
        axes.set_xscale("log")
    axes.set(xlabel=_key_label(variable.key), ylabel=_label(objective))
    if len(study.choices()) > 1:
        axes.legend()
    return figure


def _draw_front(results: Results) -> Figure:
    one, other = results.study.objectives[:2]
    figure = style.new_figure(4.0)
    axes = figure.subplots()
    for rows, flags, front in zip(results.rows, results.allowed, results.front, strict=True):
        x, y = rows["objectives"][:, 0], rows["objectives"][:, 1]
        axes.plot(x[flags], y[flags], ".", color="#cccccc", ms=4, zorder=1)
        axes.plot(x[front], y[front], "o", color=style.WARM, ms=4, zorder=2)
    for name in (one.label, other.label):
        found = results.optimum[name]
        curves = _curves_of(results, found)
        axes.plot(
            float(one.value(curves)),
            float(other.value(curves)),
            "x",
            color=style.THICK,
            ms=9,
            mew=2,
        )
    for objective, scale in ((one, axes.set_xscale), (other, axes.set_yscale)):
        i = results.study.objectives.index(objective)
        every = np.concatenate(
            [r["objectives"][f, i] for r, f in zip(results.rows, results.allowed, strict=True)]
        )
        if every.min() > 0.0 and every.max() > 30.0 * every.min():
            scale("log")
    axes.set(xlabel=_label(one), ylabel=_label(other))
    return figure


def _draw_curves(results: Results, chosen: Mapping[str, Found]) -> Figure:
    figure = style.new_figure(3.8)
    left, right = figure.subplots(1, 2)
    nyquist = 0.0
    for name, found in chosen.items():
        curves = _curves_of(results, found)
        frequency = curves.frequency_cy_per_um * UM_PER_MM
        left.plot(frequency, curves.mtf, label=name)
        right.plot(frequency, curves.dqe, label=name)
        nyquist = 0.5 * UM_PER_MM / float(curves.pixel_um)
    for axes, label in ((left, "MTF"), (right, "DQE")):
        axes.axvline(nyquist, color=style.LIGHT, ls=":")
        axes.set(xlabel="line pairs per mm", ylabel=label, ylim=(0.0, None), xlim=(0.0, None))
    left.legend()
    return figure


def _draw_light(results: Results, chosen: Mapping[str, Found]) -> Figure:
    figure = style.new_figure(3.4)
    axes = figure.subplots()
    for name, found in chosen.items():
        curves = _curves_of(results, found)
        axes.plot(range(len(_STEP_NAMES)), np.cumprod(curves.steps), "o-", ms=4, label=name)
    axes.set_xticks(range(len(_STEP_NAMES)), _STEP_NAMES)
    axes.set(yscale="log", ylabel="per deposited keV")
    axes.legend()
    return figure


def _label(objective: Objective) -> str:
    return objective.label if objective.unit == "1" else f"{objective.label} ({objective.unit})"


def _key_label(key: str) -> str:
    """Return a key with its unit in words, e.g. ``thick.thickness (um)``."""
    name, _, unit = key.rpartition("_")
    return f"{name} ({unit})" if unit in ("um", "s", "mm", "kv", "w", "kev") else key


def _optima_table(results: Results, found: Mapping[str, Any]) -> Table:
    keys = [v.key for v in results.study.variables]
    head = ["objective", "wanted", "value", *keys, "best of the grid", "within a step"]
    rows = []
    for objective in results.study.objectives:
        own = found["by_objective"][objective.label]
        best, grid = own["optimum"], own["grid_best"]
        rows.append([
            _label(objective), found["objectives"][objective.label]["wanted"],
            f"{best['objectives'][objective.label]:.4g}",
            *(_short(best["design"][key]) for key in keys),
            f"{grid['objectives'][objective.label]:.4g}", "yes" if own["within_one_step"] else "no",
        ])  # fmt: skip
    return Table(title="Best design for each objective", head=head, rows=rows, note="By gradients.")


def _restored_tables(results: Results) -> list[Table]:
    """Return what Richardson-Lucy leaves of images, if images were made."""
    if not results.restored:
        return []
    head = [
        "optimum of", "objective", "linearised", "images", "rms contrast",
        "full contrast, images", "full contrast, linearised",
    ]  # fmt: skip
    rows = [
        [
            design, label, f"{row['linearised']:.3g}", f"{row['images']:.3g}",
            f"{row['rms_contrast']:.0%}", f"{row['full_contrast_images']:.3g}",
            f"{row['full_contrast_linearised']:.3g}",
        ]
        for design, by_objective in results.restored.items()
        for label, row in by_objective.items()
    ]  # fmt: skip
    note = (
        "Error over the object's variance, both within the camera's Nyquist radius; simulated "
        "frames of 256 x 256 pixels with noise. Full contrast: opaque over half of the field."
    )
    return [Table(title="Richardson-Lucy on images", head=head, rows=rows, note=note)]


def _ranked(results: Results) -> Table:
    study = results.study
    keys = [v.key for v in study.variables]
    lines = []
    for choice, rows, flags in zip(study.choices(), results.rows, results.allowed, strict=True):
        order = np.argsort(-study.objectives[0].sign * rows["objectives"][:, 0], kind="stable")
        for i in [int(j) for j in order if flags[j]][:_SHOWN_ROWS]:
            values = {**choice, **{k: float(c[i]) for k, c in results.grid.items()}}
            score = study.objectives[0].sign * float(rows["objectives"][i, 0])
            cells = [_short(values[key]) for key in keys]
            lines.append((-score, [*cells, *(f"{v:.4g}" for v in rows["objectives"][i])]))
    lines.sort(key=lambda line: line[0])
    rows_shown = [[str(rank), *cells] for rank, (_, cells) in enumerate(lines[:_SHOWN_ROWS], 1)]
    head = ["rank", *keys, *(_label(o) for o in study.objectives)]
    note = "All designs are in designs.csv, their curves in curves.nc."
    return Table(title="The best of the grid", head=head, rows=rows_shown, note=note)


def _sensitivity_table(results: Results) -> Table:
    labels = [o.label for o in results.study.objectives]
    rows = [
        [name, *(f"{cost[label]:+.2%}" for label in labels)]
        for name, cost in results.sensitivity.items()
    ]
    return Table(
        title="What small changes cost at the optimum",
        head=["change", *labels],
        rows=rows,
        note="The worse of both directions; negative is worse.",
    )
