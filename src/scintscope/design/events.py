"""Event power of a plate as a quadratic form in the light's transfer function.

`deposition.power` gives the mean squared light of one X-ray for a given T(f, z). It is quadratic in
T, so that for all optics at once

    Q(f) = INT d(f, z) T(f, z)^2 dz + sum_kl B_kl(f) v_k v_l,   v_k(f) = INT P_k(z) T(f, z) dz

with P_k Legendre polynomials over the plate: d counts energy left in one place, by the photon's
own collision or by a secondary photon's (whose place drops out of |B|^2); B the products of two
places, smooth in depth. Both follow from the recursion of `deposition.power` run backwards: how
much V_n(z), the mean square of what a photon of group n sent out at z leaves, counts in the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.halo import Halo, kept_groups
from scintscope.deposition.kernel import Deposition
from scintscope.deposition.power import Parts, _representatives, collision_parts
from scintscope.deposition.sites import contracted, summed

Array = NDArray[np.float64]

ORDERS = 16
"""Legendre polynomials that carry the products of two places."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventForm:
    """The quadratic form of a layer for one photon of each energy, keV^2.

    Parameters
    ----------
    diagonal : (E, D, T) array
        d at the given depths, per um, at the tabulated frequencies.
    products : (E, T, K, K) array
        B, symmetric.
    """

    diagonal: Array
    products: Array


@dataclass(slots=True)
class _Sums:
    """Coefficients of T^2, of T h_m and of h_a h_b on the nodes, with their quadrature weights."""

    squares: Array
    mixed: dict[int, Array] = field(default_factory=dict)
    pairs: dict[tuple[int, int], Array] = field(default_factory=dict)

    def add(self, parts: Parts, weight: Array) -> None:
        """Add the cross terms of collisions counted with ``weight``, (E, N) or (N,)."""
        for m, mean in parts.mean.items():
            self.mix(m, 2.0 * weight[..., None] * mean)
        for key, both in parts.pairs.items():
            found = 2.0 * weight * both
            self.pairs[key] = self.pairs[key] + found if key in self.pairs else found

    def mix(self, group: int, coefficient: Array) -> None:
        """Add to the coefficient of T h of a group."""
        known = self.mixed.get(group)
        self.mixed[group] = coefficient if known is None else known + coefficient


def event_form(deposited: Deposition, z_um: Array) -> EventForm:
    """Return the quadratic form of a layer.

    Parameters
    ----------
    deposited : Deposition
        Of the layer.
    z_um : (D,) array
        Depths at which ``diagonal`` is wanted.
    """
    halo, sites = deposited.halo, deposited.sites
    nodes, width = halo.panels.z_um, halo.panels.weight_um
    second = halo.tables["second"]
    density = deposited.first_collisions(nodes) + second
    parts = collision_parts(halo, sites, density, nodes)
    sums = _Sums(squares=np.zeros(parts.power.shape))
    sums.add(parts, width)
    counts = {n: width * sent for n, sent in parts.sent.items()}
    if halo.groups.scattered.size:
        _add_scattered(deposited, density, sums, counts)
    _run_back(halo, sums, counts)
    interpolate = halo.panels.interpolation(z_um)
    there = deposited.first_collisions(z_um) + second @ interpolate.T
    own = sites.power_sum(there, z_um)
    elsewhere = np.einsum("dn,ent->edt", interpolate, sums.squares / width[:, None], optimize=True)
    return EventForm(diagonal=own + elsewhere, products=_products(halo, sums))


def _add_scattered(
    deposited: Deposition, density: Array, sums: _Sums, counts: dict[int, Array]
) -> None:
    """Add Compton events and photons that Rayleigh-scatter twice (`power.scattered_power`)."""
    halo, sites = deposited.halo, deposited.sites
    nodes, width, second = halo.panels.z_um, halo.panels.weight_um, halo.tables["second"]
    for n in halo.groups.scattered:
        sent = summed(density, halo.made.compton[:, n]) + summed(second, halo.made.again[:, n])
        counts[int(n)] = counts.get(int(n), 0.0) + width * sent
    recoil = sites.outcomes[-1].first
    for n, chance in _representatives(halo).items():
        own = contracted(density, sites.keep(nodes), [(chance, (recoil,), recoil.mean_kev)])
        sums.mix(n, 2.0 * width[:, None] * own)


def _run_back(halo: Halo, sums: _Sums, counts: dict[int, Array]) -> None:
    """Follow how often each group's V counts, hard photons first, into the sums."""
    table, width = halo.groups.table, halo.panels.weight_um
    if table is None:
        return
    chance = table.attenuation_per_um / halo.groups.free_per_um
    one_each = np.repeat(chance[:, None], width.size, axis=1)
    parts = collision_parts(halo, halo.secondary, one_each, halo.panels.z_um)
    for n in range(chance.size - 1, -1, -1):
        if n not in counts:
            continue
        weight = width * ((counts[n] / width) @ halo.tables["collide"][n].T)
        row = parts.row(n)
        sums.squares += weight[:, :, None] * row.power
        sums.add(row, weight)
        for m, sent in row.sent.items():
            counts[m] = counts.get(m, 0.0) + weight * sent[0]
        for m in halo.groups.scattered:
            share = halo.groups.children[n, m]
            if share:
                counts[int(m)] = counts.get(int(m), 0.0) + weight * share


def _products(halo: Halo, sums: _Sums) -> Array:
    """Return the products of two places in Legendre polynomials, (E, T, K, K)."""
    panels = halo.panels
    thickness = float(panels.edge_um[-1])
    legendre = np.polynomial.legendre.legvander(2.0 * panels.z_um / thickness - 1.0, ORDERS - 1)
    # INT L_j T dz is nearly the integral of T with the projection of L_j on the polynomials
    cast = panels.weight_um[:, None] * legendre * (2.0 * np.arange(ORDERS) + 1.0) / thickness
    operators = dict(zip(kept_groups(halo.groups), halo.tables["transfer"], strict=True))
    energies, nodes, count = sums.squares.shape
    total = np.zeros((energies, count, ORDERS * ORDERS))
    for t in range(count):
        # h = seen @ v: mean of what a photon sent out at a node leaves, seen by the light
        seen = {
            m: (operator[t].astype(np.float64).T @ cast) / panels.weight_um[:, None]
            for m, operator in operators.items()
        }
        for m, coefficient in sums.mixed.items():
            pair = (cast / panels.weight_um[:, None])[:, :, None] * seen[m][:, None, :]
            total[:, t] += coefficient[:, :, t] @ pair.reshape(nodes, -1)
        for (a, b), coefficient in sums.pairs.items():
            pair = seen[a][:, :, None] * seen[b][:, None, :]
            total[:, t] += coefficient @ pair.reshape(nodes, -1)
    form = total.reshape(energies, count, ORDERS, ORDERS)
    return np.asarray(0.5 * (form + form.transpose(0, 1, 3, 2)))
