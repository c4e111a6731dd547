"""Materials: X-ray cross-sections, densities, refractive indices, scintillators."""

from scintscope.materials.composition import Absorber
from scintscope.materials.library import ABSORBERS, SCINTILLATORS, absorber, scintillator
from scintscope.materials.scintillators import Scintillator

__all__ = [
    "ABSORBERS",
    "SCINTILLATORS",
    "Absorber",
    "Scintillator",
    "absorber",
    "scintillator",
]
