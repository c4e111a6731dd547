"""Scintillators: what is needed of each to turn X-rays into light."""

from __future__ import annotations

from dataclasses import dataclass

from scintscope.errors import check_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Scintillator:
    """A transparent scintillator.

    Parameters
    ----------
    name, formula : str
        As in the scenario; chemical formula of the host.
    density_g_cm3, refractive_index : float
        Refractive index at the emission wavelength.
    emission_um : float
        Wavelength that stands for the emission band.
    photons_per_kev : float
        Light yield.
    """

    name: str
    formula: str
    density_g_cm3: float
    refractive_index: float
    emission_um: float
    photons_per_kev: float

    def __post_init__(self) -> None:
        check_range(
            f"{self.name}: density_g_cm3", self.density_g_cm3, low=0.1, high=25.0, unit="g/cm3"
        )
        check_range(f"{self.name}: refractive_index", self.refractive_index, low=1.0, high=4.0)
        check_range(f"{self.name}: emission_um", self.emission_um, low=0.2, high=1.2, unit="um")
        check_range(
            f"{self.name}: photons_per_kev", self.photons_per_kev, low=0.0, high=500.0, unit="1/keV"
        )
