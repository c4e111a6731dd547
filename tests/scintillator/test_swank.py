"""Swank factors: tables of spectra in YAG, closed forms, laws."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scintscope.errors import DataError, RangeError
from scintscope.materials import scintillator
from scintscope.materials.attenuation import total_per_um
from scintscope.scintillator.swank import PulseMoments, pulse_moments, swank_factors
from tables import read_table

ORACLES = {row["name"]: row["value"] for row in read_table("noise/noise_oracles.csv")}
ONE = np.ones((1, 1))


@cache
def spectra():
    """Return the tabulated spectra as columns, and mu of YAG at their energies."""
    rows = read_table("xray/spekpy_w50.csv")
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    return columns, total_per_um(scintillator("YAG:Ce"), columns["energy_kev"])


def quadrature(thickness_um, count=48):
    """Return Gauss-Legendre nodes and weights over a plate."""
    x, w = np.polynomial.legendre.leggauss(count)
    return 0.5 * thickness_um * (x + 1.0), 0.5 * thickness_um * w


@pytest.mark.parametrize("row", read_table("noise/swank_polyenergetic.csv"))
def test_spectral_swank_of_tube_spectra(row):
    """All energy deposited: absorbed share, mean energy and factor of every tabulated spectrum."""
    columns, mu = spectra()
    energy, photons = columns["energy_kev"], columns[row["case"]]
    z, weight = quadrature(row["thickness_um"], 96)
    density = mu[:, None] * np.exp(-mu[:, None] * z)
    found = pulse_moments(
        photons, density, density * energy[:, None], density * energy[:, None] ** 2, weight
    )
    # Four printed digits. The lowest energies stop within the first um of 200, which 96 nodes
    # resolve to 1e-5 of the few photons there.
    assert found.interacting / photons.sum() == pytest.approx(row["eta_photon"], abs=6e-5)
    assert found.mean == pytest.approx(row["mean_absorbed_keV"], abs=6e-4 + 1e-4)
    assert found.swank == pytest.approx(row["A_spectral"], abs=6e-5)


def test_poisson_light_of_one_energy():
    """A = m / (1 + m) for a mean of m electrons per X-ray."""
    light = PulseMoments(interacting=1.0, first=20.0, second=400.0).with_light(0.5)
    assert light.swank == pytest.approx(ORACLES["swank_poisson_monoenergetic"], rel=1e-8)
    # five sigma of the table's Monte Carlo, which agrees to 1.5e-4
    assert light.swank == pytest.approx(ORACLES["swank_poisson_mc"], abs=1e-3)


def test_exponential_pulse_heights():
    """A = 1/2, whatever the mean, for pulse heights spread exponentially."""
    found = pulse_moments([3.0], ONE, 7.0 * ONE, 2.0 * 49.0 * ONE, [1.0])
    assert found.swank == pytest.approx(ORACLES["swank_exponential_pulse_height"], rel=1e-15)


def test_two_peaks_by_escape():
    """(E - eps E_k)^2 / ((1 - eps) E^2 + eps (E - E_k)^2) when a share eps loses E_k."""
    energy, line, eps = 20.0, 14.96, 0.4
    second = (1.0 - eps) * energy**2 + eps * (energy - line) ** 2
    found = pulse_moments([1.0], ONE, (energy - eps * line) * ONE, second * ONE, [1.0])
    # eight printed digits
    assert found.swank == pytest.approx(ORACLES["swank_two_peak_escape"], rel=1e-8)


def test_exponential_collection_over_an_exponential_depth():
    """A = I(k)^2 / I(2 k) when light from depth z is collected as exp(-k z)."""
    z, weight = quadrature(200.0)
    density = 0.0145 * np.exp(-0.0145 * z)[None, :]
    factors = swank_factors(
        [1.0], density, density, density, weight, electrons_per_kev=1e9 * np.exp(-0.005 * z)
    )
    assert factors.spectral == pytest.approx(1.0, rel=1e-12)
    # eight printed digits
    assert factors.with_depth == pytest.approx(ORACLES["swank_depth_exponential"], rel=1e-8)
    # 1e9 electrons per X-ray leave no spread
    assert factors.with_light == pytest.approx(factors.with_depth, rel=1e-8)


@settings(deadline=None, max_examples=40)
@given(
    photons=arrays(float, 3, elements=st.floats(0.1, 10.0)),
    density=arrays(float, (3, 4), elements=st.floats(0.01, 1.0)),
    collection=arrays(float, 4, elements=st.floats(0.05, 2.0)),
)
def test_swank_falls_with_every_cause(photons, density, collection):
    """A lies in (0, 1], light lowers it, and scaling the fluence or the energy leaves it alone."""
    energy = np.array([10.0, 20.0, 40.0])[:, None]
    tables = (density, density * energy, density * energy**2, np.ones(4))
    factors = swank_factors(photons, *tables, collection)
    assert 0.0 < factors.with_light < factors.with_depth <= 1.0 + 1e-12
    assert factors.spectral <= 1.0 + 1e-12
    base = pulse_moments(photons, *tables)
    scaled = pulse_moments(
        7.0 * photons, density, 3.0 * density * energy, 9.0 * density * energy**2, np.ones(4)
    )
    assert scaled.swank == pytest.approx(base.swank, rel=1e-12)


def test_light_sink():
    """With few electrons per X-ray the factor is their mean number, m / (1 + m / A) to m."""
    few = PulseMoments(interacting=2.0, first=30.0, second=500.0).with_light(1e-9)
    # next order in m = 1.5e-8
    assert few.swank == pytest.approx(few.mean, rel=1e-7)


def test_refuses_what_does_not_fit():
    """Shapes that disagree, no interaction and no light are refused."""
    with pytest.raises(DataError, match="do not fit 1 energies and 2 depths"):
        pulse_moments([1.0], ONE, ONE, ONE, [1.0, 1.0])
    with pytest.raises(DataError, match="collection of shape"):
        pulse_moments([1.0], ONE, ONE, ONE, [1.0], collection=[1.0, 1.0])
    with pytest.raises(RangeError, match="interacting = 0"):
        pulse_moments([0.0], ONE, ONE, ONE, [1.0])
    with pytest.raises(RangeError, match="electrons_per_kev"):
        swank_factors([1.0], ONE, ONE, ONE, [1.0], 0.0)
