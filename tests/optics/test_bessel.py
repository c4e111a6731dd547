"""Bessel functions that JAX can differentiate."""

import numpy as np
import pytest
from scipy.special import jv

from scintscope.jax64 import jax, jnp
from scintscope.optics.bessel import bessel_j

X = np.concatenate([[0.0, 1e-9, 7.999999, 8.0, 8.000001], np.linspace(0.01, 40.0, 400), [3e3]])


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_both_forms_equal_scipy(order):
    """Numpy and JAX values agree with scipy.special over the break at 8 and far beyond."""
    # interpolants converged to 2e-14; rounding of cos at 3e3
    np.testing.assert_allclose(
        np.asarray(bessel_j(order, jnp.asarray(X))), jv(order, X), atol=5e-14
    )
    np.testing.assert_allclose(bessel_j(order, X), jv(order, X), rtol=0, atol=1e-14)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_derivatives_follow_the_recurrence(order):
    """First and second derivatives equal (J_(n-1) - J_(n+1)) / 2 and its own derivative."""
    first = jax.vmap(jax.grad(lambda x: bessel_j(order, x)))
    second = jax.vmap(jax.grad(jax.grad(lambda x: bessel_j(order, x))))
    x = jnp.asarray(X)
    np.testing.assert_allclose(first(x), 0.5 * (jv(order - 1, X) - jv(order + 1, X)), atol=5e-14)
    expected = 0.25 * (jv(order - 2, X) - 2.0 * jv(order, X) + jv(order + 2, X))
    np.testing.assert_allclose(second(x), expected, atol=1e-13)
