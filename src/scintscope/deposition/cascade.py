"""From a secondary photon to the energy it leaves anywhere in the plate, through all orders.

Symbols: A_n collision matrix of group n (`reabsorption`), s_n chance to go on in the group, c_nm
photons of group m per collision of group n. Photons sent out with density e collide with density
C_n e, C_n = A_n (1 - s_n A_n)^-1, and leave energy K_n e with K_n = (own_n + sum_m c_nm K_m) C_n,
softer groups first: a line excites only softer ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.groups import Groups
from scintscope.deposition.panels import Panels
from scintscope.deposition.reabsorption import escape_probability, isotropic_collisions

Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-11
_TINY = 1e-40


@dataclass(frozen=True, kw_only=True, slots=True)
class Cascade:
    """Operators of the photon groups on the depth nodes.

    Parameters
    ----------
    transfer : tuple of (T, N, N) array
        K_n per group: energy left per um at node i by photons sent out with density phi_j.
    collide : (M, N, N) array
        C_n at f = 0.
    again : (M, N, N) array
        (1 - s_n A_n)^-1 at f = 0: from first sent out to all sent out.
    """

    transfer: tuple[Array, ...]
    collide: Array
    again: Array


def cascade(panels: Panels, groups: Groups, own_kev: Array, frequency_cy_per_um: Array) -> Cascade:
    """Return the operators of all groups.

    Parameters
    ----------
    panels : Panels
        Depth nodes.
    groups : Groups
        M groups in ascending energy.
    own_kev : (M, T, N) array
        Energy a collision of each group leaves at its own depth, with its transfer function.
    frequency_cy_per_um : (T,) array
        Frequencies; the first is 0.
    """
    transfer: list[Array] = []
    collide: list[Array] = []
    again: list[Array] = []
    for n, mu in enumerate(groups.free_per_um):
        matrix = isotropic_collisions(panels, float(mu), frequency_cy_per_um)
        back = all_orders(_cleared(matrix), float(groups.again[n]))
        matrix = _cleared(matrix @ back)
        left = sum((groups.children[n, m] * transfer[m] for m in range(n)), np.zeros(()))
        kept = own_kev[n][:, :, None] * matrix
        transfer.append(_cleared(kept + left @ matrix) if np.ndim(left) else kept)
        collide.append(matrix[0])
        again.append(back[0])
    count = panels.z_um.size
    empty = np.zeros((0, count, count))
    return Cascade(
        transfer=tuple(transfer),
        collide=np.stack(collide) if collide else empty,
        again=np.stack(again) if again else empty,
    )


def all_orders(matrix: Array, again: float) -> Array:
    """Return (1 - s A)^-1 = product of 1 + (s A)^(2^k): photons sent out in all orders.

    All terms are positive, and a collided share s of at most all photons is left per order: the
    product ends where s^(2^k) is beyond rounding.
    """
    power = again * matrix
    total = np.eye(matrix.shape[-1]) + power
    left = again**2
    while left > _NEGLIGIBLE:
        power = _cleared(power @ power)
        total = total + total @ power
        left = left**2
    return total


def _cleared(matrix: Array) -> Array:
    """Return a matrix without entries whose products would be denormal, and slow."""
    return np.where(np.abs(matrix) < _TINY, 0.0, matrix)


@dataclass(frozen=True, kw_only=True, slots=True)
class Escapes:
    """Energy secondary photons carry out of the plate, keV per incident photon, (E,)."""

    fluorescence_kev: Array
    scattered_kev: Array


def escapes(
    panels: Panels, groups: Groups, operators: Cascade, sent: list[Array]
) -> tuple[Escapes, list[Array]]:
    """Return the energy that leaves, by E2 functions, and all collisions of every group.

    Parameters
    ----------
    panels, groups, operators
        Of this plate.
    sent : list of (E, N) array
        Photons of each group sent out per um by the primary photons' collisions.

    Returns
    -------
    Escapes, list of (E, N) array
        The second: collision densities per group.
    """
    total = [np.array(rows) for rows in sent]
    shape = total[0].shape[0] if total else 0
    fluorescence, scattered = np.zeros(shape), np.zeros(shape)
    collided: list[Array] = [np.zeros(0)] * len(total)
    for n in range(len(total) - 1, -1, -1):
        out = escape_probability(panels, float(groups.free_per_um[n]))
        emitted = total[n] @ operators.again[n].T
        collided[n] = total[n] @ operators.collide[n].T
        gone = emitted @ (panels.weight_um * out) * groups.energy_kev[n]
        lost = collided[n] @ panels.weight_um * groups.lost[n] * groups.energy_kev[n]
        if groups.line[n] is None:
            scattered = scattered + gone
        else:
            fluorescence = fluorescence + gone
        scattered = scattered + lost
        for m in range(n):
            if groups.children[n, m]:
                total[m] = total[m] + groups.children[n, m] * collided[n]
    return Escapes(fluorescence_kev=fluorescence, scattered_kev=scattered), collided
