r"""Zernike circle polynomials, orthonormal on the unit disc, in two numberings.

.. math:: Z_n^m(\rho, \varphi) = N_n^m R_n^{|m|}(\rho) \times
          \{\cos m\varphi\ (m \ge 0),\ \sin |m|\varphi\ (m < 0)\},\quad
          N_n^m = \sqrt{(2 - \delta_{m0})(n + 1)}

so that the mean of Z_i Z_j over the disc is delta_ij and a coefficient is its term's rms (Noll
1976, J. Opt. Soc. Am. 66, 207, Eq. 1-4; ANSI Z80.28 and OSA standard, Thibos et al. 2002, J.
Refract. Surg. 18, S652, Eq. 1-4: same functions, other order). phi runs from the column axis (+x)
to the row axis (+y). Noll counts from 1 (piston), ANSI/OSA from 0.
"""

from __future__ import annotations

from math import factorial, isqrt
from typing import Any

from scintscope.errors import InputError
from scintscope.jax64 import namespace


def noll_to_nm(index: int) -> tuple[int, int]:
    """Return (n, m) of Noll's index j >= 1; m < 0 are the sines, which have odd j.

    Noll 1976, Table I: j = 1 piston, 2 and 3 tilts, 4 defocus, 5 and 6 astigmatism, 7 and 8 coma,
    11 spherical aberration.

    Raises
    ------
    InputError
        If j < 1.
    """
    if index < 1:
        raise InputError(f"Noll index {index}: it counts from 1 (piston).")
    n = (isqrt(8 * index - 7) - 1) // 2
    rest = index - n * (n + 1) // 2 - 1
    m = 2 * ((rest + 1) // 2) if n % 2 == 0 else 2 * (rest // 2) + 1
    return n, m if index % 2 == 0 else -m


def ansi_to_nm(index: int) -> tuple[int, int]:
    """Return (n, m) of the ANSI/OSA index j = (n (n + 2) + m) / 2 >= 0.

    j = 0 piston, 1 and 2 tilts, 4 defocus, 3 and 5 astigmatism, 7 and 8 coma, 12 spherical.

    Raises
    ------
    InputError
        If j < 0.
    """
    if index < 0:
        raise InputError(f"ANSI index {index}: it counts from 0 (piston).")
    n = (isqrt(8 * index + 1) - 1) // 2
    return n, 2 * index - n * (n + 2)


def norm(n: int, m: int) -> float:
    """Return N_n^m (module equation)."""
    return float(((1 if m == 0 else 2) * (n + 1)) ** 0.5)


def radial_coefficients(n: int, m: int) -> tuple[int, ...]:
    """Return the integer coefficients of R_n^|m|: of rho^n, rho^(n-2), ..., rho^|m| (Noll, Eq. 2).

    Raises
    ------
    InputError
        If (n, m) is no Zernike polynomial.
    """
    m = abs(m)
    if m > n or (n - m) % 2:
        raise InputError(f"(n, m) = ({n}, {m}) is no Zernike polynomial: n - |m| is even and >= 0.")
    return tuple(
        (-1) ** k
        * factorial(n - k)
        // (factorial(k) * factorial((n + m) // 2 - k) * factorial((n - m) // 2 - k))
        for k in range((n - m) // 2 + 1)
    )


def zernike(n: int, m: int, x: Any, y: Any) -> Any:
    """Return Z_n^m on pupil points (module equation).

    Parameters
    ----------
    n, m : int
        Radial and azimuthal order.
    x, y : array
        Column and row coordinate in pupil radii. Written in powers of x + i y, it has derivatives
        at the centre too.

    Returns
    -------
    array of their shape
    """
    rho2 = x * x + y * y
    total = 0.0 * rho2
    for coefficient in radial_coefficients(n, m):
        total = total * rho2 + coefficient
    cosine, sine = _harmonic(abs(m), x, y)
    return norm(n, m) * total * (cosine if m >= 0 else sine)


def _harmonic(m: int, x: Any, y: Any) -> tuple[Any, Any]:
    """Return rho^m cos(m phi) and rho^m sin(m phi) as polynomials."""
    xp = namespace(x, y)
    cosine, sine = xp.ones_like(x * y), 0.0 * (x * y)
    for _ in range(m):
        cosine, sine = cosine * x - sine * y, sine * x + cosine * y
    return cosine, sine
