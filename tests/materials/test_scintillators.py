"""Named scintillators, dispersion, glass: numbers and their sources."""

from dataclasses import fields, replace

import pytest

from scintscope.errors import InputError, RangeError
from scintscope.materials import (
    ABSORBERS,
    ALIASES,
    SCINTILLATORS,
    absorber,
    clear_material,
    scintillator,
)
from scintscope.materials.describe import details, summary
from scintscope.materials.optical import (
    INDEX_NAMES,
    index_source,
    internal_transmittance,
    refractive_index,
)
from tables import read_table

WANTED = (
    "YAG:Ce LuAG:Ce LuAG:Eu GGG:Tb GGG:Eu GAGG:Ce LSO:Tb LSO:Ce Lu2O3:Eu CsI:Tl".split()  # noqa: SIM905
)
NUMBERS = ("density_g_cm3", "refractive_index", "emission_um", "emission_band", "photons_per_kev")


@pytest.mark.parametrize("name", WANTED)
def test_every_number_of_a_scintillator_has_a_source(name):
    """Each named scintillator states where density, index, band, yield and decay come from."""
    found = scintillator(name)
    assert found.is_luminescent
    for field in (*NUMBERS, "yield_uncertainty", "decay_ns", "afterglow"):
        assert found.source(field) != "not stated", field
    assert found.index_at(found.emission_um) == found.refractive_index
    band = found.band
    assert band.wavelength_nm[0] < 1000.0 * found.emission_um < band.wavelength_nm[-1]
    # a guess is said to be one
    assert (found.yield_uncertainty >= 0.5) == ("assumed" in found.source("photons_per_kev"))


def test_no_scintillator_is_missing():
    """All scintillators that synchrotron and tube imaging uses are there, and no other."""
    assert list(SCINTILLATORS) == WANTED


@pytest.mark.parametrize("row", read_table("materials/refractive_index.csv"))
@pytest.mark.parametrize("material", ["YAG", "LuAG", "CsI", "Lu2O3", "ZF7", "GGG"])
def test_dispersion_formulas(row, material):
    """Dispersion formulas give the tabulated indices over the visible range."""
    if row[material] is not None:
        # five printed digits
        assert refractive_index(material, row["wavelength_um"]) == pytest.approx(
            row[material], abs=6e-6
        )


def test_independent_index_of_yag():
    """Two measurements of YAG (Zelmon, Hrabovsky) differ by less than 0.0006 from 400 to 750 nm."""
    for row in read_table("materials/refractive_index.csv"):
        assert abs(row["YAG"] - row["YAG_Hrabovsky"]) < 6e-4


def test_textbook_indices():
    """n_D of GGG is GIA's 1.970; fused silica's 1.4585 is Malitson's."""
    assert refractive_index("GGG", 0.5893) == pytest.approx(1.970, abs=5e-4)
    assert refractive_index("fused silica", 0.5875618) == pytest.approx(1.45846, abs=1e-5)


def test_lead_glass_lets_light_through():
    """2 mm of ZF7 pass 0.9988 at 550 nm (data sheet), less in the blue; other glass is unknown."""
    # four printed digits
    assert internal_transmittance("ZF7", 0.55, 2000.0) == pytest.approx(0.9988, abs=5e-5)
    assert internal_transmittance("ZF7", 0.42, 2000.0) < 0.99
    assert internal_transmittance("ZF7", 0.55, 0.0) == 1.0
    assert internal_transmittance("N-BK7", 0.55, 2000.0) is None
    with pytest.raises(RangeError, match="thickness_um"):
        internal_transmittance("ZF7", 0.55, -1.0)


def test_plain_names_stand_for_symbols():
    """Gold is Au and tantalum Ta; a misspelt plain name finds the nearest."""
    assert absorber("gold") == ABSORBERS["Au"]
    assert absorber("tantalum") == ABSORBERS["Ta"]
    assert all(symbol in ABSORBERS for symbol in ALIASES.values())
    with pytest.raises(InputError, match="Did you mean 'tantalum'"):
        absorber("tantalium")


def test_every_wanted_absorber_is_there():
    """Windows, filters, glass, tissue and metals can be named."""
    wanted = ["Be", "Al", "glass", "ZF7", "water", "bone", "soft tissue", "PMMA", "Au", "Ta"]
    assert set(wanted) <= set(ABSORBERS)
    with pytest.raises(InputError, match="turbid powder"):
        absorber("Gd2O2S:Tb")


def test_clear_crystals_make_no_light():
    """An undoped crystal has the host's index and no yield; a doped one is the scintillator."""
    crystal = clear_material("YAG")
    assert not crystal.is_luminescent
    assert crystal.index_at(0.6) == scintillator("YAG:Ce").index_at(0.6)
    assert clear_material("YAG:Ce") == scintillator("YAG:Ce")
    with pytest.raises(InputError, match=r"'Cu' is not known to be clear.*fused silica"):
        clear_material("Cu")


def test_dispersion_tables_are_linear_between_their_points():
    """A user's table of the index is interpolated, and refused outside."""
    table = ((500.0, 1.80), (600.0, 1.78))
    mine = replace(scintillator("YAG:Ce"), dispersion=table)
    assert mine.index_at(0.525) == pytest.approx(1.795, rel=1e-14)
    assert mine.index_at(0.5) == 1.80
    with pytest.raises(RangeError, match=r"wavelength_nm = 650.*\[500, 600\] nm.*whole emission"):
        mine.index_at(0.65)
    assert replace(mine, dispersion=None, refractive_index=1.7).index_at(0.65) == 1.7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"yield_uncertainty": 1.5}, "mine: yield_uncertainty"),
        ({"decay_ns": 0.0}, "mine: decay_ns"),
        ({"afterglow": -0.1}, "mine: afterglow"),
        ({"dispersion": "YAK"}, "mine: dispersion.*Did you mean 'YAG'"),
        ({"dispersion": ((500.0, 1.8),)}, "at least 2 pairs"),
        ({"dispersion": ((600.0, 1.8), (500.0, 1.8))}, "must rise"),
        ({"dispersion": ((500.0, 1.8), (600.0, 0.8))}, "mine: dispersion = 0.8"),
        ({"dispersion": ((560.0, 1.8), (600.0, 1.8))}, "of no use at 0.55 um"),
    ],
)
def test_refuses_impossible_scintillators(changes, message):
    """Numbers out of range and dispersions without an index at the emission are refused."""
    with pytest.raises(InputError, match=message):
        replace(scintillator("YAG:Ce"), name="mine", **changes)


def test_descriptions_name_every_number_and_source():
    """What is printed of a material holds its numbers and where each comes from."""
    for name, entry in {**ABSORBERS, **SCINTILLATORS}.items():
        lines = details(entry)
        assert lines[0] == name
        assert sum("source: " in line for line in lines) == (len(lines) - 1) // 2
        assert name in summary(entry)
    shown = "\n".join(details(scintillator("GGG:Tb")))
    assert all(word in shown for word in ("recalled", "assumed", "544 nm (43%)", "7.08 g/cm3"))
    mine = replace(scintillator("YAG:Ce"), dispersion=((500.0, 1.8), (600.0, 1.7)), sources=())
    assert "1.8000 (500 nm)" in "\n".join(details(mine))
    assert "not stated" in "\n".join(details(mine))


def test_sources_name_real_fields():
    """No source is given for a field that a scintillator does not have."""
    known = {field.name for field in fields(scintillator("YAG:Ce"))}
    for entry in SCINTILLATORS.values():
        assert {key for key, _ in entry.sources} <= known
    assert all(index_source(name) for name in INDEX_NAMES)
