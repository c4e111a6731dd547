"""Poisson numbers in parallel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.camera.poisson import MAX_MEAN, child_streams, parallel_poisson, run_blocks
from scintscope.errors import DataError, InputError, RangeError

SIGMAS = 5.0  # a right draw fails once in 3.5 million; seeds are fixed, so it never does


@pytest.mark.parametrize("mean", [0.05, 1.0, 9.99, 10.0, 300.0, 2e4])
def test_mean_and_variance_are_the_mean(mean: float) -> None:
    """Mean and variance of Poisson numbers both equal the parameter."""
    n = 199 * 501
    counts = parallel_poisson(np.full((199, 501), mean), np.random.default_rng(3))
    # Standard errors: sqrt(m/n) of the mean; sqrt((2 m^2 + m)/n) of the variance (4th moment).
    assert abs(counts.mean() - mean) < SIGMAS * np.sqrt(mean / n)
    assert abs(counts.var() - mean) < SIGMAS * np.sqrt((2 * mean**2 + mean) / n)


def test_probabilities_are_poisson() -> None:
    """The share of each count follows exp(-m) m^k / k!, not a rounded Gaussian."""
    mean, n = 2.5, 400_000
    counts = parallel_poisson(np.full(n, mean, np.float32), np.random.default_rng(5))
    chance = np.exp(-mean)
    for k in range(8):
        share = np.mean(counts == k)
        assert abs(share - chance) < SIGMAS * np.sqrt(chance * (1 - chance) / n)  # binomial
        chance *= mean / (k + 1)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 64), (513, 400), (2, 3, 41, 30), (5,), ()])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_a_bit(shape: tuple[int, ...], dtype: type) -> None:
    """1, 2 and 5 threads give the same counts, for any shape, smaller than the blocks too."""
    mean = np.random.default_rng(0).uniform(0, 30, shape).astype(dtype)
    results = [parallel_poisson(mean, np.random.default_rng(9), n) for n in (1, 2, 5)]
    assert all(r.shape == shape and r.dtype == np.int32 for r in results)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_memory_layout_does_not_matter() -> None:
    """A transposed view gives the counts of its copy, in the view's own orientation."""
    mean = np.random.default_rng(0).uniform(0, 1e4, (30, 70)).T
    mean[:, 3] = 0.0
    view = parallel_poisson(mean, np.random.default_rng(1))
    np.testing.assert_array_equal(view, parallel_poisson(mean.copy(), np.random.default_rng(1)))
    assert not view[:, 3].any()


def test_pixels_are_independent() -> None:
    """No two blocks share a stream: neighbours and blocks are uncorrelated."""
    counts = parallel_poisson(np.full((8, 50_000), 10.0), np.random.default_rng(2))
    matrix = np.corrcoef(counts)
    off = matrix[~np.eye(8, dtype=bool)]
    assert np.abs(off).max() < SIGMAS / np.sqrt(50_000)  # standard error of a zero correlation


def test_generator_advances_and_repeats() -> None:
    """The same state gives the same counts, the next call others."""
    mean = np.full((20, 20), 50.0)
    first, second = np.random.default_rng(7), np.random.default_rng(7)
    a, b = parallel_poisson(mean, first), parallel_poisson(mean, second)
    np.testing.assert_array_equal(a, b)
    assert (parallel_poisson(mean, first) != a).any()
    state = first.bit_generator.state
    c = parallel_poisson(mean, first)
    first.bit_generator.state = state
    np.testing.assert_array_equal(parallel_poisson(mean, first), c)


@settings(max_examples=30, deadline=None)
@given(mean=st.floats(0.0, MAX_MEAN), dtype=st.sampled_from([np.int32, np.int64, np.float64]))
def test_counts_are_near_any_allowed_mean(mean: float, dtype: type) -> None:
    """From 0 to the largest allowed mean, counts neither wrap nor go negative."""
    counts = parallel_poisson(np.full(9, mean), np.random.default_rng(1), dtype=dtype)
    assert counts.dtype == dtype
    assert counts.min() >= 0
    # 9 draws: 6.5 sigma plus 20 counts cover the skewed tail at small means
    assert np.abs(counts - mean).max() <= 6.5 * np.sqrt(mean) + 20


def test_float32_counts_equal_integer_counts() -> None:
    """The output type does not change the draw."""
    mean = np.full((40, 30), 12.0)
    whole = parallel_poisson(mean, np.random.default_rng(1))
    real = parallel_poisson(mean, np.random.default_rng(1), dtype=np.float32)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(whole, real)


@pytest.mark.parametrize(
    ("mean", "match"),
    [
        ([1.0, np.nan, np.nan], "holds 2 NaN"),
        ([1.0, -0.5], "down to -0.5 counts: a Poisson mean is never negative"),
        ([1.0, np.inf], "up to inf counts"),
        ([3e9], "largest allowed mean is 2e"),
        ([], "is empty"),
        ([1j], "complex128"),
        ([True], "bool"),
    ],
)
def test_impossible_means_are_refused(mean: list, match: str) -> None:
    """What is no Poisson mean is refused with its value."""
    with pytest.raises(DataError, match=match):
        parallel_poisson(np.array(mean), np.random.default_rng(0))


def test_bad_options_are_refused() -> None:
    """A type too small for counts and no thread at all are refused."""
    with pytest.raises(InputError, match="uint8 cannot hold counts"):
        parallel_poisson(np.ones(3), np.random.default_rng(0), dtype=np.uint8)
    with pytest.raises(RangeError, match="threads = 0"):
        parallel_poisson(np.ones(3), np.random.default_rng(0), 0)


def test_an_error_in_a_thread_comes_out() -> None:
    """A piece that fails is not lost in its thread."""

    def fail(block: int, start: int, stop: int) -> None:
        if block == 3:
            raise ValueError("piece 3")

    with pytest.raises(ValueError, match="piece 3"):
        run_blocks(16, fail, 2)


def test_children_differ() -> None:
    """Children of one parent give different numbers."""
    draws = [child.random() for child in child_streams(np.random.default_rng(0), 9)]
    assert len(set(draws)) == 9
