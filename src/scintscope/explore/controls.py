"""The page's sliders and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import panel as pn

from scintscope.explore.state import (
    FILTERS,
    PLATES,
    VOLTAGE_STEP_KV,
    Limits,
    PlateState,
    State,
)

_EXPOSURES = 36
_TITLES = {"thin": "Thin plate", "thick": "Thick plate"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateControls:
    """Widgets of one plate."""

    material: Any
    thickness_um: Any
    exposure_s: Any
    best: Any
    focus_um: Any

    def state(self) -> PlateState:
        """Return what they say."""
        return PlateState(
            material=self.material.value,
            thickness_um=float(self.thickness_um.value),
            exposure_s=float(self.exposure_s.value),
            focus_um=None if self.best.value else float(self.focus_um.value),
        )

    def show(self, state: PlateState) -> None:
        """Set them."""
        self.material.value = state.material
        self.thickness_um.value = state.thickness_um
        self.exposure_s.value = state.exposure_s
        self.best.value = state.focus_um is None
        self.focus_um.value = _shown_focus_um(state)

    def widgets(self) -> list[Any]:
        """Return them in order."""
        return [self.material, self.thickness_um, self.exposure_s, self.best, self.focus_um]


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """Widgets of everything.

    Parameters
    ----------
    plates : dict of str to PlateControls
        ``thin`` and ``thick``.
    na, voltage_kv, filter_material, filter_um
        Widgets; those of the beam are switched off where the source is not a tube.
    has_tube : bool
        Whether it is.
    """

    plates: dict[str, PlateControls]
    na: Any
    voltage_kv: Any
    filter_material: Any
    filter_um: Any
    has_tube: bool

    def state(self) -> State:
        """Return what the widgets say."""
        return State(
            thin=self.plates["thin"].state(),
            thick=self.plates["thick"].state(),
            na=float(self.na.value),
            voltage_kv=float(self.voltage_kv.value) if self.has_tube else None,
            filter_material=self.filter_material.value,
            filter_um=float(self.filter_um.value) if self.has_tube else 0.0,
        )

    def show(self, state: State) -> None:
        """Set the widgets."""
        for which, plate in self.plates.items():
            plate.show(state.plate(which))
        self.na.value = state.na
        if state.voltage_kv is not None:
            self.voltage_kv.value = state.voltage_kv
        self.filter_um.value = state.filter_um
        self.filter_material.value = state.filter_material

    def widgets(self) -> list[Any]:
        """Return all widgets whose value counts."""
        own = [self.na, self.voltage_kv, self.filter_material, self.filter_um]
        return own + [w for plate in self.plates.values() for w in plate.widgets()]

    def column(self) -> Any:
        """Return them as a column of the page."""
        groups = [_heading("Lens"), self.na, _heading("Beam")]
        if self.has_tube:
            groups += [self.voltage_kv, self.filter_material, self.filter_um]
        else:
            groups.append(pn.pane.HTML("<p>Fixed: the source of this scenario is not a tube.</p>"))
        for which, plate in self.plates.items():
            groups += [_heading(_TITLES[which]), *plate.widgets()]
        return pn.Column(*groups, width=300)


def _heading(text: str) -> Any:
    return pn.pane.HTML(f"<h2 style='font-size:14px;margin:6px 0 0 0'>{text}</h2>")


def controls(limit: Limits, state: State) -> Controls:
    """Return the widgets, set to a state."""
    low, high = limit.voltage_kv if state.voltage_kv is not None else (0.0, VOLTAGE_STEP_KV)
    filters = pn.widgets.RadioButtonGroup(
        label="Added filter", options=list(FILTERS), value=state.filter_material
    )
    thickness = _slider("Added filter (um)", 0.0, limit.filter_um[FILTERS[0]], 10.0, 0.0)

    def rescale(event: Any) -> None:
        end = limit.filter_um[event.new]
        thickness.param.update(end=end, step=end / 200.0, value=min(thickness.value, end))

    filters.param.watch(rescale, "value")
    return Controls(
        plates={which: _plate(which, limit, state.plate(which)) for which in PLATES},
        na=_slider("NA", *limit.na, 0.001, state.na, "0.000"),
        voltage_kv=_slider(
            "Tube voltage (kV)", low, high, VOLTAGE_STEP_KV, state.voltage_kv or low, "0"
        ),
        filter_material=filters,
        filter_um=thickness,
        has_tube=state.voltage_kv is not None,
    )


def _plate(which: str, limit: Limits, state: PlateState) -> PlateControls:
    low, high = limit.thickness_um
    best = pn.widgets.Checkbox(label="focus where the image is best", value=state.focus_um is None)
    depth = _slider(f"Focus of the {which} plate (um deep)", 0.0, high, 0.5, _shown_focus_um(state))
    depth.disabled = state.focus_um is None
    best.param.watch(lambda event: setattr(depth, "disabled", event.new), "value")
    return PlateControls(
        material=pn.widgets.Select(
            label=f"Scintillator of the {which} plate",
            options=list(limit.materials),
            value=state.material,
        ),
        thickness_um=_slider(f"Thickness, {which} (um)", low, high, 0.5, state.thickness_um),
        exposure_s=pn.widgets.DiscreteSlider(
            label=f"Exposure, {which} (s)",
            options=exposures(limit.exposure_s, state.exposure_s),
            value=state.exposure_s,
        ),
        best=best,
        focus_um=depth,
    )


def _shown_focus_um(state: PlateState) -> float:
    """Return where the focus slider stands: in the middle of the plate while the best is taken."""
    return 0.5 * state.thickness_um if state.focus_um is None else state.focus_um


def exposures(ends: tuple[float, float], own: float) -> list[float]:
    """Return exposures on a logarithmic scale, to two digits, the scenario's own among them."""
    mesh = {float(f"{value:.2g}") for value in np.geomspace(*ends, _EXPOSURES)}
    return sorted(mesh | {own})


def _slider(
    label: str, low: float, high: float, step: float, value: float, form: str = "0[.]0"
) -> Any:
    return pn.widgets.FloatSlider(
        label=label, start=low, end=high, step=step, value=value, format=form
    )
