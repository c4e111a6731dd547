"""PIQE, a blind image quality score (0 best, 100 worst), and the 8-bit mapping it is judged on.

Venkatanath et al. 2015, "Blind image quality evaluation using perception based features", Proc.
National Conference on Communications (NCC), doi 10.1109/NCC.2015.7084843. Details the paper leaves
open (weights of the local normalisation, segment length, replicated borders, the set of columns
called surround) follow the implementation in common use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from scintscope.errors import DataError, InputError, check_range
from scintscope.metrics.checks import BoolArray, Float64Array, as_image

BLOCK_PX = 16
SEGMENT_PX = 6
ACTIVITY_THRESHOLD = 0.1
ARTIFACT_THRESHOLD = 0.1
STABILISER = 1.0

_KERNEL_PX = 7
_KERNEL_SIGMA_PX = 7.0 / 6.0
_CENTRE_COLUMNS = (7, 8)
# The implementation in common use deletes column 7 and then column 8 of what remains, which is
# column 9 of the block. Scores are compared with its scores, so the same columns are used.
_NOT_SURROUND_COLUMNS = (7, 9)


@dataclass(frozen=True, kw_only=True, slots=True)
class PiqeResult:
    """Score and the masks of blocks it rests on.

    Parameters
    ----------
    score : float
        0 (best) to 100 (worst; also a uniform image).
    active : (R, C) bool array
        Blocks of 16 x 16 pixels with enough structure to be judged.
    artifacts, noisy : (R, C) bool arrays
        Active blocks with noticeable artefacts, with noise.
    """

    score: float
    active: BoolArray
    artifacts: BoolArray
    noisy: BoolArray


def eight_bit_limits(
    image: ArrayLike, *, low_percentile: float = 0.1, high_percentile: float = 99.9
) -> tuple[float, float]:
    """Return the grey values at two percentiles of an image, to become 0 and 255.

    Parameters
    ----------
    image : (M, N) float array
        The image that sets the mapping: the thick plate's.
    low_percentile, high_percentile : float
        0 <= low < high <= 100.

    Raises
    ------
    DataError
        No finite two-dimensional image.
    RangeError
        Percentiles out of range.
    """
    array = as_image("image", image)
    check_range("low_percentile", low_percentile, low=0.0, high=100.0, high_open=True)
    check_range("high_percentile", high_percentile, low=low_percentile, high=100.0, low_open=True)
    low, high = np.percentile(array, [low_percentile, high_percentile])
    return float(low), float(high)


def to_eight_bit(image: ArrayLike, low: float, high: float) -> NDArray[np.uint8]:
    """Return an image as 8-bit grey values, ``low`` at 0 and ``high`` at 255.

    Values beyond the limits saturate at 0 and 255: that is part of the mapping (by default one in
    a thousand of the thick image's pixels at each end, see `eight_bit_limits`). Halves round up.

    Parameters
    ----------
    image : (M, N) float array
    low, high : float
        Grey values of the limits, ``low < high``; the same for all images to be compared.

    Raises
    ------
    DataError
        No finite two-dimensional image.
    InputError
        ``low`` not below ``high``.
    """
    array = as_image("image", image)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(
            f"low = {low!r}, high = {high!r}: low must be below high; a constant image "
            "has no range."
        )
    scaled = np.floor((array - low) * (255.0 / (high - low)) + 0.5)
    return np.clip(scaled, 0.0, 255.0).astype(np.uint8)


def piqe(image: ArrayLike, *, rescale_to_peak: bool = True) -> PiqeResult:
    """Return the PIQE score of an 8-bit image.

    Parameters
    ----------
    image : (M, N) array
        Grey values in [0, 255], integer or float; see `to_eight_bit`.
    rescale_to_peak : bool
        First stretch the brightest pixel to 255 and round, as the implementation in common use
        does. It changes nothing when a pixel is at 255 already. False keeps the grey values, so
        that images mapped alike stay alike.

    Returns
    -------
    PiqeResult

    Raises
    ------
    DataError
        No finite two-dimensional image, or values outside [0, 255].

    Notes
    -----
    Local normalisation (I - mu) / (sigma + 1), Gaussian weights 7 x 7, sigma 7/6; a
    block is active if its variance v exceeds 0.1; it has artefacts if any segment of six pixels on
    its four sides has a standard deviation below 0.1; noise if sigma > 2 beta;
    its distortion is (1 - v) with artefacts plus v with noise; score 100 (sum + 1) / (count + 1).
    """
    array = as_image("image", image)
    if array.min() < 0.0 or array.max() > 255.0:
        raise DataError(
            f"image spans [{array.min():g}, {array.max():g}]: PIQE is defined on grey values in "
            "[0, 255]; map it with to_eight_bit first."
        )
    peak = float(array.max())
    padded = _pad_to_blocks(array)
    if rescale_to_peak and peak > 0.0:
        padded = np.round(255.0 * (padded / peak))
    blocks = _blocks(_normalise_locally(padded))
    variance = np.asarray(np.var(blocks, axis=(-2, -1), ddof=1))
    active = variance > ACTIVITY_THRESHOLD
    artifacts = active & _has_flat_segment(blocks)
    noisy = active & _is_noisy(blocks, np.sqrt(variance))
    distortion = float(((1.0 - variance) * artifacts + variance * noisy).sum())
    score = 100.0 * (distortion + STABILISER) / (np.count_nonzero(active) + STABILISER)
    return PiqeResult(score=float(score), active=active, artifacts=artifacts, noisy=noisy)


def _pad_to_blocks(image: Float64Array) -> Float64Array:
    """Return the image mirrored at its lower and right border up to whole blocks."""
    pads = [(0, -count % BLOCK_PX) for count in image.shape]
    return np.pad(image, pads, mode="symmetric")


def _normalise_locally(image: Float64Array) -> Float64Array:
    """Return (I - mu) / (sigma + 1) with Gaussian-weighted local mean and deviation."""
    offset = np.arange(_KERNEL_PX) - _KERNEL_PX // 2
    kernel = np.exp(-0.5 * (offset / _KERNEL_SIGMA_PX) ** 2)
    kernel /= kernel.sum()

    def blur(values: Float64Array) -> Float64Array:
        along = ndimage.correlate1d(values, kernel, axis=1, mode="nearest")
        return np.asarray(ndimage.correlate1d(along, kernel, axis=0, mode="nearest"))

    mean = blur(image)
    deviation = np.sqrt(np.abs(blur(image * image) - mean * mean))
    return np.asarray((image - mean) / (deviation + 1.0))


def _blocks(image: Float64Array) -> Float64Array:
    """Return the image as blocks, (R, C, 16, 16)."""
    rows, columns = (count // BLOCK_PX for count in image.shape)
    return image.reshape(rows, BLOCK_PX, columns, BLOCK_PX).transpose(0, 2, 1, 3)


def _has_flat_segment(blocks: Float64Array) -> BoolArray:
    """Return which blocks have a nearly constant run of six pixels on one of their sides."""
    sides = np.stack(
        [blocks[..., 0, :], blocks[..., -1, :], blocks[..., :, 0], blocks[..., :, -1]], axis=-2
    )
    segments = sliding_window_view(sides, SEGMENT_PX, axis=-1)
    flat = np.std(segments, axis=-1, ddof=1) < ARTIFACT_THRESHOLD
    return np.asarray(flat.any(axis=(-2, -1)))


def _is_noisy(blocks: Float64Array, deviation: Float64Array) -> BoolArray:
    """Return which blocks look like Gaussian noise: sigma > 2 |sigma - s| / max(sigma, s).

    s is the deviation of the two central columns over that of the surround; 0 where both vanish.
    A surround without any variation is no noise.
    """
    centre = blocks[..., list(_CENTRE_COLUMNS)]
    others = [i for i in range(BLOCK_PX) if i not in _NOT_SURROUND_COLUMNS]
    inner = np.std(centre, axis=(-2, -1), ddof=1)
    outer = np.std(blocks[..., others], axis=(-2, -1), ddof=1)
    ratio = np.zeros_like(inner)
    np.divide(inner, outer, out=ratio, where=outer > 0.0)
    largest = np.maximum(deviation, ratio)
    beta = np.zeros_like(inner)
    np.divide(np.abs(deviation - ratio), largest, out=beta, where=largest > 0.0)
    undefined = (outer == 0.0) & (inner > 0.0)
    return np.asarray((deviation > 2.0 * beta) & ~undefined)
