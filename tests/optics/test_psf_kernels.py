"""Square-pixel kernels of many depths."""

import numpy as np
import pytest

from scintscope.errors import InputError, RangeError, SamplingError
from scintscope.optics.otf import otf
from scintscope.optics.psf_kernels import psf_stack
from scintscope.optics.psf_radial import radial_psf
from scintscope.optics.pupil import SCALAR, VECTORIAL
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um

PATH = OpticalPath(na=0.4, index=1.82, wavelength_um=0.55)
TRAVEL = float(travel_for_focus_um(10.0, PATH))
DEPTH = np.array([0.0, 10.0, 25.0])


@pytest.mark.parametrize("pupil", [SCALAR, VECTORIAL], ids=["scalar", "vectorial"])
@pytest.mark.parametrize(("pixel", "share"), [(0.325, 1.0), (1.3, 0.9)])
def test_equals_the_mean_over_the_pixel_within_its_bound(pixel, share, pupil):
    """Pixels across the window are 20-node Gauss-Legendre means of the radial PSF."""
    shape = (24, 31)
    stack = psf_stack(DEPTH, TRAVEL, PATH, pixel_um=pixel, shape=shape,
                      aperture_um=share * pixel, pupil=pupil)  # fmt: skip
    t, w = np.polynomial.legendre.leggauss(20)
    for row, column in [(12, 15), (12, 16), (0, 0), (3, 27), (23, 30)]:
        y = (row - 12) * pixel + 0.5 * share * pixel * t[:, None]
        x = (column - 15) * pixel + 0.5 * share * pixel * t[None, :]
        values = radial_psf(np.hypot(x, y).ravel(), DEPTH, TRAVEL, PATH, pupil=pupil)
        mean = values @ (0.25 * np.outer(w, w).ravel()) * pixel**2
        peak = radial_psf(np.linspace(0, 20, 400), DEPTH, TRAVEL, PATH, pupil=pupil).max(axis=1)
        error = np.abs(stack.kernels[:, row, column] - mean) / (peak * pixel**2)
        assert (error <= stack.error_bound).all()
        # Favard's constant is for the worst band-limited function; this one is far from it
        assert error.max() < 1e-7
    assert (stack.error_bound < 1e-5).all()


def test_energy_is_accounted_for_and_never_renormalised():
    """Kernel plus what is outside is 1; a wider window holds more; nothing is negative."""
    stacks = [psf_stack(DEPTH, TRAVEL, PATH, pixel_um=0.325, shape=(n, n)) for n in (31, 63, 127)]
    outside = np.array([s.energy_outside for s in stacks])
    for stack in stacks:
        sums = stack.kernels.sum(axis=(1, 2))
        np.testing.assert_allclose(sums + stack.energy_outside, 1.0, atol=1e-12)  # rounding
        assert (stack.kernels > -1e-9).all()
    assert (np.diff(outside, axis=0) < 0.0).all()
    assert (outside > 0.0).all()
    # the square window of half side 20.6 um at k NA = 4.57: tail about 2 / (pi v) = 7e-3
    assert outside[-1].max() < 1.2e-2
    # a defocused cone that does not fit is reported as lost
    lost = psf_stack([400.0], TRAVEL, PATH, pixel_um=0.325, shape=(31, 31))
    assert lost.energy_outside[0] > 0.9


def test_is_the_sinc_of_the_transfer_function():
    """The transform of the kernel is H(f) sinc(f w) along a row, aliases included."""
    pixel = 0.325
    stack = psf_stack(DEPTH, TRAVEL, PATH, pixel_um=pixel, shape=(301, 301))
    f = np.array([0.1, 0.3, 0.6, 1.0])
    x = (np.arange(301) - 150) * pixel
    found = stack.kernels.sum(axis=1) @ np.cos(2.0 * np.pi * f * x[:, None])
    expected = np.asarray(otf(f, DEPTH, TRAVEL, PATH)) * np.sinc(f * pixel)
    # cut-off 1.4545 < 1 / pixel - 1.0: no alias; window of 49 um leaves (R f)^-3/2 / 20 = 5e-4
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-4)


def test_symmetry_and_place_of_the_emitter():
    """The emitter is at [rows // 2, columns // 2]; mirror images and the transpose are equal."""
    kernel = psf_stack([10.0], TRAVEL, PATH, pixel_um=0.3, shape=(16, 21)).kernels[0]
    assert np.unravel_index(kernel.argmax(), kernel.shape) == (8, 10)
    np.testing.assert_array_equal(kernel, kernel[:, ::-1])
    np.testing.assert_array_equal(kernel[1:], kernel[:0:-1])
    turned = psf_stack([10.0], TRAVEL, PATH, pixel_um=0.3, shape=(21, 16)).kernels[0]
    np.testing.assert_array_equal(kernel, turned.T)


def test_spline_error_falls_with_its_order():
    """Twice as many samples per Nyquist distance gain about 2^6: quintic splines."""
    point = {"pixel_um": 0.3, "shape": (41, 41), "aperture_um": 0.0}
    fine = psf_stack(DEPTH, TRAVEL, PATH, samples_per_nyquist=32, **point).kernels
    counts = np.array([4, 5, 6, 8])
    errors = [
        np.abs(psf_stack(DEPTH, TRAVEL, PATH, samples_per_nyquist=int(m), **point).kernels - fine)
        .max() for m in counts
    ]  # fmt: skip
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    # sixth order and higher terms of it
    assert -7.5 < slope < -5.7


def test_point_samples_are_refused_beyond_nyquist():
    """Point samples need lambda / (4 NA) = 0.34375 um: below is sampled, above refused."""
    psf_stack([10.0], TRAVEL, PATH, pixel_um=0.3437, shape=(9, 9), aperture_um=0.0)
    with pytest.raises(SamplingError, match=r"0\.345 undersamples.*0\.3438"):
        psf_stack([10.0], TRAVEL, PATH, pixel_um=0.345, shape=(9, 9), aperture_um=0.0)


def test_refusals_and_dtype():
    """Ranges are checked; float32 kernels are the float64 ones rounded."""
    with pytest.raises(RangeError, match="aperture_um"):
        psf_stack([0.0], 0.0, PATH, pixel_um=0.3, aperture_um=0.4)
    with pytest.raises(RangeError, match="samples_per_nyquist"):
        psf_stack([0.0], 0.0, PATH, pixel_um=0.3, samples_per_nyquist=2)
    with pytest.raises(InputError, match="at least one row"):
        psf_stack([0.0], 0.0, PATH, pixel_um=0.3, shape=(0, 5))
    single = psf_stack(DEPTH, TRAVEL, PATH, pixel_um=0.3, shape=(9, 9), dtype=np.float32).kernels
    double = psf_stack(DEPTH, TRAVEL, PATH, pixel_um=0.3, shape=(9, 9)).kernels
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-6)
