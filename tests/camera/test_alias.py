"""Tabulated Poisson numbers: the tables' probabilities, draws, zero means, no endless inversion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scintscope.camera import alias
from scintscope.camera.alias import LEVELS, alias_tables
from scintscope.camera.poisson import SMALLEST_TABLED, parallel_poisson

SIGMAS = 5.0


@pytest.mark.parametrize("top", [1, 4, 32, 128])
def test_tables_hold_poisson_probabilities(top: int):
    """Own and other shares of all columns sum to the Poisson probability of each count."""
    tables = alias_tables(top)
    columns = 1 << tables.bits
    own = tables.threshold.reshape(LEVELS, columns) / 2.0**32
    other = tables.other.reshape(LEVELS, columns)
    for level in (0, 1, LEVELS // 3, LEVELS - 1):
        found = np.zeros(400)
        np.add.at(found, tables.base[level] + np.arange(columns), own[level])
        np.add.at(found, other[level], 1.0 / columns - own[level])
        wanted = stats.poisson.pmf(np.arange(400), level * top / LEVELS)
        # each of the few columns that give a count is rounded by at most half of 2^-32
        np.testing.assert_allclose(found, wanted, atol=8 * 2.0**-32)


@pytest.mark.parametrize("mean", [0.02, 0.7, 6.3, 31.9, 100.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_are_poisson(mean: float, dtype: type):
    """Shares of counts, mean and variance of a large array of one mean."""
    n = SMALLEST_TABLED
    counts = parallel_poisson(np.full(n, mean, dtype), np.random.default_rng(11))
    assert abs(counts.mean() - mean) < SIGMAS * np.sqrt(mean / n)
    assert abs(counts.var() - mean) < SIGMAS * np.sqrt((2 * mean**2 + mean) / n)
    for k in range(int(mean) - 2, int(mean) + 4):
        chance = float(stats.poisson.pmf(k, mean))
        assert (
            abs(np.mean(counts == k) - chance) < SIGMAS * np.sqrt(chance * (1 - chance) / n) + 1e-9
        )


def test_threads_and_zero_means():
    """Threads change no bit; a mean of zero gives zero; neighbours do not matter."""
    mean = np.random.default_rng(1).uniform(0.0, 9.0, SMALLEST_TABLED).astype(np.float32)
    mean[::3] = 0.0
    one, two = (parallel_poisson(mean, np.random.default_rng(2), t) for t in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert not one[::3].any()


def test_smallest_random_number_ends_the_inversion():
    """A random number of exactly zero, one in 2^24, must not search for ever."""

    class Zeros:
        def integers(self, low: int, high: int, *, size: int, dtype: type) -> np.ndarray:
            return np.zeros(size, dtype)

        def random(self, size: int, dtype: type) -> np.ndarray:
            return np.zeros(size, dtype)

    mean = np.linspace(0.0, 31.0, 50, dtype=np.float32)
    counts = alias_tables(32).draw(mean, Zeros())  # type: ignore[arg-type]
    assert counts.max() < 31 + 12 + alias.LEVELS
