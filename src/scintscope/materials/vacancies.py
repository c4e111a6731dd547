"""Inner-shell vacancies per element: how often they are made and what they radiate.

Symbols: E photon energy, B binding energy, omega fluorescence yield. Partial photoelectric
cross-sections of Kissel, yields, Coster-Kronig and Auger cascades as xraylib 4 carries them
(Schoonjans et al. 2011, Spectrochim. Acta B 66, 776).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import xraylib
from numpy.typing import NDArray

Array = NDArray[np.float64]

_L_SHELLS = (xraylib.L1_SHELL, xraylib.L2_SHELL, xraylib.L3_SHELL)
_OUTER = xraylib.M5_SHELL
_L3_ALPHA = (xraylib.L3M5_LINE, xraylib.L3M4_LINE, xraylib.L3M1_LINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One fluorescence line, or a group of close ones with their mean energy.

    Parameters
    ----------
    name : str
        Such as ``"K-L"``.
    energy_kev : float
        Mean energy by radiative rate.
    branching : float
        Share of the radiative transitions of the shell (K), or of the L3 shell (L).
    """

    name: str
    energy_kev: float
    branching: float


@dataclass(frozen=True, kw_only=True, slots=True)
class InnerShells:
    """K and L shells of one element.

    Parameters
    ----------
    element : int
        Atomic number.
    k_edge_kev, l_edge_kev : float
        Binding energies; of L the mean over the three shells by photoelectric cross-section.
    outer_edge_kev : float
        A typical binding energy of the shells outside L (M5; 0 where there are none).
    k_yield : float
        Radiative transitions per K vacancy.
    l_per_auger : float
        Mean number of L vacancies that K Auger decay leaves, 2 (KLL) to 0.
    k_lines, l_lines : tuple of Line
        Each in descending energy. The L lines share the photons of all three L shells.
    """

    element: int
    k_edge_kev: float
    l_edge_kev: float
    outer_edge_kev: float
    k_yield: float
    l_per_auger: float
    k_lines: tuple[Line, ...]
    l_lines: tuple[Line, ...]


def _or_zero(call: Callable[..., float], *arguments: float) -> float:
    """Return a tabulated number; 0 where xraylib has none (no such shell, line or vacancy)."""
    try:
        return float(call(*arguments))
    except ValueError:
        return 0.0


@lru_cache(maxsize=128)
def inner_shells(element: int, grouped: bool = True) -> InnerShells:
    """Return the K and L shells of an element.

    Parameters
    ----------
    element : int
        Atomic number.
    grouped : bool
        Join K-L2 and K-L3 to one line of their mean energy. Not grouped: the lines K-L3, K-L2
        and K-M,N.
    """
    k_edge = _or_zero(xraylib.EdgeEnergy, element, xraylib.K_SHELL)
    weights = [_or_zero(xraylib.CS_Photo_Partial, element, s, 2.0 * k_edge) for s in _L_SHELLS]
    edges = [_or_zero(xraylib.EdgeEnergy, element, s) for s in _L_SHELLS]
    total = sum(weights)
    return InnerShells(
        element=element,
        k_edge_kev=k_edge,
        l_edge_kev=float(np.dot(weights, edges)) / total if total else edges[2],
        outer_edge_kev=_or_zero(xraylib.EdgeEnergy, element, _OUTER),
        k_yield=_or_zero(xraylib.FluorYield, element, xraylib.K_SHELL),
        l_per_auger=_l_per_auger(element),
        k_lines=_k_lines(element, grouped),
        l_lines=_l_lines(element),
    )


def _l_per_auger(element: int) -> float:
    """Return the mean number of L vacancies left by K Auger decay; 2 where no rates are known."""
    total, left = 0.0, 0.0
    for first in ("L1", "L2", "L3"):
        names = [n for n in dir(xraylib) if n.startswith(f"K_{first}") and n.endswith("_AUGER")]
        for name in names:
            rate = _or_zero(xraylib.AugerRate, element, getattr(xraylib, name))
            total += rate
            left += rate * (2.0 if name[4] == "L" else 1.0)
    missing = max(1.0 - total, 0.0)
    return left / (total + missing) if total else 2.0


def _k_lines(element: int, grouped: bool) -> tuple[Line, ...]:
    """Return the K lines, K-M,N first."""
    parts = {
        "K-M": xraylib.KB_LINE,
        "K-L3": xraylib.KL3_LINE,
        "K-L2": xraylib.KL2_LINE,
    }
    lines = [
        Line(
            name=name,
            energy_kev=_or_zero(xraylib.LineEnergy, element, code),
            branching=_or_zero(xraylib.RadRate, element, code),
        )
        for name, code in parts.items()
    ]
    lines = [line for line in lines if line.branching > 0.0]
    if not grouped:
        return tuple(lines)
    alpha = [line for line in lines if line.name != "K-M"]
    return (*(line for line in lines if line.name == "K-M"), *_joined("K-L", alpha))


def _joined(name: str, lines: list[Line]) -> tuple[Line, ...]:
    """Return lines as one with their mean energy."""
    share = sum(line.branching for line in lines)
    if not share:
        return ()
    mean = sum(line.branching * line.energy_kev for line in lines) / share
    return (Line(name=name, energy_kev=mean, branching=share),)


def _l_lines(element: int) -> tuple[Line, ...]:
    """Return the two groups of L lines: L3-M, and everything else (L2, L1, L3-N)."""
    alpha = [
        Line(
            name="L3-M",
            energy_kev=_or_zero(xraylib.LineEnergy, element, code),
            branching=_or_zero(xraylib.RadRate, element, code),
        )
        for code in _L3_ALPHA
    ]
    joined = _joined("L3-M", [line for line in alpha if line.branching > 0.0])
    beta = _or_zero(xraylib.LineEnergy, element, xraylib.LB_LINE)
    if not joined or not beta:
        return ()
    rest = Line(name="L-other", energy_kev=beta, branching=1.0 - joined[0].branching)
    return tuple(sorted((*joined, rest), key=lambda line: -line.energy_kev))


def partial_photoelectric_cm2_g(element: int, shell: str, energy_kev: Array) -> Array:
    """Return the photoelectric cross-section of a shell, cm2 per g of the element.

    Parameters
    ----------
    element : int
        Atomic number.
    shell : {"K", "L"}
        L is the sum over its three shells.
    energy_kev : (E,) array
        Photon energies.
    """
    codes = (xraylib.K_SHELL,) if shell == "K" else _L_SHELLS
    return np.array(
        [
            sum(_or_zero(xraylib.CS_Photo_Partial, element, code, float(e)) for code in codes)
            for e in energy_kev
        ]
    )


def l_photons_cm2_g(element: int, energy_kev: Array) -> dict[str, Array]:
    """Return the production of L photons, cm2 per g of the element, by where the vacancy is from.

    Returns
    -------
    dict
        ``"direct"`` (photoelectric in L, Coster-Kronig included), ``"radiative"`` (left by a
        K-L line) and ``"auger"`` (left by K Auger decay); each an (E, 2) array: photons of L3-M,
        and all other L photons.
    """
    alpha = next((x.branching for x in _l_lines(element) if x.name == "L3-M"), 0.0)
    pure = _l_shells(xraylib.CS_FluorShell_Kissel_no_Cascade, element, energy_kev)
    radiative = _l_shells(xraylib.CS_FluorShell_Kissel_Radiative_Cascade, element, energy_kev)
    full = _l_shells(xraylib.CS_FluorShell_Kissel_Cascade, element, energy_kev)
    parts = {"direct": pure, "radiative": radiative - pure, "auger": full - radiative}
    return {
        name: np.maximum(
            np.stack([alpha * x[:, 2], x[:, 0] + x[:, 1] + (1.0 - alpha) * x[:, 2]], axis=1), 0.0
        )
        for name, x in parts.items()
    }


def _l_shells(call: Callable[..., float], element: int, energy_kev: Array) -> Array:
    """Return a cross-section per L shell, (E, 3)."""
    return np.array([[_or_zero(call, element, s, float(e)) for s in _L_SHELLS] for e in energy_kev])


def photoelectric_cm2_g(element: int, energy_kev: Array) -> Array:
    """Return the photoelectric cross-section of an element, cm2/g, all shells."""
    return np.array([float(xraylib.CS_Photo(element, float(e))) for e in energy_kev])
