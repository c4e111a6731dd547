"""What a simulation knows and a laboratory does not: k(z), true kernels, masks, enlargements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.dataset.contents import DEPTHS, EMISSION, GLOW, TRANSMISSION
from scintscope.forward.plane import Plane, depth_scale
from scintscope.grids import Grid, crop_centre
from scintscope.instrument import Instrument
from scintscope.response import DepthResponse, at_frequencies, mean_transfer
from scintscope.scintillator.defects import PlateDefects

Array = NDArray[np.float64]

VISIBLE_LOSS = 0.02
"""A pixel is in a defect's mask where more than this share of its light is lost or added."""

_PSF_OVERSAMPLING = 4


def depth_profile(response: DepthResponse) -> tuple[Array, Array]:
    """Return depths and k(z) there, um and 1/um, each (DEPTHS,)."""
    z = np.asarray((np.arange(DEPTHS) + 0.5) * (response.thickness_um / DEPTHS), dtype=np.float64)
    return z, response.k_per_um(z)


def generalized_psf(response: DepthResponse, size_px: int) -> Array:
    """Return sum_z k(z) PSF(z) at the centres of camera pixels, pixel aperture included.

    Zhou et al. 2025, Eq. 2, with the spread of the deposited energy. The transfer function times
    the square pixel's is transformed on a grid four times finer than the camera's, which holds the
    lens's whole band, and every fourth sample is kept; the kernel is then scaled to sum one over a
    window of twice the size asked for.
    """
    o, wide = _PSF_OVERSAMPLING, 2 * size_px
    pixel = response.pixel_um
    grid = Grid(shape=(wide * o, wide * o), pixel_um=pixel / o)
    f = grid.radial_frequency_cy_per_um()
    transfer = at_frequencies(f, response.frequency_cy_per_um, mean_transfer(response))
    row, column = (
        np.sinc(g * pixel) for g in (grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um)
    )
    kernel = fft.irfft2(transfer * row[:, None] * column[None, :], s=grid.shape)
    sampled = fft.fftshift(kernel[::o, ::o])
    sampled = sampled / sampled.sum()
    start = wide // 2 - size_px // 2
    return np.asarray(sampled[start : start + size_px, start : start + size_px])


def defect_mask(defects: PlateDefects, plane: Plane) -> NDArray[np.uint8]:
    """Return which defects a camera pixel lies in, as bits of a mask, (M, N).

    A pixel counts where any sample of the fine grid in it loses or gains more than `VISIBLE_LOSS`.
    """
    found = np.zeros(plane.fine.shape, dtype=np.uint8)
    for bit, maps in (
        (EMISSION, [d.loss for d in defects.emission]),
        (TRANSMISSION, [d.loss for d in defects.transmission]),
        (GLOW, [d.relative_brightness for d in defects.glow]),
    ):
        for values in maps:
            found |= np.where(np.asarray(values) > VISIBLE_LOSS, np.uint8(bit), np.uint8(0))
    o, (rows, columns) = plane.oversampling, plane.padded_shape
    binned = np.bitwise_or.reduce(found.reshape(rows, o, columns, o), axis=(1, 3))
    return np.ascontiguousarray(crop_centre(binned, plane.camera_shape), dtype=np.uint8)


def image_scale(response: DepthResponse, plane: Plane, instrument: Instrument) -> float:
    """Return the enlargement that a registration finds in a plate's image, over the entrance's.

    Depths enlarge differently and blur differently. Laying one enlarged image on their sum by least
    squares weighs depth z with k(z) INT T(f, z) M(f) f df, M the transfer function of the sum: for
    an image whose amplitude falls as 1/f, a displacement shows equally at all frequencies.
    """
    effects = instrument.accuracy.effects
    pupil_mm = instrument.lens.pupil_distance_mm
    scale = depth_scale(response.depth_um, plane, response, pupil_mm, effects)
    f = response.frequency_cy_per_um
    seen = np.where(f <= 0.5 / response.pixel_um, f * np.gradient(f), 0.0)
    share = response.depth_weight_um * response.k_per_um(response.depth_um)
    weight = share * (response.otf @ (mean_transfer(response) * seen))
    return float(weight @ scale / weight.sum())


def as_float32(image: Any) -> NDArray[np.float32]:
    """Return an image as contiguous float32."""
    return np.ascontiguousarray(image, dtype=np.float32)
