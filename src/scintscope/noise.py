"""Noise power and detective quantum efficiency of a plate, read off its DepthResponse.

Each X-ray is Poisson in energy and depth; its light is spread by T(f, z) of its depth and is
Poisson again. With the symbols of `response`, q0 = sum_E phi_E tau photons per um2 and
M = tau sum_E phi_E int c e1 dz electrons per um2 (tau exposure, a pixel area)

    NPS(f) = P^2 tau c^2 sum_E phi_E int e2 T^2 dz + M + (read^2 + dark) / a
    DQE(f) = (P S)^2 / (q0 NPS),   S(f) = tau c sum_E phi_E int e1 T dz

(Lubberts 1968, J. Opt. Soc. Am. 58, 1475; Nishikawa and Yaffe 1990, Med. Phys. 17, 894;
Swank 1973, J. Appl. Phys. 44, 4199). NPS is in electrons^2 per um2, before sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.response import DepthResponse, at_frequencies, mean_transfer
from scintscope.scintillator.absorption import per_depth

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalNoise:
    """Curves over frequency.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Object side.
    mtf, nps_electrons2_per_um2, normalised_nps_um2, dqe : (F,) array
        Presampled MTF; NPS; NPS over squared mean; DQE.
    """

    frequency_cy_per_um: Array
    mtf: Array
    nps_electrons2_per_um2: Array
    normalised_nps_um2: Array
    dqe: Array


def mean_electrons_per_um2(response: DepthResponse) -> float:
    """Return M, the open-beam electrons per um2 of one frame."""
    light = response.light_per_um(response.depth_um).sum(axis=0)
    return float(response.depth_weight_um @ light) * response.plate.exposure_s


def quantum_noise(response: DepthResponse) -> Array:
    """Return tau c^2 sum_E phi_E int e2 T^2 dz at the tabulated frequencies, (F,)."""
    act = response.interaction
    second = np.asarray(
        per_depth(act.deposit_kev2_per_um, response.depth_um, act.attenuation_per_um)
    )
    per_depth_rate = response.spectrum.photons_per_um2_s @ second * response.depth_weight_um
    scale = response.plate.exposure_s * response.electrons_per_kev**2
    return np.asarray(scale * per_depth_rate @ response.otf**2)


def signal_noise(
    response: DepthResponse,
    frequency_cy_per_um: Array,
    read_noise_electrons: float,
    dark_electrons: float,
) -> SignalNoise:
    """Return MTF, NPS and DQE of a plate (module equations).

    Parameters
    ----------
    response : DepthResponse
        The plate.
    frequency_cy_per_um : (F,) array
        Where to evaluate.
    read_noise_electrons, dark_electrons : float
        Rms read noise and mean dark electrons per pixel of one frame.
    """
    table = response.frequency_cy_per_um
    mean = mean_electrons_per_um2(response)
    pixel = np.sinc(frequency_cy_per_um * response.pixel_um)
    signal = mean * pixel * at_frequencies(frequency_cy_per_um, table, mean_transfer(response))
    correlated = at_frequencies(frequency_cy_per_um, table, quantum_noise(response))
    additive = (read_noise_electrons**2 + dark_electrons) / response.pixel_um**2
    nps = pixel**2 * np.maximum(correlated, 0.0) + mean + additive
    incident = response.spectrum.total_photons_per_um2_s * response.plate.exposure_s
    return SignalNoise(
        frequency_cy_per_um=frequency_cy_per_um,
        mtf=np.abs(signal) / mean,
        nps_electrons2_per_um2=nps,
        normalised_nps_um2=nps / mean**2,
        dqe=signal**2 / (incident * nps),
    )
