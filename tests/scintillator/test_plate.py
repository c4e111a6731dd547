"""What a plate refuses."""

import pytest

from benches import yag_plate
from scintscope.errors import InputError, RangeError
from scintscope.materials import Scintillator
from scintscope.scintillator.plate import DefectRecipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thickness_um": 0.0}, r"plate\.thickness_um = 0\.0 .*\(0, 5000\] um"),
        ({"thickness_um": -5.0}, r"plate\.thickness_um"),
        ({"thickness_um": float("nan")}, r"plate\.thickness_um"),
        ({"exposure_s": 0.0}, r"plate\.exposure_s"),
        ({"focus_um": float("inf")}, r"plate\.focus_um = inf"),
        ({"focus_um": 6000.0}, r"plate\.focus_um"),
    ],
)
def test_refuses_numbers_out_of_range(changes, message):
    """Thickness, exposure and focus out of range are refused with their key."""
    fields = {"thickness_um": 20.0} | changes
    with pytest.raises(RangeError, match=message):
        yag_plate(**fields)


def test_refuses_words_it_does_not_know():
    """A focus or back face that is no known word is refused, the nearest one named."""
    with pytest.raises(InputError, match=r'plate\.focus_um = \'middle\'.*"best"'):
        yag_plate(20.0, focus_um="middle")
    with pytest.raises(InputError, match=r"plate\.back_face = 'blak'.*Did you mean 'black'"):
        yag_plate(20.0, back_face="blak")


def test_focus_may_lie_outside_the_plate():
    """A focus in front of or behind the plate is a legal input."""
    assert yag_plate(20.0, focus_um=-10.0).focus_um == -10.0
    assert yag_plate(20.0, focus_um=50.0).focus_um == 50.0


@pytest.mark.parametrize(
    "changes",
    [
        {"scratches_per_mm2": -1.0},
        {"glow_per_mm2": 1e5},
        {"contrast": 1.1},
        {"spot_diameter_um": 0.0},
        {"shading": 0.6},
    ],
)
def test_refuses_impossible_defects(changes):
    """Negative densities, contrasts above 1 and sizes of 0 are refused with their key."""
    key = next(iter(changes))
    with pytest.raises(RangeError, match=rf"defects\.{key} = "):
        DefectRecipe(**changes)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("density_g_cm3", 0.0),
        ("refractive_index", 0.9),
        ("emission_um", 5.5),
        ("photons_per_kev", -1.0),
    ],
)
def test_refuses_impossible_scintillators(key, value):
    """A user's scintillator with a number out of range is refused with name and key."""
    fields = {
        "name": "mine",
        "formula": "Y3Al5O12",
        "density_g_cm3": 4.5,
        "refractive_index": 1.8,
        "emission_um": 0.55,
        "photons_per_kev": 35.0,
    }
    with pytest.raises(RangeError, match=f"mine: {key} = "):
        Scintillator(**(fields | {key: value}))
