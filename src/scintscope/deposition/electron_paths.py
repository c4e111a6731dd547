"""Points along electron tracks, drawn from a library of tracks.

An electron follows one track of the library, of the energy nearest to its own, stretched to its
range (which goes as E^1.7, Kanaya and Okayama 1972, J. Phys. D 5, 43) and turned to its direction
about a random azimuth. A track is kept as places at equal steps of the energy left behind. What
comes after its first place outside the plate is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.electrons import electron_kernel
from scintscope.electrons.transport import make_steps, run_tracks
from scintscope.materials.attenuation import Composed
from scintscope.units import ELECTRON_REST_KEV

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Float32 = NDArray[np.float32]

TrackSource = Callable[[float, int, np.random.Generator], tuple[Float32, Array]]
"""From energy, keV, and a number of tracks along +z from the origin to the places (K, N, 3), um,
where they leave energy, in order, and its shares (K, N)."""

POINTS = 128
_TRACKS = 512
_STEP = 1.12
_LOWEST_KEV = 0.3
_RANGE_POWER = 1.7
_NEAR_AT_ONCE = 1 << 14


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackLibrary:
    """Tracks of one material.

    Parameters
    ----------
    energy_kev : (L,) array
        Ascending, evenly spaced in log E.
    place_um : (L, N, P, 3) float32 array
        Places of equal energy along each track, starting along +z.
    reach_um : (L,) array
        Largest distance from the start.
    """

    energy_kev: Array
    place_um: Float32
    reach_um: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Electrons:
    """Electrons set free in a plate.

    Parameters
    ----------
    event : (N,) int array
        X-ray that freed them.
    place_um, direction : (3, N) array
        x, y, z; unit vectors.
    energy_kev : (N,) array
        Kinetic energy.
    """

    event: Index
    place_um: Array
    direction: Array
    energy_kev: Array


def track_library(
    source: TrackSource, highest_kev: float, rng: np.random.Generator, tracks: int = _TRACKS
) -> TrackLibrary:
    """Run the tracks of a library.

    Parameters
    ----------
    source : callable
        Runs tracks of one energy.
    highest_kev : float
        Largest energy an electron may have.
    rng : numpy.random.Generator
        Stream.
    tracks : int
        Tracks per energy.
    """
    top = max(highest_kev, _STEP * _LOWEST_KEV)
    levels = 1 + int(np.ceil(np.log(top / _LOWEST_KEV) / np.log(_STEP)))
    energy = np.geomspace(_LOWEST_KEV, top, levels)
    places = np.empty((levels, tracks, POINTS, 3), dtype=np.float32)
    wanted = (np.arange(POINTS) + 0.5) / POINTS
    for level, value in enumerate(energy):
        position, share = source(float(value), tracks, rng)
        total = np.cumsum(share, axis=0)
        for n in range(tracks):
            step = np.searchsorted(total[:, n], wanted * total[-1, n])
            places[level, n] = position[np.minimum(step, position.shape[0] - 1), n]
    reach = np.sqrt((places.astype(np.float64) ** 2).sum(axis=-1)).max(axis=(1, 2))
    return TrackLibrary(energy_kev=energy, place_um=places, reach_um=reach)


def material_tracks(material: Composed) -> TrackSource:
    """Return the source of a material's tracks, by condensed histories (`scintscope.electrons`)."""
    kernel = electron_kernel(material)
    steps, density = make_steps(kernel.medium), np.float32(kernel.density_g_cm3)

    def run(energy_kev: float, count: int, rng: np.random.Generator) -> tuple[Float32, Array]:
        found = run_tracks(steps, energy_kev, count, rng)
        return np.asarray(found.position_um / density), found.share

    return run


def frame_about(direction: Array) -> tuple[Array, Array]:
    """Return two unit vectors square to each of (3, N) unit vectors (Duff et al. 2017)."""
    x, y, z = direction
    sign = np.copysign(1.0, z)
    a = -1.0 / (sign + z)
    b = x * y * a
    return (
        np.stack([1.0 + sign * x**2 * a, sign * b, -sign * x]),
        np.stack([b, sign + y**2 * a, -y]),
    )


def turned(direction: Array, cosine: Array, azimuth: Array) -> Array:
    """Return directions at an angle to given ones, (3, N)."""
    first, second = frame_about(direction)
    sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
    return np.asarray(
        cosine * direction + sine * (np.cos(azimuth) * first + np.sin(azimuth) * second)
    )


def isotropic(count: int, rng: np.random.Generator) -> Array:
    """Draw directions without preference, (3, N)."""
    z, azimuth = 2.0 * rng.random(count) - 1.0, 2.0 * np.pi * rng.random(count)
    sine = np.sqrt(1.0 - z**2)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), z])


def sauter_cosine(energy_kev: Array, rng: np.random.Generator) -> Array:
    """Draw the angle of photoelectrons to the photon, cosines, (N,).

    Sauter 1931 for the K shell, by rejection (Salvat, PENELOPE-2018, section 2.1.1), for all
    shells.
    """
    gamma = 1.0 + np.maximum(energy_kev, 1e-3) / ELECTRON_REST_KEV
    beta = np.sqrt(1.0 - gamma**-2)
    a = 1.0 / beta - 1.0
    slope = 0.5 * beta * gamma * (gamma - 1.0) * (gamma - 2.0)
    result = np.empty(energy_kev.size)
    todo = np.arange(energy_kev.size)
    while todo.size:
        at, u = a[todo], rng.random(todo.size)
        nu = 2.0 * at / ((at + 2.0) ** 2 - 4.0 * u) * (2.0 * u + (at + 2.0) * np.sqrt(u))
        weight = (2.0 - nu) * (1.0 / (at + nu) + slope[todo])
        top = 2.0 * (1.0 / at + slope[todo])
        taken = rng.random(todo.size) * top < weight
        result[todo[taken]] = 1.0 - nu[taken]
        todo = todo[~taken]
    return result


@dataclass(frozen=True, kw_only=True, slots=True)
class Fates:
    """The track each electron follows.

    Parameters
    ----------
    level, track : (N,) int array
        Where in the library.
    stretch, azimuth : (N,) array
        Scale of lengths; turn about the direction, rad.
    last : (N,) int array
        Places from this one on are lost outside the plate.
    """

    level: Index
    track: Index
    stretch: Array
    azimuth: Array
    last: Index


def draw_fates(
    library: TrackLibrary, electrons: Electrons, thickness_um: float, rng: np.random.Generator
) -> Fates:
    """Draw the track of each electron and find where it leaves the plate.

    Parameters
    ----------
    library : TrackLibrary
        Tracks.
    electrons : Electrons
        The electrons.
    thickness_um : float
        Of the plate.
    rng : numpy.random.Generator
        Stream.
    """
    energy, count = electrons.energy_kev, electrons.energy_kev.size
    spacing = np.log(library.energy_kev[1] / library.energy_kev[0])
    level = np.rint(np.log(np.maximum(energy, 1e-6) / library.energy_kev[0]) / spacing)
    level = np.clip(level, 0, library.energy_kev.size - 1).astype(np.intp)
    stretch = (np.maximum(energy, 1e-6) / library.energy_kev[level]) ** _RANGE_POWER
    fates = Fates(
        level=level,
        track=rng.integers(0, library.place_um.shape[1], count),
        stretch=stretch,
        azimuth=2.0 * np.pi * rng.random(count),
        last=np.full(count, POINTS, dtype=np.intp),
    )
    z, reach = electrons.place_um[2], library.reach_um[level] * stretch
    near = np.flatnonzero((z < reach) | (thickness_um - z < reach))
    for start in range(0, near.size, _NEAR_AT_ONCE):
        some = near[start : start + _NEAR_AT_ONCE]
        depth = _track_depths(library, electrons, fates, some)
        out = (depth < 0.0) | (depth > thickness_um)
        fates.last[some] = np.where(out.any(axis=1), out.argmax(axis=1), POINTS)
    return fates


def _track_depths(library: TrackLibrary, electrons: Electrons, fates: Fates, some: Index) -> Array:
    """Return the depth of every place of some tracks, (n, P)."""
    direction = electrons.direction[:, some]
    first, second = frame_about(direction)
    cosine, sine = np.cos(fates.azimuth[some]), np.sin(fates.azimuth[some])
    row = np.stack([cosine * first[2] + sine * second[2], cosine * second[2] - sine * first[2]])
    row = np.concatenate([row, direction[2:3]]) * fates.stretch[some]
    local = library.place_um[fates.level[some], fates.track[some]]
    return np.asarray(electrons.place_um[2, some, None] + np.einsum("npc,cn->np", local, row))


def places_on_tracks(
    library: TrackLibrary, electrons: Electrons, fates: Fates, source: Index, point: Index
) -> tuple[Array, NDArray[np.bool_]]:
    """Return places along electrons' tracks.

    Parameters
    ----------
    library, electrons, fates
        What is followed.
    source, point : (Q,) int array
        Electron, and place 0 to `POINTS` - 1 on its track.

    Returns
    -------
    place_um : (3, Q) array
    kept : (Q,) bool array
        False where the electron has left the plate before.
    """
    local = library.place_um[fates.level[source], fates.track[source], point].T
    x, y, z = local.astype(np.float64) * fates.stretch[source]
    cosine, sine = np.cos(fates.azimuth[source]), np.sin(fates.azimuth[source])
    direction = electrons.direction[:, source]
    first, second = frame_about(direction)
    turned_x, turned_y = cosine * x - sine * y, sine * x + cosine * y
    place = electrons.place_um[:, source] + turned_x * first + turned_y * second + z * direction
    return place, point < fates.last[source]
