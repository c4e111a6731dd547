"""Contrast of line pairs against sinusoids and Coltman's series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from scintscope.errors import DataError, InputError, RangeError, SamplingError
from scintscope.metrics import bar_modulation, bar_profile

PIXEL_UM = 0.65


def bars(count_px, period_px, sigma_px, phase_px=0.4):
    """Return a Gaussian-blurred 0-1 square wave, sampled at points, period and duty exact."""
    column = np.arange(count_px)[:, None] - phase_px
    edge = np.arange(-60, int(count_px / period_px) + 60) * period_px
    return (
        ndtr((column - edge) / sigma_px) - ndtr((column - edge - 0.5 * period_px) / sigma_px)
    ).sum(axis=1)


@pytest.mark.parametrize("period_px", [5.3, 8.0, 12.7])
@pytest.mark.parametrize("lines", ["vertical", "horizontal"])
def test_sinusoid_gives_its_own_modulation(period_px, lines):
    """A raised sinusoid of modulation 0.3 reads 0.3, at any period, in both directions."""
    profile = 10.0 * (1 + 0.3 * np.cos(2 * np.pi * (np.arange(70) / period_px + 0.123)))
    region = np.tile(profile, (9, 1))
    result = bar_modulation(
        region if lines == "vertical" else region.T,
        pixel_um=PIXEL_UM,
        line_width_um=0.5 * period_px * PIXEL_UM,
        lines=lines,
    )
    # extremes on a grid of 720 phases: (pi/720)^2 / 2 = 1e-5
    assert result.modulation == pytest.approx(0.3, rel=1e-4)
    assert result.frequency_cy_per_um == pytest.approx(1 / (period_px * PIXEL_UM), rel=1e-12)
    assert result.residual_rms < 1e-9
    assert result.contrast_transfer is None
    assert result.fundamental_transfer is None


@pytest.mark.parametrize("sigma_px", [1.5, 2.5, 4.0])
def test_blurred_bars_follow_coltman(sigma_px):
    """CTF = 4/pi (M(f) - M(3f)/3 + M(5f)/5 - ...) and the fundamental gives M(f)."""
    period_px, swing = 14.0, 40.0
    region = np.tile(5.0 + swing * bars(84, period_px, sigma_px), (7, 1))
    result = bar_modulation(
        region,
        pixel_um=PIXEL_UM,
        line_width_um=0.5 * period_px * PIXEL_UM,
        full_swing=swing,
    )
    order = np.arange(1, 40, 2)
    mtf = np.exp(-2 * (np.pi * sigma_px * order / period_px) ** 2)
    ctf = 4 / np.pi * np.sum((-1.0) ** np.arange(order.size) * mtf / order)
    # the 7th harmonic left out: 4/pi M(7f)/7 = 0.002 at 1.5 px
    assert result.contrast_transfer == pytest.approx(ctf, abs=3e-3)
    # whole periods: harmonics are orthogonal up to aliasing of the 13th, M(13 f) < 1e-6
    assert result.fundamental_transfer == pytest.approx(mtf[0], rel=1e-6)
    assert result.harmonics == 5


def test_noise_does_not_raise_the_contrast():
    """Noise on a vanished pattern leaves the fitted contrast near zero, unlike max minus min."""
    generator = np.random.default_rng(3)
    region = 100.0 + generator.standard_normal((40, 120))
    result = bar_modulation(region, pixel_um=1.0, line_width_um=4.0)
    # 10 coefficients of sigma sqrt(2/120/40) each: the extremes stay below 10 x 0.02 x 2
    assert result.modulation < 0.4 / 100
    assert np.ptp(bar_profile(region)) > result.high - result.low


@settings(max_examples=25, deadline=None)
@given(gain=st.floats(0.1, 100.0), shift=st.floats(0.0, 14.0))
def test_contrast_knows_no_gain_and_no_phase(gain, shift):
    """Law: modulation and transfer are unchanged by gain and by where the pattern starts."""
    plain = np.tile(1.0 + bars(84, 14.0, 3.0), (4, 1))
    moved = np.tile(gain * (1.0 + bars(84, 14.0, 3.0, phase_px=shift)), (4, 1))
    one = bar_modulation(plain, pixel_um=1.0, line_width_um=7.0, full_swing=1.0)
    two = bar_modulation(moved, pixel_um=1.0, line_width_um=7.0, full_swing=gain)
    # extremes on a grid of 720 phases: 1e-5
    assert two.modulation == pytest.approx(one.modulation, rel=1e-4)
    assert two.contrast_transfer == pytest.approx(one.contrast_transfer, rel=1e-4)


def test_subtracted_image_has_no_modulation_but_a_transfer():
    """Without an absolute zero only the swing is meaningful."""
    region = np.tile(bars(60, 10.0, 2.0) - 0.8, (5, 1))
    result = bar_modulation(region, pixel_um=1.0, line_width_um=5.0, full_swing=1.0)
    assert result.modulation is None
    assert 0.0 < result.contrast_transfer < 1.0


def test_refusals():
    """Aliased or too few periods, unknown directions, NaN and a zero swing are refused."""
    region = np.tile(bars(60, 10.0, 2.0), (5, 1))
    with pytest.raises(SamplingError, match="aliases"):
        bar_modulation(region, pixel_um=1.0, line_width_um=1.0)
    with pytest.raises(SamplingError, match="at least 2 are needed"):
        bar_modulation(region, pixel_um=1.0, line_width_um=20.0)
    with pytest.raises(InputError, match="'horizontal'"):
        bar_modulation(region, pixel_um=1.0, line_width_um=5.0, lines="rows")
    with pytest.raises(RangeError, match="full_swing"):
        bar_modulation(region, pixel_um=1.0, line_width_um=5.0, full_swing=0.0)
    with pytest.raises(DataError, match="NaN"):
        bar_profile(np.full((4, 9), np.nan))
