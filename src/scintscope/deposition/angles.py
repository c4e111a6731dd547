"""Where photons that Rayleigh-scatter once collide next, by quadrature over the angle.

Symbols: z depth, mu attenuation, sigma Rayleigh part of it, c cosine of the scattering angle,
k = 2 pi f. The primary falls normally. A photon scattered at depth z' with cosine c collides per
um of depth with density (mu / |c|) exp(-mu d / |c|) J0(k d tan theta), d = |z - z'|; J0 is the mean
of cos(k d tan theta cos phi) over the azimuth, so that integrals over z' are exponentials.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.physics import InteractionData
from scintscope.materials import scattering
from scintscope.quadrature import unit_nodes

Array = NDArray[np.float64]

_FORWARD, _BACKWARD, _AZIMUTHS = 9, 4, 8
_NARROW_KEV = 6.0
_HIGHEST_CY_PER_UM = 0.7


def rayleigh_nodes(data: InteractionData, energy_kev: Array) -> tuple[Array, Array]:
    """Return cosines and probabilities of Rayleigh scattering, both (E, C), rows sum to 1.

    Forward nodes are spaced in sin(theta / 2) on the scale of the form factor, 6 keV / E.
    """
    x, w = unit_nodes(_FORWARD)
    scale = (_NARROW_KEV / energy_kev)[:, None]
    top = np.arcsinh(np.sqrt(0.5) / scale)
    half = scale * np.sinh(top * x)
    jacobian = scale * np.cosh(top * x) * top * w
    y, v = unit_nodes(_BACKWARD)
    back = np.sqrt(0.5) + (1.0 - np.sqrt(0.5)) * y
    back = np.broadcast_to(back, (energy_kev.size, _BACKWARD))
    sine = np.concatenate([half, back], axis=1)
    weight = np.concatenate(
        [jacobian, np.broadcast_to((1.0 - np.sqrt(0.5)) * v, back.shape)], axis=1
    )
    cosine = 1.0 - 2.0 * sine**2
    density = scattering.rayleigh_angles(data, energy_kev, cosine) * 4.0 * sine * weight
    return cosine, density / density.sum(1, keepdims=True)


def rayleigh_collisions(
    data: InteractionData,
    energy_kev: Array,
    attenuation_per_um: Array,
    rayleigh_per_um: Array,
    z_um: Array,
    thickness_um: float,
    frequency_cy_per_um: Array,
) -> Array:
    """Return the density of second collisions of once Rayleigh-scattered photons, (E, T, D).

    Per um of depth and per incident photon of each energy (E,), with its transverse transform at
    each frequency (T,), at depths (D,). Beyond 0.7 cycles per um, where less than a thousandth of
    the scattered photons' transform is left, it is continued as 1 / f.
    """
    cosine, probability = rayleigh_nodes(data, energy_kev)
    rate = probability * rayleigh_per_um[:, None]
    frequency = np.asarray(frequency_cy_per_um, dtype=np.float64)
    low = frequency <= _HIGHEST_CY_PER_UM
    out = np.empty((energy_kev.size, frequency.size, z_um.size))
    for i in range(energy_kev.size):
        out[i, low] = _one_energy(
            cosine[i],
            rate[i],
            float(attenuation_per_um[i]),
            z_um,
            thickness_um,
            2.0 * np.pi * frequency[low],
        )
    last = int(np.count_nonzero(low)) - 1
    out[:, ~low] = out[:, last, None] * (frequency[last] / frequency[~low])[:, None]
    return out


def _one_energy(
    cosine: Array, rate: Array, mu: float, z_um: Array, thickness_um: float, k: Array
) -> Array:
    """Return the sum over angles and azimuths for one energy, (T, D)."""
    azimuth = np.cos(0.5 * np.pi * (np.arange(_AZIMUTHS) + 0.5) / _AZIMUTHS)
    total = np.zeros((k.size, z_um.size))
    for c, strength in zip(cosine, rate, strict=True):
        slope = mu / abs(c)
        side = np.sqrt(1.0 - c**2) / abs(c)
        turn = k[:, None, None] * (side * azimuth)[:, None]
        length, gap = (z_um, slope - mu) if c > 0.0 else (thickness_um - z_um, slope + mu)
        found = _integral(max(gap, 1e-12), turn, length)
        total += strength * slope * found.mean(axis=1)
    return np.asarray(total * np.exp(-mu * z_um))


def _integral(decay: float, turn: Array, length_um: Array) -> Array:
    """Return the real part of int_0^length exp(-(decay + i turn) s) ds.

    With a = decay and b = turn: (a (1 - e cos) + e b sin) / (a^2 + b^2), e = exp(-a length), and
    1 - e cos = (1 - e) + 2 e sin^2(b length / 2), free of cancellation.
    """
    gone = -np.expm1(-decay * length_um)
    left = 1.0 - gone
    half = 0.5 * turn * length_um
    sine = np.sin(half)
    turned = 2.0 * left * sine
    total = decay * (gone + turned * sine) + turn * turned * np.cos(half)
    return np.asarray(total / (decay**2 + turn**2))


def rayleigh_escape(
    data: InteractionData,
    energy_kev: Array,
    attenuation_per_um: Array,
    rayleigh_per_um: Array,
    thickness_um: float,
) -> Array:
    """Return the once Rayleigh-scattered photons that leave uncollided, per incident one, (E,)."""
    cosine, probability = rayleigh_nodes(data, energy_kev)
    mu = attenuation_per_um[:, None]
    slope = mu / np.abs(cosine)
    gap = np.maximum(slope - mu, 1e-15)
    forward = -np.exp(-mu * thickness_um) * np.expm1(-gap * thickness_um) / gap
    backward = -np.expm1(-(slope + mu) * thickness_um) / (slope + mu)
    leaving = np.where(cosine > 0.0, forward, backward)
    return np.asarray((probability * leaving).sum(1) * rayleigh_per_um)
