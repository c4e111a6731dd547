"""Convolution and its adjoint: boundary rules, kernel centre, dtype."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from scintscope.convolve import BOUNDARIES, Convolver, unit_impulse
from scintscope.errors import DataError, InputError

# Two float64 sums of ~1000 products in different order: rounding ~1e-13, asked for 1e-10.
ADJOINT_RTOL = 1e-10


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kernel", [(5, 7), (6, 4), (1, 1), (9, 2), (15, 11), (16, 7), (14, 12)])
@pytest.mark.parametrize("shape", [(17, 23), (16, 12)])
def test_adjoint_dot_product(boundary: str, kernel: tuple[int, int], shape: tuple[int, int]):
    """<Kx, y> = <x, K'y>: odd, even, non-square kernels and frames, kernels over half a frame."""
    rng = np.random.default_rng(1)
    blur = Convolver(rng.standard_normal(kernel), shape, boundary)
    x, y = rng.standard_normal(blur.object_shape), rng.standard_normal(shape)
    left, right = np.vdot(blur.forward(x), y), np.vdot(x, blur.adjoint(y))
    size = np.linalg.norm(blur.forward(x)) * np.linalg.norm(y)
    assert abs(left - right) < ADJOINT_RTOL * size


@pytest.mark.parametrize("boundary", ["zero", "periodic"])
@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_impulse_leaves_image(boundary: str, size: tuple[int, int]):
    """A kernel that is one at n // 2 shifts nothing, even or odd."""
    image = np.random.default_rng(2).random((11, 14))
    result = Convolver(unit_impulse(size), image.shape, boundary).forward(image)
    np.testing.assert_allclose(result, image, atol=1e-13)  # FFT rounding


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_zero_boundary_equals_direct_sum(size: tuple[int, int]):
    """An asymmetric kernel agrees with the direct sum of scipy.ndimage with zeros outside."""
    rng = np.random.default_rng(3)
    image, kernel = rng.random((13, 10)), rng.random(size)
    odd = np.zeros([n + 1 - n % 2 for n in size])  # same centre n // 2 in an odd array
    odd[: size[0], : size[1]] = kernel
    direct = ndimage.convolve(image, odd, mode="constant")
    result = Convolver(kernel, image.shape, "zero").forward(image)
    np.testing.assert_allclose(result, direct, atol=1e-12)  # FFT rounding


def test_valid_boundary_needs_no_border():
    """Convolving a larger object in "valid" mode gives the frame of its zero-padded convolution."""
    rng = np.random.default_rng(4)
    blur = Convolver(rng.random((4, 5)), (12, 9), "valid")
    item = rng.random(blur.object_shape)
    whole = Convolver(blur.kernel, item.shape, "zero").forward(item)
    np.testing.assert_allclose(blur.forward(item), blur.frame(whole), atol=1e-12)  # FFT rounding


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype: type):
    """float32 work stays float32, float64 stays float64."""
    blur = Convolver(unit_impulse((3, 3), dtype), (8, 8))
    assert blur.forward(np.ones((8, 8), dtype)).dtype == dtype
    assert blur.adjoint(np.ones((8, 8), dtype)).dtype == dtype


def test_refusals():
    """A NaN kernel, a wrong shape, a kernel larger than a periodic frame, an unknown rule."""
    with pytest.raises(DataError, match="finite"):
        Convolver(np.full((3, 3), np.nan), (8, 8))
    with pytest.raises(DataError, match="is needed"):
        Convolver(np.ones((3, 3)), (8, 8)).forward(np.ones((8, 9)))
    with pytest.raises(DataError, match="periodic frame"):
        Convolver(np.ones((9, 3)), (8, 8), "periodic")
    with pytest.raises(InputError, match="Did you mean 'periodic'"):
        Convolver(np.ones((3, 3)), (8, 8), "periodical")
