"""The grids: names tell settings apart, keys are those of a scenario, shared work is complete."""

from itertools import chain

import pytest

from audit_scenes import small_scenario
from scintscope.audit.settings import PAPER, judged_grid, one_pass, small_grid, wide_grid
from scintscope.restoration import RestorationConfig


@pytest.mark.parametrize("grid", [small_grid, judged_grid, wide_grid])
def test_names_are_unique_and_the_papers_setting_is_there(grid):
    """No two settings share a name; the paper's is always compared."""
    settings = grid()
    assert len({setting.name for setting in settings}) == len(settings)
    assert PAPER in settings


def test_judged_settings_are_selected_from():
    """Whatever is judged could have been selected."""
    assert set(judged_grid()) <= set(wide_grid())


def test_the_papers_setting_is_the_packages_default():
    """`PAPER` names the defaults of `[restoration]`, which are the paper's."""
    assert PAPER.config(RestorationConfig()) == RestorationConfig()


def test_shared_passes_hold_every_setting_once():
    """Grouping loses and doubles nothing."""
    settings = wide_grid()
    grouped = list(chain.from_iterable(one_pass(settings)))
    assert len(grouped) == len(settings) and set(grouped) == set(settings)


def test_keys_are_what_a_scenario_takes():
    """A recommended setting laid over a scenario by its keys gives the same configuration."""
    for setting in small_grid():
        sets = [f"restoration.{key}={value}" for key, value in setting.keys().items()]
        scenario = small_scenario(*sets)
        assert scenario.restoration == setting.config(small_scenario().restoration)
