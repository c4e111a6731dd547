"""Slanted-edge MTF against exactly integrated Gaussian edges."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from scintscope.errors import DataError, InputError, RangeError
from scintscope.metrics import Mtf, mtf_at, slanted_edge
from scintscope.units import FWHM_PER_SIGMA

PIXEL_UM = 1.3
# Pixels scatter within the quarter-pixel bins: a step of the edge-spread function is displaced by
# at most an eighth of a pixel around a mean that is followed; measured at most 0.0018 at half a
# pixel of blur and falling with the square of bin over blur.
MTF_TOLERANCE = 0.003
RISE_PER_SIGMA = 2.5631031310892007  # 10-90 % of a Gaussian edge, 2 x 1.2815515655446004


def second_antiderivative(u):
    """Twice integrated normal distribution: ((u^2 + 1) Phi(u) + u phi(u)) / 2."""
    return 0.5 * ((u * u + 1) * ndtr(u) + u * np.exp(-0.5 * u * u) / math.sqrt(2 * math.pi))


def gaussian_edge(shape, sigma_px, angle_deg, *, shift_px=0.3, horizontal=False):
    """Return a 0-1 edge blurred by a Gaussian and integrated over square pixels, exactly."""
    if horizontal:
        return gaussian_edge(shape[::-1], sigma_px, angle_deg, shift_px=shift_px).T
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    row = (np.arange(shape[0]) - 0.5 * (shape[0] - 1))[:, None]
    column = (np.arange(shape[1]) - 0.5 * (shape[1] - 1) - shift_px)[None, :]

    def corner(up, right):
        return second_antiderivative(((column + right) * cosine - (row + up) * sine) / sigma_px)

    total = corner(0.5, 0.5) - corner(-0.5, 0.5) - corner(0.5, -0.5) + corner(-0.5, -0.5)
    return -(sigma_px**2) / (cosine * sine) * total


def closed_mtf(frequency_cy_per_px, sigma_px, angle_deg):
    """Gaussian times the square pixel along the edge's normal."""
    angle = math.radians(angle_deg)
    gaussian = np.exp(-2 * (np.pi * sigma_px * frequency_cy_per_px) ** 2)
    pixel = np.sinc(frequency_cy_per_px * math.cos(angle)) * np.sinc(
        frequency_cy_per_px * math.sin(angle)
    )
    return gaussian * pixel


def worst_error(result, sigma_px, angle_deg):
    frequency = result.mtf.frequency_cy_per_um * PIXEL_UM
    error = np.abs(result.mtf.value - closed_mtf(frequency, sigma_px, angle_deg))
    return error[frequency <= 0.5].max()


@pytest.mark.parametrize("shape", [(64, 64), (101, 80), (80, 121)])
@pytest.mark.parametrize("angle_deg", [2.0, 5.0, -5.0, -12.0])
@pytest.mark.parametrize("sigma_px", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("horizontal", [False, True])
def test_mtf_is_gaussian_times_pixel(shape, angle_deg, sigma_px, horizontal):
    """Closed form: exp(-2 pi^2 sigma^2 f^2) times the pixel's sinc, in both orientations."""
    image = gaussian_edge(shape, sigma_px, angle_deg, horizontal=horizontal)
    result = slanted_edge(image, pixel_um=PIXEL_UM)
    assert result.orientation == ("horizontal" if horizontal else "vertical")
    assert worst_error(result, sigma_px, angle_deg) < MTF_TOLERANCE
    # centroids of an antisymmetric edge under a symmetric window are exact but for its truncation
    assert result.angle_deg == pytest.approx(angle_deg, abs=1e-3)
    across = shape[0] if horizontal else shape[1]
    assert result.offset_px == pytest.approx(0.5 * (across - 1) + 0.3, abs=1e-3)


def test_repeating_phases_cost_accuracy_and_finer_bins_are_no_cure():
    """At slope 1/4 a blur of half a pixel is off by more than usual but below the stated 0.013."""
    angle = math.degrees(math.atan(0.25))
    image = gaussian_edge((96, 96), 0.5, angle)
    assert worst_error(slanted_edge(image, pixel_um=PIXEL_UM), 0.5, angle) < 0.013
    with pytest.raises(DataError, match="supersampled bins empty"):
        slanted_edge(image, pixel_um=PIXEL_UM, oversampling=16)


def test_error_falls_with_the_square_of_the_bin():
    """Twice the oversampling divides the error of the 10-90 width by four (second order)."""
    image = gaussian_edge((160, 96), 1.0, 5.0)
    exact = RISE_PER_SIGMA * math.sqrt(1.0 + 1.0 / 12.0) * PIXEL_UM
    # the exact width of a Gaussian convolved with a pixel differs from that of a Gaussian of the
    # same variance by its fourth cumulant, below 0.1 %: much less than the errors compared
    errors = [
        abs(slanted_edge(image, pixel_um=PIXEL_UM, oversampling=n).width_10_90_um - exact)
        for n in (4, 8)
    ]
    slope = math.log2(errors[0] / errors[1])
    assert slope == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize("horizontal", [False, True])
def test_polarity_changes_the_sign_of_the_step_only(horizontal):
    """A falling edge gives the same MTF, angle and widths and a negative step."""
    image = gaussian_edge((70, 90), 1.2, 4.0, horizontal=horizontal)
    rising = slanted_edge(10 + 5 * image, pixel_um=PIXEL_UM)
    falling = slanted_edge(15 - 5 * image, pixel_um=PIXEL_UM)
    # float rounding of the same arithmetic with the other sign
    np.testing.assert_allclose(falling.mtf.value, rising.mtf.value, rtol=0, atol=1e-9)
    assert falling.angle_deg == pytest.approx(rising.angle_deg, abs=1e-9)
    assert falling.width_10_90_um == pytest.approx(rising.width_10_90_um, rel=1e-9)
    assert rising.step == pytest.approx(5.0, rel=1e-6)  # plateaus ten sigma away
    assert falling.step == pytest.approx(-5.0, rel=1e-6)


@pytest.mark.parametrize("sigma_px", [1.5, 3.0])
def test_widths_are_those_of_the_gaussian(sigma_px):
    """10-90 width 2.563 sigma and FWHM 2.355 sigma of the total variance (pixel 1/12 px^2)."""
    result = slanted_edge(gaussian_edge((128, 100), sigma_px, 6.0), pixel_um=PIXEL_UM)
    total_um = math.sqrt(sigma_px**2 + 1 / 12) * PIXEL_UM
    # quarter-pixel bins and differences add 2/12/16 px^2 of variance and linear interpolation as
    # much: together below 1/2 x 4/12/16 / 1.5^2 = 0.5 %
    assert result.width_10_90_um == pytest.approx(RISE_PER_SIGMA * total_um, rel=0.01)
    assert result.lsf_fwhm_um == pytest.approx(FWHM_PER_SIGMA * total_um, rel=0.015)
    area = result.lsf_per_um.sum() * PIXEL_UM / 4
    assert area == pytest.approx(1.0, rel=1e-6)  # telescoping sum of the step


def test_mtf50_matches_the_closed_form():
    """MTF50 of a Gaussian with pixel is the root of the closed form."""
    sigma_px, angle_deg = 1.5, 5.0
    result = slanted_edge(gaussian_edge((128, 100), sigma_px, angle_deg), pixel_um=PIXEL_UM)
    fine = np.linspace(0.0, 0.5, 100001)
    expected = fine[np.argmax(closed_mtf(fine, sigma_px, angle_deg) <= 0.5)] / PIXEL_UM
    # MTF error 0.0005 over a slope of about 4 per (cycle/px) at 0.12 cycles/px
    assert result.mtf50_cy_per_um == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma_px", [1.0, 2.0])
def test_noise_leaves_angle_and_mtf50_in_place(dtype, sigma_px):
    """At a step of 50 noise sigmas the angle holds to 0.04 deg, MTF50 and widths to 5 %."""
    generator = np.random.default_rng(5)
    image = gaussian_edge((160, 120), sigma_px, -6.0)
    noisy = (image + 0.02 * generator.standard_normal(image.shape)).astype(dtype)
    result = slanted_edge(noisy, pixel_um=PIXEL_UM)
    clean = slanted_edge(image, pixel_um=PIXEL_UM)
    # A row's centroid under a window w of half-width h = 30 px has sigma 0.02 sqrt(sum (w x)'^2),
    # about 0.02 sqrt(h / 2) = 0.08 px; the slope over 160 rows 0.08 sqrt(12) / 160^1.5 = 1.4e-4,
    # 0.008 deg: 5 sigma
    assert result.angle_deg == pytest.approx(-6.0, abs=0.04)
    # measured scatter over seeds 1-2.4 % (frequency) and 1-2 % (widths), here at most 2-4 sigma
    assert result.mtf50_cy_per_um == pytest.approx(clean.mtf50_cy_per_um, rel=0.05)
    assert result.width_10_90_um == pytest.approx(clean.width_10_90_um, rel=0.05)
    assert result.lsf_fwhm_um == pytest.approx(clean.lsf_fwhm_um, rel=0.07)


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(0.01, 1000.0), offset=st.floats(-100.0, 100.0), turn=st.booleans())
def test_mtf_knows_no_gain_offset_or_transposition(gain, offset, turn):
    """Law: grey-value gain and offset change nothing; transposing changes the orientation only."""
    image = gaussian_edge((60, 72), 1.0, 7.0)
    plain = slanted_edge(image, pixel_um=PIXEL_UM)
    changed = gain * image + offset
    other = slanted_edge(changed.T if turn else changed, pixel_um=PIXEL_UM)
    # rounding of the offset relative to the gain: 1e2 / 1e-2 x 1e-16 x sqrt(pixels) and derivative
    np.testing.assert_allclose(other.mtf.value, plain.mtf.value, rtol=0, atol=1e-8)
    assert (other.orientation == "horizontal") == turn


def test_angle_sign_is_that_of_the_drawing():
    """Positive angle: the column of the edge grows with the row."""
    row, column = np.indices((60, 60))
    image = np.clip(column - (25 + 0.1 * row) + 0.5, 0.0, 1.0)
    result = slanted_edge(image, pixel_um=1.0)
    assert result.angle_deg == pytest.approx(math.degrees(math.atan(0.1)), abs=0.05)
    assert result.offset_px == pytest.approx(25 + 0.1 * 29.5, abs=0.05)  # clipped ramp, not exact


def test_mtf_at_interpolates_and_says_none():
    """Linear between samples, the first crossing counts, None when never reached."""
    mtf = Mtf(
        frequency_cy_per_um=np.array([0.0, 1.0, 2.0, 3.0]), value=np.array([1.0, 0.6, 0.2, 0.7])
    )
    assert mtf_at(mtf, 0.5) == pytest.approx(1.25)
    assert mtf_at(mtf, 0.6) == pytest.approx(1.0)
    assert mtf_at(mtf, 0.1) is None
    with pytest.raises(RangeError, match="level"):
        mtf_at(mtf, 1.0)


def test_refusals():
    """No edge, an edge along the axis, one at the border, NaN and unknown words are refused."""
    edge = gaussian_edge((64, 64), 1.0, 5.0)
    with pytest.raises(DataError, match="no edge"):
        slanted_edge(np.ones((32, 32)), pixel_um=1.0)
    straight = np.tile(np.where(np.arange(64) < 30, 0.0, 1.0), (64, 1))
    with pytest.raises(DataError, match="tilt the edge"):
        slanted_edge(straight, pixel_um=1.0)
    with pytest.raises(DataError, match="room are needed"):
        slanted_edge(edge[:, 26:], pixel_um=1.0)
    with pytest.raises(DataError, match="NaN"):
        slanted_edge(np.where(edge > 0.9, np.nan, edge), pixel_um=1.0)
    with pytest.raises(InputError, match="Did you mean 'vertical'"):
        slanted_edge(edge, pixel_um=1.0, orientation="verticle")
    with pytest.raises(RangeError, match="oversampling"):
        slanted_edge(edge, pixel_um=1.0, oversampling=1)
