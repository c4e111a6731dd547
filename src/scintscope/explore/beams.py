"""Spectra for every voltage and filter of the page, without running the tube model each time.

The tube model is run once a voltage without the added filter and once behind a thin sheet of each
filter material; their ratio is the sheet's transmission at each energy, so that any thickness
follows by Beer-Lambert as the tube model itself would have it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from scintscope.design.beam_numbers import on_grid
from scintscope.materials import attenuation
from scintscope.source import Spectrum, beam_spectrum
from scintscope.source.parts import Filter, Source, TubeSource
from scintscope.source.spectrum import drop_empty, split_at_edges

Array = NDArray[np.float64]

_SHEET_UM = {"Al": 50.0, "Cu": 5.0}
_STEP = 1.04
_LOWEST_KEV = 1.5
_TOPS_KEV = (40.0, 60.0, 80.0, 110.0, 150.0, 200.0)
_EDGE_GAP = 1e-3
_ONE_AT_A_TIME = Lock()
"""For the tube model, whose library keeps state of its own."""
_NO_BINS = 1.0
"""Width of a tube's bins, asked for where there is no tube."""


def energy_grid(source: Source, distance_mm: float, material: object, top_kev: float) -> Array:
    """Return the energies at which a material's tables are made, keV, (E,).

    A tube's spectrum is put on energies 4 % apart, with a pair on both sides of each absorption
    edge; they end at one of few voltages, so that scenarios share tables. A single energy stays
    itself, a measured spectrum keeps its bins.
    """
    if not isinstance(source, TubeSource):
        edges = attenuation.absorption_edges_kev(material, 1.0, 300.0)  # type: ignore[arg-type]
        return beam_spectrum(source, distance_mm, _NO_BINS, edges).energy_kev
    top_kev = next((kev for kev in _TOPS_KEV if kev >= top_kev), top_kev)
    edges = attenuation.absorption_edges_kev(material, _LOWEST_KEV, top_kev)  # type: ignore[arg-type]
    count = int(np.ceil(np.log(top_kev / _LOWEST_KEV) / np.log(_STEP))) + 1
    mesh = np.geomspace(_LOWEST_KEV, top_kev, count)
    pairs = [edge * (1.0 + s * _EDGE_GAP) for edge in edges for s in (-1.0, 1.0)]
    near = [np.abs(mesh / edge - 1.0) < 0.5 * (_STEP - 1.0) for edge in edges]
    kept = mesh[~np.any(near, axis=0)] if near else mesh
    return np.asarray(np.unique(np.concatenate([kept, pairs])))


@lru_cache(maxsize=256)
def _tube(source: TubeSource, distance_mm: float) -> Spectrum:
    from scintscope.source.tube import sampled_spectrum

    with _ONE_AT_A_TIME:
        return drop_empty(sampled_spectrum(source, distance_mm))[0]


def prepare(source: TubeSource, distance_mm: float, filtered: bool) -> None:
    """Run the tube model for one voltage of the page, or for all its added filters as well."""
    _tube(source, distance_mm)
    for material in _SHEET_UM if filtered else ():
        spectrum(source, distance_mm, material, 1.0)


def spectrum(
    source: Source, distance_mm: float, material: str = "", filter_um: float = 0.0
) -> Spectrum:
    """Return the open beam at a plate's entrance face behind an added filter.

    Parameters
    ----------
    source : Source
        Without the added filter.
    distance_mm : float
        From source to scintillator.
    material : {"Al", "Cu"}
        Of the added filter.
    filter_um : float
        Its thickness.
    """
    if not isinstance(source, TubeSource):
        return beam_spectrum(source, distance_mm, _NO_BINS)
    bare = _tube(source, distance_mm)
    if filter_um == 0.0:
        return bare
    sheet = Filter(material=material, thickness_um=_SHEET_UM[material])
    behind = _tube(replace(source, filters=(*source.filters, sheet)), distance_mm)
    place = np.searchsorted(behind.energy_kev, bare.energy_kev - 1e-9)
    place = np.minimum(place, behind.energy_kev.size - 1)
    known = np.abs(behind.energy_kev[place] - bare.energy_kev) < 1e-6
    ratio = np.where(known, behind.photons_per_um2_s[place] / bare.photons_per_um2_s, 0.0)
    through = ratio ** (filter_um / sheet.thickness_um)
    return drop_empty(replace(bare, photons_per_um2_s=bare.photons_per_um2_s * through))[0]


def photons_on(grid_kev: Array, found: Spectrum, material: object) -> Array:
    """Return a spectrum's photons on a material's energies, its bins cut at the edges, (E,)."""
    edges = attenuation.absorption_edges_kev(material, 1.0, 300.0)  # type: ignore[arg-type]
    return on_grid(grid_kev, split_at_edges(found, edges))
