"""Errors over the field: maps, rings about the axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RINGS = 24


def radial_rms(error: NDArray[Any]) -> tuple[Array, Array]:
    """Return ring radii, pixels, and the RMS of an error map on rings about its centre."""
    rows, columns = (np.arange(n) - 0.5 * (n - 1) for n in error.shape)
    radius = np.hypot(rows[:, None], columns[None, :])
    edges = np.linspace(0.0, 0.5 * min(error.shape), min(_RINGS, min(error.shape) // 4) + 1)
    ring = np.digitize(radius.ravel(), edges) - 1
    inside = ring < edges.size - 1
    count = np.bincount(ring[inside], minlength=edges.size - 1)
    total = np.bincount(ring[inside], weights=error.ravel()[inside] ** 2, minlength=edges.size - 1)
    return 0.5 * (edges[1:] + edges[:-1]), np.sqrt(total / np.maximum(count, 1))
