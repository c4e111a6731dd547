"""Distance of an image from a known truth, raw and after the best gain and offset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scintscope.errors import DataError
from scintscope.metrics.checks import BoolArray, Float64Array, as_image_pair, as_mask
from scintscope.metrics.similarity import (
    RADIUS_PX,
    LocalMoments,
    local_covariance,
    local_moments,
    similarity_map,
)
from scintscope.sharing import share

_LEAST_PX = 2 * RADIUS_PX + 1


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
    one, two = as_image_pair("image", image, "truth", truth, minimum_px=_LEAST_PX)
    selected = as_mask(mask, (two.shape[0], two.shape[1]))
    _check_contrast(two[selected])
    inner = _inner(selected)
    moments = (local_moments(one, selected), local_moments(two, selected))
    covariance = local_covariance(*moments)
    found = similarity_map(*moments, covariance, float(np.ptp(two[selected])))
    return float(found[inner].mean())


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
    return compare_to_truths({"image": image}, {"truth": truth}, mask)["truth"]["image"]


def compare_to_truths(
    images: Mapping[str, ArrayLike],
    truths: Mapping[str, ArrayLike],
    mask: ArrayLike | None = None,
) -> dict[str, dict[str, TruthComparison]]:
    """Return `compare_to_truth` of several images and truths, by truth and image.

    Every image and truth is filtered once; two images at a time are compared.
    """
    checked = {
        name: [
            as_image_pair(which, image, name, truth, minimum_px=_LEAST_PX)
            for which, image in images.items()
        ]
        for name, truth in truths.items()
    }
    known = {name: pairs[0][1] for name, pairs in checked.items()}
    shape = next(iter(known.values())).shape
    selected = as_mask(mask, (shape[0], shape[1]))
    for truth in known.values():
        _check_contrast(truth[selected])
    inner = _inner(selected)

    def moments_of(image: Float64Array) -> LocalMoments:
        return local_moments(image, selected)

    moments = dict(zip(known, share(moments_of, known.values()), strict=True))

    def compare(place: int) -> dict[str, TruthComparison]:
        image = next(iter(checked.values()))[place][0]
        own = moments_of(image)
        return {
            name: _compared(image, truth, selected, inner, (own, moments[name]))
            for name, truth in known.items()
        }

    found = dict(zip(images, share(compare, range(len(images))), strict=True))
    return {name: {which: found[which][name] for which in images} for name in truths}


def _compared(
    image: Float64Array,
    truth: Float64Array,
    selected: BoolArray,
    inner: BoolArray,
    moments: tuple[LocalMoments, LocalMoments],
) -> TruthComparison:
    """Return the comparison of one image with one truth; ``moments`` are theirs, in this order."""
    reference, values = truth[selected], image[selected]
    fit = _fit(values, reference)
    spread, data_range = float(np.std(reference)), float(np.ptp(reference))
    error_raw = _root_mean_square(values - reference)
    error = _root_mean_square(fit.gain * values + fit.offset - reference)
    covariance = local_covariance(*moments)

    def likeness(gain: float, offset: float) -> float:
        found = similarity_map(*moments, covariance, data_range, gain, offset)
        return float(found[inner].mean())

    return TruthComparison(
        rmse=error / spread,
        ssim=likeness(fit.gain, fit.offset),
        psnr=_decibels(reference, error),
        rmse_raw=error_raw / spread,
        ssim_raw=likeness(1.0, 0.0),
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


def _inner(selected: BoolArray) -> BoolArray:
    """Return which pixels off the border are selected."""
    inner = selected[RADIUS_PX:-RADIUS_PX, RADIUS_PX:-RADIUS_PX]
    if not inner.any():
        raise DataError(
            f"mask selects only pixels within {RADIUS_PX} px of the border, where SSIM has no "
            "full window: select some further in."
        )
    return inner
