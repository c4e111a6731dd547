"""Noise power and detective quantum efficiency of a plate, read off its DepthResponse.

Each X-ray is Poisson in energy and depth; what it leaves, in one place or several, is one event,
whose light is spread by T(f, z) of the depths and is Poisson again. With the symbols of `response`,
q0 = sum_E phi_E tau photons per um2, M = tau c sum_E phi_E INT e1 dz electrons per um2 (tau
exposure, a pixel area) and p2_E(z, f) the mean square of an event's spectrum per um of
first-collision depth

    NPS(f) = P^2 tau c^2 sum_E phi_E INT p2_E(z, f) dz + M + (read^2 + dark + step^2 / 12) / a
    DQE(f) = (P S)^2 / (q0 NPS),   S(f) = tau c sum_E phi_E INT e1_E T dz

(module `theory` has the sources; step is the converter's, in electrons: rounding is even over it).
NPS is in electrons^2 per um2, before sampling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scintscope.noise.theory import Moments, lubberts_ratio, noise_curves
from scintscope.remembered import Remembered
from scintscope.response import DepthResponse, at_frequencies, mean_transfer

Array = NDArray[np.float64]

_powers: Remembered[Array] = Remembered(most=8)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalNoise:
    """Curves over frequency.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Object side.
    mtf, nps_electrons2_per_um2, normalised_nps_um2, dqe, lubberts : (F,) array
        Presampled MTF; NPS; NPS over squared mean; DQE; Lubberts ratio (`theory.lubberts_ratio`).
    """

    frequency_cy_per_um: Array
    mtf: Array
    nps_electrons2_per_um2: Array
    normalised_nps_um2: Array
    dqe: Array
    lubberts: Array

    @property
    def neq_per_um2(self) -> Array:
        """Noise-equivalent quanta, MTF^2 / normalised NPS (Cunningham and Shaw 1999)."""
        return np.asarray(self.mtf**2 / self.normalised_nps_um2)


def mean_electrons_per_um2(response: DepthResponse) -> float:
    """Return M, the open-beam electrons per um2 of one frame."""
    light = response.light_per_um(response.depth_um).sum(axis=0)
    return float(response.depth_weight_um @ light) * response.plate.exposure_s


def collision_power(
    response: DepthResponse, weights: Array, chosen: slice | NDArray[np.intp] | None = None
) -> Array:
    """Return sum_E weights[g, E] p2_E(z, f), keV^2 per um of first-collision depth, (G, D, F).

    Parameters
    ----------
    response : DepthResponse
        The plate.
    weights : (G, E) or (E,) array
        Any weights over energy, such as X-rays per um2 and s; of one axis: each energy by itself.
    chosen : slice or index array, optional
        Which of the tabulated frequencies.
    """
    part = slice(None) if chosen is None else chosen
    z, transfer = response.depth_um, response.otf[:, part]
    frequency = response.frequency_cy_per_um[part]
    return response.deposition.event_power(
        weights, z, response.depth_weight_um, transfer, frequency
    )


def attenuation_of(response: DepthResponse) -> Array:
    """Return mu of the plate's material at the response's energies, 1/um, (E,)."""
    return response.deposition.attenuation_per_um


def quantum_noise(response: DepthResponse) -> Array:
    """Return tau c^2 sum_E phi_E INT p2_E dz at the tabulated frequencies, (F,)."""
    scale = response.plate.exposure_s * response.electrons_per_kev**2
    return np.asarray(scale * open_beam_power(response))


def open_beam_power(response: DepthResponse) -> Array:
    """Return sum_E phi_E INT p2_E dz at the tabulated frequencies, keV^2 per um2 and s, (F,).

    Kept for a plate's deposition, light and beam, whatever its exposure; read-only.
    """

    def make() -> Array:
        power = collision_power(response, response.spectrum.photons_per_um2_s[None, :])[0]
        found = np.asarray(response.depth_weight_um @ power)
        found.setflags(write=False)
        return found

    return _powers((response.deposition, response.otf, response.spectrum), None, make)


def plate_moments(response: DepthResponse, frequency_cy_per_um: Array | None = None) -> Moments:
    """Return signal and noise moments of one open-beam frame, in electrons, without the pixel.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    frequency_cy_per_um : (F,) array, optional
        Where; by default the tabulated frequencies.
    """
    mean = mean_electrons_per_um2(response)
    moments = Moments(
        incident_per_um2=response.spectrum.total_photons_per_um2_s * response.plate.exposure_s,
        signal_per_um2=mean * mean_transfer(response),
        events_per_um2=quantum_noise(response),
        light_per_um2=mean,
    )
    if frequency_cy_per_um is None:
        return moments
    return _moments_at(moments, response.frequency_cy_per_um, frequency_cy_per_um)


def _moments_at(moments: Moments, table_cy_per_um: Array, frequency_cy_per_um: Array) -> Moments:
    """Return tabulated moments at other frequencies."""
    signal = at_frequencies(frequency_cy_per_um, table_cy_per_um, moments.signal_per_um2)
    events = at_frequencies(frequency_cy_per_um, table_cy_per_um, moments.events_per_um2)
    return replace(moments, signal_per_um2=signal, events_per_um2=np.maximum(events, 0.0))


def signal_noise(
    response: DepthResponse,
    frequency_cy_per_um: Array,
    read_noise_electrons: float,
    dark_electrons: float,
    step_electrons: float = 0.0,
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
    step_electrons : float
        Electrons per count of the converter.
    """
    additive = read_noise_electrons**2 + dark_electrons + step_electrons**2 / 12.0
    table = plate_moments(response)
    moments = _moments_at(table, response.frequency_cy_per_um, frequency_cy_per_um)
    at_zero = _moments_at(table, response.frequency_cy_per_um, np.zeros(1))
    curves = noise_curves(
        moments,
        np.sinc(frequency_cy_per_um * response.pixel_um),
        additive / response.pixel_um**2,
    )
    return SignalNoise(
        frequency_cy_per_um=frequency_cy_per_um,
        mtf=curves.mtf,
        nps_electrons2_per_um2=curves.nps_per_um2,
        normalised_nps_um2=curves.normalised_nps_um2,
        dqe=curves.dqe,
        lubberts=lubberts_ratio(moments, at_zero),
    )
