"""Emission bands: what a spectrum, lines or a Gaussian stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import InputError, RangeError
from scintscope.materials.emission_bands import (
    EmissionBand,
    digitised_band,
    gaussian_band,
    line_band,
    single_line,
    tabulated_band,
)

weights = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=30)


@pytest.mark.parametrize(
    ("name", "mean", "half"), [("YAG:Ce", 569.2, (510.0, 600.0)), ("LuAG:Ce", 548.8, (490, 590.0))]
)
def test_digitised_bands_have_the_published_centre_and_width(name, mean, half):
    """Centroid and half-maximum points of the digitised spectra are those of the plot."""
    band = digitised_band(name)
    # a trapezoidal sum against a plain one, on a grid of 5 nm
    assert band.mean_nm == pytest.approx(mean, abs=0.2)
    bright = band.share >= 0.5 * band.share.max()
    nm = np.array(band.wavelength_nm)[bright]
    # grid and reading accuracy of the plot: 5 nm each
    assert (nm[0], nm[-1]) == pytest.approx(half, abs=10.0)


@settings(deadline=None, max_examples=30)
@given(weights=weights, count=st.integers(1, 6))
def test_reduced_bands_keep_their_moments(weights, count):
    """A band of m wavelengths keeps the moments 0 to 2 m - 1 of the full one."""
    band = line_band([(400.0 + 10.0 * i, w) for i, w in enumerate(weights)])
    small = band.reduced(count)
    assert len(small.weight) == min(count, len(weights))
    x, y = np.array(band.wavelength_nm), np.array(small.wavelength_nm)
    centre, scale = x.mean(), np.ptp(x)
    for order in range(2 * count):
        expected = band.mean(((x - centre) / scale) ** order)
        # rounding of an eigenproblem of size 6
        assert small.mean(((y - centre) / scale) ** order) == pytest.approx(expected, abs=1e-12)


def test_two_lines_are_reduced_to_themselves():
    """No more wavelengths come out than went in; one wavelength is the mean."""
    band = line_band([(500.0, 1.0), (600.0, 3.0)])
    assert band.reduced(5) == band
    assert band.reduced(1).wavelength_nm == pytest.approx((575.0,))


def test_trapezoidal_band_of_a_triangle():
    """A triangle of three points has its mean at the mean of its corners."""
    band = tabulated_band([(500.0, 0.0), (520.0, 1.0), (600.0, 0.0)])
    # second order in the step of 5 nm, against a width of 100
    assert band.mean_nm == pytest.approx(540.0, abs=0.05)
    assert np.diff(band.wavelength_nm).max() <= 5.0 + 1e-9


def test_gaussian_band_has_mean_and_width():
    """Mean at the peak; the standard deviation is that of the Gaussian, less what was cut."""
    band = gaussian_band(540.0, 94.2)
    sigma = 94.2 / 2.3548200450309493
    assert band.mean_nm == pytest.approx(540.0, rel=1e-12)
    # variance of a Gaussian cut at 2.5 sigma: 0.911 of the whole
    assert band.rms_width_nm == pytest.approx(sigma * 0.9546, rel=5e-3)


def test_averages_over_a_line_are_values_at_it():
    """A single line averages to the value there."""
    assert single_line(550.0).mean(np.array([3.5])) == 3.5
    assert single_line(550.0).rms_width_nm == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: line_band([]), "at least 1 pairs"),
        (lambda: tabulated_band([(500.0, 1.0)]), "at least 2 pairs"),
        (lambda: line_band([(500.0, 1.0), (490.0, 1.0)]), "must rise"),
        (lambda: line_band([(500.0, 0.0)]), "must be positive"),
        (lambda: EmissionBand(wavelength_nm=(500.0,), weight=(0.5,)), "sum to 0.5"),
        (lambda: EmissionBand(wavelength_nm=(500.0,), weight=(0.5, 0.5)), "as many of both"),
        (lambda: digitised_band("CsI:Tl"), "no measured emission band"),
    ],
)
def test_refuses_what_is_no_spectrum(make, message):
    """Empty, falling, dark or unnormalised spectra are refused with the reason."""
    with pytest.raises(InputError, match=message):
        make()


def test_refuses_numbers_out_of_range():
    """Negative weights, X-ray wavelengths and widths of zero are refused with their key."""
    with pytest.raises(RangeError, match=r"emission_lines = -1\.0"):
        line_band([(500.0, -1.0)])
    with pytest.raises(RangeError, match=r"emission band: nm = 20\.0"):
        single_line(20.0)
    with pytest.raises(RangeError, match="emission_fwhm_nm"):
        gaussian_band(500.0, 0.0)
    with pytest.raises(RangeError, match="count"):
        single_line(500.0).reduced(0)
