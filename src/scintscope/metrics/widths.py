"""Widths, centroids and differences of two-dimensional point-spread functions and kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, ndimage

from scintscope.errors import DataError, check_range
from scintscope.metrics.checks import Float64Array, as_image, check_pixel_um
from scintscope.metrics.edge import full_width

_RADIAL_STEP_PX = 0.125
_DIRECTIONS = 72
_SUBPIXELS = 5
_SMALLEST_PX = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class PsfWidths:
    """Widths of a point-spread function; None where half the maximum is not reached.

    Parameters
    ----------
    row_fwhm_um : float or None
        Full width at half maximum along the row (column direction x) through the peak pixel.
    column_fwhm_um : float or None
        The same along the column (y).
    radial_fwhm_um : float or None
        Twice the radius at which the mean over directions falls to half its central value.
    centroid_px : (float, float)
        Row and column index of the centre of mass.
    peak_px : (int, int)
        Row and column index of the highest pixel.
    """

    row_fwhm_um: float | None
    column_fwhm_um: float | None
    radial_fwhm_um: float | None
    centroid_px: tuple[float, float]
    peak_px: tuple[int, int]


def centroid_px(psf: ArrayLike) -> tuple[float, float]:
    """Return the centre of mass as row and column index; negative values count negative.

    Raises
    ------
    DataError
        No finite two-dimensional array, or its sum is not positive.
    """
    array = _as_psf("psf", psf)
    total = float(array.sum())
    row = float(array.sum(axis=1) @ np.arange(array.shape[0])) / total
    column = float(array.sum(axis=0) @ np.arange(array.shape[1])) / total
    return row, column


def psf_widths(psf: ArrayLike, *, pixel_um: float) -> PsfWidths:
    """Return full widths at half maximum of a point-spread function.

    Along row and column through the peak pixel by linear interpolation between pixels; radially
    about the centroid on a cubic spline through the pixels, mean over 72 directions in steps of
    1/8 pixel. For a peak of a few pixels the radial width is the more accurate: the others take
    the highest pixel for the maximum.

    Parameters
    ----------
    psf : (M, N) float array
        On a zero background.
    pixel_um : float
        Pixel pitch, um.

    Raises
    ------
    DataError
        No finite two-dimensional array of at least 3 x 3, or its sum is not positive.
    """
    array = _as_psf("psf", psf)
    check_pixel_um(pixel_um)
    centre = centroid_px(array)
    row, column = (int(i) for i in np.unravel_index(int(np.argmax(array)), array.shape))
    along_row = full_width(np.arange(array.shape[1], dtype=np.float64), array[row], 0.5)
    along_column = full_width(np.arange(array.shape[0], dtype=np.float64), array[:, column], 0.5)
    radius, profile = radial_profile(array, centre)
    mirrored = np.concatenate([-radius[:0:-1], radius]), np.concatenate([profile[:0:-1], profile])
    radial = full_width(*mirrored, 0.5) if profile[0] == profile.max() else _outer(radius, profile)
    return PsfWidths(
        row_fwhm_um=None if along_row is None else along_row * pixel_um,
        column_fwhm_um=None if along_column is None else along_column * pixel_um,
        radial_fwhm_um=None if radial is None else radial * pixel_um,
        centroid_px=centre,
        peak_px=(row, column),
    )


def _outer(radius: Float64Array, profile: Float64Array) -> float | None:
    """Return twice the outermost radius at half the central value (a ring has a dip inside)."""
    above = np.flatnonzero(profile >= 0.5 * profile[0])
    if above.size == 0 or above[-1] == profile.size - 1:
        return None
    k = int(above[-1])
    share = (profile[k] - 0.5 * profile[0]) / (profile[k] - profile[k + 1])
    return 2.0 * float(radius[k] + share * (radius[k + 1] - radius[k]))


def radial_profile(
    psf: ArrayLike, centre_px: tuple[float, float]
) -> tuple[Float64Array, Float64Array]:
    """Return radii, px, and the mean over directions of a cubic spline through the pixels.

    Parameters
    ----------
    psf : (M, N) float array
    centre_px : (float, float)
        Row and column index of the centre.

    Returns
    -------
    radius_px : (K,) float array
        From 0 in steps of 1/8 px to the nearest border.
    profile : (K,) float array

    Raises
    ------
    DataError
        No usable array, or the centre lies outside.
    """
    array = as_image("psf", psf, minimum_px=_SMALLEST_PX)
    room = min(*centre_px, array.shape[0] - 1.0 - centre_px[0], array.shape[1] - 1.0 - centre_px[1])
    if room < 0.0:
        raise DataError(f"centre_px = {centre_px} lies outside an array of shape {array.shape}.")
    radius = np.arange(int(room / _RADIAL_STEP_PX) + 1, dtype=np.float64) * _RADIAL_STEP_PX
    angle = np.arange(_DIRECTIONS) * (2.0 * np.pi / _DIRECTIONS)
    rows = centre_px[0] + radius[:, None] * np.sin(angle)
    columns = centre_px[1] + radius[:, None] * np.cos(angle)
    values = ndimage.map_coordinates(array, [rows, columns], order=3, mode="mirror")
    return radius, np.asarray(values.mean(axis=1))


def encircled_energy_radius_um(
    psf: ArrayLike,
    *,
    pixel_um: float,
    fraction: float = 0.5,
    centre_px: tuple[float, float] | None = None,
) -> float:
    """Return the radius of the circle that holds a fraction of the sum.

    Each pixel is spread evenly over its square (5 x 5 points); the cumulative sum over rings of
    1/8 pixel is interpolated linearly, first crossing.

    Parameters
    ----------
    psf : (M, N) float array
        On a zero background; a pedestal moves the result to the border.
    pixel_um : float
        Pixel pitch, um.
    fraction : float
        Inside (0, 1).
    centre_px : (float, float), optional
        Row and column index of the centre; the centroid by default.

    Raises
    ------
    DataError
        No finite two-dimensional array, or its sum is not positive.
    RangeError
        ``fraction`` or ``pixel_um`` out of range.
    """
    array = _as_psf("psf", psf)
    check_pixel_um(pixel_um)
    check_range("fraction", fraction, low=0.0, high=1.0, low_open=True, high_open=True)
    row, column = centroid_px(array) if centre_px is None else centre_px
    part = (np.arange(_SUBPIXELS) - (_SUBPIXELS - 1) / 2) / _SUBPIXELS
    count = int(np.hypot(*array.shape) / _RADIAL_STEP_PX) * 2 + 2
    sums = np.zeros(count)
    for up in part:
        for right in part:
            distance = np.hypot(
                (np.arange(array.shape[0]) + up - row)[:, None],
                (np.arange(array.shape[1]) + right - column)[None, :],
            )
            ring = np.minimum((distance / _RADIAL_STEP_PX).astype(np.intp), count - 1)
            sums += np.bincount(ring.ravel(), weights=array.ravel(), minlength=count)
    inside = np.concatenate([[0.0], np.cumsum(sums)]) / sums.sum()
    k = int(np.flatnonzero(inside >= fraction)[0])
    share = (fraction - inside[k - 1]) / (inside[k] - inside[k - 1])
    return float((k - 1 + share) * _RADIAL_STEP_PX * pixel_um)


def fourier_shift(image: ArrayLike, shift_px: tuple[float, float]) -> Float64Array:
    """Return an array moved by fractions of a pixel, periodic.

    A positive shift moves the content to larger indices. Whole shifts are exact; the highest
    frequency of an even size keeps only its real part.

    Parameters
    ----------
    image : (M, N) float array
    shift_px : (float, float)
        Along rows' index and columns' index.

    Raises
    ------
    DataError
        No finite two-dimensional array.
    """
    array = as_image("image", image)
    phase = fft.fftfreq(array.shape[0])[:, None] * shift_px[0]
    phase = phase + fft.rfftfreq(array.shape[1])[None, :] * shift_px[1]
    moved = fft.irfft2(fft.rfft2(array) * np.exp(-2j * np.pi * phase), s=array.shape)
    return np.asarray(moved, dtype=np.float64)


def kernel_relative_error(estimate: ArrayLike, truth: ArrayLike) -> float:
    """Return ``||estimate - truth|| / ||truth||`` of two kernels, whatever their sums and places.

    The larger kernel is cut, on whole pixels about its centroid, to the window of the estimate
    (zeros where it is smaller); both get unit sums; then the estimate is moved by fractions of a
    pixel until its centroid is the truth's.

    Parameters
    ----------
    estimate : (M, N) float array
        Sets the window.
    truth : (K, L) float array
        Same pixel pitch.

    Returns
    -------
    float
        0 for equal shapes; dimensionless, Euclidean norm over the window.

    Raises
    ------
    DataError
        No finite two-dimensional array, or a sum that is not positive.

    Notes
    -----
    The move is a phase ramp on a window padded by half its size, so a kernel cut off at a high
    level rings; such a cut is an error of the kernel anyway.
    """
    one = _as_psf("estimate", estimate)
    two = _as_psf("truth", truth)
    two = _as_psf("truth inside the window", _window(two, (one.shape[0], one.shape[1])))
    one, two = one / one.sum(), two / two.sum()
    pads = [(count // 2, count // 2) for count in one.shape]
    padded = np.pad(one, pads)
    centre, target = centroid_px(one), centroid_px(two)
    moved = fourier_shift(padded, (target[0] - centre[0], target[1] - centre[1]))
    inside = moved[pads[0][0] : pads[0][0] + one.shape[0], pads[1][0] : pads[1][0] + one.shape[1]]
    return float(np.linalg.norm(inside - two) / np.linalg.norm(two))


def _window(kernel: Float64Array, shape: tuple[int, int]) -> Float64Array:
    """Return a kernel on a window of another shape, its centroid within half a pixel of the middle.

    A kernel that has the shape already is returned as it is.
    """
    if kernel.shape == shape:
        return kernel
    result = np.zeros(shape)
    source, target = [], []
    for centre, have, want in zip(centroid_px(kernel), kernel.shape, shape, strict=True):
        first = round(centre - 0.5 * (want - 1))
        source.append(slice(max(first, 0), max(min(first + want, have), 0)))
        target.append(slice(source[-1].start - first, source[-1].stop - first))
    result[target[0], target[1]] = kernel[source[0], source[1]]
    return result


def _as_psf(name: str, psf: ArrayLike) -> Float64Array:
    """Return a checked array with a positive sum."""
    array = as_image(name, psf, minimum_px=_SMALLEST_PX)
    if not array.sum() > 0.0:
        raise DataError(
            f"{name} sums to {array.sum():g}: a point-spread function needs a positive sum; "
            "subtract the background and check the sign."
        )
    return array
