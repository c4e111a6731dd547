"""What the sliders say, and the scenario that stands for it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scintscope.errors import InputError
from scintscope.scenario import Scenario, scenario_from_tables
from scintscope.scintillator.plate import Plate
from scintscope.source.parts import TubeSource

PLATES = ("thin", "thick")
FILTERS = ("Al", "Cu")
"""Materials of the filter that the page adds behind those of the scenario."""

_OWN_OPTICS = (
    "photons_per_kev", "refractive_index", "emission_um", "density_g_cm3", "formula",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateState:
    """One plate's sliders.

    Parameters
    ----------
    material : str
        Scintillator.
    thickness_um, exposure_s : float
        Of the film; of one frame.
    focus_um : float or None
        Depth in focus from the entrance face; None is the best focus.
    """

    material: str
    thickness_um: float
    exposure_s: float
    focus_um: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """All sliders.

    Parameters
    ----------
    thin, thick : PlateState
        The plates.
    na : float
        Of the lens.
    voltage_kv : float or None
        Of the tube; None where the source is not a tube.
    filter_material : str
        Of the added filter.
    filter_um : float
        Its thickness; 0 is none.
    """

    thin: PlateState
    thick: PlateState
    na: float
    voltage_kv: float | None = None
    filter_material: str = FILTERS[0]
    filter_um: float = 0.0

    def plate(self, which: str) -> PlateState:
        """Return the sliders of ``thin`` or ``thick``."""
        return self.thin if which == "thin" else self.thick


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How far the sliders go.

    Parameters
    ----------
    materials : tuple of str
        Those that can be chosen, the scenario's own first.
    thickness_um, na, exposure_s, voltage_kv, filter_um : (float, float)
        Ends; voltage is (0, 0) where the source is not a tube.
    """

    materials: tuple[str, ...]
    thickness_um: tuple[float, float]
    na: tuple[float, float]
    exposure_s: tuple[float, float]
    voltage_kv: tuple[float, float]
    filter_um: dict[str, float] = field(default_factory=lambda: {"Al": 2000.0, "Cu": 200.0})


_MOST_NA = 0.95

OFFERED = ("YAG:Ce", "LuAG:Ce", "GAGG:Ce", "GGG:Eu")
"""Scintillators offered besides the scenario's own."""


def start_state(base: Scenario) -> State:
    """Return the sliders at the scenario's own numbers.

    Raises
    ------
    InputError
        If the scenario has something that the page does not know.
    """
    plates = {which: _plate_state(base, which) for which in PLATES}
    source = base.source
    voltage = source.voltage_kv if isinstance(source, TubeSource) else None
    return State(thin=plates["thin"], thick=plates["thick"], na=base.lens.na, voltage_kv=voltage)


def _plate_state(base: Scenario, which: str) -> PlateState:
    plate: Plate = getattr(base, which)
    return PlateState(
        material=str(base.document[which]["material"]),
        thickness_um=plate.thickness_um,
        exposure_s=plate.exposure_s,
        focus_um=None if isinstance(plate.focus_um, str) else float(plate.focus_um),
    )


def limits(base: Scenario, materials: tuple[str, ...] = OFFERED) -> Limits:
    """Return how far the sliders go for a scenario: its own numbers well inside.

    Thickness and NA reach less far upwards than downwards: the tables of transfer functions grow
    with the third and the eighth power of them; so NA goes up by a quarter, at most by 0.1.
    """
    state = start_state(base)
    own = (state.thin.material, state.thick.material)
    thin, thick = sorted((state.thin.thickness_um, state.thick.thickness_um))
    exposures = (state.thin.exposure_s, state.thick.exposure_s)
    voltage, na = state.voltage_kv, base.lens.na
    return Limits(
        materials=tuple(dict.fromkeys((*own, *materials))),
        thickness_um=(round(max(thin / 4.0, 0.5), 1), round(1.3 * thick, 1)),
        na=(round(na / 4.0, 3), round(min(1.25 * na, na + 0.1, max(na, _MOST_NA)), 3)),
        exposure_s=(min(exposures) / 20.0, 10.0 * max(exposures)),
        voltage_kv=(0.0, 0.0) if voltage is None else _voltages(voltage),
    )


VOLTAGE_STEP_KV = 5.0


def _voltages(own: float) -> tuple[float, float]:
    """Return the ends of the voltage's range, whole steps away from the scenario's own."""
    down = min(4, int((own - 20.0) / VOLTAGE_STEP_KV))
    return own - VOLTAGE_STEP_KV * down, own + VOLTAGE_STEP_KV * 6


def problems(state: State, limit: Limits) -> list[str]:
    """Return a sentence for everything that cannot be computed."""
    found = []
    for which in PLATES:
        plate = state.plate(which)
        if plate.focus_um is not None and not 0.0 <= plate.focus_um <= plate.thickness_um:
            found.append(
                f"The focus of the {which} plate, {plate.focus_um:g} um, lies outside the plate of "
                f"{plate.thickness_um:g} um: choose a depth inside, or best focus."
            )
        found += _outside(f"thickness of the {which} plate", plate.thickness_um, limit.thickness_um)
    return found + _outside("NA", state.na, limit.na)


def _outside(name: str, value: float, ends: tuple[float, float]) -> list[str]:
    slack = 1e-9 * ends[1]
    if ends[0] - slack <= value <= ends[1] + slack:
        return []
    return [f"The {name}, {value:g}, lies outside this page's range of {ends[0]:g} to {ends[1]:g}."]


def advice(state: State) -> list[str]:
    """Return a sentence for everything that is legal but may surprise."""
    if state.thin.thickness_um < state.thick.thickness_um:
        return []
    return [
        f"The thin plate ({state.thin.thickness_um:g} um) is not thinner than the thick one "
        f"({state.thick.thickness_um:g} um): it is meant to be the sharp reference."
    ]


def tables_of(base: Scenario, state: State) -> dict[str, Any]:
    """Return the scenario's tables with the sliders laid over them."""
    tree = copy.deepcopy(dict(base.document))
    start = start_state(base)
    for which in PLATES:
        plate, before = state.plate(which), start.plate(which)
        table = dict(tree[which])
        if plate.material != before.material:
            table = {key: value for key, value in table.items() if key not in _OWN_OPTICS}
        table |= {
            "material": plate.material,
            "thickness_um": plate.thickness_um,
            "exposure_s": plate.exposure_s,
            "focus_um": "best" if plate.focus_um is None else plate.focus_um,
        }
        tree[which] = table
    tree["lens"] = {**tree["lens"], "na": state.na}
    if state.voltage_kv is not None:
        source = {**tree["source"], "voltage_kv": state.voltage_kv}
        if state.filter_um > 0.0:
            added = {"material": state.filter_material, "thickness_um": state.filter_um}
            source["filters"] = [*source.get("filters", []), added]
        tree["source"] = source
    return tree


def scenario_of(base: Scenario, state: State) -> Scenario:
    """Return the scenario that the sliders stand for.

    Raises
    ------
    ScenarioError
        If it does not hold together.
    """
    tree = tables_of(base, state)
    if state != start_state(base):
        tree["name"] = f"{base.name}-explored"
        tree["description"] = f"From the sliders of the page, starting from {base.name}"
    return scenario_from_tables(tree, name=base.name, origin="the page's state")


def state_of(scenario: Scenario, base: Scenario) -> State:
    """Return the sliders of a scenario that `scenario_of` made from a base.

    Raises
    ------
    InputError
        If the filters are not the base's with at most one of the page's behind them.
    """
    state = start_state(scenario)
    if not isinstance(scenario.source, TubeSource) or not isinstance(base.source, TubeSource):
        return state
    own = len(base.source.filters)
    added = scenario.source.filters[own:]
    if len(added) > 1 or any(f.material not in FILTERS for f in added):
        names = ", ".join(f.material for f in added)
        raise InputError(f"source.filters: the page adds one of {', '.join(FILTERS)}, not {names}.")
    if not added:
        return state
    return replace(state, filter_material=added[0].material, filter_um=added[0].thickness_um)


def changes(base: Scenario, state: State) -> list[str]:
    """Return ``key = value`` of everything that differs from the base, for people."""
    before, after = (_flat(tables_of(base, s)) for s in (start_state(base), state))
    return [
        f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}"
        for key, value in after.items()
        if before.get(key) != value
    ]


def _flat(tree: Mapping[str, Any], stem: str = "") -> dict[str, Any]:
    """Return dotted keys with their values."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        where = f"{stem}{key}"
        if isinstance(value, Mapping):
            found |= _flat(value, f"{where}.")
        elif key == "filters":
            for i, item in enumerate(value):
                found |= _flat(item, f"{where}[{i}].")
        else:
            found[where] = value
    return found
