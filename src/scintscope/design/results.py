"""What a study found: best designs, Pareto front, ranking, the answer in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.design.evaluate import Rows
from scintscope.design.model import DesignModel
from scintscope.design.optimise import (
    STARTS,
    Found,
    Search,
    best_design,
    judged_point,
    kept,
    sensitivities,
)
from scintscope.design.restored_images import images_sentence
from scintscope.design.study import Study, Variable
from scintscope.errors import ScenarioError
from scintscope.threads import POOL_THREADS

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_SLACK = 1e-6
"""Of a step: rounding of the ends of ranges."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """Everything a study found.

    Parameters
    ----------
    study : Study
    models : list of DesignModel
        One for each combination of named variables.
    grid : dict of str to (N,) array
        Numeric variables of all designs.
    rows : list of dict
        Curves, numbers, objectives of all designs, for each combination.
    allowed : list of (N,) bool array
        Which designs keep the limits.
    grid_best, optimum : dict of str to Found
        By objective.
    within : dict of str to bool
        Whether they agree within a step of the grid.
    values : dict of str to float
        All objectives at the first objective's optimum.
    sensitivity : dict
        Of `optimise.sensitivities`.
    robust : Found or None
        Best mean of the first objective under the tolerances.
    front : list of (N,) bool array
        Designs that no other allowed one beats in every objective.
    restored : dict of str to dict
        Of `restored_images`, for each of the chosen few.
    """

    study: Study
    models: list[DesignModel]
    grid: Mapping[str, Array]
    rows: list[Rows]
    allowed: list[Flags]
    grid_best: Mapping[str, Found]
    optimum: Mapping[str, Found]
    within: Mapping[str, bool]
    values: Mapping[str, float]
    sensitivity: Mapping[str, Mapping[str, float]]
    robust: Found | None
    front: list[Flags]
    restored: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    @property
    def first(self) -> str:
        """Name of the objective that decides."""
        return self.study.objectives[0].label

    def model_of(self, found: Found) -> DesignModel:
        """Return the model of a design's names."""
        return self.models[self.study.choices().index(dict(found.choice))]


def conclude(study: Study, models: list[DesignModel], rows: list[Rows]) -> Results:
    """Return the results of all designs of a study.

    Raises
    ------
    ScenarioError
        If no design keeps the limits.
    """
    grid = study.grid()
    allowed = [kept(study.constraints, part) for part in rows]
    if not any(flags.any() for flags in allowed):
        raise ScenarioError(_nothing_allowed(study, rows))
    scores = [part["objectives"] * np.array([o.sign for o in study.objectives]) for part in rows]
    columns = [
        [np.where(flags, s[:, i], -np.inf) for flags, s in zip(allowed, scores, strict=True)]
        for i in range(len(study.objectives))
    ]
    labels = [o.label for o in study.objectives]
    grid_best = {
        label: _best_of_grid(study, grid, column)
        for label, column in zip(labels, columns, strict=True)
    }
    with ThreadPoolExecutor(POOL_THREADS) as pool:
        found = pool.map(partial(_optimum, study, models, grid), columns, range(len(labels)))
        optimum = dict(zip(labels, found, strict=True))
    within = {name: _within_one_step(study, optimum[name], grid_best[name]) for name in grid_best}
    first = study.objectives[0].label
    best = optimum[first]
    model = models[study.choices().index(dict(best.choice))]
    values = judged_point(study, model, best.values)[0]
    return Results(
        study=study,
        models=models,
        grid=grid,
        rows=rows,
        allowed=allowed,
        grid_best=grid_best,
        optimum=optimum,
        within=within,
        values={o.label: float(v) for o, v in zip(study.objectives, values, strict=False)},
        sensitivity=sensitivities(study, model, best.values),
        robust=_robust(study, model, best) if study.tolerances else None,
        front=pareto(scores, allowed),
    )


def _nothing_allowed(study: Study, rows: list[Rows]) -> str:
    limits = study.constraints
    reach = {
        "max_exposure_s": (limits.max_exposure_s, min(float(r["exposure_s"].min()) for r in rows)),
        "max_dose_gy": (limits.max_dose_gy, min(float(r["dose_gy"].min()) for r in rows)),
        "min_field_um": (limits.min_field_um, max(float(r["field_um"].max()) for r in rows)),
    }
    words = ", ".join(f"{key} = {a:g} (reached: {b:.3g})" for key, (a, b) in reach.items())
    return f"constraints: no design keeps them: {words}. Relax one, or widen the variables."


def _best_of_grid(study: Study, grid: Mapping[str, Array], scores: list[Array]) -> Found:
    choice = int(np.argmax([s.max() for s in scores]))
    place = int(np.argmax(scores[choice]))
    return Found(
        choice=study.choices()[choice],
        values={key: float(column[place]) for key, column in grid.items()},
        score=float(scores[choice][place]),
    )


def _optimum(
    study: Study, models: list[DesignModel], grid: Mapping[str, Array], scores: list[Array], i: int
) -> Found:
    """Return the best design by gradients over all combinations of names that can win."""
    best = max(float(s.max()) for s in scores)
    found = []
    for choice, model, score in zip(study.choices(), models, scores, strict=True):
        top = float(score.max())
        if not np.isfinite(top) or top < best - 0.1 * abs(best):
            continue  # a grid that is a tenth behind everywhere is not the best between its points
        search = Search(study=study, model=model, place=i, tolerances={})
        starts = [np.zeros(0)]
        if model.keys:
            columns = np.stack([grid[key] for key in model.keys], axis=1)
            starts = [columns[j] for j in _starts(score, columns)]
        found.append(best_design(search, starts, choice))
    return max(found, key=lambda one: one.score)


def _starts(score: Array, columns: Array) -> list[int]:
    """Return the best design and the best ones well away from those before."""
    width = np.maximum(np.ptp(columns, axis=0), 1e-300)
    unit = (columns - columns.min(axis=0)) / width
    left = score.copy()
    chosen: list[int] = []
    for _ in range(STARTS):
        place = int(np.argmax(left))
        if not np.isfinite(left[place]):
            break
        chosen.append(place)
        left[np.abs(unit - unit[place]).max(axis=1) < 0.3] = -np.inf
    return chosen


def _step(variable: Variable, value: float, sample: int, dimensions: int) -> float:
    """Return the larger step of the grid next to a value."""
    numbers = variable.numbers
    if numbers.size == 1:
        return 0.0
    if sample:
        return float(np.ptp(numbers)) * float(
            max(float(sample) ** (-1.0 / dimensions), 1.0 / sample)
        )
    place = int(np.argmin(np.abs(numbers - value)))
    steps = np.diff(numbers)[max(place - 1, 0) : place + 1]
    largest: float = np.max(steps, initial=0.0)
    return float(largest)


def _within_one_step(study: Study, optimum: Found, grid_best: Found) -> bool:
    """Return whether two designs differ by at most a step of the grid in every variable."""
    if dict(optimum.choice) != dict(grid_best.choice):
        return False
    for variable in study.numeric:
        one, other = optimum.values[variable.key], grid_best.values[variable.key]
        step = _step(variable, other, study.sample.points, len(study.numeric))
        if abs(one - other) > step * (1.0 + _SLACK) + 1e-12:
            return False
    return True


def _robust(study: Study, model: DesignModel, best: Found) -> Found:
    """Return the design of the best mean of the first objective under the tolerances."""
    search = Search(study=study, model=model, place=0, tolerances=study.tolerances)
    start = np.array([best.values[key] for key in model.keys])
    return best_design(search, [start], best.choice)


def pareto(scores: list[Array], allowed: list[Flags]) -> list[Flags]:
    """Return which allowed designs no other one equals or beats in every objective.

    Parameters
    ----------
    scores : list of (N, O) array
        More is better.
    allowed : list of (N,) bool array
        Which count.
    """
    sizes = np.cumsum([0, *(s.shape[0] for s in scores)])
    all_scores, flags = np.concatenate(scores), np.concatenate(allowed)
    order = np.flatnonzero(flags)
    order = order[np.lexsort(all_scores[order].T[::-1])[::-1]]
    front: list[int] = []
    for place in order:
        known = all_scores[front]
        mine = all_scores[place]
        if not front or not (known >= mine).all(axis=1).any():
            front.append(int(place))
    marks = np.zeros(all_scores.shape[0], dtype=np.bool_)
    marks[front] = True
    return [marks[a:b] for a, b in pairwise(sizes)]


def sentence(results: Results) -> str:
    """Return the answer and its margin in a sentence."""
    study, objective = results.study, results.study.objectives[0]
    best, rival = results.optimum[results.first], results.grid_best[results.first]
    words = ", ".join(f"{k} = {_short(v)}" for k, v in best.design.items())
    value = f"{results.values[results.first]:.4g} {objective.unit}".removesuffix(" 1")
    gain = abs(best.score / rival.score - 1.0) if rival.score else 0.0
    text = (
        f"Best {objective.label} of the {study.plate} plate: {value} at {words}; "
        f"{gain:.2%} better than the best of the grid"
    )
    told = images_sentence(results.restored)
    parts = [text + ".", _margin(results), _at_ends(results), told]
    return " ".join(part for part in parts if part)


def _at_ends(results: Results) -> str:
    """Return which variables the optimum drives to an end of their range."""
    best = results.optimum[results.first].values
    ends = []
    for variable in results.study.numeric:
        low, high = variable.numbers[0], variable.numbers[-1]
        value = best[variable.key]
        if low < high and min(value - low, high - value) <= _SLACK * (high - low):
            ends.append(variable.key)
    if not ends:
        return ""
    return f"At an end of its range: {', '.join(ends)}; what lies beyond may be better."


def _margin(results: Results) -> str:
    """Return how far the variables can go before a twentieth is lost."""
    objective, best = results.study.objectives[0], results.optimum[results.first]
    choice = results.study.choices().index(dict(best.choice))
    score = objective.sign * results.rows[choice]["objectives"][:, 0]
    floor = best.score - 0.05 * abs(best.score)
    good = results.allowed[choice] & (score >= floor)
    if not good.any():
        return ""
    parts = [
        f"{key} {_short(float(column[good].min()))} to {_short(float(column[good].max()))}"
        for key, column in results.grid.items()
        if np.ptp(column) > 0
    ]
    return f"Designs of the grid within 5 % of it have {', '.join(parts)}." if parts else ""


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def document(results: Results) -> dict[str, Any]:
    """Return the content of ``design.json``."""
    study = results.study
    first = results.first

    def judged(found: Found) -> dict[str, Any]:
        model = results.model_of(found)
        values = judged_point(study, model, found.values)[0]
        return {
            "design": found.design,
            "objectives": {
                o.label: float(v) for o, v in zip(study.objectives, values, strict=False)
            },
        }

    return {
        "study": study.name,
        "plate": study.plate,
        "answer": sentence(results),
        "optimum": results.optimum[first].design,
        "grid_best": results.grid_best[first].design,
        "within_one_step": all(results.within.values()),
        "objectives": {
            o.label: {"value": results.values[o.label], "unit": o.unit, "wanted": _wanted(o.sign)}
            for o in study.objectives
        },
        "by_objective": {
            name: {
                "optimum": judged(results.optimum[name]),
                "grid_best": judged(results.grid_best[name]),
                "within_one_step": results.within[name],
            }
            for name in results.optimum
        },
        "sensitivities": results.sensitivity,
        "robust": None if results.robust is None else {
            **judged(results.robust),
            "tolerances": dict(study.tolerances),
            "expected": study.objectives[0].sign * results.robust.score,
        },
        "richardson_lucy_on_images": results.restored,
        "designs": sum(flags.size for flags in results.allowed),
        "allowed": sum(int(flags.sum()) for flags in results.allowed),
        "pareto_front": sum(int(flags.sum()) for flags in results.front),
    }  # fmt: skip


def _wanted(sign: float) -> str:
    return "large" if sign > 0.0 else "small"
