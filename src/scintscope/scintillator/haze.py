"""The halo of light that total reflection trapped and that left the plate elsewhere.

A share h of the collected light is spread by exp(-r / L) over the plate (after Crystals 2025, 15,
605, which models multiple internal reflections by such a kernel; its fractions and lengths could
not be read, so both are parameters and zero by default).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import check_range

Array = NDArray[np.float64]


def haze_transfer(frequency_cy_per_um: Array, fraction: float, length_um: float) -> Array:
    """Return the transfer function of light with a halo, unity at f = 0.

    (1 - h) + h (1 + (2 pi f L)^2)^(-3/2), the latter being the two-dimensional transform of
    exp(-r / L) / (2 pi L^2) (Bracewell 2000, table of Hankel transforms).

    Parameters
    ----------
    frequency_cy_per_um : array
        Radial frequency at the object.
    fraction : float
        h, share of the collected light.
    length_um : float
        L; ignored where h = 0.

    Raises
    ------
    RangeError
        If the fraction lies outside 0 to 1 or a halo has no length.
    """
    check_range("haze_fraction", fraction, low=0.0, high=1.0)
    frequency = np.asarray(frequency_cy_per_um, dtype=np.float64)
    if fraction == 0.0:
        return np.ones(frequency.shape)
    check_range("haze_length_um", length_um, low=0.0, low_open=True, unit="um")
    halo = (1.0 + (2.0 * np.pi * frequency * length_um) ** 2) ** -1.5
    return np.asarray((1.0 - fraction) + fraction * halo)
