"""What slows and turns an electron in one compound, tabulated against energy.

All lengths are mass thicknesses written as um at 1 g/cm3 (1e-4 g/cm2): dividing by the density
in g/cm3 gives um. Multiple scattering over `STEP_TRANSPORT` transport mean free paths follows
Goudsmit and Saunderson (1940, Phys. Rev. 57, 24), exact for any cross-section:

    p(theta) = sum_l (2 l + 1) / (4 pi) exp(-s G_l) P_l(cos theta),
    G_l = 2 pi n integral (1 - P_l) d sigma / d Omega d cos theta,

with the terms of no and of one collision taken out of the series and added as they are. Collisions
with the atom's electrons turn the electron too: their first transport coefficient is added by
enlarging the elastic cross-section.

Energy losses above `HARD_SHARE` of the energy are single events (straggling), the others a
continuous slowing down by what is left of the stopping power.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from scintscope.electrons.elastic import angle_grid, mott_cross_section_cm2
from scintscope.electrons.stopping import (
    close_losses,
    close_scale,
    loss_spectrum,
    oscillators,
    stopping_power_kev_cm2_g,
)
from scintscope.materials.shells import moles_per_gram
from scintscope.units import ELECTRON_REST_KEV, UM_PER_CM

Array = NDArray[np.float64]
Advance = Callable[[int], None]

AVOGADRO = 6.02214076e23
CUTOFF_KEV, HIGHEST_KEV = 0.2, 300.0
NOMINAL_G_CM3 = 5.0
"""Density for the plasma energy of the valence electrons. I is held, so densities of 4 to 10 g/cm3
differ from it by less than 0.7 % in stopping power above 3 keV and 1.5 % above 1 keV, and the
tables depend on the formula alone."""

STEP_TRANSPORT = 0.1
"""Step over transport mean free path: the mean cosine over one step is exp(-0.1)."""

HARD_SHARE = 0.03
"""Single losses above this share of the energy are drawn one by one."""

SCATTER_NODES, QUANTILES, LEGENDRE_ORDERS, RANGE_NODES = 28, 256, 500, 160
_LOWEST_KEV = 0.05


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Medium:
    """One compound at unit density.

    Parameters
    ----------
    energy_kev, range_um : (G,) arrays
        CSDA range against energy, 0.05 to 300 keV.
    stopping_kev_per_um : (G,) array
        Stopping power at the same energies.
    scatter_energy_kev : (T,) array
        Energies of the scattering tables.
    transport_per_um : (T,) array
        Inverse transport mean free path G_1.
    quantile : (T, V) array
        sin^2(theta / 2) of a step that is exceeded with probability (1 - v)^3, v = 0 ... 1 in
        equal steps.
    hard_share : (T, V) array
        Quantiles of single losses above `HARD_SHARE` of the energy, over the energy, in equal
        steps of probability.
    soft_share : (T,) array
        Part of the stopping power due to smaller losses.
    """

    energy_kev: Array
    range_um: Array
    stopping_kev_per_um: Array
    scatter_energy_kev: Array
    transport_per_um: Array
    quantile: Array
    hard_share: Array
    soft_share: Array


def medium_arrays(medium: Medium) -> dict[str, NDArray[np.float32]]:
    """Return the tables by name, as they are kept on disk."""
    return {
        field.name: np.asarray(getattr(medium, field.name), dtype=np.float32)
        for field in fields(medium)
    }


def medium_of(arrays: Mapping[str, NDArray[np.float32]]) -> Medium:
    """Return the medium whose tables were kept."""
    return Medium(**{field.name: arrays[field.name].astype(np.float64) for field in fields(Medium)})


def make_medium(formula: str, advance: Advance) -> Medium:
    """Compute the tables of a compound.

    Parameters
    ----------
    formula : str
        Chemical formula or NIST compound.
    advance : callable
        Progress; called `SCATTER_NODES` times with 1.
    """
    energy = np.geomspace(_LOWEST_KEV, HIGHEST_KEV, RANGE_NODES)
    stopping = stopping_power_kev_cm2_g(formula, NOMINAL_G_CM3, energy) / UM_PER_CM
    scatter = np.geomspace(0.75 * CUTOFF_KEV, HIGHEST_KEV, SCATTER_NODES)
    turns, losses = [], []
    for value in scatter:
        turns.append(_scattering(formula, float(value)))
        losses.append(_hard_losses(formula, float(value)))
        advance(1)
    return Medium(
        energy_kev=energy,
        range_um=csda_range_um(energy, stopping),
        stopping_kev_per_um=stopping,
        scatter_energy_kev=scatter,
        transport_per_um=np.array([turn[0] for turn in turns]),
        quantile=np.array([turn[1] for turn in turns]),
        hard_share=np.array([loss[0] for loss in losses]),
        soft_share=np.array([loss[1] for loss in losses]),
    )


def csda_range_um(energy: Array, stopping: Array) -> Array:
    """Integrate dE / S; below the first energy S is taken proportional to E^(1/2)."""
    integrand = CubicSpline(np.log(energy), energy / stopping)
    start = 2.0 * energy[0] / stopping[0]
    return np.asarray(integrand.antiderivative()(np.log(energy)) + start)


@lru_cache(maxsize=512)
def _element(z: int, energy_kev: float) -> Array:
    return mott_cross_section_cm2(z, energy_kev, angle_grid())


@lru_cache(maxsize=1)
def _legendre_matrix() -> Array:
    """Return P_l on the angle grid, (L, Q)."""
    mu = 1.0 - 2.0 * angle_grid().t
    rows = np.ones((LEGENDRE_ORDERS, mu.size))
    rows[1] = mu
    for order in range(1, LEGENDRE_ORDERS - 1):
        rows[order + 1] = ((2 * order + 1) * mu * rows[order] - order * rows[order - 1]) / (
            order + 1
        )
    return rows


def _scattering(formula: str, energy_kev: float) -> tuple[float, Array]:
    """Return G_1 in 1/um and the quantiles of the deflection over one step."""
    grid = angle_grid()
    sigma = np.zeros_like(grid.t)
    for z, moles in moles_per_gram(formula):
        sigma += moles * AVOGADRO / UM_PER_CM * _element(z, energy_kev)
    elastic = float((grid.weight * 2.0 * grid.t * sigma).sum())
    total = elastic + _electron_transport_per_um(formula, energy_kev)
    sigma *= total / elastic
    return total, step_quantiles(sigma, STEP_TRANSPORT / total)


def _hard_losses(formula: str, energy_kev: float) -> tuple[Array, float]:
    """Return quantiles of large losses over the energy, and the share of smaller losses."""
    loss, rate = loss_spectrum(energy_kev, oscillators(formula, NOMINAL_G_CM3))
    hard = loss > HARD_SHARE * energy_kev
    soft_share = 1.0 - float((loss * rate)[hard].sum() / (loss * rate).sum())
    total = float(rate[hard].sum())
    cumulative = (np.cumsum(rate[hard]) - 0.5 * rate[hard]) / total
    v = (np.arange(QUANTILES) + 0.5) / QUANTILES
    share = np.interp(v, cumulative, loss[hard] / energy_kev)
    share *= float((loss * rate)[hard].sum() / (energy_kev * total)) / float(share.mean())
    return share, soft_share


def _electron_transport_per_um(formula: str, energy_kev: float) -> float:
    """Return the first transport coefficient of close collisions with electrons, 1/um.

    After losing W to a free electron: cos^2 theta = (E - W)(E + 2m) / (E (E - W + 2m)).
    """
    shells = oscillators(formula, NOMINAL_G_CM3)
    energy = np.array([energy_kev])
    loss, weight = close_losses(energy, shells)
    rest = np.maximum(energy_kev - loss, 0.0)
    m2 = 2.0 * ELECTRON_REST_KEV
    cosine = np.sqrt(rest * (energy_kev + m2) / (energy_kev * (rest + m2)))
    per_electron = (weight * (1.0 - cosine)).sum(-1)[0]
    return float(close_scale(energy)[0] * (per_electron @ shells.moles_per_g) / UM_PER_CM)


def step_quantiles(sigma: Array, length: float) -> Array:
    """Return the quantiles of sin^2(theta / 2) after a step; ``sigma`` in 1/(um sr)."""
    grid = angle_grid()
    collisions = length * float((grid.weight * sigma).sum())
    g = _legendre_matrix() @ (grid.weight * sigma) * length / collisions
    none = np.exp(-collisions)
    many = np.exp(-collisions * (1.0 - g)) - none - none * collisions * g
    order = np.arange(LEGENDRE_ORDERS)
    density = ((2 * order + 1) / (4.0 * np.pi) * many) @ _legendre_matrix()
    density = np.maximum(density + none * length * sigma, 0.0) * grid.weight
    moving = np.cumsum(density) - 0.5 * density
    moving *= (1.0 - none) / density.sum()
    above = (1.0 - np.linspace(0.0, 1.0, QUANTILES)) ** 3
    t = np.concatenate([[0.0, 0.0], grid.t, [1.0]])
    cumulative = np.concatenate([[0.0, none], none + moving, [1.0]])
    quantile = np.interp(1.0 - above, cumulative, t)
    quantile[-1] = 1.0
    return np.asarray(quantile)
