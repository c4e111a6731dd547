"""Sliders and scenarios stand for each other."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from scintscope.cli import main
from scintscope.errors import InputError, ScenarioError
from scintscope.explore.state import (
    advice,
    changes,
    limits,
    problems,
    scenario_of,
    start_state,
    state_of,
)
from scintscope.explore.tables import fitting
from scintscope.scenario import Scenario, load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def base() -> Scenario:
    return load_scenario(SCENARIOS / "paper.toml")


def test_untouched_sliders_are_the_scenario(base: Scenario) -> None:
    """The start state stands for the scenario itself, by its hash, and nothing has changed."""
    state = start_state(base)
    assert scenario_of(base, state).hash() == base.hash()
    assert changes(base, state) == []
    assert problems(state, limits(base)) == []


def test_every_slider_comes_back(base: Scenario) -> None:
    """A state with every slider moved survives the way to a scenario and back."""
    state = start_state(base)
    moved = replace(
        state,
        thin=replace(state.thin, material="GAGG:Ce", thickness_um=12.5, exposure_s=3.0),
        thick=replace(state.thick, material="LuAG:Ce", thickness_um=150.0, focus_um=40.0),
        na=0.31,
        voltage_kv=65.0,
        filter_material="Cu",
        filter_um=25.0,
    )
    assert state_of(scenario_of(base, moved), base) == moved
    keys = {line.split(" = ")[0] for line in changes(base, moved)}
    assert keys == {
        "thin.material", "thin.thickness_um", "thin.exposure_s", "thick.material",
        "thick.thickness_um", "thick.focus_um", "lens.na", "source.voltage_kv",
        "source.filters[1].material", "source.filters[1].thickness_um",
    }  # fmt: skip


def test_downloaded_file_passes_check(base: Scenario, tmp_path: Path) -> None:
    """``scintscope check`` accepts the file that the page gives, and reading it gives the state."""
    state = replace(start_state(base), na=0.3, filter_um=200.0, voltage_kv=60.0)
    path = tmp_path / "explored.toml"
    path.write_text(scenario_of(base, state).to_toml(), encoding="utf-8")
    assert main(["check", str(path)]) == 0
    assert state_of(load_scenario(path), base) == state


def test_material_of_the_users_own_is_left_behind(base: Scenario) -> None:
    """Optical numbers that corrected the old material are not carried to a new one."""
    own = load_scenario(SCENARIOS / "paper.toml", ["thick.photons_per_kev=30.0"])
    state = start_state(own)
    other = scenario_of(own, replace(state, thick=replace(state.thick, material="LuAG:Ce")))
    plain = scenario_of(base, replace(state, thick=replace(state.thick, material="LuAG:Ce")))
    assert other.thick.scintillator == plain.thick.scintillator
    assert own.thick.scintillator != base.thick.scintillator


def test_focus_outside_the_plate_is_a_sentence(base: Scenario) -> None:
    """A focus beyond the plate is a problem that names plate, depth and thickness."""
    state = start_state(base)
    wrong = replace(state, thick=replace(state.thick, focus_um=230.0))
    (sentence,) = problems(wrong, limits(base))
    assert all(part in sentence for part in ("thick", "230", "200"))


def test_thin_plate_thicker_than_thick_is_advice(base: Scenario) -> None:
    """A thin plate that is not the thinner one can be computed, and is remarked upon."""
    state = start_state(base)
    odd = replace(state, thin=replace(state.thin, thickness_um=210.0))
    assert problems(odd, limits(base)) == []
    assert "not thinner" in advice(odd)[0]
    assert advice(state) == []


def test_plate_too_thick_for_the_lens_is_refused_with_one_that_fits() -> None:
    """200 um at NA 0.9 is refused with a thickness; with that one the page takes it."""
    large = load_scenario(SCENARIOS / "paper_10x.toml")
    with pytest.raises(InputError, match=r"lens\.na = 0\.9") as refusal:
        fitting(large, limits(large, ()))
    found = re.search(r"--set (thick\.thickness_um=[\d.]+)", str(refusal.value))
    assert found is not None
    less = load_scenario(SCENARIOS / "paper_10x.toml", [found.group(1)])
    chosen = fitting(less, limits(less, ()))
    assert chosen.na[1] >= less.lens.na
    assert chosen.thickness_um[1] >= less.thick.thickness_um


def test_ordinary_lens_keeps_the_whole_range(base: Scenario) -> None:
    """The paper's lens and plates fit: no slider is shortened."""
    assert fitting(base, limits(base)) == limits(base)


def test_what_no_scenario_allows_is_refused(base: Scenario) -> None:
    """A voltage that no tube has is refused with the key's name."""
    with pytest.raises(ScenarioError, match=r"source\.voltage_kv"):
        scenario_of(base, replace(start_state(base), voltage_kv=5.0))
