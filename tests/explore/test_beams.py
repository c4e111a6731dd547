"""Spectra behind the page's filters against the tube model run with the filter."""

from __future__ import annotations

import numpy as np
import pytest

from scintscope.explore import beams
from scintscope.materials import scintillator
from scintscope.source import beam_spectrum
from scintscope.source.parts import Filter, TubeSource
from scintscope.source.tube import sampled_spectrum

TUBE = TubeSource(voltage_kv=50.0, filters=(Filter(material="Be", thickness_um=150.0),))
SAME = 1e-6
"""Beer-Lambert in bins is exact; the groups below 1e-7 of the fluence that either leaves out are
several, so a few 1e-7 of it."""


@pytest.mark.parametrize(("material", "thickness_um"), [("Al", 700.0), ("Cu", 40.0)])
def test_filter_is_that_of_the_tube_model(material: str, thickness_um: float) -> None:
    """Photons and energy behind any thickness are those of the tube model with that filter."""
    found = beams.spectrum(TUBE, 100.0, material, thickness_um)
    filters = (*TUBE.filters, Filter(material=material, thickness_um=thickness_um))
    exact = sampled_spectrum(TubeSource(voltage_kv=50.0, filters=filters), 100.0)
    for weight in (0, 1):
        sums = [s.photons_per_um2_s @ s.energy_kev**weight for s in (found, exact)]
        assert sums[0] == pytest.approx(sums[1], rel=SAME)


def test_coarse_energies_keep_number_and_energy() -> None:
    """On a material's energies the beam has the photons and the energy it had in fine bins."""
    yag = scintillator("YAG:Ce")
    spectrum = beam_spectrum(TUBE, 100.0, 1.0)
    grid = beams.energy_grid(TUBE, 100.0, yag, 80.0)
    photons = beams.photons_on(grid, spectrum, yag)
    above = spectrum.energy_kev >= grid[0]  # below the first, energy alone is kept
    lost = spectrum.photons_per_um2_s[~above].sum()
    assert photons.sum() == pytest.approx(spectrum.total_photons_per_um2_s, abs=lost + 1e-9)
    energy = spectrum.photons_per_um2_s @ spectrum.energy_kev
    assert photons @ grid == pytest.approx(energy, rel=1e-12)  # rounding


def test_absorption_edge_lies_between_two_energies() -> None:
    """Yttrium's K edge is bracketed within 0.3 %, so that no group straddles it."""
    grid = beams.energy_grid(TUBE, 100.0, scintillator("YAG:Ce"), 80.0)
    edge = 17.0384  # keV, yttrium K (Bearden and Burr 1967)
    j = int(np.searchsorted(grid, edge))
    assert grid[j] / grid[j - 1] - 1.0 < 3e-3
