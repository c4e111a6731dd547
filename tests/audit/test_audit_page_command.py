"""The command: a page, a table and a setting to copy, on seeds that are disjoint."""

import json

import pytest

from audit_scenes import QUICK, small_scenario
from scintscope import cli
from scintscope.audit import page
from scintscope.audit.axes import AS_IS, axis_conditions, part_conditions
from scintscope.audit.settings import PAPER, radial
from scintscope.errors import InputError
from scintscope.outputs import Outcome
from scintscope.progress import silent


def test_audit_writes_page_table_and_setting(tmp_path, monkeypatch):
    """Two judging seeds give a page with two figures and the recommended keys; seeds are kept."""
    few = (PAPER, radial("divide", 81))
    monkeypatch.setitem(page.GRIDS, "small", lambda: few)
    out = tmp_path / "audit"
    found = page.audit(small_scenario(), out, silent, seeds=2)
    document = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert document["recommended"]["setting"] in {setting.name for setting in few}
    assert document["recommended"]["keys"]["psf_method"] in {"radial", "richardson_lucy"}
    assert set(document["seeds"]["selection"]).isdisjoint(document["seeds"]["judging"])
    text = (out / "report.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2
    assert "[restoration]" in found.text
    assert len(list((tmp_path / "audit.work").glob("*/[0-9]*.json"))) == 4


def test_wrong_arguments_are_refused_before_any_work(tmp_path):
    """A grid that does not exist and a single seed are told."""
    with pytest.raises(InputError, match="grid"):
        page.audit(small_scenario(), tmp_path / "a", silent, grid="huge")
    with pytest.raises(InputError, match="seeds"):
        page.audit(small_scenario(), tmp_path / "a", silent, seeds=1)


def test_command_line_reaches_it(monkeypatch, capsys):
    """Scenario, folder and options arrive; the folder's default carries the scenario's name."""
    calls = []

    def record(*arguments, **options):
        calls.append((*arguments, options))
        return Outcome(document={}, text="for people")

    monkeypatch.setattr(page, "audit", record)
    assert cli.main(["audit", str(QUICK), "--seeds", "4", "--grid", "judged"]) == 0
    scenario, out, _, options = calls[0]
    assert (scenario.name, out.name) == ("quick", "quick-audit")
    assert options == {"seeds": 4, "grid": "judged", "workers": 1}
    assert capsys.readouterr().out == "for people\n"


def test_conditions_are_scenarios():
    """Every condition's keys exist and differ from the scenario's."""
    plain = small_scenario()
    conditions = [AS_IS, *part_conditions(), *axis_conditions(plain)]
    assert len({(c.axis, c.label) for c in conditions}) == len(conditions)
    for condition in conditions[1:]:
        assert small_scenario(*condition.sets).hash() != plain.hash()
