"""What a material is made of: mass fractions from a formula or a NIST compound name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import xraylib

from scintscope.errors import InputError, check_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Absorber:
    """A homogeneous material as X-rays see it.

    Parameters
    ----------
    name : str
        As in the scenario.
    formula : str
        Chemical formula (``"Y3Al5O12"``) or the name of a compound in the NIST list that
        xraylib carries (``"Bone, Cortical (ICRP)"``).
    density_g_cm3 : float
        Mass density.

    Raises
    ------
    InputError
        If neither reading of ``formula`` works, or the density is out of range.
    """

    name: str
    formula: str
    density_g_cm3: float

    def __post_init__(self) -> None:
        check_range(
            f"materials.{self.name}.density_g_cm3",
            self.density_g_cm3,
            low=1e-5,
            high=25.0,
            unit="g/cm3",
        )
        mass_fractions(self.formula)


@lru_cache(maxsize=256)
def mass_fractions(formula: str) -> tuple[tuple[int, float], ...]:
    """Return (atomic number, mass fraction) pairs of a formula or NIST compound name.

    Raises
    ------
    InputError
        If the text is neither.
    """
    if formula in xraylib.GetCompoundDataNISTList():
        data = xraylib.GetCompoundDataNISTByName(formula)
    else:
        try:
            data = xraylib.CompoundParser(formula)
        except ValueError as error:
            raise InputError(
                f"formula = {formula!r} is neither a chemical formula such as 'Y3Al5O12' nor the "
                f"name of a NIST compound ({error})."
            ) from error
    return tuple(zip(data["Elements"], data["massFractions"], strict=True))
