"""Richardson-Lucy, total variation and Wiener: laws, borders, agreement with scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.convolve import Convolver
from scintscope.errors import DataError
from scintscope.restoration import RestorationConfig, deconvolve, richardson_lucy, wiener
from scintscope.restoration.wiener import noise_deviation


def gaussian(size: int, sigma: float, dtype: type = np.float64) -> np.ndarray:
    """Return a unit-sum Gaussian with its centre at size // 2."""
    x = np.arange(size) - size // 2
    kernel = np.exp(-(x[:, None] ** 2 + x[None, :] ** 2) / (2 * sigma**2))
    return (kernel / kernel.sum()).astype(dtype)


def bars(shape: tuple[int, int]) -> np.ndarray:
    """Return an asymmetric scene of bars and a blob on a level of one."""
    scene = np.ones(shape)
    scene[10:40, 12:16] = 0.3
    scene[10:40, 20:26] = 0.3
    scene[50:54, 8:60] = 1.8
    scene[60:75, 40:44] = 0.1
    return scene


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    boundary=st.sampled_from(["edge_aware", "reflect", "zero", "periodic"]),
    size=st.sampled_from([(3, 3), (4, 6), (5, 2)]),
    weight=st.sampled_from([0.0, 0.01]),
)
def test_never_negative(seed: int, boundary: str, size: tuple[int, int], weight: float):
    """Whatever non-negative data enter, no estimate is negative or NaN."""
    rng = np.random.default_rng(seed)
    image = rng.random((16, 21)) * (rng.random((16, 21)) > 0.5)
    image[0, 0] = 1.0
    result = richardson_lucy(
        image, rng.random(size), iterations=5, boundary=boundary, tv_weight=weight
    )
    assert np.isfinite(result.estimate).all() and result.estimate.min() >= 0
    assert result.estimate.shape == image.shape


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.sampled_from([(3, 3), (4, 6), (5, 2)]))
def test_periodic_keeps_flux(seed: int, size: tuple[int, int]):
    """With a periodic boundary and a unit-sum kernel the estimate has the data's sum."""
    rng = np.random.default_rng(seed)
    image, kernel = rng.random((14, 17)) + 0.01, rng.random(size) + 0.01
    result = richardson_lucy(
        image, kernel / kernel.sum(), iterations=4, boundary="periodic", precision="float64"
    )
    # float64 sums of 238 values
    assert result.estimate.sum() == pytest.approx(image.sum(), rel=1e-10)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("engine", ["scipy", "jax"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("size", [(9, 7), (8, 11), (35, 30)])
def test_equals_scikit_image(engine: str, precision: str, size: tuple[int, int]):
    """boundary="zero", start 0.5, not normalised: scikit-image's richardson_lucy without clip.

    Kernels odd and even, and over half the frame; scikit-image gets even ones with a row of zeros
    more, which puts their centre in the middle, where it expects it.
    """
    from skimage.restoration import richardson_lucy as reference

    rng = np.random.default_rng(5)
    image, kernel = rng.random((40, 51)).astype(precision), rng.random(size).astype(precision)
    kernel /= kernel.sum()
    ours = richardson_lucy(
        image,
        kernel,
        iterations=10,
        boundary="zero",
        start=0.5,
        normalise=False,
        precision=precision,
        engine=engine,
    ).estimate
    odd = np.pad(kernel, [(0, 1 - n % 2) for n in size])
    expected = reference(image, odd, 10, clip=False)
    # scikit-image adds 1e-12 under its quotient; everything else is rounding, over ten iterations
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5 * expected.max())


@pytest.mark.parametrize("size", [15, 16])
@pytest.mark.parametrize("method", ["richardson_lucy", "tv", "wiener"])
def test_known_kernel_recovers_scene(method: str, size: int):
    """Each method brings a blurred scene nearer to the truth, not shifted, odd or even kernel."""
    scene = bars((90, 75))
    kernel = gaussian(size, 1.5)
    blurred = Convolver(kernel, scene.shape, "periodic").forward(scene)
    config = RestorationConfig(
        deconvolution=method, iterations=60, wiener_noise_to_signal=1e-4, tv_weight=0.002
    )
    result = deconvolve(blurred, kernel, config)
    inner = (slice(8, -8), slice(8, -8))
    before = np.sqrt(np.mean((blurred - scene)[inner] ** 2))
    after = np.sqrt(np.mean((result.estimate - scene)[inner] ** 2))
    # steps keep what the kernel removed beyond recall; a quarter at least must go. A shift of one
    # pixel would make the error larger than before.
    assert after < 0.75 * before


@pytest.mark.parametrize("method", ["richardson_lucy", "tv", "wiener"])
@pytest.mark.parametrize("size", [12, 13])
def test_flat_image_stays_flat_to_the_border(method: str, size: int):
    """A transmission of one everywhere stays one: no dark frame, no ringing at the edge."""
    config = RestorationConfig(
        deconvolution=method, iterations=30, precision="float64", wiener_noise_to_signal=1e-3
    )
    result = deconvolve(np.ones((40, 55)), gaussian(size, 2.0), config)
    np.testing.assert_allclose(result.estimate, 1.0, atol=1e-6)  # FFT rounding, 30 iterations


@pytest.mark.parametrize("method", ["richardson_lucy", "tv", "wiener"])
def test_no_wrap_around(method: str):
    """A bright object at the left border leaves the right border alone."""
    scene = np.full((48, 64), 0.2)
    scene[20:28, 0:3] = 5.0
    kernel = gaussian(15, 2.0)
    wide = np.pad(scene, 20, mode="edge")
    blurred = Convolver(kernel, wide.shape, "zero").forward(wide)[20:-20, 20:-20]
    config = RestorationConfig(
        deconvolution=method, iterations=20, wiener_noise_to_signal=1e-2, precision="float64"
    )
    right = deconvolve(blurred, kernel, config).estimate[:, -8:]
    # wrapped, a few per cent of the object's height (5) would arrive: 0.02 catches it
    np.testing.assert_allclose(right, 0.2, atol=0.02)


def test_edge_aware_beats_zero_at_the_border():
    """Light that enters from outside the frame darkens nothing when the edge is aware of it."""
    rng = np.random.default_rng(6)
    wide = 1.0 + 0.3 * (rng.random((90, 90)) > 0.9)
    kernel = gaussian(13, 2.0)
    image = Convolver(kernel, wide.shape, "zero").forward(wide)[20:-20, 20:-20]
    truth = wide[20:-20, 20:-20]
    border = np.ones(truth.shape, bool)
    border[4:-4, 4:-4] = False
    errors = {
        b: np.abs(richardson_lucy(image, kernel, iterations=20, boundary=b).estimate - truth)[
            border
        ].mean()
        for b in ("edge_aware", "zero")
    }
    assert errors["edge_aware"] < 0.7 * errors["zero"]


def test_history_falls():
    """The I-divergence never rises from one plain iteration to the next (EM property)."""
    image = bars((80, 70))
    history = np.array(
        richardson_lucy(image, gaussian(9, 1.2), iterations=15, precision="float64").history
    )
    assert len(history) == 15
    assert (np.diff(history) <= 1e-12).all()  # float64 rounding of a mean


def test_tolerance_stops_early():
    """A loose tolerance ends the iteration with the status CONVERGED."""
    result = richardson_lucy(np.ones((20, 20)), gaussian(5, 1.0), iterations=50, tolerance=1e-3)
    assert result.status.name == "CONVERGED" and result.iterations < 50


def test_precision_is_kept():
    """float32 unless float64 is asked for."""
    image, kernel = np.ones((20, 20)), gaussian(5, 1.0)
    assert richardson_lucy(image, kernel, iterations=1).estimate.dtype == np.float32
    double = richardson_lucy(image, kernel, iterations=1, precision="float64")
    assert double.estimate.dtype == np.float64


def test_noise_deviation_of_white_noise():
    """The noise estimate returns the deviation of Gaussian noise on a ramp."""
    rng = np.random.default_rng(7)
    image = np.linspace(0, 50, 200)[None, :] + rng.normal(0, 3.0, (200, 200))
    # MAD of 4e4 correlated values: relative deviation ~1 %, 5 sigma
    assert noise_deviation(image) == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize(
    ("image", "kernel", "message"),
    [
        (np.full((20, 20), -1.0), gaussian(5, 1.0), "non-negative"),
        (np.full((20, 20), np.nan), gaussian(5, 1.0), "NaN"),
        (np.ones((20, 20)), np.zeros((5, 5)), "sum is not positive"),
        (np.ones((20, 20)), gaussian(31, 1.0), "psf_size_px"),
        (np.ones((20, 20, 3)), gaussian(5, 1.0), "two-dimensional"),
    ],
)
def test_refusals(image: np.ndarray, kernel: np.ndarray, message: str):
    """Data Richardson-Lucy cannot take are refused with what to do."""
    with pytest.raises(DataError, match=message):
        richardson_lucy(image, kernel)


def test_wiener_refuses_zero_ratio():
    """A noise-to-signal ratio of zero would divide by zero."""
    with pytest.raises(ValueError, match="noise_to_signal"):
        wiener(np.ones((20, 20)), gaussian(5, 1.0), noise_to_signal=0.0)
