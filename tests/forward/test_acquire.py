"""Stacks of frames: what defects, drift, glow and noise do to them."""

from dataclasses import replace

import numpy as np
import pytest

from benches import yag_plate
from forward_scenes import blob, response_of, scene_of, small
from scintscope.camera.drift import StackDrift
from scintscope.camera.parts import Camera
from scintscope.camera.sensor import FixedPattern
from scintscope.forward.acquire import (
    StackJob,
    light_beyond,
    lost_light,
    mean_light,
    plate_optics,
    take_stack,
)
from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import camera_image, camera_pixels, inverse, shifted, transform
from scintscope.forward.render import light_image, xray_images
from scintscope.grids import Grid
from scintscope.noise import mean_electrons_per_um2, quantum_noise
from scintscope.quadrature import interval_nodes
from scintscope.response import at_frequencies
from scintscope.scintillator.defects import (
    EmissionDefect,
    GlowDefect,
    PlateDefects,
    TransmissionDefect,
)
from scintscope.streams import stream

FLOAT32 = 2e-6  # transforms of float32 images
PIXEL = 1.3


def quiet_camera(shape=(40, 49), gain=0.001):
    return Camera(
        shape=shape,
        gain_electrons_per_adu=gain,
        read_noise_electrons=0.0,
        dark_electrons_per_s=0.0,
        full_well_electrons=1e6,
    )


def still(frames=1, plate_um=(0.0, 0.0), sample_um=(0.0, 0.0)):
    return StackDrift(
        plate_um=np.tile(np.array(plate_um), (frames, 1)),
        sample_um=np.tile(np.array(sample_um), (frames, 1)),
        source_factor=np.ones(frames),
    )


def job_of(bench, sample=None, defects=None, drift=None, plate="thick"):
    """Return a job; ``defects`` is a function of the fine grid."""
    response = response_of(bench, plate)
    scene = scene_of(bench, response, sample)
    found = PlateDefects() if defects is None else defects(scene.plane.fine)
    shape = bench.camera.shape
    dark = np.full(shape, bench.camera.dark_electrons_per_s, dtype=np.float32)
    return StackJob(
        instrument=bench,
        response=response,
        plane=scene.plane,
        optics=plate_optics(response, scene.plane, found),
        light=light_image(scene, xray_images(scene), found),
        drift=still() if drift is None else drift,
        pattern=FixedPattern(
            sensitivity=np.ones(shape, dtype=np.float32),
            offset_electrons=np.zeros(shape, dtype=np.float32),
            dark_electrons_per_s=dark,
        ),
        uniform=sample is None,
    )


def electrons(job):
    """Return the noise-free first frame per second, electrons per pixel."""
    plate, sample = job.drift.plate_um[0], job.drift.sample_um[0]
    relative = (0.0, 0.0) if job.uniform else tuple(sample - plate)
    image = camera_pixels(mean_light(job, plate, sample, lost_light(job, relative)), job.plane)
    if job.optics.factor is not None:
        moved = shifted(job.optics.factor, job.plane.fine, tuple(plate))
        image = image * camera_image(moved, job.plane)
    return image


def level_of(job):
    return mean_electrons_per_um2(job.response) / job.response.plate.exposure_s * PIXEL**2


def emission(low, high, loss):
    return lambda grid: PlateDefects(
        emission=(EmissionDefect(depth_low_um=low, depth_high_um=high, loss=loss(grid)),)
    )


def transmission(depth, loss):
    return lambda grid: PlateDefects(
        transmission=(TransmissionDefect(depth_um=depth, loss=loss(grid)),)
    )


def even(value):
    return lambda grid: np.full(grid.shape, value, dtype=np.float32)


def spot(row_um, column_um, amplitude=0.5, sigma_um=3.0):
    draw = blob(row_um, column_um, sigma_um, amplitude)
    return lambda grid: draw(grid).astype(np.float32)


@pytest.fixture(scope="module")
def bench():
    return small(camera=quiet_camera())


def test_curves_met_before_are_used_again(bench):
    """A second set of defects in the same depths computes no transfer function, and alike."""
    response = response_of(bench, "thick")
    plane = scene_of(bench, response).plane
    loss = np.full(plane.fine.shape, 0.2, dtype=np.float32)
    defects = PlateDefects(
        emission=(EmissionDefect(depth_low_um=0.0, depth_high_um=50.0, loss=loss),),
        transmission=(TransmissionDefect(depth_um=120.0, loss=loss),),
    )
    curves = {}
    first = plate_optics(response, plane, defects, curves=curves)
    assert set(curves) == {(0.0, 50.0), (120.0,)}
    again = plate_optics(replace(response, otf=None), plane, defects, first.quanta, curves)
    assert np.array_equal(first.factor, again.factor)
    assert np.array_equal(first.group_kernels[0], again.group_kernels[0])


def test_total_loss_of_emission_is_black(bench):
    """An emission defect over the whole depth with loss 1 leaves no light, sample or not."""
    for sample in (None, blob(5.0, -8.0, thickness_um=2.0)):
        job = job_of(bench, sample, emission(0.0, 100.0, even(1.0)))
        # 32 depths of the defect and 16 of the plate: the blob differs by 2e-6 or so; float32
        np.testing.assert_allclose(electrons(job), 0.0, atol=2e-5 * level_of(job))


def test_part_of_the_depth_takes_its_share(bench):
    """An even loss over a depth range dims by loss times the share of k(z) in that range."""
    job = job_of(bench, None, emission(20.0, 50.0, even(0.4)))
    mu = job.response.deposition.attenuation_per_um[0]
    share = (np.exp(-mu * 20.0) - np.exp(-mu * 50.0)) / -np.expm1(-mu * 100.0)
    wanted = level_of(job) * (1.0 - 0.4 * share)
    np.testing.assert_allclose(electrons(job), wanted, rtol=FLOAT32)


@pytest.mark.parametrize("depth", [100.0, 50.0, 0.0])
def test_scatterers_take_light_from_beyond_only(bench, depth):
    """An even loss L of passage dims by L times the share of light made before its depth."""
    job = job_of(bench, None, transmission(depth, even(0.3)))
    mu = job.response.deposition.attenuation_per_um[0]
    beyond = np.expm1(-mu * depth) / np.expm1(-mu * 100.0)
    assert light_beyond(job.response, depth) == pytest.approx(beyond, abs=1e-12)
    np.testing.assert_allclose(electrons(job), level_of(job) * (1 - 0.3 * beyond), rtol=FLOAT32)


def test_signature_of_an_emission_defect(bench):
    """On an even beam a defect shows as its map blurred by sum k(z) PSF(z) over its depths."""
    low, high = 10.0, 40.0
    job = job_of(bench, None, emission(low, high, spot(6.0, -10.0)))
    z, weight = interval_nodes(low, high, 48)
    share = weight * job.response.k_per_um(z)
    curve = share @ job.response.otf_at(z)
    table = job.response.frequency_cy_per_um
    kernel = camera_kernel(job.plane, table, curve, np.float64)
    loss = spot(6.0, -10.0)(job.plane.fine).astype(np.float64)
    lost = camera_image(transform(loss) * kernel, job.plane) * level_of(job)
    difference = electrons(job) - (level_of(job) - lost)
    # 32 against 48 depth nodes: converged; float32 remains
    assert np.abs(difference).max() < 1e-4 * lost.max()


def test_defects_multiply(bench):
    """Where no X-rays arrive a defect takes nothing; where half arrive it takes half."""
    dark = lambda grid: np.full(grid.shape, 1e6)  # noqa: E731
    nothing = electrons(job_of(bench, dark, emission(0.0, 50.0, spot(0.0, 0.0))))
    clear = job_of(bench, None, emission(0.0, 50.0, spot(0.0, 0.0)))
    level = level_of(clear)
    np.testing.assert_allclose(nothing, 0.0, atol=FLOAT32 * level)
    film = lambda grid: np.full(grid.shape, 3.0)  # noqa: E731
    behind = electrons(job_of(bench, film, emission(0.0, 50.0, spot(0.0, 0.0))))
    ratio = behind / electrons(clear)
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)  # float32
    assert 0.1 < ratio[0, 0] < 0.9


def test_glow_adds_the_same_light_to_any_sample(bench):
    """A glowing spot adds its own light, with or without a sample in the beam."""

    def glow(grid):
        return PlateDefects(
            glow=(GlowDefect(depth_um=70.0, relative_brightness=spot(4.0, 9.0)(grid)),)
        )

    added = []
    for sample in (None, lambda grid: np.full(grid.shape, 1e6), blob(0.0, 0.0, 3.0, 5.0)):
        added.append(electrons(job_of(bench, sample, glow)) - electrons(job_of(bench, sample)))
    level = level_of(job_of(bench))
    assert added[0].max() > 0.2 * level
    for other in added[1:]:
        np.testing.assert_allclose(other, added[0], atol=FLOAT32 * level)


def moved_by(image, rows, columns):
    """Return the rms of an image's interior against itself shifted back by whole pixels."""
    return np.roll(image, (rows, columns), axis=(0, 1))


INTERIOR = (slice(6, -6), slice(6, -6))


@pytest.mark.parametrize(
    "kind", [emission(0.0, 60.0, spot(2.0, -5.0)), transmission(100.0, spot(2.0, -5.0))]
)
def test_defects_follow_the_plate(bench, kind):
    """A plate moved by (+2, -3) pixels carries its defects there, on an even beam."""
    rest = electrons(job_of(bench, None, kind))
    drift = still(plate_um=(2 * PIXEL, -3 * PIXEL))
    moved = electrons(job_of(bench, None, kind, drift))
    wanted = np.roll(rest, (2, -3), axis=(0, 1))
    np.testing.assert_allclose(moved[INTERIOR], wanted[INTERIOR], rtol=1e-4)  # float32 phases


def test_image_follows_the_sample(bench):
    """A sample moved by (+2, -3) pixels moves the image and leaves the defects in place."""
    sample = blob(3.0, 2.0, 3.0, 2.0)
    drift = still(sample_um=(2 * PIXEL, -3 * PIXEL))
    rest, moved = electrons(job_of(bench, sample)), electrons(job_of(bench, sample, drift=drift))
    wanted = np.roll(rest, (2, -3), axis=(0, 1))
    np.testing.assert_allclose(moved[INTERIOR], wanted[INTERIOR], rtol=1e-4)
    # with a scatterer, which is a plain factor, the quotient to a perfect plate shows it at rest
    scatter = transmission(100.0, spot(-8.0, 12.0))
    with_defect = electrons(job_of(bench, sample, scatter, drift)) / moved
    background = electrons(job_of(bench, None, scatter)) / level_of(job_of(bench))
    np.testing.assert_allclose(with_defect, background, rtol=1e-4)


def test_emission_defect_sees_the_moved_sample(bench):
    """Moving plate and sample together moves the whole image, emission defects included."""
    sample, kind = blob(3.0, 2.0, 3.0, 4.0), emission(10.0, 60.0, spot(3.0, 2.0))
    together = still(plate_um=(PIXEL, 2 * PIXEL), sample_um=(PIXEL, 2 * PIXEL))
    rest = electrons(job_of(bench, sample, kind))
    moved = electrons(job_of(bench, sample, kind, together))
    wanted = np.roll(rest, (1, 2), axis=(0, 1))
    np.testing.assert_allclose(moved[INTERIOR], wanted[INTERIOR], rtol=1e-4)
    apart = electrons(job_of(bench, sample, kind, still(sample_um=(PIXEL, 2 * PIXEL))))
    assert np.abs(apart - moved)[INTERIOR].max() > 1e-2 * level_of(job_of(bench))


def streams():
    return stream(3, "quanta"), stream(3, "camera")


def test_frames_are_the_noise_free_image_digitised(bench):
    """Without noise a stack is the image times exposure in counts, the same in each frame."""
    quiet = replace(
        bench,
        accuracy=replace(bench.accuracy, effects=replace(bench.accuracy.effects, noise=False)),
    )
    job = job_of(quiet, blob(0.0, 0.0, 3.0, 2.0), transmission(100.0, spot(5.0, 5.0)), still(2))
    frames = take_stack(job, *streams())
    np.testing.assert_array_equal(frames[0], frames[1])
    wanted = electrons(job) * job.response.plate.exposure_s / 0.001 + quiet.camera.offset_adu
    np.testing.assert_allclose(frames[0], wanted, atol=0.51, rtol=FLOAT32)  # rounding to counts


def test_flicker_scales_light_and_not_the_pedestal(bench):
    """A source at 0.9 of its output gives 0.9 of the counts above the pedestal."""
    quiet = replace(
        bench,
        accuracy=replace(bench.accuracy, effects=replace(bench.accuracy.effects, noise=False)),
    )
    job = job_of(quiet)
    dim = replace(job, drift=replace(job.drift, source_factor=np.array([0.9])))
    full, less = (take_stack(j, *streams())[0].astype(float) - 100.0 for j in (job, dim))
    np.testing.assert_allclose(less, 0.9 * full, atol=1.0)  # rounding to counts


def test_same_streams_same_bits(bench):
    """The same seed repeats every bit; another differs."""
    job = job_of(bench, None, None, still(2))
    first, again = take_stack(job, *streams()), take_stack(job, *streams())
    np.testing.assert_array_equal(first, again)
    other = take_stack(job, stream(4, "quanta"), stream(4, "camera"))
    assert (first != other).mean() > 0.5
    assert (first[0] != first[1]).mean() > 0.5


@pytest.mark.parametrize("workers", [1, 3])
def test_number_of_workers_changes_no_bit(bench, workers, monkeypatch):
    """Frames are the same bits with any number of threads in the transforms."""
    defects = emission(10.0, 40.0, spot(1.0, 2.0))
    wanted = take_stack(job_of(bench, blob(0.0, 3.0), defects), *streams())
    monkeypatch.setattr("scintscope.forward.plane._WORKERS", workers)
    monkeypatch.setattr("scintscope.forward.render._WORKERS", workers)
    np.testing.assert_array_equal(
        take_stack(job_of(bench, blob(0.0, 3.0), defects), *streams()), wanted
    )


# --- noise ------------------------------------------------------------------------------------

FRAMES = 60


@pytest.fixture(scope="module")
def noisy():
    """Return a flat-field stack in electrons, its job and bench (pixel-sized counts)."""
    camera = replace(quiet_camera((64, 64), 1.0), read_noise_electrons=3.0)
    bench = small(camera=camera, thick=yag_plate(100.0, focus_um=70.0, exposure_s=2.0))
    job = job_of(bench, drift=still(FRAMES))
    frames = take_stack(job, *streams()).astype(np.float64) - camera.offset_adu
    return bench, job, frames


def analytic_variance(job, binning):
    """Return the variance of the mean over binning^2 pixels: the integral of the NPS."""
    response = job.response
    grid = Grid(shape=(512, 512), pixel_um=0.25)
    f = grid.radial_frequency_cy_per_um()
    row, column = grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um
    table = response.frequency_cy_per_um
    events = np.maximum(at_frequencies(f, table, quantum_noise(response)), 0.0)
    window = np.sinc(row * PIXEL)[:, None] * np.sinc(column * PIXEL)
    # the mean over pixels multiplies by the periodic sinc, here of adjacent sampling points
    for axis, g in ((0, row), (1, column)):
        points = np.exp(2j * np.pi * np.outer(g * PIXEL, np.arange(binning))).mean(axis=1)
        window = window * np.abs(points).reshape((-1, 1) if axis == 0 else (1, -1))
    twice = np.full(column.size, 2.0)
    twice[[0, -1]] = 1.0
    integral = (events * window**2 * twice).sum() / (512 * 0.25) ** 2
    mean = mean_electrons_per_um2(response) * PIXEL**2
    white = mean + 3.0**2 + 1.0 / 12.0
    quantum = integral * PIXEL**4
    return white / binning**2 + quantum, quantum


def test_frames_average_to_the_noise_free_image(noisy):
    """The mean of all frames and pixels is the open-beam level within 5 sigma."""
    _, job, frames = noisy
    level = mean_electrons_per_um2(job.response) * PIXEL**2
    means = frames.mean(axis=(1, 2))
    assert abs(means.mean() - level) < 5.0 * means.std(ddof=1) / np.sqrt(FRAMES)


@pytest.mark.parametrize("binning", [1, 4])
def test_variance_is_the_models(noisy, binning):
    """White light and read noise plus filtered quantum noise, of pixels and of 4 x 4 means."""
    _, job, frames = noisy
    blocks = frames.reshape(FRAMES, 64 // binning, binning, 64 // binning, binning)
    values = blocks.mean(axis=(2, 4))
    per_frame = ((values - values.mean(axis=0)) ** 2).mean(axis=(1, 2)) * FRAMES / (FRAMES - 1)
    wanted, quantum = analytic_variance(job, binning)
    spread = per_frame.std(ddof=1) / np.sqrt(FRAMES)  # frames are independent
    assert abs(per_frame.mean() - wanted) < 5.0 * spread
    assert quantum > 10.0 * spread  # a wrong power of the oversampling would show


def test_quantum_noise_scales_with_the_exposure():
    """Four times the exposure gives four times the quantum variance."""
    variances = []
    for exposure_s in (1.0, 4.0):
        bench = small(
            camera=quiet_camera((64, 64), 1.0),
            thick=yag_plate(100.0, focus_um=70.0, exposure_s=exposure_s),
        )
        variances.append(analytic_variance(job_of(bench), 1)[1])
    assert variances[1] == pytest.approx(4.0 * variances[0], rel=1e-12)


def test_field_without_quanta_stays_without_their_noise(bench):
    """Behind an opaque sample there is no X-ray noise: only the pedestal remains."""
    job = job_of(bench, lambda grid: np.full(grid.shape, 1e6))
    frames = take_stack(job, *streams())
    assert np.abs(frames.astype(float) - bench.camera.offset_adu).max() <= 1.0  # counts


def test_inverse_returns_the_fine_grid(bench):
    """Transform and inverse give back an image on the simulation grid."""
    job = job_of(bench)
    image = spot(3.0, -4.0)(job.plane.fine)
    back = inverse(transform(image), job.plane.fine.shape)
    np.testing.assert_allclose(back, image, atol=FLOAT32)
