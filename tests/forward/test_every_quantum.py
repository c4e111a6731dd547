"""Frames of scenes drawn quantum by quantum against the noise-free image."""

from dataclasses import replace

import numpy as np
import pytest

from benches import yag_plate
from forward_scenes import FEW_NODES, accuracy, blob, converging, response_of, scene_of, small
from scintscope.accuracy import Accuracy
from scintscope.camera.drift import StackDrift
from scintscope.camera.parts import Camera
from scintscope.camera.sensor import FixedPattern
from scintscope.errors import InputError
from scintscope.forward.acquire import StackJob, lost_light, mean_light, plate_optics, take_stack
from scintscope.forward.every_quantum import mean_transmission, quantum_scene, transmission_of
from scintscope.forward.plane import camera_image, camera_pixels, shifted
from scintscope.forward.quanta import draws_every_quantum, quanta_groups
from scintscope.forward.render import light_image, xray_images
from scintscope.noise import mean_electrons_per_um2, signal_noise
from scintscope.scintillator.defects import (
    EmissionDefect,
    GlowDefect,
    PlateDefects,
    TransmissionDefect,
)
from scintscope.streams import stream

SIGMAS, FRAMES, PIXEL = 5.0, 4, 1.3
CAMERA = Camera(
    shape=(32, 41),
    gain_electrons_per_adu=0.01,
    read_noise_electrons=0.0,
    dark_electrons_per_s=0.0,
    full_well_electrons=1e6,
)
PLATE = yag_plate(30.0, focus_um=18.0)
EXACT = Accuracy(depth_nodes=FEW_NODES, energy_bin_kev=2.0, noise_sampler="every_quantum")


def spot(grid, row_um, column_um, amplitude):
    return blob(row_um, column_um, 4.0, amplitude)(grid).astype(np.float32)


def defects_on(grid):
    """Return one defect of each kind, none in the middle, none symmetric."""
    return PlateDefects(
        emission=(
            EmissionDefect(depth_low_um=5.0, depth_high_um=20.0, loss=spot(grid, 8.0, -12.0, 0.8)),
        ),
        transmission=(TransmissionDefect(depth_um=30.0, loss=spot(grid, -8.0, 10.0, 0.5)),),
        glow=(GlowDefect(depth_um=12.0, relative_brightness=spot(grid, 9.0, 12.0, 0.6)),),
        shading=(1.0 + 0.2 * np.sin(grid.column_um / 20.0))[None, :].astype(np.float32)
        * np.ones(grid.shape, dtype=np.float32),
    )


def job_of(bench, sample, with_defects):
    response = response_of(bench)
    scene = scene_of(bench, response, sample)
    found = defects_on(scene.plane.fine) if with_defects else PlateDefects()
    flat = np.zeros(bench.camera.shape, dtype=np.float32)
    return StackJob(
        instrument=bench,
        response=response,
        plane=scene.plane,
        optics=plate_optics(response, scene.plane, found),
        light=light_image(scene, xray_images(scene), found),
        drift=StackDrift(
            plate_um=np.tile([2.6, -1.3], (FRAMES, 1)),
            sample_um=np.tile([-1.3, 3.9], (FRAMES, 1)),
            source_factor=np.full(FRAMES, 0.9),
        ),
        pattern=FixedPattern(
            sensitivity=flat + 1.0, offset_electrons=flat, dark_electrons_per_s=flat
        ),
        uniform=sample is None,
        quantum=quantum_scene(scene, found, stream(1, "tracks")),
    )


def expected(job):
    """Return the noise-free frame, electrons."""
    plate, sample = job.drift.plate_um[0], job.drift.sample_um[0]
    relative = (0.0, 0.0) if job.uniform else tuple(sample - plate)
    image = camera_pixels(mean_light(job, plate, sample, lost_light(job, relative)), job.plane)
    if job.optics.factor is not None:
        image = image * camera_image(
            shifted(job.optics.factor, job.plane.fine, tuple(plate)), job.plane
        )
    return image * 0.9 * job.response.plate.exposure_s


def blocks(image, size=4):
    rows, columns = (n // size for n in image.shape[-2:])
    part = image[..., : rows * size, : columns * size]
    return part.reshape(*part.shape[:-2], rows, size, columns, size).sum(axis=(-3, -1))


@pytest.mark.parametrize(("geometry", "with_defects"), [("parallel", False), ("converging", True)])
def test_mean_of_drawn_frames_is_the_noise_free_image(geometry, with_defects):
    """Sample, drift, flicker, enlargement and every kind of defect, block by block."""
    parts = {"camera": CAMERA, "thick": PLATE, "accuracy": EXACT}
    bench = small(**parts) if geometry == "parallel" else converging(30.0, **parts)
    job = job_of(bench, blob(6.0, 7.0, 5.0, 3.0), with_defects)
    frames = take_stack(job, stream(2, "quanta"), stream(2, "camera"))
    counts = (frames.astype(float) - CAMERA.offset_adu) * CAMERA.gain_electrons_per_adu
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-3)  # whole electrons
    wanted = blocks(expected(job))
    curve = signal_noise(job.response, np.zeros(1), 0.0, 0.0)
    light = mean_electrons_per_um2(job.response)
    excess = curve.nps_electrons2_per_um2[0] / light  # variance over mean at f = 0, at most
    deviation = (blocks(counts).mean(axis=0) - wanted) / np.sqrt(wanted * excess / FRAMES)
    assert np.abs(deviation).max() < SIGMAS
    assert wanted.min() < 0.8 * wanted.max()  # there is something to see


def test_the_sampler_is_chosen_by_its_key():
    """The frames of one scene, fast and exact, differ, with the same level within 5 sigma."""
    bench = small(camera=CAMERA, thick=PLATE, accuracy=EXACT)
    job = job_of(bench, None, False)
    exact = take_stack(job, stream(3, "quanta"), stream(3, "camera")).astype(float)
    fast = take_stack(replace(job, quantum=None), stream(3, "quanta"), stream(3, "camera"))
    assert (exact != fast).any()
    spread = np.hypot(*(f.mean(axis=(1, 2)).std(ddof=1) for f in (exact, fast.astype(float))))
    # means of four frames each
    assert abs(exact.mean() - fast.mean()) < 3.0 * SIGMAS * spread / np.sqrt(FRAMES)
    groups = quanta_groups(job.response)
    assert draws_every_quantum(bench.accuracy.noise_sampler, groups)


def test_transmission_without_hardening():
    """With hardening off every energy sees the light-weighted mean transmission."""
    bench = small(camera=CAMERA, thick=PLATE, accuracy=accuracy(sample_hardening=False))
    scene = scene_of(bench, response_of(bench), blob(0.0, 0.0, 3.0, 2.0))
    mean = mean_transmission(scene)
    only = transmission_of(scene, 0)  # one energy: the mean is that one
    np.testing.assert_allclose(mean, only, rtol=1e-12)
    assert mean.min() < 0.9


def test_a_stack_that_is_not_ready_is_refused():
    """Counted frames need the scene."""
    from scintscope.forward.acquire import _counted

    bench = small(camera=CAMERA, thick=PLATE, accuracy=EXACT)
    job = replace(job_of(bench, None, False), quantum=None)
    with pytest.raises(InputError, match="every quantum"):
        _counted(job, 0, stream(4, "quanta"))
