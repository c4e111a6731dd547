"""The beam's fall-off over the field: oblique rays are fewer per area and leave more light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.forward.slabs import over_rows

Image = NDArray[Any]


def fall_off(
    images: Image, slanted: Image, photons: Image, excess: Image, greatest: float, gain: float
) -> Image:
    """Dim images and photons in place by the rays' angle, and return the light's share, (M, N).

    Photons per area fall with cos^3 of the angle. ``slanted`` holds the images at the greatest
    ``excess`` of 1/cos over 1 (or none); ``gain`` is the light's rise there.
    """
    fluence = np.empty_like(excess)

    def slab(rows: slice) -> None:
        beyond = excess[rows]
        if slanted.size:
            share = beyond / np.float32(greatest)
            for image, other in zip(images, slanted, strict=True):
                image[rows] += (other[rows] - image[rows]) * share
        path = 1.0 + beyond
        left = 1.0 / (path * path * path)
        photons[:, rows] *= left
        left *= 1.0 + beyond * np.float32(gain / greatest)
        images[:, rows] *= left
        fluence[rows] = left

    over_rows(slab, excess.shape)
    return fluence
