"""Richardson-Lucy in JAX: the same numbers as on scipy's transforms, within float32 rounding."""

from __future__ import annotations

import numpy as np
import pytest

from restoration_scenes import tailed_kernel, target
from scintscope.convolve import Convolver
from scintscope.errors import InputError
from scintscope.restoration import (
    RestorationConfig,
    estimate_psf,
    richardson_lucy,
    richardson_lucy_frames,
)

# Rounding of float32 (6e-8), amplified by ten iterations of a deconvolution, as a share of the
# image's peak; float64 repeats the check with nothing to amplify.
AGREEMENT = {"float32": 1e-5, "float64": 1e-11}


def blurred(shape: tuple[int, int], kernel: np.ndarray, seed: int = 1) -> np.ndarray:
    """Return a noisy blurred target of about 400 counts with some dark pixels."""
    sharp = 400.0 * target(shape)
    mean = np.maximum(Convolver(kernel, sharp.shape, "periodic").forward(sharp), 0.0)
    image = np.random.default_rng(seed).poisson(mean).astype(np.float64)
    image[:3, :5] = 0.0
    return image


@pytest.mark.parametrize("boundary", ["edge_aware", "reflect", "zero", "periodic"])
@pytest.mark.parametrize(("shape", "size"), [((60, 71), 15), ((64, 48), 30)])
@pytest.mark.parametrize("acceleration", ["none", "biggs_andrews"])
def test_agrees_with_scipy(boundary: str, shape: tuple[int, int], size: int, acceleration: str):
    """Each boundary, odd and even frames and kernels, plain and accelerated: one estimate."""
    kernel = tailed_kernel(size)
    image = blurred(shape, kernel)
    ours, other = (
        richardson_lucy(
            image, kernel, iterations=10, boundary=boundary, acceleration=acceleration, engine=e
        )
        for e in ("scipy", "jax")
    )
    assert other.estimate.dtype == np.float32 and other.estimate.min() >= 0.0
    difference = np.abs(ours.estimate - other.estimate).max()
    assert difference <= AGREEMENT["float32"] * ours.estimate.max()
    # sums of 4000 float32 values, pairwise, against sums in float64
    np.testing.assert_allclose(other.history, ours.history, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(other.change, ours.change, rtol=1e-3)
    assert other.status == ours.status


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_total_variation_agrees(precision: str):
    """The divisor of total variation is one function for both engines, in either precision."""
    kernel = tailed_kernel(15)
    ours, other = (
        richardson_lucy(
            blurred((60, 71), kernel),
            kernel,
            iterations=10,
            tv_weight=0.01,
            precision=precision,
            engine=engine,
        ).estimate
        for engine in ("scipy", "jax")
    )
    assert other.dtype == np.dtype(precision)
    assert np.abs(ours - other).max() <= AGREEMENT[precision] * ours.max()


@pytest.mark.parametrize("start", ["peaked", "window"])
def test_psf_estimate_agrees(start: str):
    """Estimating a PSF, where lags wrap on the transform's grid, gives the same kernel."""
    thin = 400.0 * target((90, 101))
    kernel = tailed_kernel(31)
    thick = np.maximum(Convolver(kernel, thin.shape, "zero").forward(thin), 0.0)
    ours, other = (
        estimate_psf(thin, thick, RestorationConfig(psf_size_px=31, psf_start=start, engine=e))
        for e in ("scipy", "jax")
    )
    difference = np.abs(ours.full_psf - other.full_psf).max()
    assert difference <= AGREEMENT["float32"] * ours.full_psf.max()


def test_tolerance_stops_early_in_jax():
    """A loose tolerance stops the loop early."""
    kernel = tailed_kernel(15)
    found = richardson_lucy(np.ones((40, 45)), kernel, iterations=50, tolerance=1e-3, engine="jax")
    assert found.status.name == "CONVERGED" and found.iterations < 50


def test_frames_in_batch_are_frames_alone():
    """A stack on one transfer function gives each frame the bits it gets alone."""
    kernel = tailed_kernel(15)
    frames = np.stack([blurred((60, 71), kernel, seed) for seed in (3, 4)])
    batch = richardson_lucy_frames(frames, kernel, iterations=3, engine="jax")
    for frame, found in zip(frames, batch, strict=True):
        alone = richardson_lucy(frame, kernel, iterations=3, engine="jax")
        np.testing.assert_array_equal(found.estimate, alone.estimate)


def test_unknown_engine_is_refused():
    """The engines are named in the refusal."""
    with pytest.raises(InputError, match=r"scipy.*jax"):
        richardson_lucy(np.ones((20, 20)), np.ones((3, 3)), engine="jaxx")
