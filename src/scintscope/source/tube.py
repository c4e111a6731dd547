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
from scintscope.source.parts import Filter, TubeSource
from scintscope.source.spectrum import Spectrum
from scintscope.units import MM_PER_CM, UM2_PER_CM2, UM_PER_MM

Array = NDArray[np.float64]

LINE_SAMPLING_KEV = 0.05
"""Bin in which SpekPy places a line; a line's energy is known to half of it."""

HVL_BIN_KEV = 0.1

_LOWEST_KEV = 1.0


def tube_spectrum(source: TubeSource, distance_mm: float, bin_kev: float) -> Spectrum:
    """Return the spectrum of a tube at a distance: continuum in bins, lines as lines.

    Parameters
    ----------
    source : TubeSource
        Voltage, power, take-off angle, filters, air path.
    distance_mm : float
        From the focal spot, finite.
    bin_kev : float
        Width of the continuum's bins.

    Raises
    ------
    InputError
        If SpekPy refuses the tube or does not know a filter material.
    """
    made = _table(source, distance_mm, bin_kev)
    energy, continuum = made["energy_kev"], made["continuum"]
    line_energy, line_photons = made["line_energy_kev"], made["line_photons"]
    present = line_photons > 0
    energies = np.concatenate([energy, line_energy[present]])
    photons = np.concatenate([continuum, line_photons[present]]) / UM2_PER_CM2
    widths = np.concatenate([np.full(energy.shape, bin_kev), np.zeros(int(present.sum()))])
    keep = (energies > _LOWEST_KEV) & (photons > 0)
    order = np.argsort(energies[keep], kind="stable")
    return Spectrum(
        energy_kev=energies[keep][order],
        photons_per_um2_s=photons[keep][order],
        width_kev=widths[keep][order],
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
def _table(source: TubeSource, distance_mm: float, bin_kev: float) -> dict[str, NDArray[Any]]:
    """Return continuum and lines as SpekPy gives them, from the cache where they are kept."""
    _check_distance(distance_mm)

    def make() -> dict[str, NDArray[Any]]:
        model = _model(source, distance_mm, bin_kev, brem=True, char=False)
        energy, continuum = model.get_spectrum(diff=False)
        lines = _model(source, distance_mm, LINE_SAMPLING_KEV, brem=False, char=True)
        line_energy, line_photons = lines.get_spectrum(diff=False)
        return {
            "energy_kev": energy,
            "continuum": continuum,
            "line_energy_kev": line_energy,
            "line_photons": line_photons,
        }

    return cached_arrays("tube", _inputs(source, distance_mm, bin_kev), make)


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
