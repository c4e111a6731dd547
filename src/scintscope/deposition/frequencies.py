"""The frequencies at which transfer functions are tabulated, and interpolation between them.

Transfer functions of deposited energy change on a logarithmic scale, are even in f and flat at 0:
nodes are equidistant in s = asinh(f / f0), with 0 among them, and values between nodes are those
of the cubic through the four nearest, mirrored at 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import check_range

Array = NDArray[np.float64]

LOWEST_CY_PER_UM = 3e-4
HIGHEST_CY_PER_UM = 20.0
_COUNT = 60


def tabulated_frequencies() -> Array:
    """Return the nodes, cycles per um, (T,)."""
    top = np.arcsinh(HIGHEST_CY_PER_UM / LOWEST_CY_PER_UM)
    return np.asarray(LOWEST_CY_PER_UM * np.sinh(np.linspace(0.0, top, _COUNT)))


def stencil(frequency_cy_per_um: Array) -> tuple[NDArray[np.intp], Array]:
    """Return the four nodes around each frequency and their weights, both (F, 4).

    Raises
    ------
    RangeError
        If a frequency is negative or beyond the table.
    """
    frequency = np.asarray(frequency_cy_per_um, dtype=np.float64)
    for value in (float(frequency.min()), float(frequency.max())):
        check_range(
            "frequency_cy_per_um",
            value,
            low=0.0,
            high=HIGHEST_CY_PER_UM,
            unit="cycles/um",
            remedy="No optical system passes higher ones.",
        )
    step = np.arcsinh(HIGHEST_CY_PER_UM / LOWEST_CY_PER_UM) / (_COUNT - 1)
    place = np.arcsinh(frequency / LOWEST_CY_PER_UM) / step
    first = np.minimum(np.floor(place).astype(np.intp), _COUNT - 3) - 1
    x = place - first
    weights = np.stack(
        [
            -(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0,
            x * (x - 2.0) * (x - 3.0) / 2.0,
            -x * (x - 1.0) * (x - 3.0) / 2.0,
            x * (x - 1.0) * (x - 2.0) / 6.0,
        ],
        axis=1,
    )
    return np.abs(first[:, None] + np.arange(4)), weights


def interpolation(frequency_cy_per_um: Array) -> Array:
    """Return the matrix that takes values on the nodes to other frequencies, (T, F)."""
    index, weights = stencil(frequency_cy_per_um)
    matrix = np.zeros((_COUNT, weights.shape[0]))
    np.add.at(matrix, (index, np.arange(weights.shape[0])[:, None]), weights)
    return matrix
