"""The mean squared transform of what one X-ray leaves: the event power of the noise.

Symbols: T(f, z) transfer function of light from depth z, A transform of what a collision leaves on
the spot times T, B_n that of what a secondary photon of group n leaves anywhere. For one event

    E|A + sum B|^2 = E|A|^2 + 2 E[A] E[B] + E|B|^2   (and 2 E[B] E[B'] for two photons),

taken branch by branch, then averaged: A and B are independent once the branch is known, and their
means are real because directions are symmetric about the axis. In |B|^2 the place of the second
collision drops out, so E|B_n|^2 = V_n follows collisions at f = 0; E[B_n] = h_n uses K_n(f).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.frequencies import interpolation
from scintscope.deposition.halo import Halo, kept_groups
from scintscope.deposition.sites import Sites, contracted, summed

Array = NDArray[np.float64]

_SMALLEST_COVER = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Light:
    """Quadrature in depth with the light's transfer function, as event power sees it.

    ``z_um`` and ``weight_um`` (D,), ``transfer`` (D, F), ``spline`` (T, F) from tabulated
    frequencies, ``nodes`` (D, N) from the plate's nodes to the depths.
    """

    z_um: Array
    weight_um: Array
    transfer: Array
    spline: Array
    nodes: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Children:
    """Mean and mean square of what photons of each group leave, sent out at a depth, (D, F)."""

    mean: dict[int, Array]
    power: dict[int, Array]


def light(
    halo: Halo, z_um: Array, weight_um: Array, transfer: Array, frequency_cy_per_um: Array
) -> Light:
    """Return the light's quadrature."""
    return Light(
        z_um=z_um,
        weight_um=weight_um,
        transfer=transfer,
        spline=interpolation(frequency_cy_per_um),
        nodes=halo.panels.interpolation(z_um),
    )


def secondary_children(halo: Halo, view: Light) -> Children:
    """Return what photons of every group leave, softer groups first."""
    found = Children(mean={}, power={})
    for operator, group in zip(halo.tables["transfer"], kept_groups(halo.groups), strict=True):
        found.mean[group] = _mean(halo, view, operator)
    table = halo.groups.table
    if table is None:
        return found
    chance = table.attenuation_per_um / halo.groups.free_per_um
    one_each = np.repeat(chance[:, None], view.z_um.size, axis=1)
    parts = collision_parts(halo, halo.secondary, one_each, view.z_um)
    for n in range(chance.size):
        left = combined(parts.row(n), view, found)[0]
        for m in halo.groups.scattered:
            if halo.groups.children[n, m]:
                left = left + halo.groups.children[n, m] * found.power[int(m)]
        found.power[n] = _spread(halo, view, halo.tables["collide"][n], left)
    return found


def _mean(halo: Halo, view: Light, operator: Array) -> Array:
    """Return h: the mean transform of what a photon sent out at a depth leaves, (D, F)."""
    cover = view.weight_um[:, None] * view.nodes
    seen = view.transfer.T @ cover
    total = np.zeros(seen.shape)
    for row, matrix in zip(view.spline, operator, strict=True):
        used = np.flatnonzero(row)
        if used.size:
            total[used] += row[used, None] * (seen[used] @ matrix.astype(np.float64))
    start = operator[0].astype(np.float64)
    scale = _correction(halo.panels.weight_um @ start, cover.sum(0) @ start)
    return np.asarray(view.nodes @ (total * (scale / halo.panels.weight_um)).T)


def _spread(halo: Halo, view: Light, collide: Array, left: Array) -> Array:
    """Return V: the collisions' power seen from where the photon was sent out, (D, F)."""
    cover = (view.weight_um[:, None] * view.nodes) @ collide
    scale = _correction(halo.panels.weight_um @ collide, cover.sum(0))
    per_photon = cover * (scale / halo.panels.weight_um)
    return np.asarray(view.nodes @ (per_photon.T @ left))


def _correction(exact: Array, found: Array) -> Array:
    """Return the factors that give a coarse depth quadrature the exact integral at f = 0."""
    usable = np.abs(found) > _SMALLEST_COVER * np.abs(exact)
    return np.divide(exact, found, out=np.ones_like(exact), where=usable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What S sums of collisions leave and send out, at D depths and tabulated frequencies.

    ``power`` (S, D, T) of the own site; per group of lines ``mean`` (S, D, T) of the own site when
    a photon is sent and ``sent`` (S, D) photons; per pair of groups ``pairs`` (S, D).
    """

    power: Array
    mean: dict[int, Array]
    sent: dict[int, Array]
    pairs: dict[tuple[int, int], Array]

    def row(self, index: int) -> Parts:
        """Return one of the sums, as the only one."""
        return Parts(
            power=self.power[[index]],
            mean={n: part[[index]] for n, part in self.mean.items() if self.sent[n][index].any()},
            sent={n: part[[index]] for n, part in self.sent.items() if part[index].any()},
            pairs={n: part[[index]] for n, part in self.pairs.items() if part[index].any()},
        )


def collision_parts(halo: Halo, sites: Sites, density: Array, z_um: Array) -> Parts:
    """Return what collisions leave and send out.

    Parameters
    ----------
    halo, sites
        Secondary photons; outcomes of E energies.
    density : (S, E, D) or (E, D) array
        Collisions per um at the depths ``z_um``; of two axes: each energy by itself, S = E.
    """
    groups = {line: n for n, line in enumerate(halo.groups.line) if line is not None}
    chances = {line: sites.line_chance(line) for line in groups}
    made = {line: n for line, n in groups.items() if chances[line].any()}
    return Parts(
        power=sites.power_sum(density, z_um),
        mean={n: sites.line_mean_sum(density, z_um, line) for line, n in made.items()},
        sent={n: summed(density, chances[line]) for line, n in made.items()},
        pairs={
            (groups[one], groups[other]): summed(density, chance)
            for (one, other), chance in sites.pair_chance().items()
            if one in groups and other in groups and chance.any()
        },
    )


def combined(parts: Parts, view: Light, children: Children) -> Array:
    """Return the summed power of collisions: own site, lines and all cross terms, (S, D, F)."""
    total = (parts.power @ view.spline) * view.transfer**2
    for n, own in parts.mean.items():
        total += (own @ view.spline) * (2.0 * view.transfer * children.mean[n])
        total += parts.sent[n][..., None] * children.power[n]
    for (one, other), both in parts.pairs.items():
        total += both[..., None] * (2.0 * children.mean[one] * children.mean[other])
    return np.asarray(total)


def scattered_power(
    halo: Halo, sites: Sites, density: Array, again: Array, view: Light, children: Children
) -> Array:
    """Return the power of Compton events and of photons that Rayleigh-scatter twice, (S, D, F).

    Parameters
    ----------
    density, again : (S, E, D) or (E, D) array
        Collisions per um; those of Rayleigh-scattered photons alone. As in `collision_parts`.
    """
    total = np.zeros((density.shape[0], *view.transfer.shape))
    for n in halo.groups.scattered:
        sent = summed(density, halo.made.compton[:, n])
        sent += summed(again, halo.made.again[:, n])
        total += sent[..., None] * children.power[int(n)]
    recoil = sites.outcomes[-1].first
    for n, chance in _representatives(halo).items():
        term = (chance, (recoil,), recoil.mean_kev)
        own = contracted(density, sites.keep(view.z_um), [term]) @ view.spline
        total += 2.0 * own * view.transfer * children.mean[n]
    return total


def _representatives(halo: Halo) -> dict[int, Array]:
    """Return Compton photons per collision, (E,), lumped on the groups whose K_n is kept.

    Each group goes to the nearest in log energy, in proportion to its energy: used only for the
    cross term of recoil and scattered photon.
    """
    energy = halo.groups.energy_kev
    kept = np.array([n for n in kept_groups(halo.groups) if halo.groups.line[n] is None])
    lumped: dict[int, Array] = {}
    for n in halo.groups.scattered:
        near = int(kept[np.argmin(np.abs(np.log(energy[kept] / energy[n])))])
        share = halo.made.compton[:, n] * energy[n] / energy[near]
        lumped[near] = lumped.get(near, np.zeros(share.shape)) + share
    return lumped
