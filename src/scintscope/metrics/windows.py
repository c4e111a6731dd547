"""Windows of one dimension; scipy.signal has them too, and takes a quarter of a second to load."""

from __future__ import annotations

import numpy as np

from scintscope.metrics.checks import Float64Array


def tukey(count: int, taper: float) -> Float64Array:
    """Return a window of ones whose ends fall to zero as cosines, (count,).

    Parameters
    ----------
    count : int
        Samples, two or more.
    taper : float
        Share of the samples on the slopes, both together; 0 < taper <= 1. One is a Hann window.

    Notes
    -----
    w(x) = (1 - cos(2 pi x / taper)) / 2 for x < taper / 2, mirrored at the other end, x from 0 to 1
    (Harris 1978, Proc. IEEE 66, 51).
    """
    x = np.linspace(0.0, 1.0, count)
    near = np.minimum(np.minimum(x, 1.0 - x), 0.5 * taper)
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * near / taper))
