"""How the X-ray images of a scene differ from one of them, which holds most of the light.

Images of different energies, depths and frequencies look much alike: X_r = alpha_r X_0 + c_r + D_r
with D_r of a few thousandths of the contrast. So the depth sum is that of X_0 with the weights
sum_r alpha_r P_r, of the small D_r with the P_r, and of a level. What is approximated about a D_r
is wrong by its share of the contrast only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.forward.slabs import over_rows

Array = NDArray[np.float64]
Image = NDArray[Any]

_SAMPLES_PER_AXIS = 64
_LEAST_CONTRAST = 1e-6
"""Images with less contrast than this over their mean are float32 rounding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageMix:
    """X_r = slope_r X_main + level_r + D_r.

    Parameters
    ----------
    main : int
        The image with the greatest contrast; it is put first.
    slope, level : (R,) array
        alpha_r and c_r, in the order of the images.
    size : (R,) array
        Standard deviation of the first image and of the differences, main first.
    """

    main: int
    slope: Array
    level: Array
    size: Array

    @property
    def order(self) -> list[int]:
        """Return the images, main first."""
        rest = [r for r in range(self.slope.size) if r != self.main]
        return [self.main, *rest]

    def weights(self, weights: Array) -> Array:
        """Return the weights of main image and differences from those of the images, (R, ...)."""
        mixed = weights[self.order].copy()
        mixed[0] = np.tensordot(self.slope, weights, axes=1)
        return np.asarray(mixed)

    def image(self, images: Image, number: int, fluence: Image | None) -> Image:
        """Return the main image (number 0) or one of the differences."""
        r = self.order[number]
        if number == 0:
            return np.asarray(images[r])
        kind = images.dtype
        slope, level = kind.type(-self.slope[r]), kind.type(self.level[r])
        part = np.empty(images.shape[1:], dtype=kind)

        def slab(rows: slice) -> None:
            np.multiply(images[self.main, rows], slope, out=part[rows])
            part[rows] += images[r, rows]
            part[rows] -= level if fluence is None else level * fluence[rows]

        over_rows(slab, part.shape)
        return part


def image_mix(images: Image, fluence: Image | None) -> ImageMix:
    """Return how images (R, M, N) differ, by least squares over sampled pixels.

    Parameters
    ----------
    images : (R, M, N) array
        X_r.
    fluence : (M, N) array or None
        What a constant looks like (the beam's fall-off over the field); None is 1 everywhere.
    """
    steps = [max(1, n // _SAMPLES_PER_AXIS) for n in images.shape[1:]]
    part = images[:, steps[0] // 2 :: steps[0], steps[1] // 2 :: steps[1]]
    seen = part.reshape(images.shape[0], -1).astype(np.float64)
    even = np.ones(seen.shape[1])
    if fluence is not None:
        even = fluence[steps[0] // 2 :: steps[0], steps[1] // 2 :: steps[1]].ravel().astype(float)
    contrast = seen.std(axis=1)
    main = int(np.argmax(contrast))
    design = np.stack([seen[main], even], axis=1)
    if contrast[main] <= _LEAST_CONTRAST * max(float(abs(seen[main]).mean()), 1e-300):
        slope = seen.mean(axis=1) / max(float(seen[main].mean()), 1e-300)
        level = np.zeros_like(slope)
    else:
        slope, level = np.linalg.lstsq(design, seen.T, rcond=None)[0]
    slope[main], level[main] = 1.0, 0.0
    mix = ImageMix(main=main, slope=slope, level=level, size=contrast)
    left = seen - slope[:, None] * seen[main] - level[:, None] * even
    size = np.sqrt(np.mean(left**2, axis=1))[mix.order]
    size[0] = max(contrast[main], _LEAST_CONTRAST * float(abs(seen[main]).mean()))
    return ImageMix(main=main, slope=slope, level=level, size=size)
