"""Stored tracks for samplers, made again from the tables of the medium in a few seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.electrons.medium import HIGHEST_KEV, Medium
from scintscope.electrons.tabulate import LOWEST_KEV
from scintscope.electrons.transport import Deposits, make_steps, run_tracks

Array = NDArray[np.float64]
Singles = NDArray[np.float32]

NODES, SLICES, TRACKS, SEED = 20, 32, 2048, 77


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrackLibrary:
    """Tracks at evenly spaced log energies, lengths over the CSDA range, initial direction z.

    Parameters
    ----------
    position : (E, T, 32, 3) float32 array
        Centres of gravity of the deposits.
    share : (E, T, 32) float32 array
        Shares of the energy.
    """

    position: Singles
    share: Singles

    def draw(
        self, energy_kev: float, count: int, rng: np.random.Generator
    ) -> tuple[Singles, Singles]:
        """Return positions (N, 32, 3) and shares (N, 32) of tracks drawn at random."""
        span = np.log(HIGHEST_KEV / LOWEST_KEV)
        place = np.log(max(energy_kev, LOWEST_KEV) / LOWEST_KEV) / span * (NODES - 1)
        low = min(int(place), NODES - 2)
        node = low + (rng.random(count) < place - low)
        track = rng.integers(0, TRACKS, count)
        return self.position[node, track], self.share[node, track]


def track_library(medium: Medium) -> TrackLibrary:
    """Run the tracks of a library; the same medium gives the same tracks."""
    steps = make_steps(medium)
    log_energy, log_range = np.log(medium.energy_kev), np.log(medium.range_um)
    position, share = [], []
    for index, energy in enumerate(np.geomspace(LOWEST_KEV, HIGHEST_KEV, NODES)):
        rng = np.random.default_rng([SEED, index])
        csda = float(np.exp(np.interp(np.log(energy), log_energy, log_range)))
        place, part = _slices(run_tracks(steps, float(energy), TRACKS, rng))
        position.append((place / csda).astype(np.float32))
        share.append(part.astype(np.float32))
    return TrackLibrary(position=np.array(position), share=np.array(share))


def _slices(deposits: Deposits) -> tuple[Array, Array]:
    """Gather deposits into slices of the energy: centres (T, 32, 3) and shares (T, 32)."""
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
