"""The bench: magnification with depth, penumbra, which face stays, refusals."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import InputError, RangeError
from scintscope.geometry import Geometry, cone_scale, lens_scale, penumbra_fwhm_um


@settings(deadline=None, max_examples=40)
@given(
    r=st.floats(10.0, 2000.0),
    z=st.floats(0.1, 500.0),
    distance=st.floats(20.0, 1000.0),
    index=st.floats(1.3, 2.2),
)
def test_edge_shifts(r, z, distance, index):
    """A ray at r moves by r z / z0 to depth z; a point z nearer to the lens by r z / (n d2)."""
    cone = r * (cone_scale(z, distance) - 1.0)
    # difference of numbers near 1: 1e-16 / 1e-7
    assert cone == pytest.approx(r * z / (1000.0 * distance), rel=1e-8)
    lens = r * (lens_scale(z, index, distance) - 1.0)
    # relative next term z / (n d2) < 2 %
    assert lens == pytest.approx(r * z / (index * 1000.0 * distance), rel=0.025)
    assert lens_scale(-z, index, distance) < 1.0 < lens_scale(z, index, distance)


def test_paper_numbers():
    """200 um, 1 mm off axis, 100 mm: the cone shifts the far face by 2 um, the lens by 1.09."""
    assert 1000.0 * (cone_scale(200.0, 100.0) - 1.0) == pytest.approx(2.0)
    assert 1000.0 * (lens_scale(200.0, 1.836, 100.0) - 1.0) == pytest.approx(1.09, abs=0.005)


def test_telecentric_lens_and_parallel_beam_keep_the_size():
    """At infinite distances nothing grows with depth."""
    assert cone_scale(200.0, math.inf) == 1.0
    assert lens_scale(200.0, 1.8, math.inf) == 1.0


def test_penumbra_is_the_image_of_the_spot():
    """Spot x z12 / z01; none for a parallel beam or at contact."""
    assert penumbra_fwhm_um(5.0, 50.0, 50.0) == pytest.approx(5.0)
    assert penumbra_fwhm_um(5.0, 98.0, 2.0) == pytest.approx(10.0 / 98.0)
    assert penumbra_fwhm_um(5.0, math.inf, 50.0) == 0.0
    assert penumbra_fwhm_um(5.0, 98.0, 0.0) == 0.0


def test_sample_magnification_and_propagation():
    """M = z02 / z01 and z_eff = z12 / m = z12 z01 / z02."""
    geometry = Geometry(source_to_scintillator_mm=200.0, source_to_sample_mm=50.0)
    assert geometry.sample_distance_mm == 150.0
    assert geometry.sample_magnification(200.0) == 4.0
    assert geometry.effective_propagation_um() == pytest.approx(150e3 / 4.0)


def test_parallel_beam():
    """A parallel beam magnifies nothing and takes the sample's distance as given."""
    geometry = Geometry(
        source_to_scintillator_mm=math.inf,
        source_to_sample_mm=math.inf,
        sample_to_scintillator_mm=30.0,
    )
    assert geometry.is_parallel
    assert geometry.sample_distance_mm == 30.0
    assert geometry.sample_magnification(math.inf) == 1.0
    assert geometry.effective_propagation_um() == pytest.approx(30e3)


def test_which_face_stays():
    """With the exit face fixed a thicker plate starts nearer to the source by the difference."""
    entrance = Geometry(plate_reference="entrance")
    exit_face = Geometry(plate_reference="exit")
    assert entrance.entrance_distance_mm(200.0, 20.0) == 100.0
    assert exit_face.entrance_distance_mm(200.0, 20.0) == pytest.approx(99.82)
    assert exit_face.entrance_distance_mm(20.0, 20.0) == 100.0
    exits = [exit_face.entrance_distance_mm(t, 20.0) + t / 1000.0 for t in (20.0, 80.0, 200.0)]
    assert exits == pytest.approx([100.02] * 3)


@pytest.mark.parametrize("source_to_sample_mm", [100.0, 150.0, math.inf])
def test_refuses_a_sample_behind_the_scintillator(source_to_sample_mm):
    """The sample stands between source and scintillator."""
    with pytest.raises(InputError, match="behind the scintillator at 100 mm"):
        Geometry(source_to_scintillator_mm=100.0, source_to_sample_mm=source_to_sample_mm)


@pytest.mark.parametrize("distance", [-1.0, math.nan, -math.inf])
def test_refuses_a_sample_behind_the_scintillator_in_a_parallel_beam(distance):
    """The parallel beam's sample distance is not negative either."""
    with pytest.raises(RangeError, match=r"geometry\.sample_to_scintillator_mm = "):
        Geometry(source_to_scintillator_mm=math.inf, sample_to_scintillator_mm=distance)


def test_refuses_two_ways_to_place_the_sample():
    """The distance for parallel beams is refused with a finite source distance."""
    with pytest.raises(InputError, match=r"for a parallel beam.*source_to_sample_mm instead"):
        Geometry(sample_to_scintillator_mm=5.0)


def test_refuses_impossible_distances_and_faces():
    """Distances out of range and unknown faces are named with their key."""
    with pytest.raises(RangeError, match=r"geometry\.source_to_scintillator_mm = 0\.5"):
        Geometry(source_to_scintillator_mm=0.5)
    with pytest.raises(RangeError, match=r"geometry\.source_to_sample_mm = nan"):
        Geometry(source_to_sample_mm=math.nan)
    with pytest.raises(InputError, match=r"plate_reference = 'exti'.*Did you mean 'exit'"):
        Geometry(plate_reference="exti")
