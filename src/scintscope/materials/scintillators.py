"""Scintillators and other clear crystals: what is needed of each to turn X-rays into light."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from scintscope.errors import InputError, check_range
from scintscope.materials.emission_bands import EmissionBand, single_line
from scintscope.materials.optical import refractive_index as index_of
from scintscope.units import NM_PER_UM

Dispersion = str | tuple[tuple[float, float], ...]
"""Name of a known index formula, or a table of (wavelength in nm, index)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scintillator:
    """A transparent scintillator, or with a light yield of zero a clear crystal.

    Parameters
    ----------
    name, formula : str
        As in the scenario; chemical formula of the host.
    density_g_cm3, refractive_index : float
        Refractive index at the emission wavelength.
    emission_um : float
        Wavelength that stands for the emission band.
    photons_per_kev : float
        Light yield; 0 is an inert crystal.
    emission_band : EmissionBand or None
        Spectrum of the light; None is all light at ``emission_um``.
    yield_uncertainty : float
        Relative standard uncertainty of the light yield.
    decay_ns : float or None
        Main decay time; None is unknown.
    afterglow : float or None
        Share of the light's intensity left after 6 ms; None is unknown.
    dispersion : str, tuple of (float, float), or None
        Name of a known index formula, or pairs (nm, index), linear between; None is a constant
        index.
    sources : tuple of (str, str)
        Where each number comes from, by the name of its field.

    Raises
    ------
    InputError
        If a number is out of range, the dispersion unknown, or its table not rising.
    """

    name: str
    formula: str
    density_g_cm3: float
    refractive_index: float
    emission_um: float
    photons_per_kev: float
    emission_band: EmissionBand | None = None
    yield_uncertainty: float = 0.15
    decay_ns: float | None = None
    afterglow: float | None = None
    dispersion: Dispersion | None = None
    sources: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        check_range(
            f"{self.name}: density_g_cm3", self.density_g_cm3, low=0.1, high=25.0, unit="g/cm3"
        )
        check_range(f"{self.name}: refractive_index", self.refractive_index, low=1.0, high=4.0)
        check_range(f"{self.name}: emission_um", self.emission_um, low=0.2, high=1.2, unit="um")
        check_range(
            f"{self.name}: photons_per_kev", self.photons_per_kev, low=0.0, high=500.0, unit="1/keV"
        )
        check_range(f"{self.name}: yield_uncertainty", self.yield_uncertainty, low=0.0, high=1.0)
        if self.decay_ns is not None:
            check_range(
                f"{self.name}: decay_ns",
                self.decay_ns,
                low=0.0,
                low_open=True,
                high=1e9,
                unit="ns",
            )
        if self.afterglow is not None:
            check_range(f"{self.name}: afterglow", self.afterglow, low=0.0, high=1.0)
        check_dispersion(f"{self.name}: dispersion", self.dispersion, self.emission_um)

    @property
    def band(self) -> EmissionBand:
        """The emission band; a single line where no spectrum is known."""
        if self.emission_band is None:
            return single_line(self.emission_um * NM_PER_UM)
        return self.emission_band

    @property
    def is_luminescent(self) -> bool:
        """Whether X-rays make light in it."""
        return self.photons_per_kev > 0.0

    def index_at(self, wavelength_um: float) -> float:
        """Return the refractive index at a vacuum wavelength.

        Raises
        ------
        InputError
            If the wavelength lies outside the dispersion's range.
        """
        if self.dispersion is None:
            return self.refractive_index
        return dispersed_index(self.dispersion, wavelength_um)

    def source(self, field_name: str) -> str:
        """Return where a number comes from, or "not stated"."""
        return dict(self.sources).get(field_name, "not stated")


def dispersed_index(dispersion: Dispersion, wavelength_um: float) -> float:
    """Return the index of a formula's name or of a table (nm, index) at a wavelength.

    Raises
    ------
    InputError
        If the name is unknown or the wavelength out of range.
    """
    if isinstance(dispersion, str):
        return index_of(dispersion, wavelength_um)
    wavelengths, indices = zip(*dispersion, strict=True)
    check_range(
        "wavelength_nm",
        wavelength_um * NM_PER_UM,
        # a wavelength converted to um and back may differ in its last digit
        low=wavelengths[0] * (1.0 - 1e-12),
        high=wavelengths[-1] * (1.0 + 1e-12),
        unit="nm",
        remedy="Give the dispersion over the whole emission band.",
    )
    return float(np.interp(wavelength_um * NM_PER_UM, wavelengths, indices))


def check_dispersion(name: str, dispersion: Dispersion | None, wavelength_um: float) -> None:
    """Refuse a dispersion that gives no index at a wavelength.

    Raises
    ------
    InputError
        If the formula is unknown, the table does not rise, or an index is out of range.
    """
    if dispersion is None:
        return
    if not isinstance(dispersion, str):
        if len(dispersion) < 2 or any(len(pair) != 2 for pair in dispersion):
            raise InputError(f"{name} = {dispersion!r}: give at least 2 pairs [nm, index].")
        if any(b[0] <= a[0] for a, b in itertools.pairwise(dispersion)):
            raise InputError(f"{name}: the wavelengths must rise from one pair to the next.")
        for _, index in dispersion:
            check_range(name, index, low=1.0, high=4.0)
    try:
        dispersed_index(dispersion, wavelength_um)
    except InputError as error:
        raise InputError(f"{name} is of no use at {wavelength_um:g} um: {error}") from error
