"""Averaging and corrections: closed forms, zingers, bad pixels, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from scintscope.errors import DataError
from scintscope.restoration.average import (
    average_frames,
    check_frames,
    correct_image,
    flat_gain,
    repair_pixels,
)


def stack(count: int = 5, shape: tuple[int, int] = (20, 31)) -> np.ndarray:
    """Return Poisson frames of a bright and a dim half, 16 bits."""
    rng = np.random.default_rng(1)
    level = np.where(np.arange(shape[1]) < shape[1] // 2, 400.0, 4000.0)
    return rng.poisson(np.broadcast_to(level, (count, *shape))).astype(np.uint16)


def test_mean_of_frames():
    """Without outliers the average is numpy's mean, float64."""
    image, report = average_frames(stack())
    np.testing.assert_allclose(image, stack().mean(axis=0), rtol=1e-15)
    assert report.frames == 5 and report.saturated_values == 0


def test_single_frame_passes_with_note():
    """One (row, column) frame is its own mean and the note says so."""
    image, report = average_frames(stack()[0])
    np.testing.assert_array_equal(image, stack()[0])
    assert any("single frame" in note.sentence for note in report.notes)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_zingers_are_rejected_and_noise_is_kept(count: int):
    """Direct hits vanish from the mean; of ordinary noise next to nothing is rejected."""
    frames = stack(count)
    clean = frames.mean(axis=0)
    frames[0, 3, 4] = frames[1, 7, 25] = 30000
    image, report = average_frames(frames, zinger_sigma=8.0)
    assert 2 <= report.rejected_values <= 4  # 8 sigma of a pooled estimate: noise gives none to two
    # the pixel's other frames remain: within 5 sigma of one frame's counting noise
    assert abs(image[3, 4] - clean[3, 4]) < 5 * 20
    assert abs(image[7, 25] - clean[7, 25]) < 5 * 64


def test_nan_values_are_left_out_and_counted():
    """A NaN in one frame leaves the pixel's other frames; a pixel without any is repaired."""
    frames = stack().astype(float)
    frames[2, 5, 5] = np.nan
    frames[:, 8, 8] = np.nan
    image, report = average_frames(frames)
    assert report.nonfinite_values == 6
    assert image[5, 5] == pytest.approx(frames[[0, 1, 3, 4], 5, 5].mean())
    corrected, bad, notes = correct_image(image)
    assert bad == 1 and np.isfinite(corrected).all() and notes


def test_saturation_is_counted():
    """Values at the top of 8 bits count as saturated and 8-bit frames get a note."""
    frames = stack().astype(float)
    frames = np.clip(frames / 20, 0, 255).astype(np.uint8)
    frames[:, 0, :4] = 255
    report = average_frames(frames)[1]
    assert report.saturated_values == int((frames == 255).sum())
    assert any("8-bit" in note.sentence for note in report.notes)
    assert any("saturated" in note.sentence for note in report.notes)


def test_dark_and_flat_closed_form():
    """(image - dark) / (flat - dark) * mean undoes pixel gains exactly."""
    rng = np.random.default_rng(2)
    truth, gain, dark = rng.random((12, 15)) * 100, 1 + 0.1 * rng.random((12, 15)), 50.0
    image = truth * gain + dark
    flat = 1000.0 * gain
    corrected, bad, _ = correct_image(image, dark=np.full(truth.shape, dark), flat=flat)
    # flat_gain keeps the mean count: truth times the mean gain
    np.testing.assert_allclose(corrected, truth * gain.mean(), rtol=1e-12)
    assert bad == 0


def test_dead_flat_pixels_are_repaired():
    """Zero and negative flat pixels never divide; they take their surroundings' median."""
    flat = np.full((20, 20), 100.0)
    flat[3, 3], flat[10, 12] = 0.0, -5.0
    corrected, bad, notes = correct_image(np.full((20, 20), 7.0), flat=flat)
    assert bad == 2 and notes
    np.testing.assert_allclose(corrected, 7.0)


def test_repair_grows_over_clusters():
    """A cluster larger than 3 x 3 is filled from farther away."""
    image = np.full((40, 40), 2.0)
    bad = np.zeros_like(image, bool)
    bad[10:13, 10:13] = True
    image[bad] = np.nan
    np.testing.assert_array_equal(repair_pixels(image, bad, "x"), 2.0)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((0, 10, 10)), "is empty"),
        (np.zeros((20, 30, 3), np.uint8), "colour"),
        (np.zeros((2, 3, 20, 30)), "4 dimensions"),
        (np.zeros(30), "1 dimensions"),
        (np.zeros((4, 5)), "too small"),
        (np.zeros((20, 20), complex), "real numbers"),
        (np.full((20, 20), np.nan), "frame 0 is NaN"),
    ],
)
def test_check_frames_refuses(frames: np.ndarray, message: str):
    """Frames that cannot be processed are named with their fault."""
    with pytest.raises(DataError, match=message):
        check_frames(frames, "thin.sample")


def test_average_refuses_constant_and_saturated():
    """A constant stack holds no image; a mostly saturated one neither."""
    with pytest.raises(DataError, match="constant"):
        average_frames(np.full((2, 20, 20), 7, np.uint16))
    burnt = np.full((20, 20), 65535, np.uint16)
    burnt[0] = 5
    with pytest.raises(DataError, match="expose shorter"):
        average_frames(burnt)


def test_flat_refuses_darkness():
    """A flat without light is refused."""
    with pytest.raises(DataError, match="holds no light"):
        flat_gain(np.zeros((10, 10)))
    with pytest.raises(DataError, match="its dark is"):
        correct_image(np.ones((10, 10)), dark=np.ones((10, 11)))
