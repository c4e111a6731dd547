"""Lenses by name."""

from pathlib import Path

import pytest

from scintscope.errors import InputError
from scintscope.optics.lens import GlassPlate, Lens
from scintscope.optics.presets import LENS_PRESETS, lens_preset
from scintscope.scenario import load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def lens_of(name):
    """Return the preset as a lens."""
    values = lens_preset(name)
    plates = tuple(GlassPlate(**plate) for plate in values.pop("plates", ()))
    return Lens(**values, plates=plates)


@pytest.mark.parametrize("name", LENS_PRESETS)
def test_preset_is_a_valid_lens(name):
    """A preset says which lens it is and the lens accepts it."""
    lens = lens_of(name)
    assert f"{lens.magnification:g}x" in name
    assert {"na", "working_distance_mm", "corrected_for_um"} <= set(lens_preset(name))


def test_commercial_objectives_are_corrected_for_no_plate():
    """Metallurgical objectives know no cover glass, the paper's lenses 50 um of scintillator."""
    for name in LENS_PRESETS:
        wanted = 50.0 if name.startswith("zhou2025") else 0.0
        assert lens_of(name).corrected_for_um == wanted


@pytest.mark.parametrize(
    ("name", "scenario"), [("zhou2025-5x", "paper.toml"), ("zhou2025-10x", "paper_10x.toml")]
)
def test_the_papers_lenses_are_those_of_its_scenarios(name, scenario):
    """The preset is the lens that the shipped scenario spells out."""
    assert lens_of(name) == load_scenario(SCENARIOS / scenario).lens


def test_a_scenario_may_name_its_lens(tmp_path):
    """A file with a preset has its lens; what else it says of the lens overrides."""
    text = (SCENARIOS / "paper.toml").read_text(encoding="utf-8")
    start, end = text.index("[lens]"), text.index("[camera]")
    named = '[lens]\npreset = "mitutoyo-m-plan-apo-10x"\nna = 0.2\n\n'
    file = tmp_path / "named.toml"
    file.write_text(text[:start] + named + text[end:], encoding="utf-8")
    scenario = load_scenario(file)
    lens = scenario.lens
    assert (lens.magnification, lens.na, lens.working_distance_mm) == (10.0, 0.2, 33.5)
    assert "33.5" in scenario.to_toml()


def test_presets_cannot_be_changed_by_a_caller():
    """A caller's change stays with the caller, in nested tables too."""
    lens_preset("zhou2025-5x")["plates"][0]["thickness_mm"] = 9.0
    assert lens_preset("zhou2025-5x")["plates"][0]["thickness_mm"] == 2.0


def test_unknown_lens_is_refused_with_the_nearest():
    """A misspelt name is refused, the nearest is named."""
    with pytest.raises(InputError, match=r"Did you mean 'zhou2025-5x'"):
        lens_preset("zhou2025_5x")
