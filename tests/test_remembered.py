"""Kept tables: made once for the very objects they belong to, few at a time."""

from __future__ import annotations

import numpy as np

from scintscope.remembered import Remembered


def test_made_once_for_the_same_objects_and_key() -> None:
    """A result is made once for the same objects and key, and anew for an equal other object."""
    asked: list[str] = []
    kept: Remembered[int] = Remembered(most=4)
    one, equal = np.zeros(3), np.zeros(3)

    def make(name: str) -> int:
        asked.append(name)
        return len(asked)

    assert kept((one,), "a", lambda: make("one")) == 1
    assert kept((one,), "a", lambda: make("again")) == 1
    assert kept((one,), "b", lambda: make("key")) == 2
    assert kept((equal,), "a", lambda: make("equal")) == 3
    assert kept((one, equal), "a", lambda: make("pair")) == 4
    assert asked == ["one", "key", "equal", "pair"]


def test_only_the_last_few_are_kept() -> None:
    """Beyond the number asked for, the result used longest ago goes; what was used stays."""
    kept: Remembered[int] = Remembered(most=2)
    owner = object()
    for key in (0, 1):
        kept((owner,), key, lambda key=key: key)  # type: ignore[misc]
    assert kept((owner,), 0, lambda: -1) == 0  # now 1 is the oldest
    kept((owner,), 2, lambda: 2)
    assert len(kept) == 2
    assert kept((owner,), 0, lambda: -1) == 0
    assert kept((owner,), 1, lambda: -1) == -1


def test_no_other_object_takes_the_identity() -> None:
    """Objects live as long as their result, so that a later one cannot be taken for them."""
    kept: Remembered[int] = Remembered(most=64)
    found = [kept((np.full(4, float(i)),), None, lambda i=i: i) for i in range(32)]  # type: ignore[misc]
    assert found == list(range(32))
