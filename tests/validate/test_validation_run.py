"""Finding, running, writing cases; the command's exit codes and messages."""

import csv
import json

import pytest

from scintscope.cli import main
from scintscope.errors import InputError
from scintscope.validate import (
    ValidationFailed,
    choose_cases,
    find_cases,
    report_text,
    run_cases,
    write_report,
)
from scintscope.validate.cases import cases_folder

HEAD = "from scintscope.validate import Row, row\n"
HOLDS = 'row("the holding one", 1.0, 1.0, 0.1, reason="r", source="s", unit="um")'
FAILS = 'row("the failing one", 2.0, 1.0, 0.1, reason="r", source="s")'
EXCUSED = (
    'Row(name="the excused one", ours=2.0, reference=1.0, tolerance=0.1, reason="r", source="s", '
    'kind="claim", explained="docs/page.md#it")'
)


def write_case(folder, name, rows, extra=""):
    place = folder / name
    place.mkdir(parents=True)
    text = f"{HEAD}{extra}\ndef rows(quick):\n    return [{rows}]\n"
    (place / "case.py").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    cases = tmp_path / "cases"
    write_case(cases, "good", f"{HOLDS}, {EXCUSED}")
    write_case(cases, "slow", f"*([] if quick else [{HOLDS}])")
    return cases


def test_rows_know_their_case_and_counts(folder):
    """Rows carry the folder's name; the summary counts claims apart from the rest."""
    report = run_cases(find_cases(folder))
    assert [r.case for r in report.rows] == ["good", "good", "slow"]
    summary = report.summary()
    assert summary["others"] == {"holds": 2, "ambiguous": 0, "fails": 0}
    assert summary["claims"] == {"holds": 0, "ambiguous": 0, "fails": 1}
    report.require_success()


def test_quick_runs_may_skip_a_case(folder):
    """A case may have nothing quick; without --quick that is an error."""
    assert len(run_cases(find_cases(folder), quick=True).rows) == 2
    write_case(folder, "empty", "")
    with pytest.raises(InputError, match="empty returned no rows"):
        run_cases(choose_cases(["empty"], folder))


def test_unknown_case_names_the_nearest(folder):
    """A misspelt case is refused with the nearest name and the list."""
    with pytest.raises(InputError, match=r"'goood' is no validation case\. Did you mean 'good'"):
        choose_cases(["goood"], folder)
    assert [c.name for c in choose_cases(["slow", "good", "slow"], folder)] == ["slow", "good"]


def test_missing_cases_say_what_to_do(tmp_path, monkeypatch):
    """Where there are no cases, the message names the remedy."""
    with pytest.raises(InputError, match=r"run from a checkout.*--cases"):
        cases_folder(tmp_path)
    monkeypatch.setattr("scintscope.validate.cases.FOLDER", "nowhere")
    with pytest.raises(InputError, match="not of an installed package"):
        cases_folder()


def test_a_case_may_import_its_neighbours(folder):
    """A case is loaded as a package, so that several cases may have helpers of one name."""
    for name, value in (("first", "1.0"), ("second", "2.0")):
        imported = "from .helper import VALUE\n"
        write_case(folder, name, HOLDS.replace("1.0, 1.0", "VALUE, VALUE"), imported)
        (folder / name / "helper.py").write_text(f"VALUE = {value}\n", encoding="utf-8")
    rows = run_cases(choose_cases(["first", "second"], folder)).rows
    assert [r.ours for r in rows] == [1.0, 2.0]


def test_case_without_rows_or_with_twins_is_refused(folder):
    """No function rows, and two rows of one name, are errors that name the case."""
    place = folder / "bare"
    place.mkdir()
    (place / "case.py").write_text("X = 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no function rows\(quick\)"):
        run_cases(choose_cases(["bare"], folder))
    write_case(folder, "twins", f"{HOLDS}, {HOLDS}")
    with pytest.raises(InputError, match="twins has several rows named 'the holding one'"):
        run_cases(choose_cases(["twins"], folder))


def test_a_case_that_stops_fails_and_the_others_run(folder):
    """An error inside a case becomes a failing row; nothing of the other cases is lost."""
    write_case(folder, "broken", HOLDS, "raise ZeroDivisionError('no depth')\n")
    report = run_cases(find_cases(folder))
    assert len(report.rows) == 4
    (failed,) = report.failed
    assert failed.case == "broken"
    assert "ZeroDivisionError: no depth" in failed.name


def test_files_hold_the_rows(folder, tmp_path):
    """CSV, JSON and Markdown have every row; the JSON is what the command prints."""
    report = run_cases(find_cases(folder))
    out = tmp_path / "out"
    write_report(report, out)
    with (out / "validation.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == [r.name for r in report.rows]
    assert lines[1]["explained"] == "docs/page.md#it"
    document = json.loads((out / "validation.json").read_text(encoding="utf-8"))
    assert {"name", "ours", "reference", "difference", "tolerance", "verdict", "explained"} <= set(
        document["rows"][0]
    )
    page = (out / "validation.md").read_text(encoding="utf-8")
    assert all(r.name in page for r in report.rows)
    assert "the holding one" in report_text(report)


def test_command_exits_by_unexplained_failures(folder, capsys, tmp_path):
    """0 with explained failures, 1 with unexplained ones (the table all the same), 2 for typos."""
    assert main(["validate", "--cases", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [r["verdict"] for r in document["rows"]] == ["holds", "fails", "holds"]
    write_case(folder, "bad", FAILS)
    out = tmp_path / "out"
    assert main(["validate", "bad", "--cases", str(folder), "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert "the failing one" in captured.out
    assert "1 rows fail unexplained: bad: the failing one" in captured.err
    assert (out / "validation.csv").exists()
    assert main(["validate", "bat", "--cases", str(folder)]) == 2
    assert "Did you mean 'bad'" in capsys.readouterr().err


def test_failure_is_an_error_of_its_own(folder):
    """Programs can tell a failed validation from bad input."""
    write_case(folder, "bad", FAILS)
    with pytest.raises(ValidationFailed):
        run_cases(choose_cases(["bad"], folder)).require_success()
