"""Elastic scattering of electrons by atoms: Mott's cross-section from Dirac partial waves.

The electron moves in the static field of the atom, V = -(Z alpha / r) sum A exp(-a r) (screening
of Salvat et al. 1987, Phys. Rev. A 36, 467). The radial Dirac equation is integrated outwards for
every partial wave (Magnus's method, fourth order) and matched to free waves, which gives the phase
shifts; the amplitudes f and g follow (Mott and Massey 1965, ch. IX; Salvat, Jablonski, Powell
2005, Comput. Phys. Commun. 165, 157, eqs. 1-4), and d sigma / d Omega = |f|^2 + |g|^2. Nothing is
fitted. Left out: exchange with the atom's electrons, its polarisation, the neighbours in the solid
(all below about 1 keV), the size of the nucleus.

Natural units inside this module: energy m c^2, length the reduced Compton wavelength.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import spherical_jn, spherical_yn

from scintscope.electrons.atoms import Atom, atom
from scintscope.units import ELECTRON_REST_KEV

Array = NDArray[np.float64]

FINE_STRUCTURE = 7.2973525693e-3
"""Fine-structure constant (CODATA 2018)."""

COMPTON_CM = 3.8615926796e-11
"""Reduced Compton wavelength, cm (CODATA 2018)."""

ANGLE_NODES = 1200
"""Gauss-Legendre nodes in v, sin^2(theta / 2) = v^4."""

_TAIL_PHASE = 1e-4
_LOG_STEP, _PHASE_STEP = 0.03, 0.5
_START = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class AngleGrid:
    """Nodes of the scattering angle.

    Parameters
    ----------
    t : (Q,) array
        sin^2(theta / 2) = (1 - cos theta) / 2.
    weight : (Q,) array
        Weights of the solid angle: sum weight * g = integral of g over d Omega.
    """

    t: Array
    weight: Array


def angle_grid() -> AngleGrid:
    """Return the nodes on which cross-sections are given, denser towards forward angles."""
    x, w = np.polynomial.legendre.leggauss(ANGLE_NODES)
    v = 0.5 * (x + 1.0)
    return AngleGrid(t=v**4, weight=4.0 * np.pi * 0.5 * w * 4.0 * v**3)


def legendre_series(t: Array, coefficients: Array) -> Array:
    """Return sum_l c_l P_l(1 - 2 t) for several sets of coefficients.

    Parameters
    ----------
    t : (Q,) array
        sin^2(theta / 2).
    coefficients : (S, L) array
        May be complex.

    Returns
    -------
    (S, Q) array
    """
    mu = 1.0 - 2.0 * t
    before, now = np.ones_like(mu), mu
    total = coefficients[:, :1] * before
    for order in range(1, coefficients.shape[1]):
        total = total + coefficients[:, order : order + 1] * now
        before, now = now, ((2 * order + 1) * mu * now - order * before) / (order + 1)
    return np.asarray(total)


def mott_cross_section_cm2(element: int, energy_kev: float, grid: AngleGrid) -> Array:
    """Return d sigma / d Omega, cm2/sr, on the angle grid.

    Parameters
    ----------
    element : int
        Atomic number, 1 to 92.
    energy_kev : float
        Kinetic energy, 0.1 to 300 keV.
    grid : AngleGrid
        Scattering angles.

    Returns
    -------
    (Q,) array
    """
    wave_number, up, down = phase_shifts(atom(element), energy_kev)
    order = np.arange(up.size)
    plus, minus = np.exp(2j * up) - 1.0, np.exp(2j * down) - 1.0
    direct = (order + 1) * plus + order * minus
    flip = minus - plus
    # P_l^1 = sin(theta) P_l'; (1 - mu^2) P_l' = l (l + 1) (P_{l-1} - P_{l+1}) / (2 l + 1)
    weight = flip * order * (order + 1) / (2 * order + 1)
    shifted = np.zeros(up.size + 1, dtype=complex)
    shifted[:-2] += weight[1:]
    shifted[2:] -= weight[1:]
    series = np.zeros((2, up.size + 1), dtype=complex)
    series[0, :-1], series[1] = direct, shifted
    f, g = legendre_series(grid.t, series)
    g = g / np.sqrt(4.0 * grid.t * (1.0 - grid.t))
    amplitude2 = (np.abs(f) ** 2 + np.abs(g) ** 2) / (4.0 * wave_number**2)
    return np.asarray(amplitude2 * COMPTON_CM**2)


def phase_shifts(target: Atom, energy_kev: float) -> tuple[float, Array, Array]:
    """Return the wave number and the phase shifts of j = l + 1/2 and j = l - 1/2.

    Returns
    -------
    wave_number : float
        In inverse reduced Compton wavelengths.
    up, down : (L,) arrays
        Phase shifts modulo pi, rad; ``down[0]`` is 0 (there is no such wave).
    """
    energy = 1.0 + energy_kev / ELECTRON_REST_KEV
    k = float(np.sqrt(energy**2 - 1.0))
    edges = _radial_grid(target, energy, k)
    radius = float(edges[-1])
    order = np.arange(int(k * radius) + 1)
    kappa = np.concatenate([-(order + 1.0), order[1:].astype(float)])
    ratio = _integrate(target, energy, kappa, edges)
    waves = np.concatenate([order, order[1:]])
    partner = np.where(kappa < 0, waves + 1, waves - 1)
    c = np.where(kappa < 0, -1.0, 1.0) * k / (energy + 1.0)
    x = k * radius
    j, n = spherical_jn(waves, x), spherical_yn(waves, x)
    j_bar, n_bar = spherical_jn(partner, x), spherical_yn(partner, x)
    shift = np.arctan((ratio * j - c * j_bar) / (ratio * n - c * n_bar))
    return k, shift[: order.size], np.concatenate([[0.0], shift[order.size :]])


def _potential(target: Atom, radius: Array) -> Array:
    """Return V in units of m c^2; radius in reduced Compton wavelengths."""
    rates = np.array(target.rate_per_bohr) * FINE_STRUCTURE
    screen = np.array(target.strength) @ np.exp(-rates[:, None] * radius[None, :])
    return np.asarray(-target.z * FINE_STRUCTURE / radius * screen)


def _radial_grid(target: Atom, energy: float, k: float) -> Array:
    """Return step edges: logarithmic near the nucleus, then a fixed part of a wavelength.

    The grid ends where the phase still to be gained, V W r / k, falls below 1e-4.
    """
    far = np.geomspace(10.0, 2e4, 2000)
    open_phase = np.abs(_potential(target, far)) * energy / k * far
    end = float(far[np.flatnonzero(open_phase > _TAIL_PHASE)[-1]])
    turn = min(_PHASE_STEP / (_LOG_STEP * k), end / 2.0)
    inner = np.geomspace(_START, turn, int(np.log(turn / _START) / _LOG_STEP) + 2)
    outer = np.linspace(turn, end, int((end - turn) * k / _PHASE_STEP) + 2)
    return np.concatenate([inner, outer[1:]])


def _integrate(target: Atom, energy: float, kappa: Array, edges: Array) -> Array:
    """Return F / G of every partial wave at the last edge."""
    za = target.z * FINE_STRUCTURE
    gamma = np.sqrt(kappa**2 - za**2)
    g = np.where(kappa < 0, gamma - kappa, za)
    f = np.where(kappa < 0, -za, kappa + gamma)
    step = np.diff(edges)
    offset = 0.5 * step / np.sqrt(3.0)
    middle = 0.5 * (edges[1:] + edges[:-1])
    first, second = middle - offset, middle + offset
    v1, v2 = _potential(target, first), _potential(target, second)
    root = np.sqrt(3.0) / 12.0
    for i, h in enumerate(step):
        p1, p2 = -kappa / first[i], -kappa / second[i]
        q1, q2 = energy - v1[i] + 1.0, energy - v2[i] + 1.0
        s1, s2 = q1 - 2.0, q2 - 2.0
        c = root * h * h
        p = 0.5 * h * (p1 + p2) + c * (q1 * s2 - q2 * s1)
        q = 0.5 * h * (q1 + q2) + 2.0 * c * (p2 * q1 - p1 * q2)
        s = -0.5 * h * (s1 + s2) - 2.0 * c * (s2 * p1 - s1 * p2)
        d = p * p + q * s
        size = np.sqrt(np.abs(d))
        growing = d > 0.0
        # exp of a traceless matrix, divided by cosh where it grows: only F / G is wanted
        slope = np.where(growing, np.tanh(size), np.sin(size)) / np.maximum(size, 1e-30)
        even = np.where(growing, 1.0, np.cos(size))
        g, f = even * g + slope * (p * g + q * f), even * f + slope * (s * g - p * f)
        scale = 1.0 / (np.abs(g) + np.abs(f))
        g, f = g * scale, f * scale
    return np.asarray(f / g)
