"""Groups of secondary photons: fluorescence lines, and scattered photons by energy.

Symbols: E photon energy, E' that of a scattered photon, g mean cosine of Rayleigh scattering. A
scattered photon is shared between the two nearest groups so that number and energy are both kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.physics import Collisions, InteractionData, LineGroup, collisions
from scintscope.materials import attenuation, scattering
from scintscope.materials.attenuation import LOWEST_KEV

Array = NDArray[np.float64]

_ENERGY_RATIO = 1.22
_EDGE_GAP = 1e-4
_COMPTON_NODES = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """All groups of secondary photons, in ascending energy.

    Parameters
    ----------
    energy_kev : (N,) array
        Photon energies.
    line : tuple of int or None
        Index of the fluorescence line; None for a group of scattered photons.
    table : Collisions or None
        Collision tables at these energies; None if there are no groups.
    free_per_um : (N,) array
        Attenuation for the flight: total less g times Rayleigh (transport correction).
    again : (N,) array
        Chance that a collision sends the photon on in its group, isotropically.
    children : (N, N) array
        Photons made in group m per collision of group n, ``again`` not included.
    absorbed_recoil : (N,) array
        Chance that a collision is Compton scattering counted as absorption: a share <T>/E of the
        line photons' Compton collisions leaves all of the photon's energy, which keeps the mean.
    lost : (N,) array
        Scattered photons per collision that are not followed.
    """

    energy_kev: Array
    line: tuple[int | None, ...]
    table: Collisions | None
    free_per_um: Array
    again: Array
    children: Array
    absorbed_recoil: Array
    lost: Array

    @property
    def scattered(self) -> NDArray[np.intp]:
        """Indices of the groups of scattered photons."""
        return np.array([i for i, line in enumerate(self.line) if line is None], dtype=np.intp)

    def of_line(self, line: int) -> int | None:
        """Return the group of a line, None if the line is not followed inside the plate."""
        return self.line.index(line) if line in self.line else None


def photon_groups(
    data: InteractionData,
    energy_kev: Array,
    lines: tuple[LineGroup, ...],
    *,
    transport_lines: bool,
    scatter: bool,
) -> Groups:
    """Return the groups that photons of the given energies feed.

    Parameters
    ----------
    data : InteractionData
        Cross-sections.
    energy_kev : (E,) array
        Energies of the primary photons.
    lines : tuple of LineGroup
        Fluorescence lines.
    transport_lines, scatter : bool
        Whether line photons and scattered photons are followed.
    """
    entries: list[tuple[float, int | None]] = []
    if transport_lines:
        entries += [(line.energy_kev, i) for i, line in enumerate(lines)]
    if scatter:
        entries += [(float(e), None) for e in scatter_energies(data, energy_kev)]
    entries.sort(key=lambda entry: entry[0])
    energies = np.array([entry[0] for entry in entries])
    kinds = tuple(entry[1] for entry in entries)
    if not entries:
        none = np.zeros(0)
        return Groups(energy_kev=none, line=(), table=None, free_per_um=none, again=none,
                      children=np.zeros((0, 0)), absorbed_recoil=none, lost=none)  # fmt: skip
    return _filled(data, energies, kinds, lines, scatter)


def scatter_energies(data: InteractionData, energy_kev: Array) -> Array:
    """Return the energies of the groups of scattered photons: log-spaced, split at edges."""
    high = float(energy_kev.max())
    soft = float(energy_kev.min())
    low = max(soft * float(scattering.compton_ratio(np.array([soft]), np.array([-1.0]))[0, 0]),
              LOWEST_KEV)  # fmt: skip
    low = max(0.97 * low, LOWEST_KEV)
    count = max(int(np.ceil(np.log(high / low) / np.log(_ENERGY_RATIO))), 1) + 1
    nodes = set(np.geomspace(low, high, count))
    for edge in attenuation.absorption_edges_kev(data, low, high):
        nodes |= {edge * (1.0 - _EDGE_GAP), edge * (1.0 + _EDGE_GAP)}
    return np.array(sorted(node for node in nodes if low <= node <= high))


def shares(nodes_kev: Array, energy_kev: Array) -> Array:
    """Return the weights that put photons on group energies, (..., N).

    Number and energy are kept between the first and last node; below the first node energy is.
    """
    energy = np.asarray(energy_kev, dtype=np.float64)
    weights = np.zeros((*energy.shape, nodes_kev.size))
    if nodes_kev.size == 1:
        weights[..., 0] = energy / nodes_kev[0]
        return weights
    inside = np.maximum(energy, nodes_kev[0])
    upper = np.clip(np.searchsorted(nodes_kev, inside), 1, nodes_kev.size - 1)
    gap = nodes_kev[upper] - nodes_kev[upper - 1]
    part = (inside - nodes_kev[upper - 1]) / gap
    scale = energy / inside
    np.put_along_axis(weights, (upper - 1)[..., None], ((1.0 - part) * scale)[..., None], axis=-1)
    np.put_along_axis(weights, upper[..., None], (part * scale)[..., None], axis=-1)
    return weights


def compton_shares(data: InteractionData, nodes_kev: Array, energy_kev: Array) -> Array:
    """Return the photons per Compton collision in each group of scattered photons, (E, N)."""
    cosine, weight = np.polynomial.legendre.leggauss(_COMPTON_NODES)
    density = scattering.compton_angles(data, energy_kev, cosine) * weight
    density = density / density.sum(1, keepdims=True)
    after = energy_kev[:, None] * scattering.compton_ratio(energy_kev, cosine)
    return np.asarray((density[..., None] * shares(nodes_kev, after)).sum(1))


def line_yields(table: Collisions, count: int) -> Array:
    """Return the line photons per collision, (E, L)."""
    out = np.zeros((table.energy_kev.size, count))
    for branch in table.branches:
        for line in branch.lines:
            out[:, line] += branch.rate_per_um / table.attenuation_per_um
    return out


def rayleigh_mean_cosine(data: InteractionData, energy_kev: Array) -> Array:
    """Return g, the mean cosine of coherent scattering, (E,)."""
    edges = 1.0 - 2.0 * np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 13)])
    x, w = np.polynomial.legendre.leggauss(6)
    half = 0.5 * (edges[:-1] - edges[1:])[:, None]
    cosine = (0.5 * (edges[:-1] + edges[1:])[:, None] + half * x).ravel()
    density = scattering.rayleigh_angles(data, energy_kev, cosine) * (half * w).ravel()
    return np.asarray((density * cosine).sum(1) / density.sum(1))


def _filled(
    data: InteractionData,
    energies: Array,
    kinds: tuple[int | None, ...],
    lines: tuple[LineGroup, ...],
    scatter: bool,
) -> Groups:
    """Return the groups with their collisions."""
    table = collisions(data, energies, lines)
    free = table.attenuation_per_um - rayleigh_mean_cosine(data, energies) * table.rayleigh_per_um
    of_line = {line: i for i, line in enumerate(kinds) if line is not None}
    spread = np.array([i for i, line in enumerate(kinds) if line is None], dtype=np.intp)
    children = np.zeros((energies.size, energies.size))
    made = line_yields(table, len(lines)) * (table.attenuation_per_um / free)[:, None]
    for line, group in of_line.items():
        children[:, group] += made[:, line]
    compton = table.compton_per_um / free
    onward = free - (table.attenuation_per_um - table.rayleigh_per_um)
    again = onward / free
    recoil = compton * table.recoil_kev / energies
    if scatter:
        split = compton_shares(data, energies[spread], energies)
        recoil = compton * (1.0 - split @ energies[spread] / energies)
    is_line = np.array([line is not None for line in kinds])
    lost = np.zeros(energies.size)
    if scatter:
        children[np.ix_(spread, spread)] += compton[spread, None] * split[spread]
        again = again + np.where(is_line, compton - recoil, np.diag(children))
        np.fill_diagonal(children, 0.0)
    else:
        lost, again = again + compton - recoil, np.zeros(energies.size)
    return Groups(
        energy_kev=energies,
        line=kinds,
        table=table,
        free_per_um=free,
        again=again,
        children=children,
        absorbed_recoil=np.where(is_line, recoil, 0.0),
        lost=lost,
    )
