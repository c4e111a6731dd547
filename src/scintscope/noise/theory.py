"""Signal and noise of a depth-dependent detector as plain arrays (cascaded systems).

Symbols: q0 incident X-rays per um2, z depth of first collision, S(f) mean signal spectrum,
Q(f) power of what single X-rays leave (before light is counted), M = S(0) mean light.
Each X-ray is a Poisson event; its light is Poisson again; light is counted in a pixel of transfer
P(f), and the camera adds white noise A:

    NPS(f) = P^2 Q(f) + M + A,     DQE(f) = (P S)^2 / (q0 NPS),     NEQ = q0 DQE

(Lubberts 1968, J. Opt. Soc. Am. 58, 1475; Swank 1973, J. Appl. Phys. 44, 4199; Nishikawa and Yaffe
1990, Med. Phys. 17, 894; Cunningham et al. 1994, Med. Phys. 21, 417). S and Q come from the plate:
`local_moments` writes them out for energy that stays where the photon stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scintscope.errors import DataError, check_range

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """First and second moments of the light that X-rays make, over frequency.

    Parameters
    ----------
    incident_per_um2 : float
        q0, X-rays that arrive.
    signal_per_um2 : (F,) array
        S(f), detected light quanta per um2 times their transfer function; F starts at f = 0 only
        if ``light_per_um2`` is S(0).
    events_per_um2 : (F,) array
        Q(f), sum over events of the mean square of an event's light spectrum, quanta^2 per um2.
    light_per_um2 : float
        M, detected light quanta.
    """

    incident_per_um2: float
    signal_per_um2: Array
    events_per_um2: Array
    light_per_um2: float

    def __post_init__(self) -> None:
        check_range("incident_per_um2", self.incident_per_um2, low=0.0, low_open=True)
        check_range("light_per_um2", self.light_per_um2, low=0.0, low_open=True)
        if self.signal_per_um2.shape != self.events_per_um2.shape:
            raise DataError(
                f"signal has shape {self.signal_per_um2.shape}, events "
                f"{self.events_per_um2.shape}: give both on the same frequencies."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseCurves:
    """What the moments and a pixel make, (F,) each.

    Parameters
    ----------
    mtf : array
        |P S| / M.
    nps_per_um2 : array
        Quanta^2 per um2.
    normalised_nps_um2 : array
        NPS / M^2.
    neq_per_um2, dqe : array
        X-rays per um2 that an ideal detector would need; that over those that arrived.
    """

    mtf: Array
    nps_per_um2: Array
    normalised_nps_um2: Array
    neq_per_um2: Array
    dqe: Array


def local_moments(
    incident_per_um2: float,
    absorbed_fraction: float,
    density_per_um: Array,
    weight_um: Array,
    transfer: Array,
    gain_mean: ArrayLike,
    gain_variance: ArrayLike,
    detection: ArrayLike = 1.0,
) -> Moments:
    """Return the moments of X-rays whose energy stays where they stop.

    S = q0 eta INT p b g T dz,  M = q0 eta INT p b g dz,
    Q = q0 eta INT p b^2 (g^2 + s2 - g) T^2 dz.

    Parameters
    ----------
    incident_per_um2, absorbed_fraction : float
        q0, eta.
    density_per_um : (D,) array
        p(z), of unit integral.
    weight_um : (D,) array
        Quadrature weights over depth.
    transfer : (D, F) array
        T(f, z), 1 at f = 0.
    gain_mean, gain_variance : float or (D,) array
        g, s2: mean and variance of the light quanta that one absorbed X-ray emits. Poisson light
        of a fixed energy has s2 = g.
    detection : float or (D,) array
        b, probability that an emitted quantum is counted.
    """
    g, s2, b = (np.broadcast_to(v, weight_um.shape) for v in (gain_mean, gain_variance, detection))
    absorbed = incident_per_um2 * absorbed_fraction * density_per_um * weight_um
    return Moments(
        incident_per_um2=incident_per_um2,
        signal_per_um2=(absorbed * b * g) @ transfer,
        events_per_um2=(absorbed * b**2 * (g**2 + s2 - g)) @ transfer**2,
        light_per_um2=float(absorbed @ (b * g)),
    )


def noise_curves(
    moments: Moments, pixel_transfer: ArrayLike = 1.0, additive_per_um2: float = 0.0
) -> NoiseCurves:
    """Return MTF, NPS, NEQ and DQE before sampling (module equations).

    Parameters
    ----------
    moments : Moments
        Of the plate.
    pixel_transfer : float or (F,) array
        P(f).
    additive_per_um2 : float
        A, variance the camera adds to a pixel over the pixel's area.
    """
    aperture = np.asarray(pixel_transfer, dtype=np.float64)
    signal = np.asarray(aperture * moments.signal_per_um2)
    light = moments.light_per_um2
    correlated = aperture**2 * moments.events_per_um2
    nps = np.asarray(correlated + light + additive_per_um2)
    neq = signal**2 / nps
    return NoiseCurves(
        mtf=np.abs(signal) / light,
        nps_per_um2=nps,
        normalised_nps_um2=nps / light**2,
        neq_per_um2=neq,
        dqe=neq / moments.incident_per_um2,
    )


def lubberts_ratio(moments: Moments, at_zero: Moments | None = None) -> Array:
    """Return R(f) = (S(f) / S(0))^2 / (Q(f) / Q(0)), (F,).

    The factor by which the DQE falls with frequency for want of nothing but likeness between
    events, were light free: |INT k T|^2 / INT k T^2 for local energy (Lubberts 1968). R <= 1
    where all events leave the same energy (Cauchy and Schwarz).

    Parameters
    ----------
    moments : Moments
        At the wanted frequencies.
    at_zero : Moments, optional
        At f = 0 alone; by default the first of ``moments``.
    """
    zero = moments if at_zero is None else at_zero
    signal = moments.signal_per_um2 / zero.signal_per_um2[0]
    events = moments.events_per_um2 / zero.events_per_um2[0]
    nothing = np.zeros_like(signal)  # beyond the cut-off
    return np.asarray(np.divide(signal**2, events, out=nothing, where=events > 0.0))


def swank_factor(moment_0: float, moment_1: float, moment_2: float) -> float:
    """Return A = M1^2 / (M0 M2) of a pulse-height distribution's moments (Swank 1973)."""
    return moment_1**2 / (moment_0 * moment_2)


def defocused_slab_moments(
    frequency_cy_per_um: Array, na: float, index: float, wavelength_um: float, thickness_um: float
) -> tuple[Array, Array]:
    """Return the mean of T and of T^2 over an even slab much thicker than the depth of field.

    Paraxial, focus inside: mean T -> C1 / t with C1 = (2 n / (pi NA f)) sqrt(1 - h^2), mean T^2 ->
    C2 / t with C2 = (8 n / (pi^2 NA f)) (2/3 - h + h^3 / 3), h = f lambda / (2 NA): the integral
    of the defocused transfer function of Hopkins (1955, Proc. R. Soc. A 231, 91) over all depths.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Above 0, below the cut-off 2 NA / lambda.
    na, index, wavelength_um, thickness_um : float
        Aperture, refractive index of the slab, wavelength, thickness t.

    Returns
    -------
    mean, mean_square : (F,) array
    """
    f = frequency_cy_per_um
    h = f * wavelength_um / (2.0 * na)
    mean = 2.0 * index / (np.pi * na * f) * np.sqrt(1.0 - h**2)
    square = 8.0 * index / (np.pi**2 * na * f) * (2.0 / 3.0 - h + h**3 / 3.0)
    return mean / thickness_um, square / thickness_um
