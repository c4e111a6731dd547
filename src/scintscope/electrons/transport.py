"""Tracks: condensed histories of electrons in an infinite medium.

A track is a chain of steps, each `medium.STEP_TRANSPORT` transport mean free paths long. Over a
step the electron goes straight, turns once at a point drawn uniformly on the step by an angle of
the multiple-scattering distribution, and goes straight on: the random hinge, which keeps the mean
and spread of the displacement (Fernandez-Varea et al. 1993, Nucl. Instrum. Methods B 73, 447). It
slows down continuously by small losses; a large loss (at most one a step) ends the step. What a
collision takes is left at its place: secondary electrons have no range of their own (a tenth of
the energy starts secondaries of more than a quarter of the primary's energy, whose ranges are
below a tenth of the primary's).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from scintscope.electrons.medium import CUTOFF_KEV, HIGHEST_KEV, QUANTILES, STEP_TRANSPORT, Medium

Array = NDArray[np.float64]

_LOOKUP = 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """What one step does, on `_LOOKUP` energies from the cut-off to 300 keV, evenly in log E.

    Parameters
    ----------
    length_um : (J,) array
        Step length at unit density.
    soft_kev : (J,) array
        Energy lost continuously over it.
    hard_chance : (J,) array
        Chance of a large loss at its end.
    row : (J,) array
        Place in the energies of `Medium.quantile` and `Medium.hard_share`, between 0 and T - 1.
    medium : Medium
        The tables themselves.
    """

    length_um: Array
    soft_kev: Array
    hard_chance: Array
    row: Array
    medium: Medium


@dataclass(frozen=True, kw_only=True, slots=True)
class Deposits:
    """Where tracks that start at the origin along +z leave their energy.

    Parameters
    ----------
    end_um : (K, N, 3) float32 array
        Ends of the steps, unit density.
    position_um : (K, N, 3) float32 array
        Where each step's energy is left.
    share : (K, N) array
        Its share of the initial energy; the sum over K is 1.
    """

    end_um: NDArray[np.float32]
    position_um: NDArray[np.float32]
    share: Array


def make_steps(medium: Medium) -> Steps:
    """Lay out the steps of a medium."""
    log_energy = np.linspace(np.log(CUTOFF_KEV), np.log(HIGHEST_KEV), _LOOKUP)
    log_scatter = np.log(medium.scatter_energy_kev)

    def smooth(values: Array, at: Array) -> Array:
        return np.asarray(np.exp(CubicSpline(at, np.log(values))(log_energy)))

    length = STEP_TRANSPORT / smooth(medium.transport_per_um, log_scatter)
    loss = length * smooth(medium.stopping_kev_per_um, np.log(medium.energy_kev))
    soft = np.interp(log_energy, log_scatter, medium.soft_share)
    hard_kev = np.exp(log_energy) * np.interp(log_energy, log_scatter, medium.hard_share.mean(1))
    return Steps(
        length_um=length,
        soft_kev=loss * soft,
        hard_chance=loss * (1.0 - soft) / hard_kev,
        row=np.interp(log_energy, log_scatter, np.arange(log_scatter.size)),
        medium=medium,
    )


def run_tracks(steps: Steps, energy_kev: float, count: int, rng: np.random.Generator) -> Deposits:
    """Follow electrons until less than the cut-off is left, which they leave where they are.

    Parameters
    ----------
    steps : Steps
        From `make_steps`.
    energy_kev : float
        Initial kinetic energy, above the cut-off.
    count : int
        Tracks N.
    rng : Generator
        Random numbers.
    """
    direction = np.zeros((3, count))
    direction[2] = 1.0
    here = np.zeros((3, count))
    energy = np.full(count, float(energy_kev))
    ends, places, losses = [], [], []
    while (energy > 0.0).any():
        start = here.copy()
        length, soft, hard, row = _look_up(steps, energy, rng)
        before = rng.random(count)
        here += direction * (length * before)
        turned = _deflection(steps.medium.quantile, row, rng.random(count))
        direction = turn(direction, turned, 2.0 * np.pi * rng.random(count))
        here += direction * (length * (1.0 - before))
        soft = np.minimum(soft, energy)
        rest = np.maximum(energy - soft - hard, 0.0)
        rest = np.where(rest < CUTOFF_KEV, 0.0, rest)
        loss = energy - rest
        along = 1.0 - 0.5 * soft / np.maximum(loss, 1e-30)
        ends.append(here.T.astype(np.float32))
        places.append((start + along * (here - start)).T.astype(np.float32))
        losses.append(loss / energy_kev)
        energy = rest
    return Deposits(end_um=np.array(ends), position_um=np.array(places), share=np.array(losses))


def _look_up(
    steps: Steps, energy: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array, NDArray[np.intp]]:
    """Return length, soft loss and hard loss of each track's next step and its table row.

    The row is drawn between the two neighbouring energies of the tables.
    """
    count = energy.size
    span = np.log(HIGHEST_KEV / CUTOFF_KEV)
    place = np.log(np.maximum(energy, CUTOFF_KEV) / CUTOFF_KEV) * ((_LOOKUP - 1) / span)
    j = (place + 0.5).astype(np.intp)
    alive = energy > 0.0
    row = (steps.row[j] + rng.random(count)).astype(np.intp)
    row = np.minimum(row, steps.medium.scatter_energy_kev.size - 1)
    chance, which = rng.random(count), rng.random(count)
    column = (which * QUANTILES).astype(np.intp)
    share = steps.medium.hard_share[row, column]
    hard = np.where(alive & (chance < steps.hard_chance[j]), share * energy, 0.0)
    return (
        np.where(alive, steps.length_um[j], 0.0),
        np.where(alive, steps.soft_kev[j], 0.0),
        hard,
        row,
    )


def _deflection(quantile: Array, row: NDArray[np.intp], uniform: Array) -> Array:
    """Return sin^2(theta / 2) for uniform random numbers: (1 - v)^3 is uniform."""
    place = (1.0 - np.cbrt(uniform)) * (QUANTILES - 1)
    low = np.minimum(place.astype(np.intp), QUANTILES - 2)
    below = quantile[row, low]
    return np.asarray(below + (place - low) * (quantile[row, low + 1] - below))


def turn(u: Array, t: Array, azimuth: Array) -> Array:
    """Turn unit vectors by theta, sin^2(theta / 2) = t, about a random azimuth.

    Parameters
    ----------
    u : (3, N) array
        Unit vectors.
    t, azimuth : (N,) arrays
        sin^2(theta / 2), azimuth in rad.

    Returns
    -------
    (3, N) array
    """
    cosine = 1.0 - 2.0 * t
    sine = 2.0 * np.sqrt(t * (1.0 - t))
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    # branch-free basis around u (Duff et al. 2017, J. Comput. Graph. Tech. 6, 1)
    sign = np.copysign(1.0, u[2])
    c = -1.0 / (sign + u[2])
    d = u[0] * u[1] * c
    turned = np.empty_like(u)
    turned[0] = cosine * u[0] + a * (1.0 + sign * u[0] ** 2 * c) + b * d
    turned[1] = cosine * u[1] + a * sign * d + b * (sign + u[1] ** 2 * c)
    turned[2] = cosine * u[2] - a * sign * u[0] - b * u[1]
    turned /= np.sqrt((turned**2).sum(0))
    return turned
