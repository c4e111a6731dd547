"""Atoms as an electron meets them: screening of the nucleus and mean excitation energy."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from scintscope.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Atom:
    """One element.

    Parameters
    ----------
    z : int
        Atomic number.
    excitation_kev : float
        Mean excitation energy of the pure element (ICRU Report 37, 1984).
    excitation_in_compound_kev : float
        The same of the atom in a solid or liquid compound (ICRU Report 37, table 5.1: six light
        elements by name, 1.13 times the element's value for the others).
    strength, rate_per_bohr : tuple of three float
        Screening function sum A exp(-alpha r) of the nucleus (Salvat et al. 1987, Phys. Rev. A
        36, 467), alpha in inverse Bohr radii.
    """

    z: int
    excitation_kev: float
    excitation_in_compound_kev: float
    strength: tuple[float, float, float]
    rate_per_bohr: tuple[float, float, float]


def atom(element: int) -> Atom:
    """Return the data of an element.

    Raises
    ------
    InputError
        If the atomic number is not 1 to 92.
    """
    table = _atoms()
    if element not in table:
        raise InputError(
            f"element {element} is outside the allowed range [1, 92] of the electron transport. "
            'Use a material of lighter elements or set effects.electrons = "local".'
        )
    return table[element]


@lru_cache(maxsize=1)
def _atoms() -> dict[int, Atom]:
    text = resources.files("scintscope.electrons").joinpath("tables/atoms.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    atoms = {}
    for row in rows:
        a1, a2 = float(row["a1"]), float(row["a2"])
        z = int(row["z"])
        atoms[z] = Atom(
            z=z,
            excitation_kev=float(row["i_element_ev"]) * 1e-3,
            excitation_in_compound_kev=float(row["i_in_compound_ev"]) * 1e-3,
            strength=(a1, a2, 1.0 - a1 - a2),
            rate_per_bohr=(float(row["alpha1"]), float(row["alpha2"]), float(row["alpha3"])),
        )
    return atoms
