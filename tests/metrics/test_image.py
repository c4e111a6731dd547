"""RMSE, PSNR and SSIM against a truth, raw and after the best gain and offset."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import DataError
from scintscope.metrics import (
    compare_to_truth,
    compare_to_truths,
    gain_offset_fit,
    psnr,
    rmse,
    ssim,
)


def scene(shape=(41, 60), seed=1):
    row, column = np.indices(shape)
    pattern = np.sin(row / 4.0) + np.cos(column / 6.0 + 0.02 * row)
    return pattern + 0.05 * np.random.default_rng(seed).standard_normal(shape)


def noisy(shape=(41, 60), sigma=0.3, seed=2):
    return scene(shape) + sigma * np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_psnr_and_ssim_are_those_of_scikit_image(dtype):
    """Same numbers as skimage with the documented range and Gaussian window."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    truth, image = scene().astype(dtype), noisy().astype(dtype)
    span = float(np.ptp(truth))
    wide = truth.astype(np.float64), image.astype(np.float64)
    expected = structural_similarity(
        *wide, data_range=span, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    # the same moments, about another level
    assert ssim(image, truth) == pytest.approx(expected, rel=1e-12)
    assert psnr(image, truth) == pytest.approx(
        peak_signal_noise_ratio(*wide, data_range=span), rel=1e-12
    )


def test_rmse_of_a_constant_shift_is_the_shift_over_the_spread():
    """Closed form: |offset| / std(truth) raw, nothing after the fit."""
    truth = scene()
    result = compare_to_truth(truth + 0.5, truth)
    assert result.rmse_raw == pytest.approx(0.5 / truth.std(), rel=1e-12)
    assert result.rmse == pytest.approx(0.0, abs=1e-12)  # float rounding
    assert result.psnr_raw == pytest.approx(20 * math.log10(np.ptp(truth) / 0.5), rel=1e-12)
    assert result.gain == pytest.approx(1.0, rel=1e-12)
    assert result.offset == pytest.approx(-0.5, rel=1e-12)


def test_perfect_image_scores_perfectly():
    """Equal images: no error, SSIM 1, infinite PSNR, gain 1, offset 0."""
    truth = scene()
    result = compare_to_truth(truth, truth)
    assert (result.rmse_raw, result.psnr_raw) == (0.0, math.inf)
    assert result.ssim_raw == pytest.approx(1.0, abs=1e-12)
    assert result.gain == pytest.approx(1.0, abs=1e-12)
    assert result.offset == pytest.approx(0.0, abs=1e-12)


def test_fitted_rmse_is_the_uncorrelated_part():
    """Closed form: rmse after the fit = sqrt(1 - rho^2)."""
    truth, image = scene(), noisy()
    rho = np.corrcoef(image.ravel(), truth.ravel())[0, 1]
    result = compare_to_truth(image, truth)
    assert result.rmse == pytest.approx(math.sqrt(1 - rho**2), rel=1e-9)  # rounding of 1 - rho^2


def test_the_line_applied_is_the_regression():
    """Gain and offset are numpy's least-squares line, and applying it gives the fitted numbers."""
    truth, image = scene(), noisy()
    gain, offset = np.polyfit(image.ravel(), truth.ravel(), 1)
    result = compare_to_truth(image, truth)
    fit = gain_offset_fit(image, truth)
    assert (fit.gain, fit.offset) == (result.gain, result.offset)
    assert fit.gain == pytest.approx(gain, rel=1e-9)  # conditioning of polyfit
    assert fit.offset == pytest.approx(offset, rel=1e-9)
    applied = result.gain * image + result.offset
    assert result.rmse == pytest.approx(rmse(applied, truth), rel=1e-12)
    assert result.ssim == pytest.approx(ssim(applied, truth), rel=1e-12)
    assert result.psnr == pytest.approx(psnr(applied, truth), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    gain=st.floats(0.01, 100.0),
    offset=st.floats(-50.0, 50.0),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_fitted_numbers_ignore_gain_and_offset(gain, offset, sign):
    """Law: any line through the image leaves rmse, psnr and ssim after the fit unchanged."""
    truth, image = scene((23, 30)), noisy((23, 30))
    plain = compare_to_truth(image, truth)
    changed = compare_to_truth(sign * gain * image + offset, truth)
    # cancellation of the offset: 50 / 0.01 x 1e-16 relative to the contrast, squared sums
    assert changed.rmse == pytest.approx(plain.rmse, rel=1e-9)
    assert changed.psnr == pytest.approx(plain.psnr, rel=1e-9)
    assert changed.ssim == pytest.approx(plain.ssim, rel=1e-9)
    assert changed.gain == pytest.approx(sign * plain.gain / gain, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(sigma=st.floats(0.01, 3.0), gain=st.floats(-3.0, 3.0), offset=st.floats(-2.0, 2.0))
def test_fit_never_makes_it_worse(sigma, gain, offset):
    """Law: the fitted rmse is at most the raw one and at most 1."""
    truth = scene((20, 17))
    image = gain * noisy((20, 17), sigma) + offset
    result = compare_to_truth(image, truth)
    assert result.rmse <= min(result.rmse_raw, 1.0) + 1e-12  # float rounding


def test_many_at_once_are_each_alone():
    """Several images against several truths give to the bit what each pair gives by itself."""
    truths = {"one": scene(), "other": 3.0 * scene() ** 2}
    images = {"sharp": noisy(scene().shape, 0.1), "soft": noisy(scene().shape, 0.6)}
    mask = np.ones(scene().shape, bool)
    mask[:7] = False
    found = compare_to_truths(images, truths, mask)
    for name, truth in truths.items():
        for which, image in images.items():
            assert found[name][which] == compare_to_truth(image, truth, mask)


def test_constant_image_keeps_the_mean_only():
    """An empty image fits with gain 0, the truth's mean and an rmse of one standard deviation."""
    truth = scene()
    result = compare_to_truth(np.full(truth.shape, 1e4 / 3), truth)
    assert result.gain == 0.0
    assert result.offset == pytest.approx(truth.mean(), rel=1e-12)
    assert result.rmse == pytest.approx(1.0, rel=1e-12)


def test_mask_confines_every_number():
    """Garbage outside the mask and its SSIM windows changes nothing."""
    truth, image = scene((50, 64)), noisy((50, 64))
    mask = np.zeros(truth.shape, bool)
    mask[12:40, 15:50] = True
    spoiled = image.copy()
    spoiled[:6], spoiled[:, -8:] = 1e6, -1e6
    plain, other = compare_to_truth(image, truth, mask), compare_to_truth(spoiled, truth, mask)
    # SSIM filters are separable sums: garbage stays out of range exactly
    assert other == plain
    region = np.s_[12:40, 15:50]
    assert plain.rmse == pytest.approx(rmse_after_fit(image[region], truth[region]), rel=1e-12)
    whole = compare_to_truth(image, truth, np.ones(truth.shape, bool))
    assert whole == compare_to_truth(image, truth)


def rmse_after_fit(image, truth):
    return compare_to_truth(image, truth).rmse


def test_refusals():
    """NaN, stacks, unequal shapes, constant truth, bad masks and tiny images are refused."""
    truth = scene()
    bad = truth.copy()
    bad[0, 0] = np.nan
    with pytest.raises(DataError, match="image has 1 of 2460 values that are NaN"):
        compare_to_truth(bad, truth)
    with pytest.raises(DataError, match="truth has 1 of"):
        compare_to_truth(truth, bad)
    with pytest.raises(DataError, match="common region"):
        compare_to_truth(truth, truth.T)
    with pytest.raises(DataError, match="truth is constant"):
        compare_to_truth(truth, np.ones(truth.shape))
    with pytest.raises(DataError, match="selects no pixel"):
        rmse(truth, truth, np.zeros(truth.shape, bool))
    with pytest.raises(DataError, match="give booleans"):
        rmse(truth, truth, np.ones(truth.shape))
    with pytest.raises(DataError, match="at least 11"):
        ssim(truth[:10], truth[:10])
    border = np.zeros(truth.shape, bool)
    border[:3] = True
    with pytest.raises(DataError, match="further in"):
        ssim(truth, truth, border)
    with pytest.raises(DataError, match="real numbers"):
        rmse(truth * 1j, truth)
