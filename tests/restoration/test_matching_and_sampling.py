"""Nearest descriptors and images sampled under a motion, against the libraries' own calls."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from scintscope.restoration.features import nearest_words
from scintscope.restoration.transform import Transform, image_centre, sample_grid, spline_of


def test_nearest_descriptors_are_those_of_opencv() -> None:
    """Indices and both distances are those of OpenCV's brute-force matcher."""
    import cv2

    rng = np.random.default_rng(4)
    fixed, moving = (
        np.clip(np.abs(45.0 * rng.standard_normal((n, 128))), 0, 255).round().astype(np.float32)
        for n in (700, 530)
    )
    moving[7] = fixed[3]  # distance 0
    found = cv2.BFMatcher(cv2.NORM_L2).knnMatch(fixed, moving, k=2)
    nearest, distance = nearest_words(fixed, moving)
    np.testing.assert_array_equal(nearest, [pair[0].trainIdx for pair in found])
    expected = [[m.distance for m in pair] for pair in found]
    # whole numbers below 2^24 are exact in float32; the root rounds once
    np.testing.assert_allclose(distance, expected, rtol=2e-7)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize(
    "motion",
    [
        Transform(shift_row_px=1.3, shift_column_px=-4.6),
        Transform(shift_row_px=-0.4, shift_column_px=0.2, scale=1.003),
        Transform(shift_row_px=2.1, shift_column_px=0.7, scale=0.998, angle_rad=0.01),
    ],
)
def test_sampled_in_blocks_as_in_one(motion: Transform, order: int) -> None:
    """An image sampled block by block is the one that a single call gives."""
    image = np.random.default_rng(5).standard_normal((300, 140))
    padded = spline_of(image) if order == 3 else image
    margin = 12 if order == 3 else 0
    centre = image_centre((300, 140))
    expected = ndimage.affine_transform(
        padded,
        2.0 * motion.matrix,
        offset=centre + motion.shift_px - motion.matrix @ centre + margin,
        output_shape=(150, 70),
        order=order,
        mode="nearest",
        prefilter=False,
    )
    # positions of a few hundred pixels, rounded in another order
    np.testing.assert_allclose(
        sample_grid(image, motion, step=2, order=order), expected, atol=1e-11
    )
