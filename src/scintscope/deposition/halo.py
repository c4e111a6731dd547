"""What secondary photons leave in the plate: tables per material, thickness and energies.

The tables cost seconds and are kept by `scintscope.cache`. Symbols as in `cascade`; p0 density of
first collisions, R that of second collisions of photons that were first Rayleigh-scattered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.angles import rayleigh_collisions, rayleigh_escape
from scintscope.deposition.cascade import Cascade, cascade, escapes
from scintscope.deposition.groups import Groups, compton_shares, line_yields, shares
from scintscope.deposition.panels import Panels
from scintscope.deposition.physics import Collisions, InteractionData, LineGroup
from scintscope.deposition.sites import Sites

Array = NDArray[np.float64]

_REPRESENTATIVES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """What the primary photons' collisions send into the groups, per collision.

    Parameters
    ----------
    line : (E, M) array
        Line photons.
    unfollowed_kev, group_unfollowed_kev : (E,), (M,) array
        Energy in lines that leave the plate by decree, per collision of the primary, of a group.
    compton : (E, M) array
        Compton-scattered photons.
    again : (E, M) array
        Photons Rayleigh-scattered for the second time, taken as isotropic.
    """

    line: Array
    compton: Array
    again: Array
    unfollowed_kev: Array
    group_unfollowed_kev: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Halo:
    """Secondary photons of one plate: their groups, operators and tables (see `halo`)."""

    panels: Panels
    groups: Groups
    made: Sources
    secondary: Sites
    tables: dict[str, Array]


def sources(
    data: InteractionData, table: Collisions, groups: Groups, lines: tuple[LineGroup, ...]
) -> Sources:
    """Return the photons per collision of the primary in each group."""
    size = (table.energy_kev.size, groups.energy_kev.size)
    line, compton, again = np.zeros(size), np.zeros(size), np.zeros(size)
    made = line_yields(table, len(lines))
    for group, index in enumerate(groups.line):
        if index is not None:
            line[:, group] = made[:, index]
    spread = groups.scattered
    if spread.size:
        nodes = groups.energy_kev[spread]
        chance = (table.compton_per_um / table.attenuation_per_um)[:, None]
        compton[:, spread] = chance * compton_shares(data, nodes, table.energy_kev)
        chance = (table.rayleigh_per_um / table.attenuation_per_um)[:, None]
        again[:, spread] = chance * shares(nodes, table.energy_kev)
    left = np.array([x.energy_kev if groups.of_line(i) is None else 0.0
                     for i, x in enumerate(lines)])  # fmt: skip
    of_group = np.zeros(0)
    if groups.table is not None:
        chance = groups.table.attenuation_per_um / groups.free_per_um
        of_group = line_yields(groups.table, len(lines)) @ left * chance
    return Sources(
        line=line,
        compton=compton,
        again=again,
        unfollowed_kev=made @ left,
        group_unfollowed_kev=of_group,
    )


def halo_tables(
    data: InteractionData,
    panels: Panels,
    table: Collisions,
    primary: Sites,
    secondary: Sites,
    groups: Groups,
    made: Sources,
    frequency_cy_per_um: Array,
) -> dict[str, Array]:
    """Return the tables of one material, thickness and set of energies.

    Returns
    -------
    dict
        ``transfer`` (K, T, N, N) K_n of the groups in ``kept_groups`` (K,); ``collide``
        (M, N, N); ``scatter`` (E, T, N) energy left by scattered photons and all that they
        excite, at normal incidence; ``second`` (E, N) density R at f = 0; ``fluorescence_kev``,
        ``scattered_kev``, ``electrons_kev`` (E,) energy that leaves the plate.
    """
    z = panels.z_um
    chance = (groups.table.attenuation_per_um / groups.free_per_um if groups.table is not None
              else np.zeros(0))  # fmt: skip
    own = secondary.mean_kev(z) * chance[:, None, None]
    operators = cascade(panels, groups, own, frequency_cy_per_um)
    first = _first(table, z)
    count = (table.energy_kev.size, frequency_cy_per_um.size, z.size)
    second = np.zeros(count)
    gone = np.zeros(table.energy_kev.size)
    if groups.scattered.size:
        beam = (table.attenuation_per_um, table.rayleigh_per_um)
        thickness = float(panels.edge_um[-1])
        second = rayleigh_collisions(
            data, table.energy_kev, *beam, z, thickness, frequency_cy_per_um
        )
        gone = rayleigh_escape(data, table.energy_kev, *beam, thickness) * table.energy_kev
    scatter = _scatter_mean(operators, groups, made, primary, z, first, second)
    leaving = _leaving(panels, groups, operators, made, secondary, chance, first, second[:, 0])
    lost = np.einsum(
        "en,en,n->e", second[:, 0], primary.full_kev()[:, None] - primary.mean_kev(z)[:, 0],
        panels.weight_um,
    )  # fmt: skip
    kept = kept_groups(groups)
    return {
        "transfer": np.stack([operators.transfer[n] for n in kept]).astype(np.float32),
        "collide": operators.collide,
        "scatter": scatter,
        "second": second[:, 0],
        "fluorescence_kev": leaving[0],
        "scattered_kev": leaving[1] + gone,
        "electrons_kev": leaving[2] + lost,
    }


def kept_groups(groups: Groups) -> list[int]:
    """Return the groups whose operators are kept: all lines, a few of the scattered groups."""
    lines = [n for n, line in enumerate(groups.line) if line is not None]
    spread = groups.scattered
    if not spread.size:
        return lines
    places = np.linspace(0, spread.size - 1, min(_REPRESENTATIVES, spread.size))
    return lines + sorted({int(spread[round(place)]) for place in places})


def _first(table: Collisions, z_um: Array) -> Array:
    """Return the density of first collisions at normal incidence, (E, N)."""
    mu = table.attenuation_per_um[:, None]
    return np.asarray(mu * np.exp(-mu * z_um))


def _scatter_mean(
    operators: Cascade,
    groups: Groups,
    made: Sources,
    primary: Sites,
    z_um: Array,
    first: Array,
    second: Array,
) -> Array:
    """Return the energy left by scattered photons and what they excite, (E, T, N)."""
    if not groups.scattered.size:
        return np.zeros(second.shape)
    total = second * primary.mean_kev(z_um)
    for n, operator in enumerate(operators.transfer):
        per_second = (made.line + made.compton + made.again)[:, n, None, None]
        sent = per_second * second + (made.compton[:, n, None] * first)[:, None, :]
        if sent.any():
            total += np.einsum("tij,etj->eti", operator, sent, optimize=True)
    return np.asarray(total)


def _leaving(
    panels: Panels,
    groups: Groups,
    operators: Cascade,
    made: Sources,
    secondary: Sites,
    chance: Array,
    first: Array,
    second: Array,
) -> tuple[Array, Array, Array]:
    """Return energies leaving in lines, scattered photons and electrons of secondaries, (E,)."""
    unfollowed = (second @ panels.weight_um) * made.unfollowed_kev
    none = np.zeros(first.shape[0])
    if not groups.line:
        return none, none, none
    sent = [
        (made.line[:, n] + made.compton[:, n])[:, None] * (first + second)
        + made.again[:, n, None] * second
        for n in range(len(groups.line))
    ]
    gone, collided = escapes(panels, groups, operators, sent)
    short = secondary.full_kev()[:, None] - secondary.mean_kev(panels.z_um)[:, 0]
    lost = sum(
        ((rows * panels.weight_um) @ short[n]) * chance[n] for n, rows in enumerate(collided)
    )
    for n, rows in enumerate(collided):
        unfollowed = unfollowed + (rows @ panels.weight_um) * made.group_unfollowed_kev[n]
    return gone.fluorescence_kev + unfollowed, gone.scattered_kev, np.asarray(lost)
