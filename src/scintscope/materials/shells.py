"""Atomic shells: how many electrons an element binds, and how strongly.

Binding energies and configurations come from xraylib 4 (Schoonjans et al. 2011, Spectrochim.
Acta B 66, 776), the same tables as the absorption edges.
"""

from __future__ import annotations

from functools import lru_cache

import xraylib

from scintscope.materials.composition import mass_fractions

_SHELLS = tuple(
    getattr(xraylib, f"{name}_SHELL")
    for name in (
        *("K", "L1", "L2", "L3", "M1", "M2", "M3", "M4", "M5"),
        *("N1", "N2", "N3", "N4", "N5", "N6", "N7"),
        *("O1", "O2", "O3", "O4", "O5", "O6", "O7"),
        *("P1", "P2", "P3", "P4", "P5", "Q1", "Q2", "Q3"),
    )
)


@lru_cache(maxsize=128)
def atomic_shells(element: int) -> tuple[tuple[float, float], ...]:
    """Return (binding energy in keV, electrons) of each occupied subshell of a neutral atom.

    A subshell without a tabulated edge (the outermost) has binding energy 0.

    Parameters
    ----------
    element : int
        Atomic number.

    Returns
    -------
    tuple of (float, float)
        Electrons summed to the atomic number.
    """
    shells = []
    for shell in _SHELLS:
        try:
            electrons = float(xraylib.ElectronConfig(element, shell))
        except ValueError:
            continue
        try:
            binding_kev = float(xraylib.EdgeEnergy(element, shell))
        except ValueError:
            binding_kev = 0.0
        if electrons > 0.0:
            shells.append((binding_kev, electrons))
    total = sum(electrons for _, electrons in shells)
    return tuple((binding, electrons * element / total) for binding, electrons in shells)


def moles_per_gram(formula: str) -> tuple[tuple[int, float], ...]:
    """Return (atomic number, moles of atoms per gram of the material) for each element."""
    return tuple(
        (element, fraction / float(xraylib.AtomicWeight(element)))
        for element, fraction in mass_fractions(formula)
    )
