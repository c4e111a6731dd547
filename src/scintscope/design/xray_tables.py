"""What X-rays leave in a layer, per photon of each energy, tabulated over its thickness.

Depths are those of three panels that scale with the layer (`panel_depths`), so that everything is
smooth in the thickness; energies stay apart, so that a spectrum only weighs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.frequencies import tabulated_frequencies
from scintscope.deposition.kernel import Deposition
from scintscope.design.axes import Nodes
from scintscope.design.events import event_form
from scintscope.quadrature import unit_nodes
from scintscope.sharing import share

Array = NDArray[np.float64]

FACE_NODES, MIDDLE_NODES = 8, 18
_THREADS = 2


def face_layer_um(thickness_um: Any) -> Any:
    """Return the depth of the panels at the faces, um: a third of a thin layer, 8 um of a thick.

    Electrons leave through the faces from there (`quadrature.plate_nodes`).
    """
    return thickness_um / (3.0 + thickness_um / 8.0)


def panel_depths(thickness_um: Any, middle: int, xp: Any = np) -> tuple[Any, Any]:
    """Return depths and weights of three panels, (2 FACE_NODES + middle,); um.

    At the faces the nodes are those of the cube root of the depth, as in `quadrature.plate_nodes`.
    """
    layer = face_layer_um(thickness_um)
    root, share = unit_nodes(FACE_NODES)
    depth, weight = layer * root**3, 3.0 * layer * root**2 * share
    unit, between = unit_nodes(middle)
    inner = thickness_um - 2.0 * layer
    z = xp.concatenate([depth, layer + inner * unit, thickness_um - depth[::-1]])
    return z, xp.concatenate([weight, inner * between, weight[::-1]])


def to_depths(middle: int) -> Array:
    """Return the matrix from tabulated depths to those with ``middle`` nodes between the faces."""
    size = 2 * FACE_NODES
    matrix = np.zeros((size + middle, size + MIDDLE_NODES))
    face = np.arange(FACE_NODES)
    matrix[face, face] = 1.0
    matrix[FACE_NODES + middle + face, FACE_NODES + MIDDLE_NODES + face] = 1.0
    known, wanted = (2.0 * unit_nodes(n)[0] - 1.0 for n in (MIDDLE_NODES, middle))
    basis = np.polynomial.legendre.legvander(known, MIDDLE_NODES - 1)
    inside = np.polynomial.legendre.legvander(wanted, MIDDLE_NODES - 1) @ np.linalg.inv(basis)
    matrix[FACE_NODES : FACE_NODES + middle, FACE_NODES : FACE_NODES + MIDDLE_NODES] = inside
    return matrix


@dataclass(frozen=True, kw_only=True, slots=True)
class XrayTables:
    """Of one layer; leading axes are the points of ``nodes``, then the E energies.

    Parameters
    ----------
    nodes : tuple of Nodes
        Keys that the layer depends on, its thickness above all.
    energy_kev : (E,) array
        Photon energies.
    left : (..., E, D, T) array
        Mean energy left per um of depth with its transfer function, keV/um.
    squares : (..., E, D, T) array
        Of `events.EventForm`.
    products : (..., E, T, K, K) array
        Of `events.EventForm`.
    """

    nodes: tuple[Nodes, ...]
    energy_kev: Array
    left: Array
    squares: Array
    products: Array


def frequencies_up_to(top_cy_per_um: float) -> int:
    """Return how many of the tabulated frequencies interpolation up to ``top`` needs."""
    return min(int(np.searchsorted(tabulated_frequencies(), top_cy_per_um)) + 3, 60)


def xray_tables(
    make: Callable[[Mapping[str, float]], Deposition],
    nodes: tuple[Nodes, ...],
    points: list[dict[str, float]],
    top_cy_per_um: float,
    advance: Callable[[int], None],
) -> XrayTables:
    """Return the tables of a layer.

    Parameters
    ----------
    make : callable
        Deposition at values of the keys.
    nodes, points
        Axes, and all their points in order.
    top_cy_per_um : float
        Highest frequency wanted.
    advance : callable
        Told of each point done.
    """
    count = frequencies_up_to(top_cy_per_um)

    def one(point: dict[str, float]) -> tuple[Array, Array, Array, Array]:
        deposited = make(point)
        z, _ = panel_depths(deposited.thickness_um, MIDDLE_NODES)
        form = event_form(deposited, z)
        mean = deposited.mean_transfer(
            np.eye(deposited.energy_kev.size), z, tabulated_frequencies()[:count]
        )
        advance(1)
        return deposited.energy_kev, mean, form.diagonal[..., :count], form.products[:, :count]

    rows = share(one, points, _THREADS)
    shape = tuple(n.count for n in nodes)

    def stacked(i: int) -> Array:
        values = np.stack([row[i] for row in rows])
        return np.asarray(values.reshape(shape + values.shape[1:]))

    return XrayTables(
        nodes=nodes,
        energy_kev=rows[0][0],
        left=stacked(1),
        squares=stacked(2),
        products=stacked(3),
    )
