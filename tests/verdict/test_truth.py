"""The truths lie where the measured images lie, and the true kernel joins the plates."""

import numpy as np
import pytest

from forward_scenes import (
    LENS,
    blob,
    centroid,
    converging,
    rendered,
    response_of,
    scene_of,
    small,
)
from scintscope.camera.parts import Camera
from scintscope.forward.render import light_image, xray_images
from scintscope.forward.simulate import truth_of
from scintscope.geometry import Geometry
from scintscope.noise import mean_electrons_per_um2
from scintscope.sample.specimen import PointGrid
from scintscope.verdict.single_psf import judge_single_psf
from scintscope.verdict.truth import (
    open_level,
    relative_scale,
    thin_truth,
    true_kernel,
    xray_truth,
)


def light_of(scene):
    return truth_of(light_image(scene, xray_images(scene)))


def test_open_level_is_the_rendered_open_beam():
    """Transmissions are relative to the open beam on axis."""
    bench = small()
    response = response_of(bench, "thin")
    image = rendered(scene_of(bench, response))
    np.testing.assert_allclose(image, open_level(response), rtol=2e-6)  # float32 images
    assert open_level(response) == pytest.approx(
        mean_electrons_per_um2(response) / 10.0 * 1.69, rel=1e-12
    )


def test_xray_truth_is_the_transmission():
    """One energy: exp(-mu t) averaged over each pixel, in [0, 1], at its place."""
    bench = small()
    scene = scene_of(bench, response_of(bench), blob(9.0, -14.0, 4.0, 3.0))
    truth = xray_truth(light_of(scene), scene.response, scene.plane, 1.0, (0.0, 0.0))
    assert truth.shape == bench.camera.shape
    assert 0.0 <= truth.min() < truth.max() <= 1.0
    through = np.exp(-scene.mu_per_um["Au"][0] * scene.specimen.thickness_um["Au"].astype(float))
    rows, columns = scene.plane.padded_shape
    binned = through.reshape(rows, 2, columns, 2).mean(axis=(1, 3))
    r0, c0 = (rows - 40) // 2, (columns - 49) // 2
    np.testing.assert_allclose(truth, binned[r0 : r0 + 40, c0 : c0 + 49], atol=1e-6)  # float32


def test_xray_truth_moves_with_scale_and_shift():
    """The truth of a blob goes to m times its place plus the shift."""
    bench = small(camera=Camera(shape=(64, 77)))
    scene = scene_of(bench, response_of(bench), blob(13.0, -19.5, 2.5, 0.5))
    truth = xray_truth(light_of(scene), scene.response, scene.plane, 1.1, (1.3, -2.6))
    wanted = (31.5 + (13.0 * 1.1 + 1.3) / 1.3, 38.0 + (-19.5 * 1.1 - 2.6) / 1.3)
    found = centroid(1.0 - truth, round(wanted[0]), round(wanted[1]), 9)
    np.testing.assert_allclose(found, wanted, atol=2e-3)  # px: float32 and linear interpolation


@pytest.mark.parametrize("face", ["entrance", "exit"])
def test_thin_truth_lies_on_the_thick_image(face):
    """In a corner of the field the thin truth lies on the moved thick image within 0.05 px."""
    bench = small(
        geometry=Geometry(
            source_to_scintillator_mm=10.0, source_to_sample_mm=9.0, plate_reference=face
        ),
        camera=Camera(shape=(96, 109)),
    )
    shift = (0.9, -0.6)
    grid = PointGrid(pitch_um=16.0, diameter_um=6.0)
    corner = blob(45.0, -52.0, 2.5, 2.0)
    fits, scenes = {}, {}
    for plate in ("thin", "thick"):
        response = response_of(bench, plate)
        whole = scene_of(bench, response, grid)
        # one fine grid for both plates, as in a run: the thick plate's margin is the wider
        fits[plate] = judge_single_psf(whole, xray_images(whole)).similarity
        scenes[plate] = scene_of(bench, response, corner)
    scale = relative_scale(scenes["thick"].plane, fits["thick"], scenes["thin"].plane, fits["thin"])
    scene = scenes["thin"]
    thin = thin_truth(light_of(scene), scene.response, scene.plane, scale, shift)
    thick = rendered(scenes["thick"])
    magnified = scenes["thick"].plane.sample_magnification
    near = (round(47.5 + 45.0 * magnified / 1.3), round(54.0 - 52.0 * magnified / 1.3))
    # thick light spreads over many pixels: compare the places of the darkest point by parabola
    places = [minimum(image, *near) for image in (thin, thick)]
    moved = np.array(places[1]) + np.array(shift) / 1.3
    np.testing.assert_allclose(places[0], moved, atol=0.05)
    if face == "exit":
        assert scenes["thick"].plane.entrance_mm < scenes["thin"].plane.entrance_mm


def minimum(image, row, column):
    """Return the sub-pixel place of the minimum near a pixel, by parabolas."""
    part = image[row - 4 : row + 5, column - 4 : column + 5]
    r, c = np.unravel_index(np.argmin(part), part.shape)
    r, c = r + row - 4, c + column - 4

    def vertex(a, b, d):
        return 0.5 * (a - d) / (a - 2.0 * b + d)

    return (
        r + vertex(image[r - 1, c], image[r, c], image[r + 1, c]),
        c + vertex(image[r, c - 1], image[r, c], image[r, c + 1]),
    )


def test_true_kernel_turns_thin_into_thick():
    """Parallel, telecentric, one energy: thin image * kernel = thick image, of unit sum."""
    bench = small(camera=Camera(shape=(64, 77)), lens=LENS)
    thin, thick = response_of(bench, "thin"), response_of(bench)
    kernel = true_kernel(thin, thick, 128)
    assert kernel.sum() == pytest.approx(1.0, rel=1e-12)
    assert np.unravel_index(kernel.argmax(), kernel.shape) == (64, 64)
    np.testing.assert_allclose(kernel[1:, 1:], kernel[:0:-1, :0:-1], atol=1e-12)  # symmetric
    sample = blob(5.0, -8.0, 3.0, 1.0)
    images = [1.0 - rendered(scene_of(bench, r, sample)) / open_level(r) for r in (thin, thick)]
    padded = np.zeros((192, 205))
    padded[64:128, 64:141] = images[0]
    transfer = np.zeros((192, 205))
    transfer[:128, :128] = kernel
    transfer = np.roll(transfer, (-64, -64), axis=(0, 1))
    blurred = np.fft.irfft2(np.fft.rfft2(padded) * np.fft.rfft2(transfer), s=padded.shape)
    inside = (slice(16, -16), slice(16, -16))
    difference = blurred[64:128, 64:141][inside] - images[1][inside]
    # tails of the thin image beyond the camera, and frequencies the ratio leaves out
    assert np.abs(difference).max() < 5e-3 * images[1].max()


def test_relative_scale_is_one_for_parallel_beams():
    """Without magnification the plates' images have one size."""
    from scintscope.verdict.single_psf import Similarity

    bench = small()
    planes = [scene_of(bench, response_of(bench, p)).plane for p in ("thick", "thin")]
    assert relative_scale(planes[0], Similarity(), planes[1], Similarity()) == 1.0
    near = converging(10.0)
    plane = scene_of(near, response_of(near)).plane
    assert relative_scale(plane, Similarity(scale=1.02), plane, Similarity()) == pytest.approx(1.02)
