"""From deposited energy to light that leaves through the exit face into the lens.

Pure functions in ``jax.numpy``. Symbols: n refractive index of the plate, NA = sin of the half
angle of the accepted cone in air, theta angle inside the plate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scintscope.jax64 import namespace

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def interface_reflectance(p2: Any, index: Any, next_index: Any) -> Any:
    """Return the unpolarised power reflectance of the face between two media.

    Fresnel: r_s = (n1 c1 - n2 c2) / (n1 c1 + n2 c2), r_p = (n2 c1 - n1 c2) / (n2 c1 + n1 c2),
    R = (r_s^2 + r_p^2) / 2 (Born and Wolf 1999, section 1.5.2).

    Parameters
    ----------
    p2 : array
        Squared direction sine p^2 = (n sin(theta))^2, the same in all plane layers (Snell);
        below the square of either index.
    index, next_index : float
        n1 and n2.
    """
    xp = namespace(p2, index, next_index)
    cos_i = xp.sqrt(1.0 - p2 / index**2)
    cos_t = xp.sqrt(1.0 - p2 / next_index**2)
    r_s = (index * cos_i - next_index * cos_t) / (index * cos_i + next_index * cos_t)
    r_p = (next_index * cos_i - index * cos_t) / (next_index * cos_i + index * cos_t)
    return 0.5 * (r_s**2 + r_p**2)


def fresnel_transmission(sine_inside: Any, index: Any, exit_index: Any = 1.0) -> Any:
    """Return the unpolarised power transmission from index n out of the exit face.

    1 - R of `interface_reflectance`.

    Parameters
    ----------
    sine_inside : array
        sin(theta) inside, below the critical angle.
    index : float
        n.
    exit_index : float
        Index outside; 1 is air.
    """
    return 1.0 - interface_reflectance((index * sine_inside) ** 2, index, exit_index)


def cone_nodes(na: Any, index: Any) -> tuple[Any, Any]:
    """Return nodes p^2 and weights of the accepted cone of an isotropic emitter, both (64,).

    sum(weight * F(p^2)) is the integral of F sin(theta) / 2 over the cone inside, so the weights
    sum to `geometric_collection`. Gauss-Legendre in sin^2(theta).
    """
    sine2_max = (na / index) ** 2
    sine2 = 0.5 * sine2_max * (1.0 + _NODES)
    weight = 0.5 * sine2_max * _WEIGHTS
    return index**2 * sine2, weight * 0.25 / namespace(sine2).sqrt(1.0 - sine2)


def geometric_collection(na: Any, index: Any) -> Any:
    """Return the share of isotropic light inside the accepted cone, (1 - cos theta) / 2.

    sin(theta) = NA / n; written so that small NA keeps its digits.
    """
    sine2 = (na / index) ** 2
    return 0.5 * sine2 / (1.0 + namespace(sine2).sqrt(1.0 - sine2))


def collection_fraction(na: Any, index: Any, exit_index: Any = 1.0) -> Any:
    """Return the share of isotropic light that enters the lens, exit face included.

    Integral of T(theta) sin(theta) / 2 over the cone; ``exit_index`` is what touches the exit
    face, through plane layers of which the cone p <= NA is the same as through air.
    """
    p2, weight = cone_nodes(na, index)
    return (weight * (1.0 - interface_reflectance(p2, index, exit_index))).sum()


def back_reflectance(back_face: str, index: float) -> float:
    """Return the reflectance of the entrance face for light made inside, near the normal.

    Bare: Fresnel ((n - 1) / (n + 1))^2; black: 0; reflective: 1. The mean over the cone of a lens
    (`layers.light_images`) is 0.3 % higher for NA 0.4 and 18 % for NA 0.9 in YAG.
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
