"""The radial PSF engine: closed forms, limits, bounds, convergence and derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import j0, j1

from scintscope.errors import InputError, SamplingError
from scintscope.jax64 import jax, jnp
from scintscope.optics.aberrations import Aberrations
from scintscope.optics.otf import diffraction_limited_mtf, otf
from scintscope.optics.psf_radial import radial_otf_from_psf, radial_psf
from scintscope.optics.pupil import SCALAR, VECTORIAL, Pupil, fresnel_transmission
from scintscope.optics.radial_nodes import NODE_STEPS, error_bounds, radial_nodes
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from scintscope.quadrature import interval_nodes

WAVELENGTH_UM = 0.55
MODELS = [SCALAR, VECTORIAL]


def path_of(na=0.4, **changes):
    return OpticalPath(**({"na": na, "index": 1.82, "wavelength_um": WAVELENGTH_UM} | changes))


@pytest.mark.parametrize("na", [0.05, 0.4, 0.9])
def test_in_focus_is_the_airy_pattern(na):
    """(k NA)^2 / (4 pi) (2 J1(v) / v)^2, v = k NA r, first zero 0.60984 lambda / NA."""
    v = np.linspace(1e-3, 60.0, 200)
    k = 2.0 * np.pi * na / WAVELENGTH_UM
    found = radial_psf(np.append(v / k, 0.60984 * WAVELENGTH_UM / na), [7.0], 0.0,
                       path_of(na, corrected_for_um=7.0))[0]  # fmt: skip
    peak = k**2 / (4.0 * np.pi)
    # quadrature converged to rounding
    np.testing.assert_allclose(found[:-1], peak * (2.0 * j1(v) / v) ** 2, rtol=0, atol=1e-13 * peak)
    # five printed digits of the zero, second order in the amplitude
    assert found[-1] < 1e-9 * peak


def test_central_obstruction_has_the_annular_closed_form():
    """U = [2 J1(v)/v - e^2 2 J1(e v)/(e v)] / (1 - e^2) (Born and Wolf 1999, Eq. 8.6.2 (4))."""
    e = 0.45
    v = np.linspace(1e-3, 40.0, 100)
    k = 2.0 * np.pi * 0.4 / WAVELENGTH_UM
    found = radial_psf(v / k, [0.0], 0.0, path_of(), pupil=Pupil(
        aberrations=Aberrations(obstruction=e)))[0]  # fmt: skip
    shape = (2.0 * j1(v) / v - e**2 * 2.0 * j1(e * v) / (e * v)) / (1.0 - e**2)
    expected = k**2 / (4.0 * np.pi) * (1.0 - e**2) * shape**2
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * expected.max())  # rounding


@pytest.mark.parametrize("depth", [12.0, 31.0])
def test_equals_adaptive_quadrature_of_the_defocused_integral(depth):
    """At NA 0.9 with glass of the wrong thickness, scipy's adaptive integral gives the same."""
    path = path_of(0.9, corrected_for_um=20.0, excess_um=(15.0,), excess_index=(1.52,))
    travel, k = 6.0, 2.0 * np.pi / WAVELENGTH_UM

    def wave(rho, r, part):
        p2 = 0.81 * rho**2
        w = (depth - 20.0) * np.sqrt(1.82**2 - p2) + 15.0 * np.sqrt(1.52**2 - p2)
        phase = k * (w - travel * np.sqrt(1.0 - p2))
        return part(phase) * j0(k * 0.9 * rho * r) * rho

    radii = [0.0, 0.3, 2.5]
    parts = [[quad(wave, 0, 1, (r, f), limit=800, epsabs=1e-13)[0] for f in (np.cos, np.sin)]
             for r in radii]  # fmt: skip
    expected = (k * 0.9) ** 2 / np.pi * np.sum(np.square(parts), axis=1)
    found = radial_psf(np.array(radii), [depth], travel, path)[0]
    # quad's 1e-13 of an amplitude of about 1e-2 in units where the focus is 0.5
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * expected.max())


@pytest.mark.parametrize("pupil", MODELS, ids=["scalar", "vectorial"])
@pytest.mark.parametrize("na", [0.4, 0.9])
def test_error_bound_holds_and_error_falls_geometrically(na, pupil):
    """The bound exceeds the true error at every node count; past its onset each node gains."""
    path = path_of(na)
    travel = float(travel_for_focus_um(10.0, path))
    depth, r = np.array([0.0, 10.0, 30.0]), np.linspace(0.0, 15.0, 40)
    truth = radial_psf(r, depth, travel, path, pupil=pupil, nodes=512)
    focus = (2.0 * np.pi * na / WAVELENGTH_UM) ** 2 / np.pi
    counts = NODE_STEPS[NODE_STEPS <= 128]
    bounds = error_bounds(counts, 15.0, depth, np.full(3, travel), path, pupil)
    errors = []
    for count, bound in zip(counts, bounds, strict=True):
        found = radial_psf(r, depth, travel, path, pupil=pupil, nodes=int(count))
        error = np.abs(found - truth).max() / focus
        errors.append(error)
        # dI <= 2 |U| dU + dU^2, both amplitudes at most that of the focus; rounding
        assert error <= 2.0 * bound + bound**2 + 1e-13
    steep = np.array(errors)
    onset = int(np.flatnonzero(bounds < 1.0)[0])
    # past the onset errors fall as fast as their bounds, g^-2N: 8 nodes gain more than 30
    assert bounds[onset + 1] < bounds[onset] / 30.0
    assert steep[onset + 1] < max(steep[onset] / 30.0, 1e-13)
    nodes, bound = radial_nodes(15.0, depth, travel, path, pupil)
    assert bound <= 1e-9
    assert steep[counts == nodes][0] < 1e-12


@settings(deadline=None, max_examples=15)
@given(na=st.floats(0.1, 0.9), depth=st.floats(-15.0, 15.0), vector=st.booleans())
def test_unit_integral_without_numerical_normalisation(na, depth, vector):
    """The energy inside R tends to 1 as 1 - c / R and never exceeds it."""
    pupil = VECTORIAL if vector else SCALAR
    r, weight = interval_nodes(0.0, 60.0 / na, 900)
    psf = radial_psf(r, [depth], 0.0, path_of(na), pupil=pupil)[0]
    inside = np.cumsum(2.0 * np.pi * psf * r * weight)
    assert (psf >= 0.0).all()
    assert inside[-1] < 1.0 + 1e-12
    # diffraction's tail: 2 / (pi v) in focus (Born and Wolf, Eq. 8.5.2 (18)), v = k 60; rays of a
    # defocused one end inside 15 tan(64 deg) = 31 um, the edge wave then doubles it at most
    v = 2.0 * np.pi / WAVELENGTH_UM * 60.0
    assert 1.0 - inside[-1] < 6.0 / (np.pi * v) / min(na, 0.5)


def test_its_hankel_transform_is_the_transfer_function():
    """The transform of the radial PSF equals the pupil's autocorrelation within the window."""
    path, f = path_of(), np.linspace(0.05, 1.4, 12)
    parts = [interval_nodes(20.0 * i, 20.0 * (i + 1), 160) for i in range(15)]
    r, weight = (np.concatenate(values) for values in zip(*parts, strict=True))
    depth = np.array([0.0, 4.0])
    psf = radial_psf(r, depth, 0.0, path)
    found = radial_otf_from_psf(f, r, psf, weight)
    # cut at R = 300 um the tail r^-3 against an oscillating J_0 leaves R^-5/2, measured 3e-6
    np.testing.assert_allclose(found, np.asarray(otf(f, depth, 0.0, path)), rtol=0, atol=1e-5)
    airy = np.asarray(diffraction_limited_mtf(f / path.cutoff_cy_per_um))
    np.testing.assert_allclose(found[0], airy, rtol=0, atol=1e-5)
    with pytest.raises(InputError, match="tabulated on r_um"):
        radial_otf_from_psf(f, r[1:], psf, weight[1:])


def test_vectorial_tends_to_scalar_at_small_aperture():
    """The difference falls as NA^2: second order in the angles."""
    differences = []
    for na in (0.02, 0.04, 0.08):
        path = path_of(na)
        r = np.linspace(0.0, 2.0, 60) / na
        depth = [0.3 * WAVELENGTH_UM * 1.82 / na**2]
        scalar, vectorial = (radial_psf(r, depth, 0.0, path, pupil=p)[0] for p in MODELS)
        differences.append(np.abs(vectorial - scalar).max() / scalar.max())
    slopes = np.diff(np.log(differences)) / np.log(2.0)
    # second order; the next is 0.08^2
    np.testing.assert_allclose(slopes, 2.0, atol=0.05)
    assert differences[0] < 2e-4


def test_vectorial_power_is_the_fresnel_cone():
    """The pupil's energy is the power through the face: int T(theta) dOmega over the cone."""
    from scintscope.optics.pupil import components

    n, na = 1.82, 0.9
    t, w = interval_nodes(0.0, 1.0, 60)
    p2 = na**2 * t
    parts = components(p2, path_of(na), VECTORIAL)
    pupil = sum(share * w @ (0.5 * a**2) for _, share, a in parts) * na**2 / n**2

    # the three dipoles add to an isotropic radiator of both polarisations
    def share(theta):
        p = n * np.sin(theta)
        c1, c2 = np.cos(theta), np.sqrt(1.0 - p**2)
        r_s, r_p = (n * c1 - c2) / (n * c1 + c2), (n * c2 - c1) / (n * c2 + c1)
        return (2.0 - r_s**2 - r_p**2) * np.sin(theta)

    cone = quad(share, 0.0, np.arcsin(na / n), epsabs=1e-13)[0]
    # |E|^2 in air against power in the plate: T = n2 c2 / (n1 c1) t^2; common factor 1 / n
    assert pupil == pytest.approx(cone * n, rel=1e-10)


def test_fresnel_at_normal_incidence_and_no_face():
    """At p = 0 t = 2 n1 / (n1 + n2) for both; equal media transmit all."""
    t_s, t_p = fresnel_transmission(np.zeros(1), 1.82, 1.0)
    assert t_s[0] == pytest.approx(2 * 1.82 / 2.82)
    assert t_p[0] == pytest.approx(2 * 1.82 / 2.82)
    for t in fresnel_transmission(np.array([0.3]), 1.5, 1.5):
        assert t[0] == pytest.approx(1.0)


NAMES = ("na", "travel_um", "depth_um", "glass_um", "index", "wavelength_um", "corrected_for_um")
POINTS = {
    "5x": (0.4, 3.0, 17.0, 12.0, 1.83, 0.55, 4.0),
    "10x": (0.9, -1.5, 8.0, 5.0, 1.82, 0.53, 6.0),
    "flat": (0.4, 0.0, 4.0, 0.0, 1.83, 0.55, 4.0),
    "no plate": (0.9, 0.0, 0.0, 0.0, 1.83, 0.55, 0.0),
}
RADII = jnp.asarray([0.0, 0.2, 0.9, 3.0])
SHARES = jnp.asarray([0.4, 1.0, -0.7, 1.3])  # arbitrary, so that nothing cancels


@pytest.fixture(scope="module", params=["scalar", "vectorial"])
def compiled(request):
    def merit(values):
        na, travel, depth, glass, index, wavelength, design = values
        path = OpticalPath(
            na=na,
            index=index,
            wavelength_um=wavelength,
            corrected_for_um=design,
            excess_um=(glass,),
            excess_index=(1.52,),
        )
        pupil = Pupil(model=request.param)
        psf = radial_psf(RADII, depth[None], travel, path, pupil=pupil, nodes=48)
        return jnp.sum(psf[0] * SHARES)

    return jax.jit(merit), jax.jit(jax.grad(merit))


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_gradients_equal_central_differences(compiled, point):
    """All seven derivatives are finite and those of differences, at zero defocus and glass too."""
    value, gradient = compiled
    point = np.array(point)
    found = np.asarray(gradient(point))
    assert np.isfinite(found).all()
    step = 3e-5 * np.maximum(np.abs(point), 0.3)
    expected = [
        (8.0 * (float(value(point + s * e)) - float(value(point - s * e)))
         - (float(value(point + 2 * s * e)) - float(value(point - 2 * s * e)))) / (12.0 * s)
        for s, e in zip(step, np.eye(7), strict=True)
    ]  # fmt: skip
    # fourth-order differences: (k s)^4 of phases k s < 2e-3; rounding 1e-15 / 1e-5
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_numpy_and_jax_agree():
    """The same numbers with either library."""
    path, depth = path_of(0.7), np.array([0.0, 9.0])
    plain = radial_psf(np.asarray(RADII), depth, 1.0, path, pupil=VECTORIAL, nodes=64)
    traced = radial_psf(RADII, jnp.asarray(depth), 1.0, path, pupil=VECTORIAL, nodes=64)
    # Bessel functions to 2e-14 of amplitude
    np.testing.assert_allclose(np.asarray(traced), plain, rtol=0, atol=1e-12 * plain.max())


def test_refusals():
    """Too many nodes, too large an aperture, lost symmetry and traced values without nodes."""
    with pytest.raises(SamplingError, match="pupil nodes leave an error"):
        radial_psf(np.array([0.0, 5e4]), [0.0], 0.0, path_of(0.9))
    with pytest.raises(InputError, match=r"na = 1\.2 .*denser immersion"):
        radial_psf(np.zeros(1), [0.0], 0.0, path_of(1.2))
    with pytest.raises(InputError, match="not axially symmetric"):
        tilted = Pupil(aberrations=Aberrations(zernike_noll=(0.0, 0.1)))
        radial_psf(np.zeros(1), [0.0], 0.0, path_of(), pupil=tilted)
    with pytest.raises(InputError, match="give nodes"):
        jax.grad(lambda na: radial_psf(np.zeros(1), [0.0], 0.0, path_of(na))[0, 0])(0.4)
    with pytest.raises(InputError, match="aplanatic factor by itself"):
        Pupil(model="vectorial", aberrations=Aberrations(apodisation="aplanatic"))


def test_immersion_carries_larger_apertures():
    """An oil lens of NA 1.3 in focus is the Airy pattern of NA 1.3."""
    path = path_of(1.3, immersion_index=1.515)
    k = 2.0 * np.pi * 1.3 / WAVELENGTH_UM
    found = radial_psf(np.array([0.0]), [0.0], 0.0, path)[0, 0]
    assert found == pytest.approx(k**2 / (4.0 * np.pi), rel=1e-12)


def test_each_emitter_may_have_a_stage_travel_of_its_own():
    """A travel per depth gives the same images as one call each, few or many of them."""
    path, r = path_of(0.6), np.linspace(0.0, 5.0, 30)
    depth = np.linspace(0.0, 30.0, 24)
    travel = 0.5 * depth + 3.0 * np.sin(depth)
    together = radial_psf(r, depth, travel, path)
    for i in (0, 7, 23):
        alone = radial_psf(r, depth[i : i + 1], travel[i], path)[0]
        # nodes differ, both converged
        np.testing.assert_allclose(together[i], alone, rtol=0, atol=1e-10 * alone.max())
