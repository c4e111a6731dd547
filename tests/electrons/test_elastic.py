"""Elastic scattering: Coulomb limit, conservation of flux, transport moments."""

import numpy as np
import pytest

from scintscope.electrons.atoms import atom
from scintscope.electrons.elastic import (
    COMPTON_CM,
    FINE_STRUCTURE,
    angle_grid,
    legendre_series,
    mott_cross_section_cm2,
    phase_shifts,
)

GRID = angle_grid()


def test_angle_grid_covers_the_sphere():
    """The weights integrate 1 to 4 pi and P_l to 0."""
    assert GRID.weight.sum() == pytest.approx(4.0 * np.pi, rel=1e-12)
    series = legendre_series(GRID.t, np.eye(6)) @ GRID.weight
    np.testing.assert_allclose(series[1:], 0.0, atol=1e-11)  # float rounding of 1200 terms


@pytest.mark.parametrize("z", [6, 13])
def test_light_nuclei_scatter_like_point_charges_at_large_angles(z):
    """Large angles at 100 keV see the nucleus: McKinley and Feshbach 1948."""
    energy = 1.0 + 100.0 / 510.99895
    k2 = energy**2 - 1.0
    beta = np.sqrt(k2) / energy
    large = (GRID.t > 0.25) & (GRID.t < 0.95)
    t = GRID.t[large]
    za = z * FINE_STRUCTURE
    rutherford = (za * energy / (2.0 * k2 * t)) ** 2 * COMPTON_CM**2
    spin = 1.0 - beta**2 * t + np.pi * za * beta * np.sqrt(t) * (1.0 - np.sqrt(t))
    ours = mott_cross_section_cm2(z, 100.0, GRID)[large]
    # next order: (Z alpha)^2 times a factor near 3; screening and end of the series < 1 %
    np.testing.assert_allclose(ours / (rutherford * spin), 1.0, atol=0.01 + 3.5 * za**2)


@pytest.mark.parametrize(("z", "energy"), [(8, 1.0), (39, 20.0), (71, 5.0), (71, 100.0)])
def test_flux_is_conserved(z, energy):
    """The cross-section over all angles is that of the phase shifts (optical theorem)."""
    k, up, down = phase_shifts(atom(z), energy)
    order = np.arange(up.size)
    by_phases = 4.0 * np.pi / k**2 * ((order + 1) * np.sin(up) ** 2 + order * np.sin(down) ** 2)
    by_angles = GRID.weight @ mott_cross_section_cm2(z, energy, GRID)
    # the last phases, 1e-4 rad, end the series
    assert by_angles == pytest.approx(by_phases.sum() * COMPTON_CM**2, rel=1e-5)


def test_heavy_atoms_turn_more_and_fast_electrons_less():
    """The transport cross-section rises with Z and falls with energy."""

    def transport(z, energy):
        return GRID.weight @ (2.0 * GRID.t * mott_cross_section_cm2(z, energy, GRID))

    assert transport(71, 20.0) > 3.0 * transport(39, 20.0) / 1.5 > 3.0 * transport(8, 20.0)
    assert transport(39, 10.0) > transport(39, 20.0) > transport(39, 40.0)
