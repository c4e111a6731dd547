"""Distributions: quantiles, correlation, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scintscope.dataset.distributions import read_distribution
from scintscope.errors import ScenarioError

SHARES = (np.arange(2000) + 0.5) / 2000


def values(table: dict[str, Any]) -> np.ndarray:
    """Return a distribution's quantiles."""
    d = read_distribution("key", table, "vary.key")
    return np.array([d.at(float(u), 0) for u in SHARES])


def test_uniform_and_log_uniform_have_their_moments() -> None:
    """Means are (a + b) / 2 and, of the logarithm, log sqrt(a b)."""
    # Midpoints of 2,000 equal shares: exact for a straight line, to rounding.
    assert values({"uniform": [2.0, 4.0]}).mean() == pytest.approx(3.0, rel=1e-12)
    logs = np.log(values({"log_uniform": [1.0, 100.0]}))
    assert logs.mean() == pytest.approx(np.log(10.0), rel=1e-12)


def test_normal_has_mean_and_deviation_and_stays_within_its_ends() -> None:
    """Uncut it has its two moments; cut off it keeps inside, and its median moves as it must."""
    whole = values({"normal": [5.0, 2.0]})
    # Midpoints miss the tails beyond 1/4000: 0.2 % of the variance.
    assert (whole.mean(), whole.std()) == (pytest.approx(5.0), pytest.approx(2.0, rel=3e-3))
    cut = values({"normal": [0.0, 1.0], "low": 0.0})
    assert cut.min() >= 0.0
    # Half-normal: median 0.6745; between two of 2,000 quantiles, of a density of 0.64 there.
    assert np.median(cut) == pytest.approx(0.67449, abs=1e-4)


def test_choice_keeps_its_weights_and_list_its_order() -> None:
    """Values come with their shares; a list goes round by number, whatever the share."""
    chosen = values({"choice": ["a", "b", "c"], "weights": [1, 2, 1]})
    assert [(chosen == x).mean() for x in "abc"] == [0.25, 0.5, 0.25]
    d = read_distribution("key", {"list": [5, 6, 7]}, "vary.key")
    assert [d.at(0.9, n) for n in range(5)] == [5, 6, 7, 5, 6]


def test_whole_and_reversed() -> None:
    """Whole numbers are whole; a reversed key falls where others rise."""
    whole = read_distribution("key", {"uniform": [1, 9], "whole": True}, "k").at(0.3, 0)
    assert isinstance(whole, int)
    assert np.all(np.diff(values({"uniform": [0.0, 1.0], "reverse": True})) < 0.0)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ({"uniform": [2.0, 1.0]}, r"low <= high is needed"),
        ({"log_uniform": [0.0, 1.0]}, r"0 < low <= high is needed"),
        ({"normal": [0.0, 0.0]}, r"standard deviation must be > 0"),
        ({"normal": [0.0, 1.0], "low": 9.0}, r"next to nothing"),
        ({"choice": []}, r"at least one value"),
        ({"choice": [1, 2], "weights": [1]}, r"2 numbers"),
        ({"unifrom": [1.0, 2.0]}, r"exactly one of .* Did you mean 'uniform'"),
        ({"uniform": [1.0, 2.0], "weights": [1, 1]}, r"weights is not a key of a uniform"),
        ({"uniform": [1.0]}, r"two numbers"),
        ({"uniform": [1.0, 2.0], "per": "sampel"}, r"Did you mean 'sample'"),
        (3.0, r"give a table"),
    ],
)
def test_what_is_no_distribution_is_refused(table: Any, match: str) -> None:
    """The error names the key, what was given and what to write instead."""
    with pytest.raises(ScenarioError, match=match):
        read_distribution("key", table, "vary.key")
