"""From tracks to tables: transfer functions, event powers and kept fractions against energy.

All lengths are divided by the CSDA range R(E), which takes most of the energy dependence away.

The transfer of a track that starts along n, averaged over its azimuth about n, is

    sum_l (2 l + 1) (-i)^l j_l(2 pi f r) P_l(cos chi) P_l(cos gamma),

r and chi the place of a deposit in the frame of n, gamma the angle of n to the frequency. With n
distributed about the photon's direction and the frequency across it, <P_l(cos gamma)> is P_l(0)
times the mean of P_l(cos theta): Sauter's moments enter exactly, without drawing angles. The
power of an event is the same sum over the distances of pairs of deposits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import spherical_jn

from scintscope.electrons.angles import sauter_moments, start_cosines
from scintscope.electrons.blending import greville_points
from scintscope.electrons.medium import HIGHEST_KEV, Medium
from scintscope.electrons.transport import Deposits, Steps, make_steps, run_tracks

Array = NDArray[np.float64]
Arrays = dict[str, NDArray[np.float32]]
Advance = Callable[[int], None]

STARTS = ("photoelectron", "isotropic")
LOWEST_KEV = 1.0
ENERGY_NODES, FREQUENCY_NODES, DISTANCE_NODES = 22, 128, 24
FREQUENCY_SCALE = 0.5
"""f R at which the frequency coordinate has gone 0.29 of its way."""

REACH = 1.2
"""Largest distance to a face in the tables, in CSDA ranges; no track gets as far."""

TRACKS, BATCH, SEED = 20_000, 2_000, 20250
_DRAWS, _BINS, _ORDERS = 12, 600, np.arange(0, 13, 2)


def node_energies_kev() -> Array:
    """Return the energies of the tables, 1 to 300 keV."""
    span = np.log(HIGHEST_KEV / LOWEST_KEV)
    return np.asarray(LOWEST_KEV * np.exp(span * greville_points(ENERGY_NODES)))


def frequency_coordinate(scaled: Array) -> Array:
    """Return the table coordinate of f R: 0 at 0 and 1 at infinity.

    q = 1 - 1 / sqrt(1 + (f R / x0)^2) is quadratic at small f, where transfer functions are, and
    1 - q falls as 1 / f at large f, as they do.
    """
    return np.asarray(1.0 - 1.0 / np.sqrt(1.0 + (scaled / FREQUENCY_SCALE) ** 2))


def distance_coordinate(scaled: Array) -> Array:
    """Return the table coordinate of distance / R: its square root over the reach, at most 1."""
    return np.asarray(np.sqrt(np.minimum(scaled / REACH, 1.0)))


def make_tables(medium: Medium, advance: Advance) -> Arrays:
    """Run the tracks of every energy node and reduce them.

    Parameters
    ----------
    medium : Medium
        The compound.
    advance : callable
        Progress; called `ENERGY_NODES` times with 1.

    Returns
    -------
    dict
        ``mean`` and ``power`` (start, energy, frequency), ``kept`` (start, energy, behind, ahead).
    """
    steps = make_steps(medium)
    nodes = []
    for index, energy in enumerate(node_energies_kev()):
        csda = float(np.exp(np.interp(np.log(energy), *_log_range(medium))))
        nodes.append(_one_energy(steps, float(energy), csda, index))
        advance(1)
    return {
        name: np.stack([node[name] for node in nodes], axis=1).astype(np.float32)
        for name in ("mean", "power", "kept")
    }


def _log_range(medium: Medium) -> tuple[Array, Array]:
    return np.log(medium.energy_kev), np.log(medium.range_um)


def _one_energy(steps: Steps, energy_kev: float, csda_um: float, index: int) -> dict[str, Array]:
    """Return the tables of one energy: mean, power (2, X), kept (2, G, G)."""
    rng = np.random.default_rng([SEED, index])
    places = np.zeros((_ORDERS.size + 1, _BINS))
    pairs = np.zeros((_ORDERS.size + 1, _BINS))
    kept = np.zeros((len(STARTS), DISTANCE_NODES, DISTANCE_NODES))
    for _ in range(TRACKS // BATCH):
        deposits = run_tracks(steps, energy_kev, BATCH, rng)
        one, two = (_draw_places(deposits, rng) / csda_um for _ in range(2))
        places += _harmonics(np.concatenate([one, two], axis=1))
        pairs += _harmonics((one[:, :, None] - two[:, None, :]).reshape(BATCH, -1, 3))
        for row, start in enumerate(STARTS):
            kept[row] += _kept(deposits, start, energy_kev, csda_um, rng)
    return {
        "mean": _transfer(places, energy_kev),
        "power": _transfer(pairs, energy_kev),
        "kept": kept * (BATCH / TRACKS),
    }


def _draw_places(deposits: Deposits, rng: np.random.Generator) -> Array:
    """Draw places of each track by energy, one in every twelfth of it: (N, 12, 3)."""
    count = deposits.share.shape[1]
    wanted = (np.arange(_DRAWS) + rng.random((count, _DRAWS))) / _DRAWS
    step = _find(np.cumsum(deposits.share, axis=0), wanted)
    step = np.minimum(step, deposits.share.shape[0] - 1)
    return np.asarray(deposits.position_um[step, np.arange(count)[:, None]], dtype=np.float64)


def _find(rising: Array, wanted: Array) -> NDArray[np.intp]:
    """Return for every track the first step at which a rising quantity exceeds wanted values.

    Parameters
    ----------
    rising : (K, N) array
        Does not fall with the step.
    wanted : (N, A) array
        Values; K where none exceeds.
    """
    steps, count = rising.shape
    top = 2.0 * max(float(rising.max()), float(wanted.max())) + 1.0
    offset = top * np.arange(count)
    flat = (rising + offset).T.ravel()
    found = np.searchsorted(flat, wanted + offset[:, None], side="right")
    return np.asarray(np.clip(found - steps * np.arange(count)[:, None], 0, steps))


def _harmonics(vector: Array) -> Array:
    """Histogram vectors (N, M, 3) over length: mean lengths, then sums of P_l(cos chi) per bin."""
    flat = vector.reshape(-1, 3)
    length = np.sqrt((flat**2).sum(1))
    cosine = flat[:, 2] / np.maximum(length, 1e-30)
    bins = np.minimum(np.sqrt(length / (2.0 * REACH)) * _BINS, _BINS - 1).astype(np.intp)
    sums = [np.bincount(bins, weights=length, minlength=_BINS)]
    before, now = np.ones_like(cosine), cosine
    for order in range(int(_ORDERS[-1]) + 1):
        if order % 2 == 0:
            sums.append(np.bincount(bins, weights=before, minlength=_BINS))
        before, now = now, ((2 * order + 3) * cosine * now - (order + 1) * before) / (order + 2)
    return np.array(sums)


def _transfer(histogram: Array, energy_kev: float) -> Array:
    """Return the transfer at the frequency nodes for both starts, (2, X)."""
    q = greville_points(FREQUENCY_NODES)[:-1]
    scaled = FREQUENCY_SCALE * np.sqrt((1.0 - q) ** -2 - 1.0)
    count = histogram[1]
    length = histogram[0] / np.maximum(count, 1.0)
    phase = 2.0 * np.pi * scaled[:, None] * length[None, :]
    waves = np.array(
        [
            spherical_jn(int(order), phase) @ (histogram[i + 1] / count.sum())
            for i, order in enumerate(_ORDERS)
        ]
    )
    at_zero = np.polynomial.legendre.legvander(np.zeros(1), int(_ORDERS[-1]))[0, _ORDERS]
    factor = (2 * _ORDERS + 1) * np.abs(at_zero) * sauter_moments(energy_kev, _ORDERS)
    both = np.array([factor @ waves, waves[0]])
    return np.concatenate([both, np.zeros((2, 1))], axis=1)


def _kept(
    deposits: Deposits, start: str, energy_kev: float, csda_um: float, rng: np.random.Generator
) -> Array:
    """Return the mean share left before the first passage of either face, (behind, ahead)."""
    count = deposits.share.shape[1]
    cosine = start_cosines(start, energy_kev, count, rng)
    sine = np.sqrt(1.0 - cosine**2)
    azimuth = 2.0 * np.pi * rng.random(count)
    w = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    z = np.einsum("kni,in->kn", deposits.end_um, w) / csda_um
    z = np.concatenate([np.zeros((1, count)), z])
    left = np.concatenate([np.zeros((1, count)), np.cumsum(deposits.share, axis=0)])
    distance = REACH * greville_points(DISTANCE_NODES) ** 2
    behind, ahead = (_share_before(sign * z, left, distance) for sign in (-1.0, 1.0))
    table = [np.minimum(column[:, None], ahead).mean(0) for column in behind.T]
    return np.asarray(table)


def _share_before(z: Array, left: Array, distance: Array) -> Array:
    """Return the share left before z first exceeds each distance, (N, G)."""
    highest = np.maximum.accumulate(z, axis=0)
    count = z.shape[1]
    track = np.arange(count)[:, None]
    step = _find(highest, np.broadcast_to(distance, (count, distance.size)))
    never = step == z.shape[0]
    after = np.clip(step, 1, z.shape[0] - 1)
    low, high = highest[after - 1, track], highest[after, track]
    part = np.clip((distance - low) / np.maximum(high - low, 1e-30), 0.0, 1.0)
    share = left[after - 1, track] + part * (left[after, track] - left[after - 1, track])
    return np.asarray(np.where(never, 1.0, share))
