"""Materials: X-ray cross-sections, densities, refractive indices, scintillators."""

from scintscope.materials.composition import Absorber
from scintscope.materials.emission_bands import EmissionBand
from scintscope.materials.library import (
    ABSORBERS,
    ALIASES,
    SCINTILLATORS,
    absorber,
    clear_material,
    scintillator,
)
from scintscope.materials.scintillators import Scintillator

__all__ = [
    "ABSORBERS",
    "ALIASES",
    "SCINTILLATORS",
    "Absorber",
    "EmissionBand",
    "Scintillator",
    "absorber",
    "clear_material",
    "scintillator",
]
