"""Named materials, formulas and refractive indices."""

import numpy as np
import pytest

from scintscope.errors import InputError, RangeError
from scintscope.materials import ABSORBERS, SCINTILLATORS, Absorber, absorber, scintillator
from scintscope.materials.composition import mass_fractions
from scintscope.materials.optical import refractive_index
from tables import read_table


@pytest.mark.parametrize("formula", ["Y3Al5O12", "CsI", "Air, Dry (near sea level)"])
def test_mass_fractions_sum_to_one(formula):
    """The elements' mass fractions of formula and compound make up the whole."""
    # NIST compounds are given to six digits
    assert sum(share for _, share in mass_fractions(formula)) == pytest.approx(1.0, abs=2e-6)


def test_mass_fractions_of_yag():
    """Y3Al5O12 by standard atomic weights."""
    weights = {39: 3 * 88.906, 13: 5 * 26.982, 8: 12 * 15.999}
    total = sum(weights.values())
    for element, share in mass_fractions("Y3Al5O12"):
        # xraylib's atomic weights have four to five digits
        assert share == pytest.approx(weights[element] / total, rel=5e-4)


def test_every_material_is_whole():
    """Each named material has a name of its own and can be looked up as an absorber."""
    for name in (*ABSORBERS, *SCINTILLATORS):
        found = absorber(name)
        assert found.name == name
        assert mass_fractions(found.formula)


def test_scintillator_indices_are_those_at_the_emission():
    """The index of YAG:Ce is Zelmon's at 550 nm, 1.836, not the vendor's rounded 1.82."""
    yag = scintillator("YAG:Ce")
    assert yag.refractive_index == pytest.approx(1.8362, abs=5e-5)
    assert scintillator("LuAG:Ce").refractive_index == pytest.approx(
        refractive_index("LuAG", 0.535)
    )


@pytest.mark.parametrize("row", read_table("optics/refractive_index.csv"))
@pytest.mark.parametrize("material", ["YAG", "LuAG", "ZF7", "GGG"])
def test_refractive_indices(row, material):
    """Dispersion formulas give the tabulated indices over the visible range."""
    # five printed digits
    assert refractive_index(material, row["wavelength_um"]) == pytest.approx(
        row[material], abs=6e-6
    )


def test_glass_by_its_data_sheet():
    """N-BK7 at the d line is 1.5168."""
    assert refractive_index("N-BK7", 0.5875618) == pytest.approx(1.5168, abs=1e-5)


def test_refuses_unknown_names_with_the_nearest():
    """A misspelt material is refused and the nearest known one named."""
    with pytest.raises(InputError, match=r"'YAG:Cee' is not a known scintillator.*'YAG:Ce'"):
        scintillator("YAG:Cee")
    with pytest.raises(InputError, match=r"'alr' is not known.*'air'.*\[materials\]"):
        absorber("alr")
    with pytest.raises(InputError, match=r"'YAGG'.*Did you mean 'YAG'"):
        refractive_index("YAGG", 0.55)


@pytest.mark.parametrize("name", ["GOS", "Gd2O2S:Tb", "P43"])
def test_refuses_powder_screens(name):
    """Powder screens scatter their light and are refused with that reason."""
    with pytest.raises(InputError, match=r"turbid powder.*transparent scintillator"):
        scintillator(name)


@pytest.mark.parametrize("formula", ["", "Xx2", "not a formula", "Y3Al5O12)"])
def test_refuses_formulas_that_are_none(formula):
    """Text that is neither formula nor compound is refused at construction."""
    with pytest.raises(InputError, match="neither a chemical formula"):
        Absorber(name="mine", formula=formula, density_g_cm3=1.0)


def test_refuses_impossible_densities_and_wavelengths():
    """Densities and wavelengths out of range are refused with key and range."""
    with pytest.raises(RangeError, match=r"materials\.mine\.density_g_cm3 = 30\.0"):
        Absorber(name="mine", formula="Os", density_g_cm3=30.0)
    with pytest.raises(RangeError, match=r"wavelength_um = 2\.0.*\[0\.35, 1\.2\] um"):
        refractive_index("YAG", 2.0)


def test_host_and_scintillator_absorb_alike():
    """A scintillator taken as an absorber keeps formula and density."""
    host, yag = absorber("YAG:Ce"), scintillator("YAG:Ce")
    assert (host.formula, host.density_g_cm3) == (yag.formula, yag.density_g_cm3)
    assert np.isclose(yag.density_g_cm3, 4.55)
