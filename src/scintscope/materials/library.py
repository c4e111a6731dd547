"""The named materials: absorbers and scintillators, each number with its source."""

from __future__ import annotations

from collections.abc import Mapping

from scintscope.errors import InputError, nearest_hint
from scintscope.materials.composition import Absorber
from scintscope.materials.optical import INDEX_NAMES, index_source, refractive_index
from scintscope.materials.scintillator_table import named_scintillators
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
    ("fused silica", "SiO2", 2.20),
    # Undoped crystals, as substrates of films
    ("YAG", "Y3Al5O12", 4.55),
    ("LuAG", "Lu3Al5O12", 6.73),
    ("GGG", "Gd3Ga5O12", 7.08),
    ("GAGG", "Gd3Al2Ga3O12", 6.63),
    ("LSO", "Lu2SiO5", 7.4),
    ("Lu2O3", "Lu2O3", 9.42),
    ("CsI", "CsI", 4.51),
)

_NIST = "NIST X-ray mass attenuation coefficients (Hubbell and Seltzer 1996), table of densities"
_OTHER_SOURCES = {
    "Si3N4": "CRC Handbook of Chemistry and Physics",
    "ZF7": "CDGM data sheet; composition that of the near-equivalent SF6",
    "fused silica": "CRC Handbook of Chemistry and Physics (recalled)",
    "YAG": "X-ray density of the crystal",
    "LuAG": "Crytur, table of scintillation materials",
    "GGG": "GIA Gem Reference Guide 1988",
    "GAGG": "recalled, vendors' nominal value",
    "LSO": "Melcher and Schweitzer 1992, IEEE Trans. Nucl. Sci. 39, 502",
    "Lu2O3": "X-ray density, recalled",
    "CsI": "Crytur, table of scintillation materials",
}

ALIASES: Mapping[str, str] = {
    "aluminium": "Al",
    "aluminum": "Al",
    "beryllium": "Be",
    "carbon": "C",
    "copper": "Cu",
    "gold": "Au",
    "iron": "Fe",
    "lead": "Pb",
    "molybdenum": "Mo",
    "nickel": "Ni",
    "silicon": "Si",
    "tantalum": "Ta",
    "titanium": "Ti",
    "tungsten": "W",
}
"""Plain names that stand for a symbol."""

_INERT_EMISSION_NM = 550.0
"""Wavelength at which the index of an inert crystal is quoted."""


def _default_absorbers() -> dict[str, Absorber]:
    return {
        name: Absorber(name=name, formula=formula, density_g_cm3=density)
        for name, formula, density in _ABSORBERS
    }


ABSORBERS: Mapping[str, Absorber] = _default_absorbers()
SCINTILLATORS: Mapping[str, Scintillator] = named_scintillators()


def absorber(name: str) -> Absorber:
    """Return a named absorber, by symbol or plain name, or a scintillator's host as one.

    Raises
    ------
    InputError
        If the name is unknown (the nearest known name is given), or names a turbid powder.
    """
    if ALIASES.get(name, name) in ABSORBERS:
        return ABSORBERS[ALIASES.get(name, name)]
    if name in SCINTILLATORS:
        host = SCINTILLATORS[name]
        return Absorber(name=name, formula=host.formula, density_g_cm3=host.density_g_cm3)
    _refuse_powder(name)
    known = [*ABSORBERS, *SCINTILLATORS, *ALIASES]
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
    _refuse_powder(name)
    raise InputError(
        f"material = {name!r} is not a known scintillator.{nearest_hint(name, list(SCINTILLATORS))}"
        f" Known: {', '.join(SCINTILLATORS)}. Define your own under [materials]."
    )


def _refuse_powder(name: str) -> None:
    """Refuse screens of powder, by any of their names."""
    if name.startswith(("Gd2O2S", "GOS", "Gadox", "gadox", "P43")):
        raise InputError(
            f"material = {name!r} is a turbid powder screen: its light diffuses between grains "
            "and is not imaged through a clear slab. Choose a transparent scintillator: "
            f"{', '.join(SCINTILLATORS)}."
        )


def absorber_source(name: str) -> str:
    """Return where density and composition of a named absorber come from."""
    if name in SCINTILLATORS:
        return SCINTILLATORS[name].source("density_g_cm3")
    return _OTHER_SOURCES.get(ALIASES.get(name, name), _NIST)


def clear_material(name: str) -> Scintillator:
    """Return a named scintillator, or a clear absorber as a crystal that makes no light.

    Serves for substrates: ``"YAG:Ce"`` scintillates, ``"YAG"`` and ``"fused silica"`` do not.

    Raises
    ------
    InputError
        If the name is unknown, or the material's refractive index is.
    """
    if name in SCINTILLATORS:
        return SCINTILLATORS[name]
    found = absorber(name)
    if name not in INDEX_NAMES:
        clear = [n for n in (*SCINTILLATORS, *ABSORBERS) if n in SCINTILLATORS or n in INDEX_NAMES]
        raise InputError(
            f"material = {name!r} is not known to be clear. Known: {', '.join(clear)}. Define your "
            "own with its refractive_index under [materials]."
        )
    emission_um = nm_to_um(_INERT_EMISSION_NM)
    return Scintillator(
        name=name,
        formula=found.formula,
        density_g_cm3=found.density_g_cm3,
        refractive_index=refractive_index(name, emission_um),
        emission_um=emission_um,
        photons_per_kev=0.0,
        yield_uncertainty=0.0,
        dispersion=name,
        sources=(
            ("density_g_cm3", absorber_source(name)),
            ("refractive_index", index_source(name)),
        ),
    )
