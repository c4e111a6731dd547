"""Wavefronts against rays traced one by one; immersion, camera travel, dispersion, gradients."""

import numpy as np
import pytest
from scipy.optimize import brentq

from scintscope.jax64 import jax, jnp
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import (
    OpticalPath,
    focus_for_travel_um,
    rms_waves,
    slab_path,
    travel_for_focus_um,
    wavefront_um,
)


def ray_path_um(layers, sine, reference_um):
    """Trace one ray by Snell's law through (thickness, index) layers; air follows.

    Return its optical path from the emitter to the plane wave front through the reference point,
    which lies on the axis ``reference_um`` from the emitter, normal to the ray in air.
    """
    height, z, path = 0.0, 0.0, 0.0
    for thickness, index in layers:
        angle = np.arcsin(sine / index)
        height += thickness * np.tan(angle)
        path += index * thickness / np.cos(angle)
        z += thickness
    angle = np.arcsin(sine)
    # on in air to the plane through (0, reference) normal to the ray
    along = (reference_um - z) * np.cos(angle) - height * np.sin(angle)
    return path + along


def ray_aberration_um(layers, design, travel, sines):
    """Return the path difference of a stack against the one designed for, piston removed.

    The lens images the designed stack's emitter perfectly, so it undoes that stack's path to any
    fixed plane in air. The reference point is where the last face of the designed stack lies; the
    other stack's last face stands ``travel`` beyond it, towards the lens.
    """
    total = sum(t for t, _ in layers)
    designed = sum(t for t, _ in design)
    actual = np.array([ray_path_um(layers, s, total - travel) for s in sines])
    wanted = np.array([ray_path_um(design, s, designed) for s in sines])
    w = actual - wanted
    return w - w[0]


STACKS = {
    "5x, deep": (0.4, [(120.0, 1.82)], [(50.0, 1.82)], 38.0, {"corrected_for_um": 50.0}),
    "5x, glass": (
        0.4,
        [(20.0, 1.82), (1400.0, 1.813)],
        [(50.0, 1.82), (2000.0, 1.813)],
        -340.0,
        {"corrected_for_um": 50.0, "excess_um": (-600.0,), "excess_index": (1.813,)},
    ),
    "10x, deep": (0.9, [(90.0, 1.82)], [(50.0, 1.82)], 22.0, {"corrected_for_um": 50.0}),
    "10x, three layers": (
        0.9,
        [(10.0, 1.82), (170.0, 1.52), (30.0, 1.77)],
        [(5.0, 1.82), (150.0, 1.52)],
        30.0,
        {"corrected_for_um": 5.0, "excess_um": (20.0, 30.0), "excess_index": (1.52, 1.77)},
    ),
}


@pytest.mark.parametrize("case", STACKS.values(), ids=STACKS.keys())
def test_equals_rays_traced_through_the_layers(case):
    """W is the path difference of Snell's rays to the wave front, to 1e-6 waves and better."""
    na, layers, design, travel, fields = case
    path = OpticalPath(na=na, index=1.82, wavelength_um=0.55, **fields)
    sines = np.linspace(0.0, na, 41)
    expected = ray_aberration_um(layers, design, travel, sines) / 0.55
    found = np.asarray(wavefront_um(sines**2, layers[0][0], travel, path)) / 0.55
    assert np.abs(expected).max() > 0.1
    # rounding of paths of 4e3 waves
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_rays_focus_where_the_stage_is_said_to_focus():
    """Near the axis, the ray from the depth in focus crosses the axis where the design's does."""
    path = OpticalPath(na=1e-3, index=1.82, wavelength_um=0.55, corrected_for_um=10.0)
    travel = 8.0
    focus = float(focus_for_travel_um(travel, path))

    def apparent(depth):  # distance of the virtual image behind the exit face
        return depth * np.tan(np.arcsin(1e-3 / 1.82)) / np.tan(np.arcsin(1e-3))

    depth = brentq(lambda s: apparent(s) - apparent(10.0) - travel, 0.0, 100.0)
    # paraxial: NA^2
    assert focus == pytest.approx(depth, abs=1e-4)


def test_immersion_that_matches_the_plate_leaves_only_refocus():
    """With n_i = n stage travel and depth are the same thing at any aperture."""
    path = OpticalPath(na=1.4, index=1.6, wavelength_um=0.55, immersion_index=1.6)
    p2 = 1.96 * np.linspace(0.0, 1.0, 9)
    np.testing.assert_allclose(np.asarray(wavefront_um(p2, 7.0, 7.0, path)), 0.0, atol=1e-14)
    assert float(travel_for_focus_um(30.0, path)) == pytest.approx(30.0)
    # the transfer function of an oil lens in focus is finite and reaches the oil's cut-off
    transfer = np.asarray(otf(np.array([0.0, 5.0]), np.array([30.0]), 30.0, path))[0]
    assert transfer[0] == pytest.approx(1.0, abs=1e-12)
    assert 0.0 < transfer[1] < 0.1


def test_camera_travel_is_traced_at_the_image():
    """Moving the camera away adds the path b (cos theta' - 1), sin theta' = p / M."""
    b, m, na = 5000.0, 10.0, 0.9
    path = OpticalPath(na=na, index=1.82, wavelength_um=0.55, camera_travel_um=b, magnification=m)
    p = np.linspace(0.0, na, 21)
    found = np.asarray(wavefront_um(p**2, 0.0, 0.0, path))
    expected = b * (np.cos(np.arcsin(p / m)) - 1.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
    # it acts as a stage moved away from the lens by b / M^2, paraxially
    small = np.asarray(wavefront_um(1e-6, 0.0, -b / m**2, OpticalPath(
        na=na, index=1.82, wavelength_um=0.55)))  # fmt: skip
    assert float(wavefront_um(1e-6, 0.0, 0.0, path)) == pytest.approx(float(small), rel=1e-5)


@pytest.mark.parametrize(("na", "left"), [(0.4, 0.01114), (0.9, 0.09870)])
def test_camera_travel_cannot_undo_stage_travel(na, left):
    """Refocused by the camera, 1.1 % (NA 0.4) or 10 % (NA 0.9) of a stage defocus remain."""
    t, w = np.polynomial.legendre.leggauss(60)
    p2 = na**2 * 0.5 * (1.0 + t)
    air, camera = slab_path(p2, 1.0), slab_path(p2 / 100.0, 1.0)
    air, camera = (v - 0.5 * w @ v for v in (air, camera))
    rest = air - camera * (w @ (air * camera)) / (w @ camera**2)
    # four digits quoted
    assert np.sqrt((w @ rest**2) / (w @ air**2)) == pytest.approx(left, abs=2e-5)


def test_dispersion_acts_on_the_corrected_depth():
    """At another index W = s q(n) - s_c q(n_c): none at s = s_c only if the index is the same."""
    path = OpticalPath(na=0.9, index=1.83, wavelength_um=0.5, corrected_for_um=50.0,
                       corrected_index=1.82)  # fmt: skip
    p2 = 0.81 * np.linspace(0.0, 1.0, 7)
    expected = 60.0 * np.sqrt(1.83**2 - p2) - 50.0 * np.sqrt(1.82**2 - p2)
    found = np.asarray(wavefront_um(p2, 60.0, 0.0, path))
    np.testing.assert_allclose(found, expected - expected[0], rtol=0, atol=1e-13)
    same = OpticalPath(na=0.9, index=1.82, wavelength_um=0.5, corrected_for_um=50.0,
                       corrected_index=1.82)  # fmt: skip
    np.testing.assert_array_equal(np.asarray(wavefront_um(p2, 50.0, 0.0, same)), 0.0)


def test_radial_terms_add_powers_of_the_radius():
    """c_1 rho^2 + c_2 rho^4 are added as given."""
    path = OpticalPath(na=0.5, index=1.8, wavelength_um=0.5, radial_um=(0.2, -0.7))
    rho2 = np.linspace(0.0, 1.0, 5)
    found = np.asarray(wavefront_um(0.25 * rho2, 0.0, 0.0, path))
    np.testing.assert_allclose(found, 0.2 * rho2 - 0.7 * rho2**2, atol=1e-15)


def test_rms_has_a_finite_gradient_where_the_wavefront_is_flat():
    """At zero aberration the derivative is 0, not NaN; elsewhere that of differences."""

    def rms(values):
        na, depth, travel = values
        path = OpticalPath(na=na, index=1.82, wavelength_um=0.55, corrected_for_um=20.0)
        return rms_waves(depth, travel, path)

    flat = np.asarray(jax.grad(rms)(jnp.asarray([0.4, 20.0, 0.0])))
    np.testing.assert_array_equal(flat, 0.0)
    point, step = np.array([0.4, 33.0, 5.0]), 1e-5
    found = np.asarray(jax.grad(rms)(jnp.asarray(point)))
    expected = [
        (float(rms(point + step * e)) - float(rms(point - step * e))) / (2.0 * step)
        for e in np.eye(3)
    ]
    # second-order differences: 1e-10 and rounding 1e-16 / 1e-5
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
