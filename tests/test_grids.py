"""Grids: coordinates, frequencies, cropping, binning, padding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft

from scintscope.errors import InputError, RangeError
from scintscope.grids import Grid, bin_mean, centred_coordinates, crop_centre, padded_count
from strategies import shapes


@settings(deadline=None, max_examples=40)
@given(shape=shapes, pixel=st.floats(0.01, 10.0))
def test_coordinates_are_symmetric_about_the_axis(shape, pixel):
    """Rows and columns are evenly spaced and centred, for odd and even counts."""
    grid = Grid(shape=shape, pixel_um=pixel)
    for axis, count in ((grid.row_um, shape[0]), (grid.column_um, shape[1])):
        assert axis.shape == (count,)
        # symmetric term by term, rounding of (i - (n - 1) / 2) is nil
        np.testing.assert_array_equal(axis, -axis[::-1])
        if count > 1:
            np.testing.assert_allclose(np.diff(axis), pixel, rtol=1e-12)
    assert grid.extent_um == pytest.approx((shape[0] * pixel, shape[1] * pixel))


@pytest.mark.parametrize("shape", [(4, 6), (5, 6), (4, 7), (5, 9)])
def test_frequencies_fit_the_real_transform(shape):
    """The radial frequency has the shape of rfft2 and finds a wave at its bin, rows first."""
    grid = Grid(shape=shape, pixel_um=0.5)
    radial = grid.radial_frequency_cy_per_um()
    row, column = 1, 2
    phase = row * np.arange(shape[0])[:, None] / shape[0] + column * np.arange(shape[1]) / shape[1]
    spectrum = np.abs(fft.rfft2(np.cos(2 * np.pi * phase)))
    assert spectrum.shape == radial.shape
    peak = np.unravel_index(np.argmax(spectrum), radial.shape)
    expected = np.hypot(row / (shape[0] * 0.5), column / (shape[1] * 0.5))
    assert radial[peak] == pytest.approx(expected, rel=1e-14)
    assert grid.nyquist_cy_per_um == 1.0
    assert np.abs(grid.row_frequency_cy_per_um).max() <= grid.nyquist_cy_per_um


@settings(deadline=None, max_examples=40)
@given(shape=shapes, extra=st.tuples(st.integers(0, 6), st.integers(0, 6)))
def test_cropping_keeps_the_centre(shape, extra):
    """An even excess is cut evenly: coordinates of what is left are those of the small grid."""
    large = (shape[0] + 2 * extra[0], shape[1] + 2 * extra[1])
    big = Grid(shape=large, pixel_um=1.0)
    image = big.row_um[:, None] * 1000.0 + big.column_um[None, :]
    small = Grid(shape=shape, pixel_um=1.0)
    np.testing.assert_array_equal(
        crop_centre(image, shape), small.row_um[:, None] * 1000.0 + small.column_um[None, :]
    )


@pytest.mark.parametrize("shape", [(5, 8), (4, 7), (8, 8)])
def test_cropping_refuses_what_would_shift_the_centre(shape):
    """Odd excess and growth are refused."""
    with pytest.raises(InputError, match=r"cannot crop \(6, 8\) centrally"):
        crop_centre(np.zeros((6, 8)), shape)


@settings(deadline=None, max_examples=30)
@given(shape=shapes, factor=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_binning_conserves_the_mean_and_the_places(shape, factor, seed):
    """Bins keep the total; a coordinate binned is the coordinate of the coarse grid."""
    fine = Grid(shape=(shape[0] * factor, shape[1] * factor), pixel_um=1.0 / factor)
    image = np.random.default_rng(seed).random((2, *fine.shape))
    binned = bin_mean(image, factor)
    assert binned.shape == (2, *shape)
    # sums of at most 1e4 terms
    np.testing.assert_allclose(
        binned.sum(axis=(1, 2)) * factor**2, image.sum(axis=(1, 2)), rtol=1e-12
    )
    coarse = centred_coordinates(shape[0], 1.0)
    rows = bin_mean(np.repeat(fine.row_um[:, None], fine.shape[1], axis=1), factor)
    np.testing.assert_allclose(rows[:, 0], coarse, atol=1e-12)


@pytest.mark.parametrize("factor", [1, 2, 3, 5, 7, 8])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_binning_has_the_bits_of_numpys_mean(factor, kind):
    """Block means are to the bit numpy's means over the blocks' axes."""
    image = np.random.default_rng(factor).random((2, 6 * factor, 9 * factor)).astype(kind)
    blocks = image.reshape(2, 6, factor, 9, factor)
    np.testing.assert_array_equal(bin_mean(image, factor), blocks.mean(axis=(2, 4)))
    assert bin_mean(image, factor).dtype == kind


def test_binning_refuses_a_rest():
    """A factor that does not divide both sides is refused."""
    with pytest.raises(InputError, match="6 x 8 cannot be binned by 4"):
        bin_mean(np.zeros((6, 8)), 4)


@settings(deadline=None, max_examples=80)
@given(count=st.integers(1, 3000), margin=st.integers(0, 200), multiple=st.sampled_from([1, 2, 4]))
def test_padding_is_even_sufficient_and_fast(count, margin, multiple):
    """The padded length holds both margins, keeps the parity and transforms fast."""
    if multiple % 2 == 0:
        count *= multiple  # the image itself is a whole number of camera pixels
    total = padded_count(count, margin, multiple)
    assert total >= count + 2 * margin
    assert (total - count) % 2 == 0
    assert total % multiple == 0
    assert total // multiple == fft.next_fast_len(total // multiple, real=True)
    # odd products of 3 and 5 are the sparsest fast lengths: 45 is followed by 75
    assert total <= 5.0 / 3.0 * (count + 2 * margin) + 8 * multiple


def test_padding_refuses_what_cannot_be_centred():
    """No even length leaves an even rest around an odd field."""
    with pytest.raises(InputError, match="field of 5 samples cannot be centred"):
        padded_count(5, 1, 2)


@pytest.mark.parametrize("shape", [(0, 4), (4, 2.5), (4,), (4, 4, 4)])
def test_refuses_shapes_that_are_none(shape):
    """A shape is two positive whole numbers."""
    with pytest.raises(InputError, match="two positive whole numbers"):
        Grid(shape=shape, pixel_um=1.0)


@pytest.mark.parametrize("pixel", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_pitches_that_are_none(pixel):
    """A pitch is positive and finite."""
    with pytest.raises(RangeError, match=r"pixel_um = "):
        Grid(shape=(4, 4), pixel_um=pixel)
