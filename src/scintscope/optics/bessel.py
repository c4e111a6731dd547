r"""Bessel functions J_n of the pupil integrals, with derivatives of every order in JAX.

JAX has no differentiable J_n. Here, for 0 <= x <= 8, J_n(x) = (x / 8)^n f(x^2) and beyond

.. math:: J_n(x) = \sqrt{2 / (\pi x)} [P(y) \cos\chi - (1 / x) Q(y) \sin\chi],\quad
          y = (8 / x)^2,\ \chi = x - (2 n + 1) \pi / 4

(Abramowitz and Stegun 1972, Eq. 9.2.5-9.2.10). The smooth f, P and Q are Chebyshev interpolants
made from ``scipy.special`` when first needed; plain numbers go to ``scipy.special`` itself. The
derivative is J_n' = (J_(n-1) - J_(n+1)) / 2, J_(-n) = (-1)^n J_n (Eq. 9.1.5, 9.1.27), so that
J_0' = -J_1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from scintscope.jax64 import jax, jnp, namespace

Array = NDArray[np.float64]

_BREAK = 8.0
_SMALL_TERMS, _LARGE_TERMS = 22, 26


@lru_cache(maxsize=16)
def _coefficients(order: int) -> tuple[Array, Array, Array]:
    """Return the Chebyshev coefficients of f in 2 x^2 / 64 - 1 and of P, Q in 2 y - 1."""
    from scipy.special import jv, yv

    def small(u: Array) -> Array:
        x = _BREAK * np.sqrt(0.5 * (1.0 + u))
        return np.asarray(jv(order, x) / (x / _BREAK) ** order)

    def large(u: Array, sine: bool) -> Array:
        x = _BREAK / np.sqrt(0.5 * (1.0 + u))
        chi = x - (2 * order + 1) * np.pi / 4.0
        scale = np.sqrt(0.5 * np.pi * x)
        j, y = jv(order, x), yv(order, x)
        if sine:
            return np.asarray(scale * x * (y * np.cos(chi) - j * np.sin(chi)))
        return np.asarray(scale * (j * np.cos(chi) + y * np.sin(chi)))

    fit: Callable[..., Array] = chebyshev.chebinterpolate
    return (
        fit(small, _SMALL_TERMS),
        fit(large, _LARGE_TERMS, args=(False,)),
        fit(large, _LARGE_TERMS, args=(True,)),
    )


def _clenshaw(coefficients: Array, u: Any) -> Any:
    b1 = b2 = 0.0 * u
    for c in coefficients[:0:-1]:
        b1, b2 = 2.0 * u * b1 - b2 + float(c), b1
    return u * b1 - b2 + float(coefficients[0])


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _traced(order: int, x: Any) -> Any:
    f, p, q = _coefficients(order)
    near = x < _BREAK
    inside = jnp.where(near, x, 0.0)
    beyond = jnp.where(near, _BREAK, x)
    small = (inside / _BREAK) ** order * _clenshaw(f, 2.0 * (inside / _BREAK) ** 2 - 1.0)
    u = 2.0 * (_BREAK / beyond) ** 2 - 1.0
    chi = beyond - (2 * order + 1) * jnp.pi / 4.0
    wave = _clenshaw(p, u) * jnp.cos(chi) - _clenshaw(q, u) / beyond * jnp.sin(chi)
    return jnp.where(near, small, jnp.sqrt(2.0 / (jnp.pi * beyond)) * wave)


@_traced.defjvp  # type: ignore[untyped-decorator]
def _traced_jvp(order: int, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    (x,), (dx,) = primals, tangents
    above = _traced(order + 1, x)
    slope = -above if order == 0 else 0.5 * (_traced(order - 1, x) - above)
    return _traced(order, x), slope * dx


def bessel_j(order: int, x: Any) -> Any:
    """Return J_n(x) of an order 0, 1, 2, ... and x >= 0, differentiable in JAX.

    Parameters
    ----------
    order : int
        n >= 0, not traced.
    x : array
        Not negative.

    Returns
    -------
    array
        To 1e-14 absolute.
    """
    if namespace(x) is jnp:
        return _traced(order, x)
    from scipy.special import j0, j1, jv

    if order < 2:
        return (j0, j1)[order](x)
    if order > 2:
        return jv(order, x)
    far = x > 1.0  # below, the recurrence would cancel
    safe = np.where(far, x, 1.0)
    return np.where(far, 2.0 * j1(safe) / safe - j0(safe), jv(2, np.where(far, 0.0, x)))
