"""Sampled noise power: aliases, camera noise, and what transport does to its shape."""

from dataclasses import replace

import numpy as np
import pytest

from benches import instrument, yag_plate
from scintscope.accuracy import Accuracy, Effects
from scintscope.camera.parts import Camera
from scintscope.geometry import Geometry
from scintscope.noise import (
    camera_variance,
    lubberts_ratio,
    mean_electrons_per_um2,
    noise_curves,
    plate_moments,
    quantum_noise,
    sampled_nps,
    sampled_signal_noise,
    signal_noise,
)
from scintscope.noise.sampled import folded
from scintscope.optics.lens import Lens
from scintscope.response import depth_response

INF = float("inf")


def plate(effects, thickness_um=60.0, nodes=16, **changes):
    bench = instrument(
        geometry=Geometry(source_to_scintillator_mm=INF, source_to_sample_mm=INF),
        lens=Lens(corrected_for_um=10.0),
        accuracy=Accuracy(depth_nodes=nodes, effects=effects),
    )
    return depth_response(bench, yag_plate(thickness_um, focus_um=40.0, **changes))


@pytest.fixture(scope="module")
def local():
    return plate(Effects(fluorescence="local", electrons=False, scattered_photons=False))


@pytest.fixture(scope="module")
def transported():
    return plate(Effects(fluorescence="transport", electrons=True, scattered_photons=True))


def test_white_noise_stays_white_when_folded():
    """Aliases of sinc^2 sinc^2 alone sum to one at every frequency."""
    u, v = np.meshgrid(np.linspace(-0.4, 0.4, 5), np.linspace(0.0, 0.4, 4))
    table = np.linspace(0.0, 10.0, 50)
    found = folded(u, v, table, np.ones(table.size), 1.0)
    # the sum over orders up to 10 lacks 1 / (pi^2 10) on each side of each axis, at most
    np.testing.assert_allclose(found, 1.0, atol=0.04)
    assert (found <= 1.0).all()


def test_aliases_are_summed_over_the_plane():
    """A narrow ring of power at f0 beyond Nyquist shows at the folded frequencies."""
    pixel, table = 2.0, np.linspace(0.0, 0.9, 400)
    curve = np.exp(-0.5 * ((table - 0.4) / 0.01) ** 2)
    found = folded(np.array([0.1, 0.2]), np.array([0.0, 0.0]), table, curve, pixel)
    # 0.1 - 0.5 = -0.4 lies on the ring, beside (0.1, +-0.5) at 0.51, which does not
    assert found[0] == pytest.approx(np.sinc(0.4 * pixel) ** 2, rel=1e-3)
    assert found[1] < 1e-3


def test_variance_of_a_pixel_is_the_integral_of_both(local):
    """Sampled NPS over the Nyquist square and presampled NPS over the plane: one variance."""
    shape = (48, 62)
    nps = sampled_nps(local, shape)
    twice = np.full(nps.shape[1], 2.0)
    twice[[0, -1]] = 1.0
    area = local.pixel_um**2
    mean = mean_electrons_per_um2(local)
    variance = ((nps - mean) * twice).sum() / (shape[0] * shape[1]) * area
    f = np.linspace(0.0, local.frequency_cy_per_um[-1], 1200)
    angle = np.linspace(0.0, 0.5 * np.pi, 91)
    curve = np.interp(f, local.frequency_cy_per_um, quantum_noise(local))
    window = np.sinc(np.outer(f, np.cos(angle)) * local.pixel_um) ** 2
    window *= np.sinc(np.outer(f, np.sin(angle)) * local.pixel_um) ** 2
    radial = np.trapezoid(window, angle, axis=1) * 4.0
    wanted = np.trapezoid(curve * radial * f, f) * area**2
    # sums over 48 x 62 and 1200 frequencies of smooth curves with a cusp at f = 0
    assert variance == pytest.approx(wanted, rel=5e-3)


def test_sampled_curves(local):
    """Folding adds noise, least at low frequency, and takes DQE; camera noise adds per area."""
    f = np.linspace(0.0, 0.38, 12)
    plain, folded_curves = signal_noise(local, f, 0.0, 0.0), sampled_signal_noise(local, f)
    added = folded_curves.nps_electrons2_per_um2 - plain.nps_electrons2_per_um2
    assert (added[1:] > 0.0).all()
    assert added[-1] > 10.0 * abs(added[0])
    assert (folded_curves.dqe <= plain.dqe * (1.0 + 1e-9)).all()
    np.testing.assert_allclose(folded_curves.mtf, plain.mtf, rtol=1e-14)
    noisy = sampled_signal_noise(local, f, 5.0)
    extra = noisy.nps_electrons2_per_um2 - folded_curves.nps_electrons2_per_um2
    np.testing.assert_allclose(extra, 5.0 / local.pixel_um**2, rtol=1e-9)
    np.testing.assert_allclose(
        plain.neq_per_um2,
        plain.dqe * local.spectrum.total_photons_per_um2_s * local.plate.exposure_s,
        rtol=1e-12,
    )


def test_camera_variance():
    """Read noise, dark charge over the exposure, and step^2 / 12 of rounding."""
    camera = Camera(read_noise_electrons=2.0, dark_electrons_per_s=0.5, gain_electrons_per_adu=1.2)
    assert camera_variance(camera, 10.0) == pytest.approx(4.0 + 5.0 + 0.12, rel=1e-15)


def test_transport_makes_the_noise_whiter_than_the_signal(local, transported):
    """With transport on, NPS / MTF^2 rises with frequency also where the optics is perfect.

    The halo takes the mean transfer down at once, but hardly the power of single events.
    """
    sharp = [replace(p, otf=np.ones_like(p.otf)) for p in (local, transported)]
    ratios = [1.0 / lubberts_ratio(plate_moments(p)) for p in sharp]
    np.testing.assert_allclose(ratios[0], 1.0, rtol=1e-9)  # nothing spreads
    f = transported.frequency_cy_per_um
    low, middle = (int(np.searchsorted(f, x)) for x in (0.005, 0.05))
    assert 1.0 < ratios[1][low] < ratios[1][middle]
    assert ratios[1][middle] > 1.1


def test_without_gain_the_plate_is_light_limited(transported):
    """Gain -> 0: DQE = S^2 / (q0 M), whatever transport does to the events."""
    moments = plate_moments(transported)
    dim = 1e-9
    starved = replace(
        moments,
        signal_per_um2=dim * moments.signal_per_um2,
        events_per_um2=dim**2 * moments.events_per_um2,
        light_per_um2=dim * moments.light_per_um2,
    )
    wanted = dim * moments.signal_per_um2**2 / (moments.light_per_um2 * moments.incident_per_um2)
    np.testing.assert_allclose(noise_curves(starved).dqe, wanted, rtol=1e-6)
