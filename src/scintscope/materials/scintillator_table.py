"""The scintillators known by name: every number with its source.

"Recalled" marks a number remembered and not read again; "assumed" one of plausible size that no
source was found for. Light yields carry 15 % (the spread of published values is 7 % for YAG:Ce,
30 % for LuAG:Ce, 23 % for GAGG:Ce), assumed ones 50 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scintscope.materials.emission_bands import (
    EmissionBand,
    digitised_band,
    gaussian_band,
    line_band,
)
from scintscope.materials.optical import index_source, refractive_index
from scintscope.materials.scintillators import Scintillator
from scintscope.units import nm_to_um

Sourced = tuple[float, str]

_CRYTUR = "Crytur, table of scintillation materials"
_PLOT = "plot in the documentation of beamline 2-BM, Advanced Photon Source"
_SLOW = "not found; of the order of milliseconds for Tb3+ and Eu3+ (recalled)"
_ASSUMED_YIELD = (20.0, "assumed, as LuAG:Ce; no source found")
_YIELD_SPREAD = (0.15, "spread of published yields of garnets, 7 to 30 %")
_YIELD_GUESS = (0.5, "assumed, as the yield is")
_TB_HEIGHTS = "relative heights recalled, typical of Tb3+"
_EU_HEIGHTS = "relative heights assumed"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """One row: (value, source) where a number stands alone."""

    name: str
    formula: str
    index: str
    density_g_cm3: Sourced
    emission_nm: Sourced
    band: Callable[[], EmissionBand]
    band_source: str
    photons_per_kev: Sourced
    yield_uncertainty: Sourced = _YIELD_SPREAD
    decay_ns: Sourced | None = None
    decay_note: str = "not found"
    afterglow: Sourced | None = None

    def scintillator(self) -> Scintillator:
        """Return the row as a scintillator."""
        emission_um = nm_to_um(self.emission_nm[0])
        numbers = {
            "density_g_cm3": self.density_g_cm3,
            "photons_per_kev": self.photons_per_kev,
            "yield_uncertainty": self.yield_uncertainty,
            "decay_ns": self.decay_ns or (None, self.decay_note),
            "afterglow": self.afterglow or (None, "not found"),
        }
        texts = {key: source for key, (_, source) in numbers.items()} | {
            "formula": "composition of the host; the activator is left out",
            "refractive_index": index_source(self.index),
            "emission_um": self.emission_nm[1],
            "emission_band": self.band_source,
        }
        values = {key: value for key, (value, _) in numbers.items()}
        return Scintillator(
            name=self.name,
            formula=self.formula,
            refractive_index=refractive_index(self.index, emission_um),
            emission_um=emission_um,
            emission_band=self.band(),
            dispersion=self.index,
            sources=tuple(sorted(texts.items())),
            **values,  # type: ignore[arg-type]
        )


_ENTRIES = (
    _Entry(
        name="YAG:Ce",
        formula="Y3Al5O12",
        index="YAG",
        density_g_cm3=(4.55, "X-ray density of the crystal; Crytur's table has 4.57"),
        emission_nm=(550.0, f"{_CRYTUR}; the digitised band peaks at 530, its mean is 569"),
        band=lambda: digitised_band("YAG:Ce"),
        band_source=f"radioluminescence, digitised from a {_PLOT}",
        photons_per_kev=(35.0, f"{_CRYTUR}; 32.6 at 662 keV, Prog. Appl. Sci. Tech. 9(2), 2019"),
        decay_ns=(70.0, _CRYTUR),
        afterglow=(5e-5, f"{_CRYTUR}, upper bound"),
    ),
    _Entry(
        name="LuAG:Ce",
        formula="Lu3Al5O12",
        index="LuAG",
        density_g_cm3=(6.73, _CRYTUR),
        emission_nm=(535.0, f"{_CRYTUR}; the digitised band peaks at 510, its mean is 549"),
        band=lambda: digitised_band("LuAG:Ce"),
        band_source=f"radioluminescence, digitised from a {_PLOT}",
        photons_per_kev=(20.0, f"{_CRYTUR}; 18.1 at 662 keV, Prog. Appl. Sci. Tech. 9(2), 2019"),
        decay_ns=(70.0, f"{_CRYTUR}; 46 in Yanagida et al. 2011, Radiat. Meas."),
    ),
    _Entry(
        name="LuAG:Eu",
        formula="Lu3Al5O12",
        index="LuAG",
        density_g_cm3=(6.73, f"{_CRYTUR}, of LuAG:Ce"),
        emission_nm=(661.0, "mean of the two lines below"),
        band=lambda: line_band([(591.0, 0.7), (710.0, 1.0)]),
        band_source=f"lines at 591 and 710 nm, the latter stronger: {_PLOT}; {_EU_HEIGHTS}",
        photons_per_kev=_ASSUMED_YIELD,
        yield_uncertainty=_YIELD_GUESS,
        decay_note=_SLOW,
    ),
    _Entry(
        name="GGG:Tb",
        formula="Gd3Ga5O12",
        index="GGG",
        density_g_cm3=(7.08, "GIA Gem Reference Guide 1988, of GGG"),
        emission_nm=(544.0, f"strongest line: {_PLOT}"),
        band=lambda: line_band(
            [(490.0, 0.45), (544.0, 1.0), (554.0, 0.5), (592.0, 0.25), (625.0, 0.15)]
        ),
        band_source=f"lines: {_PLOT}; {_TB_HEIGHTS}",
        photons_per_kev=_ASSUMED_YIELD,
        yield_uncertainty=_YIELD_GUESS,
        decay_note=_SLOW,
    ),
    _Entry(
        name="GGG:Eu",
        formula="Gd3Ga5O12",
        index="GGG",
        density_g_cm3=(7.08, "GIA Gem Reference Guide 1988, of GGG"),
        emission_nm=(610.0, "recalled: lines between 595 and 630 nm"),
        band=lambda: line_band([(595.0, 1.0), (610.0, 0.8), (630.0, 0.5)]),
        band_source=f"lines recalled, between 595 and 630 nm; {_EU_HEIGHTS}",
        photons_per_kev=_ASSUMED_YIELD,
        yield_uncertainty=_YIELD_GUESS,
        decay_note=_SLOW,
    ),
    _Entry(
        name="GAGG:Ce",
        formula="Gd3Al2Ga3O12",
        index="GAGG",
        density_g_cm3=(6.63, "recalled, vendors' nominal value"),
        emission_nm=(540.0, "recalled: peak between 520 and 540 nm"),
        band=lambda: gaussian_band(540.0, 110.0),
        band_source="Gaussian of 110 nm full width, recalled from the width of Ce3+ in garnets",
        photons_per_kev=(46.0, "46.1 at 662 keV, Prog. Appl. Sci. Tech. 9(2), 2019; others 56-58"),
        decay_ns=(140.0, "92 % of the light, Ce:GAGG with SiPM, 2013; the rest 500 and 6000 ns"),
    ),
    _Entry(
        name="LSO:Tb",
        formula="Lu2SiO5",
        index="LSO",
        density_g_cm3=(7.4, "ScinTAX project, Karlsruhe"),
        emission_nm=(547.0, f"strongest line: {_PLOT}"),
        band=lambda: line_band([(490.0, 0.45), (547.0, 1.0), (588.0, 0.25), (623.0, 0.15)]),
        band_source=f"lines: {_PLOT}; {_TB_HEIGHTS}",
        photons_per_kev=_ASSUMED_YIELD,
        yield_uncertainty=_YIELD_GUESS,
        decay_note=_SLOW,
    ),
    _Entry(
        name="LSO:Ce",
        formula="Lu2SiO5",
        index="LSO",
        density_g_cm3=(7.4, "Melcher and Schweitzer 1992, IEEE Trans. Nucl. Sci. 39, 502"),
        emission_nm=(420.0, "vendors' tables for LYSO, 420 to 428 nm"),
        band=lambda: gaussian_band(420.0, 50.0),
        band_source="Gaussian of 50 nm full width, recalled",
        photons_per_kev=(
            28.5,
            "75 % of NaI:Tl (Melcher and Schweitzer 1992), NaI:Tl taken as 38; LYSO: 32",
        ),
        decay_ns=(42.0, "70 % of the light, Melcher and Schweitzer 1992; the rest 12 ns"),
    ),
    _Entry(
        name="Lu2O3:Eu",
        formula="Lu2O3",
        index="Lu2O3",
        density_g_cm3=(9.42, "X-ray density, recalled; a film's abstract has 9.5"),
        emission_nm=(610.0, "abstract on films grown by electron-beam deposition"),
        band=lambda: line_band([(595.0, 0.15), (610.0, 1.0), (632.0, 0.15), (710.0, 0.1)]),
        band_source=f"main line at 610 nm as above, the others recalled; {_EU_HEIGHTS}",
        photons_per_kev=(48.0, "abstract on films grown by electron-beam deposition"),
        decay_note=_SLOW,
    ),
    _Entry(
        name="CsI:Tl",
        formula="CsI",
        index="CsI",
        density_g_cm3=(4.51, _CRYTUR),
        emission_nm=(550.0, f"{_CRYTUR}; a {_PLOT} peaks near 545"),
        band=lambda: gaussian_band(550.0, 120.0),
        band_source="Gaussian of 120 nm full width, recalled",
        photons_per_kev=(52.0, _CRYTUR),
        decay_ns=(900.0, _CRYTUR),
        afterglow=(0.02, f"{_CRYTUR}, upper bound"),
    ),
)


def named_scintillators() -> dict[str, Scintillator]:
    """Return every scintillator of the table by its name."""
    return {entry.name: entry.scintillator() for entry in _ENTRIES}
