"""Conversions between the few units in use."""

import math

import pytest

from scintscope import units


def test_lengths_and_wavelengths():
    """Millimetres and nanometres become micrometres; a parallel beam stays at infinity."""
    assert units.mm_to_um(0.2) == pytest.approx(200.0)
    assert math.isinf(units.mm_to_um(math.inf))
    assert units.nm_to_um(550.0) == pytest.approx(0.55)


def test_attenuation_of_yag():
    """31.865 cm2/g of a 4.55 g/cm3 crystal is 0.0145 per um, a range of 69 um."""
    assert 1.0 / units.attenuation_per_um(31.865, 4.55) == pytest.approx(69.0, abs=0.05)


def test_wavelength_of_x_rays():
    """12.398 keV is one angstrom."""
    assert units.wavelength_um(12.39841984) == pytest.approx(1e-4, rel=1e-12)


def test_width_of_a_gaussian():
    """At half its full width a Gaussian has fallen to one half."""
    sigma = units.sigma_from_fwhm(5.0)
    assert math.exp(-0.5 * (2.5 / sigma) ** 2) == pytest.approx(0.5, rel=1e-14)


def test_line_pairs():
    """The Nyquist frequency of a 1.3 um pixel is 384.6 line pairs per mm."""
    assert pytest.approx(384.6, abs=0.05) == 0.5 / 1.3 * units.LINE_PAIRS_PER_MM_PER_CY_PER_UM
