"""The fast sampler of quantum noise and the sampler that draws every quantum, against theory."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import j0

from benches import LOCAL, instrument, yag_plate
from noise_flats import (
    brute_flats,
    fast_flats,
    local_events,
    periodic_plane,
    ring_power,
    ring_theory,
)
from scintscope.accuracy import Accuracy
from scintscope.deposition.events import Deposits
from scintscope.forward.brute_force import (
    count_light,
    draw_frame,
    draw_points,
    light_radius_um,
    light_table,
)
from scintscope.forward.plane import camera_pixels
from scintscope.forward.quanta import (
    LEAST_QUANTA,
    draws_every_quantum,
    noise_kernels,
    quanta_groups,
    quantum_noise_spectrum,
)
from scintscope.geometry import Geometry
from scintscope.noise import mean_electrons_per_um2, quantum_noise
from scintscope.noise.groups import MOST_GROUPS
from scintscope.optics.lens import Lens
from scintscope.response import at_frequencies, depth_response
from scintscope.source import MonochromaticSource

SIGMAS = 5.0
SHAPE, FLATS = (128, 128), 64
INF = float("inf")


def plate(thickness_um, focus_um, exposure_s=1.0):
    """Return a plate's response to 1 photon/um2/s of 15 keV, below the K edge, parallel beam."""
    bench = instrument(
        source=MonochromaticSource(energy_kev=15.0, photons_per_um2_s=1.0),
        geometry=Geometry(source_to_scintillator_mm=INF, source_to_sample_mm=INF),
        lens=Lens(corrected_for_um=10.0),
        accuracy=Accuracy(effects=replace(LOCAL, fluorescence="local")),
    )
    return depth_response(bench, yag_plate(thickness_um, focus_um=focus_um, exposure_s=exposure_s))


@pytest.fixture(scope="module")
def thin():
    return plate(20.0, 10.0, 40.0)


@pytest.fixture(scope="module")
def thick():
    return plate(200.0, 60.0)


@pytest.fixture(scope="module")
def table(thick):
    """Return where light of the thick plate arrives."""
    return light_table(thick)


def check_rings(frames, response):
    """Compare ring means with the analytic NPS: each within 5 sigma, all within 2 % on average."""
    level, power, independent = ring_power(frames, response)
    theory = ring_theory(response, SHAPE)
    deviation = power / theory - 1.0
    # an element's power is exponential; discrete events widen it by their number per frame
    assert np.abs(deviation * np.sqrt(independent)).max() < SIGMAS
    assert abs(deviation.mean()) < 0.02
    mean = mean_electrons_per_um2(response) * response.pixel_um**2
    spread = np.sqrt(theory[0] / (FLATS * SHAPE[0] * SHAPE[1])) * response.pixel_um
    assert abs(level - mean) < SIGMAS * spread


@pytest.mark.parametrize("name", ["thin", "thick"])
def test_fast_flats_have_the_analytic_noise_power(name, request):
    """64 flats of the fast sampler, both plates, in every ring of frequency."""
    response = request.getfixturevalue(name)
    check_rings(fast_flats(response, SHAPE, FLATS, np.random.default_rng(3)), response)


@pytest.mark.parametrize("name", ["thin", "thick"])
def test_flats_of_every_quantum_have_the_analytic_noise_power(name, request, table):
    """64 flats with every quantum drawn, at a fortieth of the exposure for the thin plate."""
    response = request.getfixturevalue(name)
    few = replace(response, plate=replace(response.plate, exposure_s=1.0))
    known = table if name == "thick" else None
    frames = brute_flats(few, SHAPE, FLATS, local_events(few), np.random.default_rng(4), known)
    check_rings(frames, few)


@pytest.mark.parametrize("target", [0.5, 0.1, 0.02])
def test_groups_keep_the_flat_fields_noise_power(thick, target):
    """However few the groups, their powers sum to the plate's; more groups, less error."""
    groups = quanta_groups(thick, target)
    total = groups.rate_per_um2_s @ groups.power * thick.plate.exposure_s
    # sums of squares of the same numbers in another order
    np.testing.assert_allclose(total, quantum_noise(thick), rtol=1e-9, atol=1e-12)
    assert groups.error <= target
    assert len(groups.weights) <= MOST_GROUPS + 1


def test_bound_of_the_local_variance(thick):
    """The error given bounds the deviation of the variance behind a sharp edge."""
    coarse, fine = quanta_groups(thick, 0.9), quanta_groups(thick, 0.002)
    profiles = [edge_variance(thick, g) for g in (coarse, fine)]
    deviation = np.abs(profiles[0] - profiles[1]).max() / profiles[1].max()
    assert 1e-3 < deviation < 1.5 * coarse.error  # the bound itself is read off radial curves
    assert fine.error < 0.1 * coarse.error


def edge_variance(response, groups):
    """Return the filtered noise's variance along a row across an opaque half plane."""
    plane = periodic_plane(response, (8, 192))
    kernels = noise_kernels(groups, plane)
    shape = plane.padded_shape
    half = np.zeros(shape)
    half[:, : shape[1] // 2] = 1.0
    total = np.zeros(shape[1])
    for rate, kernel in zip(groups.rate_per_um2_s, kernels, strict=True):
        spread = np.fft.irfft2(kernel, s=shape) ** 2
        variance = np.fft.irfft2(np.fft.rfft2(spread) * np.fft.rfft2(half), s=shape)
        total += rate * variance[0]
    return total


def stripes(shape, period, low):
    """Return a transmission of vertical stripes, sharp-edged."""
    column = np.arange(shape[1])
    return np.broadcast_to(np.where(column % period < period // 2, 1.0, low), shape)


def test_structured_images_have_the_oracles_variance_and_covariance(thick, table):
    """Stripes: variance and neighbour covariance per column, fast against every quantum."""
    shape, frames, period, pixel = (48, 72), 150, 24, thick.pixel_um
    bright = replace(thick, plate=replace(thick.plate, exposure_s=1.0))
    rng = np.random.default_rng(5)
    image = stripes(shape, period, 0.1)
    events = local_events(bright)
    counts = [
        draw_frame(
            lambda e: image * pixel**2,
            bright.spectrum.energy_kev,
            events,
            bright.electrons_per_kev,
            table,
            pixel,
            shape,
            pixel,
            rng,
        )
        for _ in range(frames)
    ]
    plane, groups = periodic_plane(bright, shape), quanta_groups(bright, 0.02)
    kernels = noise_kernels(groups, plane)
    images = (groups.rate_per_um2_s[:, None, None] * image).astype(np.float32)
    mean = np.mean(counts, axis=(0, 1))  # per column, the oracle's own
    drawn = []
    for _ in range(frames):
        spectrum = quantum_noise_spectrum(images, kernels, plane, 1.0, rng)
        drawn.append(rng.poisson(np.maximum(mean + camera_pixels(spectrum, plane), 0.0)))
    for shift in (0, 1, 2):
        oracle, fast = (column_covariance(np.array(x), period, shift) for x in (counts, drawn))
        spread = np.hypot(oracle[1], fast[1])
        deviation = (fast[0] - oracle[0]) / spread
        assert np.abs(deviation).max() < SIGMAS
        scale = column_covariance(np.array(counts), period, 0)[0].mean()
        assert np.abs(fast[0] - oracle[0]).mean() < 0.05 * scale


def column_covariance(stack, period, shift):
    """Return covariance with the pixel ``shift`` to the right, by phase, and its standard error."""
    centred = stack - stack.mean(axis=(0, 1), keepdims=True)
    product = (centred * np.roll(centred, -shift, axis=2)).mean(axis=1)
    by_phase = product.reshape(stack.shape[0], -1, period).mean(axis=1)
    return by_phase.mean(axis=0), by_phase.std(axis=0) / np.sqrt(stack.shape[0])


def test_light_table_gives_the_transfer_function_back(thick, table):
    """The mean of J0(2 pi f r) over drawn radii is T(f, z)."""
    rng, count = np.random.default_rng(6), 100000
    f = np.array([0.02, 0.1, 0.3])
    for z in (0.0, 60.0, 61.3, 200.0):
        drawn = light_radius_um(table, np.full(count, z), rng)
        wanted = at_frequencies(f, thick.frequency_cy_per_um, thick.otf_at(np.array([z])))[0]
        for q, value in zip(f, wanted, strict=True):
            waves = j0(2.0 * np.pi * q * drawn)
            # 5 sigma, and 1e-3 for the tables of radii and linear interpolation in depth
            assert abs(waves.mean() - value) < SIGMAS * waves.std() / np.sqrt(count) + 1e-3
    assert table.outside_share < 0.01


def test_light_falls_where_it_is_made(thick, table):
    """Light of one deposit in focus lands around its own pixel, row and column not swapped."""
    place = Deposits(
        event=np.zeros(1, dtype=np.intp),
        x_um=np.array([3.0 * thick.pixel_um]),
        y_um=np.zeros(1),
        z_um=np.array([60.0]),
        energy_kev=np.array([1e5]),
    )
    origin = np.array([10.5 * thick.pixel_um])
    image = count_light(
        origin,
        origin,
        place,
        1.0,
        table,
        (32, 40),
        thick.pixel_um,
        np.random.default_rng(7),
    )
    assert np.unravel_index(image.argmax(), image.shape) == (10, 13)
    assert image.sum() == pytest.approx(1e5, abs=SIGMAS * np.sqrt(1e5))


def test_points_follow_their_mean_image():
    """Poisson points of an image: their numbers per sample, and uniform inside it."""
    mean = np.array([[0.0, 900.0, 100.0], [2500.0, 0.0, 400.0]])
    row, column, index = draw_points(mean, 2.0, np.random.default_rng(8))
    counts = np.bincount(index, minlength=6).reshape(2, 3)
    assert (np.abs(counts - mean) <= SIGMAS * np.sqrt(mean)).all()
    np.testing.assert_array_equal((row // 2.0) * 3 + column // 2.0, index)
    inside = row[index == 3] - 2.0
    assert abs(inside.mean() - 1.0) < SIGMAS * 2.0 / np.sqrt(12.0 * inside.size)


def test_when_every_quantum_is_drawn(thin, thick):
    """The switch stands at `LEAST_QUANTA` X-rays under a point-spread function; words overrule."""
    few = quanta_groups(replace(thin, plate=replace(thin.plate, exposure_s=1.0)))
    many = quanta_groups(thick)
    assert few.quanta_per_psf < LEAST_QUANTA < many.quanta_per_psf
    assert draws_every_quantum("auto", few)
    assert not draws_every_quantum("auto", many)
    assert draws_every_quantum("every_quantum", many)
    assert not draws_every_quantum("fast", few)


def test_same_bits_on_any_number_of_workers(thick, monkeypatch):
    """Neither the threads of the transforms nor those of the Poisson draws change a bit."""
    plane, groups = periodic_plane(thick, (20, 31)), quanta_groups(thick)
    kernels = noise_kernels(groups, plane)
    images = np.ones((len(groups.weights), *plane.padded_shape), dtype=np.float32)
    wanted = quantum_noise_spectrum(images, kernels, plane, 9.0, np.random.default_rng(9))
    monkeypatch.setattr("scintscope.forward.plane._WORKERS", 1)
    found = quantum_noise_spectrum(images, kernels, plane, 9.0, np.random.default_rng(9))
    np.testing.assert_array_equal(found, wanted)


def test_noise_moves_with_the_sample(thick):
    """Where no X-rays arrive there is no noise, also after the sample has moved."""
    plane, groups = periodic_plane(thick, (64, 64)), quanta_groups(thick)
    kernels = noise_kernels(groups, plane)
    images = np.zeros((len(groups.weights), *plane.padded_shape), dtype=np.float32)
    images[:, :2, :2] = 50.0
    spectrum = quantum_noise_spectrum(
        images, kernels, plane, 1.0, np.random.default_rng(10), (32, 20)
    )
    power = np.abs(camera_pixels(spectrum, plane))
    row, column = np.unravel_index(power.argmax(), power.shape)
    assert abs(row - 33) < 6
    assert abs(column - 21) < 6
