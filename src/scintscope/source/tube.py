"""Tungsten tube spectra from SpekPy.

SpekPy 2 (Poludniowski et al. 2021, Med. Phys. 48, 3630), physics mode ``casim``: L lines of
tungsten included, which are some 40 % of the photons of a 50 kV tube with a thin window.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.cache import cached_arrays
from scintscope.errors import InputError
from scintscope.materials import absorber, attenuation
from scintscope.source.bins import bin_boundaries, on_middles
from scintscope.source.parts import Filter, TubeSource
from scintscope.source.spectrum import Spectrum
from scintscope.units import MM_PER_CM, UM2_PER_CM2, UM_PER_MM

Array = NDArray[np.float64]

CONTINUUM_SAMPLING_KEV = 0.1
"""Bin in which SpekPy computes the continuum."""

LINE_SAMPLING_KEV = 0.05
"""Bin in which SpekPy places a line; a line's energy is known to half of it."""

HVL_BIN_KEV = 0.1

_LOWEST_KEV = 1.0


def tube_spectrum(
    source: TubeSource, distance_mm: float, bin_kev: float, edges_kev: Array | None = None
) -> Spectrum:
    """Return the spectrum of a tube at a distance: continuum in bins, lines as lines.

    The continuum is computed in bins of `CONTINUUM_SAMPLING_KEV` and then put on those asked for,
    so that an edge of a filter is where it belongs, however wide they are. They end at the anode's
    own edges too: its bremsstrahlung is absorbed in it.

    Parameters
    ----------
    source : TubeSource
        Voltage, power, take-off angle, filters, air path.
    distance_mm : float
        From the focal spot, finite.
    bin_kev : float
        Width of the continuum's bins.
    edges_kev : (K,) array, optional
        Absorption edges, at which bins end (`bins.bin_boundaries`).

    Raises
    ------
    InputError
        If SpekPy refuses the tube or does not know a filter material.
    """
    made = _table(source, distance_mm)
    known = _sampled_boundaries(made)
    edges = np.array(attenuation.edges_of([absorber(source.target)]))
    if edges_kev is not None:
        edges = np.union1d(edges, edges_kev)
    cuts = bin_boundaries(float(known[0]), float(known[-1]), bin_kev, edges)
    return _with_lines(cuts, on_middles(known, made["continuum"], cuts, edges), made)


def sampled_spectrum(source: TubeSource, distance_mm: float) -> Spectrum:
    """Return the spectrum as it is computed, in bins of `CONTINUUM_SAMPLING_KEV`, and the lines.

    In each of them a filter attenuates by Beer-Lambert.
    """
    made = _table(source, distance_mm)
    return _with_lines(_sampled_boundaries(made), made["continuum"], made)


def _sampled_boundaries(made: dict[str, NDArray[Any]]) -> Array:
    half = 0.5 * CONTINUUM_SAMPLING_KEV
    return np.append(made["energy_kev"] - half, made["energy_kev"][-1] + half)


def _with_lines(cuts_kev: Array, continuum: Array, made: dict[str, NDArray[Any]]) -> Spectrum:
    """Return photons in bins, and lines, as a spectrum."""
    line_energy, line_photons = made["line_energy_kev"], made["line_photons"]
    present = (line_photons > 0) & (line_energy > _LOWEST_KEV)
    energies = np.concatenate([0.5 * (cuts_kev[1:] + cuts_kev[:-1]), line_energy[present]])
    photons = np.concatenate([continuum, line_photons[present]]) / UM2_PER_CM2
    widths = np.concatenate([np.diff(cuts_kev), np.zeros(int(present.sum()))])
    order = np.argsort(energies, kind="stable")
    return Spectrum(
        energy_kev=energies[order],
        photons_per_um2_s=photons[order],
        width_kev=widths[order],
    )


def half_value_layer_mm_al(source: TubeSource, distance_mm: float) -> float:
    """Return SpekPy's first half-value layer for air kerma, mm of aluminium.

    In bins of 0.1 keV: with wider bins the place of the L lines in their bins moves it by 1-2 %.
    """
    _check_distance(distance_mm)

    def make() -> dict[str, NDArray[Any]]:
        model = _model(source, distance_mm, HVL_BIN_KEV, brem=True, char=True)
        return {"hvl_mm_al": np.array(float(model.get_hvl1()))}

    inputs = _inputs(source, distance_mm, HVL_BIN_KEV) | {"what": "half-value layer"}
    return float(cached_arrays("tube", inputs, make)["hvl_mm_al"])


@lru_cache(maxsize=64)
def _table(source: TubeSource, distance_mm: float) -> dict[str, NDArray[Any]]:
    """Return continuum and lines as SpekPy gives them, from the cache where they are kept."""
    _check_distance(distance_mm)

    def make() -> dict[str, NDArray[Any]]:
        model = _model(source, distance_mm, CONTINUUM_SAMPLING_KEV, brem=True, char=False)
        energy, continuum = model.get_spectrum(diff=False)
        lines = _model(source, distance_mm, LINE_SAMPLING_KEV, brem=False, char=True)
        line_energy, line_photons = lines.get_spectrum(diff=False)
        return {
            "energy_kev": energy,
            "continuum": continuum,
            "line_energy_kev": line_energy,
            "line_photons": line_photons,
        }

    return cached_arrays("tube", _inputs(source, distance_mm, CONTINUUM_SAMPLING_KEV), make)


def _inputs(source: TubeSource, distance_mm: float, bin_kev: float) -> dict[str, Any]:
    """Return all that SpekPy's answer depends on, its version included."""
    return {
        "source": asdict(source),
        "distance_mm": distance_mm,
        "bin_kev": bin_kev,
        "line_sampling_kev": LINE_SAMPLING_KEV,
        "spekpy": version("spekpy"),
    }


def _check_distance(distance_mm: float) -> None:
    """Refuse a parallel beam from a tube."""
    if not np.isfinite(distance_mm):
        raise InputError(
            "geometry.source_to_scintillator_mm = inf: the flux of a tube depends on its "
            'distance. Give a finite distance, or source.kind = "monochromatic" or '
            '"spectrum_file" for a parallel beam.'
        )


def _model(
    source: TubeSource, distance_mm: float, bin_kev: float, *, brem: bool, char: bool
) -> Any:
    """Return the SpekPy model of the filtered beam; one second's worth of charge."""
    import spekpy  # a second, which a kept table saves

    try:
        model = spekpy.Spek(
            kvp=source.voltage_kv,
            th=source.takeoff_deg,
            dk=bin_kev,
            physics="casim",
            brem=brem,
            char=char,
            z=distance_mm / MM_PER_CM,
            mas=source.current_ma,
        )
        for layer in _filters(source, distance_mm):
            model.filter(_SPEKPY_NAMES.get(layer.material, layer.material), layer_mm(layer))
    except Exception as error:  # SpekPy raises bare Exception for every refusal
        raise InputError(f"source: SpekPy cannot make this tube spectrum ({error}).") from error
    return model


_SPEKPY_NAMES = {
    "air": "Air",
    "water": "Water, Liquid",
    "PMMA": "Polymethyl Methacrylate (Lucite, Perspex)",
}


def layer_mm(layer: Filter) -> float:
    """Return the thickness of a filter, mm."""
    return layer.thickness_um / UM_PER_MM


def _filters(source: TubeSource, distance_mm: float) -> tuple[Filter, ...]:
    """Return window, added filters and the air path, in this order."""
    if not source.air_path:
        return source.filters
    return (*source.filters, Filter(material="air", thickness_um=distance_mm * UM_PER_MM))
