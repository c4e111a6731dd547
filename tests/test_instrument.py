"""Checks that need two parts of the instrument at once."""

import pytest

from benches import instrument, yag_plate
from scintscope.accuracy import Accuracy, Effects
from scintscope.camera.parts import Camera
from scintscope.errors import InputError, RangeError
from scintscope.geometry import Geometry
from scintscope.materials import scintillator
from scintscope.optics.field import FieldAberrations
from scintscope.optics.lens import Lens
from scintscope.scintillator.plate import Substrate


def test_object_side_pixel_and_nyquist():
    """A 6.5 um pixel behind 5x is 1.3 um at the object, its Nyquist frequency 0.385 per um."""
    found = instrument(lens=Lens(magnification=5.0), camera=Camera(pixel_um_sensor=6.5))
    assert found.pixel_um_object == pytest.approx(1.3)
    assert found.camera_nyquist_cy_per_um == pytest.approx(0.3846, abs=5e-5)


@pytest.mark.parametrize("name", ["thin", "thick"])
def test_refuses_plates_thicker_than_the_working_distance(name):
    """A plate that touches the lens is refused under its own key."""
    lens = Lens(working_distance_mm=0.5)
    with pytest.raises(RangeError, match=rf"{name}\.thickness_um = 600.*\(0, 500\] um"):
        instrument(lens=lens, **{name: yag_plate(600.0)})
    assert instrument(lens=lens, **{name: yag_plate(500.0)}).lens is lens


def test_refuses_a_thick_plate_that_would_reach_into_the_sample():
    """With the exit face fixed a thicker plate grows towards the sample and must not reach it."""
    near = Geometry(source_to_sample_mm=99.9, plate_reference="exit")
    with pytest.raises(InputError, match=r"thick\.thickness_um = 200.*geometry\.source_to_sample"):
        instrument(geometry=near)
    assert instrument(geometry=near, thick=yag_plate(100.0)).geometry is near


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("energy_bin_kev", 0.0),
        ("depth_nodes", 0),
        ("depth_nodes", "many"),
        ("depth_tolerance", 0.1),
        ("error_target", 0.0),
        ("oversampling", 17),
        ("alias_tolerance", -0.1),
        ("frequency_samples", 4),
    ],
)
def test_refuses_accuracies_out_of_range(key, value):
    """Numerical settings out of range are refused with their key."""
    with pytest.raises(RangeError, match=rf"accuracy\.{key} = "):
        Accuracy(**{key: value})


def test_refuses_an_unknown_fluorescence():
    """Only the three ways of treating K photons are taken."""
    with pytest.raises(InputError, match=r"fluorescence = 'partly'.*transport"):
        Effects(fluorescence="partly")


def test_refuses_optical_models_that_do_not_go_together():
    """The field of a lens is computed for scalar light of one wavelength, and says so."""
    field = FieldAberrations(field_curvature_um=5.0)
    with pytest.raises(InputError, match=r"lens\.field is computed for scalar light"):
        instrument(lens=Lens(field=field, light_model="vectorial"))
    assert instrument(lens=Lens(field=field)).lens.field is field


def test_the_whole_stack_must_fit_in_front_of_the_lens():
    """Film, substrate and exit medium count together against the working distance."""
    under = Substrate(medium=scintillator("YAG:Ce"), thickness_um=900.0)
    with pytest.raises(RangeError, match=r"thick\.thickness_um.*working_distance_mm"):
        instrument(lens=Lens(working_distance_mm=1.0), thick=yag_plate(200.0, substrate=under))
