"""Bins that end at absorption edges, and a continuum put on their middles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.source.bins import SAME_EDGE_KEV, bin_boundaries, distinct_edges, on_middles

EDGES = st.lists(st.floats(1.0, 60.0), max_size=12).map(np.array)
WIDTHS = st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0])


@settings(deadline=None, max_examples=100)
@given(edges=EDGES, bin_kev=WIDTHS)
def test_every_edge_is_a_boundary_and_no_other_makes_a_sliver(edges, bin_kev):
    """Edges apart from each other are boundaries; the others keep a quarter of the width."""
    cuts = bin_boundaries(1.0, 50.0, bin_kev, edges)
    assert cuts[0] == 1.0 and cuts[-1] == 50.0
    assert (np.diff(cuts) > 0.0).all()
    inside = distinct_edges(edges)
    inside = inside[(inside > 1.0) & (inside < 50.0)]
    assert np.isin(inside, cuts).all()
    other = ~np.isin(cuts, np.concatenate([inside, [1.0, 50.0]]))
    gaps = np.diff(cuts)
    beside = other[1:] | other[:-1]
    # rounding of multiples of the width
    assert (gaps[beside] >= 0.25 * bin_kev * (1.0 - 1e-9)).all()
    assert gaps.max() <= 1.5 * bin_kev * (1.0 + 1e-9)
    assert cuts.size <= 50.0 / bin_kev + 3 + inside.size


def test_edges_that_no_table_tells_apart_are_one():
    """Of edges within a few eV the lower stays, whatever their order and number."""
    edges = np.array([12.0, 11.9, 11.9 + 0.5 * SAME_EDGE_KEV, 11.9])
    np.testing.assert_array_equal(distinct_edges(edges), [11.9, 12.0])


@settings(deadline=None, max_examples=60)
@given(edges=EDGES, bin_kev=WIDTHS, slope=st.floats(-0.5, 0.5))
def test_photons_are_kept_between_edges(edges, bin_kev, slope):
    """No photon is lost, made or moved over an edge, and none is negative."""
    known = np.linspace(1.0, 50.0, 491)
    photons = np.exp(slope * known[1:])
    cuts = bin_boundaries(1.0, 50.0, bin_kev, edges)
    found = on_middles(known, photons, cuts, edges)
    assert (found >= 0.0).all()
    below = np.concatenate([[0.0], np.cumsum(photons)])
    ends = np.unique(np.clip(np.concatenate([[1.0, 50.0], distinct_edges(edges)]), 1.0, 50.0))
    place = np.searchsorted(cuts, ends)
    sums = np.concatenate([[0.0], np.cumsum(found)])
    # sums of 500 terms
    np.testing.assert_allclose(
        sums[place], np.interp(ends, known, below), rtol=1e-9, atol=1e-9 * below[-1]
    )


@pytest.mark.parametrize("decay_kev", [3.0, 8.0])
def test_middles_integrate_better_than_their_order(decay_kev):
    """Of a bell-shaped continuum times an exponential, the error falls faster than h squared."""
    known = np.linspace(0.0, 40.0, 4001)
    middle = 0.5 * (known[1:] + known[:-1])
    photons = np.exp(-0.5 * ((middle - 20.0) / 4.0) ** 2)
    exact = photons @ np.exp(-middle / decay_kev)
    errors = []
    for bin_kev in (1.0, 2.0):
        cuts = bin_boundaries(0.0, 40.0, bin_kev, np.zeros(0))
        found = on_middles(known, photons, cuts, np.zeros(0))
        errors.append(abs(found @ np.exp(-0.5 * (cuts[1:] + cuts[:-1]) / decay_kev) / exact - 1.0))
    # plain middles would be h^2 / 24 / decay^2 off; what is left is of fourth order
    assert errors[1] < 0.2 * 4.0 / 24.0 / decay_kev**2
    assert errors[0] < errors[1] / 12.0
