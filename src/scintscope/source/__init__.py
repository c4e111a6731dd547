"""X-ray sources and their spectra."""

from scintscope.source.beam import beam_spectra, beam_spectrum
from scintscope.source.parts import (
    Filter,
    MonochromaticSource,
    Source,
    SpectrumFileSource,
    TubeSource,
)
from scintscope.source.spectrum import Spectrum

__all__ = [
    "Filter",
    "MonochromaticSource",
    "Source",
    "Spectrum",
    "SpectrumFileSource",
    "TubeSource",
    "beam_spectra",
    "beam_spectrum",
]
