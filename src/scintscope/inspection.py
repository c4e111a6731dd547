"""The data sheet of an instrument: numbers and curves, no images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.instrument import Instrument
from scintscope.materials import absorber, attenuation
from scintscope.noise import mean_electrons_per_um2, signal_noise
from scintscope.optics.defocus import (
    first_crossing_um,
    rayleigh_half_depth_um,
    strehl_half_depth_um,
)
from scintscope.response import DepthResponse, check_sampling, depth_response
from scintscope.scintillator.absorption import absorbed_fraction
from scintscope.scintillator.emission import collection_fraction
from scintscope.source import Spectrum, TubeSource
from scintscope.source.beam import half_value_layer_mm_al
from scintscope.units import UM_PER_MM

Array = NDArray[np.float64]

MTF_LEVEL_OF_DEPTH = 0.3
STREHL_OF_DEPTH = 0.8


def inspect(instrument: Instrument) -> dict[str, Any]:
    """Return the data sheet: spectrum, thin, thick, lens.

    Keys whose physics is not computed yet are None. All values are plain numbers and lists.

    Raises
    ------
    SamplingError
        If the simulation grid would alias.
    """
    thin = depth_response(instrument, instrument.thin)
    thick = depth_response(instrument, instrument.thick)
    check_sampling(instrument, (thin, thick))
    return data_sheet(instrument, thin, thick)


def data_sheet(instrument: Instrument, thin: DepthResponse, thick: DepthResponse) -> dict[str, Any]:
    """Return the data sheet of responses already computed."""
    return {
        "spectrum": spectrum_sheet(instrument, thin.spectrum),
        "thin": plate_sheet(instrument, thin),
        "thick": plate_sheet(instrument, thick),
        "lens": lens_sheet(instrument),
    }


def spectrum_sheet(instrument: Instrument, spectrum: Spectrum) -> dict[str, float]:
    """Return mean energy, share of 10-30 keV, half-value layer and flux of the open beam."""
    source = instrument.source
    if isinstance(source, TubeSource):
        from scintscope.source import tube

        hvl = tube.half_value_layer_mm_al(source, instrument.geometry.source_to_scintillator_mm)
    else:
        hvl = half_value_layer_mm_al(
            spectrum,
            attenuation.total_per_um(absorber("Al"), spectrum.energy_kev) * UM_PER_MM,
            attenuation.energy_absorption_per_um(absorber("air"), spectrum.energy_kev),
        )
    return {
        "mean_energy_kev": spectrum.mean_energy_kev,
        "fraction_10_30_kev": spectrum.fraction_between(10.0, 30.0),
        "hvl_mm_al": hvl,
        "photons_per_um2_s": spectrum.total_photons_per_um2_s,
    }


def plate_sheet(instrument: Instrument, response: DepthResponse) -> dict[str, Any]:
    """Return absorption, light and resolution of one plate."""
    photons = response.spectrum.photons_per_um2_s
    energy = response.spectrum.energy_kev
    weight, z = response.depth_weight_um, response.depth_um
    interacting = photons @ np.asarray(
        absorbed_fraction(response.interaction.attenuation_per_um, response.thickness_um)
    )
    deposited = weight @ (photons @ response.deposit_kev_per_um(z))
    curves = signal_noise(
        response,
        sheet_frequencies(instrument, response),
        instrument.camera.read_noise_electrons,
        instrument.camera.dark_electrons_per_s * response.plate.exposure_s,
    )
    frequency = [float(f) for f in curves.frequency_cy_per_um]
    mtf50 = first_below(curves.frequency_cy_per_um, curves.mtf, 0.5)
    return {
        "absorbed_photon_fraction": float(interacting / photons.sum()),
        "absorbed_energy_fraction": float(deposited / (photons @ energy)),
        "mean_depth_um": float(weight @ (z * response.k_per_um(z))),
        "fluorescence_share": None,
        "electrons_per_xray": float(response.electrons_per_kev * deposited / interacting),
        "electrons_per_pixel": mean_electrons_per_um2(response) * response.pixel_um**2,
        "focus_um": response.focus_um,
        "mtf50_cy_per_um": mtf50,
        "mtf": {"frequency_cy_per_um": frequency, "value": curves.mtf.tolist()},
        "nps": {"frequency_cy_per_um": frequency, "value": curves.normalised_nps_um2.tolist()},
        "dqe": {"frequency_cy_per_um": frequency, "value": curves.dqe.tolist()},
        "depth_of_field_um": depth_of_field_um(instrument, response),
    }


def sheet_frequencies(instrument: Instrument, response: DepthResponse) -> Array:
    """Return the frequencies of the curves: 0 to twice the camera's Nyquist or the cut-off."""
    top = min(2.0 * instrument.camera_nyquist_cy_per_um, response.path.cutoff_cy_per_um)
    return np.linspace(0.0, top, instrument.accuracy.frequency_samples)


def first_below(frequency: Array, curve: Array, level: float) -> float | None:
    """Return where a curve first falls to a level (linear between samples); None if never."""
    below = np.flatnonzero(curve <= level)
    if not below.size:
        return None
    i = int(below[0])
    if i == 0:
        return float(frequency[0])
    step = (curve[i - 1] - level) / (curve[i - 1] - curve[i])
    return float(frequency[i - 1] + step * (frequency[i] - frequency[i - 1]))


def depth_of_field_um(instrument: Instrument, response: DepthResponse) -> dict[str, float | None]:
    """Return the depth of field inside the plate by each usual definition, um, both sides together.

    Rayleigh: a quarter wave; contrast zero and MTF 30 %: at the camera's Nyquist frequency;
    Strehl 0.8. Lens taken as corrected at the focal depth, no pixel.
    """
    na, wavelength, index = response.path.na, response.path.wavelength_um, response.path.index
    nyquist = instrument.camera_nyquist_cy_per_um

    def both(half_um: float | None) -> float | None:
        return None if half_um is None else 2.0 * half_um

    return {
        "rayleigh": both(rayleigh_half_depth_um(na, wavelength, index)),
        "contrast_zero": both(first_crossing_um(0.0, nyquist, na, wavelength, index)),
        "mtf30": both(first_crossing_um(MTF_LEVEL_OF_DEPTH, nyquist, na, wavelength, index)),
        "strehl80": both(strehl_half_depth_um(na, wavelength, index, STREHL_OF_DEPTH)),
    }


def lens_sheet(instrument: Instrument) -> dict[str, Any]:
    """Return cut-off, collection and first contrast zero of the lens with the thick plate."""
    scintillator = instrument.thick.scintillator
    na, wavelength = instrument.lens.na, scintillator.emission_um
    nyquist = instrument.camera_nyquist_cy_per_um
    return {
        "cutoff_cy_per_um": 2.0 * na / wavelength,
        "collection_fraction": float(collection_fraction(na, scintillator.refractive_index)),
        "first_zero_defocus_um": {
            "air": first_crossing_um(0.0, nyquist, na, wavelength, 1.0),
            "scintillator": first_crossing_um(
                0.0, nyquist, na, wavelength, scintillator.refractive_index
            ),
        },
    }
