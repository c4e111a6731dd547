"""From a study and an index to a scenario: nothing else decides a sample."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from scintscope.dataset.distributions import Distribution
from scintscope.dataset.families import SEEDED, Family
from scintscope.dataset.splits import members, split_of
from scintscope.dataset.study import Study
from scintscope.errors import ScenarioError
from scintscope.scenario import Scenario, scenario_from_tables

Tables = dict[str, Any]

_LEVELS = {"sample": 0, "plate": 1, "instrument": 2}
_SPECIMEN, _NOISE = 3, 4
_CHECKED_DRAWS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A sample before it is made.

    Parameters
    ----------
    index, plate, instrument : int
        Numbers of the sample, its pair of plates, its instrument.
    split, family : str
        Where it belongs; what kind of specimen it shows (empty: none).
    values : dict
        Everything drawn, by dotted key of the scenario, seeds included.
    """

    index: int
    plate: int
    instrument: int
    split: str
    family: str
    values: Mapping[str, Any]


def draw(study: Study, index: int) -> Drawn:
    """Return what is drawn for one sample; depends on the study and the index alone."""
    plate = index // study.samples_per_plate
    instrument = index // study.samples_per_instrument
    if study.instruments:
        instrument %= study.instruments
    numbers = {"sample": index, "plate": plate, "instrument": instrument}
    split = split_of(study.splits, plate)
    values: dict[str, Any] = {}
    for d in study.vary:
        number = numbers[d.per]
        values[d.key] = d.at(_share(study, d, number), number)
    family = _family(study, index)
    if family is not None:
        values |= _specimen(study, family, index, split)
    # Seeds are counted, not drawn: no two plates and no two samples can ever share one.
    values["thin.defects.seed"] = 2 * plate + 1
    values["thick.defects.seed"] = 2 * plate + 2
    values["acquisition.seed"] = int(_stream(study, _NOISE, index, "").integers(2**63))
    return Drawn(
        index=index,
        plate=plate,
        instrument=instrument,
        split=split,
        family="" if family is None else family.name,
        values=values,
    )


def scenario_of(study: Study, drawn: Drawn) -> Scenario:
    """Return the scenario of a drawn sample, checked.

    Raises
    ------
    ScenarioError
        If the drawn values do not hold together.
    """
    return scenario_from_tables(
        _laid_over(study, drawn.values), origin=f"sample {drawn.index} of study {study.name}"
    )


def _laid_over(study: Study, values: Mapping[str, Any]) -> Tables:
    """Return the base's tables with values laid over them."""
    tables: Tables = {
        key: dict(table) if isinstance(table, Mapping) else table
        for key, table in study.base.document.items()
    }
    if any(key.startswith("specimen.") for key in values):
        tables["specimen"] = {}
    for key, value in values.items():
        *parents, last = key.split(".")
        node = tables
        for name in parents:
            inner = node.get(name)
            node[name] = dict(inner) if isinstance(inner, Mapping) else {}
            node = node[name]
        node[last] = list(value) if isinstance(value, tuple) else value
    return tables


def _stream(study: Study, level: int, number: int, key: str) -> np.random.Generator:
    words = (level, number, zlib.crc32(key.encode()))
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(study.seed, spawn_key=words)))


def _share(study: Study, d: Distribution, number: int) -> float:
    """Return a key's quantile: of its own, or correlated with its group by a Gaussian copula.

    z = sqrt(rho) z_group + sqrt(1 - rho) z_own, u = Phi(z); rho is the correlation of the normal
    scores z of any two keys of the group (Nelsen 2006, An Introduction to Copulas, Sec. 2.3.6).
    """
    level = _LEVELS[d.per]
    own = _stream(study, level, number, d.key)
    if not d.group:
        return _inside(own.random())
    rho = study.groups.get(d.group, 1.0)
    common = _stream(study, level, number, f"group {d.group}").standard_normal()
    return _inside(float(ndtr(np.sqrt(rho) * common + np.sqrt(1.0 - rho) * own.standard_normal())))


def _inside(u: float) -> float:
    """Return a share kept off 0 and 1."""
    return float(min(max(u, 2.0**-54), 1.0 - 2.0**-53))


def _family(study: Study, index: int) -> Family | None:
    if not study.families:
        return None
    u = _stream(study, _SPECIMEN, index, "family").random()
    edges = np.cumsum([family.weight for family in study.families])
    chosen = int(np.searchsorted(edges / edges[-1], u, side="right"))
    return study.families[min(chosen, len(study.families) - 1)]


def _specimen(study: Study, family: Family, index: int, split: str) -> dict[str, Any]:
    """Return the specimen's keys; its seed is its index, so that it is no other sample's."""
    values = {f"specimen.{key}": value for key, value in family.constants.items()}
    for d in family.drawn:
        u = _inside(_stream(study, _SPECIMEN, index, d.key).random())
        values[f"specimen.{d.key}"] = d.at(u, index)
    if family.kind in SEEDED:
        values["specimen.seed"] = index + 1
    if family.paths:
        own = members(study.splits, split, len(family.paths))
        u = _stream(study, _SPECIMEN, index, "path").random()
        values["specimen.path"] = family.paths[own[min(int(u * len(own)), len(own) - 1)]]
    return values


def check_draws(study: Study, origin: str) -> None:
    """Refuse a study whose ends or first samples cannot be simulated, before any work.

    Raises
    ------
    ScenarioError
        With the key, the value drawn for it and what is wrong with that.
    """
    middle = {d.key: d.at(0.5, 0) for d in study.vary}
    for d in study.vary:
        for value in d.extremes():
            _check(study, middle | {d.key: value}, f'{origin}: vary."{d.key}" may draw {value!r}')
    for i, family in enumerate(study.families):
        plain = {f"specimen.{k}": v for k, v in family.constants.items()}
        plain |= {f"specimen.{d.key}": d.at(0.5, 0) for d in family.drawn}
        for path in family.paths[:1] or ("",):
            known = plain | ({"specimen.path": path} if path else {})
            _check(study, middle | known, f"{origin}: specimens[{i}]")
            for d in family.drawn:
                for value in d.extremes():
                    where = f"{origin}: specimens[{i}].{d.key} may draw {value!r}"
                    _check(study, middle | known | {f"specimen.{d.key}": value}, where)
    for index in range(min(_CHECKED_DRAWS, study.samples)):
        scenario_of(study, draw(study, index))


def _check(study: Study, values: Mapping[str, Any], where: str) -> None:
    try:
        scenario_from_tables(_laid_over(study, values), origin="then")
    except ScenarioError as error:
        raise ScenarioError(f"{where}; {error}") from None
