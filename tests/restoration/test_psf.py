"""PSF estimation: recovery, even and odd squares, centring, shares, adjoint, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from restoration_scenes import tailed_kernel, target
from scintscope.convolve import Convolver
from scintscope.errors import DataError
from scintscope.restoration import PsfStatus, RestorationConfig, estimate_psf
from scintscope.restoration.psf import ThinOperator
from scintscope.restoration.psf_window import centre_of, cut_window, taper_profile


def pair(shift: tuple[int, int] = (0, 0)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a thin and a thick signal and the kernel between them, shifted by whole pixels."""
    kernel = np.roll(tailed_kernel(61), shift, axis=(0, 1))
    thin = np.maximum(1.0 - target((256, 240)), 0.0)  # spline-free, but rounding undershoots
    return thin, np.maximum(Convolver(kernel, thin.shape, "zero").forward(thin), 0.0), kernel


@pytest.mark.parametrize("lags", [(8, 8), (7, 5), (20, 31)])
def test_operator_adjoint(lags: tuple[int, int]):
    """<Ah, y> = <h, A'y> to 1e-10, even and odd, window and whole frame."""
    rng = np.random.default_rng(1)
    operator = ThinOperator.build(rng.random((20, 31)), lags)
    h, y = rng.standard_normal(lags), rng.standard_normal((20, 31))
    left, right = np.vdot(operator.forward(h), y), np.vdot(h, operator.adjoint(y))
    assert abs(left - right) < 1e-10 * np.linalg.norm(operator.forward(h)) * np.linalg.norm(y)


def test_operator_is_linear_convolution():
    """The operator equals convolution with zeros outside: nothing wraps."""
    rng = np.random.default_rng(2)
    thin, h = rng.random((20, 31)), rng.random((20, 31))
    expected = Convolver(h, thin.shape, "zero").forward(thin)
    np.testing.assert_allclose(ThinOperator.build(thin, h.shape).forward(h), expected, atol=1e-11)


@pytest.mark.parametrize("size", [40, 41])
@pytest.mark.parametrize("start", ["full", "window", "peaked"])
def test_recovers_kernel(size: int, start: str):
    """From noise-free data the true kernel is approached, centred at size // 2."""
    thin, thick, kernel = pair()
    config = RestorationConfig(
        psf_size_px=size, psf_start=start, psf_iterations=60, precision="float64"
    )
    found = estimate_psf(thin, thick, config)
    half = size // 2
    truth = kernel[30 - half : 30 - half + size, 30 - half : 30 - half + size]
    truth = truth / truth.sum()
    assert found.psf.shape == (size, size) and found.psf.min() >= 0
    assert found.psf.sum() == pytest.approx(1.0, abs=1e-12)
    # 60 iterations leave the core's highest frequencies; a shift of one pixel would give > 1
    assert np.linalg.norm(found.psf - truth) < 0.4 * np.linalg.norm(truth)
    assert found.gain == pytest.approx(1.0, abs=0.03)  # window start lacks 1-2 % of tail
    assert found.history[-1] < 0.05 * found.history[0]


def test_fourier_ratio_recovers_kernel():
    """The regularised ratio finds the same kernel, thick over thin, not its inverse."""
    thin, thick, kernel = pair()
    config = RestorationConfig(psf_method="fourier_ratio", psf_size_px=40, psf_regularisation=1e-6)
    found = estimate_psf(thin, thick, config)
    truth = kernel[10:50, 10:50] / kernel[10:50, 10:50].sum()
    assert found.status is PsfStatus.DIRECT
    # zeros of the target's spectrum stay empty: ringing of some ten per cent
    assert np.linalg.norm(found.psf - truth) < 0.4 * np.linalg.norm(truth)


def test_misregistration_is_reported_and_centred():
    """A kernel three rows down and two columns left is found there and brought to the centre."""
    thin, thick, _ = pair((3, -2))
    found = estimate_psf(thin, thick, RestorationConfig(psf_size_px=31, psf_iterations=20))
    # the first estimate's peak, at zero lag, still weighs a few per cent after 20 iterations
    np.testing.assert_allclose(found.centre_offset_px, (3.0, -2.0), atol=0.2)
    assert np.unravel_index(found.psf.argmax(), found.psf.shape) == (15, 15)


def test_gain_of_a_brighter_thick_plate():
    """Thick signal twice as strong per thin signal shows up as gain, not in the PSF's sum."""
    thin, thick, _ = pair()
    found = estimate_psf(thin, 2.0 * thick, RestorationConfig(psf_size_px=40))
    assert found.gain == pytest.approx(2.0, rel=0.05)  # tail beyond the frame
    assert found.psf.sum() == pytest.approx(1.0, abs=1e-12)


def test_tolerance_stops():
    """A loose tolerance ends early with CONVERGED."""
    thin, thick, _ = pair()
    found = estimate_psf(thin, thick, RestorationConfig(psf_iterations=60, psf_tolerance=0.2))
    assert found.status is PsfStatus.CONVERGED and found.iterations < 60


@pytest.mark.parametrize("size", [8, 9])
def test_cut_window_places_centre(size: int):
    """An impulse comes to lie at size // 2; what lies outside is the truncated share."""
    full = np.zeros((30, 41))
    full[12, 25], full[0, 0] = 3.0, 1.0
    psf, truncated, tapered = cut_window(full, (12.0, 25.0), size)
    assert psf[size // 2, size // 2] == 1.0
    assert truncated == pytest.approx(0.25) and tapered == 0.0


def test_centroid_ignores_far_defects():
    """A stronger-than-tail ghost away from the core does not pull the centroid."""
    x = np.arange(64)
    full = np.exp(-((x[:, None] - 32.3) ** 2 + (x[None, :] - 31.8) ** 2) / 8.0)
    full[50, 50] = 0.8
    # the core is cut at a tenth of its peak and pixelated: a few hundredths of a pixel
    np.testing.assert_allclose(centre_of(full, "centroid", 40), (32.3, 31.8), atol=0.05)
    assert centre_of(full, "peak", 40) == (32.0, 32.0)


@pytest.mark.parametrize("size", [10, 11])
@pytest.mark.parametrize("taper", ["none", "cosine", "hann"])
def test_taper_is_one_at_centre_and_symmetric(size: int, taper: str):
    """Tapers are one at size // 2, symmetric about it and never zero inside."""
    profile = taper_profile(size, taper)
    centre = size // 2
    assert profile[centre] == 1.0 and profile.min() > 0
    reach = size - 1 - centre
    np.testing.assert_allclose(
        profile[centre - reach : centre], profile[centre + 1 :][::-1], atol=1e-15
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b: (a, b[:-1]), "one shape"),
        (lambda a, b: (a - 1.0, b), "non-negative"),
        (lambda a, b: (0 * a, b), "thin target has no signal"),
        (lambda a, b: (a * np.nan, b), "finite"),
        (lambda a, b: (a[:50, :50], b[:50, :50]), "too large"),
    ],
)
def test_refusals(change: object, message: str):
    """Signals that cannot give a PSF are refused with the reason."""
    thin, thick, _ = pair()
    thin, thick = change(thin, thick)
    with pytest.raises(DataError, match=message):
        estimate_psf(thin, thick, RestorationConfig(psf_size_px=40))
