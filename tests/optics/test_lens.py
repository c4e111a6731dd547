"""What a lens refuses."""

import math

import pytest

from scintscope.errors import InputError, RangeError
from scintscope.optics.lens import GlassPlate, Lens


@pytest.mark.parametrize("na", [1.0, 1.4, 0.0, -0.1, float("nan"), "0.4", True])
def test_refuses_apertures_no_air_lens_has(na):
    """NA must lie in [0.01, 1); the message says why."""
    with pytest.raises(RangeError, match=r"lens\.na = .*\[0\.01, 1\).*air objective"):
        Lens(na=na)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("magnification", 0.0),
        ("pupil_distance_mm", 0.5),
        ("pupil_distance_mm", -math.inf),
        ("transmission", 0.0),
        ("transmission", 1.1),
        ("corrected_for_um", -1.0),
        ("working_distance_mm", 0.0),
        ("working_distance_mm", math.inf),
    ],
)
def test_refuses_values_out_of_range(key, value):
    """Each number outside its range is named with its key."""
    with pytest.raises(RangeError, match=rf"lens\.{key} = "):
        Lens(**{key: value})


def test_telecentric_and_finite_pupils_are_allowed():
    """An infinite pupil distance is a telecentric lens."""
    assert math.isinf(Lens().pupil_distance_mm)
    assert Lens(pupil_distance_mm=100.0).pupil_distance_mm == 100.0


def test_refuses_glass_that_does_not_fit():
    """Plates thicker together than the working distance are refused; just fitting is not."""
    plate = GlassPlate(material="ZF7", thickness_mm=1.5)
    with pytest.raises(InputError, match=r"3 mm thick together.*working_distance_mm = 2.9"):
        Lens(plates=(plate, plate), working_distance_mm=2.9)
    assert Lens(plates=(plate, plate), working_distance_mm=3.0).plates == (plate, plate)


def test_refuses_negative_glass():
    """Glass thicknesses are not negative."""
    with pytest.raises(RangeError, match="plate of ZF7: thickness_mm"):
        GlassPlate(material="ZF7", thickness_mm=-1.0)
    with pytest.raises(RangeError, match="plate of ZF7: corrected_for_mm"):
        GlassPlate(material="ZF7", thickness_mm=1.0, corrected_for_mm=-1.0)
