"""Slowing down: stopping power and range of electrons in a compound.

The electrons of the compound are oscillators, one per subshell (Liljequist 1983, J. Phys. D 16,
1567; Salvat, PENELOPE-2018, NEA/MBDAV/R(2019)1, sec. 3.2): a subshell of f electrons bound by U
resonates at W, and an electron of kinetic energy E loses to it

- in distant collisions W each time, f [ln(W (Q + 2m) / (Q (W + 2m))) + ln(gamma^2) - beta^2],
  where Q is the least recoil energy at energy loss W;
- in close collisions W' > W with free electrons (Moller 1932),

both only if E is enough to ionise it. The resonances W^2 = (a U)^2 + (2/3) f / Z Wp^2 (Sternheimer
1952) share one factor a, set so that their logarithmic mean is the mean excitation energy I. At
high energy this is the Bethe formula; below the K and L edges of heavy elements, where Bethe's
formula fails, the inner subshells fall silent one by one. Left out: the density effect (at most 1 %
at 300 keV, nothing below 100 keV) and bremsstrahlung (0.5 % of the loss at 30 keV in Lu, 3 % at
300 keV).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from scintscope.electrons.atoms import atom
from scintscope.materials.shells import atomic_shells, moles_per_gram
from scintscope.units import ELECTRON_REST_KEV

Array = NDArray[np.float64]

LOSS_CONSTANT_KEV_CM2_MOL = 153.5375
"""2 pi N_A r_e^2 m c^2 = 0.1535375 MeV cm2/mol (CODATA 2018), in keV cm2/mol."""

PLASMA_KEV2 = 8.30447e-4
"""Square of the plasma energy, keV^2, of 1 mol/cm3 of electrons: (28.8176 eV)^2."""

VALENCE_KEV = 0.013
"""Subshells bound more weakly than this are taken as valence electrons: one oscillator."""

_CLOSE_NODES = 48


@dataclass(frozen=True, kw_only=True, slots=True)
class Oscillators:
    """The electrons of a compound, one entry per oscillator, per gram.

    Parameters
    ----------
    moles_per_g : (K,) array
        Electrons of each oscillator.
    binding_kev, resonance_kev : (K,) arrays
        Ionisation threshold U and resonance W.
    """

    moles_per_g: Array
    binding_kev: Array
    resonance_kev: Array


def mean_excitation_kev(formula: str) -> float:
    """Return I of a compound: Bragg's rule, ln I = sum n Z ln I_Z / sum n Z.

    Atoms of a compound take the value for condensed compounds, a pure element its own
    (ICRU Report 37, 1984, sec. 5).
    """
    atoms = moles_per_gram(formula)
    weight = np.array([z * moles for z, moles in atoms])
    if len(atoms) == 1:
        return atom(atoms[0][0]).excitation_kev
    values = np.array([atom(z).excitation_in_compound_kev for z, _ in atoms])
    return float(np.exp((weight * np.log(values)).sum() / weight.sum()))


def oscillators(
    formula: str, density_g_cm3: float, excitation_kev: float | None = None
) -> Oscillators:
    """Return the oscillators of a compound, with resonances that give its I.

    Parameters
    ----------
    formula : str
        Compound.
    density_g_cm3 : float
        Sets the plasma energy of the valence electrons.
    excitation_kev : float, optional
        Mean excitation energy I; None takes `mean_excitation_kev`.
    """
    moles, binding = [], []
    valence = 0.0
    for z, atoms in moles_per_gram(formula):
        for energy_kev, electrons in atomic_shells(z):
            if energy_kev < VALENCE_KEV:
                valence += electrons * atoms
            else:
                moles.append(electrons * atoms)
                binding.append(energy_kev)
    f = np.array([valence, *moles])
    u = np.array([0.0, *binding])
    keep = f > 0.0
    f, u = f[keep], u[keep]
    plasma = PLASMA_KEV2 * density_g_cm3 * f
    share = f / f.sum()
    goal = np.log(excitation_kev or mean_excitation_kev(formula))

    def resonance(factor: float) -> Array:
        return np.asarray(np.sqrt((factor * u) ** 2 + np.where(u > 0.0, 2.0 / 3.0, 1.0) * plasma))

    def excess(factor: float) -> float:
        return float(share @ np.log(resonance(factor)) - goal)

    factor = brentq(excess, 1e-3, 1e3)
    return Oscillators(moles_per_g=f, binding_kev=u, resonance_kev=resonance(float(factor)))


def stopping_power_kev_cm2_g(
    formula: str, density_g_cm3: float, energy_kev: Array, excitation_kev: float | None = None
) -> Array:
    """Return the collision stopping power, keV cm2/g, shape of ``energy_kev``.

    Parameters
    ----------
    formula : str
        Compound.
    density_g_cm3 : float
        Sets the plasma energy; its effect on mass stopping is below 1 %.
    energy_kev : (E,) array
        Kinetic energies.
    excitation_kev : float, optional
        Mean excitation energy I; None takes `mean_excitation_kev`.
    """
    shells = oscillators(formula, density_g_cm3, excitation_kev)
    energy = np.atleast_1d(np.asarray(energy_kev, dtype=np.float64))[:, None]
    loss, weight = close_losses(energy[:, 0], shells)
    per_electron = _distant(energy, shells) + (weight * loss).sum(-1)
    return np.asarray(close_scale(energy[:, 0]) * (per_electron @ shells.moles_per_g))


def loss_spectrum(energy_kev: float, shells: Oscillators) -> tuple[Array, Array]:
    """Return single energy losses, keV, and their rates per mass thickness, g/cm2, at one energy.

    Distant collisions are lines at the resonances; close collisions are given at the nodes of a
    quadrature. The sum of loss times rate is the stopping power.

    Returns
    -------
    loss_kev, rate_cm2_g : (M,) arrays
        Sorted by loss.
    """
    energy = np.array([[energy_kev]])
    loss, weight = close_losses(energy[:, 0], shells)
    lines = _distant(energy, shells)[0] / shells.resonance_kev
    losses = np.concatenate([shells.resonance_kev, loss[0].ravel()])
    per_electron = np.concatenate(
        [lines * shells.moles_per_g, (weight[0] * shells.moles_per_g[:, None]).ravel()]
    )
    rates = close_scale(energy[:, 0])[0] * per_electron
    order = np.argsort(losses, kind="stable")
    seen = order[rates[order] > 0.0]
    return losses[seen], rates[seen]


def close_scale(energy_kev: Array) -> Array:
    """Return 2 pi e^4 N_A / (m v^2), keV cm2/mol."""
    gamma = 1.0 + energy_kev / ELECTRON_REST_KEV
    return np.asarray(LOSS_CONSTANT_KEV_CM2_MOL / (1.0 - gamma**-2))


def _distant(energy: Array, shells: Oscillators) -> Array:
    """Return the loss in distant collisions per electron, in `close_scale`, shape (E, K)."""
    m = ELECTRON_REST_KEV
    w = shells.resonance_kev[None, :]
    open_ = energy > np.maximum(w, shells.binding_kev)
    loss = np.where(open_, w, 0.5 * energy)
    before = np.sqrt(energy * (energy + 2.0 * m))
    after = np.sqrt((energy - loss) * (energy - loss + 2.0 * m))
    momentum2 = (before - after) ** 2
    recoil = momentum2 / (np.sqrt(momentum2 + m * m) + m)
    gamma = 1.0 + energy / m
    longitudinal = np.log(loss * (recoil + 2.0 * m) / (recoil * (loss + 2.0 * m)))
    transverse = np.log(gamma**2) - (1.0 - gamma**-2)
    return np.asarray(np.where(open_ & (loss > recoil), longitudinal + transverse, 0.0))


def close_losses(energy_kev: Array, shells: Oscillators) -> tuple[Array, Array]:
    """Return energy losses W and weights of close collisions, each (E, K, Q).

    The sum over the last axis of weight * g(W), times `close_scale`, is the integral of g(W) over
    the Moller cross-section per mole of electrons, in keV cm2/mol times the unit of g over keV.
    """
    energy = np.asarray(energy_kev, dtype=np.float64).reshape(-1, 1, 1)
    u = shells.binding_kev[None, :, None]
    low = np.maximum(shells.resonance_kev, shells.binding_kev)[None, :, None]
    high = np.where(energy > u, 0.5 * (energy + u), 0.0)
    is_open = high > low
    x, weight = np.polynomial.legendre.leggauss(_CLOSE_NODES)
    span = np.log(np.where(is_open, high / low, 1.0))
    w = low * np.exp(span * 0.5 * (x + 1.0))
    total = energy + u
    ratio = np.where(is_open, w / np.where(is_open, total - w, 1.0), 0.0)
    a = (energy / (energy + ELECTRON_REST_KEV)) ** 2
    moller = 1.0 + ratio**2 - ratio + a * (ratio + (w / total) ** 2)
    return np.broadcast_to(w, moller.shape), np.where(
        is_open, weight * 0.5 * span * moller / w, 0.0
    )
