"""Transfer functions of a plate: aberrations that the image model does not know are refused."""

from dataclasses import replace

import pytest

from benches import instrument
from scintscope.errors import InputError
from scintscope.optics.aberrations import Aberrations
from scintscope.optics.lens import Lens
from scintscope.optics.seidel import Seidel
from scintscope.plate_transfer import optical_path


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
