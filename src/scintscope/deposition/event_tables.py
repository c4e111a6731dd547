"""Tables from which single X-rays are followed (`deposition.events`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.accuracy import Effects
from scintscope.deposition.electron_paths import TrackLibrary
from scintscope.deposition.physics import (
    Collisions,
    InteractionData,
    LineGroup,
    collisions,
    tracked_lines,
)
from scintscope.errors import check_range
from scintscope.materials import attenuation, scattering

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_GRID = 160
_EDGE_GAP = 1e-5
_LOWEST_KEV = 1.0
_ANGLES = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class EventModel:
    """Tables for following X-rays through one plate; made by `event_model`.

    Parameters
    ----------
    thickness_um : float
        Of the plate.
    lines : tuple of LineGroup
        Lines that are followed.
    line_row : (L,) int array
        Their rows in the tables (any where lines leave the plate).
    table : Collisions
        Collisions at the rows' energies.
    chance : (rows, B + 2) array
        Cumulative chances of the branches, Compton, Rayleigh.
    cosine, coherent, incoherent : arrays
        Cosines (A,) and the cumulative scattering distributions over them, (rows, A); empty where
        scattered photons leave the plate.
    fluorescence : str
        ``"local"``, ``"escape"`` or ``"transport"``.
    scattered : bool
        Whether scattered photons are followed.
    library : TrackLibrary or None
        Electron tracks.
    """

    thickness_um: float
    lines: tuple[LineGroup, ...]
    line_row: Index
    table: Collisions
    chance: Array
    cosine: Array
    coherent: Array
    incoherent: Array
    fluorescence: str
    scattered: bool
    library: TrackLibrary | None


def event_model(
    data: InteractionData,
    thickness_um: float,
    energy_kev: Array,
    effects: Effects,
    library: TrackLibrary | None = None,
) -> EventModel:
    """Return the tables for following X-rays of given energies through a plate.

    Parameters
    ----------
    data : InteractionData
        Cross-sections.
    thickness_um : float
        Of the plate.
    energy_kev : (E,) array
        Energies that X-rays may have.
    effects : Effects
        ``fluorescence`` and ``scattered_photons``.
    library : TrackLibrary, optional
        Electron tracks; without, electrons stay where they are set free.
    """
    check_range("thickness_um", thickness_um, low=0.0, low_open=True)
    scattered = bool(getattr(effects, "scattered_photons", False))
    lines = tracked_lines(data, effects.fluorescence)
    line_kev = np.array([line.energy_kev for line in lines])
    top = float(np.max(energy_kev))
    grid = np.geomspace(_LOWEST_KEV, top, _GRID) if scattered else np.zeros(0)
    edges = attenuation.absorption_edges_kev(data, _LOWEST_KEV, top) if scattered else np.zeros(0)
    around = [edges * (1.0 - _EDGE_GAP), edges * (1.0 + _EDGE_GAP)]
    followed = line_kev if effects.fluorescence == "transport" else np.zeros(0)
    rows = np.unique(np.concatenate([energy_kev, followed, grid, *around]))
    table = collisions(data, rows, lines)
    rates = [np.maximum(b.rate_per_um, 0.0) for b in table.branches]
    rates += [table.compton_per_um, table.rayleigh_per_um]
    chance = np.cumsum(np.stack(rates, axis=1), axis=1)
    cosine = 1.0 - 2.0 * np.linspace(0.0, 1.0, _ANGLES) ** 3 if scattered else np.zeros(0)
    return EventModel(
        thickness_um=thickness_um,
        lines=lines,
        line_row=np.minimum(np.searchsorted(rows, line_kev), rows.size - 1).astype(np.intp),
        table=table,
        chance=chance / chance[:, -1:],
        cosine=cosine,
        coherent=_cumulative(scattering.rayleigh_angles, data, rows, cosine),
        incoherent=_cumulative(scattering.compton_angles, data, rows, cosine),
        fluorescence=effects.fluorescence,
        scattered=scattered,
        library=library,
    )


def _cumulative(density: Any, data: InteractionData, rows: Array, cosine: Array) -> Array:
    """Return cumulative distributions over falling cosines, (rows, A)."""
    if not cosine.size:
        return np.zeros((rows.size, 0))
    values = density(data, rows, cosine)
    steps = 0.5 * (values[:, 1:] + values[:, :-1]) * -np.diff(cosine)
    total = np.concatenate([np.zeros((rows.size, 1)), np.cumsum(steps, axis=1)], axis=1)
    return np.asarray(total / total[:, -1:])
