"""Gauss-Legendre quadrature in depth; never a rectangle sum."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@lru_cache(maxsize=128)
def unit_nodes(count: int) -> tuple[Array, Array]:
    """Return nodes and weights on [0, 1]; the weights sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return 0.5 * (1.0 + nodes), 0.5 * weights


def interval_nodes(low_um: float, high_um: float, count: int) -> tuple[Array, Array]:
    """Return nodes (um) and weights (um) on an interval; the weights sum to its length."""
    nodes, weights = unit_nodes(count)
    return low_um + (high_um - low_um) * nodes, (high_um - low_um) * weights


def plate_nodes(thickness_um: float, count: int, face_layer_um: float = 4.0) -> tuple[Array, Array]:
    """Return nodes and weights over a plate whose faces let electrons out, um.

    Two thin panels at the faces, where the energy kept by electrons changes over their range, and
    one between them; a plate of a few such layers takes three equal panels.

    Parameters
    ----------
    thickness_um : float
        Of the plate.
    count : int
        Nodes between the layers; each layer has a quarter of it, but at least six.
    face_layer_um : float
        Depth of the layers.
    """
    layer = min(face_layer_um, thickness_um / 3.0)
    few = max(6, count // 4)
    panels = (
        interval_nodes(0.0, layer, few),
        interval_nodes(layer, thickness_um - layer, count),
        interval_nodes(thickness_um - layer, thickness_um, few),
    )
    nodes, weights = (np.concatenate(parts) for parts in zip(*panels, strict=True))
    return nodes, weights


def defocus_nodes(thickness_um: float, na: float, index: float, wavelength_um: float) -> int:
    """Return the depth nodes at which the transfer function's oscillation starts to be resolved.

    H(f, z) is band-limited in z: its phase spans 2 D (n - sqrt(n^2 - NA^2)) / lambda cycles at
    most over a depth D (the pupil's largest path difference, both signs).
    """
    cycles = 2.0 * thickness_um * (index - float(np.sqrt(index**2 - na**2))) / wavelength_um
    return 8 + int(np.ceil(cycles))
