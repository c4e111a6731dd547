"""Signal and noise theory on plain arrays against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from scintscope.errors import DataError, RangeError
from scintscope.noise.theory import (
    Moments,
    defocused_slab_moments,
    local_moments,
    lubberts_ratio,
    noise_curves,
    swank_factor,
)
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath
from scintscope.quadrature import interval_nodes
from tables import read_table

ORACLES = read_table("noise/noise_oracles.csv")
SLABS = read_table("noise/thick_slab.csv")
DIGITS = 1e-6  # the issue's; the table prints eight decimals


def oracle(name):
    return next(row["value"] for row in ORACLES if row["name"] == name)


def slab(transfer, *, mu_per_um=1e-9, length_um=100.0, gain=1.0, variance=None, detection=1.0):
    """Return moments at f = 0 and one frequency of exponential absorption, one X-ray absorbed."""
    z, weight = interval_nodes(0.0, length_um, 80)
    density = np.exp(-mu_per_um * z)
    density /= weight @ density
    table = np.stack([np.ones(z.size), transfer(z)], axis=1)
    b = detection(z) if callable(detection) else detection
    return local_moments(
        1.0, 1.0, density, weight, table, gain, gain if variance is None else variance, b
    )


def plenty(moments):
    """Return eta A R without light noise: (S^2 / Q) at both frequencies."""
    return moments.signal_per_um2**2 / moments.events_per_um2


@pytest.mark.parametrize(
    "row", [r for r in ORACLES if r["name"] == "dqe_poisson_depth_independent"]
)
def test_light_sink_of_one_transfer_function(row):
    """Eta b g T^2 / (1 + b g T^2), from starved to plenty of light."""
    gain = float(row["parameters"].split("b*g=")[1].split()[0])
    curves = noise_curves(slab(lambda z: 0.5 + 0.0 * z, gain=gain))
    assert curves.dqe[1] == pytest.approx(row["value"], rel=DIGITS)


def test_swank_factors():
    """Poisson light, exponential and two-peak pulse heights, and light lost with depth."""
    light = noise_curves(slab(np.ones_like, gain=10.0)).dqe[0]
    assert light == pytest.approx(oracle("swank_poisson_monoenergetic"), rel=DIGITS)
    # an exponential pulse height has variance g^2, and Poisson light on top adds g
    wide = slab(np.ones_like, gain=10.0, variance=110.0)
    assert plenty(wide)[0] == pytest.approx(oracle("swank_exponential_pulse_height"), rel=DIGITS)
    e, ek, share = 20.0, 14.96, 0.4
    two = swank_factor(1.0, e - share * ek, (1.0 - share) * e**2 + share * (e - ek) ** 2)
    assert two == pytest.approx(oracle("swank_two_peak_escape"), rel=DIGITS)
    depth = slab(
        np.ones_like,
        mu_per_um=0.0145,
        length_um=200.0,
        gain=50.0,
        detection=lambda z: np.exp(-0.005 * z),
    )
    assert plenty(depth)[0] == pytest.approx(oracle("swank_depth_exponential"), rel=DIGITS)


def test_lubberts_ratios():
    """Gaussian blur growing from a face, and exponential blur in exponential absorption."""
    kappa, f, length = 0.2, 0.02, 100.0
    found = lubberts_ratio(
        slab(lambda z: np.exp(-2.0 * (np.pi * kappa * z * f) ** 2), length_um=length)
    )
    assert found[1] == pytest.approx(oracle("lubberts_gauss_uniform"), rel=DIGITS)
    a = np.sqrt(2.0) * np.pi * kappa * f * length
    closed = np.sqrt(2.0 * np.pi) * erf(a) ** 2 / (2.0 * a * erf(np.sqrt(2.0) * a))
    assert found[1] == pytest.approx(closed, rel=1e-7)  # mu L = 1e-7, not zero
    decay = 2.0 * np.pi * 0.02 * 0.225
    found = lubberts_ratio(slab(lambda z: np.exp(-decay * z), mu_per_um=0.0145, length_um=200.0))
    assert found[1] == pytest.approx(oracle("lubberts_exp_exp"), rel=DIGITS)
    mu, decay = 0.0145, 0.0283
    found = lubberts_ratio(slab(lambda z: np.exp(-decay * z), mu_per_um=mu, length_um=1800.0))
    # exp(-mu L) = 5e-12
    assert found[1] == pytest.approx(oracle("lubberts_exp_exp_thick_lowf"), rel=DIGITS)


def paraxial(row):
    """Return the optics of a slab row with its paraxial wavefront stood for by a small scale.

    W = z (n - sqrt(n^2 - p^2)) becomes z p^2 / (2 n) when NA and wavelength^(1/2) shrink together
    at the same defocus in units of the depth of field.
    """
    shrink = 0.05
    return OpticalPath(
        na=row["NA"] * shrink,
        index=1.82,
        wavelength_um=0.55 * shrink**2,
        corrected_for_um=0.0,
        excess_um=(),
        excess_index=(),
    ), row["f_lpmm"] / 1000.0 / shrink


@pytest.mark.parametrize("row", SLABS, ids=lambda r: f"{r['NA']}-{r['f_lpmm']:.0f}-{r['T_um']:.0f}")
def test_uniform_thick_slab(row):
    """Mean T, mean T^2 and their ratio over an even slab in focus at its centre."""
    path, f = paraxial(row)
    thickness = row["T_um"]
    z, weight = interval_nodes(-0.5 * thickness, 0.5 * thickness, 600)
    transfer = np.asarray(otf(np.array([0.0, f]), z, 0.0, path))
    even = np.full(z.size, 1.0 / thickness)
    moments = local_moments(1.0, 1.0, even, weight, transfer, 1.0, 1.0)
    # the table: 1600 midpoints in depth, 96 x 96 pupil points, four to six printed digits; beside
    # the pupil, depth sums of its oscillating transfer functions agree to 1 % at the thickest
    assert moments.signal_per_um2[1] == pytest.approx(row["M_paraxial_num"], rel=0.012)
    assert moments.events_per_um2[1] == pytest.approx(row["Q_paraxial_num"], rel=0.012)
    assert lubberts_ratio(moments)[1] == pytest.approx(row["R_num"], rel=0.025)


@pytest.mark.parametrize("row", SLABS, ids=lambda r: f"{r['NA']}-{r['f_lpmm']:.0f}-{r['T_um']:.0f}")
def test_closed_form_of_the_thick_slab(row):
    """C1 / t and C2 / t as printed; the numbers approach them as 1 / thickness."""
    f = np.array([row["f_lpmm"] / 1000.0])
    mean, square = defocused_slab_moments(f, row["NA"], 1.82, 0.55, row["T_um"])
    assert mean[0] == pytest.approx(row["C1_over_T"], abs=1e-6)  # printed digits
    assert square[0] == pytest.approx(row["C2_over_T"], abs=1e-6)
    assert mean[0] ** 2 / square[0] == pytest.approx(row["R_closed"], abs=6e-6)
    if row["T_um"] == 200.0:
        # stated for 200 um: 1.7 % at 100 lp/mm, 0.6 % and better above; 0.2 % for the square
        assert mean[0] == pytest.approx(row["M_paraxial_num"], rel=0.018)
        assert square[0] == pytest.approx(row["Q_paraxial_num"], rel=0.0022)


def test_infinite_gain_at_one_depth():
    """One depth, one energy, light without end: NPS is MTF^2 and DQE(0) the absorbed fraction."""
    transfer = np.linspace(1.0, 0.1, 12)[None, :]
    gain = 1e9
    moments = local_moments(3.0, 0.4, np.ones(1), np.ones(1), transfer, gain, gain)
    curves = noise_curves(moments, pixel_transfer=np.linspace(1.0, 0.6, 12))
    # the light's own noise is 1e-9 of the X-rays' at f = 0, 3e-7 where T P is 0.06
    np.testing.assert_allclose(curves.nps_per_um2 / curves.nps_per_um2[0], curves.mtf**2, rtol=1e-6)
    np.testing.assert_allclose(curves.dqe, 0.4, rtol=1e-6)
    np.testing.assert_allclose(curves.neq_per_um2, 1.2, rtol=1e-6)


def test_no_gain_is_light_limited():
    """Light -> 0: DQE = |S|^2 / (q0 M), whatever the events do."""
    z, weight = interval_nodes(0.0, 80.0, 30)
    f = np.linspace(0.0, 0.1, 9)
    transfer = np.exp(-((0.1 * z[:, None] * f) ** 2))
    gain = 1e-7
    moments = local_moments(1.0, 0.7, np.full(z.size, 1.0 / 80.0), weight, transfer, gain, gain)
    mean = weight @ transfer / 80.0
    np.testing.assert_allclose(noise_curves(moments).dqe, 0.7 * gain * mean**2, rtol=2e-7)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    gain=st.floats(1e-3, 1e4),
    additive=st.floats(0.0, 1e3),
)
def test_nothing_beats_the_absorbed_fraction(seed, gain, additive):
    """DQE <= eta and R <= 1 for any transfer functions; camera noise only costs."""
    random = np.random.default_rng(seed)
    transfer = random.uniform(-0.5, 1.0, (12, 6))
    transfer[:, 0] = 1.0
    weight = random.uniform(0.1, 1.0, 12)
    density = random.uniform(0.0, 1.0, 12) + 1e-3
    density /= weight @ density
    moments = local_moments(5.0, 0.8, density, weight, transfer, gain, gain)
    quiet, noisy = noise_curves(moments), noise_curves(moments, 1.0, additive)
    assert (quiet.dqe <= 0.8 * (1.0 + 1e-12)).all()  # rounding
    assert (noisy.dqe <= quiet.dqe * (1.0 + 1e-12)).all()
    assert (lubberts_ratio(moments) <= 1.0 + 1e-9).all()


def test_moments_refuse_what_makes_no_sense():
    """Shapes must match; there must be X-rays and light."""
    fine = {"signal_per_um2": np.ones(3), "events_per_um2": np.ones(3)}
    with pytest.raises(RangeError, match="incident_per_um2"):
        Moments(incident_per_um2=0.0, light_per_um2=1.0, **fine)
    with pytest.raises(RangeError, match="light_per_um2"):
        Moments(incident_per_um2=1.0, light_per_um2=0.0, **fine)
    with pytest.raises(DataError, match="same frequencies"):
        Moments(
            incident_per_um2=1.0,
            light_per_um2=1.0,
            signal_per_um2=np.ones(3),
            events_per_um2=np.ones(4),
        )
