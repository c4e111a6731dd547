"""Numbers of a family of instruments as functions of its keys, tabulated along them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.design.axes import Axis, Nodes, contracted, node_axis
from scintscope.errors import SamplingError

Array = NDArray[np.float64]
Numbers = dict[str, Array]
Make = Callable[[Mapping[str, float]], Numbers]

_FEW, _MANY = 8, 20
"""Points along an axis, and where few do not suffice."""
_TOLERANCE = 1e-7
_REFUSED = 1e-4
"""Relative error between the points at which more are tried, and at which the table is refused."""
_MOST_POINTS = 20000
UNCHECKED = "photons"
"""Photons by energy have kinks in the voltage; sums over the energies, which are smooth, stand for
them in the trial."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One number or array of numbers over the axes it depends on.

    Parameters
    ----------
    nodes : tuple of Nodes
        The axes; none for a constant.
    values : array
        Leading axes as ``nodes``.
    """

    nodes: tuple[Nodes, ...]
    values: Array

    def at(self, values: Mapping[str, Any]) -> Any:
        """Return it at values of the keys."""
        return contracted(self.values, self.nodes, values)


def number_tables(
    make: Make, axes: tuple[Axis, ...], middle: Mapping[str, float]
) -> dict[str, Table]:
    """Return the tables of everything ``make`` gives.

    Which axes a number depends on is found by moving one key at a time to both ends of its range.

    Raises
    ------
    SamplingError
        If a number is not smooth enough in a key, or depends on too many keys at once.
    """
    base = make(middle)
    depends: dict[str, list[Axis]] = {name: [] for name in base}
    for axis in axes:
        moved = [make({**middle, axis.key: value}) for value in (axis.low, axis.high)]
        for name, value in base.items():
            if any(_differs(value, other[name], axis.key, name) for other in moved):
                depends[name].append(axis)
    groups: dict[tuple[Axis, ...], list[str]] = {}
    for name, found in depends.items():
        groups.setdefault(tuple(found), []).append(name)
    tables: dict[str, Table] = {}
    for group, names in groups.items():
        if not group:
            tables |= {name: Table(nodes=(), values=base[name]) for name in names}
        else:
            tables |= _group_tables(make, group, names, middle)
    return tables


def _differs(value: Array, other: Array, key: str, name: str) -> bool:
    if value.shape != other.shape:
        raise SamplingError(
            f"{key} changes the kind of instrument within its range ({name} has {value.size} "
            f"numbers at one end and {other.size} at the other): split the range."
        )
    return not np.array_equal(value, other)


def _group_tables(
    make: Make, group: tuple[Axis, ...], names: list[str], middle: Mapping[str, float]
) -> dict[str, Table]:
    """Return the tables of numbers that depend on the same axes."""
    best: tuple[float, str, dict[str, Table]] = (np.inf, "", {})
    for count, log in ((_FEW, False), (_FEW, True), (_MANY, False), (_MANY, True)):
        if log and min(axis.low for axis in group) <= 0.0:
            continue
        if count ** len(group) > _MOST_POINTS:
            continue
        nodes = tuple(node_axis(axis, count, log) for axis in group)
        tables = _filled(make, nodes, names, middle)
        error, worst = _error(make, tables, group, middle)
        if error < best[0]:
            best = (error, worst, tables)
        if error <= _TOLERANCE:
            break
    keys = ", ".join(axis.key for axis in group)
    if best[0] > _REFUSED:
        raise SamplingError(
            f"{best[1] or names[0]} cannot be tabulated over {keys} (relative error "
            f"{best[0]:.1e}): narrow the ranges, or vary fewer keys at once."
        )
    return best[2]


def _filled(
    make: Make, nodes: tuple[Nodes, ...], names: list[str], middle: Mapping[str, float]
) -> dict[str, Table]:
    rows = [
        make({**middle, **dict(zip((n.key for n in nodes), point, strict=True))})
        for point in product(*(n.values.tolist() for n in nodes))
    ]
    shape = tuple(n.count for n in nodes)
    return {
        name: Table(
            nodes=nodes,
            values=np.stack([row[name] for row in rows]).reshape(shape + rows[0][name].shape),
        )
        for name in names
    }


def _error(
    make: Make, tables: dict[str, Table], group: tuple[Axis, ...], middle: Mapping[str, float]
) -> tuple[float, str]:
    """Return the largest relative error at a few points off the nodes, and whose it is."""
    worst, who = 0.0, ""
    for share in (0.07, 0.41, 0.83):
        point = {**middle, **{a.key: a.low + share * (a.high - a.low) for a in group}}
        exact = make(point)
        for name, table in tables.items():
            if name.startswith(UNCHECKED):
                continue
            scale = np.abs(exact[name]).max() or 1.0
            error = float(np.abs(np.asarray(table.at(point)) - exact[name]).max() / scale)
            if error > worst:
                worst, who = error, name.split("@")[0]
    return worst, who
