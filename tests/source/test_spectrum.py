"""Spectra as data: cutting at edges, shares, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import assert_is_spectrum
from scintscope.errors import InputError
from scintscope.source.bins import distinct_edges
from scintscope.source.spectrum import Spectrum, drop_empty, split_at_edges


def continuum(photons=(1.0, 4.0, 2.0, 1.0), line_kev=14.96):
    """Return four bins of 5 keV from 10 keV and a line."""
    energy = np.array([12.5, line_kev, 17.5, 22.5, 27.5])
    return Spectrum(
        energy_kev=energy,
        photons_per_um2_s=np.array([photons[0], 3.0, *photons[1:]]),
        width_kev=np.array([5.0, 0.0, 5.0, 5.0, 5.0]),
    )


@settings(deadline=None, max_examples=40)
@given(edges=st.lists(st.floats(5.0, 35.0), max_size=6))
def test_cutting_at_edges_conserves_photons_and_energy(edges):
    """Photons, mean energy and total width survive any cuts; no bin straddles a distinct edge."""
    before = continuum()
    after = split_at_edges(before, np.array(sorted(edges)))
    assert_is_spectrum(after)
    # sums of a dozen terms
    assert after.total_photons_per_um2_s == pytest.approx(before.total_photons_per_um2_s, rel=1e-13)
    assert after.mean_energy_kev == pytest.approx(before.mean_energy_kev, rel=1e-13)
    assert after.width_kev.sum() == pytest.approx(20.0, rel=1e-13)
    low = after.energy_kev - 0.5 * after.width_kev
    high = after.energy_kev + 0.5 * after.width_kev
    for edge in distinct_edges(np.array(edges)):
        assert not ((low < edge - 1e-9) & (high > edge + 1e-9)).any()


def test_a_line_is_not_cut():
    """An edge at a line's energy leaves the line as it is."""
    after = split_at_edges(continuum(), np.array([14.96, 17.0384]))
    lines = after.width_kev == 0.0
    np.testing.assert_array_equal(after.energy_kev[lines], [14.96])
    np.testing.assert_array_equal(after.photons_per_um2_s[lines], [3.0])


def test_share_between_energies():
    """Bins count by the part inside, lines whole; the share of everything is 1."""
    spectrum = continuum()
    # half of bin 1 (0.5), the line (3), the second bin (4) of 11 photons
    assert spectrum.fraction_between(12.5, 20.0) == pytest.approx(7.5 / 11.0)
    assert spectrum.fraction_between(0.0, 100.0) == pytest.approx(1.0)
    assert spectrum.fraction_between(50.0, 60.0) == 0.0


def test_mean_energy_is_photon_weighted():
    """The mean energy by hand."""
    mean = (12.5 + 3 * 14.96 + 4 * 17.5 + 2 * 22.5 + 27.5) / 11.0
    assert continuum().mean_energy_kev == pytest.approx(mean)


def test_dropping_empty_groups_keeps_the_photons():
    """Groups of no weight go, the rest stays as it was."""
    (kept,) = drop_empty(continuum(photons=(0.0, 4.0, 1e-12, 1.0)))
    np.testing.assert_array_equal(kept.energy_kev, [14.96, 17.5, 27.5])
    assert_is_spectrum(kept)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width_kev": np.zeros(4)}, "three 1-D arrays of one length"),
        ({"photons_per_um2_s": np.full(5, -1.0)}, r"photons_per_um2_s must be finite and >= 0"),
        ({"photons_per_um2_s": np.full(5, np.nan)}, r"photons_per_um2_s must be finite"),
        ({"photons_per_um2_s": np.zeros(5)}, "holds no photons"),
        ({"energy_kev": np.full(5, np.inf)}, r"energy_kev must be finite"),
    ],
)
def test_refuses_what_is_no_spectrum(changes, message):
    """Mismatched, negative, infinite and empty spectra are refused."""
    good = continuum()
    fields = {
        "energy_kev": good.energy_kev,
        "photons_per_um2_s": good.photons_per_um2_s,
        "width_kev": good.width_kev,
    }
    with pytest.raises(InputError, match=message):
        Spectrum(**(fields | changes))
