"""A study: which keys of a base scenario vary, within which limits, and what is wanted.

base = "../paper.toml"
[variables]
thick.thickness_um = { log_range = [10, 200], points = 20 }
lens.na = { range = [0.1, 0.5], points = 10 }
[constraints]
max_exposure_s = 2.0
[[objectives]]
kind = "mtf50"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from scintscope.design.axes import Axis
from scintscope.design.family import Family, Link
from scintscope.design.objectives import Objective
from scintscope.errors import check_range
from scintscope.scenario import Scenario, scenario_from_tables

Array = NDArray[np.float64]
Value = float | str

MOST_DESIGNS = 200_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """A key that varies.

    Parameters
    ----------
    key : str
        Such as ``lens.na``.
    values : tuple of float or str
        Its values on the grid, ascending if numbers.
    way : {"range", "log_range", "grid", "list"}
        Even or geometric points, given points, or only these values.
    """

    key: str
    values: tuple[Value, ...]
    way: str

    @property
    def is_named(self) -> bool:
        """Whether the values are names, such as materials."""
        return isinstance(self.values[0], str)

    @property
    def is_listed(self) -> bool:
        """Whether only the values themselves can be had."""
        return self.way == "list"

    @property
    def numbers(self) -> Array:
        """Values as numbers."""
        return np.asarray(self.values, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Constraints:
    """Limits that a design must keep.

    Parameters
    ----------
    max_exposure_s : float
        Of one frame.
    max_dose_gy : float
        Of one frame, to water at the plate.
    min_field_um : float
        Shorter side of the field of view.
    available_thicknesses_um : tuple of float
        Plates that can be had; any if empty.
    """

    max_exposure_s: float = float("inf")
    max_dose_gy: float = float("inf")
    min_field_um: float = 0.0
    available_thicknesses_um: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, unit in (("max_exposure_s", "s"), ("max_dose_gy", "Gy")):
            value, key = getattr(self, name), f"constraints.{name}"
            check_range(key, value, low=0.0, low_open=True, unit=unit, allow_inf=True)
        check_range("constraints.min_field_um", self.min_field_um, low=0.0, unit="um")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Scattered designs: a scrambled Sobol sequence over the ranges.

    Parameters
    ----------
    points : int
        How many; 0 is the full grid.
    seed : int
        Of the scrambling.
    """

    points: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        check_range("sample.points", self.points, low=0, high=MOST_DESIGNS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """A checked study.

    Parameters
    ----------
    name, description : str
        Names the output folder; a sentence for people.
    base : Scenario
        What all designs have in common.
    plate : {"thin", "thick"}
        Whose curves count.
    variables : tuple of Variable
        What varies.
    links : tuple of Link
        Keys that follow a variable.
    constraints : Constraints
        Limits.
    objectives : tuple of Objective
        What is wanted; the first one decides.
    tolerances : dict of str to float
        How far a key may be off, for the robust optimum.
    sample : Sample
        Scattered designs instead of the grid, if its points are not 0.
    images : bool
        Whether Richardson-Lucy restores images of the chosen few too, where it is an objective.
    """

    name: str
    description: str
    base: Scenario
    plate: str
    variables: tuple[Variable, ...]
    links: tuple[Link, ...] = ()
    constraints: Constraints = field(default_factory=Constraints)
    objectives: tuple[Objective, ...] = ()
    tolerances: Mapping[str, float] = field(default_factory=dict)
    sample: Sample = field(default_factory=lambda: Sample())
    images: bool = True

    @property
    def numeric(self) -> tuple[Variable, ...]:
        """Variables that are numbers."""
        return tuple(v for v in self.variables if not v.is_named)

    @property
    def named(self) -> tuple[Variable, ...]:
        """Variables that are names."""
        return tuple(v for v in self.variables if v.is_named)

    @property
    def thickness_key(self) -> str:
        """Key of the plate's thickness."""
        return f"{self.plate}.thickness_um"

    def choices(self) -> list[dict[str, str]]:
        """Return every combination of the named variables; one empty one if there are none."""
        keys = [v.key for v in self.named]
        found = product(*(v.values for v in self.named))
        return [dict(zip(keys, map(str, values), strict=True)) for values in found]

    def grid(self) -> dict[str, Array]:
        """Return the numeric variables of all designs, (N,) each.

        The full grid, the last variable fastest, or the sample.
        """
        if self.sample.points:
            return self._scattered()
        mesh = np.meshgrid(*(v.numbers for v in self.numeric), indexing="ij")
        return {v.key: m.ravel() for v, m in zip(self.numeric, mesh, strict=True)}

    def _scattered(self) -> dict[str, Array]:
        from scipy.stats import qmc

        rng = np.random.default_rng(self.sample.seed)
        power = int(np.ceil(np.log2(self.sample.points)))
        unit = qmc.Sobol(len(self.numeric), rng=rng).random_base2(power)[: self.sample.points]
        found = {}
        for variable, u in zip(self.numeric, unit.T, strict=True):
            low, high = variable.numbers[0], variable.numbers[-1]
            if variable.is_listed:
                place = np.minimum(
                    (u * variable.numbers.size).astype(int), variable.numbers.size - 1
                )
                found[variable.key] = variable.numbers[place]
            elif variable.way == "log_range":
                found[variable.key] = low * (high / low) ** u
            else:
                found[variable.key] = low + (high - low) * u
        return found

    def family(self, choice: Mapping[str, str]) -> Family:
        """Return the instruments of one combination of names."""
        axes = []
        for variable in self.numeric:
            low, high = float(variable.numbers[0]), float(variable.numbers[-1])
            if low < high:
                axes.append(Axis(key=variable.key, low=low, high=high))
        fixed = {v.key: float(v.numbers[0]) for v in self.numeric if len(v.values) == 1}
        whole = Family(base=self.base, links=self.links)
        base = scenario_from_tables(whole.tables({**choice, **fixed}), name=self.name)
        return Family(base=base, plate=self.plate, axes=tuple(axes), links=self.links)
