"""What the restored images are measured against, rendered in the thick plate's frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from scintscope.forward.plane import Plane, camera_image, inverse, shifted, transform
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.simulate import RenderedLight
from scintscope.grids import Grid, bin_mean, crop_centre
from scintscope.noise import mean_electrons_per_um2
from scintscope.response import DepthResponse, at_frequencies, mean_transfer
from scintscope.verdict.single_psf import Similarity

Array = NDArray[np.float64]
Image = NDArray[Any]

LEAST_THIN_TRANSFER = 0.02
"""Where the thin plate passes less than this, the ratio of the plates is set to zero."""

KERNEL_PX = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """The two truths for one sample, as transmissions (1 = open beam) on camera pixels.

    Parameters
    ----------
    thin : (M, N) array
        Defect-free, noise-free image of the thin plate, laid on the thick plate's image.
    xray : (M, N) array
        The plate's deposited-energy-weighted transmission, in [0, 1], pixel area averaged.
    """

    thin: Image
    xray: Image


def open_level(response: DepthResponse) -> float:
    """Return open-beam electrons per camera pixel and s, on axis."""
    rate = mean_electrons_per_um2(response) / response.plate.exposure_s
    return rate * response.pixel_um**2


def thin_truth(
    light: RenderedLight,
    response: DepthResponse,
    plane: Plane,
    scale: float,
    shift_um: tuple[float, float],
) -> Image:
    """Return the thin plate's noise-free transmission image in the thick plate's frame.

    The blurred image is enlarged on the fine grid, where it is band-limited; that its blur grows
    with it, by less than a thousandth, is neglected.
    """
    blurred = inverse(light.spectrum, plane.fine.shape)
    moved = scale_about_centre(spline_coefficients(blurred), scale)
    image = camera_image(shifted(transform(moved), plane.fine, shift_um), plane)
    return np.asarray(image / open_level(response))


def xray_truth(
    light: RenderedLight,
    response: DepthResponse,
    plane: Plane,
    scale: float,
    shift_um: tuple[float, float],
) -> Image:
    """Return the plate's energy-weighted transmission, averaged over camera pixels, in [0, 1].

    Linear interpolation, so that no edge overshoots; the rounding of the open beam (up to 3e-4) is
    cut off at 1.
    """
    sharp = light.sharp / (open_level(response) / plane.pixel_um**2)
    centre = 0.5 * (np.array(plane.fine.shape) - 1.0)
    shift_px = np.array(shift_um) / plane.fine.pixel_um
    moved = ndimage.affine_transform(
        sharp,
        np.full(2, 1.0 / scale),
        offset=centre - (centre + shift_px) / scale,
        order=1,
        mode="nearest",
    )
    binned = bin_mean(moved, plane.oversampling)
    return np.asarray(np.clip(crop_centre(binned, plane.camera_shape), 0.0, 1.0))


def relative_scale(thick: Plane, thick_fit: Similarity, thin: Plane, thin_fit: Similarity) -> float:
    """Return how much larger a feature is on the thick plate's image than on the thin plate's."""
    return (thick.sample_magnification * thick_fit.scale) / (
        thin.sample_magnification * thin_fit.scale
    )


def true_kernel(thin: DepthResponse, thick: DepthResponse, size_px: int = KERNEL_PX) -> Array:
    """Return the true PSF_20-200 on camera pixels, unit sum, centre at ``size_px // 2``.

    Inverse transform of M_thick(f) / M_thin(f) over the camera's band; the pixel's aperture is in
    both and cancels. (Eq. 4 of Zhou et al. 2025 as printed is the inverse of the kernel that its
    text describes; this is the one described.)
    """
    grid = Grid(shape=(size_px, size_px), pixel_um=thick.pixel_um)
    f = grid.radial_frequency_cy_per_um()
    thin_transfer = at_frequencies(f, thin.frequency_cy_per_um, mean_transfer(thin))
    thick_transfer = at_frequencies(f, thick.frequency_cy_per_um, mean_transfer(thick))
    kept = np.abs(thin_transfer) > LEAST_THIN_TRANSFER
    ratio = np.where(kept, thick_transfer / np.where(kept, thin_transfer, 1.0), 0.0)
    kernel = fft.fftshift(fft.irfft2(ratio, s=grid.shape))
    return np.asarray(kernel / kernel.sum())
