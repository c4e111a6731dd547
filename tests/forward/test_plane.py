"""The simulation plane: camera sampling, shifts, scales, penumbra, obliquity."""

from dataclasses import replace

import numpy as np
import pytest

from benches import TUBE
from forward_scenes import INF, converging, response_of, small
from scintscope.accuracy import Effects
from scintscope.camera.parts import Camera
from scintscope.errors import SamplingError
from scintscope.forward.plane import (
    Plane,
    blur_radius_um,
    camera_image,
    depth_scale,
    inverse,
    make_plane,
    obliquity,
    penumbra_sigma_um,
    pixel_transfer,
    shifted,
    transform,
)
from scintscope.grids import Grid

FFT_ROUNDING = 1e-12  # a few hundred samples in float64


def plane_of(camera, padded, oversampling, pixel_um=1.3):
    fine = Grid(
        shape=(padded[0] * oversampling, padded[1] * oversampling), pixel_um=pixel_um / oversampling
    )
    return Plane(
        fine=fine,
        camera_shape=camera,
        padded_shape=padded,
        oversampling=oversampling,
        entrance_mm=INF,
        sample_magnification=1.0,
    )


def wave_at(row_um, column_um, plane):
    """Return a periodic, band-limited, asymmetric image at given coordinates."""
    height, width = plane.fine.extent_um
    row = 2.0 * np.pi * np.asarray(row_um)[:, None] / height
    column = 2.0 * np.pi * np.asarray(column_um)[None, :] / width
    return 2.0 + np.cos(3.0 * row + 0.3) * np.cos(2.0 * column - 0.8) + 0.4 * np.sin(5.0 * column)


@pytest.mark.parametrize("oversampling", [1, 2, 3])
@pytest.mark.parametrize(("camera", "padded"), [((11, 16), (25, 30)), ((12, 15), (24, 27))])
def test_camera_samples_lie_at_pixel_centres(oversampling, camera, padded):
    """A band-limited image is read at the pixels' centres, symmetric about the axis."""
    plane = plane_of(camera, padded, oversampling)
    image = wave_at(plane.fine.row_um, plane.fine.column_um, plane)
    pixels = Grid(shape=camera, pixel_um=plane.pixel_um)
    wanted = wave_at(pixels.row_um, pixels.column_um, plane)
    np.testing.assert_allclose(camera_image(transform(image), plane), wanted, atol=FFT_ROUNDING)


def test_camera_folds_what_it_cannot_resolve():
    """A cosine beyond the camera's Nyquist frequency appears at its alias with full contrast."""
    plane = plane_of((20, 24), (20, 24), 2)
    row = np.arange(40) - 19.5
    image = np.cos(2.0 * np.pi * 17.0 / 40.0 * row)[:, None] * np.ones((1, 48))
    wanted = np.cos(2.0 * np.pi * 17.0 / 20.0 * (np.arange(20) - 9.5))
    result = camera_image(transform(image), plane)
    np.testing.assert_allclose(result, wanted[:, None] * np.ones((1, 24)), atol=FFT_ROUNDING)


@pytest.mark.parametrize("oversampling", [1, 2, 3])
def test_pixel_averages_the_samples_it_covers(oversampling):
    """On area means the pixel's transfer is the plain mean over its o x o samples."""
    plane = plane_of((9, 12), (9, 12), oversampling)
    image = np.random.default_rng(3).normal(size=plane.fine.shape)
    row, column = pixel_transfer(plane)
    result = camera_image(transform(image) * row[:, None] * column[None, :], plane)
    blocks = image.reshape(9, oversampling, 12, oversampling).mean(axis=(1, 3))
    if oversampling % 2 == 0:
        # half-sample shifts leave the Nyquist row and column undefined; the mean is zero there
        assert abs(row[row.size // 2]) < FFT_ROUNDING
    np.testing.assert_allclose(result, blocks, atol=FFT_ROUNDING)


def test_pixel_of_points_is_a_sinc():
    """On points the transfer is that of a box: a cosine is damped by sinc(f pixel)."""
    plane = plane_of((20, 25), (20, 25), 2)
    row, column = pixel_transfer(plane, area_means=False)
    f = plane.fine.column_frequency_cy_per_um
    wanted = np.sin(np.pi * f[1:] * 1.3) / (np.pi * f[1:] * 1.3)
    np.testing.assert_allclose(column[1:], wanted, atol=FFT_ROUNDING)
    assert row[0] == column[0] == 1.0


def test_shift_moves_towards_larger_indices():
    """A positive shift moves the image towards larger row and column, on any shape."""
    plane = plane_of((21, 16), (21, 16), 1)
    image = wave_at(plane.fine.row_um, plane.fine.column_um, plane)
    moved = inverse(shifted(transform(image), plane.fine, (0.7, -1.1)), plane.fine.shape)
    wanted = wave_at(plane.fine.row_um - 0.7, plane.fine.column_um + 1.1, plane)
    np.testing.assert_allclose(moved, wanted, atol=FFT_ROUNDING)


def test_whole_sample_shift_is_a_roll():
    """A shift by whole samples rolls any image; no shift returns the spectrum itself."""
    grid = Grid(shape=(15, 21), pixel_um=0.5)
    image = np.random.default_rng(0).normal(size=grid.shape)
    moved = inverse(shifted(transform(image), grid, (1.0, -1.5)), grid.shape)
    np.testing.assert_allclose(moved, np.roll(image, (2, -3), axis=(0, 1)), atol=FFT_ROUNDING)
    spectrum = transform(image)
    assert shifted(spectrum, grid, (0.0, 0.0)) is spectrum


def test_transforms_keep_their_type():
    """float32 images stay float32, so that a run's memory is what was planned."""
    plane = plane_of((16, 16), (20, 20), 2)
    spectrum = transform(np.ones(plane.fine.shape, dtype=np.float32))
    assert spectrum.dtype == np.complex64
    moved = shifted(spectrum, plane.fine, (0.2, 0.1))
    assert moved.dtype == np.complex64
    assert camera_image(moved, plane).dtype == np.float32


def test_plane_holds_the_blur_and_stays_centred():
    """The margin exceeds the widest blur on every side, and the excess is even."""
    bench = small()
    thin, thick = response_of(bench, "thin"), response_of(bench)
    for response in (thin, thick):
        plane = make_plane(bench, (thin, thick), response, 2)
        for padded, camera in zip(plane.padded_shape, bench.camera.shape, strict=True):
            assert (padded - camera) % 2 == 0
            assert 0.5 * (padded - camera) * plane.pixel_um > blur_radius_um(thick)
        assert plane.fine.shape == tuple(2 * n for n in plane.padded_shape)


def test_too_large_a_grid_is_refused():
    """A grid beyond memory is refused by name before anything is allocated."""
    bench = replace(small(), camera=Camera(shape=(16000, 16000)))
    with pytest.raises(SamplingError, match=r"camera\.shape .*oversampling = 4"):
        make_plane(bench, (response_of(small()),), response_of(small()), 4)


def test_depth_scale_laws():
    """Cone (z0 + z) / z0, lens d2 / (d2 - h / n), their product, and each switch's limit."""
    bench = converging(100.0)
    response = response_of(bench)
    plane = make_plane(bench, (response,), response, 2)
    z = np.array([0.0, 40.0, 100.0])
    cone = 1.0 + z / 1e5
    lens = 1.0 / (1.0 - (z - 70.0) / response.path.index / 1e5)
    for effects, wanted in (
        (Effects(), cone * lens),
        (Effects(lens_perspective=False), cone),
        (Effects(cone_magnification=False), lens),
        (Effects(cone_magnification=False, lens_perspective=False), np.ones(3)),
    ):
        scale = depth_scale(z, plane, response, 100.0, effects)
        np.testing.assert_allclose(scale, wanted, rtol=1e-14)  # rounding
    parallel = small()
    plane = make_plane(parallel, (response_of(parallel),), response_of(parallel), 2)
    assert (depth_scale(z, plane, response_of(parallel), INF, Effects()) == 1.0).all()


def test_penumbra_width_grows_with_depth():
    """Sigma = spot (d + z) / (2.355 z01); constant or absent where switched off."""
    bench = converging(100.0, source=TUBE)
    response = response_of(bench)
    plane = make_plane(bench, (response,), response, 2)
    z = np.array([0.0, 100.0])
    wanted = 5.0 * (10.0 + z / 1000.0) / 90.0 / 2.3548200450309493
    np.testing.assert_allclose(penumbra_sigma_um(z, plane, bench), wanted, rtol=1e-13)
    for effects, limit in (
        (Effects(penumbra_depth=False), wanted[[0, 0]]),
        (Effects(penumbra=False), np.zeros(2)),
    ):
        other = replace(bench, accuracy=replace(bench.accuracy, effects=effects))
        np.testing.assert_allclose(penumbra_sigma_um(z, plane, other), limit, rtol=1e-13)


def test_obliquity_is_the_secant_of_the_ray():
    """1/cos - 1 at the corner of a non-square field; None for parallel beams."""
    bench = converging(5.0)
    response = response_of(bench)
    plane = make_plane(bench, (response,), response, 2)
    excess, greatest = obliquity(plane, Effects())
    corner = np.hypot(plane.fine.row_um[0], plane.fine.column_um[0]) / 5000.0
    # float32 storage
    assert excess[0, 0] == pytest.approx(1.0 / np.cos(np.arctan(corner)) - 1.0, abs=1e-7)
    assert greatest == pytest.approx(excess[0, 0], rel=2e-7)
    assert obliquity(plane, Effects(obliquity=False)) == (None, 0.0)
