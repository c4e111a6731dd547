"""X-ray cross-sections against independent tables and closed forms."""

import numpy as np
import pytest
from scipy.integrate import quad

from scintscope.errors import RangeError
from scintscope.materials import absorber, attenuation, scintillator
from tables import read_table

MATERIALS = ("YAG:Ce", "LuAG:Ce", "GGG:Tb", "GAGG:Ce", "CsI:Tl")
UM_PER_CM = 1e4


def rows_of(table, material):
    return [row for row in read_table(table) if row["material"] == material]


def mass_coefficient(material, per_um):
    """Return 1/um as cm2/g."""
    return per_um * UM_PER_CM / material.density_g_cm3


@pytest.mark.parametrize("name", MATERIALS)
@pytest.mark.parametrize("source", ["penelope_cm2_g", "chantler_cm2_g"])
def test_total_against_independent_tables(name, source):
    """The total attenuation lies within the known spread between tabulations."""
    material = scintillator(name)
    rows = rows_of("xray/attenuation.csv", name)
    energy = np.array([row["energy_kev"] for row in rows])
    found = mass_coefficient(material, attenuation.total_per_um(material, energy))
    ratio = found / np.array([row[source] for row in rows])
    # the tabulations differ by 1-4 % below 50 keV (the photoelectric cross-sections), by up to
    # 6 % at 5 keV and in YAG between 12 keV and the K edge of yttrium, 17.04 keV, where PENELOPE
    # and Chantler also differ by 6 % from each other
    loose = energy < 6.0
    if name == "YAG:Ce":
        loose |= (energy >= 12.0) & (energy < 17.04)
    worst = np.abs(ratio - 1.0)
    assert worst[~loose].max() < 0.042
    assert worst[loose].max() < 0.06
    assert np.median(worst) < 0.022


@pytest.mark.parametrize("name", [*MATERIALS, "Al", "water", "bone", "Pb"])
def test_total_is_the_sum_of_its_parts(name):
    """Total = photoelectric + Compton + Rayleigh at every energy."""
    material = absorber(name)
    energy = np.array([5.0, 17.0, 17.1, 40.0, 90.0])
    parts = (
        attenuation.photoelectric_per_um(material, energy)
        + attenuation.compton_per_um(material, energy)
        + attenuation.rayleigh_per_um(material, energy)
    )
    # xraylib interpolates each part by its own spline: 1e-3 near edges
    np.testing.assert_allclose(parts, attenuation.total_per_um(material, energy), rtol=1e-3)


def test_vendor_table_of_yag():
    """A vendor's attenuation of YAG:Ce is XCOM's without coherent scattering."""
    material = scintillator("YAG:Ce")
    energy = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 100.0])
    found = mass_coefficient(
        material,
        attenuation.total_per_um(material, energy) - attenuation.rayleigh_per_um(material, energy),
    )
    crytur = [37.03, 31.78, 10.51, 4.838, 2.638, 0.475]  # Crytur scintillation materials table
    # the vendor's source is not stated; 1.5 % of table spread, 3 % at 100 keV where coherent
    # scattering is 7 % of the total
    np.testing.assert_allclose(found, crytur, rtol=0.035)


def deposited_with_l_escape(material, energy):
    """Return energy left per photon energy and um when K and L photons leave."""
    photo = attenuation.photoelectric_per_um(material, energy) * energy
    recoil = attenuation.mean_compton_fraction(energy) * energy
    kept = photo + attenuation.compton_per_um(material, energy) * recoil
    for line in attenuation.fluorescence_lines(material, energy, ("K", "L")):
        kept = kept - line.rate_per_um * line.line_kev
    return kept / energy


@pytest.mark.parametrize("name", MATERIALS)
def test_energy_balance_reproduces_mu_en(name):
    """Shell cross-sections, yields and branching add up to the tabulated mu_en within 5 %."""
    material = scintillator(name)
    rows = rows_of("xray/energy_absorption.csv", name)
    energy = np.array([row["energy_kev"] for row in rows])
    found = mass_coefficient(material, deposited_with_l_escape(material, energy))
    penelope = found / np.array([row["penelope_cm2_g"] for row in rows])
    nist = found / np.array([row["nist_cm2_g"] for row in rows])
    # mu_en of the two tabulations differ by up to 4 %; between the K edges of I and Cs
    # (33.2-36.0 keV), where the NIST grid has no point, PENELOPE alone is the reference
    coarse = (name == "CsI:Tl") & (energy > 33.0) & (energy < 37.0)
    assert np.abs(penelope - 1.0).max() < 0.05
    assert np.abs(nist[~coarse] - 1.0).max() < 0.05


@pytest.mark.parametrize("row", read_table("xray/k_shells.csv"), ids=lambda row: row["element"])
def test_k_photons_by_edge_jump_and_yield(row):
    """K photons per photoelectric event = (1 - 1/jump) x fluorescence yield, pure element."""
    from scintscope.materials import Absorber

    pure = Absorber(name=row["element"], formula=row["element"], density_g_cm3=5.0)
    energy = np.array([1.02 * row["edge_kev"]])
    lines = attenuation.fluorescence_lines(pure, energy)
    per_event = (
        sum(line.rate_per_um for line in lines) / attenuation.photoelectric_per_um(pure, energy)
    )[0]
    jump_share = 1.0 - 1.0 / row["jump_xraydb"]
    # two compilations of the yield differ by up to 4 %, jumps and Kissel shells by 2 %
    assert per_event == pytest.approx(jump_share * row["yield_xraydb"], rel=0.07)
    assert per_event == pytest.approx(jump_share * row["yield_xraylib"], rel=0.03)
    assert attenuation.fluorescence_lines(pure, np.array([0.99 * row["edge_kev"]])) == ()


def test_lines_of_yttrium():
    """YAG above 17.04 keV shines at Y K alpha (14.96, 14.88) and beta (16.7 keV) only."""
    lines = attenuation.fluorescence_lines(scintillator("YAG:Ce"), np.array([16.9, 20.0]))
    strong = sorted(line.line_kev for line in lines if line.line_kev > 2.0)
    # tabulated line energies to four digits; K beta is the mean over its lines
    np.testing.assert_allclose(strong, [14.883, 14.958, 16.74], atol=0.03)
    for line in lines:
        if line.line_kev > 2.0:
            assert line.rate_per_um[0] == 0.0 < line.rate_per_um[1]


def test_edges_lie_where_attenuation_jumps():
    """The Y K edge of YAG is at 17.0384 keV, inside the window asked for, and mu jumps there."""
    yag = scintillator("YAG:Ce")
    np.testing.assert_allclose(
        attenuation.absorption_edges_kev(yag, 10.0, 30.0), [17.0384], atol=1e-4
    )
    assert attenuation.absorption_edges_kev(yag, 18.0, 30.0).size == 0
    csi = attenuation.absorption_edges_kev(scintillator("CsI:Tl"), 10.0, 40.0)
    np.testing.assert_allclose(csi, [33.1694, 35.9846], atol=1e-4)
    below, above = attenuation.total_per_um(yag, np.array([17.03, 17.05]))
    assert above / below > 5.0


def klein_nishina_recoil(energy_kev):
    """Return <T>/E from the recoil-energy form of the Klein-Nishina formula (Evans 1955)."""
    alpha = energy_kev / 510.99895
    top = 2.0 * alpha / (1.0 + 2.0 * alpha)

    def density(s):
        ratio = s / (1.0 - s)
        return 2.0 + (ratio / alpha) ** 2 + ratio * (s - 2.0 / alpha)

    return quad(lambda s: s * density(s), 0.0, top)[0] / quad(density, 0.0, top)[0]


@pytest.mark.parametrize("energy_kev", [5.0, 20.0, 100.0, 300.0])
def test_compton_recoil(energy_kev):
    """The mean recoil over the angle equals the mean over the recoil's own spectrum."""
    found = attenuation.mean_compton_fraction(np.array([energy_kev]))[0]
    # two converged quadratures
    assert found == pytest.approx(klein_nishina_recoil(energy_kev), rel=1e-9)


@pytest.mark.parametrize("energy_kev", [0.5, 301.0, float("nan")])
def test_refuses_energies_outside_the_tables(energy_kev):
    """Energies the tables do not serve are refused with the range."""
    with pytest.raises(RangeError, match=r"energy_kev = .*\[1, 300\] keV"):
        attenuation.total_per_um(absorber("Al"), np.array([20.0, energy_kev]))
