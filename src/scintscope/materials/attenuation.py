"""X-ray cross-sections per material: the only door to xraylib's tables.

Symbols: E photon energy, mu linear attenuation. Mass coefficients come from xraylib 4 (Schoonjans
et al. 2011, Spectrochim. Acta B 66, 776), whose totals are those of XCOM; partial photoelectric
cross-sections from Kissel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xraylib
from numpy.typing import NDArray

from scintscope.errors import check_range
from scintscope.materials.composition import mass_fractions
from scintscope.units import ELECTRON_REST_KEV, attenuation_per_um

Array = NDArray[np.float64]

LOWEST_KEV, HIGHEST_KEV = 1.0, 300.0

_SHELLS = {
    "K": (xraylib.K_SHELL,),
    "L": (xraylib.L1_SHELL, xraylib.L2_SHELL, xraylib.L3_SHELL),
    "M": (
        xraylib.M1_SHELL,
        xraylib.M2_SHELL,
        xraylib.M3_SHELL,
        xraylib.M4_SHELL,
        xraylib.M5_SHELL,
    ),
}
_LINES = {
    "K": (xraylib.KL3_LINE, xraylib.KL2_LINE, xraylib.KB_LINE),
    "L": (xraylib.LA_LINE, xraylib.LB_LINE),
}


class Composed(Protocol):
    """Anything with a formula and a density."""

    @property
    def formula(self) -> str:
        """Chemical formula or NIST compound name."""
        ...

    @property
    def density_g_cm3(self) -> float:
        """Mass density."""
        ...


def _per_um(material: Composed, energy_kev: Array, cross: Callable[[int, float], float]) -> Array:
    """Sum a mass cross-section over the elements; result in 1/um, shape of ``energy_kev``."""
    energies = np.atleast_1d(np.asarray(energy_kev, dtype=np.float64))
    check_range("energy_kev", float(energies.min()), low=LOWEST_KEV, high=HIGHEST_KEV, unit="keV")
    check_range("energy_kev", float(energies.max()), low=LOWEST_KEV, high=HIGHEST_KEV, unit="keV")
    total = np.zeros(energies.shape)
    for element, fraction in mass_fractions(material.formula):
        total += fraction * np.array([cross(element, float(e)) for e in energies])
    return np.asarray(attenuation_per_um(total, material.density_g_cm3))  # type: ignore[arg-type]


def total_per_um(material: Composed, energy_kev: Array) -> Array:
    """Return the total attenuation mu(E), Rayleigh included, 1/um, shape of ``energy_kev``."""
    return _per_um(material, energy_kev, xraylib.CS_Total)


def photoelectric_per_um(material: Composed, energy_kev: Array) -> Array:
    """Return the photoelectric part of mu(E), 1/um."""
    return _per_um(material, energy_kev, xraylib.CS_Photo)


def compton_per_um(material: Composed, energy_kev: Array) -> Array:
    """Return the incoherent part of mu(E), 1/um."""
    return _per_um(material, energy_kev, xraylib.CS_Compt)


def rayleigh_per_um(material: Composed, energy_kev: Array) -> Array:
    """Return the coherent part of mu(E), 1/um."""
    return _per_um(material, energy_kev, xraylib.CS_Rayl)


def energy_absorption_per_um(material: Composed, energy_kev: Array) -> Array:
    """Return mu_en(E), 1/um: the Hubbell and Seltzer tables that xraylib carries (a check)."""
    return _per_um(material, energy_kev, xraylib.CS_Energy)


def absorption_edges_kev(
    material: Composed, low_kev: float, high_kev: float, shells: str = "KL"
) -> Array:
    """Return the edges of a material's elements between two energies, sorted, keV.

    Of the K and L shells; M edges too if ``shells`` says so.
    """
    edges = set()
    for element, _ in mass_fractions(material.formula):
        for shell in (number for name in shells for number in _SHELLS[name]):
            try:
                edges.add(float(xraylib.EdgeEnergy(element, shell)))
            except ValueError:  # light elements have no such shell
                continue
    return np.array(sorted(e for e in edges if low_kev < e < high_kev))


def edges_of(materials: Iterable[Composed]) -> tuple[float, ...]:
    """Return the K, L and M edges of several materials within the tables' range, sorted, keV."""
    found = {
        float(edge)
        for material in materials
        for edge in absorption_edges_kev(material, LOWEST_KEV, HIGHEST_KEV, "KLM")
    }
    return tuple(sorted(found))


def mean_compton_fraction(energy_kev: Array) -> Array:
    """Return the mean fraction of the photon's energy a Compton electron takes, <T>/E.

    Klein-Nishina: sigma_tr / sigma by quadrature over the scattering angle (Evans 1955, ch. 23).
    """
    energies = np.atleast_1d(np.asarray(energy_kev, dtype=np.float64))[:, None]
    cosine, weight = np.polynomial.legendre.leggauss(64)
    ratio = 1.0 / (1.0 + energies / ELECTRON_REST_KEV * (1.0 - cosine))
    sigma = ratio**2 * (ratio + 1.0 / ratio - (1.0 - cosine**2)) * weight
    return np.asarray((sigma * (1.0 - ratio)).sum(1) / sigma.sum(1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Escape:
    """One fluorescence line: how often a photon of energy E makes it, per um, and its energy."""

    line_kev: float
    rate_per_um: Array


def fluorescence_lines(
    material: Composed, energy_kev: Array, shells: tuple[str, ...] = ("K",)
) -> tuple[Escape, ...]:
    """Return the fluorescence lines that photons of the given energies excite.

    Shell cross-section times fluorescence yield times branching ratio (Kissel partial
    cross-sections; L lines with the vacancies that K lines and Auger decay leave behind).

    Parameters
    ----------
    material : Composed
        Formula and density.
    energy_kev : (E,) array
        Photon energies, keV.
    shells : tuple of {"K", "L"}
        Shells whose photons are wanted.

    Returns
    -------
    tuple of Escape
        One entry per line that any of the energies excites; ``rate_per_um`` has shape (E,).
    """
    energies = np.atleast_1d(np.asarray(energy_kev, dtype=np.float64))
    lines = []
    for element, fraction in mass_fractions(material.formula):
        for shell in shells:
            for line in _LINES[shell]:
                rate = np.array([_line_cross_section(element, line, float(e)) for e in energies])
                if rate.any():
                    per_um = attenuation_per_um(fraction * rate, material.density_g_cm3)  # type: ignore[arg-type]
                    lines.append(
                        Escape(
                            line_kev=float(xraylib.LineEnergy(element, line)),
                            rate_per_um=np.asarray(per_um),
                        )
                    )
    return tuple(lines)


def _line_cross_section(element: int, line: int, energy_kev: float) -> float:
    """Return the production cross-section of a line, cm2/g; 0 where it cannot be excited."""
    try:
        return float(xraylib.CS_FluorLine_Kissel_Cascade(element, line, energy_kev))
    except ValueError:
        return 0.0
