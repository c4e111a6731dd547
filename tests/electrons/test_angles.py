"""Initial directions: Sauter's distribution and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.electrons.angles import sauter_density, sauter_moments, start_cosines

ORDERS = np.arange(0, 9)


def test_slow_photoelectrons_start_along_the_field():
    """Towards zero energy the density is 3/4 sin^2: moments 0 but for P_0 = 1, P_2 = -1/5."""
    moments = sauter_moments(1e-7, ORDERS)
    expected = np.zeros(9)
    expected[0], expected[2] = 1.0, -0.2
    np.testing.assert_allclose(moments, expected, atol=2e-3)  # beta = 6e-4, entering as 4 beta / 5
    mu = np.linspace(-1.0, 1.0, 7)
    np.testing.assert_allclose(sauter_density(np.array(1e-7), mu), 0.75 * (1.0 - mu**2), atol=2e-3)


@given(st.floats(0.1, 250.0), st.floats(1.05, 1.2))
@settings(max_examples=25, deadline=None)
def test_faster_photoelectrons_start_more_forward(energy, factor):
    """The density is normalised and its mean cosine grows with energy."""
    slow, fast = (sauter_moments(e, ORDERS) for e in (energy, energy * factor))
    assert slow[0] == pytest.approx(1.0, abs=1e-12)
    assert 0.0 < slow[1] < fast[1] < 1.0


@pytest.mark.parametrize(("start", "energy"), [("photoelectron", 30.0), ("isotropic", 30.0)])
def test_drawn_directions_have_the_moments(start, energy):
    """Means of P_1 and P_2 over drawn cosines are those of the density."""
    count = 40_000
    mu = start_cosines(start, energy, count, np.random.default_rng(1))
    p = np.polynomial.legendre.legvander(mu, 2).mean(0)
    goal = sauter_moments(energy, ORDERS) if start == "photoelectron" else np.eye(9)[0]
    # 5 sigma of 40 000 values of variance below 1/3
    np.testing.assert_allclose(p[1:], goal[1:3], atol=5.0 * np.sqrt(1.0 / 3.0 / count))
