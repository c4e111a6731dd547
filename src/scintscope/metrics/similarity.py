"""Structural similarity from local moments, so that images and truths are filtered once.

With weighted local means u, variances v and covariances c of two images x and y,

    SSIM = (2 ux uy + C1) (2 cxy + C2) / ((ux^2 + uy^2 + C1) (vx + vy + C2)),

C1 = (0.01 L)^2, C2 = (0.03 L)^2, L the data range (Wang et al. 2004, IEEE TIP 13, 600). The
moments of gain x + offset follow from those of x. They are taken about a level near the image's
mean, where rounding is least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scintscope.metrics.checks import BoolArray, Float64Array

SIGMA_PX = 1.5
RADIUS_PX = 5
"""Radius of the weights: 3.5 sigma, rounded; a window of 11 x 11 pixels."""

_TRUNCATE = 3.5
_LEVEL, _CONTRAST = 0.01, 0.03


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalMoments:
    """Gaussian-weighted local moments of an image, a border of `RADIUS_PX` left out.

    Parameters
    ----------
    image : (M, N) array
        Less ``level``.
    level : float
        Near the mean of what is judged.
    mean, variance : (M - 10, N - 10) array
        Local mean and variance of ``image``.
    """

    image: Float64Array
    level: float
    mean: Float64Array
    variance: Float64Array


def local_moments(image: Float64Array, selected: BoolArray) -> LocalMoments:
    """Return the local moments of an image of at least 11 x 11 pixels, about its selected mean."""
    level = float(image[selected].mean())
    centred = image - level
    mean = local_mean(centred)
    variance = local_mean(centred * centred)
    variance -= mean * mean
    return LocalMoments(image=centred, level=level, mean=mean, variance=variance)


def local_covariance(one: LocalMoments, other: LocalMoments) -> Float64Array:
    """Return the local covariance of two images."""
    covariance = local_mean(one.image * other.image)
    covariance -= one.mean * other.mean
    return covariance


def similarity_map(
    image: LocalMoments,
    truth: LocalMoments,
    covariance: Float64Array,
    data_range: float,
    gain: float = 1.0,
    offset: float = 0.0,
) -> Float64Array:
    """Return the similarity of ``gain * image + offset`` and the truth, a border left out.

    Parameters
    ----------
    image, truth : LocalMoments
    covariance : array
        From `local_covariance` of both.
    data_range : float
        L.
    gain, offset : float
    """
    low, high = (_LEVEL * data_range) ** 2, (_CONTRAST * data_range) ** 2
    one = gain * image.mean + (gain * image.level + offset)
    two = truth.mean + truth.level
    found = 2.0 * one * two + low
    found *= 2.0 * gain * covariance + high
    below = one * one
    below += two * two
    below += low
    found /= below
    np.multiply(image.variance, gain * gain, out=below)
    below += truth.variance
    below += high
    found /= below
    return found


def local_mean(values: Float64Array) -> Float64Array:
    """Return the Gaussian-weighted mean around each pixel that has a full window."""
    from scipy import ndimage

    blurred = ndimage.gaussian_filter(values, SIGMA_PX, truncate=_TRUNCATE)
    return np.asarray(blurred[RADIUS_PX:-RADIUS_PX, RADIUS_PX:-RADIUS_PX])
