"""Fourier ring correlation of two images and the resolution it gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from scintscope.errors import DataError
from scintscope.grids import Grid
from scintscope.metrics.checks import Float64Array, as_image_pair, check_pixel_um
from scintscope.metrics.psd import ring_numbers, ring_sums, window_1d
from scintscope.threads import POOL_THREADS

ONE_SEVENTH = 1.0 / 7.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RingCorrelation:
    """Correlation of two images per ring of radial frequency, zero frequency left out.

    Parameters
    ----------
    frequency_cy_per_um : (K,) float array
        Centres of the rings, cycles/um.
    correlation : (K,) float array
        In [-1, 1].
    count : (K,) float array
        Independent complex elements on each ring: half of those in the plane.
    half_bit : (K,) float array
        The half-bit threshold of each ring.
    resolution_one_seventh_um, resolution_half_bit_um : float or None
        One over the frequency at which the correlation first falls through the threshold; None
        if it never does: it stays above to the Nyquist frequency, or lies below from the start.
    """

    frequency_cy_per_um: Float64Array
    correlation: Float64Array
    count: Float64Array
    half_bit: Float64Array
    resolution_one_seventh_um: float | None
    resolution_half_bit_um: float | None


def half_bit_threshold(count: Float64Array) -> Float64Array:
    """Return the half-bit threshold of rings with the given numbers of elements.

    ``(0.2071 + 1.9102 / sqrt(n)) / (1.2071 + 0.9102 / sqrt(n))``; above it a ring carries more than
    half a bit of information per element in the sum of both images.

    References
    ----------
    van Heel and Schatz 2005, J. Struct. Biol. 151, 250, doi 10.1016/j.jsb.2005.05.009.
    """
    root = 1.0 / np.sqrt(count)
    return np.asarray((0.2071 + 1.9102 * root) / (1.2071 + 0.9102 * root))


def fourier_ring_correlation(
    first: ArrayLike, second: ArrayLike, *, pixel_um: float, window: str = "hann"
) -> RingCorrelation:
    """Return the Fourier ring correlation of two images of one scene.

    Parameters
    ----------
    first, second : (M, N) float arrays
        Images with independent noise.
    pixel_um : float
        Pixel pitch, um.
    window : {"hann", "none"}
        Window along both axes; it keeps the jump between opposite borders, which both images
        share, from correlating.

    Returns
    -------
    RingCorrelation

    Raises
    ------
    DataError
        Images that cannot be used, differ in shape, are smaller than 16 x 16 or constant.

    Notes
    -----
    ``FRC = Re sum F1 conj(F2) / sqrt(sum |F1|^2 sum |F2|^2)`` over each ring (Saxton and Baumeister
    1982, J. Microsc. 127, 127), rings as in `psd.radial_mean`. With power ratio SNR of signal to
    noise in each image its expectation is SNR / (1 + SNR). It measures consistency, not accuracy:
    an error that both images share correlates.
    """
    one, two = as_image_pair("first", first, "second", second, minimum_px=16)
    grid = Grid(shape=(one.shape[0], one.shape[1]), pixel_um=check_pixel_um(pixel_um))
    spectra = [
        _windowed_spectrum(name, image, window) for name, image in (("first", one), ("second", two))
    ]
    cross = ring_sums((spectra[0] * spectra[1].conj()).real, grid)[1:]
    powers = [ring_sums(spectrum.real**2 + spectrum.imag**2, grid)[1:] for spectrum in spectra]
    _, rings, width = ring_numbers(grid)
    frequency = np.arange(1, rings, dtype=np.float64) * width
    count = 0.5 * ring_sums(np.ones(spectra[0].shape), grid)[1:]
    norm = np.sqrt(powers[0] * powers[1])
    correlation = np.zeros_like(cross)
    np.divide(cross, norm, out=correlation, where=norm > 0.0)
    threshold = half_bit_threshold(count)
    return RingCorrelation(
        frequency_cy_per_um=frequency,
        correlation=correlation,
        count=count,
        half_bit=threshold,
        resolution_one_seventh_um=_resolution_um(frequency, correlation - ONE_SEVENTH),
        resolution_half_bit_um=_resolution_um(frequency, correlation - threshold),
    )


def _windowed_spectrum(name: str, image: Float64Array, window: str) -> NDArray[np.complex128]:
    """Return the real transform of the windowed image less its mean."""
    if np.ptp(image) == 0.0:
        raise DataError(f"{name} is constant: there is nothing to correlate.")
    weight = window_1d(image.shape[0], window)[:, None] * window_1d(image.shape[1], window)[None, :]
    mean = float((image * weight).sum() / weight.sum())
    return np.asarray(fft.rfft2((image - mean) * weight, workers=POOL_THREADS))


def _resolution_um(frequency: Float64Array, excess: Float64Array) -> float | None:
    """Return one over the frequency where the excess first falls through zero, or None."""
    below = np.flatnonzero(excess < 0.0)
    if below.size == 0 or below[0] == 0:
        return None
    k = int(below[0])
    share = excess[k - 1] / (excess[k - 1] - excess[k])
    return float(1.0 / (frequency[k - 1] + share * (frequency[k] - frequency[k - 1])))
