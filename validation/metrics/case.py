"""Image metrics against other codes' numbers and closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from scintscope.metrics import (
    encircled_energy_radius_um,
    fourier_ring_correlation,
    piqe,
    psf_widths,
    psnr,
    radial_power_spectrum,
    rmse,
    slanted_edge,
    ssim,
)
from scintscope.optics.psf_kernels import psf_stack
from scintscope.optics.wavefront import OpticalPath
from scintscope.units import FWHM_PER_SIGMA
from scintscope.validate import Row, read_table, row, worst

from .make_piqe_reference import images

HERE = Path(__file__).parent


def piqe_rows(quick: bool) -> list[Row]:
    """Return PIQE of images that scikit-image carries beside another code's."""
    known = images()
    lines = read_table(HERE / "piqe_reference.csv")
    found = [
        row(f"PIQE of {line['image']}", piqe(known[line["image"]]).score, line["score"], 1e-6,
            reason="float64 in another order, 1e-13 a pixel, under a square root",
            source="pypiqe 1.2, recorded by make_piqe_reference.py")
        for line in lines[: 2 if quick else None]
    ]  # fmt: skip
    return [*found[:1], worst(found, "image scores")]


def similarity_rows() -> list[Row]:
    """Return SSIM, PSNR and rmse of a noisy image beside scikit-image's and a sum."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    truth = images()["camera"].astype(float)
    noisy = truth + np.random.default_rng(3).normal(0.0, 20.0, truth.shape)
    span = float(np.ptp(truth))
    theirs = structural_similarity(
        truth, noisy, data_range=span, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    told = {"reason": "float rounding", "source": "scikit-image, skimage.metrics"}
    ratio = peak_signal_noise_ratio(truth, noisy, data_range=span)
    sums = math.sqrt(((noisy - truth) ** 2).mean()) / truth.std()
    return [
        row("SSIM of a noisy image", ssim(noisy, truth), theirs, 1e-9, **told),
        row("PSNR of a noisy image", psnr(noisy, truth), ratio, 1e-9, unit="dB", **told),
        row("rmse of a noisy image", rmse(noisy, truth), sums, 1e-12, kind="closed form",
            reason="float rounding", source="its definition"),
    ]  # fmt: skip


def _twice_integrated(u: np.ndarray) -> np.ndarray:
    return 0.5 * ((u * u + 1) * ndtr(u) + u * np.exp(-0.5 * u * u) / math.sqrt(2 * math.pi))


def gaussian_edge(shape: tuple[int, int], sigma_px: float, angle_deg: float) -> np.ndarray:
    """Return a step blurred by a Gaussian and integrated over square pixels, in closed form."""
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    y = (np.arange(shape[0]) - 0.5 * (shape[0] - 1))[:, None]
    x = (np.arange(shape[1]) - 0.5 * (shape[1] - 1) - 0.3)[None, :]

    def corner(up: float, right: float) -> np.ndarray:
        return _twice_integrated(((x + right) * cosine - (y + up) * sine) / sigma_px)

    whole = corner(0.5, 0.5) - corner(-0.5, 0.5) - corner(0.5, -0.5) + corner(-0.5, -0.5)
    return -(sigma_px**2) / (cosine * sine) * whole


def edge_rows() -> list[Row]:
    """Return the MTF of a known edge beside the Gaussian times the square pixel."""
    sigma, angle, pixel = 0.8, 5.0, 1.3
    found = slanted_edge(gaussian_edge((101, 80), sigma, angle), pixel_um=pixel, oversampling=8)
    turn = math.radians(angle)
    group = []
    for share in (0.2, 0.4, 0.6, 0.8, 1.0):
        f = 0.5 * share
        ours = float(np.interp(f / pixel, found.mtf.frequency_cy_per_um, found.mtf.value))
        closed = math.exp(-2.0 * (math.pi * sigma * f) ** 2)
        closed *= float(np.sinc(f * math.cos(turn)) * np.sinc(f * math.sin(turn)))
        group.append(
            row(f"{share:g} of Nyquist", ours, closed, 4e-3, kind="closed form",
                reason="bins of an eighth, 3e-3, and linear interpolation, 1e-3",
                source="Gaussian of 0.8 px times sinc of the pixel")
        )  # fmt: skip
    width = found.width_10_90_um or math.nan
    rise = pixel * rise_px(sigma, turn)
    return [
        worst(group, "MTF of a slanted Gaussian edge"),
        row("10-90 % width of that edge", width, rise, 0.01 * rise, unit="um", kind="closed form",
            reason="bins of an eighth and chords between them widen it by 0.4 %",
            source="Gaussian step averaged over the tilted square pixel"),
    ]  # fmt: skip


def rise_px(sigma_px: float, turn: float) -> float:
    """Return the 10-90 % width of a Gaussian step averaged over a square pixel at an angle."""
    sub = (np.arange(200) + 0.5) / 200 - 0.5
    offset = (sub[:, None] * math.cos(turn) + sub[None, :] * math.sin(turn)).ravel()
    tenth = brentq(lambda t: float(ndtr((t + offset) / sigma_px).mean()) - 0.9, 0.0, 10.0)
    return 2.0 * float(tenth)


def correlation_row() -> Row:
    """Return the Fourier ring correlation of two noisy images of a white scene: SNR/(1 + SNR)."""
    rng = np.random.default_rng(8)
    scene = rng.standard_normal((256, 256))
    first, second = (scene + rng.normal(0.0, 0.5, scene.shape) for _ in range(2))
    found = fourier_ring_correlation(first, second, pixel_um=1.0, window="none")
    weight = np.asarray(found.count, dtype=float)
    mean = float(weight @ found.correlation / weight.sum())
    expected = 4.0 / 5.0
    sigma = (1.0 - expected**2) / math.sqrt(2.0 * weight.sum())
    return row("Fourier ring correlation at a signal-to-noise of 4", mean, expected, 5.0 * sigma,
               kind="closed form", reason="five sigma of the number of elements",
               source="SNR / (1 + SNR), Saxton and Baumeister 1982")  # fmt: skip


def power_row() -> Row:
    """Return the power spectral density of white noise: its variance times the pixel's area."""
    noise = np.random.default_rng(9).normal(0.0, 2.0, (256, 256))
    found = radial_power_spectrum(noise, pixel_um=1.3, window="none")
    weight = np.asarray(found.count, dtype=float)
    ours = float(weight @ found.power_um2 / weight.sum())
    expected = 4.0 * 1.3**2
    return row("power spectral density of white noise", ours, expected,
               5.0 * expected / math.sqrt(0.5 * weight.sum()), unit="um2", kind="closed form",
               reason="five sigma of the number of elements",
               source="variance times pixel area")  # fmt: skip


def airy_rows() -> list[Row]:
    """Return widths of an Airy pattern drawn on fine pixels."""
    path = OpticalPath(na=0.1, index=1.0, wavelength_um=0.55)
    unit = path.wavelength_um / path.na
    pixel = unit / 40.0
    stack = psf_stack([0.0], 0.0, path, pixel_um=pixel, shape=(1201, 1201), aperture_um=0.0)
    image = np.asarray(stack.kernels[0])
    width = psf_widths(image, pixel_um=pixel).radial_fwhm_um or math.nan
    total = image.sum()
    half = encircled_energy_radius_um(image, pixel_um=pixel, fraction=0.5 / total)
    return [
        row("width of an Airy image, lambda/NA", width / unit, 0.51450, 2e-3, kind="closed form",
            reason="pixels of 1/40 lambda/NA, a spline between", source="Born and Wolf 8.5.2"),
        row("radius of half the light of an Airy image, lambda/NA", half / unit, 0.26779, 5e-3,
            kind="closed form", reason="pixels of 1/40 lambda/NA, rings of an eighth of it",
            source="1 - J0^2 - J1^2 = 1/2 at 2 pi NA r / lambda = 1.6826"),
    ]  # fmt: skip


def gauss_row() -> Row:
    """Return the width of a Gaussian image."""
    sigma = 4.0
    axis = np.arange(-40, 41)
    image = np.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / (2.0 * sigma**2))
    width = psf_widths(image, pixel_um=0.65).radial_fwhm_um or math.nan
    return row("width of a Gaussian image", width, FWHM_PER_SIGMA * sigma * 0.65, 5e-3, unit="um",
               kind="closed form", reason="cubic spline between samples of sigma/4",
               source="2 sqrt(2 ln 2) sigma")  # fmt: skip


def rows(quick: bool) -> list[Row]:
    """Return the comparisons; the quick ones score two images."""
    found = [*piqe_rows(quick), *similarity_rows(), *edge_rows(), correlation_row(), power_row(),
             gauss_row()]  # fmt: skip
    return found if quick else [*found, *airy_rows()]
