"""Depths of field: contrast zeros, quarter wave, Strehl ratio and the geometric disc."""

import numpy as np
import pytest

from scintscope.optics.defocus import (
    contrast_at_um,
    first_crossing_um,
    geometric_disc_um,
    rayleigh_half_depth_um,
    strehl_half_depth_mahajan_um,
    strehl_half_depth_um,
    strehl_ratio,
)
from tables import read_table

WAVELENGTH_UM = 0.55
F_5X = 0.5 / 1.3  # cycles/um: Nyquist frequency of 6.5 um pixels behind a 5x lens


@pytest.mark.parametrize("row", read_table("optics/first_zero.csv"))
@pytest.mark.parametrize(("medium", "index"), [("exact_air_um", 1.0), ("exact_crystal_um", 1.82)])
def test_contrast_dies_where_root_finding_on_another_code_says(row, medium, index):
    """The first zero of the through-focus OTF is the tabulated one."""
    found = first_crossing_um(
        0.0, row["frequency_lp_per_mm"] / 1000.0, row["na"], row["wavelength_um"], index
    )
    # four printed digits after the point
    assert found == pytest.approx(row[medium], abs=2e-4)


def test_refraction_nearly_doubles_the_depth_of_field():
    """5x, NA 0.4, 550 nm: contrast dies at 5.37-5.39 um in air, at 10.00 um inside n = 1.82."""
    air = first_crossing_um(0.0, F_5X, 0.4, WAVELENGTH_UM, 1.0)
    crystal = first_crossing_um(0.0, F_5X, 0.4, WAVELENGTH_UM, 1.82)
    assert 5.37 <= air <= 5.39
    assert crystal == pytest.approx(10.00, abs=0.02)


def test_crossing_is_the_first_place_at_the_level():
    """The contrast equals the level at the crossing and exceeds it at every lesser defocus."""
    depth = first_crossing_um(0.3, F_5X, 0.4, WAVELENGTH_UM, 1.82)
    before = contrast_at_um(np.linspace(0.0, 0.999 * depth, 40), F_5X, 0.4, WAVELENGTH_UM, 1.82)
    assert (before > 0.3).all()
    # the root is found to 1e-6 um where the slope is below 0.1 per um
    at = contrast_at_um(depth, F_5X, 0.4, WAVELENGTH_UM, 1.82)[0]
    assert at == pytest.approx(0.3, abs=1e-6)


def test_no_crossing_from_below_or_beyond_the_cutoff():
    """Where contrast starts below the level, or f is beyond the cut-off, there is no depth."""
    assert first_crossing_um(0.9, F_5X, 0.4, WAVELENGTH_UM, 1.82) is None
    assert first_crossing_um(0.0, 1.5, 0.4, WAVELENGTH_UM, 1.82) is None


def test_rayleigh_is_a_quarter_wave_and_tends_to_the_textbook_form():
    """Half depth: z (n - sqrt(n^2 - NA^2)) = lambda/4; small NA: n lambda / NA^2 in total."""
    assert 2.0 * rayleigh_half_depth_um(0.4, 0.55, 1.0) == pytest.approx(3.29, abs=0.005)
    assert 2.0 * rayleigh_half_depth_um(0.9, 0.55, 1.0) == pytest.approx(0.488, abs=0.001)
    # relative next term NA^2 / (4 n^2) = 1e-5
    assert 2.0 * rayleigh_half_depth_um(0.01, 0.55, 1.8) == pytest.approx(
        1.8 * 0.55 / 0.01**2, rel=2e-5
    )


@pytest.mark.parametrize(("na", "index"), [(0.1, 1.0), (0.4, 1.82), (0.9, 1.836), (0.9, 1.0)])
def test_strehl_ratio_at_its_depth(na, index):
    """|mean exp(i phase)|^2 over the pupil is 0.8 at the depth returned."""
    depth = strehl_half_depth_um(na, WAVELENGTH_UM, index, 0.8)
    rho2 = (np.arange(20000) + 0.5) / 20000  # midpoints in rho^2: equal areas
    w = depth * np.sqrt(index**2 - na**2 * rho2)
    strehl = abs(np.exp(2j * np.pi * w / WAVELENGTH_UM).mean()) ** 2
    # midpoint rule of 20000 steps: 1e-9
    assert strehl == pytest.approx(0.8, abs=1e-7)


def test_strehl_of_mahajan_is_close():
    """Mahajan's form stands for (sin x / x)^2 with x = sqrt(3 ln(1 / 0.8)) at small apertures."""
    approximate = strehl_half_depth_mahajan_um(0.1, WAVELENGTH_UM, 1.0, 0.8)
    x = np.sqrt(-3.0 * np.log(0.8))
    # the phase is linear in p^2 to NA^2 / 8 = 1e-3, which enters in second order
    assert strehl_ratio(approximate, 0.1, WAVELENGTH_UM, 1.0) == pytest.approx(
        (np.sin(x) / x) ** 2, abs=1e-5
    )
    exact = strehl_half_depth_um(0.1, WAVELENGTH_UM, 1.0, 0.8)
    assert 1.005 < approximate / exact < 1.015


def test_geometric_disc():
    """100 um off focus at NA 0.4 the disc is 87 um wide in air, 45 um where n = 1.82."""
    assert geometric_disc_um(100.0, 0.4) == pytest.approx(200.0 * np.tan(np.arcsin(0.4)))
    assert geometric_disc_um(100.0, 0.4) == pytest.approx(87.29, abs=0.01)
    assert geometric_disc_um(100.0, 0.4, 1.82) == pytest.approx(45.06, abs=0.01)
