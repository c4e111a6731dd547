"""The energy a collision leaves where it happens, summed over its outcomes.

Symbols: E photon energy, z depth, f frequency; weights are (S, E, D): S sums over photon energies
at D depths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.outcomes import Electrons, ElectronTracks, NoTracks, Outcome
from scintscope.remembered import Remembered

Array = NDArray[np.float64]
Keep = Callable[[Electrons], Array | None]
Fractions = dict[tuple[str, bytes], Array]

_fractions: Remembered[Fractions] = Remembered(most=12)
"""Kept fractions by plate and depths: every question about a plate on its nodes asks for them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sites:
    """Outcomes of collisions in a plate of one thickness.

    Parameters
    ----------
    outcomes : tuple of Outcome
        What collisions of E photon energies end in.
    tracks : ElectronTracks
        Electron kernel, for the loss at the faces.
    thickness_um : float
        Plate.
    """

    outcomes: tuple[Outcome, ...]
    tracks: ElectronTracks
    thickness_um: float

    def keep(self, z_um: Array) -> Keep:
        """Return the kept fraction at depths, as a function of a group of electrons, (E|1, D).

        None where nothing is lost (electrons stop where they start). Each group is asked once for
        the same depths.
        """
        known = _fractions((self,), z_um.tobytes(), dict)

        def fraction(electrons: Electrons) -> Array | None:
            if isinstance(self.tracks, NoTracks):
                return None
            key = (electrons.start, electrons.energy_kev.tobytes())
            if key not in known:
                known[key] = self.tracks.kept_fraction(
                    electrons.energy_kev, z_um, self.thickness_um, electrons.start
                )
            return known[key]

        return fraction

    def groups(self) -> list[tuple[Array, Electrons]]:
        """Return the groups of electrons with their probability per collision, (E,), merged."""
        merged: dict[int, tuple[Array, Electrons]] = {}
        for outcome in self.outcomes:
            for electrons in (outcome.first, *outcome.others):
                before = merged.get(id(electrons), (np.zeros(()), electrons))[0]
                merged[id(electrons)] = (before + outcome.probability, electrons)
        return list(merged.values())

    def full_kev(self) -> Array:
        """Return the mean energy in electrons per collision, none lost, keV, (E,)."""
        parts = [chance * electrons.mean_kev[:, 0] for chance, electrons in self.groups()]
        return np.asarray(np.sum(parts, axis=0))

    def mean_kev(self, z_um: Array, frequencies: slice = slice(None)) -> Array:
        """Return the mean energy left at the site with its transfer function, (E, T, D).

        Parameters
        ----------
        z_um : (D,) array
            Depths.
        frequencies : slice
            Which of the tabulated frequencies; ``slice(1)`` is f = 0 alone.
        """
        keep = self.keep(z_um)
        first = self.outcomes[0].first.mean_kev[:, frequencies]
        flat = np.zeros(first.shape)
        total = np.zeros((*first.shape, z_um.size))
        for chance, electrons in self.groups():
            part = chance[:, None] * electrons.mean_kev[:, frequencies]
            kept = keep(electrons)
            if kept is None:
                flat = flat + part
            else:
                total += part[:, :, None] * kept[:, None, :]
        return total + flat[:, :, None]

    def mean_sum(self, weights: Array, z_um: Array) -> Array:
        """Return the weighted sum over photon energies of the mean energy left, (S, D, T).

        Weights of two axes: a sum of its own for each photon energy (`contracted`).
        """
        return contracted(
            weights,
            self.keep(z_um),
            [(chance, (electrons,), electrons.mean_kev) for chance, electrons in self.groups()],
        )

    def power_sum(self, weights: Array, z_um: Array) -> Array:
        """Return the weighted sum of the mean square of the site's own transform, (S, D, T).

        E|A|^2 of a sum A of independent electrons: the power of each group, and twice the product
        of means for each pair. An electron that reaches a face keeps a share whose mean square
        lies between the squared mean k^2 and the mean k: (k + k^2) / 2 is taken.
        """
        terms: list[Term] = []
        for chance, electrons in self.groups():
            terms.append((chance, (electrons,), electrons.power_kev2))
        own = contracted(weights, self.keep(z_um), terms, squared=True)
        pairs: list[Term] = []
        for outcome in self.outcomes:
            members = (outcome.first, *outcome.others)
            for i, one in enumerate(members):
                for other in members[i + 1 :]:
                    product = 2.0 * one.mean_kev * other.mean_kev
                    pairs.append((outcome.probability, (one, other), product))
        return own + contracted(weights, self.keep(z_um), pairs)

    def line_mean_sum(self, weights: Array, z_um: Array, line: int) -> Array:
        """Return the weighted sum of the mean energy left at the site with a line, (S, D, T)."""
        terms: list[Term] = [
            (outcome.probability, (electrons,), electrons.mean_kev)
            for outcome in self.outcomes
            if line in outcome.lines
            for electrons in (outcome.first, *outcome.others)
        ]
        return contracted(weights, self.keep(z_um), terms)

    def line_chance(self, line: int) -> Array:
        """Return the photons of a line per collision, (E,)."""
        made = [o.probability for o in self.outcomes if line in o.lines]
        return np.asarray(np.sum(made, axis=0)) if made else np.zeros(self.full_kev().shape)

    def pair_chance(self) -> dict[tuple[int, int], Array]:
        """Return the chance per collision of two lines from one site, (E,), by their indices."""
        pairs: dict[tuple[int, int], Array] = {}
        for outcome in self.outcomes:
            if len(outcome.lines) == 2:
                key = (outcome.lines[0], outcome.lines[1])
                pairs[key] = pairs.get(key, np.zeros(())) + outcome.probability
        return pairs


Term = tuple[Array, tuple[Electrons, ...], Array]


def contracted(weights: Array, keep: Keep, terms: list[Term], *, squared: bool = False) -> Array:
    """Return sum over terms and energies of weights x chance x kept x table, (S, D, T).

    Parameters
    ----------
    weights : (S, E, D) or (E, D) array
        Weights; of two axes: a sum of its own for each photon energy, S = E.
    keep : callable
        Kept fraction of a group of electrons, (E|1, D), or None.
    terms : list of (chance (E,), electrons, table (E, T))
        What to sum; the kept fractions of a term's groups of electrons are multiplied.
    squared : bool
        Take (k + k^2) / 2 instead of the kept fraction k.
    """
    plain: Array | None = None
    total: Array | None = None
    for chance, members, table in terms:
        part = chance[:, None] * table
        factors = [kept for kept in map(keep, members) if kept is not None]
        if not factors:
            plain = part if plain is None else plain + part
            continue
        if squared:
            factors = [0.5 * (kept + kept**2) for kept in factors]
        scaled = weights
        for kept in factors:
            scaled = scaled * kept
        found = _contract(scaled, part)
        total = found if total is None else total + found
    if plain is not None:
        found = _contract(weights, plain)
        total = found if total is None else total + found
    if total is None:
        return np.zeros((weights.shape[0], weights.shape[-1], 1))
    return np.asarray(total)


def _contract(weights: Array, table: Array) -> Array:
    """Return sum_e weights x table, (S, D, T); no sum for weights of two axes, S = E."""
    if weights.ndim == 2:
        return np.asarray(weights[:, :, None] * table[:, None, :])
    return np.stack([rows.T @ table for rows in weights])


def summed(weights: Array, chance: Array) -> Array:
    """Return sum_e weights x chance, (S, D); no sum for weights of two axes, S = E."""
    if weights.ndim == 2:
        return np.asarray(weights * chance[:, None])
    return np.asarray(np.einsum("sed,e->sd", weights, chance))
