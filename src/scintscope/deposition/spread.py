"""How far from the axis energy lies, from its transfer function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import j1

from scintscope.deposition.frequencies import HIGHEST_CY_PER_UM
from scintscope.errors import check_range

Array = NDArray[np.float64]

_TOP = 0.95 * HIGHEST_CY_PER_UM
_TAPER = 2.5


def share_beyond(transfer_function: Callable[[Array], Array], radius_um: float) -> float:
    """Return the share of a radial density beyond a radius.

    Within r lies 2 pi r int_0^inf m(f) J1(2 pi f r) df. What m keeps at the highest frequency lies
    on the axis; the rest is integrated between the zeros of the Bessel function, under a Gaussian
    taper that blurs the radius by less than 0.1 um.

    Parameters
    ----------
    transfer_function : callable
        m(f), 1 at f = 0, at frequencies (F,) in cycles per um.
    radius_um : float
        r.

    Raises
    ------
    RangeError
        If the radius is not positive.
    """
    check_range("radius_um", radius_um, low=0.0, low_open=True, unit="um")
    period = 0.5 / radius_um
    graded = np.concatenate([[0.0], np.geomspace(1e-6, period, 40)])
    periods = np.arange(1, int(np.ceil(_TOP / period)) + 1) * period
    edges = np.unique(np.concatenate([graded, periods[periods < _TOP], [_TOP]]))
    x, w = np.polynomial.legendre.leggauss(8)
    half = 0.5 * np.diff(edges)[:, None]
    f = (0.5 * (edges[1:] + edges[:-1])[:, None] + half * x).ravel()
    floor = float(transfer_function(np.array([_TOP]))[0])
    spread = (transfer_function(f) - floor) * np.exp(-((_TAPER * f / _TOP) ** 2))
    kernel = 2.0 * np.pi * radius_um * j1(2.0 * np.pi * f * radius_um) * (half * w).ravel()
    return float(1.0 - floor - spread @ kernel)
