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
from scintscope.deposition.outcomes import at_energy
from scintscope.deposition.sites import Sites, contracted

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
    for n in range(len(halo.groups.line)):
        if table is None:
            break
        chance = table.attenuation_per_um[n] / halo.groups.free_per_um[n]
        outcomes = tuple(at_energy(outcome, n) for outcome in halo.secondary.outcomes)
        sites = Sites(
            outcomes=outcomes,
            tracks=halo.secondary.tracks,
            thickness_um=halo.secondary.thickness_um,
        )
        density = np.full((1, 1, view.z_um.size), chance)
        left = collision_power(halo, sites, density, view, found)[0]
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


def collision_power(
    halo: Halo, sites: Sites, density: Array, view: Light, children: Children
) -> Array:
    """Return the summed power of collisions: own site, lines and all cross terms, (S, D, F).

    Parameters
    ----------
    halo, sites, view, children
        Secondary photons, outcomes of E energies, the light, what photons of each group leave.
    density : (S, E, D) array
        Collisions per um.
    """
    z = view.z_um
    total = (sites.power_sum(density, z) @ view.spline) * view.transfer**2
    groups = {line: n for n, line in enumerate(halo.groups.line) if line is not None}
    for line, n in groups.items():
        chance = sites.line_chance(line)
        if not chance.any():
            continue
        own = (sites.line_mean_sum(density, z, line) @ view.spline) * view.transfer
        total += 2.0 * own * children.mean[n]
        total += np.einsum("sed,e->sd", density, chance)[..., None] * children.power[n]
    for (one, other), chance in sites.pair_chance().items():
        if one in groups and other in groups and chance.any():
            both = np.einsum("sed,e->sd", density, chance)[..., None]
            total += 2.0 * both * children.mean[groups[one]] * children.mean[groups[other]]
    return np.asarray(total)


def scattered_power(
    halo: Halo, sites: Sites, density: Array, again: Array, view: Light, children: Children
) -> Array:
    """Return the power of Compton events and of photons that Rayleigh-scatter twice, (S, D, F).

    Parameters
    ----------
    density, again : (S, E, D) array
        Collisions per um; those of Rayleigh-scattered photons alone.
    """
    total = np.zeros((density.shape[0], *view.transfer.shape))
    for n in halo.groups.scattered:
        sent = np.einsum("sed,e->sd", density, halo.made.compton[:, n])
        sent += np.einsum("sed,e->sd", again, halo.made.again[:, n])
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
