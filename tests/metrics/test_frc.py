"""Fourier ring correlation: bounds, closed forms, thresholds and the resolution read off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import DataError
from scintscope.metrics import fourier_ring_correlation, half_bit_threshold


def white(shape, seed, sigma=1.0):
    return sigma * np.random.default_rng(seed).standard_normal(shape)


def low_passed(image, transfer):
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in image.shape), indexing="ij"))
    return np.fft.ifft2(np.fft.fft2(image) * transfer(frequency)).real


@pytest.mark.parametrize("shape", [(48, 64), (63, 40), (33, 57)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identical_images_correlate_fully(shape, dtype):
    """An image with itself (gain and offset apart) gives 1 on every ring and no resolution."""
    image = white(shape, 1).astype(dtype)
    result = fourier_ring_correlation(image, 2 * image.astype(np.float64) + 3, pixel_um=0.65)
    np.testing.assert_allclose(result.correlation, 1.0, rtol=0, atol=1e-12)  # float rounding
    assert result.resolution_one_seventh_um is None
    assert result.resolution_half_bit_um is None


def test_inverted_image_gives_minus_one():
    """The sign of the correlation is kept."""
    image = white((40, 44), 2)
    result = fourier_ring_correlation(image, -image, pixel_um=1.0)
    np.testing.assert_allclose(result.correlation, -1.0, rtol=0, atol=1e-12)  # float rounding


@pytest.mark.parametrize("window", ["hann", "none"])
def test_independent_noise_does_not_correlate(window):
    """Two white images correlate within the statistics of each ring."""
    shape = (192, 160)
    result = fourier_ring_correlation(white(shape, 3), white(shape, 4), pixel_um=1.0, window=window)
    # variance 1 / (2 n) of n complex elements; Hann leaves (35/18)^2 times fewer; 5 sigma
    sigma = np.sqrt((35 / 18) ** 2 / (2 * result.count))
    inside = result.count > 20
    assert np.all(np.abs(result.correlation[inside]) < 5 * sigma[inside])


@pytest.mark.parametrize("snr", [0.5, 2.0, 8.0])
def test_known_snr_gives_snr_over_one_plus_snr(snr):
    """With a common white signal of power SNR the mean correlation is SNR / (1 + SNR)."""
    shape = (256, 200)
    signal = white(shape, 5, np.sqrt(snr))
    result = fourier_ring_correlation(
        signal + white(shape, 6), signal + white(shape, 7), pixel_um=1.0
    )
    mean = np.average(result.correlation, weights=result.count)
    # sigma of a correlation of n elements <= 1 / sqrt(n); n = total / (35/18)^2; 5 sigma
    tolerance = 5 * (35 / 18) / np.sqrt(result.count.sum())
    assert mean == pytest.approx(snr / (1 + snr), abs=tolerance)


def test_resolution_is_where_the_expected_curve_crosses():
    """A Gaussian transfer of signal over white noise crosses 1/7 where SNR(f) = 1/6."""
    shape = (384, 384)
    width, ratio, pixel_um = 0.12, 3.0, 0.5
    signal = low_passed(white(shape, 8), lambda f: np.exp(-0.5 * (f / width) ** 2))
    noise = 1 / np.sqrt(ratio)
    result = fourier_ring_correlation(
        signal + white(shape, 9, noise), signal + white(shape, 10, noise), pixel_um=pixel_um
    )
    # ratio exp(-(f / width)^2) = 1/6; in cycles per pixel
    expected = pixel_um / (width * np.sqrt(np.log(6 * ratio)))
    # rings near the crossing hold ~240 elements: sigma 1.9/sqrt(480) = 0.09 on a curve falling by
    # 0.02 a ring, so the first crossing comes up to a few rings of 78 early
    assert result.resolution_one_seventh_um == pytest.approx(expected, rel=0.12)
    assert result.resolution_half_bit_um > result.resolution_one_seventh_um


def test_half_bit_threshold_has_its_limits():
    """It tends to 0.2071 / 1.2071 = 0.1716 for large rings and is 1 at a single element."""
    threshold = half_bit_threshold(np.array([1.0, 1e12]))
    assert threshold[0] == pytest.approx((0.2071 + 1.9102) / (1.2071 + 0.9102), rel=1e-12)
    assert threshold[0] == pytest.approx(1.0, abs=1e-12)  # the published constants sum alike
    assert threshold[1] == pytest.approx(0.2071 / 1.2071, rel=1e-5)  # 1/sqrt(1e12) x 9


def test_ring_counts_are_of_independent_elements():
    """A real image has half as many independent elements on a ring as the plane has elements."""
    image = white((32, 40), 12)
    result = fourier_ring_correlation(image, image, pixel_um=1.0)
    frequency = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(40))
    ring = np.floor(frequency * 32 + 0.5)
    np.testing.assert_array_equal(result.count, [(ring == k).sum() / 2 for k in range(1, 17)])
    np.testing.assert_array_equal(result.half_bit, half_bit_threshold(result.count))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rows=st.integers(16, 31),
    columns=st.integers(16, 31),
    mix=st.floats(-1.0, 1.0),
)
def test_bounded_and_symmetric(seed, rows, columns, mix):
    """Law: the correlation lies in [-1, 1] and does not depend on the order of the images."""
    one = white((rows, columns), seed)
    two = mix * one + white((rows, columns), seed + 1)
    result = fourier_ring_correlation(one, two, pixel_um=1.0)
    swapped = fourier_ring_correlation(two, one, pixel_um=1.0)
    assert np.all(np.abs(result.correlation) <= 1 + 1e-12)  # Cauchy-Schwarz, float rounding
    np.testing.assert_allclose(result.correlation, swapped.correlation, rtol=0, atol=1e-12)


def test_refusals():
    """Constant, small, mismatched and infinite images are refused."""
    image = white((32, 32), 11)
    with pytest.raises(DataError, match="first is constant"):
        fourier_ring_correlation(np.ones((32, 32)), image, pixel_um=1.0)
    with pytest.raises(DataError, match="at least 16"):
        fourier_ring_correlation(image[:15], image[:15], pixel_um=1.0)
    with pytest.raises(DataError, match="common region"):
        fourier_ring_correlation(image, image[:, :-2], pixel_um=1.0)
    with pytest.raises(DataError, match="second has 1 of"):
        fourier_ring_correlation(image, np.where(image == image.max(), np.inf, image), pixel_um=1.0)
