"""Small functions of our own against the library that takes long to load."""

import numpy as np
import pytest
from scipy.signal import windows as scipy_windows
from scipy.stats import spearmanr

from scintscope.metrics.ranks import rank_correlation, ranks
from scintscope.metrics.windows import tukey


@pytest.mark.parametrize("count", [2, 9, 10, 511, 512])
@pytest.mark.parametrize("taper", [0.2, 0.5, 1.0])
def test_tukey_is_scipys(count: int, taper: float) -> None:
    """The window is scipy.signal's, symmetric, and between 0 and 1."""
    window = tukey(count, taper)
    # the argument of the cosine is rounded differently
    np.testing.assert_allclose(window, scipy_windows.tukey(count, taper), rtol=0, atol=1e-12)
    np.testing.assert_allclose(window, window[::-1], rtol=0, atol=1e-12)
    assert window.min() >= 0.0 and window.max() <= 1.0


def test_equal_values_share_their_rank() -> None:
    """Ranks count from one, ties take the mean."""
    assert ranks([3.0, 1.0, 3.0, -2.0]).tolist() == [3.5, 2.0, 3.5, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_rank_correlation_is_spearmans(seed: int) -> None:
    """With and without ties it is scipy.stats's."""
    rng = np.random.default_rng(seed)
    for one, other in (rng.random((2, 7)), rng.integers(0, 4, (2, 9)).astype(float)):
        # sums of a few ranks, in another order
        found = rank_correlation(one, other)
        assert found == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)


def test_opposite_orders() -> None:
    """A falling function of the other score has -1, a rising one 1."""
    x = [0.1, 0.7, 2.0, 5.0]
    assert rank_correlation(x, [-np.exp(v) for v in x]) == pytest.approx(-1.0, abs=1e-15)
    assert rank_correlation(x, [v**3 for v in x]) == pytest.approx(1.0, abs=1e-15)
