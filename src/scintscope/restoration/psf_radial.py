"""A radially symmetric kernel from the ratio of two images' transforms, averaged over rings.

With a = thin signal + noise and b = thin * h + noise of its own, the cross power of a ring of
frequencies is X = H S and the thin image's power P = S + N. The noise's power N is taken as the
same at all frequencies. H is a mixture of kernels (1 + r^2 / s^2)^(-3/2) / (2 pi s^2), whose
transforms are exp(-2 pi s f), and a point: with weights >= 0 it is non-negative, peaked and falls
outwards. Weights and N are those that fit X = H (P - N) best, by non-negative least squares for
each N. Averaging over rings, and a thin image whose noise is not mistaken for signal, is what a
ratio pixel by pixel lacks (errors in variables: noise of the thin image makes X / P too small).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.optimize import minimize_scalar, nnls

from scintscope.errors import DataError
from scintscope.tiled_fft import WORKERS

Array = NDArray[np.float64]
Image = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

BORDER_SHARE = 8.0
"""Images fade to their mean over this part of the smaller side."""

FIRST_RING = 2
"""Rings below this one hold the fading's own spectrum."""

NYQUIST_CY_PER_PX = 0.5
"""Rings beyond it (the corners of the transform) are incomplete and are not used."""

MOST_RINGS = 512

SMALLEST_SCALE_PX = 0.3
SCALES = 15
"""Scales s of the mixture: 0 (the point), then from the smallest to 1 / (2 pi f) of the first ring,
beyond which a tail would show in no ring."""

UNMODELLED = 0.01
"""Part of X that the model may miss in a ring (aliasing, registration), beside its noise."""

_NOISE_STEPS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class RingSpectra:
    """Sums over rings of frequencies.

    Parameters
    ----------
    frequency_cy_per_px : (R,) array
        Mean frequency of each ring.
    cross, thin, thick : (R,) array
        Sums of Re(conj(a) b), abs(a)^2 and abs(b)^2.
    count : (R,) array
        Samples in each ring.
    """

    frequency_cy_per_px: Array
    cross: Array
    thin: Array
    thick: Array
    count: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class RadialFit:
    """The fitted mixture.

    Parameters
    ----------
    scales_px, weights : (S,) array
        Scales s and their weights, >= 0, which sum to the gain.
    noise : float
        N, per sample.
    residual : float
        Root mean square misfit in standard deviations.
    """

    scales_px: Array
    weights: Array
    noise: float
    residual: float

    def transfer(self, frequency_cy_per_px: Array) -> Array:
        """Return H at any frequencies."""
        return np.asarray(mixture_transfer(frequency_cy_per_px, self.scales_px) @ self.weights)


def fading_window(shape: tuple[int, int], valid: Mask | None) -> Array:
    """Return one inside, falling to zero at the border of the frame and of what is known."""
    from scipy import ndimage

    known = np.ones(shape, dtype=bool) if valid is None else valid
    distance = ndimage.distance_transform_cdt(np.pad(known, 1))[1:-1, 1:-1]
    reach = max(min(shape) / BORDER_SHARE, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((distance - 0.5) / reach, 0.0, 1.0)))


def ring_spectra(thin: Image, thick: Image, valid: Mask | None = None) -> RingSpectra:
    """Return the ring sums of two images, their means taken off, faded at the border."""
    shape = (thin.shape[0], thin.shape[1])
    window = fading_window(shape, valid)
    a, b = (
        fft.rfft2(window * (image - (window * image).sum() / window.sum()), workers=WORKERS)
        for image in (thin, thick)
    )
    rows, columns = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    f = np.hypot(rows[:, None], columns[None, :])
    twice = np.full(columns.size, 2.0)  # a column of rfft2 stands for its mirror image too
    twice[0] = 1.0
    if shape[1] % 2 == 0:
        twice[-1] = 1.0
    weight = np.broadcast_to(twice, f.shape).ravel()
    width = max(2.0 / min(shape), 1.0 / (2 * MOST_RINGS))
    ring = (f / width).astype(np.int64).ravel()

    def summed(values: Array) -> Array:
        return np.bincount(ring, values.ravel() * weight).astype(np.float64)

    count = summed(np.ones_like(f))
    middle = summed(f) / np.maximum(count, 1.0)
    used = (np.arange(count.size) >= FIRST_RING) & (middle < NYQUIST_CY_PER_PX) & (count > 0)
    return RingSpectra(
        frequency_cy_per_px=middle[used],
        cross=summed((np.conj(a) * b).real)[used],
        thin=summed(np.abs(a) ** 2)[used],
        thick=summed(np.abs(b) ** 2)[used],
        count=count[used],
    )


def mixture_transfer(frequency_cy_per_px: Array, scales_px: Array) -> Array:
    """Return exp(-2 pi s f) of each scale, (..., S)."""
    f = np.asarray(frequency_cy_per_px)
    return np.asarray(np.exp(-2.0 * np.pi * f[..., None] * scales_px))


def mixture_scales(rings: RingSpectra) -> Array:
    """Return the scales that the rings can tell apart, the point first, (S,)."""
    largest = 1.0 / (2.0 * np.pi * float(rings.frequency_cy_per_px[0]))
    wide = np.geomspace(SMALLEST_SCALE_PX, max(largest, 2.0 * SMALLEST_SCALE_PX), SCALES - 1)
    return np.concatenate([[0.0], wide])


def standard_deviation(rings: RingSpectra) -> Array:
    """Return the standard deviation of X, from what is not coherent, and what no model holds."""
    incoherent = np.maximum(rings.thin * rings.thick - rings.cross**2, 0.0) / rings.count
    return np.asarray(np.sqrt(incoherent) + UNMODELLED * np.abs(rings.cross))


def fit_mixture(rings: RingSpectra) -> RadialFit:
    """Return the mixture and the thin image's noise that fit the rings best.

    Raises
    ------
    DataError
        No ring has thin signal, or nothing in the images goes together.
    """
    if rings.count.size < SCALES or not float(rings.thin.min()) > 0.0:
        raise DataError("the images are too small, or the thin target too empty, for a radial PSF.")
    scales = mixture_scales(rings)
    basis = mixture_transfer(rings.frequency_cy_per_px, scales)
    spread = standard_deviation(rings)
    target = rings.cross / spread

    def solve(noise: float) -> tuple[Array, float]:
        signal = (rings.thin - noise * rings.count) / spread
        weights, misfit = nnls(basis * signal[:, None], target)
        return np.asarray(weights), float(misfit)

    highest = float((rings.thin / rings.count).min())
    levels = np.linspace(0.0, highest, _NOISE_STEPS + 1)
    best = int(np.argmin([solve(float(level))[1] for level in levels]))
    bounds = (levels[max(best - 1, 0)], levels[min(best + 1, _NOISE_STEPS)])
    found = minimize_scalar(lambda level: solve(float(level))[1], bounds=bounds, method="bounded")
    noise = min((float(found.x), float(levels[best])), key=lambda level: solve(level)[1])
    weights, misfit = solve(noise)
    if not float(weights.sum()) > 0.0:
        raise DataError("the thick image does not follow the thin one: no radial PSF fits.")
    return RadialFit(
        scales_px=scales,
        weights=weights,
        noise=noise,
        residual=misfit / float(np.sqrt(rings.count.size)),
    )


def radial_kernel(fit: RadialFit, shape: tuple[int, int]) -> Array:
    """Return the kernel on pixels, zero lag at ``(M // 2, N // 2)``, band-limited, >= 0."""
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    kernel = fft.fftshift(fft.irfft2(fit.transfer(f), s=shape, workers=WORKERS))
    return np.asarray(np.maximum(kernel, 0.0))


def estimate_radial(thin: Image, thick: Image, valid: Mask | None = None) -> Array:
    """Return the radially symmetric kernel h of thick = thin * h, (M, N), sum = gain."""
    fit = fit_mixture(ring_spectra(thin, thick, valid))
    return radial_kernel(fit, (thin.shape[0], thin.shape[1]))
