"""Where photons stop and what they leave: Beer-Lambert, energy balance, fluorescence."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.materials import attenuation, scintillator
from scintscope.quadrature import interval_nodes
from scintscope.scintillator.absorption import (
    absorbed_fraction,
    interaction,
    per_depth,
    survival,
)
from strategies import energies_kev, scintillators, thicknesses_um
from tables import read_table

YAG = scintillator("YAG:Ce")
SLAB = read_table("xray/slab_absorption_yag.csv")
ENERGY = np.array([10.0, 17.0, 17.1, 20.0, 50.0])


def deposited_fraction(material, energy, thickness_um, fluorescence):
    """Return the energy left in a slab per incident energy, integrated in closed form."""
    act = interaction(material, energy, fluorescence)
    stopped = np.asarray(absorbed_fraction(act.attenuation_per_um, thickness_um))
    return act.deposit_kev_per_um / act.attenuation_per_um * stopped / energy


def test_beer_lambert_to_rounding():
    """exp(-mu z / cos) at every energy and depth, and the density of interactions mu times it."""
    mu = attenuation.total_per_um(YAG, ENERGY)
    z = np.array([0.0, 3.0, 20.0, 200.0])
    for path in (1.0, 1.25):
        expected = np.exp(-np.outer(mu, z) * path)
        found = np.asarray(survival(z, mu, path))
        np.testing.assert_allclose(found, expected, rtol=1e-14)  # one exponential
        density = np.asarray(per_depth(mu, z, mu, path))
        np.testing.assert_allclose(density, mu[:, None] * path * expected, rtol=1e-14)


def test_thin_plates_keep_their_digits():
    """The absorbed fraction of a nanometre is mu t, not a difference of ones."""
    mu = attenuation.total_per_um(YAG, ENERGY)
    # next term mu t / 2 < 1e-5
    np.testing.assert_allclose(np.asarray(absorbed_fraction(mu, 1e-3)), mu * 1e-3, rtol=1e-4)
    np.testing.assert_allclose(np.asarray(absorbed_fraction(mu, 1e-12)), mu * 1e-12, rtol=1e-13)


@settings(deadline=None, max_examples=30)
@given(material=scintillators, energy=energies_kev, thickness=thicknesses_um)
def test_interacting_and_transmitted_make_one(material, energy, thickness):
    """Photons that stop at some depth and photons that leave are all photons."""
    mu = attenuation.total_per_um(material, np.array([energy]))
    z, weight = interval_nodes(0.0, thickness, 24)
    panels = np.linspace(0.0, 1.0, 41)  # so that exp(-mu t) is smooth on each panel
    stopped = sum(
        float(weight * (b - a) @ np.asarray(per_depth(mu, a * thickness + z * (b - a), mu))[0])
        for a, b in pairwise(panels)
    )
    left = float(np.asarray(survival(np.array([thickness]), mu))[0, 0])
    # Gauss-Legendre converged to rounding
    assert stopped + left == pytest.approx(1.0, abs=1e-11)
    assert float(absorbed_fraction(mu, thickness)[0]) == pytest.approx(stopped, abs=1e-11)


@settings(deadline=None, max_examples=30)
@given(material=scintillators, energy=energies_kev, choice=st.sampled_from(["local", "escape"]))
def test_no_event_leaves_more_than_its_energy(material, energy, choice):
    """0 < mean deposit <= E mu, 0 < mean square <= E mean, and no less than the mean's square."""
    act = interaction(material, np.array([energy]), choice)
    mu, mean, square = (
        float(values[0])
        for values in (
            act.attenuation_per_um,
            act.deposit_kev_per_um,
            act.deposit_kev2_per_um,
        )
    )
    assert 0.0 < mean <= energy * mu
    assert 0.0 < square <= energy * mean
    # Cauchy-Schwarz over events: <e>^2 <= <e^2>
    assert (mean / mu) ** 2 <= square / mu * (1.0 + 1e-12)


@settings(deadline=None, max_examples=30)
@given(
    material=scintillators, energy=energies_kev, thickness=thicknesses_um, more=st.floats(1.01, 3)
)
def test_thicker_plates_absorb_more(material, energy, thickness, more):
    """Absorbed photons and energy rise with thickness and never pass 1."""
    energies = np.array([energy])
    mu = attenuation.total_per_um(material, energies)
    thin, thick = (float(absorbed_fraction(mu, t)[0]) for t in (thickness, more * thickness))
    assert thin < thick <= 1.0 or thin == thick == 1.0  # both opaque to rounding
    left = deposited_fraction(material, energies, thickness, "escape")[0]
    assert left <= thin


def test_k_photons_take_energy_only_above_the_edge():
    """Local and escape agree below the K edge but for light elements, and differ above."""
    local, escape = (interaction(YAG, ENERGY, choice) for choice in ("local", "escape"))
    ratio = escape.deposit_kev_per_um / local.deposit_kev_per_um
    # aluminium's K photons: 1.5 keV, yield 4 %, a tenth of the events: below 1e-3 at 10 keV
    np.testing.assert_allclose(ratio[:2], 1.0, atol=1e-3)
    # above, 0.85 x 0.71 x 0.93 of events lose 15 of 17.1 or 20 keV
    assert 0.45 < ratio[2] < 0.55
    assert 0.5 < ratio[3] < 0.62
    np.testing.assert_array_equal(escape.attenuation_per_um, local.attenuation_per_um)


def test_events_without_fluorescence_leave_all_or_the_recoil():
    """Local: photoelectric events leave E, Compton events the recoil, Rayleigh nothing."""
    act = interaction(YAG, ENERGY, "local")
    photo = attenuation.photoelectric_per_um(YAG, ENERGY)
    recoil = attenuation.mean_compton_fraction(ENERGY) * ENERGY
    compton = attenuation.compton_per_um(YAG, ENERGY) * recoil
    # sums of two terms
    np.testing.assert_allclose(act.deposit_kev_per_um, photo * ENERGY + compton, rtol=1e-14)
    # the recoil's spread (some 50 %) is neglected in the second moment: below 1e-4 of it
    np.testing.assert_allclose(act.deposit_kev2_per_um, photo * ENERGY**2, rtol=1e-3)


def test_two_peak_pulse_heights():
    """Escape leaves E or E - E_K: the second moment is that of the two peaks."""
    energy = np.array([20.0])
    act = interaction(YAG, energy, "escape")
    photo = attenuation.photoelectric_per_um(YAG, energy)
    lines = attenuation.fluorescence_lines(YAG, energy)
    kept = photo - sum(line.rate_per_um for line in lines)
    expected = kept * 400.0 + sum(line.rate_per_um * (20.0 - line.line_kev) ** 2 for line in lines)
    # Compton recoils of 0.7 keV, 1 % of events: 1e-5 of the second moment
    np.testing.assert_allclose(act.deposit_kev2_per_um, expected, rtol=1e-4)


@pytest.mark.parametrize("row", SLAB)
def test_slab_absorption_by_another_code(row):
    """Photons and energy absorbed in YAG slabs, 10-100 keV, 5 thicknesses."""
    energy, thickness = np.array([row["energy_kev"]]), row["thickness_um"]
    photons = float(absorbed_fraction(attenuation.total_per_um(YAG, energy), thickness)[0])
    # the same tables: five printed digits
    assert photons == pytest.approx(row["eta_photons"], abs=6e-6)
    kept = deposited_fraction(YAG, energy, thickness, "escape")[0]
    # NIST mu_en against shells, yields and branching; without the L photons' 1 %
    assert kept == pytest.approx(row["eta_energy_muen"], rel=0.03)


@pytest.mark.parametrize(
    "row", [row for row in SLAB if row["eta_energy_mc"] and row["thickness_um"] >= 20.0]
)
def test_monte_carlo_lies_between_escape_and_local(row):
    """Above the K edge part of the K photons is re-absorbed: a Monte Carlo lies in between."""
    energy, thickness = np.array([row["energy_kev"]]), row["thickness_um"]
    escape, local = (
        deposited_fraction(YAG, energy, thickness, choice)[0] for choice in ("escape", "local")
    )
    # 5 sigma; tables differ by 4 % near 17 keV; electrons of 40 keV and more leave thin slabs
    # (range 9 um at 40, 43 um at 100 keV)
    electrons = 0.0 if row["energy_kev"] <= 30.0 else min(1.0, 0.05 * row["energy_kev"] / thickness)
    slack = 5.0 * row["eta_energy_mc_sigma"] + 0.035 * row["eta_energy_mc"]
    assert row["eta_energy_mc"] >= escape * (1.0 - electrons) - slack
    assert row["eta_energy_mc"] <= local + slack
