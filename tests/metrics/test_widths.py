"""Widths, centroids and differences of kernels against Gaussians, discs and shifts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import DataError, RangeError
from scintscope.metrics import (
    centroid_px,
    encircled_energy_radius_um,
    fourier_shift,
    kernel_relative_error,
    psf_widths,
    radial_profile,
)
from scintscope.units import FWHM_PER_SIGMA

PIXEL_UM = 0.65


def gaussian(shape, centre, sigma_row, sigma_column=None):
    sigma_column = sigma_row if sigma_column is None else sigma_column
    row, column = np.indices(shape)
    return np.exp(
        -0.5 * ((row - centre[0]) / sigma_row) ** 2
        - 0.5 * ((column - centre[1]) / sigma_column) ** 2
    )


@pytest.mark.parametrize("shape", [(60, 60), (61, 47), (40, 51)])
@pytest.mark.parametrize("sigma_px", [1.5, 3.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_widths_of_a_gaussian(shape, sigma_px, dtype):
    """FWHM = 2.355 sigma radially and along both axes, wherever the centre lies."""
    centre = (shape[0] / 2 - 2.3, shape[1] / 2 + 1.4)
    result = psf_widths(gaussian(shape, centre, sigma_px).astype(dtype), pixel_um=PIXEL_UM)
    expected = FWHM_PER_SIGMA * sigma_px * PIXEL_UM
    # cubic spline: 5/384 of the fourth derivative, 5/384 x 3 / 1.5^4 = 0.8 % of the peak at 1.5 px
    assert result.radial_fwhm_um == pytest.approx(expected, rel=8e-3)
    # linear between pixels (h^2/8 x curvature) and a peak up to 0.4 px off its pixel: the width at
    # half of exp(-0.08/sigma^2) is wider by 0.08/(2 ln 2 sigma^2) = 2.6 % at 1.5 px
    assert result.row_fwhm_um == pytest.approx(expected, rel=0.05)
    assert result.column_fwhm_um == pytest.approx(expected, rel=0.05)
    assert result.centroid_px == pytest.approx(centre, abs=1e-4)  # tails cut at 6 sigma; float32


def test_row_is_across_and_column_is_down():
    """An elongated kernel: the width along the row is that of the columns' direction."""
    result = psf_widths(gaussian((61, 81), (30, 40), 2.0, 6.0), pixel_um=1.0)
    assert result.row_fwhm_um == pytest.approx(FWHM_PER_SIGMA * 6.0, rel=0.01)  # linear interp.
    assert result.column_fwhm_um == pytest.approx(FWHM_PER_SIGMA * 2.0, rel=0.02)
    assert result.peak_px == (30, 40)


def test_width_not_reached_is_none():
    """A kernel wider than its window has no half maximum inside."""
    result = psf_widths(gaussian((21, 21), (10, 10), 40.0), pixel_um=1.0)
    assert result.row_fwhm_um is None
    assert result.column_fwhm_um is None
    assert result.radial_fwhm_um is None


def test_ring_is_measured_at_its_outside():
    """A kernel with a dip in the middle has the outer diameter, not that of the dip."""
    row, column = np.indices((61, 61)) - 30
    radius = np.hypot(row, column)
    ring = np.clip(10.5 - radius, 0, 1) * np.where(radius < 4, 0.8, 1.0)
    # 0.8 in the middle, half of it reached at 10.1 px on the linear flank; spline overshoot 1 %
    assert psf_widths(ring, pixel_um=1.0).radial_fwhm_um == pytest.approx(20.2, rel=0.02)


def test_radial_profile_of_a_radial_function():
    """The profile samples the function of radius from an off-pixel centre."""
    radius, profile = radial_profile(gaussian((50, 63), (24.3, 30.6), 4.0), (24.3, 30.6))
    # cubic spline of a Gaussian of 4 px: error < (1/4)^4
    np.testing.assert_allclose(profile, np.exp(-0.5 * (radius / 4.0) ** 2), rtol=0, atol=2e-3)
    assert radius[-1] <= 24.3


@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.9])
def test_encircled_energy_of_a_gaussian(fraction):
    """R = sigma sqrt(-2 ln(1 - fraction))."""
    sigma_px = 3.0
    psf = gaussian((61, 70), (30.2, 33.7), sigma_px)
    # pixels spread over their squares add 1/12 px^2 per axis: sigma^2 -> sigma^2 + 1/12
    sigma_um = PIXEL_UM * math.sqrt(sigma_px**2 + 1 / 12)
    expected = sigma_um * math.sqrt(-2 * math.log(1 - fraction))
    radius = encircled_energy_radius_um(psf, pixel_um=PIXEL_UM, fraction=fraction)
    assert radius == pytest.approx(expected, rel=5e-3)  # rings of 1/8 px, 5 x 5 points


def test_encircled_energy_of_one_pixel():
    """A single pixel holds half of itself within sqrt(1 / (2 pi)) of its side."""
    psf = np.zeros((9, 12))
    psf[4, 5] = 3.0
    radius = encircled_energy_radius_um(psf, pixel_um=2.0)
    assert radius == pytest.approx(2.0 * math.sqrt(0.5 / math.pi), abs=2.0 / 8)  # one ring


def test_whole_pixel_shift_is_a_roll():
    """Moving by whole pixels is exact and towards larger indices."""
    image = np.random.default_rng(1).random((12, 17))
    moved = fourier_shift(image, (3, -2))
    np.testing.assert_allclose(moved, np.roll(image, (3, -2), (0, 1)), rtol=0, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    down=st.floats(-2.0, 2.0),
    right=st.floats(-2.0, 2.0),
    gain=st.floats(0.1, 10.0),
    odd=st.booleans(),
)
def test_kernel_error_ignores_gain_and_place(down, right, gain, odd):
    """Law: a kernel moved by a fraction of a pixel and scaled is the same kernel."""
    shape = (41, 37) if odd else (40, 38)
    truth = gaussian(shape, (20, 18), 2.0, 2.5)
    estimate = gain * gaussian(shape, (20 + down, 18 + right), 2.0, 2.5)
    # tails cut at 16 px / 2.5 = 6 sigma: exp(-20) and aliasing exp(-2 pi^2 sigma^2 / 4) = 3e-9
    assert kernel_relative_error(estimate, truth) < 1e-6


def test_kernel_error_of_two_gaussians():
    """Closed form of ||g_a - g_b|| / ||g_b|| for unit-sum Gaussians of two widths."""
    a, b = 2.0, 3.0
    estimate, truth = gaussian((60, 60), (29, 31), a), gaussian((60, 60), (30, 30), b)
    # <g_a, g_b> = 1 / (2 pi (a^2 + b^2))
    aa, bb, ab = 1 / (4 * a * a), 1 / (4 * b * b), 1 / (2 * (a * a + b * b))
    expected = math.sqrt((aa - 2 * ab + bb) / bb)
    assert kernel_relative_error(estimate, truth) == pytest.approx(expected, rel=1e-6)  # cut tails


@pytest.mark.parametrize("shape", [(81, 81), (80, 74), (31, 29)])
def test_kernel_error_judges_in_the_estimates_window(shape):
    """A truth on a larger or smaller window, even or odd, is brought to the estimate's."""
    estimate = gaussian((40, 41), (19.5, 20), 2.0)
    truth = gaussian(shape, (shape[0] / 2 + 0.7, shape[1] / 2 - 0.4), 2.0)
    assert kernel_relative_error(estimate, truth) < 1e-6  # tails at 7 sigma, aliasing 1e-8


def test_small_difference_shows():
    """A one-percent pedestal is seen: the measure does not normalise errors away."""
    truth = gaussian((40, 40), (20, 20), 2.0)
    assert kernel_relative_error(truth + 0.01, truth) > 0.1


def test_refusals():
    """Zero sum, NaN, wrong dimensions and fractions outside (0, 1) are refused."""
    psf = gaussian((15, 15), (7, 7), 2.0)
    with pytest.raises(DataError, match="positive sum"):
        centroid_px(psf - psf.mean() - 1.0)
    with pytest.raises(DataError, match="truth sums to 0"):
        kernel_relative_error(psf, np.zeros((15, 15)))
    with pytest.raises(DataError, match="NaN"):
        psf_widths(np.full((5, 5), np.nan), pixel_um=1.0)
    with pytest.raises(DataError, match="average a stack"):
        psf_widths(psf[0], pixel_um=1.0)
    with pytest.raises(DataError, match="outside an array"):
        radial_profile(psf, (-1.0, 3.0))
    with pytest.raises(RangeError, match="fraction"):
        encircled_energy_radius_um(psf, pixel_um=1.0, fraction=1.0)
