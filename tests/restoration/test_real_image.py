"""Registration and restoration on a real detector image, with its scratches and missing dots.

The image is not part of the repository: the environment variable SCINTSCOPE_REAL_IMAGE names it.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from scintscope.restoration import (
    PlateFrames,
    RestorationConfig,
    Transform,
    register_pair,
    restore,
)
from scintscope.restoration.transform import sample_grid

VARIABLE = "SCINTSCOPE_REAL_IMAGE"
pytestmark = pytest.mark.skipif(
    not Path(os.environ.get(VARIABLE, "")).is_file(),
    reason=f"{VARIABLE} does not name a file: the real detector image is not available here",
)

SIDE, MARGIN = 768, 40
CROPS = [(900, 1400), (1400, 200), (100, 2300)]
REGISTERED_PX = 0.1


@cache
def picture() -> np.ndarray:
    """Return the real image as grey levels."""
    import cv2

    image = cv2.imread(os.environ[VARIABLE], cv2.IMREAD_GRAYSCALE)
    assert image is not None, f"{VARIABLE} names a file that is no image"
    return image.astype(np.float64)


def pair(
    corner: tuple[int, int], shift: tuple[float, float], sigma_px: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return thin and thick view, unblurred thick view, and blurred thick view without noise.

    What the thick view shows at r lies at r + shift in the thin one. Thin noise is 4 grey levels,
    thick noise 2.
    """
    rng = np.random.default_rng(1)
    row, column = corner
    wide = picture()[row : row + SIDE + 2 * MARGIN, column : column + SIDE + 2 * MARGIN]
    motion = Transform(shift_row_px=shift[0], shift_column_px=shift[1])
    inner = (slice(MARGIN, -MARGIN),) * 2
    sharp = sample_grid(wide, motion)[inner]
    soft = sample_grid(ndimage.gaussian_filter(wide, sigma_px), motion)[inner]
    thin = wide[inner] + rng.normal(0, 4.0, sharp.shape)
    return thin, soft + rng.normal(0, 2.0, soft.shape), sharp, soft


@pytest.mark.parametrize("corner", CROPS)
@pytest.mark.parametrize(
    ("shift", "sigma_px"), [((0.37, -0.62), 2.0), ((5.4, 3.3), 4.0), ((-20.25, 14.5), 3.0)]
)
def test_known_shift_is_found(corner: tuple[int, int], shift: tuple[float, float], sigma_px: float):
    """Crops with known sub-pixel shift, blur and noise are registered to 0.1 px at every corner."""
    thin, thick, _, _ = pair(corner, shift, sigma_px)
    report = register_pair(thick, thin)
    assert report.status.trusted and report.inliers >= 20
    n = SIDE - 1
    corners = np.array([[0, 0], [0, n], [n, 0], [n, n]], dtype=float)
    gap = report.transform.map(corners, thick.shape) - (corners + shift)
    assert np.linalg.norm(gap, axis=1).max() < REGISTERED_PX


@pytest.mark.parametrize("corner", CROPS)
def test_restored_comes_nearer_to_unblurred(corner: tuple[int, int]):
    """The chain on measured grey levels lowers the RMS error; scratches break nothing."""
    thin, thick, sharp, _ = pair(corner, (0.37, -0.62), 2.5)
    level = np.full(thin.shape, 215.0)
    level[0, 0] = 215.5  # an even background that is not one constant
    frames = [PlateFrames(sample=im, background=level) for im in (thin, thick)]
    result = restore(
        *frames, {"dots": frames[1]}, config=RestorationConfig(psf_size_px=40, psf_iterations=20)
    )
    assert result.pair.status.trusted
    inner = (slice(30, -30), slice(30, -30))
    for before, after, truth in (
        (result.thick_target, result.restored_target, np.clip(1 - sharp / 215.0, 0, None)),
        (result.specimens["dots"].image, result.specimens["dots"].restored, sharp / 215.0),
    ):
        assert np.isfinite(after).all()
        error = [float(np.sqrt(np.mean((im - truth)[inner] ** 2))) for im in (before, after)]
        # sigma 2.5 px and noise of 1 %: a quarter of the error at least must go
        assert error[1] < 0.75 * error[0]
