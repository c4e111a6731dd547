"""The kernel error is what its definition says: common window, unit sums, best place."""

import numpy as np
import pytest
from scipy import ndimage

from restoration_scenes import tailed_kernel
from scintscope.audit.kernel_error import WINDOW_PX, KernelTruth, kernel_error, on_window
from scintscope.errors import DataError


def moved(kernel, row_px, column_px):
    """Return a kernel moved by fractions of a pixel by a phase ramp."""
    f = [np.fft.fftfreq(n) for n in kernel.shape]
    ramp = np.exp(-2j * np.pi * (f[0][:, None] * row_px + f[1][None, :] * column_px))
    return np.fft.ifft2(np.fft.fft2(kernel) * ramp).real


# smooth, so that moving it by a phase ramp does not ring to the window's edge
TRUTH = KernelTruth.of(ndimage.gaussian_filter(tailed_kernel(129), 1.0))


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.37, -0.21), (-1.2, 0.6)])
def test_place_and_sum_do_not_count(shift):
    """The truth itself, moved and multiplied, has no error."""
    # what is left of the ringing
    assert kernel_error(3.0 * moved(TRUTH.kernel, *shift), TRUTH) < 1e-3


def test_equals_the_least_over_places_tried_one_by_one():
    """Brute force over a fine grid of moves finds no smaller error, and the same one."""
    rng = np.random.default_rng(3)
    estimate = moved(TRUTH.kernel, 0.3, -0.4)
    estimate += 2e-3 * ndimage.gaussian_filter(rng.standard_normal(TRUTH.kernel.shape), 1.5)
    estimate /= estimate.sum()
    steps = np.arange(-0.6, 0.6, 0.05)
    tried = [
        np.linalg.norm(moved(estimate, row, column) - TRUTH.kernel)
        for row in steps
        for column in steps
    ]
    expected = min(tried) / np.linalg.norm(TRUTH.kernel)
    # steps of 0.05 px miss the best place by 0.025 px at most; the noise rings at the border
    assert kernel_error(estimate, TRUTH) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("size", [40, 41])
def test_a_cut_kernel_lacks_its_tail(size):
    """A kernel cut to a smaller square, even or odd, has the error of the cut alone."""
    start = WINDOW_PX // 2 - size // 2
    cut = TRUTH.kernel[start : start + size, start : start + size]
    expected = np.zeros_like(TRUTH.kernel)
    expected[start : start + size, start : start + size] = cut / cut.sum()
    error = np.linalg.norm(expected - TRUTH.kernel) / np.linalg.norm(TRUTH.kernel)
    # an even square is not symmetric about its centre: moving it helps a little
    assert kernel_error(cut, TRUTH) == pytest.approx(error, rel=0.02)


def test_kernels_without_positive_sum_are_refused():
    """Nothing can be said about a kernel that sums to zero."""
    with pytest.raises(DataError, match="not positive"):
        on_window(np.zeros((9, 9)))
