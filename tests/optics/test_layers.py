"""Stacks of layers as the wavefront sees them."""

import numpy as np
import pytest

from scintscope.errors import InputError
from scintscope.optics.layers import Layer, bare_media, path_through
from scintscope.optics.psf_radial import radial_psf
from scintscope.optics.pupil import Pupil, bare_faces
from scintscope.optics.wavefront import OpticalPath, wavefront_um

LENS = {"na": 0.8, "index": 1.82, "wavelength_um": 0.55, "corrected_for_um": 10.0}


def test_layers_as_designed_leave_no_wavefront():
    """A stack equal to its design is perfect, whatever it is made of."""
    layers = [Layer(thickness_um=500.0, index=1.77), Layer(thickness_um=2000.0, index=1.81)]
    path = path_through(layers, **LENS)
    p2 = 0.64 * np.linspace(0.0, 1.0, 7)
    np.testing.assert_array_equal(np.asarray(wavefront_um(p2, 10.0, 0.0, path)), 0.0)


def test_departures_from_the_design_add():
    """Thickness and index that differ from the design give t q(n) - t_c q(n_c)."""
    layers = [
        Layer(thickness_um=510.0, index=1.77, design_thickness_um=500.0),
        Layer(thickness_um=170.0, index=1.53, design_index=1.52),
    ]
    path = path_through(layers, **LENS)
    p2 = 0.64 * np.linspace(0.0, 1.0, 7)
    expected = (
        10.0 * np.sqrt(1.77**2 - p2)
        + 170.0 * np.sqrt(1.53**2 - p2)
        - 170.0 * np.sqrt(1.52**2 - p2)
        - 3.0 * np.sqrt(1.0 - p2)
    )
    found = np.asarray(wavefront_um(p2, 10.0, 3.0, path))
    np.testing.assert_allclose(found, expected - expected[0], rtol=0, atol=1e-12)
    with pytest.raises(InputError, match="layer 1: thickness_um = -1 is negative"):
        path_through([Layer(thickness_um=-1.0, index=1.5)], **LENS)


def test_bare_faces_multiply_and_coated_ones_do_not_count():
    """Air gap and glass: faces plate-air, air-glass, glass-air; coated glass leaves plate-air."""
    gap, glass = Layer(thickness_um=100.0, index=1.0), Layer(thickness_um=2000.0, index=1.81)
    assert bare_media([gap, glass]) == (1.0, 1.81, 1.0)
    coated = Layer(thickness_um=2000.0, index=1.81, bare=False)
    path, p2 = OpticalPath(**LENS), np.array([0.0, 0.5])
    only_exit = bare_faces(p2, path, Pupil(model="vectorial"))
    through = bare_faces(
        p2, path, Pupil(model="vectorial", outer_indices=bare_media([gap, coated]))
    )
    np.testing.assert_allclose(through, only_exit, rtol=1e-14)
    all_bare = bare_faces(
        p2, path, Pupil(model="vectorial", outer_indices=bare_media([gap, glass]))
    )
    # normal incidence: two more faces of t t' = 4 n / (1 + n)^2
    factor = 4.0 * 1.81 / 2.81**2
    assert all_bare[0][0] == pytest.approx(only_exit[0][0] * factor)
    assert all_bare[1][1] > all_bare[0][1]  # p passes better than s


def test_a_bare_stack_changes_the_vectorial_image_only_slightly():
    """More bare faces dim the edge of the pupil in s: the image changes by less than 2 %."""
    path, r = OpticalPath(**LENS), np.linspace(0.0, 2.0, 30)
    pupils = [Pupil(model="vectorial", outer_indices=m) for m in ((), (1.0, 1.81, 1.0))]
    one, two = (radial_psf(r, [10.0], 0.0, path, pupil=p)[0] for p in pupils)
    difference = np.abs(one - two).max() / one.max()
    assert 1e-4 < difference < 0.02
