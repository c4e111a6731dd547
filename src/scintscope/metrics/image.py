"""Distance of an image from a known truth, raw and after the best gain and offset."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scintscope.errors import DataError
from scintscope.metrics.checks import BoolArray, Float64Array, as_image_pair, as_mask

SSIM_SIGMA_PX = 1.5
SSIM_RADIUS_PX = 5
"""Radius of the SSIM weights: 3.5 sigma, rounded; a window of 11 x 11 pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GainOffset:
    """The line ``gain * image + offset`` nearest to the truth.

    Parameters
    ----------
    gain : float
        Negative if the image's contrast is inverted; 0 if the image is constant.
    offset : float
        In the truth's unit.
    """

    gain: float
    offset: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TruthComparison:
    """Distances of an image from the truth over the selected pixels.

    Parameters
    ----------
    rmse, ssim, psnr : float
        After the best gain and offset. ``rmse`` is divided by the truth's standard deviation;
        ``psnr`` is in dB and infinite for equal images.
    rmse_raw, ssim_raw, psnr_raw : float
        The same of the image as it is.
    gain, offset : float
        What was applied: ``gain * image + offset``.
    """

    rmse: float
    ssim: float
    psnr: float
    rmse_raw: float
    ssim_raw: float
    psnr_raw: float
    gain: float
    offset: float


def gain_offset_fit(
    image: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None
) -> GainOffset:
    """Return the least-squares gain and offset that bring an image to the truth.

    Parameters
    ----------
    image, truth : (M, N) float arrays
    mask : (M, N) bool array, optional
        Pixels to fit; all by default.

    Raises
    ------
    DataError
        Images that cannot be used or differ in shape; an unusable mask.

    Notes
    -----
    The image is regressed on, so noise in it lowers the gain below the ratio of the contrasts.
    """
    one, two = as_image_pair("image", image, "truth", truth)
    selected = as_mask(mask, (two.shape[0], two.shape[1]))
    return _fit(one[selected], two[selected])


def rmse(image: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return the root mean square difference divided by the truth's standard deviation.

    Raises
    ------
    DataError
        Images that cannot be used or differ in shape; an unusable mask; a constant truth.
    """
    one, two = as_image_pair("image", image, "truth", truth)
    selected = as_mask(mask, (two.shape[0], two.shape[1]))
    _check_contrast(two[selected])
    return _root_mean_square(one[selected] - two[selected]) / float(np.std(two[selected]))


def psnr(image: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return the peak signal-to-noise ratio, dB: ``20 log10(peak-to-peak of truth / rms error)``.

    The data range is the truth's peak-to-peak over the selected pixels. Infinite for equal images.

    Raises
    ------
    DataError
        As `rmse`.
    """
    one, two = as_image_pair("image", image, "truth", truth)
    selected = as_mask(mask, (two.shape[0], two.shape[1]))
    _check_contrast(two[selected])
    return _decibels(two[selected], _root_mean_square(one[selected] - two[selected]))


def ssim(image: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return the mean structural similarity (Wang et al. 2004, IEEE TIP 13, 600).

    Gaussian weights of sigma 1.5 px in a window of 11 x 11, K1 = 0.01, K2 = 0.03, population
    covariances, data range = the truth's peak-to-peak over the selected pixels (scikit-image's
    ``structural_similarity``). The mean is over the selected pixels at least 5 px from the border;
    windows of selected pixels reach up to 5 px beyond the mask.

    Raises
    ------
    DataError
        As `rmse`; also images smaller than 11 x 11 or a mask within 5 px of the border only.
    """
    one, two = as_image_pair("image", image, "truth", truth, minimum_px=2 * SSIM_RADIUS_PX + 1)
    selected = as_mask(mask, (two.shape[0], two.shape[1]))
    _check_contrast(two[selected])
    return _structural_similarity(one, two, selected)


def compare_to_truth(
    image: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None
) -> TruthComparison:
    """Return RMSE, SSIM and PSNR of an image, raw and after the best gain and offset.

    Parameters
    ----------
    image, truth : (M, N) float arrays
        In one unit for the raw numbers to mean something; at least 11 x 11.
    mask : (M, N) bool array, optional
        Pixels to judge; all by default. Values outside must be finite too.

    Returns
    -------
    TruthComparison

    Raises
    ------
    DataError
        NaN or infinite values, unequal shapes, an unusable mask, a constant truth.

    Notes
    -----
    After the fit ``rmse = sqrt(1 - rho^2)`` with rho the correlation of image and truth.
    """
    one, two = as_image_pair("image", image, "truth", truth, minimum_px=2 * SSIM_RADIUS_PX + 1)
    selected = as_mask(mask, (two.shape[0], two.shape[1]))
    reference = two[selected]
    _check_contrast(reference)
    fit = _fit(one[selected], reference)
    fitted = fit.gain * one + fit.offset
    spread = float(np.std(reference))
    error_raw = _root_mean_square(one[selected] - reference)
    error = _root_mean_square(fitted[selected] - reference)
    return TruthComparison(
        rmse=error / spread,
        ssim=_structural_similarity(fitted, two, selected),
        psnr=_decibels(reference, error),
        rmse_raw=error_raw / spread,
        ssim_raw=_structural_similarity(one, two, selected),
        psnr_raw=_decibels(reference, error_raw),
        gain=fit.gain,
        offset=fit.offset,
    )


def _fit(values: Float64Array, reference: Float64Array) -> GainOffset:
    """Return the regression line of reference on values, both one-dimensional."""
    mean, target = float(values.mean()), float(reference.mean())
    centred = values - mean
    power = float(centred @ centred)
    # A constant image leaves rounding noise of this size; a line through it means nothing.
    rounding = values.size * (4.0 * np.finfo(np.float64).eps * abs(mean)) ** 2
    gain = float(centred @ (reference - target)) / power if power > rounding else 0.0
    return GainOffset(gain=gain, offset=target - gain * mean)


def _check_contrast(reference: Float64Array) -> None:
    """Refuse a truth without contrast."""
    if np.ptp(reference) == 0.0:
        raise DataError(
            f"truth is constant ({reference[0]:g}) over the selected pixels: errors are given in "
            "units of its standard deviation; select a region with contrast."
        )


def _root_mean_square(difference: Float64Array) -> float:
    """Return the root mean square of a one-dimensional array."""
    return math.sqrt(float(difference @ difference) / difference.size)


def _decibels(reference: Float64Array, error: float) -> float:
    """Return 20 log10 of peak-to-peak over error; infinite for zero error."""
    return math.inf if error == 0.0 else 20.0 * math.log10(float(np.ptp(reference)) / error)


def _structural_similarity(image: Float64Array, truth: Float64Array, selected: BoolArray) -> float:
    """Return the mean of the SSIM map over selected pixels off the border."""
    from skimage.metrics import structural_similarity

    inner = selected[SSIM_RADIUS_PX:-SSIM_RADIUS_PX, SSIM_RADIUS_PX:-SSIM_RADIUS_PX]
    if not inner.any():
        raise DataError(
            f"mask selects only pixels within {SSIM_RADIUS_PX} px of the border, where SSIM has no "
            "full window: select some further in."
        )
    _, similarity = structural_similarity(
        image,
        truth,
        data_range=float(np.ptp(truth[selected])),
        gaussian_weights=True,
        sigma=SSIM_SIGMA_PX,
        use_sample_covariance=False,
        full=True,
    )
    inside = similarity[SSIM_RADIUS_PX:-SSIM_RADIUS_PX, SSIM_RADIUS_PX:-SSIM_RADIUS_PX]
    return float(inside[inner].mean())
