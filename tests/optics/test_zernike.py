"""Zernike polynomials, their two numberings, and Seidel terms."""

import numpy as np
import pytest

from scintscope.errors import InputError, RangeError
from scintscope.optics.seidel import Seidel, seidel_waves
from scintscope.optics.zernike import ansi_to_nm, noll_to_nm, norm, radial_coefficients, zernike

NOLL = {  # Noll 1976, Table I; negative m for the sines
    1: (0, 0), 2: (1, 1), 3: (1, -1), 4: (2, 0), 5: (2, -2), 6: (2, 2), 7: (3, -1), 8: (3, 1),
    9: (3, -3), 10: (3, 3), 11: (4, 0), 12: (4, 2), 13: (4, -2), 14: (4, 4), 15: (4, -4),
    22: (6, 0), 37: (8, 0),
}  # fmt: skip
ANSI = {  # Thibos et al. 2002, Table 2
    0: (0, 0), 1: (1, -1), 2: (1, 1), 3: (2, -2), 4: (2, 0), 5: (2, 2), 6: (3, -3), 7: (3, -1),
    8: (3, 1), 9: (3, 3), 10: (4, -4), 12: (4, 0), 14: (4, 4), 24: (6, 0),
}  # fmt: skip


def disc_nodes(count=24):
    """Return x, y, weight of a quadrature exact for polynomials of degree < 2 count."""
    t, w = np.polynomial.legendre.leggauss(count)
    rho = np.sqrt(0.5 * (1.0 + t))[:, None]
    phi = 2.0 * np.pi * (np.arange(2 * count) + 0.5)[None, :] / (2 * count)
    weight = np.broadcast_to(0.5 * w[:, None] / (2 * count), (count, 2 * count))
    return rho * np.cos(phi), rho * np.sin(phi), weight


@pytest.mark.parametrize(("convert", "table"), [(noll_to_nm, NOLL), (ansi_to_nm, ANSI)])
def test_indices_are_those_of_the_published_tables(convert, table):
    """Both numberings give the (n, m) printed in their sources."""
    assert {j: convert(j) for j in table} == table


def test_both_numberings_visit_every_polynomial_once():
    """Up to n = 10 each list is a permutation of all valid (n, m)."""
    every = {(n, m) for n in range(11) for m in range(-n, n + 1, 2)}
    assert {noll_to_nm(j) for j in range(1, 67)} == every
    assert {ansi_to_nm(j) for j in range(66)} == every


def test_orthonormal_on_the_disc():
    """The mean of Z_i Z_j over the disc is delta_ij up to n = 8: coefficients are rms values."""
    x, y, weight = disc_nodes()
    values = np.array([zernike(*ansi_to_nm(j), x, y).ravel() for j in range(45)])
    # exact quadrature; coefficients up to 70 and sums of 1152 terms: 1e-15 x 1e2
    np.testing.assert_allclose((values * weight.ravel()) @ values.T, np.eye(45), atol=1e-12)


def test_known_polynomials():
    """Coma and spherical aberration have Noll's closed forms; the sine follows the rows."""
    x, y = np.array([0.3, -0.5]), np.array([0.6, 0.2])
    rho2 = x**2 + y**2
    np.testing.assert_allclose(zernike(3, -1, x, y), np.sqrt(8) * (3 * rho2 - 2) * y, rtol=1e-14)
    np.testing.assert_allclose(zernike(3, 1, x, y), np.sqrt(8) * (3 * rho2 - 2) * x, rtol=1e-14)
    spherical = np.sqrt(5) * (6 * rho2**2 - 6 * rho2 + 1)
    np.testing.assert_allclose(zernike(4, 0, x, y), spherical, rtol=1e-13)
    assert radial_coefficients(6, 0) == (20, -30, 12, -1)
    assert norm(4, 2) == pytest.approx(np.sqrt(10))


def test_refuses_what_is_no_index():
    """Indices below the first and (n, m) of the wrong parity are refused."""
    with pytest.raises(InputError, match="counts from 1"):
        noll_to_nm(0)
    with pytest.raises(InputError, match="counts from 0"):
        ansi_to_nm(-1)
    with pytest.raises(InputError, match="no Zernike polynomial"):
        zernike(3, 2, np.zeros(1), np.zeros(1))


def test_seidel_terms_are_peak_values_and_grow_with_the_field():
    """At rho = h = 1 along the field each term is its coefficient; off it they scale as h^k."""
    one = np.ones(1)
    for name in ("defocus", "spherical", "coma", "astigmatism", "field_curvature", "distortion"):
        terms = Seidel(**{name: 0.7})
        assert seidel_waves(one, 0 * one, terms, (0.0, 1.0))[0] == pytest.approx(0.7)
        assert seidel_waves(0 * one, one, terms, (1.0, 0.0))[0] == pytest.approx(0.7)
        power = {"defocus": 0, "spherical": 0, "coma": 1, "distortion": 3}.get(name, 2)
        half = seidel_waves(one, 0 * one, terms, (0.0, 0.5))[0]
        assert half == pytest.approx(0.7 * 0.5**power)
    # coma and astigmatism vanish across the field direction
    across = seidel_waves(0 * one, one, Seidel(coma=1.0, astigmatism=1.0), (0.0, 1.0))
    assert across[0] == 0.0


def test_seidel_refuses_absurd_values():
    """A coefficient beyond a thousand waves is a slip of units."""
    with pytest.raises(RangeError, match=r"seidel\.coma"):
        Seidel(coma=2e3)
