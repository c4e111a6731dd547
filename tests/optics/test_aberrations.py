"""The record of a lens's departure from perfection."""

import numpy as np
import pytest

from scintscope.errors import DataError, InputError, RangeError
from scintscope.optics.aberrations import (
    Aberrations,
    aberration_um,
    load_map,
    map_waves,
    radial_terms_um,
)
from scintscope.optics.seidel import Seidel
from scintscope.optics.zernike import zernike

X = np.linspace(-0.7, 0.6, 9)
Y = np.linspace(0.5, -0.4, 9)


def test_default_is_perfect():
    """Without terms the added path is 0 and the pupil symmetric."""
    np.testing.assert_array_equal(aberration_um(X, Y, Aberrations(), 0.55), 0.0)
    assert Aberrations().is_symmetric((1.0, 1.0))
    assert radial_terms_um(Aberrations(), 0.55) == ()


def test_both_numberings_name_the_same_functions():
    """Noll 8 and 11 are ANSI 8 and 12; given together they add."""
    noll = Aberrations(zernike_noll=(0.0,) * 7 + (0.1, 0.0, 0.0, 0.2))
    ansi = Aberrations(zernike_ansi=(0.0,) * 8 + (0.1, 0.0, 0.0, 0.0, 0.2))
    both = Aberrations(zernike_noll=noll.zernike_noll, zernike_ansi=ansi.zernike_ansi)
    expected = 0.55 * (0.1 * zernike(3, 1, X, Y) + 0.2 * zernike(4, 0, X, Y))
    for terms, times in ((noll, 1), (ansi, 1), (both, 2)):
        # rounding
        np.testing.assert_allclose(aberration_um(X, Y, terms, 0.55), times * expected, rtol=1e-13)


def test_radial_terms_are_the_same_path_without_piston():
    """Coefficients of rho^2j reproduce the symmetric terms up to a constant."""
    terms = Aberrations(
        zernike_noll=(0.3, 0.0, 0.0, 0.1) + (0.0,) * 6 + (-0.2,),
        seidel=Seidel(defocus=0.4, spherical=-0.3, field_curvature=0.5),
    )
    field = (0.3, -0.4)
    full = aberration_um(X, Y, terms, 0.6, field)
    rho2 = X**2 + Y**2
    radial = sum(c * rho2**j for j, c in enumerate(radial_terms_um(terms, 0.6, field), start=1))
    # rounding
    np.testing.assert_allclose(full - full[0], radial - radial[0], atol=1e-14)


@pytest.mark.parametrize(
    "terms",
    [
        {"zernike_noll": (0.0, 0.1)},
        {"zernike_ansi": (0.0, 0.0, 0.0, 0.1)},
        {"decentre": (0.1, 0.0)},
        {"map_file": "some.npy"},
        {"seidel": Seidel(coma=0.1)},
    ],
)
def test_unsymmetric_terms_are_not_taken_for_radial_ones(terms):
    """Whatever breaks the symmetry is refused where only a radius is known."""
    with pytest.raises(InputError, match="not axially symmetric"):
        radial_terms_um(Aberrations(**terms), 0.55, (0.0, 0.5))


def test_waves_are_counted_at_the_reference_wavelength():
    """With a reference the path is the same at every wavelength, without it the waves are."""
    fixed = Aberrations(zernike_noll=(0.0, 0.0, 0.0, 0.1), reference_wavelength_um=0.5)
    free = Aberrations(zernike_noll=(0.0, 0.0, 0.0, 0.1))
    np.testing.assert_array_equal(aberration_um(X, Y, fixed, 0.5), aberration_um(X, Y, fixed, 0.7))
    np.testing.assert_allclose(
        aberration_um(X, Y, free, 0.5) * 1.4, aberration_um(X, Y, free, 0.7), rtol=1e-13
    )


@pytest.mark.parametrize(("order", "atol"), [(1, 4e-3), (3, 1e-6)])
def test_map_reproduces_a_smooth_wavefront(tmp_path, order, atol):
    """A sampled unsymmetric wavefront is read back, rows as y: linear h^2 W''/8, cubic h^4."""
    y, x = np.meshgrid(np.linspace(-1, 1, 61), np.linspace(-1, 1, 51), indexing="ij")
    path = tmp_path / "map.npy"
    np.save(path, 0.4 * x**3 + 0.2 * y**2 * x - 0.3 * y)
    terms = Aberrations(map_file=str(path), map_order=order)
    expected = 0.4 * X**3 + 0.2 * Y**2 * X - 0.3 * Y
    # linear: (2/50)^2 / 8 x 2.4 = 5e-4 per axis; cubic splines hold a cubic up to end effects that
    # fall by 0.27 per sample
    np.testing.assert_allclose(aberration_um(X, Y, terms, 1.0), expected, atol=atol)


def test_map_may_be_blank_outside_the_pupil_only(tmp_path):
    """NaN outside the disc is filled from inside; within it is refused."""
    y, x = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41), indexing="ij")
    data = np.where(x**2 + y**2 <= 1.0, 0.1 * x, np.nan)
    np.save(tmp_path / "good.npy", data)
    found = map_waves(load_map(str(tmp_path / "good.npy")), X, Y, 1)
    np.testing.assert_allclose(found, 0.1 * X, atol=1e-12)  # rounding: linear is exact
    data[20, 20] = np.nan
    np.save(tmp_path / "bad.npy", data)
    with pytest.raises(DataError, match="inside the pupil"):
        load_map(str(tmp_path / "bad.npy"))
    np.save(tmp_path / "flat.npy", np.zeros(5))
    with pytest.raises(DataError, match="2-D array"):
        load_map(str(tmp_path / "flat.npy"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("obstruction", 0.96),
        ("obstruction", -0.1),
        ("gaussian_radius", 0.0),
        ("decentre", (0.0, 0.6)),
        ("reference_wavelength_um", 550.0),
        ("zernike_noll", (0.0, float("nan"))),
    ],
)
def test_refuses_values_out_of_range(key, value):
    """Each number outside its range is named with its key."""
    with pytest.raises(RangeError, match=rf"aberrations\.{key}"):
        Aberrations(**{key: value})


def test_refuses_unknown_words():
    """Names and orders that do not exist are refused."""
    with pytest.raises(InputError, match=r"apodisation = 'gausian'.*Did you mean 'gaussian'"):
        Aberrations(apodisation="gausian")
    with pytest.raises(InputError, match="map_order"):
        Aberrations(map_order=2)
    with pytest.raises(InputError, match="at most 231"):
        Aberrations(zernike_noll=(0.0,) * 232)
