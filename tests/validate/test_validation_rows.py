"""Rows: verdicts, what may be explained, worst of many, tables."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scintscope.errors import InputError
from scintscope.validate import Row, read_table, relative_row, row, worst


def claim(ours, **changes):
    fields = {
        "name": "a claim",
        "ours": ours,
        "reference": 10.0,
        "tolerance": 0.5,
        "reason": "printed digits",
        "source": "a paper",
        "kind": "claim",
    }
    return Row(**(fields | changes))


@pytest.mark.parametrize(
    ("relation", "holding", "failing"),
    [("equal", (9.5, 10.0, 10.5), (9.4, 10.6)), ("at most", (0.0, 10.5), (10.6, 99.0)),
     ("at least", (9.5, 99.0), (9.4, -5.0))],
)  # fmt: skip
def test_verdict_follows_the_relation(relation, holding, failing):
    """A number holds up to the tolerance on the side that counts, and fails beyond it."""
    for value in holding:
        assert claim(value, relation=relation).verdict == "holds"
    for value in failing:
        assert claim(value, relation=relation).verdict == "fails"


def test_another_reading_makes_a_claim_ambiguous():
    """A claim that holds in another reading only is ambiguous; in none, it fails."""
    other = claim(20.0, readings=(("in air", 10.1),))
    assert (other.verdict, other.failed) == ("ambiguous", False)
    assert claim(20.0, readings=(("in air", 30.0),)).verdict == "fails"


def test_only_an_explanation_excuses_a_failing_claim():
    """Unexplained failure counts; an explained one does not, and names its place."""
    assert claim(20.0).failed
    excused = claim(20.0, explained="docs/page.md#claim")
    assert not excused.failed
    assert excused.as_dict()["explained"] == "docs/page.md#claim"
    assert claim(10.0, explained="docs/page.md#claim").as_dict()["explained"] is None


@pytest.mark.parametrize("kind", ["closed form", "code", "measurement"])
def test_nothing_but_claims_may_be_explained(kind):
    """Closed forms, codes and measurements cannot be excused or read in several ways."""
    for excuse in ({"explained": "because"}, {"readings": (("else", 1.0),)}):
        with pytest.raises(InputError, match="only claims may be explained"):
            claim(1.0, kind=kind, **excuse)


@pytest.mark.parametrize("tolerance", [math.inf, math.nan, -1.0])
def test_a_row_must_be_able_to_fail(tolerance):
    """A tolerance that nothing can miss is refused, as is one without reason or source."""
    with pytest.raises(InputError, match="could not fail"):
        row("x", 1.0, 2.0, tolerance, reason="r", source="s")
    with pytest.raises(InputError, match="needs a reason"):
        row("x", 1.0, 2.0, 0.1, reason="", source="s")
    with pytest.raises(InputError, match=r"kind of 'x'.*'guess'"):
        row("x", 1.0, 2.0, 0.1, reason="r", source="s", kind="guess")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_fails(value):
    """A computation that gives no number never holds, in any relation."""
    for relation in ("equal", "at most", "at least"):
        assert claim(value, relation=relation).verdict == "fails"
    assert claim(value).strain == math.inf


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=8))
def test_worst_fails_exactly_if_one_fails(departures):
    """Law: the worst of many rows fails if and only if any of them does."""
    rows = [row(str(i), 3.0 + d, 3.0, 1.0, reason="r", source="s")
            for i, d in enumerate(departures)]  # fmt: skip
    found = worst(rows, "all")
    assert (found.verdict == "fails") == any(r.verdict == "fails" for r in rows)
    assert found.name.startswith(f"all: worst of {len(rows)}, ")


def test_relative_tolerance_is_a_share_of_the_reference():
    """One per cent of -200 is 2, and nothing to compare is an error."""
    assert relative_row("x", 1.0, -200.0, 0.01, reason="r", source="s").tolerance == 2.0
    with pytest.raises(InputError, match="nothing to compare"):
        worst([], "none")


def test_tables_skip_comments_and_know_blanks(tmp_path):
    """Numbers become floats, blanks None, text stays, # lines go."""
    file = tmp_path / "t.csv"
    file.write_text("# where from\na,b,c\n1.5,,x y\n", encoding="utf-8")
    assert read_table(file) == [{"a": 1.5, "b": None, "c": "x y"}]
