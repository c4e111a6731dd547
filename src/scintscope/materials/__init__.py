"""Materials: X-ray cross-sections, densities, refractive indices, scintillators."""

from scintscope.materials.scintillators import Scintillator

__all__ = ["Scintillator"]
