"""Richardson-Lucy: accelerated against plain likelihood, frames in batch, precision."""

from __future__ import annotations

import numpy as np
import pytest

from restoration_scenes import tailed_kernel, target
from scintscope.convolve import Convolver
from scintscope.errors import DataError
from scintscope.restoration import richardson_lucy, richardson_lucy_frames


def blurred(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a noisy blurred target of about 400 counts, and the kernel."""
    kernel = tailed_kernel(31)
    sharp = 400.0 * target((120, 131))
    mean = np.maximum(Convolver(kernel, sharp.shape, "periodic").forward(sharp), 0.0)
    return np.random.default_rng(seed).poisson(mean).astype(np.float64), kernel


@pytest.mark.parametrize("boundary", ["zero", "edge_aware", "periodic"])
def test_twenty_accelerated_are_worth_fifty(boundary: str):
    """Twenty accelerated iterations fit the data as well as fifty plain ones."""
    image, kernel = blurred(1)
    # history is of the estimate entering an iteration: the 51st entry judges fifty iterations
    plain = richardson_lucy(image, kernel, iterations=51, boundary=boundary)
    fast = richardson_lucy(
        image, kernel, iterations=21, boundary=boundary, acceleration="biggs_andrews"
    )
    assert fast.history[20] <= plain.history[50]


def test_acceleration_keeps_estimate_non_negative():
    """Extrapolation never makes the estimate negative."""
    image, kernel = blurred(2)
    image[:60] = 0.0
    found = richardson_lucy(image, kernel, iterations=25, acceleration="biggs_andrews")
    assert found.estimate.min() >= 0.0


@pytest.mark.parametrize("acceleration", ["none", "biggs_andrews"])
def test_frames_in_batch_are_frames_alone(acceleration: str):
    """A batch gives each frame the bits it gets alone."""
    frames = np.stack([blurred(seed)[0] for seed in (3, 4)])
    kernel = blurred(3)[1]
    batch = richardson_lucy_frames(frames, kernel, iterations=4, acceleration=acceleration)
    for frame, found in zip(frames, batch, strict=True):
        alone = richardson_lucy(frame, kernel, iterations=4, acceleration=acceleration)
        np.testing.assert_array_equal(found.estimate, alone.estimate)
        assert found.history == alone.history


def test_float32_follows_float64():
    """After twenty iterations float32 is at float64 to 1e-5 of the peak (rounding, amplified)."""
    image, kernel = blurred(5)
    single, double = (
        richardson_lucy(image, kernel, iterations=20, precision=p).estimate
        for p in ("float32", "float64")
    )
    assert np.abs(single - double).max() < 1e-5 * double.max()


def test_unequal_frames_are_refused():
    """Frames of different shapes cannot share one transfer function."""
    image, kernel = blurred(6)
    with pytest.raises(DataError, match="one shape"):
        richardson_lucy_frames([image, image[:-1]], kernel, iterations=1)
