"""Angles of coherently and incoherently scattered photons.

Symbols: theta scattering angle, c = cos theta, q = sin(theta / 2) / lambda momentum transfer in
1/Angstrom, F atomic form factor, S incoherent scattering function (Hubbell et al. 1975, as
xraylib 4 carries them).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import xraylib
from numpy.typing import NDArray

from scintscope.materials.attenuation import Composed
from scintscope.materials.composition import mass_fractions
from scintscope.units import ELECTRON_REST_KEV, HC_KEV_UM

Array = NDArray[np.float64]

_ANGSTROM_PER_UM = 1.0e4
_TRANSFERS = np.concatenate([[0.0], np.geomspace(1e-3, 60.0, 320)])


def rayleigh_angles(material: Composed, energy_kev: Array, cosine: Array) -> Array:
    """Return the coherent scattering density over c: (1 + c^2) sum_i n_i F_i(q)^2, normalised.

    Parameters
    ----------
    material : Composed
        Formula and density; atoms scatter independently of each other.
    energy_kev : (E,) array
        Photon energies.
    cosine : (E, C) or (C,) array
        Cosines of the scattering angle.

    Returns
    -------
    (E, C) array
        Probability per unit of c; its integral over -1 to 1 is 1 for each energy.
    """
    table = _form_factors(material.formula)
    nodes, weights = _forward_nodes(energy_kev)
    norm = (_coherent(table, energy_kev, nodes) * weights).sum(1)
    wanted = np.broadcast_to(cosine, (energy_kev.size, cosine.shape[-1]))
    return np.asarray(_coherent(table, energy_kev, wanted) / norm[:, None])


def _forward_nodes(energy_kev: Array) -> tuple[Array, Array]:
    """Return nodes and weights in c, graded towards forward directions, each (1, C)."""
    edges = 1.0 - 2.0 * np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 13)])
    x, w = np.polynomial.legendre.leggauss(8)
    low, high = edges[1:], edges[:-1]
    nodes = 0.5 * (low + high)[:, None] + 0.5 * (high - low)[:, None] * x
    weights = 0.5 * (high - low)[:, None] * w
    return nodes.reshape(1, -1), weights.reshape(1, -1)


def _coherent(table: Array, energy_kev: Array, cosine: Array) -> Array:
    """Return the unnormalised coherent density, (E, C)."""
    per_angstrom = energy_kev / (HC_KEV_UM * _ANGSTROM_PER_UM)
    transfer = per_angstrom[:, None] * np.sqrt(np.maximum(0.5 * (1.0 - cosine), 0.0))
    return np.asarray((1.0 + cosine**2) * np.interp(transfer, _TRANSFERS, table))


@lru_cache(maxsize=64)
def _form_factors(formula: str) -> Array:
    """Return sum_i (w_i / A_i) F_i(q)^2 on the table's momentum transfers."""
    total = np.zeros(_TRANSFERS.size)
    for element, fraction in mass_fractions(formula):
        factor = np.array([xraylib.FF_Rayl(element, float(q)) for q in _TRANSFERS])
        total += fraction / xraylib.AtomicWeight(element) * factor**2
    return total


def compton_angles(material: Composed, energy_kev: Array, cosine: Array) -> Array:
    """Return the incoherent scattering density over c: Klein-Nishina times S, normalised.

    Parameters
    ----------
    material : Composed
        Formula and density.
    energy_kev : (E,) array
        Photon energies.
    cosine : (C,) array
        Gauss-Legendre nodes of the caller; the density is not normalised on them.

    Returns
    -------
    (E, C) array
    """
    nodes, weights = np.polynomial.legendre.leggauss(64)
    table = _incoherent_functions(material.formula)
    norm = (_incoherent(table, energy_kev, nodes) * weights).sum(1)
    return np.asarray(_incoherent(table, energy_kev, cosine) / norm[:, None])


def _incoherent(table: Array, energy_kev: Array, cosine: Array) -> Array:
    """Return the unnormalised Klein-Nishina density times S, (E, C)."""
    per_angstrom = energy_kev / (HC_KEV_UM * _ANGSTROM_PER_UM)
    transfer = per_angstrom[:, None] * np.sqrt(np.maximum(0.5 * (1.0 - cosine), 0.0))
    ratio = compton_ratio(energy_kev, cosine)
    klein_nishina = ratio**2 * (ratio + 1.0 / ratio - (1.0 - cosine**2))
    return np.asarray(klein_nishina * np.interp(transfer, _TRANSFERS, table))


def compton_ratio(energy_kev: Array, cosine: Array) -> Array:
    """Return the scattered photon's share of the energy, 1 / (1 + E (1 - c) / mc2), (E, C)."""
    return np.asarray(1.0 / (1.0 + energy_kev[:, None] / ELECTRON_REST_KEV * (1.0 - cosine)))


@lru_cache(maxsize=64)
def _incoherent_functions(formula: str) -> Array:
    """Return sum_i (w_i / A_i) S_i(q) on the table's momentum transfers."""
    total = np.zeros(_TRANSFERS.size)
    for element, fraction in mass_fractions(formula):
        values = [0.0, *(xraylib.SF_Compt(element, float(q)) for q in _TRANSFERS[1:])]
        total += fraction / xraylib.AtomicWeight(element) * np.array(values)
    return total
