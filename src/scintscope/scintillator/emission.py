"""From deposited energy to light that leaves through the exit face into the lens.

Pure functions in ``jax.numpy``. Symbols: n refractive index of the plate, NA = sin of the half
angle of the accepted cone in air, theta angle inside the plate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scintscope.jax64 import namespace

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def fresnel_transmission(sine_inside: Any, index: Any) -> Any:
    """Return the unpolarised power transmission from index n into air.

    Fresnel: r_s = (n cos i - cos t) / (n cos i + cos t), r_p = (n cos t - cos i) / (n cos t +
    cos i); T = 1 - (r_s^2 + r_p^2) / 2 (Born and Wolf 1999, section 1.5.2).

    Parameters
    ----------
    sine_inside : array
        sin(theta) inside, below the critical angle.
    index : float
        n.
    """
    xp = namespace(sine_inside, index)
    cos_i = xp.sqrt(1.0 - sine_inside**2)
    cos_t = xp.sqrt(1.0 - (index * sine_inside) ** 2)
    r_s = (index * cos_i - cos_t) / (index * cos_i + cos_t)
    r_p = (index * cos_t - cos_i) / (index * cos_t + cos_i)
    return 1.0 - 0.5 * (r_s**2 + r_p**2)


def geometric_collection(na: Any, index: Any) -> Any:
    """Return the share of isotropic light inside the accepted cone, (1 - cos theta) / 2.

    sin(theta) = NA / n; written so that small NA keeps its digits.
    """
    sine2 = (na / index) ** 2
    return 0.5 * sine2 / (1.0 + namespace(sine2).sqrt(1.0 - sine2))


def collection_fraction(na: Any, index: Any) -> Any:
    """Return the share of isotropic light that enters the lens, exit face included.

    Integral of T(theta) sin(theta) / 2 over the cone, Gauss-Legendre in sin^2(theta).
    """
    sine2_max = (na / index) ** 2
    sine2 = 0.5 * sine2_max * (1.0 + _NODES)
    weight = 0.5 * sine2_max * _WEIGHTS
    xp = namespace(sine2)
    density = 0.25 / xp.sqrt(1.0 - sine2)
    return (weight * density * fresnel_transmission(xp.sqrt(sine2), index)).sum()


def back_reflectance(back_face: str, index: float) -> float:
    """Return the reflectance of the entrance face for light made inside, near the normal.

    Bare: Fresnel ((n - 1) / (n + 1))^2, constant to 2 % inside cones up to NA 0.9; black: 0;
    reflective: 1.
    """
    return {"bare": ((index - 1.0) / (index + 1.0)) ** 2, "black": 0.0, "reflective": 1.0}[
        back_face
    ]


def electrons_per_kev(
    photons_per_kev: Any,
    collection: Any,
    reflectance: Any,
    transmission: Any,
    quantum_efficiency: Any,
) -> Any:
    """Return photo-electrons per deposited keV: yield x collection x (1 + R) x lens x QE."""
    return photons_per_kev * collection * (1.0 + reflectance) * transmission * quantum_efficiency
