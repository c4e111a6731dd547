"""The named materials: absorbers and scintillators, each number with its source."""

from __future__ import annotations

from collections.abc import Mapping

from scintscope.errors import InputError, nearest_hint
from scintscope.materials.composition import Absorber
from scintscope.materials.optical import refractive_index
from scintscope.materials.scintillators import Scintillator
from scintscope.units import nm_to_um

_ABSORBERS = (
    # name, formula or NIST compound, density g/cm3 (NIST X-ray mass attenuation tables 1996
    # unless another source is named)
    ("Be", "Be", 1.848),
    ("C", "C", 1.70),
    ("Al", "Al", 2.699),
    ("Si", "Si", 2.33),
    ("Ti", "Ti", 4.54),
    ("Fe", "Fe", 7.874),
    ("Ni", "Ni", 8.902),
    ("Cu", "Cu", 8.96),
    ("Mo", "Mo", 10.22),
    ("Ta", "Ta", 16.654),
    ("W", "W", 19.3),
    ("Au", "Au", 19.32),
    ("Pb", "Pb", 11.35),
    ("Si3N4", "Si3N4", 3.17),  # CRC Handbook of Chemistry and Physics
    ("air", "Air, Dry (near sea level)", 1.20479e-3),
    ("water", "Water, Liquid", 1.0),
    ("PMMA", "Polymethyl Methacralate (Lucite, Perspex)", 1.19),
    ("polyimide", "Kapton Polyimide Film", 1.42),
    ("polystyrene", "Polystyrene", 1.06),
    ("soft tissue", "Tissue, Soft (ICRP)", 1.0),
    ("bone", "Bone, Cortical (ICRP)", 1.85),
    ("glass", "Glass, Pyrex", 2.23),
    # CDGM data sheet: density 5.19, n_d 1.8063; composition of the near-equivalent SF6 (71 wt%
    # PbO, the rest taken as SiO2), which reproduces its stated 0.33 mm Pb per mm within 7 %
    ("ZF7", "Pb319Si483O1285", 5.19),
)

_SCINTILLATORS = (
    # name, host formula, density g/cm3, index formula, emission nm, photons per keV
    # YAG:Ce: Crytur data sheet (550 nm, 35 photons/keV); 4.55 g/cm3 is the crystal's X-ray
    # density, the data sheet says 4.57; index Zelmon 1998
    ("YAG:Ce", "Y3Al5O12", 4.55, "YAG", 550.0, 35.0),
    # Crytur data sheet: 6.73, 535 nm, 20 photons/keV; index Hrabovsky 2021
    ("LuAG:Ce", "Lu3Al5O12", 6.73, "LuAG", 535.0, 20.0),
    # Density and lines: GGG 7.08; strongest Tb line 544 nm; yield assumed as for LuAG:Ce
    ("GGG:Tb", "Gd3Ga5O12", 7.08, "GGG", 544.0, 20.0),
    # Yoshino et al. 2024 and data sheets: 6.63, 540 nm, 46 photons/keV; index recalled, 1.90
    ("GAGG:Ce", "Gd3Al2Ga3O12", 6.63, "GAGG", 540.0, 46.0),
    # Crytur data sheet: 4.51, 550 nm, 52 photons/keV; index Li 1976
    ("CsI:Tl", "CsI", 4.51, "CsI", 550.0, 52.0),
)


def _default_absorbers() -> dict[str, Absorber]:
    return {
        name: Absorber(name=name, formula=formula, density_g_cm3=density)
        for name, formula, density in _ABSORBERS
    }


def _default_scintillators() -> dict[str, Scintillator]:
    return {
        name: Scintillator(
            name=name,
            formula=formula,
            density_g_cm3=density,
            refractive_index=refractive_index(glass, nm_to_um(emission_nm)),
            emission_um=nm_to_um(emission_nm),
            photons_per_kev=light_yield,
        )
        for name, formula, density, glass, emission_nm, light_yield in _SCINTILLATORS
    }


ABSORBERS: Mapping[str, Absorber] = _default_absorbers()
SCINTILLATORS: Mapping[str, Scintillator] = _default_scintillators()


def absorber(name: str) -> Absorber:
    """Return a named absorber, or a scintillator's host as an absorber.

    Raises
    ------
    InputError
        If the name is unknown; the nearest known name is given.
    """
    if name in ABSORBERS:
        return ABSORBERS[name]
    if name in SCINTILLATORS:
        host = SCINTILLATORS[name]
        return Absorber(name=name, formula=host.formula, density_g_cm3=host.density_g_cm3)
    known = [*ABSORBERS, *SCINTILLATORS]
    raise InputError(
        f"material = {name!r} is not known.{nearest_hint(name, known)} Known: {', '.join(known)}. "
        "Define your own under [materials]."
    )


def scintillator(name: str) -> Scintillator:
    """Return a named scintillator.

    Raises
    ------
    InputError
        If the name is unknown, or names a turbid powder.
    """
    if name in SCINTILLATORS:
        return SCINTILLATORS[name]
    if name.startswith(("Gd2O2S", "GOS", "P43")):
        raise InputError(
            f"material = {name!r} is a turbid powder screen: its light diffuses between grains "
            "and is not imaged through a clear slab. Choose a transparent scintillator: "
            f"{', '.join(SCINTILLATORS)}."
        )
    raise InputError(
        f"material = {name!r} is not a known scintillator.{nearest_hint(name, list(SCINTILLATORS))}"
        f" Known: {', '.join(SCINTILLATORS)}. Define your own under [materials]."
    )
