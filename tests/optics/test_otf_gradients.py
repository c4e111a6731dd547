"""Derivatives of transfer functions against central differences."""

import numpy as np
import pytest

from scintscope.jax64 import jax, jnp
from scintscope.optics.otf import otf
from scintscope.optics.pupil import VECTORIAL
from scintscope.optics.wavefront import OpticalPath

FREQUENCY = np.array([0.1, 0.35, 0.6, 1.0])
WEIGHT = np.array([0.7, -1.0, 0.5, 1.3])  # arbitrary, so that no term cancels by symmetry
NAMES = ("na", "depth_um", "travel_um", "wavelength_um", "index")
COUNTS = (64, 32)


def merit(values):
    na, depth, travel, wavelength, index = values
    path = OpticalPath(na=na, index=index, wavelength_um=wavelength, corrected_for_um=4.0)
    transfer = otf(jnp.asarray(FREQUENCY), jnp.stack([depth]), travel, path, counts=COUNTS)
    return jnp.sum(transfer[0] * WEIGHT)


@pytest.fixture(scope="module")
def compiled():
    return jax.jit(merit), jax.jit(jax.grad(merit))


def test_gradient_equals_central_differences(compiled):
    """d/d(NA, depth, travel, wavelength, index) of a weighted OTF is what differences give."""
    value, gradient = compiled
    point = np.array([0.4, 13.0, 2.0, 0.55, 1.83])
    found = np.asarray(gradient(point))
    step = 1e-5 * point
    expected = [
        (float(value(point + s * e)) - float(value(point - s * e))) / (2.0 * s)
        for s, e in zip(step, np.eye(5), strict=True)
    ]
    # second-order differences with a relative step of 1e-5: 1e-10 x third derivative, and
    # rounding 1e-15 / 1e-5
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert (np.abs(found) > 1e-4).all()


def test_gradient_is_finite_and_zero_by_symmetry_in_focus(compiled):
    """In focus, where H is greatest, the derivatives in depth and travel are 0, none is NaN."""
    _, gradient = compiled
    found = np.asarray(gradient(np.array([0.4, 4.0, 0.0, 0.55, 1.83])))
    assert np.isfinite(found).all()
    # rounding of a sum of 2048 terms
    np.testing.assert_allclose(found[1:3], 0.0, atol=1e-12)


def test_vectorial_gradient_equals_central_differences():
    """With dipoles' polarisation at NA 0.9 the same five derivatives hold, in focus too."""

    def dipoles(values):
        na, depth, travel, wavelength, index = values
        path = OpticalPath(na=na, index=index, wavelength_um=wavelength, corrected_for_um=4.0)
        transfer = otf(
            jnp.asarray(2.0 * FREQUENCY), depth[None], travel, path, counts=COUNTS, pupil=VECTORIAL
        )
        return jnp.sum(transfer[0] * WEIGHT)

    value, gradient = dipoles, jax.grad(dipoles)
    for point in (np.array([0.9, 6.0, 0.7, 0.55, 1.83]), np.array([0.9, 4.0, 0.0, 0.55, 1.83])):
        found = np.asarray(gradient(point))
        step = 1e-5 * np.maximum(point, 0.5)
        expected = [
            (float(value(point + s * e)) - float(value(point - s * e))) / (2.0 * s)
            for s, e in zip(step, np.eye(5), strict=True)
        ]
        # second-order differences of phases k s < 1e-4, rounding 1e-15 / 1e-5
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
