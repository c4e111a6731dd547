"""Stored tracks for samplers, run again from the tables of the medium when first asked for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scintscope.electrons.medium import HIGHEST_KEV, Medium
from scintscope.electrons.tabulate import LOWEST_KEV
from scintscope.electrons.transport import Deposits, Steps, make_steps, run_tracks

Array = NDArray[np.float64]
Singles = NDArray[np.float32]

NODES, SLICES, TRACKS, SEED = 20, 32, 2048, 77


def draw_tracks(
    medium: Medium, energy_kev: float, count: int, rng: np.random.Generator
) -> tuple[Singles, Singles]:
    """Draw tracks from the stored ones of the two neighbouring energy nodes.

    Parameters
    ----------
    medium : Medium
        The compound.
    energy_kev : float
        Energy; below 1 keV tracks of 1 keV.
    count : int
        How many, N.
    rng : Generator
        Random numbers.

    Returns
    -------
    position : (N, 32, 3) float32 array
        Centres of gravity of the deposits over the CSDA range, initial direction z.
    share : (N, 32) float32 array
        Shares of the energy.
    """
    span = np.log(HIGHEST_KEV / LOWEST_KEV)
    place = np.log(max(energy_kev, LOWEST_KEV) / LOWEST_KEV) / span * (NODES - 1)
    low = min(int(place), NODES - 2)
    upper = rng.random(count) < place - low
    track = rng.integers(0, TRACKS, count)
    position = np.empty((count, SLICES, 3), dtype=np.float32)
    share = np.empty((count, SLICES), dtype=np.float32)
    for node, chosen in ((low, ~upper), (low + 1, upper)):
        if chosen.any():
            stored_position, stored_share = _node(medium, node)
            position[chosen] = stored_position[track[chosen]]
            share[chosen] = stored_share[track[chosen]]
    return position, share


@lru_cache(maxsize=8)
def _steps(medium: Medium) -> Steps:
    return make_steps(medium)


@lru_cache(maxsize=4 * NODES)
def _node(medium: Medium, node: int) -> tuple[Singles, Singles]:
    """Run the tracks of one energy node; the same medium gives the same tracks."""
    energy = LOWEST_KEV * (HIGHEST_KEV / LOWEST_KEV) ** (node / (NODES - 1))
    csda = np.exp(np.interp(np.log(energy), np.log(medium.energy_kev), np.log(medium.range_um)))
    rng = np.random.default_rng([SEED, node])
    centre, part = slices(run_tracks(_steps(medium), float(energy), TRACKS, rng))
    return (centre / csda).astype(np.float32), part.astype(np.float32)


def slices(deposits: Deposits) -> tuple[Array, Array]:
    """Gather deposits into slices of the energy: centres (N, 32, 3) and shares (N, 32)."""
    share = deposits.share
    count = share.shape[1]
    middle = np.cumsum(share, axis=0) - 0.5 * share
    slot = np.minimum((middle * SLICES).astype(np.intp), SLICES - 1)
    flat = (slot + SLICES * np.arange(count)).ravel()
    size = SLICES * count
    part = np.bincount(flat, weights=share.ravel(), minlength=size)
    moments = [
        np.bincount(flat, weights=(share * deposits.position_um[..., axis]).ravel(), minlength=size)
        for axis in range(3)
    ]
    centre = np.stack(moments, axis=-1) / np.maximum(part, 1e-30)[:, None]
    return (
        np.asarray(centre.reshape(count, SLICES, 3), dtype=np.float64),
        np.asarray(part.reshape(count, SLICES), dtype=np.float64),
    )
