"""Bins of energy that end at absorption edges, and how a continuum is put on their middles.

A sum over bins, sum_i P_i g(E_i), stands for the integral of f g, with f the continuum and g what
a photon does, which jumps at absorption edges. With bins of width h that end there and the photons
P_i in them, the middle of a bin gives the integral of f g less h^2 / 24 of (2 f' g' + f g''), the
mean energy of its photons the same less h^2 / 24 of f g''. Half-way between the two it is
h^2 / 24 of (f g')', which adds up to what stands at the ends of a stretch without edges. So a
bin's photons are moved to neighbouring middles until they have, together, that energy: nodes are
then the middles, whatever the spectrum, and what is tabulated for one serves another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SAME_EDGE_KEV = 0.01
"""Edges closer than this are one: their tables differ by some eV, and so do a solid and an atom."""

_SLIVER = 0.25
"""Bins whose boundary is no edge are at least this share of the width asked for: narrower ones
would cost as much as others and better nothing."""


def bin_boundaries(low_kev: float, high_kev: float, bin_kev: float, edges_kev: Array) -> Array:
    """Return the boundaries of energy bins between two energies, keV, (B + 1,).

    Every absorption edge is one (of edges closer than `SAME_EDGE_KEV` the lower), and every
    multiple of the width that keeps a quarter of it from all edges: an edge moves a boundary more
    often than it adds a bin, and none but those between two edges is a sliver.

    Parameters
    ----------
    low_kev, high_kev : float
        Ends of the spectrum.
    bin_kev : float
        Width of bins without edges.
    edges_kev : (K,) array
        Absorption edges.
    """
    edges = distinct_edges(edges_kev)
    fixed = np.concatenate([[low_kev], edges[(edges > low_kev) & (edges < high_kev)], [high_kev]])
    regular = bin_kev * np.arange(np.ceil(low_kev / bin_kev), np.floor(high_kev / bin_kev) + 1.0)
    apart = np.abs(regular[:, None] - fixed).min(axis=1)
    return np.unique(np.concatenate([fixed, regular[apart > _SLIVER * bin_kev]]))


def distinct_edges(edges_kev: Array) -> Array:
    """Return edges in order, those within `SAME_EDGE_KEV` of a lower one left out, (K,)."""
    found: list[float] = []
    for edge in np.sort(edges_kev):
        if not found or edge - found[-1] > SAME_EDGE_KEV:
            found.append(float(edge))
    return np.array(found)


def on_middles(known_kev: Array, photons: Array, cuts_kev: Array, edges_kev: Array) -> Array:
    """Return a continuum's photons on the middles of bins, (B,); their number is kept.

    Parameters
    ----------
    known_kev : (N + 1,) array
        Boundaries of the fine bins in which the continuum is known, ascending.
    photons : (N,) array
        Photons in these; evenly spread in each.
    cuts_kev : (B + 1,) array
        Boundaries of the bins that are wanted (`bin_boundaries`).
    edges_kev : (K,) array
        Absorption edges, over which no photon is moved.
    """
    fine = np.union1d(known_kev, cuts_kev)
    below = np.interp(fine, known_kev, _summed(photons))
    energy = _summed(np.diff(below) * 0.5 * (fine[1:] + fine[:-1]))
    place = np.searchsorted(fine, cuts_kev)
    number, carried = np.diff(below[place]), np.diff(energy[place])
    middle = 0.5 * (cuts_kev[1:] + cuts_kev[:-1])
    moment = 0.5 * (carried - number * middle)
    same = np.diff(np.searchsorted(np.sort(edges_kev), middle)) == 0
    sides = np.maximum(np.append(same, False).astype(int) + np.append(False, same), 1)
    moved = np.where(same, _pairs(moment / sides) / np.diff(middle), 0.0)
    moved = np.clip(moved, -0.5 * number[1:], 0.5 * number[:-1])
    return np.asarray(number + np.append(0.0, moved) - np.append(moved, 0.0))


def _pairs(values: Array) -> Array:
    return np.asarray(values[1:] + values[:-1])


def _summed(values: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(values)])
