"""Single X-rays followed one by one through a plate: an analog Monte Carlo.

Each photon is followed collision by collision from its own random numbers: where it collides, in
which branch, what photons and electrons it sets free, until all has been absorbed or has left. It
shares the tables of single collisions with the quadrature (`deposition.physics`) and nothing else,
so it checks it; its events feed the sampler that draws every quantum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.electron_paths import (
    POINTS,
    Electrons,
    Fates,
    TrackLibrary,
    draw_fates,
    isotropic,
    places_on_tracks,
    sauter_cosine,
    turned,
)
from scintscope.deposition.event_tables import EventModel, event_model
from scintscope.units import ELECTRON_REST_KEV

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_MOST_COLLISIONS = 60

__all__ = ["Deposits", "ElectronSpread", "EventModel", "Tally", "event_model", "follow"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deposits:
    """Where X-rays leave their energy, relative to where each enters the plate.

    Parameters
    ----------
    event : (N,) int array
        Number of the X-ray, 0-based.
    x_um, y_um, z_um : (N,) array
        Place: across the beam, and depth from the entrance face.
    energy_kev : (N,) array
        Energy left there, or carried from there by an electron that ``electrons`` follow.
    spread : ElectronSpread or None
        How electrons carry the energy from there; None: they do not.
    """

    event: Index
    x_um: Array
    y_um: Array
    z_um: Array
    energy_kev: Array
    spread: ElectronSpread | None = None

    def places(self, source: Index, rng: np.random.Generator) -> tuple[Array, NDArray[np.bool_]]:
        """Return random places of the energy of some deposits, (3, Q), and which are in the plate.

        Parameters
        ----------
        source : (Q,) int array
            Deposit of each place wanted.
        rng : numpy.random.Generator
            Stream.
        """
        start = np.stack([self.x_um[source], self.y_um[source], self.z_um[source]])
        if self.spread is None:
            return start, np.ones(source.size, dtype=bool)
        point = rng.integers(0, POINTS, source.size)
        spread = self.spread
        return places_on_tracks(spread.library, spread.electrons, spread.fates, source, point)

    def renumbered(self) -> Deposits:
        """Return the deposits with a number each instead of their X-ray's."""
        return replace(self, event=np.arange(self.event.size))


@dataclass(frozen=True, kw_only=True, slots=True)
class ElectronSpread:
    """Electrons of a list of deposits, and the tracks they follow."""

    library: TrackLibrary
    electrons: Electrons
    fates: Fates

    def kept_share(self) -> Array:
        """Return the share of each electron's energy that stays in the plate, (N,)."""
        return np.asarray(self.fates.last / POINTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What became of the energy of the X-rays, keV each.

    Parameters
    ----------
    incident_kev, deposited_kev, transmitted_kev, fluorescence_escaped_kev, scattered_escaped_kev, \
electrons_escaped_kev, untracked_kev : float
        Their sum, the first excepted, is the first.
    """

    incident_kev: float
    deposited_kev: float
    transmitted_kev: float
    fluorescence_escaped_kev: float
    scattered_escaped_kev: float
    electrons_escaped_kev: float
    untracked_kev: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Photons:
    """Photons on their way: event, table row, energy, place and direction (3, N), kind.

    Kind 0: primary, not yet collided; 1: fluorescence; 2: scattered.
    """

    event: Index
    row: Index
    energy: Array
    place: Array
    direction: Array
    kind: Index

    def part(self, chosen: Any) -> _Photons:
        """Return some of the photons."""
        return _Photons(
            event=self.event[chosen],
            row=self.row[chosen],
            energy=self.energy[chosen],
            place=self.place[:, chosen],
            direction=self.direction[:, chosen],
            kind=self.kind[chosen],
        )


def _joined(parts: list[_Photons]) -> _Photons:
    return _Photons(
        event=np.concatenate([p.event for p in parts]),
        row=np.concatenate([p.row for p in parts]),
        energy=np.concatenate([p.energy for p in parts]),
        place=np.concatenate([p.place for p in parts], axis=1),
        direction=np.concatenate([p.direction for p in parts], axis=1),
        kind=np.concatenate([p.kind for p in parts]),
    )


def follow(
    model: EventModel, energy_kev: Array, rng: np.random.Generator, path: float = 1.0
) -> tuple[Deposits, Tally]:
    """Follow X-rays through a plate.

    Parameters
    ----------
    model : EventModel
        From `event_model`; its energies hold those given.
    energy_kev : (N,) array
        One per X-ray.
    rng : numpy.random.Generator
        Stream.
    path : float
        1 / cos of the angle of incidence; the beam leans towards +x.

    Returns
    -------
    Deposits, Tally
    """
    count = energy_kev.size
    lean = np.sqrt(1.0 - path**-2)
    photons = _Photons(
        event=np.arange(count),
        row=np.searchsorted(model.table.energy_kev, energy_kev).astype(np.intp),
        energy=np.asarray(energy_kev, dtype=np.float64),
        place=np.zeros((3, count)),
        direction=np.tile(np.array([[lean], [0.0], [1.0 / path]]), (1, count)),
        kind=np.zeros(count, dtype=np.intp),
    )
    gone = np.zeros(4)  # transmitted, fluorescence, scattered, untracked
    freed: list[Electrons] = []
    for _ in range(_MOST_COLLISIONS):
        photons = _fly(model, photons, gone, rng)
        if not photons.event.size:
            break
        photons = _collide(model, photons, freed, gone, rng)
    gone[3] += photons.energy.sum()
    deposits = _deposits(model, freed, rng)
    kept = 1.0 if deposits.spread is None else deposits.spread.kept_share()
    deposited = float((deposits.energy_kev * kept).sum())
    return deposits, Tally(
        incident_kev=float(np.sum(energy_kev)),
        deposited_kev=deposited,
        transmitted_kev=float(gone[0]),
        fluorescence_escaped_kev=float(gone[1]),
        scattered_escaped_kev=float(gone[2]),
        electrons_escaped_kev=float(deposits.energy_kev.sum()) - deposited,
        untracked_kev=float(gone[3]),
    )


def _fly(model: EventModel, photons: _Photons, gone: Array, rng: np.random.Generator) -> _Photons:
    """Move photons to their next collision; those that leave the plate are tallied."""
    mu = model.table.attenuation_per_um[photons.row]
    place = photons.place + photons.direction * (rng.exponential(size=mu.size) / mu)
    inside = (place[2] >= 0.0) & (place[2] <= model.thickness_um)
    if model.fluorescence != "transport":
        inside &= photons.kind != 1
    if not model.scattered:
        inside &= photons.kind != 2
    gone[:3] += np.bincount(photons.kind[~inside], photons.energy[~inside], minlength=3)
    moved = _Photons(
        event=photons.event,
        row=photons.row,
        energy=photons.energy,
        place=place,
        direction=photons.direction,
        kind=photons.kind,
    )
    return moved.part(inside)


def _collide(
    model: EventModel,
    photons: _Photons,
    freed: list[Electrons],
    gone: Array,
    rng: np.random.Generator,
) -> _Photons:
    """Let photons collide where they are; return the photons that come out of it."""
    chance = model.chance[photons.row]
    branch = (rng.random(photons.event.size)[:, None] > chance).sum(axis=1)
    count = len(model.table.branches)
    found = [photons.part(np.zeros(0, dtype=np.intp))]
    for index in np.unique(branch[branch < count]):
        found += _absorb(model, photons.part(branch == index), int(index), freed, rng)
    recoiling, rayleigh = photons.part(branch == count), photons.part(branch == count + 1)
    if recoiling.event.size:
        found.append(_compton(model, recoiling, freed, rng))
    if rayleigh.event.size:
        found.append(_rayleigh(model, rayleigh, rng))
    return _joined(found)


def _absorb(
    model: EventModel,
    photons: _Photons,
    index: int,
    freed: list[Electrons],
    rng: np.random.Generator,
) -> list[_Photons]:
    """Absorb photons in one branch: photoelectron, Auger electrons, lines."""
    branch = model.table.branches[index]
    row, count = photons.row, photons.event.size
    auger = [(energy[row], each) for energy, each in branch.auger]
    shift = photons.energy - model.table.energy_kev[row]
    photoelectron = model.table.shells[branch.shell].photoelectron_kev[row] + shift
    photoelectron += sum(np.minimum(energy, 0.0) for energy, _ in auger)
    ahead = turned(
        photons.direction, sauter_cosine(photoelectron, rng), 2.0 * np.pi * rng.random(count)
    )
    freed.append(_electrons(photons, photoelectron, ahead))
    for energy, each in auger:
        number = max(1, int(np.rint(max(float(energy.mean()), 0.0) / each)))
        for _ in range(number):
            part = np.maximum(energy, 0.0) / number
            freed.append(_electrons(photons, part, isotropic(count, rng)))
    return [
        _Photons(
            event=photons.event,
            row=np.full(count, model.line_row[line]),
            energy=np.full(count, model.lines[line].energy_kev),
            place=photons.place,
            direction=isotropic(count, rng),
            kind=np.ones(count, dtype=np.intp),
        )
        for line in branch.lines
    ]


def _electrons(photons: _Photons, energy_kev: Array, direction: Array) -> Electrons:
    return Electrons(
        event=photons.event, place_um=photons.place, direction=direction, energy_kev=energy_kev
    )


def _drawn_cosine(
    model: EventModel, cumulative: Array, row: Index, rng: np.random.Generator
) -> Array:
    """Draw scattering cosines from tabulated distributions, linear between the tabulated."""
    level = rng.random(row.size)
    low, high = np.zeros(row.size, dtype=np.intp), np.full(row.size, model.cosine.size - 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        below = cumulative[row, middle] <= level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    at, beyond = cumulative[row, low], cumulative[row, low + 1]
    part = (level - at) / np.maximum(beyond - at, 1e-300)
    return np.asarray(model.cosine[low] + part * (model.cosine[low + 1] - model.cosine[low]))


def _compton(
    model: EventModel, photons: _Photons, freed: list[Electrons], rng: np.random.Generator
) -> _Photons:
    """Scatter photons incoherently; photons that are not followed leave the mean recoil."""
    count = photons.event.size
    azimuth = 2.0 * np.pi * rng.random(count)
    if not model.scattered:
        recoil = model.table.recoil_kev[photons.row]
        freed.append(_electrons(photons, recoil, photons.direction))
        return _Photons(
            event=photons.event,
            row=photons.row,
            energy=photons.energy - recoil,
            place=photons.place,
            direction=photons.direction,
            kind=np.full(count, 2),
        )
    cosine = _drawn_cosine(model, model.incoherent, photons.row, rng)
    energy = photons.energy / (1.0 + photons.energy / ELECTRON_REST_KEV * (1.0 - cosine))
    direction = turned(photons.direction, cosine, azimuth)
    recoil = photons.energy - energy
    push = photons.energy * photons.direction - energy * direction
    size = np.sqrt((push**2).sum(axis=0))
    freed.append(_electrons(photons, recoil, push / np.maximum(size, 1e-12)))
    return _Photons(
        event=photons.event,
        row=_row_of(model, energy),
        energy=energy,
        place=photons.place,
        direction=direction,
        kind=np.full(count, 2),
    )


def _row_of(model: EventModel, energy_kev: Array) -> Index:
    """Return the row nearest in energy; edges have rows on both their sides."""
    rows = model.table.energy_kev
    above = np.clip(np.searchsorted(rows, energy_kev), 1, rows.size - 1)
    nearer_below = energy_kev - rows[above - 1] < rows[above] - energy_kev
    return np.asarray(above - nearer_below, dtype=np.intp)


def _rayleigh(model: EventModel, photons: _Photons, rng: np.random.Generator) -> _Photons:
    """Scatter photons coherently; a line's photon stays a line's photon."""
    count = photons.event.size
    direction = photons.direction
    if model.scattered:
        cosine = _drawn_cosine(model, model.coherent, photons.row, rng)
        direction = turned(direction, cosine, 2.0 * np.pi * rng.random(count))
    return _Photons(
        event=photons.event,
        row=photons.row,
        energy=photons.energy,
        place=photons.place,
        direction=direction,
        kind=np.where((photons.kind == 1) & model.scattered, 1, 2),
    )


def _deposits(model: EventModel, freed: list[Electrons], rng: np.random.Generator) -> Deposits:
    """Return the electrons' energies as deposits, with their tracks where these are followed."""
    if not freed:
        freed = [_no_electrons()]
    energy = np.concatenate([e.energy_kev for e in freed])
    chosen = np.flatnonzero(energy > 0.0)
    electrons = Electrons(
        event=np.concatenate([e.event for e in freed])[chosen],
        place_um=np.concatenate([e.place_um for e in freed], axis=1)[:, chosen],
        direction=np.concatenate([e.direction for e in freed], axis=1)[:, chosen],
        energy_kev=energy[chosen],
    )
    spread = None
    if model.library is not None:
        fates = draw_fates(model.library, electrons, model.thickness_um, rng)
        spread = ElectronSpread(library=model.library, electrons=electrons, fates=fates)
    x, y, z = electrons.place_um
    return Deposits(
        event=electrons.event,
        x_um=x,
        y_um=y,
        z_um=z,
        energy_kev=electrons.energy_kev,
        spread=spread,
    )


def _no_electrons() -> Electrons:
    none = np.zeros(0)
    return Electrons(
        event=np.zeros(0, dtype=np.intp),
        place_um=np.zeros((3, 0)),
        direction=np.zeros((3, 0)),
        energy_kev=none,
    )
