"""A family of instruments: a base scenario of which some numeric keys vary."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scintscope.design.axes import Axis
from scintscope.errors import InputError, ScenarioError
from scintscope.instrument import Instrument
from scintscope.scenario import Scenario, scenario_from_tables
from scintscope.scintillator.plate import Plate

_STEP = re.compile(r"([A-Za-z_0-9]+)|\[(\d+)\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A key that follows another: value = factor x other^power + offset."""

    key: str
    follows: str
    factor: float = 1.0
    power: float = 1.0
    offset: float = 0.0

    def value(self, other: float) -> float:
        """Return the key's value."""
        return float(self.factor * other**self.power + self.offset)


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Instruments that differ in some keys.

    Parameters
    ----------
    base : Scenario
        What they have in common.
    plate : {"thin", "thick"}
        Whose numbers are asked for.
    axes : tuple of Axis
        Keys that vary, with their ranges.
    links : tuple of Link
        Keys that follow one of them.
    """

    base: Scenario
    plate: str = "thick"
    axes: tuple[Axis, ...] = ()
    links: tuple[Link, ...] = ()

    def axis(self, key: str) -> Axis | None:
        """Return the axis of a key, None if it does not vary."""
        return next((axis for axis in self.axes if axis.key == key), None)

    def middle(self) -> dict[str, float]:
        """Return the middle of every axis."""
        return {axis.key: axis.middle for axis in self.axes}

    def tables(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the scenario's tables with values laid over them, links followed."""
        tree = copy.deepcopy(dict(self.base.document))
        for key, value in values.items():
            put(tree, key, value)
        for link in self.links:
            if link.follows in values:
                put(tree, link.key, link.value(values[link.follows]))
        return tree

    def instrument(self, values: Mapping[str, Any]) -> tuple[Instrument, Plate]:
        """Return the instrument and its plate at values of the keys.

        Raises
        ------
        ScenarioError
            If a value is out of its key's range.
        """
        scenario = scenario_from_tables(self.tables(values), name="design", origin="design")
        instrument = scenario.instrument()
        return instrument, getattr(instrument, self.plate)


def steps(key: str) -> list[str | int]:
    """Return the way to a key: names and indices of ``source.filters[0].thickness_um``.

    Raises
    ------
    InputError
        If it is no such key.
    """
    found: list[str | int] = []
    for part in key.split("."):
        pieces = list(_STEP.finditer(part))
        if not pieces or "".join(p.group() for p in pieces) != part:
            raise InputError(
                f"{key!r} is not a key such as lens.na or lens.plates[0].thickness_mm."
            )
        found += [p.group(1) if p.group(1) else int(p.group(2)) for p in pieces]
    return found


def put(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set a key in nested tables; tables on the way are made.

    Raises
    ------
    ScenarioError
        If the way leads through a list that is too short, or through a number.
    """
    way = steps(key)
    node: Any = tree
    for here, there in pairwise(way):
        if isinstance(here, int):
            if not isinstance(node, list | tuple) or here >= len(node):
                raise ScenarioError(f"{key}: the base scenario has no entry [{here}] there.")
            node = node[here]
        else:
            if isinstance(node.get(here), tuple):
                node[here] = list(node[here])
            node = node.setdefault(here, [] if isinstance(there, int) else {})
        if not isinstance(node, dict | list):
            raise ScenarioError(f"{key} leads through {here!r}, which is not a table.")
    last = way[-1]
    if isinstance(last, int) and last >= len(node):
        raise ScenarioError(f"{key}: the base scenario has no entry [{last}] there.")
    node[last] = value


def get(tree: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key in nested tables; None where it is not set."""
    node: Any = tree
    for here in steps(key):
        try:
            node = node[here]
        except (KeyError, IndexError, TypeError):
            return None
    return node
