"""Eq. 2 against Eq. 1: exact where it must be, and the error's law."""

import numpy as np
import pytest

from forward_scenes import (
    INF,
    LENS,
    accuracy,
    blob,
    response_of,
    scene_of,
    small,
)
from scintscope.camera.parts import Camera
from scintscope.forward.render import light_image, xray_images
from scintscope.geometry import Geometry
from scintscope.sample.specimen import PointGrid
from scintscope.verdict.single_psf import (
    Similarity,
    SingleImage,
    edge_error,
    inner,
    judge_single_psf,
    register,
    relative_error,
)

POINTS = PointGrid(pitch_um=16.0, diameter_um=6.0)


def single_of(scene):
    sharp = light_image(scene, xray_images(scene, np.float64), dtype=np.float64).sharp
    return SingleImage(sharp, scene.response, scene.plane)


def judged(bench, sample=POINTS):
    scene = scene_of(bench, response_of(bench), sample)
    return judge_single_psf(scene, xray_images(scene, np.float64), np.float64)


def test_parallel_telecentric_one_energy_is_exact():
    """Source and pupil at infinity and one energy: both images agree to 1e-6 of the std."""
    single = judged(small())
    assert single.exact.std() > 0.0
    assert single.rms_relative_error < 1e-6
    assert single.edge_relative_error < 1e-6
    assert single.rms_relative_error_entrance < 1e-6
    assert single.similarity == Similarity()


def test_error_falls_as_one_over_distance():
    """From 100 mm to 10 m the errors fall as 1/distance; registered is never above entrance."""
    distances = np.array([100.0, 1000.0, 10_000.0])
    found = []
    for z0 in distances:
        geometry = Geometry(source_to_scintillator_mm=z0, source_to_sample_mm=z0 - 0.1)
        settings = accuracy(error_target=5e-4, obliquity=False)
        bench = small(geometry=geometry, accuracy=settings, camera=Camera(shape=(96, 109)))
        single = judged(bench)
        assert single.rms_relative_error <= single.rms_relative_error_entrance
        found.append((single.rms_relative_error, single.rms_relative_error_entrance))
    for errors in np.array(found).T:
        slope = np.polyfit(np.log(distances), np.log(errors), 1)[0]
        assert slope == pytest.approx(-1.0, abs=0.1)


def test_registration_finds_a_known_similarity():
    """The single-PSF image, scaled and shifted, is found again: scale, shift and sign."""
    bench = small(geometry=Geometry(), camera=Camera(shape=(64, 77)))
    scene = scene_of(bench, response_of(bench), POINTS)
    single = single_of(scene)
    truth = Similarity(scale=1.0015, shift_um=(0.21, -0.13))
    found = register(single, single(truth), 6, scene.plane.pixel_um)
    # Gauss-Newton with finite-difference slopes, three passes: a thousandth of a pixel
    assert found.scale == pytest.approx(truth.scale, abs=2e-5)
    np.testing.assert_allclose(found.shift_um, truth.shift_um, atol=2e-3)


def test_mean_size_lies_between_entrance_and_exit():
    """Registration finds a size between those of the plate's two faces."""
    bench = small(geometry=Geometry(), camera=Camera(shape=(64, 77)), lens=LENS)
    scale = judged(bench).similarity.scale
    assert 1.0 < scale < 1.0 + 100.0 / 100e3


def test_error_measures():
    """RMS over std inside the border; the edge measure sees the outer tenth alone."""
    exact = np.random.default_rng(0).normal(size=(40, 51))
    image = exact + 0.1
    core = inner(exact, 4)
    assert core.shape == (32, 43)
    assert relative_error(image, exact, 4) == pytest.approx(0.1 / core.std(), rel=1e-12)
    centre_only = exact.copy()
    centre_only[15:25, 20:30] += 5.0
    assert edge_error(centre_only, exact, 4) == 0.0
    assert relative_error(centre_only, exact, 4) > 0.5


def test_flat_images():
    """Two equal flat images have no error; an unequal one has an infinite relative error."""
    flat = np.ones((20, 20))
    assert relative_error(flat, flat, 2) == 0.0
    assert relative_error(flat + 1.0, flat, 2) == INF


def test_single_image_scales_about_the_axis():
    """A blob at (+20, -15) um lies at m times that place."""
    bench = small(camera=Camera(shape=(64, 77)))
    scene = scene_of(bench, response_of(bench), blob(20.0, -15.0, 3.0, 1.0))
    single = single_of(scene)
    centres = []
    for similarity in (Similarity(), Similarity(scale=1.1), Similarity(shift_um=(2.6, -1.3))):
        image = single(similarity)
        row, column = np.unravel_index(np.argmin(image), image.shape)
        centres.append(((row - 31.5) * 1.3, (column - 38.0) * 1.3))
    np.testing.assert_allclose(centres[0], (20.0, -15.0), atol=0.7)  # half a pixel
    np.testing.assert_allclose(centres[1], (22.0, -16.5), atol=0.7)
    np.testing.assert_allclose(centres[2], (22.6, -16.3), atol=0.7)
