"""Noise power and DQE against closed forms of depth-dependent systems."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from benches import LOCAL, MONO, TUBE, instrument, yag_plate
from scintscope.accuracy import Accuracy, Effects
from scintscope.geometry import Geometry
from scintscope.materials import scintillator
from scintscope.noise import mean_electrons_per_um2, quantum_noise, signal_noise
from scintscope.optics.lens import Lens
from scintscope.quadrature import interval_nodes
from scintscope.response import depth_response
from scintscope.scintillator.absorption import interaction
from scintscope.source import Filter, TubeSource
from synthetic_plates import LocalDeposition
from tables import read_table

YAG = scintillator("YAG:Ce")
FULL = Effects(fluorescence="local", electrons=False, scattered_photons=False)
MANY = 1e9  # electrons per X-ray: no light noise left to 1e-9
FORMS = read_table("noise/closed_forms.csv")
FREQUENCY = np.linspace(0.0, 0.1, 33)  # cycles/um; curves are read at their own nodes
POINT_PIXEL_UM = 1e-6  # a pixel whose sinc is 1 to 1e-13


def closed_form(name):
    return next(row["value"] for row in FORMS if row["name"] == name)


@pytest.fixture(scope="module")
def response():
    """One real plate, whose numbers the synthetic ones replace."""
    bench = instrument(accuracy=Accuracy(depth_nodes=4, effects=LOCAL))
    return depth_response(bench, yag_plate(20.0, focus_um=10.0))


def synthetic(response, transfer, *, mu_per_um=1e-9, length_um=100.0, events=(1.0, 1.0), gain=MANY):
    """Return a plate with transfer(f, z), mean and mean square energy per event, electrons/keV."""
    z, weight = interval_nodes(0.0, length_um, 60)
    left = LocalDeposition(
        attenuation_per_um=np.array([mu_per_um]),
        mean_kev=np.array([events[0]]),
        mean_kev2=np.array([events[1]]),
        thickness_um=length_um,
    )
    photons = response.spectrum.photons_per_um2_s[None]
    return replace(
        response,
        plate=yag_plate(length_um),
        deposition=left,
        energy_left=left.mean_transfer(photons, z, FREQUENCY)[0],
        depth_um=z,
        depth_weight_um=weight,
        frequency_cy_per_um=FREQUENCY,
        otf=transfer(FREQUENCY[None, :], z[:, None]) * np.ones((z.size, FREQUENCY.size)),
        electrons_per_kev=gain,
        pixel_um=POINT_PIXEL_UM,
    )


def efficiency(plate, frequency=FREQUENCY[:-1]):
    """Return DQE / absorbed fraction without camera noise."""
    eta = -np.expm1(-plate.deposition.attenuation_per_um[0] * plate.thickness_um)
    return signal_noise(plate, frequency, 0.0, 0.0).dqe / eta


@pytest.mark.parametrize("row", [r for r in FORMS if r["name"].startswith("dqe_poisson")])
def test_depth_independent_light_sink(response, row):
    """Eta b g T^2 / (1 + b g T^2) for one OTF and Poisson light, from starved to plenty."""
    gain = float(row["parameters"].split("b*g=")[1].split()[0])
    plate = synthetic(response, lambda f, z: np.where(f == 0.0, 1.0, 0.5), gain=gain)
    # eight printed digits; a spline read at its own nodes
    assert efficiency(plate)[4] == pytest.approx(row["value"], rel=2e-7)
    assert efficiency(plate)[0] == pytest.approx(gain / (1.0 + gain), rel=1e-9)


def test_swank_factor_of_poisson_light(response):
    """DQE(0) = eta m / (1 + m) with m electrons per X-ray."""
    plate = synthetic(response, lambda f, z: 1.0, gain=10.0)
    assert efficiency(plate)[0] == pytest.approx(
        closed_form("swank_poisson_monoenergetic"), rel=1e-7
    )


def test_swank_factor_of_k_escape(response):
    """Two pulse heights, E and E - E_K: DQE(0) = eta <e>^2 / <e^2>."""
    e, ek, share = 20.0, 14.96, 0.4
    events = (e - share * ek, (1.0 - share) * e**2 + share * (e - ek) ** 2)
    plate = synthetic(response, lambda f, z: 1.0, events=events)
    assert efficiency(plate)[0] == pytest.approx(closed_form("swank_two_peak_escape"), rel=1e-7)


@pytest.mark.parametrize(
    ("name", "mu", "decay"),
    [
        ("swank_depth_exponential", 0.0145, 0.005),
        ("lubberts_exp_exp", 0.0145, 2.0 * np.pi * 0.02 * 0.225),
    ],
)
def test_lubberts_ratio_of_exponentials(response, name, mu, decay):
    """P ~ exp(-mu z), T = exp(-a z), 200 um: R = I(a)^2 / I(2a)."""
    plate = synthetic(
        response,
        lambda f, z: np.where(f == 0.0, 1.0, np.exp(-decay * z)),
        mu_per_um=mu,
        length_um=200.0,
    )
    assert efficiency(plate)[8] == pytest.approx(closed_form(name), rel=1e-7)


def test_lubberts_ratio_of_an_opaque_plate(response):
    """L -> infinity: R = mu (mu + 2 a) / (mu + a)^2."""
    mu, decay = 0.0145, 0.0283
    plate = synthetic(
        response,
        lambda f, z: np.where(f == 0.0, 1.0, np.exp(-decay * z)),
        mu_per_um=mu,
        length_um=1500.0,
    )
    # exp(-mu L) = 4e-10; the closed form's decay constant is given to three digits
    assert efficiency(plate)[8] == pytest.approx(
        mu * (mu + 2 * decay) / (mu + decay) ** 2, rel=1e-7
    )
    assert efficiency(plate)[8] == pytest.approx(
        closed_form("lubberts_exp_exp_thick_lowf"), rel=1e-3
    )


def test_lubberts_curve_of_gaussian_blur(response):
    """Uniform depth, sigma = kappa z: R(f) = sqrt(2 pi) erf(A)^2 / (2 A erf(sqrt2 A))."""
    kappa, length = 0.2, 100.0
    plate = synthetic(
        response, lambda f, z: np.exp(-2.0 * (np.pi * kappa * z * f) ** 2), length_um=length
    )
    a = np.sqrt(2.0) * np.pi * kappa * FREQUENCY[1:-1] * length
    expected = np.sqrt(2.0 * np.pi) * erf(a) ** 2 / (2.0 * a * erf(np.sqrt(2.0) * a))
    # 60 depth nodes resolve a Gaussian of 100 um / 6 and wider to rounding
    np.testing.assert_allclose(efficiency(plate)[1:], expected, rtol=1e-7)
    at = np.sqrt(2.0) * np.pi * kappa * 0.02 * length
    table = np.sqrt(2 * np.pi) * erf(at) ** 2 / (2 * at * erf(np.sqrt(2) * at))
    assert table == pytest.approx(closed_form("lubberts_gauss_uniform"), rel=1e-7)
    # between nodes, f = 0.02, by spline
    assert efficiency(plate, np.array([0.02]))[0] == pytest.approx(table, rel=1e-3)


def test_light_starved_limit(response):
    """B g -> 0: DQE = eta b g (INT p T)^2, the light sink alone."""
    plate = synthetic(response, lambda f, z: np.exp(-((0.2 * z * f) ** 2)), gain=1e-7)
    mean = plate.depth_weight_um @ plate.otf / plate.thickness_um
    # relative next term b g = 1e-7
    np.testing.assert_allclose(efficiency(plate), 1e-7 * mean[:-1] ** 2, rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), gain=st.sampled_from([0.1, 2.0, 50.0, MANY]))
def test_depth_dependence_only_costs(response, seed, gain):
    """Whatever T(f, z), the DQE never exceeds eta, nor the many-quanta ratio R <= 1."""
    random = np.random.default_rng(seed)
    values = random.uniform(-0.3, 1.0, (60, FREQUENCY.size))
    values[:, 0] = 1.0
    plate = synthetic(response, lambda f, z: values, mu_per_um=0.01, gain=gain)
    found = efficiency(plate)
    # rounding of sums of 60 terms
    assert (found <= 1.0 + 1e-9).all()
    assert (found <= efficiency(replace(plate, electrons_per_kev=MANY)) + 1e-9).all()
    assert found[0] == pytest.approx(gain / (1.0 + gain), rel=1e-8)


def test_camera_noise_adds_per_area(response):
    """Read noise and dark electrons add (read^2 + dark) / pixel area to the NPS, evenly in f."""
    f = np.array([0.0, 0.2, 0.5])
    quiet = signal_noise(response, f, 0.0, 0.0)
    noisy = signal_noise(response, f, 1.6, 0.5)
    added = noisy.nps_electrons2_per_um2 - quiet.nps_electrons2_per_um2
    np.testing.assert_allclose(added, (1.6**2 + 0.5) / 1.3**2, rtol=1e-10)
    assert (noisy.dqe < quiet.dqe).all()
    np.testing.assert_allclose(
        noisy.normalised_nps_um2,
        noisy.nps_electrons2_per_um2 / mean_electrons_per_um2(response) ** 2,
        rtol=1e-14,
    )


def test_noise_power_is_the_sum_over_depths(response):
    """Tau c^2 phi INT e2 T^2 dz + M, P = sinc, written out for one energy."""
    f = response.frequency_cy_per_um[::30][:-1]
    act = interaction(YAG, np.array([20.0]), "escape")
    z, weight = response.depth_um, response.depth_weight_um
    light = np.exp(-act.attenuation_per_um[0] * z) * weight
    c, tau = response.electrons_per_kev, response.plate.exposure_s
    table = tau * c**2 * 10.0 * act.deposit_kev2_per_um[0] * (light @ response.otf**2)
    # Compton's square, a thousandth of the whole, by the mean recoil here
    np.testing.assert_allclose(quantum_noise(response), table, rtol=1e-4)
    table = quantum_noise(response)
    mean = tau * c * 10.0 * act.deposit_kev_per_um[0] * light.sum()
    assert mean_electrons_per_um2(response) == pytest.approx(mean, rel=1e-12)
    nps = signal_noise(response, f, 0.0, 0.0).nps_electrons2_per_um2
    expected = np.sinc(1.3 * f) ** 2 * table[::30][:-1] + mean
    np.testing.assert_allclose(nps, expected, rtol=1e-10)


def test_kept_noise_power_belongs_to_its_light_and_beam(response):
    """What is kept of a plate's noise power is not taken for another light's or another beam's."""
    first = quantum_noise(response)
    np.testing.assert_array_equal(quantum_noise(response), first)
    softer = replace(response, otf=0.5 * response.otf)
    # local energy: the power of an event's light is the square of its transfer function
    np.testing.assert_allclose(quantum_noise(softer), 0.25 * first, rtol=1e-12)
    spectrum = replace(
        response.spectrum, photons_per_um2_s=3.0 * response.spectrum.photons_per_um2_s
    )
    np.testing.assert_allclose(
        quantum_noise(replace(response, spectrum=spectrum)), 3.0 * first, rtol=1e-12
    )
    np.testing.assert_array_equal(quantum_noise(response), first)


def test_quantum_noise_scales_with_exposure_and_flux(response):
    """Signal and NPS are linear in X-rays; the DQE without camera noise does not change."""
    f = np.array([0.05, 0.3])
    longer = replace(response, plate=replace(response.plate, exposure_s=3.0))
    one, three = (signal_noise(r, f, 0.0, 0.0) for r in (response, longer))
    np.testing.assert_allclose(
        three.nps_electrons2_per_um2, 3.0 * one.nps_electrons2_per_um2, rtol=1e-12
    )
    np.testing.assert_allclose(three.dqe, one.dqe, rtol=1e-12)
    np.testing.assert_allclose(three.mtf, one.mtf, rtol=1e-12)


def test_drawn_x_rays_have_this_noise_power(response):
    """Poisson X-rays drawn one by one, each spread by its depth's OTF, then Poisson light.

    In one dimension: depth z of an X-ray exponential, blur Gaussian of sigma 0.05 z, 5 electrons
    in the mean (energy 0 or twice the mean with equal chance), 128 cells of a periodic line.
    """
    mu, length, gain, cells, repeats = 0.02, 60.0, 5.0, 128, 1500
    random = np.random.default_rng(7)
    stopped = -np.expm1(-mu * length)
    counts = random.poisson(20.0 * cells, repeats)
    total = int(counts.sum())
    z = -np.log1p(-stopped * random.random(total)) / mu
    energy = 2.0 * gain * random.integers(0, 2, total)
    x = random.random(total) * cells
    f = np.fft.rfftfreq(cells)[1:40:6]
    frames = np.repeat(np.arange(repeats), counts)
    power = []
    for frequency in f:
        spread = np.exp(-2.0 * (np.pi * 0.05 * z * frequency) ** 2)
        wave = energy * spread * np.exp(-2j * np.pi * frequency * x)
        summed = np.bincount(frames, wave.real, repeats) + 1j * np.bincount(
            frames, wave.imag, repeats
        )
        power.append((np.abs(summed) ** 2).mean() / cells)
    plate = synthetic(
        response,
        lambda f, z: np.exp(-2.0 * (np.pi * 0.05 * z * f) ** 2),
        mu_per_um=mu,
        length_um=length,
        events=(gain, 2.0 * gain**2),
        gain=1.0,
    )
    table = np.linspace(0.0, 0.5, 200)
    transfer = np.exp(-2.0 * (np.pi * 0.05 * plate.depth_um[:, None] * table) ** 2)
    left = plate.deposition.mean_transfer(np.array([[10.0]]), plate.depth_um, table)[0]
    plate = replace(plate, frequency_cy_per_um=table, otf=transfer, energy_left=left)
    curves = signal_noise(plate, f, 0.0, 0.0)
    # per absorbed X-ray: the beam of 10 photons/um2 leaves 10 x stopped of them
    light = mean_electrons_per_um2(plate)
    correlated = (curves.nps_electrons2_per_um2 - light) * 20.0 / (10.0 * stopped)
    # |FT|^2 of many X-rays is exponential: 5 sigma of 1500 frames is 13 %
    np.testing.assert_allclose(power, correlated, rtol=5.0 / np.sqrt(repeats))


@pytest.mark.parametrize("row", read_table("noise/spectral_swank.csv")[::3])
def test_spectral_swank_factor_of_a_tube(row):
    """DQE(0) / eta of a 50 kV beam with all energy deposited and plenty of light."""
    filters = list(TUBE.filters)
    if row["al_mm"]:
        filters.append(Filter(material="Al", thickness_um=1000.0 * row["al_mm"]))
    bench = instrument(
        source=TubeSource(filters=tuple(filters)),
        geometry=Geometry(source_to_scintillator_mm=200.0, source_to_sample_mm=190.0),
        lens=Lens(na=0.05),
        accuracy=Accuracy(depth_nodes=24, effects=FULL),
    )
    plate = yag_plate(row["thickness_um"], focus_um=5.0, exposure_s=1.0)
    found = replace(depth_response(bench, plate), electrons_per_kev=MANY)
    photons = found.spectrum.photons_per_um2_s
    eta = -np.expm1(-found.deposition.attenuation_per_um * row["thickness_um"])
    absorbed = float(photons @ eta / photons.sum())
    # 0.5 against 0.25 keV bins, lines at their energies
    assert absorbed == pytest.approx(row["eta_photons"], rel=0.01)
    swank = float(signal_noise(found, np.zeros(1), 0.0, 0.0).dqe[0]) / absorbed
    # scattering (5 % of the stopped photons of 40 keV) leaves little energy here, all there
    assert swank == pytest.approx(row["swank"], rel=0.04)


def test_real_plates_stay_below_their_absorption(response):
    """A real plate's DQE is at most its absorbed fraction and falls with frequency on the whole."""
    f = np.linspace(0.0, 0.38, 40)
    dqe = signal_noise(response, f, 1.6, 0.06).dqe
    eta = -np.expm1(-response.deposition.attenuation_per_um[0] * 20.0)
    assert (dqe < eta).all()
    assert dqe[-1] < 0.5 * dqe[0]
    assert response.spectrum.total_photons_per_um2_s == MONO.photons_per_um2_s
