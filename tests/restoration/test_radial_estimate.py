"""The radial PSF: kernels of its family come out, thin noise does not bias it, bad pairs fail."""

import numpy as np
import pytest
from scipy import fft

from restoration_scenes import target
from scintscope.errors import DataError
from scintscope.restoration import PsfStatus, RestorationConfig, estimate_psf
from scintscope.restoration.psf import kernel_snapshots
from scintscope.restoration.psf_radial import (
    fading_window,
    fit_mixture,
    radial_kernel,
    ring_spectra,
)

SHAPE = (256, 240)


def transfer(shape):
    """Return the transfer function of a point and two tails on a grid of an image."""
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    return 0.3 + 0.4 * np.exp(-2 * np.pi * 1.5 * f) + 0.3 * np.exp(-2 * np.pi * 6.0 * f)


def blurred(image):
    return fft.irfft2(fft.rfft2(image) * transfer(image.shape), s=image.shape)


def true_kernel(shape=SHAPE):
    return fft.fftshift(fft.irfft2(transfer(shape), s=shape))


def error(found):
    truth = true_kernel()
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)


def test_a_kernel_of_the_family_comes_out():
    """Point and tails are found from a quiet pair on a frame that is not square."""
    thin = 1.0 - target(SHAPE)
    fit = fit_mixture(ring_spectra(thin, blurred(thin)))
    # the blur runs around the frame's edge while the window fades there: a few per cent
    assert error(radial_kernel(fit, SHAPE)) < 0.05
    assert fit.weights.min() >= 0.0


def test_noise_of_the_thin_image_is_found_and_does_not_bias():
    """White noise in the thin image is told from signal, kernel within 10 %."""
    rng = np.random.default_rng(6)
    sharp = 1.0 - target(SHAPE)
    sigma = 0.01
    thin = sharp + sigma * rng.standard_normal(SHAPE)
    rings = ring_spectra(thin, blurred(sharp))
    fit = fit_mixture(rings)
    # of the same order as without noise; with the plain ratio it is several times that
    assert error(radial_kernel(fit, SHAPE)) < 0.1
    # power per sample of white noise under the fading window; the level is that of the weakest
    # rings, of some hundred samples each
    expected = sigma**2 * float((fading_window(SHAPE, None) ** 2).sum())
    assert fit.noise == pytest.approx(expected, rel=0.3)


def test_estimate_psf_offers_it():
    """`psf_method = "radial"` gives a centred, non-negative kernel of unit sum and says how."""
    thin = 1.0 - target(SHAPE)
    thin, thick = np.maximum(thin, 0.0), np.maximum(blurred(thin), 0.0)
    for size in (40, 41):
        found = estimate_psf(thin, thick, RestorationConfig(psf_method="radial", psf_size_px=size))
        assert found.status is PsfStatus.FITTED and found.iterations == 0
        assert found.psf.sum() == pytest.approx(1.0, abs=1e-12) and found.psf.min() >= 0.0
        assert np.unravel_index(found.psf.argmax(), found.psf.shape) == (size // 2, size // 2)


def test_images_that_do_not_go_together_are_refused():
    """A thick image that is the thin one's negative fits no kernel."""
    thin = 1.0 - target(SHAPE)
    with pytest.raises(DataError, match="no radial PSF"):
        fit_mixture(ring_spectra(thin, -blurred(thin)))
    with pytest.raises(DataError, match="too small"):
        fit_mixture(ring_spectra(np.zeros(SHAPE), thin))


def test_snapshots_are_the_estimates_of_fewer_iterations():
    """One pass gives to the bit what each number of iterations gives alone."""
    thin = np.maximum(1.0 - target(SHAPE), 0.0)
    thick = np.maximum(blurred(thin), 0.0)
    config = RestorationConfig(psf_size_px=30)
    kept = kernel_snapshots(thin, thick, config, (2, 5))
    for count, full in kept.items():
        alone = estimate_psf(thin, thick, RestorationConfig(psf_size_px=30, psf_iterations=count))
        assert np.array_equal(full, alone.full_psf)
