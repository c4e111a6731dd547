"""Restoration against scikit-image, closed forms and known kernels."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from scintscope.metrics import kernel_relative_error
from scintscope.restoration import RestorationConfig, estimate_psf, register_pair
from scintscope.restoration.richardson_lucy import richardson_lucy
from scintscope.restoration.wiener import wiener
from scintscope.validate import Row, row


def gaussian(size: int, sigma: float) -> np.ndarray:
    """Return a Gaussian of unit sum, centre at ``size // 2``."""
    axis = np.arange(size) - size // 2
    line = np.exp(-0.5 * (axis / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


def scikit_image_row() -> Row:
    """Return Richardson-Lucy beside another code's, in that code's conventions."""
    from skimage.restoration import richardson_lucy as reference

    rng = np.random.default_rng(5)
    image, kernel = rng.random((40, 51)), rng.random((9, 7))
    kernel /= kernel.sum()
    ours = richardson_lucy(image, kernel, iterations=10, boundary="zero", start=0.5,
                           normalise=False, precision="float64").estimate  # fmt: skip
    gap = float(np.abs(ours - reference(image, kernel, 10, clip=False)).max())
    return row("Richardson-Lucy, 10 iterations, largest difference", gap, 0.0, 1e-5,
               reason="the other code adds 1e-12 under its quotient",
               source="scikit-image, skimage.restoration.richardson_lucy(clip=False)")  # fmt: skip


def first_step_rows() -> list[Row]:
    """Return one iteration from a constant: the data blurred once more, and the sum kept."""
    sigma, size = 2.0, 65
    point = gaussian(size, sigma) + 0.01
    found = richardson_lucy(point, gaussian(size, sigma), iterations=1, boundary="periodic",
                            precision="float64").estimate  # fmt: skip
    axis = np.arange(size) - size // 2
    excess = np.asarray(found, dtype=float) - 0.01
    variance = float((excess.sum(0) @ axis**2) / excess.sum())
    told = {"kind": "closed form", "source": "Richardson 1972: u <- u K'(d / K u)"}
    return [
        row("Richardson-Lucy, first iteration: variance of a blurred point", variance,
            2.0 * sigma**2, 1e-3, unit="px2", reason="Gaussian cut at 16 sigma, float64", **told),
        row("Richardson-Lucy keeps the sum", float(found.sum() / point.sum()), 1.0, 1e-9,
            reason="float64 rounding of transforms", **told),
    ]  # fmt: skip


def wiener_row() -> Row:
    """Return Wiener's estimate of a wave beside conj(H) / (|H|^2 + K) at its frequency."""
    size, sigma, ratio, cycles = 256, 1.5, 0.02, 24
    wave = np.cos(2.0 * np.pi * cycles / size * np.arange(size))
    image = 1.0 + 0.5 * np.repeat(wave[None, :], size, axis=0)
    kernel = gaussian(25, sigma)
    found = np.asarray(wiener(image, kernel, noise_to_signal=ratio, precision="float64").estimate)
    otf = float(np.real(fft.fft(np.roll(np.pad(kernel.sum(0), (0, size - 25)), -12))[cycles]))
    middle = slice(size // 4, 3 * size // 4)
    gain = float((found[middle, middle] - 1.0)[0] @ wave[middle] / (wave[middle] @ wave[middle]))
    return row("Wiener's gain of a wave", gain / 0.5, otf / (otf**2 + ratio), 0.01,
               kind="closed form", reason="the frame fades to its mean outside: 1 % in the middle",
               source="Wiener 1949: conj(H) / (|H|^2 + K)")  # fmt: skip


def scene(shape: tuple[int, int]) -> np.ndarray:
    """Return a scene of blocks of random grey."""
    rng = np.random.default_rng(11)
    blocks = rng.random((shape[0] // 6 + 1, shape[1] // 6 + 1))
    return np.kron(blocks, np.ones((6, 6)))[: shape[0], : shape[1]]


def kernel_rows(quick: bool) -> list[Row]:
    """Return the kernel found from a pair made with a known one, without noise."""
    thin = np.zeros((240, 256))
    thin[60:180, 60:196] = scene((120, 136))
    thin = ndimage.gaussian_filter(thin, 0.7)
    truth = gaussian(41, 3.0)
    thick = ndimage.gaussian_filter(thin, 3.0, truncate=6.0, mode="constant")
    config = RestorationConfig(psf_size_px=41, psf_iterations=60, precision="float64")
    found = estimate_psf(thin, np.maximum(thick, 0.0), config)
    axis = np.arange(41) - 20
    profile = np.asarray(found.psf, dtype=float).sum(0)
    sigma = float(np.sqrt(profile @ axis**2 - (profile @ axis) ** 2))
    told = {"kind": "closed form", "source": "the Gaussian of 3 px that made the pair"}
    return [
        row("estimated PSF of a known pair, relative error",
            kernel_relative_error(found.psf, truth), 0.0, 0.1,
            reason="60 iterations leave the highest frequencies of the kernel", **told),
        row("its standard deviation", sigma, 3.0, 0.15, unit="px",
            reason="5 %: the same, on the second moment", **told),
    ]  # fmt: skip


def registration_rows() -> list[Row]:
    """Return a known shift found between two images of different blur, and another code's."""
    from skimage.registration import phase_cross_correlation

    shift = (2.4, -3.7)  # of the content, from the fixed image to the moving one
    sharp = scene((300, 320))
    fixed = ndimage.gaussian_filter(sharp, 2.0)
    moving = ndimage.shift(ndimage.gaussian_filter(sharp, 1.0), shift, order=5)
    inner = (slice(20, -20), slice(20, -20))
    found = register_pair(fixed[inner], moving[inner], model="translation").transform.shift_px
    other = phase_cross_correlation(
        fixed[inner], moving[inner], upsample_factor=50, normalization=None
    )[0]
    why = "a tenth of a pixel, what the PSF estimate can stand"
    rows = [
        row(f"registration, {axis}", float(ours), true, 0.1, unit="px", kind="closed form",
            reason=why, source="the shift applied by a spline of fifth order")
        for axis, ours, true in zip(("rows", "columns"), found, shift, strict=True)
    ]  # fmt: skip
    gap = float(np.hypot(*(np.asarray(found) + other)))  # theirs takes the image back
    rows.append(
        row("registration beside another code, distance", gap, 0.0, 0.15, unit="px",
            reason="a tenth of a pixel of ours and its own error on unequal blur",
            source="scikit-image, phase_cross_correlation, a fiftieth of a pixel")
    )  # fmt: skip
    return rows


def rows(quick: bool) -> list[Row]:
    """Return the comparisons; registration and the kernel are left out of the quick ones."""
    found = [scikit_image_row(), *first_step_rows(), wiener_row()]
    return found if quick else [*found, *kernel_rows(quick), *registration_rows()]
