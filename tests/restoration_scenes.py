"""Synthetic scenes for the restoration tests: a target, plates with defects, camera frames."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from scintscope.convolve import Convolver
from scintscope.restoration import PlateFrames, Transform
from scintscope.restoration.transform import sample_grid

MARGIN = 40


def target(shape: tuple[int, int]) -> np.ndarray:
    """Return the transmission of a star and bar groups, asymmetric, in [0.4, 1], on any shape."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    row, column = rows - 0.55 * shape[0], columns - 0.45 * shape[1]
    angle, radius = np.arctan2(row, column), np.hypot(row, column)
    image = np.ones(shape)
    image[(radius < 0.3 * min(shape)) & (np.sin(18 * angle) > 0)] = 0.4
    for index, width in enumerate((2, 3, 4, 6)):
        left = MARGIN + 10 + index * (shape[1] - 2 * MARGIN) // 4
        for bar in range(5):
            start = left + 2 * bar * width
            image[MARGIN + 10 : MARGIN + 10 + 10 * width, start : start + width] = 0.4
    return ndimage.gaussian_filter(image, 0.8)


def plate(
    shape: tuple[int, int], rng: np.random.Generator, defects: int, blur_px: float
) -> np.ndarray:
    """Return a plate's emission, one on average, with pits and scratches of a given blur."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    image = np.ones(shape)
    for index in range(defects):
        row, column = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        size, depth = rng.uniform(1, 3), rng.uniform(0.1, 0.5)
        if index % 3:
            image -= depth * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * size**2))
        else:
            line = (rows - row) + 0.4 * (columns - column)
            image -= 0.3 * np.exp(-(line**2) / 2) * (np.abs(columns - column) < 25)
    return ndimage.gaussian_filter(np.clip(image, 0.2, None), blur_px)


def moved(image: np.ndarray, row_px: float, column_px: float) -> np.ndarray:
    """Return an image whose content lies at (r + row_px, c + column_px)."""
    return sample_grid(image, Transform(shift_row_px=-row_px, shift_column_px=-column_px))


def tailed_kernel(size: int = 81) -> np.ndarray:
    """Return a sharp core with a wide tail, unit sum, centre at size // 2."""
    spot = np.zeros((size, size))
    spot[size // 2, size // 2] = 1.0
    parts = ((0.5, 0.8), (0.3, 3.0), (0.2, 7.0))
    return sum(share * ndimage.gaussian_filter(spot, sigma) for share, sigma in parts)


def frames(
    light: np.ndarray, counts: float, rng: np.random.Generator, count: int = 3
) -> np.ndarray:
    """Return 16-bit camera frames with an offset of 100 counts, Poisson and read noise."""
    inner = light[MARGIN:-MARGIN, MARGIN:-MARGIN]
    electrons = rng.poisson(np.repeat(np.clip(inner, 0, None)[None], count, 0) * counts)
    noisy = electrons + 100.0 + rng.normal(0, 1.5, electrons.shape)
    return np.clip(np.round(noisy), 0, 65535).astype(np.uint16)


def experiment(
    shape: tuple[int, int] = (256, 272),
    pair_shift: tuple[float, float] = (0.6, -0.4),
    seed: int = 0,
) -> dict[str, object]:
    """Return thin and thick plate frames of one target, a specimen, a dark and the truths."""
    rng = np.random.default_rng(seed)
    wide = (shape[0] + 2 * MARGIN, shape[1] + 2 * MARGIN)
    sharp, kernel = target(wide), tailed_kernel()
    blurred = 1.0 - Convolver(kernel, wide, "zero").forward(1.0 - sharp)
    fish = 1.0 - 0.5 * moved(1.0 - sharp, 9.0, -14.0) / 0.6
    blurred_fish = 1.0 - Convolver(kernel, wide, "zero").forward(1.0 - fish)
    thin_plate, thick_plate = plate(wide, rng, 30, 0.7), plate(wide, rng, 20, 2.5)
    inner = (slice(MARGIN, -MARGIN),) * 2

    def pair(light: np.ndarray, base: np.ndarray, shift: tuple[float, float], seconds: float):
        return PlateFrames(
            sample=frames(light * base, 3000, rng),
            background=frames(moved(base, *shift), 3000, rng),
            exposure_s=seconds,
        )

    return {
        "thin": pair(moved(sharp, *pair_shift), thin_plate, (0.4, -0.3), 10.0),
        "thick": pair(blurred, thick_plate, (-0.2, 0.5), 1.0),
        "fish": pair(blurred_fish, thick_plate, (0.0, 0.0), 1.0),
        "dark": frames(np.zeros(wide), 1.0, rng),
        "sharp": sharp[inner],
        "sharp_fish": fish[inner],
        "kernel": kernel,
    }
