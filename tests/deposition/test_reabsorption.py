"""Isotropic photons between the faces of a plate: closed forms, conservation, analog photons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expn

from scintscope.deposition.cascade import all_orders
from scintscope.deposition.frequencies import interpolation, tabulated_frequencies
from scintscope.deposition.panels import exponential_moments, graded_panels
from scintscope.deposition.reabsorption import escape_probability, isotropic_collisions
from scintscope.errors import RangeError


@pytest.mark.parametrize(("thickness", "mu"), [(200.0, 0.0057), (20.0, 0.0057), (50.0, 0.4)])
def test_uniform_emission_collides_as_exponential_integrals_say(thickness, mu):
    """Photons emitted uniformly collide at z with density 1 - (E2(mu z) + E2(mu (t - z))) / 2."""
    panels = graded_panels(thickness, 0.5 / mu)
    matrix = isotropic_collisions(panels, mu, np.zeros(1))[0]
    expected = 1.0 - escape_probability(panels, mu)
    # 2e-6: the node nearest to the face, within the range of the finest cosine
    np.testing.assert_allclose(matrix.sum(1), expected, atol=2e-6)


@given(
    st.floats(0.05, 3000.0),
    st.floats(1e-4, 1.0),
    st.floats(1e-3, 1.0),
)
@settings(max_examples=30, deadline=None)
def test_every_photon_collides_or_escapes(thickness, mu, source_mu):
    """Collisions by the matrix and escapes by E2 functions add up to the photons sent out."""
    panels = graded_panels(thickness, 0.5 / max(mu, source_mu))
    sent = source_mu * np.exp(-source_mu * panels.z_um)
    collided = panels.weight_um @ isotropic_collisions(panels, mu, np.zeros(1))[0] @ sent
    escaped = panels.weight_um @ (escape_probability(panels, mu) * sent)
    # 3e-6: seventh-order interpolation of the steepest sources (4 e-folds in a panel)
    assert collided + escaped == pytest.approx(panels.weight_um @ sent, abs=3e-6)


@pytest.mark.parametrize("frequency", [0.003, 0.03, 0.3])
def test_transverse_transform_is_the_integral_over_angles(frequency):
    """At a node the matrix equals adaptive quadrature of the kernel over cosine and depth."""
    mu, decay, thickness = 0.0057, 0.02, 100.0
    panels = graded_panels(thickness, 0.5 / decay)
    matrix = isotropic_collisions(panels, mu, np.array([frequency]))[0]
    node = panels.z_um.size // 3
    z, k = panels.z_um[node], 2.0 * np.pi * frequency

    def of_cosine(log_slope):
        kappa = np.hypot(mu * np.exp(log_slope), k)
        behind = (np.exp(-decay * z) - np.exp(-kappa * z)) / (kappa - decay)
        ahead = (1.0 - np.exp(-(kappa + decay) * (thickness - z))) / (kappa + decay)
        both = behind + ahead * np.exp(-decay * z)
        return 0.5 * mu * both * mu * np.exp(log_slope) / kappa

    expected = quad(of_cosine, 0.0, 30.0, epsrel=1e-10, limit=400)[0]
    found = (matrix @ np.exp(-decay * panels.z_um))[node]
    # 1e-5: Gauss-Legendre panels over the cosine
    assert found == pytest.approx(expected, rel=1e-5)


def test_analog_photons_agree(rng_seed=3):
    """Photons drawn one by one collide as often, and with the transform, that the matrix says."""
    mu, decay, thickness, frequency, count = 0.02, 0.03, 60.0, 0.004, 400_000
    panels = graded_panels(thickness, 0.5 / decay)
    rng = np.random.default_rng(rng_seed)
    start = -np.log1p(-rng.random(count) * -np.expm1(-decay * thickness)) / decay
    cosine, length = rng.uniform(-1.0, 1.0, count), rng.exponential(1.0 / mu, count)
    end = start + cosine * length
    column = length * np.sqrt(1.0 - cosine**2) * np.cos(2.0 * np.pi * rng.random(count))
    inside = (end > 0.0) & (end < thickness)
    drawn = np.where(inside, np.cos(2.0 * np.pi * frequency * column), 0.0)
    matrices = isotropic_collisions(panels, mu, np.array([0.0, frequency]))
    sent = decay * np.exp(-decay * panels.z_um) / -np.expm1(-decay * thickness)
    collided, transformed = (panels.weight_um @ m @ sent for m in matrices)
    # 5 standard errors of the drawn means
    assert abs(inside.mean() - collided) < 5.0 * inside.std() / np.sqrt(count)
    assert abs(drawn.mean() - transformed) < 5.0 * drawn.std() / np.sqrt(count)


def test_all_orders_solve_the_equation_of_repeated_scattering():
    """(1 - s A) times the sum of all orders is 1."""
    panels = graded_panels(100.0, 5.0)
    matrix = isotropic_collisions(panels, 0.02, np.array([0.0, 0.01]))
    orders = all_orders(matrix, 0.6)
    # 1e-10: the product ends where s^(2^k) < 1e-12
    product = orders - 0.6 * matrix @ orders
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(panels.z_um.size), product.shape),
                               atol=1e-10)  # fmt: skip


def test_exponential_moments_from_tiny_to_huge():
    """M_n(a) is 1 / (n + 1) for a -> 0 and n! / a^(n + 1) for a -> infinity, and smooth between."""
    tiny, middle, huge = exponential_moments(np.array([1e-9, 2.999999, 1e5]))
    above = exponential_moments(np.array([3.000001]))[0]
    n = np.arange(tiny.size)
    factorial = np.cumprod(np.concatenate([[1.0], n[1:]]))
    np.testing.assert_allclose(tiny, 1.0 / (n + 1), rtol=1e-8)  # first order in a
    np.testing.assert_allclose(huge, factorial / 1e5 ** (n + 1.0), rtol=1e-10)  # float rounding
    np.testing.assert_allclose(middle, above, rtol=3e-6)  # the distance of the two arguments


def test_panels_integrate_and_interpolate_an_exponential():
    """Weights sum to the thickness; exp(-mu z) is integrated and interpolated on graded panels."""
    panels = graded_panels(300.0, 1.0)
    assert panels.weight_um.sum() == pytest.approx(300.0, rel=1e-13)  # float rounding
    values = np.exp(-0.5 * panels.z_um)
    # 1e-6, 1e-4: seventh-order polynomials over panels of up to two thirds of their depth
    assert panels.weight_um @ values == pytest.approx(2.0, rel=1e-6)
    z = np.linspace(0.0, 300.0, 71)
    np.testing.assert_allclose(panels.interpolation(z) @ values, np.exp(-0.5 * z), atol=1e-4)


def test_frequency_interpolation_holds_the_nodes_and_a_halo():
    """Between nodes a halo's 1 / sqrt(1 + (2 pi f L)^2) is met closely, at the nodes exactly."""
    nodes = tabulated_frequencies()
    np.testing.assert_allclose(interpolation(nodes), np.eye(nodes.size), atol=1e-12)  # rounding
    f = np.concatenate([[0.0], np.geomspace(1e-5, 19.0, 300)])

    def halo(frequency):
        return 1.0 / np.sqrt(1.0 + (2.0 * np.pi * frequency * 100.0) ** 2)

    # 2e-4: fourth order in the node distance 0.2
    np.testing.assert_allclose(halo(nodes) @ interpolation(f), halo(f), atol=2e-4)


def test_frequencies_beyond_the_table_are_refused():
    """A frequency above 20 cycles per um, or a negative one, is named with the range."""
    with pytest.raises(RangeError, match="frequency_cy_per_um"):
        interpolation(np.array([0.0, 25.0]))
    with pytest.raises(RangeError, match="frequency_cy_per_um"):
        interpolation(np.array([-0.1, 1.0]))


def test_escape_from_a_face_is_half_of_a_thick_plate():
    """From the face of an opaque plate half of the photons leave."""
    panels = graded_panels(1e4, 1e-3)
    assert escape_probability(panels, 1.0)[0] == pytest.approx(
        0.5 * expn(2, panels.z_um[0]),
        rel=1e-12,  # the other face's E2(1e4) is 0
    )
