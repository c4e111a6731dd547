"""Gauss-Legendre quadrature in depth; never a rectangle sum."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


_FACE_NODES = 12


@lru_cache(maxsize=128)
def unit_nodes(count: int) -> tuple[Array, Array]:
    """Return nodes and weights on [0, 1]; the weights sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return 0.5 * (1.0 + nodes), 0.5 * weights


def interval_nodes(low_um: float, high_um: float, count: int) -> tuple[Array, Array]:
    """Return nodes (um) and weights (um) on an interval; the weights sum to its length."""
    nodes, weights = unit_nodes(count)
    return low_um + (high_um - low_um) * nodes, (high_um - low_um) * weights


def plate_nodes(thickness_um: float, count: int, face_layer_um: float = 8.0) -> tuple[Array, Array]:
    """Return nodes and weights over a plate whose faces let electrons out, um.

    Two panels at the faces, where the energy kept by electrons rises with the root of the depth
    over their range, and one between them. In the face layers the nodes are those of the cube
    root of the depth, so that this root is smooth.

    Parameters
    ----------
    thickness_um : float
        Of the plate.
    count : int
        Nodes between the layers; each layer has a quarter of it, but at least twelve.
    face_layer_um : float
        Depth of the layers, at most a third of the plate.
    """
    layer = min(face_layer_um, thickness_um / 3.0)
    root, share = unit_nodes(max(_FACE_NODES, count // 4))
    depth, weight = layer * root**3, 3.0 * layer * root**2 * share
    middle, between = interval_nodes(layer, thickness_um - layer, count)
    nodes = np.concatenate([depth, middle, thickness_um - depth[::-1]])
    return nodes, np.concatenate([weight, between, weight[::-1]])


def defocus_nodes(thickness_um: float, na: float, index: float, wavelength_um: float) -> int:
    """Return the depth nodes at which the transfer function's oscillation starts to be resolved.

    H(f, z) is band-limited in z: its phase spans 2 D (n - sqrt(n^2 - NA^2)) / lambda cycles at
    most over a depth D (the pupil's largest path difference, both signs).
    """
    cycles = 2.0 * thickness_um * (index - float(np.sqrt(index**2 - na**2))) / wavelength_um
    return 8 + int(np.ceil(cycles))
