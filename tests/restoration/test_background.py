"""Background removal: signs, levels, offsets, shading once."""

from __future__ import annotations

import numpy as np
import pytest

from scintscope.errors import DataError
from scintscope.restoration.background import (
    absorbed_fraction,
    divide_background,
    subtract_background,
)


def shaded() -> tuple[np.ndarray, np.ndarray]:
    """Return a transmission with one absorbing corner and a shaded background."""
    transmission = np.ones((20, 24))
    transmission[2:8, 3:15] = 0.4
    background = 500.0 * (1 + 0.2 * np.linspace(-1, 1, 24)[None, :] * np.ones((20, 1)))
    return transmission, background


def test_subtraction_closed_form():
    """The signal of an absorber is (B - S) / mean(B), positive, in units of the level."""
    transmission, background = shaded()
    signal, report = subtract_background(transmission * background, background)
    np.testing.assert_allclose(signal, (1 - transmission) * background / 500.0, atol=1e-12)
    assert report.sign == 1 and report.level_adu == pytest.approx(500.0)
    assert report.clipped_fraction == 0.0


def test_thin_and_thick_become_comparable():
    """Ten times the light gives the same signal."""
    transmission, background = shaded()
    dim, _ = subtract_background(transmission * background, background)
    bright, _ = subtract_background(10 * transmission * background, 10 * background)
    np.testing.assert_allclose(dim, bright, atol=1e-12)


def test_division_removes_shading_once():
    """Sample over background is the transmission; 1 minus it is the absorbed share."""
    transmission, background = shaded()
    ratio, report = divide_background(transmission * background, background)
    np.testing.assert_allclose(ratio, transmission, rtol=1e-12)
    assert report.bad_pixels == 0
    share, _ = absorbed_fraction(transmission * background, background)
    np.testing.assert_allclose(share, 1 - transmission, atol=1e-12)


def test_clip_and_shift_report_what_they_did():
    """Half of pure noise is clipped; a shift clips the lowest 0.1 per cent only."""
    rng = np.random.default_rng(3)
    transmission, background = shaded()
    sample = transmission * background + rng.normal(0, 5, transmission.shape)
    clip, clipped = subtract_background(sample, background, offset="clip")
    assert clip.min() == 0.0 and clipped.clipped_fraction == clipped.negative_fraction
    assert 0.3 < clipped.clipped_fraction < 0.5  # half of the 85 % empty pixels
    assert clipped.clipped_signal > 0
    shift, shifted = subtract_background(sample, background, offset="shift")
    assert shifted.offset > 0 and shifted.clipped_fraction < 0.01 and shift.min() == 0.0
    kept = shift > 0
    np.testing.assert_allclose(
        (shift - shifted.offset)[kept], ((background - sample) / 500.0)[kept], atol=1e-12
    )


def test_emitting_target():
    """A target that adds light has signal S - B."""
    _, background = shaded()
    sample = background.copy()
    sample[5:9, 5:9] += 250.0
    signal, report = subtract_background(sample, background, sign="emitting")
    assert signal.max() == pytest.approx(0.5) and report.sign == -1


def test_dark_background_pixels_are_repaired():
    """A dead background pixel does not divide."""
    transmission, background = shaded()
    background = background.copy()
    sample = transmission * background
    background[15, 20] = 0.0
    ratio, report = divide_background(sample, background)
    assert report.bad_pixels == 1 and ratio[15, 20] == pytest.approx(1.0, abs=0.01)


def test_refusals():
    """Wrong sign, swapped dark, the same image twice, unequal shapes."""
    transmission, background = shaded()
    sample = transmission * background
    with pytest.raises(DataError, match="swapped"):
        subtract_background(background, sample)
    with pytest.raises(DataError, match="holds no light"):
        subtract_background(sample, -background)
    with pytest.raises(DataError, match="same image"):
        divide_background(sample, sample)
    with pytest.raises(DataError, match="but its background is"):
        divide_background(sample, background[:-1])
