"""The X-ray sources a scenario can name, as numbers; `spectrum` turns them into spectra."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scintscope.errors import InputError, check_choice, check_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """A sheet of a named material in the beam, in front of the sample."""

    material: str
    thickness_um: float

    def __post_init__(self) -> None:
        check_range(
            f"filter of {self.material}: thickness_um", self.thickness_um, low=0.0, unit="um"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TubeSource:
    """A tungsten reflection tube.

    Parameters
    ----------
    voltage_kv, power_w : float
        Tube voltage and electrical power; the current is their ratio.
    takeoff_deg : float
        Angle between target surface and beam axis.
    focal_spot_fwhm_um : float
        Width of the focal spot as seen from the sample.
    filters : tuple of Filter
        Window and added filters.
    air_path : bool
        Whether the path from the source to the scintillator is air (else vacuum).
    """

    target: str = "W"
    voltage_kv: float = 50.0
    power_w: float = 4.0
    takeoff_deg: float = 20.0
    focal_spot_fwhm_um: float = 5.0
    filters: tuple[Filter, ...] = ()
    air_path: bool = True

    def __post_init__(self) -> None:
        check_choice("source.target", self.target, ("W",))
        check_range("source.voltage_kv", self.voltage_kv, low=20.0, high=300.0, unit="kV")
        check_range("source.power_w", self.power_w, low=0.0, low_open=True, high=1e5, unit="W")
        check_range("source.takeoff_deg", self.takeoff_deg, low=1.0, high=90.0, unit="deg")
        check_range(
            "source.focal_spot_fwhm_um", self.focal_spot_fwhm_um, low=0.0, high=1e4, unit="um"
        )

    @property
    def current_ma(self) -> float:
        """Tube current, mA."""
        return self.power_w / self.voltage_kv


@dataclass(frozen=True, kw_only=True, slots=True)
class MonochromaticSource:
    """One photon energy, given as the fluence rate at the scintillator's entrance face."""

    energy_kev: float = 20.0
    photons_per_um2_s: float = 10.0
    focal_spot_fwhm_um: float = 0.0

    def __post_init__(self) -> None:
        check_range("source.energy_kev", self.energy_kev, low=3.0, high=200.0, unit="keV")
        check_range(
            "source.photons_per_um2_s",
            self.photons_per_um2_s,
            low=0.0,
            low_open=True,
            unit="photons/(um2 s)",
        )
        check_range("source.focal_spot_fwhm_um", self.focal_spot_fwhm_um, low=0.0, unit="um")


@dataclass(frozen=True, kw_only=True, slots=True)
class SpectrumFileSource:
    """A measured spectrum: CSV with columns ``energy_kev,photons_per_kev`` (relative or not).

    It is scaled to ``photons_per_um2_s`` in total at the scintillator's entrance face.
    """

    path: Path
    photons_per_um2_s: float
    focal_spot_fwhm_um: float = 0.0

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise InputError(f"source.path = {str(self.path)!r}: no such file.")
        check_range("source.photons_per_um2_s", self.photons_per_um2_s, low=0.0, low_open=True)
        check_range("source.focal_spot_fwhm_um", self.focal_spot_fwhm_um, low=0.0, unit="um")


Source = TubeSource | MonochromaticSource | SpectrumFileSource
