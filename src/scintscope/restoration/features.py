"""Finding how two images are shifted, to a pixel: SIFT with RANSAC, and correlation.

SIFT: Lowe 2004, Int. J. Comput. Vis. 60, 91; RANSAC: Fischler and Bolles 1981, Commun. ACM 24, 381.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.restoration.transform import Transform, image_centre
from scintscope.sharing import share
from scintscope.threads import POOL_THREADS

Image = NDArray[np.floating[Any]]
Points = NDArray[np.float64]
Words = NDArray[np.float32]

RATIO = 0.8
"""Largest distance ratio of the best to the second best descriptor (Lowe 2004, section 7.1)."""

MOST_FEATURES = 4000
_WORDS_AT_ONCE = 256
FEWEST_INLIERS = 6
LARGEST_SCALE_CHANGE = 0.2
LARGEST_ANGLE_RAD = math.radians(20.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureMatch:
    """Outcome of SIFT and RANSAC.

    Parameters
    ----------
    transform : Transform or None
        The motion the inliers agree on, least squares over them; None where none do.
    matches, inliers : int
        Feature pairs that passed the ratio test, and those that agree with the motion.
    rms_px : float
        Root mean square distance of the inliers from the motion, pixels; NaN without inliers.
    """

    transform: Transform | None
    matches: int
    inliers: int
    rms_px: float


NO_MATCH = FeatureMatch(transform=None, matches=0, inliers=0, rms_px=math.nan)


def band_pass(image: Image, fine_px: float, coarse_px: float) -> Image:
    """Return the image blurred by a Gaussian of ``fine_px`` minus one of ``coarse_px``, float32."""
    source = np.ascontiguousarray(image, dtype=np.float32)
    return blurred(source, fine_px, 3.5) - blurred(source, coarse_px, 3.0)


def blurred(image: Image, sigma_px: float, truncate: float) -> Image:
    """Return a float32 image blurred by a Gaussian cut at ``truncate`` sigma, mirrored edges."""
    import cv2

    reach = int(truncate * sigma_px + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    weights /= weights.sum()
    if reach >= min(image.shape):  # the mirror would repeat, which OpenCV's does not
        from scipy import ndimage

        return np.asarray(
            ndimage.gaussian_filter(image, sigma_px, mode="mirror", truncate=truncate)
        )
    return np.asarray(
        cv2.sepFilter2D(image, cv2.CV_32F, weights, weights, borderType=cv2.BORDER_REFLECT_101)
    )


def robust_spread(values: Image) -> float:
    """Return the standard deviation of the bulk: 1.4826 x median absolute deviation."""
    sample = values.ravel()[:: max(values.size // 1_000_000, 1)]
    return 1.4826 * float(np.median(np.abs(sample - np.median(sample))))


def to_8_bit(image: Image, low_percent: float = 0.2, high_percent: float = 99.8) -> Any:
    """Return the image as uint8, its given percentiles at 0 and 255; outliers cannot stretch it."""
    low, high = np.percentile(image[::2, ::2], [low_percent, high_percent])
    span = high - low if high > low else 1.0
    return np.clip((image - low) * (255.0 / span), 0.0, 255.0).astype(np.uint8)


def match_features(
    fixed: Image,
    moving: Image,
    *,
    model: str,
    threshold_px: float,
    largest_shift_px: float,
    fixed_mask: NDArray[np.bool_] | None = None,
) -> FeatureMatch:
    """Return the motion most SIFT feature pairs agree on.

    Parameters
    ----------
    fixed, moving : (M, N) float arrays
        Images of one shape, already filtered to what should be matched.
    model : {"translation", "similarity"}
    threshold_px : float
        Largest distance of an inlier from the motion.
    largest_shift_px : float
        Pairs further apart than this on either axis are not considered.
    fixed_mask : (M, N) bool array or None
        Where features of the fixed image may lie.
    """
    pairs = _feature_pairs(to_8_bit(fixed), to_8_bit(moving), fixed_mask)
    if pairs is None:
        return NO_MATCH
    start, end = pairs
    near = (np.abs(end - start) <= largest_shift_px).all(axis=1)
    start, end = start[near], end[near]
    centre = image_centre((fixed.shape[0], fixed.shape[1]))
    voted = _largest_vote(end - start, threshold_px)
    needed = _chance_inliers(len(start), threshold_px, largest_shift_px)
    if model == "similarity":
        transform, inliers = _similarity_ransac(start - centre, end - centre, threshold_px)
    else:
        transform, inliers = _translation(start, end, voted), voted
    if transform is None or inliers.sum() < needed or not _plausible(transform, largest_shift_px):
        return FeatureMatch(
            transform=None, matches=len(start), inliers=int(inliers.sum()), rms_px=math.nan
        )
    shape = (fixed.shape[0], fixed.shape[1])
    distance = transform.map(start[inliers], shape) - end[inliers]
    rms = float(np.sqrt((distance**2).sum(axis=1).mean()))
    return FeatureMatch(
        transform=transform, matches=len(start), inliers=int(inliers.sum()), rms_px=rms
    )


def _feature_pairs(
    fixed: Any, moving: Any, fixed_mask: NDArray[np.bool_] | None
) -> tuple[Points, Points] | None:
    """Return (row, column) of matched features in both images, by ratio test."""
    import cv2

    create: Any = cv2.SIFT_create  # type: ignore[attr-defined]  # made at import by OpenCV
    sift = create(nfeatures=MOST_FEATURES, contrastThreshold=0.02)
    mask = None if fixed_mask is None else fixed_mask.astype(np.uint8) * 255
    keys_fixed, words_fixed = sift.detectAndCompute(fixed, mask)
    keys_moving, words_moving = sift.detectAndCompute(moving, None)
    if words_fixed is None or words_moving is None or len(keys_moving) < 2:
        return None
    nearest, distance = nearest_words(words_fixed, words_moving)
    good = np.flatnonzero(distance[:, 0] < RATIO * distance[:, 1])
    if not good.size:
        return None
    start = np.array([keys_fixed[i].pt[::-1] for i in good], dtype=np.float64)
    end = np.array([keys_moving[i].pt[::-1] for i in nearest[good]], dtype=np.float64)
    return start, end


def nearest_words(fixed: Words, moving: Words) -> tuple[NDArray[np.intp], Words]:
    """Return for each descriptor its nearest one, and the distances of the two nearest.

    Squared distances as products: SIFT's descriptors are whole numbers up to 255, whose products
    and sums float32 holds exactly.

    Parameters
    ----------
    fixed, moving : (N, 128), (M, 128) float32 array
        Descriptors, M at least 2.

    Returns
    -------
    nearest : (N,) int array
        Index of the nearest, the first of equals.
    distance : (N, 2) float32 array
        Of the nearest and of the second nearest.
    """
    count = len(fixed)
    nearest, square = np.empty(count, dtype=np.intp), np.empty((count, 2), dtype=np.float32)
    length, other = ((words * words).sum(axis=1) for words in (fixed, moving))

    def block(first: int) -> None:
        part = slice(first, first + _WORDS_AT_ONCE)
        apart = other - 2.0 * (fixed[part] @ moving.T)
        at = np.arange(len(apart))
        nearest[part] = apart.argmin(axis=1)
        square[part, 0] = apart[at, nearest[part]]
        apart[at, nearest[part]] = np.inf
        square[part, 1] = apart.min(axis=1)

    share(block, range(0, count, _WORDS_AT_ONCE))
    return nearest, np.sqrt(np.maximum(square + length[:, None], 0.0))


def _largest_vote(displacements: Points, threshold_px: float) -> NDArray[np.bool_]:
    """Return the pairs whose displacement lies within the threshold of the densest place."""
    from scipy.spatial import cKDTree

    if len(displacements) == 0:
        return np.zeros(0, dtype=bool)
    tree = cKDTree(displacements)
    counts = tree.query_ball_point(displacements, threshold_px, return_length=True)
    centre = displacements[int(np.argmax(counts))]
    for _ in range(5):
        near = np.linalg.norm(displacements - centre, axis=1) <= threshold_px
        centre = displacements[near].mean(axis=0)
    return np.asarray(np.linalg.norm(displacements - centre, axis=1) <= threshold_px)


def _chance_inliers(matches: int, threshold_px: float, largest_shift_px: float) -> float:
    """Return how many agreeing pairs are needed to be no accident.

    Wrong pairs spread over the square of permitted shifts; the densest disc of the threshold's
    radius then holds a Poisson number of them. Mean plus five standard deviations is asked for.
    """
    area = max((2.0 * largest_shift_px) ** 2, 1.0)
    mean = matches * min(math.pi * threshold_px**2 / area, 1.0)
    return max(float(FEWEST_INLIERS), mean + 5.0 * math.sqrt(mean))


def _translation(start: Points, end: Points, inliers: NDArray[np.bool_]) -> Transform | None:
    if not inliers.any():
        return None
    shift = (end - start)[inliers].mean(axis=0)
    return Transform(shift_row_px=float(shift[0]), shift_column_px=float(shift[1]))


def _similarity_ransac(
    start: Points, end: Points, threshold_px: float
) -> tuple[Transform | None, NDArray[np.bool_]]:
    """Return the similarity by RANSAC, then least squares on its inliers; centred positions."""
    import cv2

    if len(start) < FEWEST_INLIERS:
        return None, np.zeros(len(start), dtype=bool)
    _, mask = cv2.estimateAffinePartial2D(
        start,
        end,
        method=cv2.RANSAC,
        ransacReprojThreshold=threshold_px,
        maxIters=5000,
        confidence=0.999,
    )
    if mask is None or mask.sum() < 2:
        return None, np.zeros(len(start), dtype=bool)
    inliers = mask.ravel().astype(bool)
    return fit_similarity(start[inliers], end[inliers]), inliers


def fit_similarity(start: Points, end: Points) -> Transform:
    """Return the least-squares similarity of point pairs, positions about the image centre.

    Umeyama 1991, IEEE Trans. Pattern Anal. 13, 376; in the plane, complex numbers suffice.
    """
    first = start[:, 0] + 1j * start[:, 1]
    second = end[:, 0] + 1j * end[:, 1]
    a = first - first.mean()
    factor = np.vdot(a, second - second.mean()) / max(float(np.vdot(a, a).real), 1e-30)
    shift = second.mean() - factor * first.mean()
    return Transform(
        shift_row_px=float(shift.real),
        shift_column_px=float(shift.imag),
        scale=float(abs(factor)),
        angle_rad=float(np.angle(factor)),
    )


def _plausible(transform: Transform, largest_shift_px: float) -> bool:
    """Return whether a motion is one that swapped plates or drift can cause."""
    return (
        abs(transform.scale - 1.0) <= LARGEST_SCALE_CHANGE
        and abs(transform.angle_rad) <= LARGEST_ANGLE_RAD
        and bool((np.abs(transform.shift_px) <= largest_shift_px).all())
    )


def correlate_shift(fixed: Image, moving: Image, largest_shift_px: float) -> Transform:
    """Return the whole-pixel shift with the largest cross-correlation, zero-padded, tapered.

    The normalisation is by the overlap's share of the frame, so that large shifts are not favoured.
    """
    shape = tuple(int(fft.next_fast_len(2 * n, real=True)) for n in fixed.shape)
    window = np.outer(np.hanning(fixed.shape[0] + 2)[1:-1], np.hanning(fixed.shape[1] + 2)[1:-1])
    first, second = ((im - im.mean()) * window.astype(im.dtype) for im in (fixed, moving))
    spectrum = np.conj(fft.rfft2(first, s=shape, workers=POOL_THREADS)) * fft.rfft2(
        second, s=shape, workers=POOL_THREADS
    )
    surface = fft.irfft2(spectrum, s=shape, workers=POOL_THREADS)
    reach = [min(int(largest_shift_px), n - 1) for n in fixed.shape]
    lags = [np.arange(-r, r + 1) for r in reach]
    near = surface[np.ix_(lags[0], lags[1])]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    return Transform(shift_row_px=float(lags[0][row]), shift_column_px=float(lags[1][column]))
