"""Enlarging about the centre by cubic splines: exactness, order, orientation."""

import numpy as np
import pytest

from scintscope.forward.resample import scale_about_centre, spline_coefficients

SHAPES = [(33, 40), (40, 33), (32, 32)]
SPLINE_ROUNDING = 1e-12  # recursive filter and four products in float64


def enlarged(image, scale):
    return scale_about_centre(spline_coefficients(image), scale)


def positions(shape):
    return np.meshgrid(*(np.arange(n) - 0.5 * (n - 1) for n in shape), indexing="ij")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [0.98, 1.0, 1.03])
def test_constants_are_kept(shape, scale):
    """A constant image stays that constant up to its edges: the weights sum to one."""
    result = enlarged(np.full(shape, 3.7), scale)
    np.testing.assert_allclose(result, 3.7, rtol=SPLINE_ROUNDING)


@pytest.mark.parametrize("shape", SHAPES)
def test_ramps_are_stretched_about_the_centre(shape):
    """A ramp a x + b y becomes (a x + b y) / m away from the mirrored edges; the centre stays."""
    row, column = positions(shape)
    result = enlarged(2.0 * row - 0.5 * column, 1.04)
    inside = (slice(12, -12),) * 2  # the mirror's kink decays as 0.27 per sample: 0.27^12 = 1e-7
    wanted = (2.0 * row - 0.5 * column) / 1.04
    np.testing.assert_allclose(result[inside], wanted[inside], atol=1e-5)


def test_unit_scale_returns_the_image():
    """Scale 1 interpolates at the samples, where a spline passes through them."""
    image = np.random.default_rng(1).normal(size=(21, 34))
    np.testing.assert_allclose(enlarged(image, 1.0), image, atol=SPLINE_ROUNDING)


def test_fourth_order():
    """Halving the pitch divides the error of a smooth image by sixteen."""
    errors = []
    for count in (64, 128, 256):
        pitch = 64.0 / count
        x = (np.arange(count) - 0.5 * (count - 1)) * pitch
        wave = lambda t: np.cos(0.35 * t + 0.4)  # noqa: E731
        image = wave(x)[:, None] * wave(2.0 * x)[None, :]
        wanted = wave(x / 1.03)[:, None] * wave(2.0 * x / 1.03)[None, :]
        inside = np.abs(x) < 16.0
        errors.append(np.abs(enlarged(image, 1.03) - wanted)[np.ix_(inside, inside)].max())
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    # fourth order; the next term of the series is two orders higher
    np.testing.assert_allclose(slopes, 4.0, atol=0.3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_move_outwards_without_mixing_axes(dtype):
    """A spot at (+10, -4) of a wide image moves to m times that place; its type is kept."""
    shape = (41, 60)
    row, column = positions(shape)
    image = np.exp(-((row - 10.0) ** 2 + (column + 4.0) ** 2) / 8.0).astype(dtype)
    result = enlarged(image, 1.05)
    assert result.dtype == dtype
    where = ((result * row).sum() / result.sum(), (result * column).sum() / result.sum())
    # Gaussian of two samples' width: spline error 1e-4 of a sample
    np.testing.assert_allclose(where, (10.5, -4.2), atol=1e-3)
