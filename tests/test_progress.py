"""Progress bars stay out of the way."""

from __future__ import annotations

import pytest

from scintscope.progress import progress


def test_nothing_is_shown_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stderr is not a terminal a bar prints nothing, on either stream."""
    with progress("work", 3) as advance:
        advance(1)
        with progress("inner", 2) as inner:
            inner(2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_title_and_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal the title and the count go to stderr only."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("work", 3) as advance:
        advance(3)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "work" in captured.err
    assert "3/3" in captured.err
