"""What a study may draw a key's value from, and the draw itself: from a share of one to a value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from scintscope.errors import ScenarioError, nearest_hint

KINDS = ("uniform", "log_uniform", "normal", "choice", "list")
LEVELS = ("sample", "plate", "instrument")
_OPTIONS = {
    "uniform": {"whole"},
    "log_uniform": {"whole"},
    "normal": {"low", "high", "whole"},
    "choice": {"weights"},
    "list": set[str](),
}
_COMMON = {"group", "per", "reverse"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """How one key is drawn.

    Parameters
    ----------
    key : str
        Dotted key of the scenario, or of the specimen's table.
    kind : {"uniform", "log_uniform", "normal", "choice", "list"}
        ``list`` goes through its values in order, by the number of the sample, plate or instrument.
    numbers : tuple of float
        Lower and upper end, or mean and standard deviation.
    low, high : float
        Where a normal distribution is cut off.
    values, weights : tuple
        To choose from.
    whole : bool
        Round to a whole number.
    per : {"sample", "plate", "instrument"}
        What has one value of its own.
    group : str
        Keys of one group are correlated; empty: independent.
    reverse : bool
        Falls where the group's other keys rise.
    """

    key: str
    kind: str
    numbers: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    values: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()
    whole: bool = False
    per: str = "sample"
    group: str = ""
    reverse: bool = False

    def at(self, share: float, number: int) -> Any:
        """Return the value below which a share of all draws lies.

        Parameters
        ----------
        share : float
            In (0, 1).
        number : int
            Of the sample, plate or instrument, for a list.
        """
        u = 1.0 - share if self.reverse else share
        if self.kind == "list":
            return self.values[number % len(self.values)]
        if self.kind == "choice":
            edges = np.cumsum(self.weights) / sum(self.weights)
            return self.values[min(int(np.searchsorted(edges, u, side="right")), len(edges) - 1)]
        value = self._number(u)
        return round(value) if self.whole else value

    def _number(self, u: float) -> float:
        a, b = self.numbers
        if self.kind == "uniform":
            return a + (b - a) * u
        if self.kind == "log_uniform":
            return float(a * (b / a) ** u)
        below, above = (float(ndtr((x - a) / b)) for x in (self.low, self.high))
        inner = below + (above - below) * u
        return float(np.clip(a + b * ndtri(inner), self.low, self.high))

    def extremes(self) -> tuple[Any, ...]:
        """Return values at the ends of what can be drawn, for a check before work starts."""
        if self.kind in ("choice", "list"):
            return tuple(dict.fromkeys(map(_frozen, self.values)))
        # A normal distribution without ends is checked at 4 standard deviations.
        tail = 0.0 if self.kind != "normal" else 3.2e-5
        return tuple(self.at(u, 0) for u in (tail, 1.0 - tail))

    @property
    def is_continuous(self) -> bool:
        """Whether two draws agree with probability zero."""
        return self.kind in ("uniform", "log_uniform", "normal") and not self.whole


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def is_distribution(value: Any) -> bool:
    """Return whether a table of a study stands for a distribution."""
    return isinstance(value, Mapping) and bool(set(value) & set(KINDS))


def read_distribution(key: str, table: Any, where: str) -> Distribution:
    """Return the distribution a table of the study's file stands for.

    Parameters
    ----------
    key : str
        What is drawn.
    table : dict
        Such as ``{uniform = [1.0, 2.0], per = "plate"}``.
    where : str
        Name of the table in error messages.

    Raises
    ------
    ScenarioError
        If the table is not one distribution with its numbers in order.
    """
    if not isinstance(table, Mapping):
        raise ScenarioError(f"{where} = {table!r}: give a table such as {{uniform = [1.0, 2.0]}}.")
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        known = ", ".join(KINDS)
        hint = next((h for k in table if (h := nearest_hint(str(k), KINDS))), "")
        raise ScenarioError(f"{where}: give exactly one of {known}.{hint}")
    kind = kinds[0]
    allowed = _OPTIONS[kind] | _COMMON | {kind}
    for name in table:
        if name not in allowed:
            raise ScenarioError(
                f"{where}.{name} is not a key of a {kind} distribution."
                f"{nearest_hint(name, sorted(allowed)) or f' Known: {sorted(allowed)}.'}"
            )
    common = _common(table, where)
    if kind in ("choice", "list"):
        return _of_values(key, kind, table, where, common)
    numbers = _pair(table[kind], f"{where}.{kind}")
    low, high = (
        _number(table.get(n, d), f"{where}.{n}")
        for n, d in (("low", -math.inf), ("high", math.inf))
    )
    _check_numbers(kind, numbers, low, high, where)
    whole = table.get("whole", False)
    if not isinstance(whole, bool):
        raise ScenarioError(f"{where}.whole = {whole!r}: give true or false.")
    return Distribution(
        key=key, kind=kind, numbers=numbers, low=low, high=high, whole=whole, **common
    )


def _common(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    per, group, reverse = (
        table.get("per", "sample"),
        table.get("group", ""),
        table.get("reverse", False),
    )
    if per not in LEVELS:
        raise ScenarioError(
            f"{where}.per = {per!r} is not one of {', '.join(map(repr, LEVELS))}."
            f"{nearest_hint(str(per), LEVELS)}"
        )
    if not isinstance(group, str) or not isinstance(reverse, bool):
        raise ScenarioError(f"{where}: group is a name in quotes, reverse is true or false.")
    return {"per": per, "group": group, "reverse": reverse}


def _of_values(
    key: str, kind: str, table: Mapping[str, Any], where: str, common: dict[str, Any]
) -> Distribution:
    values = table[kind]
    if not isinstance(values, list) or not values:
        raise ScenarioError(f"{where}.{kind} = {values!r}: give a list of at least one value.")
    weights = table.get("weights", [1.0] * len(values))
    if not isinstance(weights, list) or len(weights) != len(values):
        raise ScenarioError(f"{where}.weights: give {len(values)} numbers, one for each value.")
    shares = tuple(_number(w, f"{where}.weights") for w in weights)
    if min(shares) < 0.0 or sum(shares) <= 0.0 or not math.isfinite(sum(shares)):
        raise ScenarioError(f"{where}.weights = {list(shares)}: none below 0, some above it.")
    return Distribution(key=key, kind=kind, values=tuple(values), weights=shares, **common)


def _pair(values: Any, where: str) -> tuple[float, float]:
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 2:
        raise ScenarioError(f"{where} = {values!r}: give two numbers in square brackets.")
    return _number(values[0], where), _number(values[1], where)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise ScenarioError(f"{where} = {value!r}: give a number.")
    return float(value)


def _check_numbers(
    kind: str, numbers: tuple[float, float], low: float, high: float, where: str
) -> None:
    a, b = numbers
    if not (math.isfinite(a) and math.isfinite(b)):
        raise ScenarioError(f"{where}.{kind} = {[a, b]}: give finite numbers.")
    if kind == "normal":
        if b <= 0.0:
            raise ScenarioError(f"{where}.normal = {[a, b]}: the standard deviation must be > 0.")
        if float(ndtr((high - a) / b)) - float(ndtr((low - a) / b)) < 1e-9:
            raise ScenarioError(
                f"{where}: between low = {low:g} and high = {high:g} lies next to nothing of a "
                f"normal distribution of mean {a:g} and standard deviation {b:g}."
            )
    elif a > b or (kind == "log_uniform" and a <= 0.0):
        above = "0 < low <= high" if kind == "log_uniform" else "low <= high"
        raise ScenarioError(f"{where}.{kind} = {[a, b]}: {above} is needed.")
