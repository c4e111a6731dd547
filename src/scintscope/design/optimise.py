"""The best design by gradients, what small changes cost there, the best one under tolerances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from scintscope.design.model import DEFOCUS, YIELD, Curves, DesignModel, evaluate
from scintscope.design.objectives import Objective
from scintscope.design.study import Constraints, Study, Variable
from scintscope.jax64 import jax, jnp

Array = NDArray[np.float64]

STARTS = 2
_ACCURACY = 1e-9
SEARCH_NODES = 64
"""Least depth nodes of a search: then nearly all searches share one compiled program."""
_LIMITS = ("max_exposure_s", "max_dose_gy", "min_field_um")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A design and what it is worth.

    Parameters
    ----------
    choice : dict of str to str
        Named variables.
    values : dict of str to float
        Numeric ones.
    score : float
        The objective, sign such that more is better.
    """

    choice: Mapping[str, str]
    values: Mapping[str, float]
    score: float

    @property
    def design(self) -> dict[str, Any]:
        """All variables."""
        return {**self.choice, **self.values}


@partial(jax.jit, static_argnames=("plan", "count", "objectives", "keys"))
def _judged_point(
    tables: Any,
    pupil: Any,
    point: Any,
    beside: Any,
    plan: Any,
    count: int,
    objectives: tuple[Objective, ...],
    keys: tuple[str, ...],
) -> tuple[Any, Any, Curves]:
    """Return objectives and limits of one design, (O + 3,), derivatives by the keys, and curves."""

    def at(x: Any) -> tuple[Any, Any]:
        values = {**dict(zip(keys, x, strict=True)), **beside}
        curves = evaluate(tables, pupil, values, plan, count)
        limits = [curves.exposure_s, curves.dose_gy, curves.field_um]
        values = jnp.stack([*(o.value(curves) for o in objectives), *limits])
        return values, (values, curves)

    if not keys:  # one design only
        values, (_, curves) = at(point)
        return values, jnp.zeros((values.size, 0)), curves
    slopes, (values, curves) = jax.jacfwd(at, has_aux=True)(point)
    return values, slopes, curves


def judged_point(
    study: Study, model: DesignModel, values: Mapping[str, float], **beside: float
) -> tuple[Array, Array]:
    """Return all objectives and limits at a design, (O + 3,), and derivatives by the keys.

    ``beside`` are `model.DEFOCUS` and `model.YIELD`.
    """
    found, slopes, _ = judged_curves(study, model, values, **beside)
    return found, slopes


def judged_curves(
    study: Study, model: DesignModel, values: Mapping[str, float], **beside: float
) -> tuple[Array, Array, Curves]:
    """Return what `judged_point` does, and the curves of the design.

    One compiled function serves all objectives, searches, sensitivities and figures of a study, but
    for designs of more than `SEARCH_NODES`.
    """
    point = jnp.asarray([float(values[key]) for key in model.keys])
    given = {DEFOCUS: 0.0, YIELD: 1.0, **beside}
    count = max(SEARCH_NODES, model.depth_count({key: values[key] for key in model.keys}))
    found, slopes, curves = _judged_point(
        model.tables,
        model.pupil,
        point,
        {key: jnp.asarray(float(value)) for key, value in given.items()},
        model.plan,
        count,
        study.objectives,
        model.keys,
    )
    plain: Curves = jax.tree_util.tree_map(np.asarray, curves)
    return np.asarray(found), np.asarray(slopes), plain


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Maximises one objective over the numeric variables of one model.

    Parameters
    ----------
    study : Study
        Variables and limits.
    model : DesignModel
        Of one choice of names.
    place : int
        Which objective of the study to maximise (or minimise).
    tolerances : dict of str to float
        Keys that may be off; the mean over plus and minus each is maximised. Empty: the value.
    """

    study: Study
    model: DesignModel
    place: int
    tolerances: Mapping[str, float]

    def variables(self) -> tuple[Variable, ...]:
        """Return the variables of the model, in its order."""
        known = {v.key: v for v in self.study.numeric}
        return tuple(known[key] for key in self.model.keys)

    def _spread(self) -> Array:
        """Return the points over which scores are averaged, about the design, (P, V)."""
        rows = [np.zeros(len(self.model.keys))]
        for i, key in enumerate(self.model.keys):
            if key in self.tolerances:
                for sign in (-1.0, 1.0):
                    rows.append(np.zeros(len(self.model.keys)))
                    rows[-1][i] = sign * self.tolerances[key]
        return np.array(rows)

    def at(self, point: Array) -> tuple[Array, Array, Array]:
        """Return score and limits (4,), gradient of the score (V,), of the limits (3, V)."""
        study, total = self.study, []
        for change in self._spread():
            values = dict(zip(self.model.keys, point + change, strict=True))
            total.append(judged_point(study, self.model, values))
        found = np.mean([one for one, _ in total], axis=0)
        slopes = np.mean([one for _, one in total], axis=0)
        limits, sign = len(study.objectives), study.objectives[self.place].sign
        both = np.array([sign * found[self.place], *found[limits:]])
        return both, sign * slopes[self.place], slopes[limits:]

    def climb(self, start: Array, fixed: Mapping[str, float]) -> tuple[Array, float]:
        """Return the best point reached from a start, some keys held, and its score.

        L-BFGS-B between the ends of the ranges, SLSQP (Kraft 1988) where limits of dose, exposure
        or field bind; gradients from JAX.
        """
        variables = self.variables()
        low = np.array([v.numbers[0] for v in variables])
        width = np.array([v.numbers[-1] for v in variables]) - low
        held = np.array([v.key in fixed for v in variables])
        begin = np.array(
            [fixed.get(v.key, x) for v, x in zip(variables, start, strict=True)], dtype=np.float64
        )
        reach = self._spread()
        inner = np.abs(reach).max(axis=0)
        free = np.flatnonzero(~held)

        def point(u: Array) -> Array:
            x = begin.copy()
            x[free] = low[free] + u * width[free]
            return np.clip(x, low + inner, np.maximum(low + width - inner, low + inner))

        first = self.at(point((begin[free] - low[free]) / width[free]))
        scale = abs(float(first[0][0])) or 1.0
        if not free.size:
            return begin, float(first[0][0])

        known: dict[bytes, tuple[Array, Array, Array]] = {}

        def at(u: Array) -> tuple[Array, Array, Array]:
            """Return `Search.at` there; the limits ask again where the score was asked for."""
            here = u.tobytes()
            if here not in known:
                known[here] = self.at(point(u))
            return known[here]

        def loss(u: Array) -> tuple[float, Array]:
            both, slope, _ = at(u)
            return -float(both[0]) / scale, -slope[free] * width[free] / scale

        bounds = [
            (float(inner[i] / width[i]), float(max(1.0 - inner[i] / width[i], inner[i] / width[i])))
            for i in free
        ]
        u0 = np.clip((begin[free] - low[free]) / width[free], *np.array(bounds).T)
        limits = _limits(self.study.constraints)
        method, rules = "L-BFGS-B", []
        if limits:
            method = "SLSQP"
            rules = [_rule(at, free, width, *limit) for limit in limits]
        more: dict[str, Any] = {"constraints": rules} if rules else {}
        result = minimize(
            loss, u0, jac=True, method=method, bounds=bounds, options={"ftol": _ACCURACY}, **more
        )
        best = point(np.clip(result.x, 0.0, 1.0))
        return best, float(self.at(best)[0][0])


def _rule(
    at: Callable[[Array], tuple[Array, Array, Array]],
    free: Any,
    width: Array,
    place: int,
    sign: float,
    limit: float,
) -> dict[str, Any]:
    """Return an inequality for SLSQP: sign (limit - value) / limit >= 0."""

    def value(u: Array) -> float:
        return float(sign * (limit - at(u)[0][place]) / limit)

    def slope(u: Array) -> Array:
        return np.asarray(-sign * at(u)[2][place - 1][free] * width[free] / limit)

    return {"type": "ineq", "fun": value, "jac": slope}


def _limits(constraints: Constraints) -> list[tuple[int, float, float]]:
    """Return (place among score and limits, sign, limit) of the limits that are set."""
    found = []
    for place, name in enumerate(_LIMITS, start=1):
        limit = getattr(constraints, name)
        if np.isfinite(limit) and limit > 0.0:
            found.append((place, -1.0 if name.startswith("min") else 1.0, float(limit)))
    return found


def kept(constraints: Constraints, rows: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return which designs keep the limits, (N,); equality counts as kept."""
    slack = 1.0 + 1e-9
    return np.asarray(
        (rows["exposure_s"] <= constraints.max_exposure_s * slack)
        & (rows["dose_gy"] <= constraints.max_dose_gy * slack)
        & (rows["field_um"] * slack >= constraints.min_field_um)
    )


def best_design(search: Search, starts: list[Array], choice: Mapping[str, str]) -> Found:
    """Return the best design from several starts; listed variables are relaxed, then snapped."""
    reached = [search.climb(start, {}) for start in starts]
    point, score = max(reached, key=lambda one: one[1])
    listed = [(i, v) for i, v in enumerate(search.variables()) if v.is_listed]
    if listed:
        options = [_neighbours(v, float(point[i])) for i, v in listed]
        tried = []
        for chosen in product(*options):
            fixed = {v.key: x for (_, v), x in zip(listed, chosen, strict=True)}
            tried.append(search.climb(point, fixed))
        point, score = max(tried, key=lambda one: one[1])
    values = {key: float(x) for key, x in zip(search.model.keys, point, strict=True)}
    single = {v.key: float(v.numbers[0]) for v in search.study.numeric if len(v.values) == 1}
    return Found(choice=choice, values={**values, **single}, score=score)


def _neighbours(variable: Variable, value: float) -> list[float]:
    """Return the listed values on both sides of a value."""
    numbers = variable.numbers
    place = int(np.searchsorted(numbers, value))
    return sorted({float(numbers[max(place - 1, 0)]), float(numbers[min(place, numbers.size - 1)])})


CHANGES = (("thickness_um", 1.0), ("lens.na", 0.01), (DEFOCUS, 1.0), (YIELD, 0.05))


def sensitivities(
    study: Study, model: DesignModel, values: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Return what small changes cost each objective at a design, the worse of both directions.

    1 um of thickness, 0.01 of NA (where they vary), 1 um of focus error, 5 % of yield; relative
    change of the objective, negative is worse.
    """
    size = len(study.objectives)
    base = judged_point(study, model, values)[0][:size]
    signs = np.array([o.sign for o in study.objectives])
    found: dict[str, dict[str, float]] = {}
    for key, step in CHANGES:
        name = study.thickness_key if key == "thickness_um" else key
        axis = next((a for a in model.plan.axes if a.key == name), None)
        changed = []
        for sign in (-1.0, 1.0):
            if key in (DEFOCUS, YIELD):
                amount = sign * step + (1.0 if key == YIELD else 0.0)
                changed.append(judged_point(study, model, values, **{key: amount})[0][:size])
            elif axis is not None:
                moved = values[name] + sign * step
                if axis.low <= moved <= axis.high:
                    changed.append(judged_point(study, model, {**values, name: moved})[0][:size])
        if changed:
            relative = np.min([signs * (c - base) / np.abs(base) for c in changed], axis=0)
            label = {DEFOCUS: "focus error 1 um", YIELD: "yield 5 %"}.get(key, f"{name} {step:g}")
            found[label] = {
                o.label: float(r) for o, r in zip(study.objectives, relative, strict=True)
            }
    return found
