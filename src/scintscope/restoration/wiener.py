"""Wiener deconvolution: one linear step with a stated noise-to-signal ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.convolve import Convolver
from scintscope.errors import check_range
from scintscope.restoration.richardson_lucy import (
    DeconvolutionResult,
    DeconvolutionStatus,
    check_image_and_kernel,
    i_divergence,
)
from scintscope.tiled_fft import WORKERS

Image = NDArray[np.floating[Any]]

CORNER_CY_PER_PX = 0.02
"""Frequency below which an image's power is taken as flat: structures of about 50 px."""


def noise_deviation(image: Image) -> float:
    """Return the standard deviation of an image's white noise.

    Median absolute deviation of the diagonal second difference (a - b - c + d) / 2, which is blind
    to gradients (Donoho and Johnstone 1994, Biometrika 81, 425, finest Haar diagonal). Exact for
    white Gaussian noise on an image without detail at the pixel scale. Differences that touch a
    pixel at the image's smallest value are left out if others suffice: clipping makes them zero.
    """
    detail = (image[1:, 1:] - image[:-1, 1:] - image[1:, :-1] + image[:-1, :-1]) / 2.0
    above = image > image.min()
    free = above[1:, 1:] & above[:-1, 1:] & above[1:, :-1] & above[:-1, :-1]
    if free.sum() >= 1000:
        detail = detail[free]
    return 1.4826 * float(np.median(np.abs(detail)))


def measured_noise_to_signal(image: Image) -> float:
    """Return noise variance over signal variance of an image, kept within [1e-8, 1e4]."""
    noise = noise_deviation(image) ** 2
    signal = max(float(np.var(image, dtype=np.float64)) - noise, 0.0)
    return float(np.clip(noise / max(signal, 1e-300), 1e-8, 1e4))


def wiener(
    image: Image,
    kernel: Image,
    *,
    noise_to_signal: float | str = "auto",
    precision: str = "float32",
) -> DeconvolutionResult:
    """Return the Wiener estimate, F{u} = conj(H) F{d} / (abs(H)^2 + noise_to_signal).

    Wiener 1949. A given ratio holds for all frequencies. "auto" measures noise and signal variance
    and lets the signal's power fall as 1 / (f^2 + f0^2), as images with edges do. The mean is kept
    as it is; outside the frame the image continues as in a mirror and fades to its mean, so that
    nothing wraps around.

    Parameters
    ----------
    image : (M, N) float array
    kernel : (m, n) float array
        Centre at ``n // 2``; its sum is divided out.
    noise_to_signal : float or "auto"
        Noise power over signal power; "auto" measures both on the image. The result's
        ``noise_to_signal`` is the mean-power ratio.
    precision : {"float32", "float64"}

    Returns
    -------
    DeconvolutionResult
        ``history`` holds the misfit of the estimate, if that can be a non-negative model.

    Raises
    ------
    DataError
        NaN or wrongly shaped data, or a kernel that cannot be a PSF.
    """
    check_image_and_kernel(image, kernel, non_negative=False)
    ratio = measured_noise_to_signal(image) if noise_to_signal == "auto" else float(noise_to_signal)
    check_range("noise_to_signal", ratio, low=0.0, low_open=True)
    dtype = np.dtype(precision)
    unit = np.asarray(kernel / kernel.sum(dtype=np.float64), dtype=dtype)
    mean = float(np.mean(image, dtype=np.float64))
    margins = [_margin(n, k) for n, k in zip(image.shape, unit.shape, strict=True)]
    padded = _fade_pad(np.asarray(image - mean, dtype=dtype), margins)
    blur = Convolver(unit, (padded.shape[0], padded.shape[1]), "periodic")
    spectrum = fft.rfft2(padded, workers=WORKERS)
    shape = _signal_shape(padded.shape) if noise_to_signal == "auto" else np.ones(1)
    penalty = (ratio / shape).astype(dtype)
    spectrum *= np.conj(blur.otf) / (np.abs(blur.otf) ** 2 + penalty)
    full = fft.irfft2(spectrum, s=padded.shape, workers=WORKERS)
    rows, columns = image.shape
    top, left = margins[0][0], margins[1][0]
    estimate = np.asarray(full[top : top + rows, left : left + columns] + mean, dtype=dtype)
    return DeconvolutionResult(
        estimate=estimate,
        history=_misfit(image, estimate, unit),
        change=(),
        iterations=0,
        status=DeconvolutionStatus.DIRECT,
        noise_to_signal=ratio,
    )


def _signal_shape(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return 1 / (f^2 + f0^2) on a real transform's frequencies, its mean one.

    Field 1987, J. Opt. Soc. Am. A 4, 2379: amplitude falls as 1/f in images of edges.
    """
    row = fft.fftfreq(shape[0])[:, None]
    column = fft.rfftfreq(shape[1])[None, :]
    power = 1.0 / (row**2 + column**2 + CORNER_CY_PER_PX**2)
    return np.asarray(power / power.mean())


def _misfit(image: Image, estimate: Image, kernel: Image) -> tuple[float, ...]:
    """Return the I-divergence inside the frame less the kernel's reach, if it is defined."""
    model = Convolver(kernel, (image.shape[0], image.shape[1]), "zero").forward(estimate)
    reach = [n // 2 for n in kernel.shape]
    inner = tuple(slice(r, n - r) for r, n in zip(reach, image.shape, strict=True))
    data = image[inner]
    if data.size == 0 or float(data.min()) < 0 or float(model[inner].min()) <= 0:
        return ()
    return (i_divergence(data, model[inner]),)


def _margin(count: int, kernel: int) -> tuple[int, int]:
    """Return padding before and after an axis: twice the kernel at least, to a fast length."""
    reach = min(2 * kernel, count)
    total = int(fft.next_fast_len(count + 2 * reach, real=True)) - count
    return total // 2, total - total // 2


def _fade_pad(image: Image, margins: list[tuple[int, int]]) -> Image:
    """Return the image mirrored into the margins, fading to zero at their outer ends."""
    padded = np.pad(image, margins, mode="symmetric")
    for axis, (before, after) in enumerate(margins):
        fade = np.ones(padded.shape[axis], dtype=image.dtype)
        fade[:before] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(before) + 0.5) / max(before, 1))
        tail = 0.5 - 0.5 * np.cos(np.pi * (np.arange(after) + 0.5) / max(after, 1))
        fade[len(fade) - after :] = tail[::-1]
        padded *= fade[:, None] if axis == 0 else fade[None, :]
    return padded
