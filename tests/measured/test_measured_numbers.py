"""Noise of repeated frames, edges and pixel sizes without a truth: closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from scintscope.measured.files import settle_pixel
from scintscope.measured.numbers import edge_numbers, half_difference, image_noise
from scintscope.restoration import AlignedPlate
from scintscope.restoration.registration import DISABLED
from scintscope.scenario import load_restore_settings

SHAPE = (120, 131)
# relative standard deviation of a variance estimated from n normal values is sqrt(2 / n); 5 sigma
VARIANCE_ERROR = 5.0 * math.sqrt(2.0 / (SHAPE[0] * SHAPE[1]))


def noisy(level: float, sigma: float, count: int, seed: int) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(0.0, sigma, (count, *SHAPE))


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_half_difference_has_the_variance_of_the_mean(count: int) -> None:
    """White noise of standard deviation s gives s^2 / N, for odd and even N."""
    found = half_difference(noisy(500.0, 8.0, count, 1))
    assert found is not None
    assert found.var() == pytest.approx(64.0 / count, rel=VARIANCE_ERROR)


def test_half_difference_needs_repeats_and_ignores_the_image() -> None:
    """A single frame has no noise to see; a fixed image cancels to rounding."""
    assert half_difference(noisy(500.0, 8.0, 1, 1)) is None
    image = np.arange(SHAPE[0] * SHAPE[1], dtype=float).reshape(SHAPE)
    still = half_difference(np.repeat(image[None], 4, axis=0))
    assert still is not None
    assert np.abs(still).max() == 0.0


@pytest.mark.parametrize("divided", [False, True])
def test_image_noise_propagates_to_first_order(divided: bool) -> None:
    """Both noises enter: (db - ds)/level, or (ds - T db)/b, with their own variances."""
    level, transmission = 400.0, 0.6
    sample = noisy(transmission * level, 6.0, 6, 2)
    background = noisy(level, 9.0, 4, 3)
    plate = AlignedPlate(
        sample=np.full(SHAPE, transmission * level),
        background=np.full(SHAPE, level),
        registration=DISABLED,
    )
    found = image_noise(sample, background, plate, divided)
    share = transmission if divided else 1.0
    expected = (36.0 / 6 + share**2 * 81.0 / 4) / level**2
    assert found is not None
    assert found.var() == pytest.approx(expected, rel=VARIANCE_ERROR)
    assert image_noise(sample[:1], background, plate, divided) is None


@pytest.mark.parametrize("pixel_um", [None, 0.65])
def test_edge_of_known_blur_gives_its_mtf50(pixel_um: float | None) -> None:
    """A Gaussian edge of width s has MTF50 = sqrt(ln 2 / 2) / (pi s), per pixel and per um."""
    rows, columns = np.mgrid[:96, :80].astype(float)
    distance = ((columns - 41.3) - math.tan(math.radians(5.0)) * (rows - 48)) * math.cos(
        math.radians(5.0)
    )
    sigma_px = 1.7
    edge = 0.5 * (1.0 + special.erf(distance / (math.sqrt(2.0) * sigma_px)))
    numbers = edge_numbers({"thick": edge}, pixel_um, (8, 88, 10, 74))
    expected = math.sqrt(math.log(2.0) / 2.0) / (math.pi * sigma_px)
    # bins of a quarter pixel: sinc(f/4) and interpolation, below 1 % at this frequency
    assert numbers["mtf50_thick_cy_per_px"] == pytest.approx(expected, rel=0.01)
    per_um = numbers["mtf50_thick_cy_per_um"]
    assert per_um == (pixel_um and pytest.approx(expected / pixel_um, rel=0.01))
    assert numbers["mtf50_thin_cy_per_px"] is None


def test_no_edge_named_gives_null() -> None:
    """Without a region nothing is measured, and the keys are there all the same."""
    numbers = edge_numbers({"thick": np.ones((40, 40))}, 1.0, None)
    assert len(numbers) == 6
    assert set(numbers.values()) == {None}
    flat = edge_numbers({"thick": np.ones((40, 40))}, 1.0, (0, 40, 0, 40))
    assert set(flat.values()) == {None}


@settings(max_examples=30, deadline=None)
@given(
    tags=st.dictionaries(
        st.sampled_from(["thin", "thick", "thin_background", "specimen"]),
        st.none() | st.floats(0.05, 20.0),
    )
)
def test_pixel_size_comes_from_the_thick_stack_first(tags: dict[str, float | None]) -> None:
    """Without settings the thick stack's tag goes first; no tag at all means unknown."""
    pixel_um, source, notes = settle_pixel(tags, load_restore_settings(None))
    stated = [size for size in tags.values() if size is not None]
    assert len(notes) >= 1
    if not stated:
        assert (pixel_um, source) == (None, "unknown")
        return
    assert source == "tags"
    assert pixel_um in stated
    if tags.get("thick") is not None:
        assert pixel_um == tags["thick"]
    # the note and the choice agree about a conflict
    conflict = any(abs(size - pixel_um) > 0.005 * pixel_um for size in stated)
    assert any(note.level == "warning" for note in notes) == conflict
