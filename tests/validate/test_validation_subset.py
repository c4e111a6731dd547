"""The quick part of the validation, and the page on the paper against what the code gives."""

import sys

import pytest

from scintscope.validate import choose_cases, find_cases, run_cases
from scintscope.validate.cases import cases_folder

PAPER = "paper"
LEAST_ROWS = 100
AUDITED = set(range(1, 34))
"""Numbers of the audit's lines that ``claims.csv`` must cover."""


@pytest.mark.slow
def test_everything_but_claims_holds():
    """Closed forms, other codes and measurements hold in the quick subset of all other cases."""
    report = run_cases([c for c in find_cases() if c.name != PAPER], quick=True)
    assert len(report.rows) >= LEAST_ROWS
    assert [f"{r.case}: {r.name}" for r in report.rows if r.verdict != "holds"] == []
    assert all(r.kind != "claim" for r in report.rows)


@pytest.fixture(scope="module")
def paper():
    (case,) = choose_cases([PAPER])
    return case


@pytest.mark.slow
def test_page_on_the_paper_is_current(paper):
    """The committed page is what the claims give now, and explains each that does not hold."""
    report = run_cases([paper], quick=True)
    module = paper.module()
    sys.path.insert(0, str(paper.folder))
    try:
        import page
    finally:
        sys.path.remove(str(paper.folder))
    committed = page.PAGE.read_text(encoding="utf-8")
    assert committed == page.text(), "run python validation/paper/page.py"
    for row in report.rows:
        assert row.verdict == "holds" or row.explained, row.name
        if row.explained:
            slug = row.explained.split("#")[1]
            assert f'<a id="{slug}"></a>' in committed
    assert {claim.slug for claim in module.claims(True)} == set(page_table())


def page_table():
    return sys.modules["scintscope_validation_paper.claim"].table()


def test_every_line_of_the_audit_is_covered(paper):
    """Each of the 33 audited numbers has at least one statement here."""
    paper.module()
    found = {line["audit"] for line in page_table().values() if line["audit"] is not None}
    assert found == AUDITED


def test_every_case_tells_its_source():
    """Each folder of the validation has a SOURCE.md and a line in the README."""
    readme = (cases_folder() / "README.md").read_text(encoding="utf-8")
    for case in find_cases():
        assert (case.folder / "SOURCE.md").is_file(), case.name
        assert f"`{case.name}`" in readme, case.name
