"""Where photoelectrons start: Sauter's angular distribution about the photon's direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scintscope.units import ELECTRON_REST_KEV

Array = NDArray[np.float64]

_NODES = 96
_QUANTILE_NODES = 2001


def sauter_density(energy_kev: Array, cosine: Array) -> Array:
    """Return the density of cos(theta) of a K photoelectron, unpolarised photons.

    p(mu) ~ (1 - mu^2) / (1 - beta mu)^4 [1 + gamma (gamma - 1)(gamma - 2)(1 - beta mu) / 2]
    (Sauter 1931, Ann. Phys. 403, 454), beta and gamma of the electron; used for all shells. Its
    limit at low energy is sin^2(theta).

    Parameters
    ----------
    energy_kev : array
        Kinetic energy of the photoelectron; broadcast against ``cosine``.
    cosine : array
        Cosine of the angle to the photon's direction, -1 to 1.

    Returns
    -------
    array
        Density, integral 1 over the cosine.
    """
    x, w = np.polynomial.legendre.leggauss(_NODES)
    norm = (_shape(np.asarray(energy_kev)[..., None], x) * w).sum(-1)
    return np.asarray(_shape(energy_kev, cosine) / norm)


def _shape(energy_kev: Array, mu: Array) -> Array:
    gamma = 1.0 + np.asarray(energy_kev) / ELECTRON_REST_KEV
    beta = np.sqrt(1.0 - gamma**-2)
    slope = 0.5 * gamma * (gamma - 1.0) * (gamma - 2.0)
    near = 1.0 - beta * mu
    return np.asarray((1.0 - mu**2) / near**4 * (1.0 + slope * near))


def sauter_moments(energy_kev: float, orders: NDArray[np.int_]) -> Array:
    """Return the means of P_l(cos theta) over Sauter's distribution, shape of ``orders``."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    density = sauter_density(np.array(energy_kev), x) * w
    table = np.polynomial.legendre.legvander(x, int(orders.max()))
    return np.asarray(density @ table[:, orders])


def start_cosines(start: str, energy_kev: float, count: int, rng: np.random.Generator) -> Array:
    """Draw cosines of the initial direction to the photon's.

    Parameters
    ----------
    start : {"photoelectron", "isotropic"}
        Sauter's distribution or none.
    energy_kev : float
        Kinetic energy.
    count : int
        How many.
    rng : Generator
        Random numbers.

    Returns
    -------
    (count,) array
    """
    if start == "isotropic":
        return np.asarray(2.0 * rng.random(count) - 1.0)
    mu = -np.cos(np.linspace(0.0, np.pi, _QUANTILE_NODES))
    density = sauter_density(np.array(max(energy_kev, 0.0)), mu)
    steps = 0.5 * (density[1:] + density[:-1]) * np.diff(mu)
    cumulative = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(np.interp(rng.random(count), cumulative / cumulative[-1], mu))
