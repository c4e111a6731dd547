"""How far an estimated kernel is from the true one, whatever its window, sum and place.

Both are laid on one 129 x 129 window (zeros where an estimate has none), get unit sums, and the
estimate is moved by the fraction of a pixel that brings it nearest. The place of a kernel says
where registration put it, not what shape it has. The centroid is not used: noise and defect
residue in the tails, weighted with their distance, pull it by whole pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.errors import DataError
from scintscope.response import DepthResponse
from scintscope.verdict.truth import true_kernel

Array = NDArray[np.float64]
Image = NDArray[np.floating[Any]]

WINDOW_PX = 129
_GRID_PX = 256
"""Moves of up to half the window's side do not wrap on it."""

_NEWTON_STEPS = 4
_FARTHEST_PX = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelTruth:
    """A true kernel, ready to be compared with many estimates.

    Parameters
    ----------
    kernel : (129, 129) array
        Unit sum, centre in the middle.
    spectrum : complex array
        Its transform on a padded grid, zero lag at the origin.
    """

    kernel: Array
    spectrum: NDArray[np.complex128]

    @classmethod
    def of(cls, kernel: Array) -> KernelTruth:
        """Return the truth for a kernel with its centre at ``n // 2``."""
        window = on_window(kernel)
        return cls(kernel=window, spectrum=fft.fft2(_padded(window)))


def pair_truth(thin: DepthResponse, thick: DepthResponse) -> KernelTruth:
    """Return the true kernel of two plates: M_thick / M_thin over the camera's square band."""
    return KernelTruth.of(true_kernel(thin, thick, 2 * WINDOW_PX))


def on_window(kernel: Image) -> Array:
    """Return a kernel with centre ``n // 2`` on the common window, unit sum.

    Raises
    ------
    DataError
        Its sum there is not positive.
    """
    kernel = np.asarray(kernel, dtype=np.float64)
    window = np.zeros((WINDOW_PX, WINDOW_PX))
    to, source = [], []
    for count in kernel.shape:
        start = WINDOW_PX // 2 - count // 2
        low, high = max(start, 0), min(start + count, WINDOW_PX)
        to.append(slice(low, high))
        source.append(slice(low - start, high - start))
    window[to[0], to[1]] = kernel[source[0], source[1]]
    total = float(window.sum())
    if not total > 0.0:
        raise DataError("a kernel whose sum is not positive cannot be compared.")
    return window / total


def kernel_error(estimate: Image, truth: KernelTruth) -> float:
    """Return ||estimate - truth|| / ||truth|| on the common window, the estimate moved to fit.

    Parameters
    ----------
    estimate : (m, n) array
        Centre at ``n // 2`` but for a residual of up to two pixels.
    truth : KernelTruth
    """
    moved = _nearest(on_window(estimate), truth)
    moved /= moved.sum()
    return float(np.linalg.norm(moved - truth.kernel) / np.linalg.norm(truth.kernel))


def _padded(window: Array) -> Array:
    grid = np.zeros((_GRID_PX, _GRID_PX))
    grid[:WINDOW_PX, :WINDOW_PX] = window
    return grid


def _nearest(window: Array, truth: KernelTruth) -> Array:
    """Return the window's kernel, moved to where its correlation with the truth is greatest."""
    spectrum = fft.fft2(_padded(window))
    product = spectrum * np.conj(truth.spectrum)
    f = 2.0 * np.pi * fft.fftfreq(_GRID_PX)
    f[_GRID_PX // 2] = 0.0  # the Nyquist sample of an even grid has no sign
    shift = _whole_pixels(fft.ifft2(product).real)
    for _ in range(_NEWTON_STEPS):
        rows, columns = np.exp(1j * f * shift[0]), np.exp(1j * f * shift[1])
        by_row = product @ np.stack([columns, f * columns, f * f * columns], axis=1)
        first = rows @ by_row
        second = (f * rows) @ by_row
        third = (f * f * rows) @ by_row
        gradient = np.array([-second[0].imag, -first[1].imag])
        mixed = -second[1].real
        hessian = np.array([[-third[0].real, mixed], [mixed, -first[2].real]])
        step = -np.linalg.solve(hessian, gradient)
        if not np.isfinite(step).all() or np.abs(step).max() > 1.0:
            break
        shift = shift + step
    ramp = np.exp(1j * f * shift[0])[:, None] * np.exp(1j * f * shift[1])[None, :]
    return np.asarray(fft.ifft2(spectrum * ramp).real[:WINDOW_PX, :WINDOW_PX])


def _whole_pixels(correlation: Array) -> Array:
    """Return the correlation's highest place near zero lag, (row, column)."""
    reach = int(_FARTHEST_PX)
    lags = np.arange(-reach, reach + 1)
    near = correlation[np.ix_(lags, lags)]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return np.array([lags[row], lags[column]], dtype=np.float64)
