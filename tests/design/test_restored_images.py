"""Images of a design, and Richardson-Lucy on them beside its linear formula."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from scintscope.design.images import (
    Camera,
    band_variance,
    camera_truth,
    full_images,
    noisy,
    periodic_camera,
    radius,
    square_mean,
    weak_images,
)
from scintscope.design.objectives import Objective
from scintscope.design.restored_images import (
    images_error,
    images_sentence,
    linear_error,
    plate_kernel,
    truth_variance,
)
from scintscope.noise import signal_noise
from scintscope.noise.sampled import camera_variance
from scintscope.response import at_frequencies, depth_response, mean_transfer
from scintscope.scenario import load_scenario

SHAPE = (96, 128)
OBJECT = Objective(kind="mse_richardson_lucy", contrast=0.01, correlation_um=4.0, iterations=10)
LONG_S = 1e5
"""Exposure of 1e8 X-rays per um2: of a contrast of 1 %, noise leaves a ten-thousandth part."""


@pytest.fixture(scope="module")
def camera() -> Camera:
    """Return 40 um under 20 keV on pixels of 0.5 um: what the lens passes is not aliased much."""
    sets = [
        "lens.magnification=13",
        "thick.thickness_um=40",
        "thick.focus_um=10",
        "accuracy.depth_tolerance=1e-4",
    ]
    off = ("fluorescence=local", "electrons=false", "scattered_photons=false")
    sets += [f"accuracy.effects.{key}" for key in off] + [f"thick.exposure_s={LONG_S:g}"]
    instrument = load_scenario("scenarios/synchrotron.toml", sets).instrument()
    return periodic_camera(instrument, depth_response(instrument, instrument.thick), SHAPE)


@pytest.fixture(scope="module")
def curves(camera: Camera) -> Any:
    """Return the three curves that the linear formula reads."""
    response = camera.response
    f = np.linspace(0.0, 1.0 / response.pixel_um, 400)
    variance = camera_variance(camera.instrument.camera, response.plate.exposure_s)
    sharp = at_frequencies(f, response.frequency_cy_per_um, mean_transfer(response))
    return SimpleNamespace(
        frequency_cy_per_um=f,
        transfer=sharp * np.sinc(f * response.pixel_um),
        normalised_nps_um2=signal_noise(response, f, 0.0, variance).normalised_nps_um2,
    )


def test_weak_images_hold_the_plates_transfer(camera: Camera) -> None:
    """Where aliases are weak, image over object is the transfer function times both pixel means."""
    images = weak_images(camera, OBJECT, np.random.default_rng(1))
    f, pixel = radius(images.grid), images.grid.pixel_um
    response = camera.response
    sharp = at_frequencies(f, response.frequency_cy_per_um, mean_transfer(response))
    truth = camera_truth(images)
    low = (f > 0.0) & (f < 0.3 / pixel)
    seen = np.fft.rfft2(images.picture)[low] / truth[low]
    # aliases of a object whose power falls with the cube of the frequency: a hundredth at most
    assert np.abs(seen - (square_mean(images.grid, pixel) * sharp)[low]).max() < 0.02
    assert truth_variance(images) == pytest.approx(band_variance(OBJECT, 0.5 / pixel), rel=0.3)


def test_kernel_is_the_plates(camera: Camera) -> None:
    """The kernel is not negative, of unit sum, centred; its transform is the plate's transfer."""
    images = weak_images(camera, OBJECT, np.random.default_rng(1))
    kernel = plate_kernel(images)
    assert kernel.shape == SHAPE
    assert kernel.min() >= 0.0
    assert kernel.sum() == pytest.approx(1.0)
    assert np.unravel_index(kernel.argmax(), SHAPE) == (SHAPE[0] // 2, SHAPE[1] // 2)
    f = radius(images.grid)
    response = camera.response
    sharp = at_frequencies(f, response.frequency_cy_per_um, mean_transfer(response))
    wanted = sharp * square_mean(images.grid, images.grid.pixel_um)
    found = np.fft.rfft2(np.fft.ifftshift(kernel))
    low = f < 0.25 / images.grid.pixel_um
    # aliases there come from beyond 0.75 cycles a pixel, where lens and pixel pass below 1 %
    assert np.abs(found - wanted)[low].max() < 0.01


def test_weak_contrast_is_linear(camera: Camera, curves: Any) -> None:
    """At 1 % contrast without noise, Richardson-Lucy leaves what its linear formula says."""
    images = weak_images(camera, OBJECT, np.random.default_rng(2))
    found = images_error(images, OBJECT.iterations, np.random.default_rng(3), frames=1)
    # second order in the contrast, and aliases that the formula does not have: a per cent each
    assert found == pytest.approx(linear_error(images, curves, OBJECT.iterations), rel=0.03)


def test_full_contrast_is_black_and_white(camera: Camera) -> None:
    """The object passes nothing or everything, half of each; its frames go down to no light."""
    images = full_images(camera, OBJECT, np.random.default_rng(4))
    assert images.truth.min() == pytest.approx(-1.0, abs=1e-4)
    assert images.truth.max() == pytest.approx(0.0, abs=1e-9)
    assert images.truth.mean() == pytest.approx(-0.5, abs=0.1)
    (frame,) = noisy(images, 1.0, 1, np.random.default_rng(5))
    assert -1.01 < frame.min() < -0.5
    assert truth_variance(images) < 0.25


def test_full_contrast_is_not_linear(camera: Camera, curves: Any) -> None:
    """At full contrast the linear formula no longer holds; steps still bring the image nearer."""
    images = full_images(camera, OBJECT, np.random.default_rng(4))
    few, many = (images_error(images, n, np.random.default_rng(3), frames=1) for n in (2, 20))
    assert many < few < truth_variance(images)
    assert abs(many / linear_error(images, curves, 20) - 1.0) > 0.05


def test_sentence_names_both_contrasts() -> None:
    """The answer says what is left of weak and of full contrast; nothing without images."""
    row = {
        "linearised": 0.5, "images": 0.6, "rms_contrast": 0.05, "full_contrast_images": 0.2,
        "full_contrast_linearised": 0.3, "full_contrast_iterations": 20.0,
    }  # fmt: skip
    text = images_sentence({"mtf50": {"mse_richardson_lucy": row}})
    assert "0.6 of the object's variance at 5% contrast" in text
    assert "0.2 at full contrast" in text
    assert images_sentence({}) == ""
