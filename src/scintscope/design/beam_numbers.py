"""Photons that reach each layer of a plate, by energy, on one grid for a family of instruments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.groups import shares
from scintscope.design.family import Family
from scintscope.instrument import Instrument
from scintscope.response import plate_spectrum
from scintscope.scintillator.layers import emitting_layers, xray_transmission
from scintscope.scintillator.plate import Plate
from scintscope.source import Spectrum

Array = NDArray[np.float64]


def energy_grid(family: Family) -> Array:
    """Return the energies of the widest spectrum at the ends of the axes, keV, (E,)."""
    middle = family.middle()
    points = [middle]
    points += [{**middle, axis.key: end} for axis in family.axes for end in (axis.low, axis.high)]
    spectra = [plate_spectrum(*family.instrument(point)) for point in points]
    return max(spectra, key=_width).energy_kev


def _width(spectrum: Spectrum) -> tuple[float, int]:
    return float(np.ptp(spectrum.energy_kev)), spectrum.energy_kev.size


def on_grid(grid_kev: Array, spectrum: Spectrum) -> Array:
    """Return a spectrum's photons on other energies, number and energy kept, (E,)."""
    if np.array_equal(grid_kev, spectrum.energy_kev):
        return spectrum.photons_per_um2_s
    return np.asarray(spectrum.photons_per_um2_s @ shares(grid_kev, spectrum.energy_kev))


def beam_numbers(instrument: Instrument, plate: Plate, grid_kev: Array) -> dict[str, Any]:
    """Return the fluence rates: all X-rays, their energy, those that reach each layer by energy."""
    spectrum = plate_spectrum(instrument, plate)
    photons = on_grid(grid_kev, spectrum)
    found: dict[str, Any] = {
        "incident": spectrum.total_photons_per_um2_s,
        "incident_kev": float(spectrum.photons_per_um2_s @ spectrum.energy_kev),
    }
    for number, layer in enumerate(emitting_layers(plate)):
        found[f"photons@{number}"] = photons * xray_transmission(layer, grid_kev)
    return found


def layer_axes(family: Family, number: int) -> list[str]:
    """Return the keys that change a layer's material or thickness."""
    middle = family.middle()

    def layer(values: Mapping[str, float]) -> tuple[Any, float]:
        _, plate = family.instrument(values)
        found = emitting_layers(plate)[number]
        medium = found.medium
        return (medium.name, medium.formula, medium.density_g_cm3), found.thickness_um

    base = layer(middle)
    return [
        axis.key
        for axis in family.axes
        if any(layer({**middle, axis.key: end}) != base for end in (axis.low, axis.high))
    ]
