"""Depth nodes of a plate: Gauss-Legendre panels graded towards both faces.

Symbols: z depth, t thickness, phi_j Lagrange polynomial of node j inside its panel (0 outside).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scintscope.quadrature import unit_nodes

Array = NDArray[np.float64]

PANEL_NODES = 7
_GRADING = 3.0
_MOST_LEVELS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Panels:
    """Panels and nodes over the depth of a plate.

    Parameters
    ----------
    edge_um : (P + 1,) array
        Panel edges, 0 to the thickness.
    z_um, weight_um : (N,) array
        Nodes and quadrature weights, `PANEL_NODES` per panel.
    """

    edge_um: Array
    z_um: Array
    weight_um: Array

    @property
    def width_um(self) -> Array:
        """Panel widths, (P,)."""
        return np.diff(self.edge_um)

    def interpolation(self, z_um: Array) -> Array:
        """Return the matrix that takes values on the nodes to depths ``z_um``, (D, N)."""
        depth = np.asarray(z_um, dtype=np.float64)
        panel = np.clip(np.searchsorted(self.edge_um, depth, side="right") - 1, 0, None)
        panel = np.minimum(panel, self.width_um.size - 1)
        local = (depth - self.edge_um[panel]) / self.width_um[panel]
        powers = local[:, None] ** np.arange(PANEL_NODES)
        matrix = np.zeros((depth.size, self.width_um.size, PANEL_NODES))
        matrix[np.arange(depth.size), panel] = powers @ lagrange_coefficients()
        return matrix.reshape(depth.size, -1)


def graded_panels(thickness_um: float, finest_um: float) -> Panels:
    """Return panels that shrink threefold towards each face, down to ``finest_um`` or less.

    The collision density of isotropic sources goes as z log z at a face, that of the primary as
    exp(-mu z): both are smooth on panels in a fixed proportion to their distance from the face.
    """
    wanted = np.log(max(thickness_um / finest_um, 1.0)) / np.log(_GRADING)
    levels = int(np.clip(np.ceil(wanted), 3, _MOST_LEVELS))
    half = 0.5 * thickness_um * _GRADING ** -np.arange(levels, -1.0, -1.0)
    edges = np.concatenate([[0.0], half, (thickness_um - half[:-1])[::-1], [thickness_um]])
    x, w = unit_nodes(PANEL_NODES)
    width = np.diff(edges)
    return Panels(
        edge_um=edges,
        z_um=(edges[:-1, None] + width[:, None] * x).ravel(),
        weight_um=(width[:, None] * w).ravel(),
    )


@lru_cache(maxsize=4)
def lagrange_coefficients() -> Array:
    """Return the monomial coefficients of phi_j on [0, 1], (power, node)."""
    x, _ = unit_nodes(PANEL_NODES)
    return np.asarray(np.linalg.inv(x[:, None] ** np.arange(PANEL_NODES)))


@lru_cache(maxsize=4)
def shifted_coefficients() -> Array:
    """Return the coefficients of phi_j(x_i - y) in powers of y, (i, power, j)."""
    x, _ = unit_nodes(PANEL_NODES)
    return np.stack([_about(node) for node in x])


def _about(node: float) -> Array:
    """Return the monomial coefficients in y of phi_j(node - y), (power, j)."""
    base = np.polynomial.Polynomial([node, -1.0])
    rows = np.zeros((PANEL_NODES, PANEL_NODES))
    for power in range(PANEL_NODES):
        rows[power, : power + 1] = (base**power).coef
    return np.asarray(rows.T @ lagrange_coefficients())


def exponential_moments(a: Array) -> Array:
    """Return M_n(a) = int_0^1 exp(-a s) s^n ds for n = 0 .. PANEL_NODES - 1; last axis is n.

    Small a: Kummer series of the highest moment (positive terms), then downwards
    M_(n-1) = (a M_n + exp(-a)) / n. Large a: upwards M_n = (n M_(n-1) - exp(-a)) / a. Each
    direction is the stable one.
    """
    top = PANEL_NODES - 1
    out = np.empty((*a.shape, PANEL_NODES))
    small = a < 3.0
    x = np.where(small, a, 0.0)
    decay = np.exp(-x)
    term = np.full(a.shape, 1.0 / (top + 1.0))
    total = term.copy()
    for k in range(1, 24):
        term = term * x / (top + 1.0 + k)
        total += term
    out[..., top] = total * decay
    for n in range(top, 0, -1):
        out[..., n - 1] = (x * out[..., n] + decay) / n
    y = np.where(small, 3.0, a)
    decay = np.exp(-y)
    large = (1.0 - decay) / y
    out[..., 0] = np.where(small, out[..., 0], large)
    for n in range(1, PANEL_NODES):
        large = (n * large - decay) / y
        out[..., n] = np.where(small, out[..., n], large)
    return out
