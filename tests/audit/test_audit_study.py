"""A study resumes, computes what is missing, and recommends on seeds it does not judge on."""

import numpy as np
import pytest

from audit_scenes import small_scenario
from scintscope.audit import study
from scintscope.audit.recommend import recommend, summary
from scintscope.audit.settings import radial
from scintscope.audit.study import Errors, run_study, study_key
from scintscope.errors import InputError
from scintscope.progress import silent

ONE, TWO = radial("divide", 21), radial("subtract", 21)


@pytest.fixture
def calls(monkeypatch):
    """Replace the simulation by numbers known beforehand; return what was asked for."""
    asked = []

    def errors(bench, truth, settings, seed):
        asked.append((seed, [setting.name for setting in settings]))
        return {setting.name: seed + 0.001 * len(setting.name) for setting in settings}

    monkeypatch.setattr(study, "seed_errors", errors)
    monkeypatch.setattr(study, "bench_and_truth", lambda *_: (None, None))
    return asked


def test_a_study_goes_on_where_it_stopped(calls, tmp_path):
    """Seeds done are not redone; a larger grid computes the new settings alone."""
    scenario = small_scenario()
    run_study(scenario, [ONE], [1, 2], tmp_path, silent)
    run_study(scenario, [ONE], [1, 2, 3], tmp_path, silent)
    found = run_study(scenario, [ONE, TWO], [1, 2, 3], tmp_path, silent)
    one, two = [ONE.name], [TWO.name]
    assert calls == [(1, one), (2, one), (3, one), (1, two), (2, two), (3, two)]
    assert found.values.shape == (3, 2)
    assert found.mean()[ONE.name] == pytest.approx(2.0 + 0.001 * len(ONE.name))


def test_other_conditions_have_their_own_folder(calls, tmp_path):
    """Another instrument never reads this one's errors; the scenario's seed makes no difference."""
    first, other = small_scenario(), small_scenario("lens.na=0.2")
    run_study(first, [ONE], [1], tmp_path, silent)
    run_study(other, [ONE], [1], tmp_path, silent)
    assert len(calls) == 2
    assert study_key(first, True) == study_key(small_scenario("acquisition.seed=9"), True)
    assert study_key(first, True) != study_key(first, False)


def test_workers_are_checked(tmp_path):
    """No processes, no study."""
    with pytest.raises(InputError, match="workers"):
        run_study(small_scenario(), [ONE], [1], tmp_path, silent, workers=0)


def table(seeds, **columns):
    return Errors(
        seeds=tuple(seeds), names=tuple(columns), values=np.array(list(columns.values())).T
    )


def test_the_recommended_setting_is_chosen_on_the_selection_seeds():
    """The winner there is judged elsewhere, against the winner there."""
    selection = table([1, 2], a=[0.1, 0.1], b=[0.2, 0.3], c=[0.9, 0.9])
    judged = table([3, 4, 5], a=[0.3, 0.3, 0.3], b=[0.2, 0.2, 0.2])
    found = recommend(selection, judged)
    assert (found.setting, found.best_judged) == ("a", "b")
    assert found.ratio == pytest.approx(1.5)
    assert [row["setting"] for row in summary(judged)] == ["b", "a"]


def test_a_seed_must_not_do_both():
    """A seed that selects cannot judge."""
    errors = table([1, 2], a=[0.1, 0.2])
    with pytest.raises(InputError, match="both selects and judges"):
        recommend(errors, table([2, 3], a=[0.1, 0.2]))


def test_standard_error_is_that_of_a_mean():
    """Spread over seeds divided by the root of their number."""
    values = [0.1, 0.2, 0.4, 0.5]
    expected = np.std(values, ddof=1) / 2.0
    assert table([1, 2, 3, 4], a=values).standard_error()["a"] == pytest.approx(expected)
