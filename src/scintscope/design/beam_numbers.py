"""Photons that reach each layer of a plate, by energy, on one grid for a family of instruments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.groups import shares
from scintscope.design.family import Family
from scintscope.instrument import Instrument
from scintscope.materials import absorber, attenuation
from scintscope.response import plate_spectrum
from scintscope.scintillator.layers import emitting_layers, xray_transmission
from scintscope.scintillator.plate import Plate
from scintscope.source import Spectrum

Array = NDArray[np.float64]

JOULE_PER_KEV = 1.602176634e-16
KG_PER_UM3_OF_1_G_CM3 = 1e-15


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
        "dose_gy_per_s": water_dose_gy_per_s(spectrum),
    }
    for number, layer in enumerate(emitting_layers(plate)):
        found[f"photons@{number}"] = photons * xray_transmission(layer, grid_kev)
    return found


def water_dose_gy_per_s(spectrum: Spectrum) -> float:
    """Return the dose rate in a thin layer of water in front of the plate, Gy/s.

    sum phi E mu_en / rho (Attix 1986, Introduction to Radiological Physics, Eq. 2.21): 1 keV
    per um3 of water, 1e-15 kg, is 0.1602 Gy.
    """
    water = absorber("water")
    left = attenuation.energy_absorption_per_um(water, spectrum.energy_kev)
    kev_per_um3_s = float((spectrum.photons_per_um2_s * spectrum.energy_kev) @ left)
    return kev_per_um3_s * JOULE_PER_KEV / (water.density_g_cm3 * KG_PER_UM3_OF_1_G_CM3)


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
