"""The light budget: closed forms, products, published chains."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benches import yag_plate
from scintscope.camera.parts import Camera
from scintscope.errors import InputError, RangeError
from scintscope.materials import Scintillator, scintillator
from scintscope.materials.attenuation import total_per_um
from scintscope.materials.emission_bands import line_band
from scintscope.optics.lens import GlassPlate, Lens
from scintscope.scintillator.emission import back_reflectance, electrons_per_kev
from scintscope.scintillator.layers import emitting_layers
from scintscope.scintillator.light_budget import light_budget, plates_transmittance
from scintscope.scintillator.plate import Substrate
from strategies import apertures, scintillators
from tables import read_table

LENS = Lens(na=0.4, transmission=0.8)
GLASS = (GlassPlate(material="ZF7", thickness_mm=2.0),)
CURVE = ((300.0, 0.2), (550.0, 0.8), (900.0, 0.3))


def plain(index=1.836, photons_per_kev=30.0):
    """Return a scintillator of one wavelength and index."""
    return Scintillator(
        name="plain",
        formula="Y3Al5O12",
        density_g_cm3=4.55,
        refractive_index=index,
        emission_um=0.55,
        photons_per_kev=photons_per_kev,
    )


@pytest.mark.parametrize("row", read_table("optics/collection.csv"))
def test_collection_of_every_tabulated_lens(row):
    """Escape cone, lens cone and Fresnel losses are the tabulated integrals."""
    plate = yag_plate(50.0, scintillator=plain(row["index"]), back_face="black")
    budget = light_budget(plate, replace(LENS, na=row["na"]), Camera())
    # six printed digits after the point
    assert budget.collection_fraction == pytest.approx(row["with_fresnel"], abs=6e-7)
    assert budget.factor("escape") * budget.factor("aperture") == pytest.approx(
        row["geometric"], abs=6e-7
    )
    trapped = np.sqrt(1.0 - 1.0 / row["index"] ** 2)
    assert 2.0 * budget.factor("escape") == pytest.approx(1.0 - trapped, rel=1e-12)


@settings(deadline=None, max_examples=15)
@given(
    medium=scintillators,
    na=apertures,
    back_face=st.sampled_from(["bare", "black", "reflective"]),
    curve=st.sampled_from([None, CURVE]),
    under=st.sampled_from([None, "exit", "entrance"]),
    orders=st.integers(0, 3),
)
def test_the_steps_multiply_to_the_result(medium, na, back_face, curve, under, orders):
    """The product of the factors is the electrons per keV, and the waterfall runs down to it."""
    base = Substrate(medium=scintillator("YAG:Ce"), thickness_um=100.0, side=under or "exit")
    plate = yag_plate(
        20.0, scintillator=medium, back_face=back_face, substrate=base if under else None
    )
    camera = Camera(quantum_efficiency_curve=curve)
    for layer in emitting_layers(plate):
        lens = replace(LENS, na=na, plates=GLASS)
        budget = light_budget(plate, lens, camera, layer=layer, orders=orders)
        product = np.prod([step.factor for step in budget.steps])
        # rounding of eight products
        assert product == pytest.approx(budget.electrons_per_kev, rel=1e-12)
        assert budget.steps[-1].left_per_kev == pytest.approx(budget.electrons_per_kev, rel=1e-12)
        assert budget.steps[0].factor == pytest.approx(layer.medium.photons_per_kev, rel=1e-12)
        assert 0.0 < budget.quantum_efficiency <= 1.0
        # a mirror sends all back once, and of that 13 % at most again for each further order
        assert -1e-12 <= budget.mirror_share <= 1.0 + 0.15 * orders


def test_one_wavelength_is_the_plain_product():
    """Without a band: yield x collection x (1 + mirror) x lens x QE, as the numbers alone give."""
    plate = yag_plate(50.0, scintillator=plain(), back_face="reflective")
    budget = light_budget(plate, LENS, Camera(quantum_efficiency=0.55))
    expected = electrons_per_kev(30.0, budget.collection_fraction, 1.0, 0.8, 0.55)
    assert budget.electrons_per_kev == pytest.approx(float(expected), rel=1e-13)
    assert (budget.mean_index, budget.mean_wavelength_um) == pytest.approx((1.836, 0.55))


@pytest.mark.parametrize(("na", "excess"), [(0.05, 0.0), (0.4, 0.003), (0.9, 0.18)])
def test_mirror_over_the_cone(na, excess):
    """The bare face reflects as at normal incidence for small NA, 18 % more over that of NA 0.9."""
    share = light_budget(yag_plate(50.0), replace(LENS, na=na), Camera()).mirror_share
    normal = back_reflectance("bare", scintillator("YAG:Ce").index_at(0.569))
    # two digits of the excess; the mean over the band differs from that at its mean by 1e-3
    assert share / normal - 1.0 == pytest.approx(excess, abs=0.006)


@cache
def incident(case):
    """Return energies (keV) and photons per camera pixel and second: 4 W, 50 kV, 20 cm, 1.3 um."""
    rows = read_table("xray/spekpy_w50.csv")
    per_cm2_s = np.array([row[case] for row in rows]) * 0.25 * (4.0 / 50.0)
    return np.array([row["energy_kev"] for row in rows]), per_cm2_s * (1.3e-4) ** 2


@pytest.mark.parametrize(
    ("case", "thickness_um", "xrays", "kev", "electrons", "per_xray"),
    [
        ("th20_casim_Be0.2_air200", 200.0, 13.9, 167.0, 24.0, 1.7),
        ("th20_casim_Be0.2_air200", 20.0, 4.9, 45.0, 6.5, None),
        ("th20_casim_Be0.2_Al0.5_air200", 200.0, None, None, 8.4, None),
        ("th20_casim_Be0.2_Al0.5_air200", 20.0, None, None, 1.3, None),
    ],
)
def test_published_signal_chain(case, thickness_um, xrays, kev, electrons, per_xray):
    """4 W, 50 kV at 20 cm, 30 photons/keV, NA 0.4, lens 0.8, QE 0.55: 24 electrons per pixel, s."""
    energy, photons = incident(case)
    absorbed = photons @ -np.expm1(-total_per_um(plain(), energy) * thickness_um)
    rows = {row["case"]: row for row in read_table("xray/absorbed_energy_yag.csv")}
    deposited = photons @ energy * rows[case][f"eta_E_{thickness_um:.0f}um"]
    plate = yag_plate(thickness_um, scintillator=plain(), back_face="black")
    gain = light_budget(plate, LENS, Camera(quantum_efficiency=0.55)).electrons_per_kev
    # two to three printed digits each
    assert deposited * gain == pytest.approx(electrons, rel=0.03)
    if xrays is not None:
        assert absorbed == pytest.approx(xrays, rel=0.01)
        assert deposited == pytest.approx(kev, rel=0.01)
    if per_xray is not None:
        assert deposited * gain / absorbed == pytest.approx(per_xray, rel=0.03)


def test_quantum_efficiency_is_averaged_over_the_arriving_light():
    """Two lines, two efficiencies: the mean weighted with what each line sends."""
    medium = replace(plain(), emission_band=line_band([(500.0, 1.0), (600.0, 3.0)]))
    camera = Camera(quantum_efficiency_curve=((500.0, 0.4), (600.0, 0.8)))
    budget = light_budget(yag_plate(50.0, scintillator=medium), LENS, camera)
    assert budget.quantum_efficiency == pytest.approx((0.4 + 3 * 0.8) / 4, rel=1e-13)
    assert budget.mean_wavelength_um == pytest.approx((0.5 * 0.4 + 0.6 * 2.4) / 2.8, rel=1e-13)
    assert budget.detected_band.weight == pytest.approx((0.4 / 2.8, 2.4 / 2.8), rel=1e-13)


def test_a_curve_must_cover_the_band():
    """A curve of quantum efficiency that ends inside the emission band is refused."""
    camera = Camera(quantum_efficiency_curve=((400.0, 0.5), (600.0, 0.5)))
    with pytest.raises(RangeError, match=r"quantum_efficiency_curve.*whole emission band"):
        light_budget(yag_plate(50.0), LENS, camera)


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        (((500.0, 0.5),), "at least 2 pairs"),
        (((500.0, 0.5), (400.0, 0.5)), "must rise"),
        (((400.0, 0.5), (500.0, 1.2)), r"quantum_efficiency_curve = 1\.2"),
        (((400.0, 0.0), (500.0, 0.0)), "sees nothing"),
    ],
)
def test_refuses_curves_that_are_none(curve, message):
    """Short, falling, impossible or dark curves are refused."""
    with pytest.raises(InputError, match=message):
        Camera(quantum_efficiency_curve=curve)


def test_glass_is_part_of_the_lens():
    """The plates' absorption is shown apart, but lens.transmission stays that of all glass."""
    plate = yag_plate(50.0, scintillator=plain())
    bare = light_budget(plate, LENS, Camera())
    glass = light_budget(plate, replace(LENS, plates=GLASS), Camera())
    # data sheet, four digits
    assert glass.factor("glass") == pytest.approx(0.9988, abs=5e-5)
    assert glass.factor("lens") * glass.factor("glass") == pytest.approx(0.8, rel=1e-13)
    assert glass.electrons_per_kev == pytest.approx(bare.electrons_per_kev, rel=1e-13)
    assert plates_transmittance((GlassPlate(material="N-BK7", thickness_mm=2.0),), 0.55) == 1.0


def test_reflections_left_out_are_reported():
    """What a further order brings is what the order below reports as later light."""
    plate = yag_plate(50.0, back_face="reflective")
    first = light_budget(plate, LENS, Camera())
    third = light_budget(plate, LENS, Camera(), orders=3)
    assert first.later_share == pytest.approx(third.mirror_share - first.mirror_share, rel=1e-12)
    # twice the exit face's 8.7 %
    assert first.later_share == pytest.approx(2 * 0.087, rel=0.01)


def test_cement_collects_more_and_a_mirror_doubles():
    """Cement takes away most of the exit face's loss; the cone through plane layers is the same."""
    air = light_budget(yag_plate(50.0, back_face="black"), LENS, Camera())
    wet = light_budget(yag_plate(50.0, back_face="black", exit_medium_index=1.5), LENS, Camera())
    assert wet.factor("exit_face") > 0.98 > 0.92 > air.factor("exit_face")
    assert wet.factor("escape") * wet.factor("aperture") == pytest.approx(
        air.factor("escape") * air.factor("aperture"), rel=1e-12
    )
    double = light_budget(yag_plate(50.0, back_face="reflective"), LENS, Camera())
    assert double.electrons_per_kev == pytest.approx(2.0 * air.electrons_per_kev, rel=1e-12)


def test_uncertainty_is_that_of_the_yield():
    """An assumed yield carries its large uncertainty into the budget."""
    plate = yag_plate(5.0, scintillator=scintillator("GGG:Eu"))
    assert light_budget(plate, LENS, Camera()).yield_uncertainty == 0.5
