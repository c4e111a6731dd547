"""Transfer functions of a plate: aberrations that the image model does not know are refused."""

from dataclasses import replace

import numpy as np
import pytest

from benches import LOCAL, instrument, yag_plate
from scintscope.accuracy import Accuracy
from scintscope.errors import InputError
from scintscope.optics.aberrations import Aberrations
from scintscope.optics.lens import Lens
from scintscope.optics.seidel import Seidel
from scintscope.plate_transfer import optical_path
from scintscope.response import depth_response, mean_transfer


def with_aberrations(aberrations):
    return replace(instrument(), lens=Lens(aberrations=aberrations))


@pytest.mark.parametrize("name", ["coma", "astigmatism", "field_curvature", "distortion"])
def test_terms_that_grow_with_the_field_are_refused(name):
    """On the axis they are zero, so accepting them would silently leave them out."""
    bench = with_aberrations(Aberrations(seidel=Seidel(**{name: 0.5})))
    with pytest.raises(InputError, match=rf"seidel\.{name} = 0\.5 .*lens\.field"):
        optical_path(bench, bench.thin)


def test_symmetric_terms_enter_the_path():
    """Defocus and spherical aberration are path differences of rho^2 and rho^4."""
    bench = with_aberrations(Aberrations(seidel=Seidel(defocus=0.25, spherical=0.5)))
    path = optical_path(bench, bench.thin)
    wave = path.wavelength_um
    # products of two numbers: float rounding
    assert path.radial_um == pytest.approx((0.25 * wave, 0.5 * wave), rel=1e-14)


def test_obstruction_is_refused():
    """A central stop is for the pupil engines."""
    bench = with_aberrations(Aberrations(obstruction=0.3))
    with pytest.raises(InputError, match="obstruction"):
        optical_path(bench, bench.thin)


def test_the_stage_makes_up_for_a_moved_camera():
    """A camera b farther away is refocused by a stage travel of b / M^2, with little left over."""
    near = instrument(thin=yag_plate(20.0, focus_um=10.0))
    far = replace(near, lens=replace(near.lens, camera_travel_mm=1.0))
    first, second = (depth_response(bench, bench.thin) for bench in (near, far))
    moved = abs(second.travel_um - first.travel_um)
    # paraxial law; at NA 0.4 the best stage differs from it by a few per cent
    assert moved == pytest.approx(1000.0 / 5.0**2, rel=0.05)
    lost = mean_transfer(first) - mean_transfer(second)
    assert 1e-5 < abs(lost).max() < 0.05  # spherical aberration: the sine is kept, not the tangent


@pytest.mark.parametrize("electrons", [False, True])
def test_a_very_thin_plate_has_the_lens_and_the_electrons_only(electrons):
    """Thickness to 0: T of the focus, times the electrons' transfer in a thin layer if they run."""
    effects = replace(LOCAL, electrons=electrons)
    plate = yag_plate(0.05, focus_um=0.025, back_face="black")
    bench = instrument(thin=plate, accuracy=Accuracy(effects=effects))
    response = depth_response(bench, plate)
    focal = response.otf_at(np.array([0.025]))[0]
    left = response.deposition.film.transfer_function(
        response.spectrum.photons_per_um2_s, response.frequency_cy_per_um
    )
    assert (left.min() < 0.99) == electrons
    # 0.05 um off focus shifts T by its square over the depth of field's, (0.025 / 6)^2
    np.testing.assert_allclose(mean_transfer(response), focal * left, atol=1e-4)
