"""Plate defects as landmarks: where they are, and which of them a sample leaves readable."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.restoration.features import robust_spread
from scintscope.restoration.transform import Transform, sample_grid

Image = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

DEFECT_SIGMA = 6.0
TILE_PX = 24
FEWEST_TILE_PIXELS = 40
ALIKE = 0.6
FEWEST_TILES, MANY_TILES, READABLE_SHARE = 3, 20, 0.18
"""Measured: under a wrong motion a specimen that fills the field leaves at most 13 % alike by
chance; under the right one a target that covers the field leaves at least 24 %."""


def readable_tiles(
    fixed: Image, moving: Image, mask: Mask, transform: Transform
) -> tuple[Mask, int, bool]:
    """Return the part of a mask where both images agree under a motion, its tiles, if enough.

    The frame is divided into tiles of 24 pixels; those whose masked pixels correlate by more than
    0.6 are kept. This votes the tiles out in which the sample's own lines cover the defects. It is
    enough to be no accident when they are 18 % of all tiles with defects, or twenty.
    """
    warped = sample_grid(moving, transform)
    rows, columns = fixed.shape
    across = -(-columns // TILE_PX)
    tile = (np.arange(rows) // TILE_PX)[:, None] * across + (np.arange(columns) // TILE_PX)[None, :]
    label = tile[mask]
    size = int(tile.max()) + 1
    a, b = fixed[mask].astype(np.float64), warped[mask].astype(np.float64)
    count = np.bincount(label, minlength=size)
    sums = [np.bincount(label, weights=w, minlength=size) for w in (a, b, a * b, a * a, b * b)]
    n = np.maximum(count, 1)
    covariance = sums[2] - sums[0] * sums[1] / n
    power = np.maximum((sums[3] - sums[0] ** 2 / n) * (sums[4] - sums[1] ** 2 / n), 1e-300)
    good = (covariance > ALIKE * np.sqrt(power)) & (count >= FEWEST_TILE_PIXELS)
    candidates = int((count >= FEWEST_TILE_PIXELS).sum())
    needed = max(FEWEST_TILES, min(READABLE_SHARE * candidates, MANY_TILES))
    found = int(good.sum())
    return np.asarray(mask & good[tile]), found, found >= needed


def find_defects(filtered: Image) -> tuple[Mask, int]:
    """Return where a band-passed image stands out by six standard deviations, and how often.

    Only connected groups of at least three pixels count. The standard deviation is that of the
    bulk (median absolute deviation), which is noise in an image that is mostly empty.
    """
    from scipy import ndimage

    marks = np.abs(filtered - np.median(filtered)) > DEFECT_SIGMA * robust_spread(filtered)
    labels, count = ndimage.label(marks, structure=np.ones((3, 3)))
    if count == 0:
        return marks, 0
    large = np.bincount(labels.ravel())[1:] >= 3
    keep = np.concatenate([[False], large])
    return np.asarray(keep[labels]), int(large.sum())


def despeckle(image: Image, sigma: float = 8.0) -> Image:
    """Return the image, float32, without single-pixel spikes (hot pixels stay with the camera).

    A pixel that differs from the median of its 3 x 3 surroundings by more than ``sigma`` standard
    deviations of that difference, while its four neighbours do not, takes the median.
    """
    import cv2

    source = np.ascontiguousarray(image, dtype=np.float32)
    median = np.asarray(cv2.medianBlur(source, 3))
    difference = source - median
    spike = np.abs(difference) > sigma * max(robust_spread(difference), 1e-12)
    crowd = cv2.boxFilter(
        spike.astype(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.where(spike & (np.asarray(crowd) < 2), median, source)


def logarithm(image: Image) -> Image:
    """Return the logarithm of an image, counts below 2 % of its median taken as that."""
    floor = 0.02 * float(np.median(image))
    return np.log(np.maximum(image, max(floor, 1e-12)))


def dilate(mask: Mask, reach: int) -> Mask:
    """Return a mask grown by ``reach`` pixels in each direction of rows and columns."""
    import cv2

    kernel = np.ones((2 * reach + 1, 2 * reach + 1), dtype=np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel).astype(bool))


def shifted_mask(moving_mask: Mask, transform: Transform) -> Mask:
    """Return a mask of the moving frame in the fixed one, by whole pixels."""
    row, column = (round(v) for v in (transform.shift_row_px, transform.shift_column_px))
    result = np.zeros_like(moving_mask)
    rows, columns = moving_mask.shape
    to_rows = slice(max(-row, 0), min(rows - row, rows))
    to_columns = slice(max(-column, 0), min(columns - column, columns))
    from_rows = slice(to_rows.start + row, to_rows.stop + row)
    from_columns = slice(to_columns.start + column, to_columns.stop + column)
    result[to_rows, to_columns] = moving_mask[from_rows, from_columns]
    return result
