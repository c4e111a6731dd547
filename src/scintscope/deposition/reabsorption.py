"""Where photons sent out isotropically collide next, as matrices on the depth nodes.

Symbols: mu attenuation, d depth difference, f spatial frequency, k = 2 pi f, c cosine to the
normal. A photon sent out isotropically collides per um of depth difference with the transverse
transform

    G(d, f) = (mu / 2) int_0^1 dc / c  exp(-mu d / c) J0(k d sqrt(1 - c^2) / c)
            = (mu / 2) int_0^1 dc  mu exp(-kappa d) / (c sqrt(mu^2 + k^2 c^2)),
    kappa = sqrt(mu^2 / c^2 + k^2),

the second form by int_0^inf x / sqrt(x^2 + 1) exp(-a sqrt(x^2 + 1)) J0(b x) dx =
exp(-sqrt(a^2 + b^2)) / sqrt(a^2 + b^2) (Gradshteyn and Ryzhik 6.616.2, differentiated). G is a sum
of exponentials with positive weights, so integrals over panels are in closed form. At f = 0 it is
(mu / 2) E1(mu d).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expn

from scintscope.deposition.panels import (
    PANEL_NODES,
    Panels,
    exponential_moments,
    lagrange_coefficients,
    shifted_coefficients,
)
from scintscope.quadrature import unit_nodes

Array = NDArray[np.float64]

_COSINE_NODES = 6
_COSINE_GRADING = 3.5
_GRAZING = 0.05


def cosine_nodes(attenuation_per_um: float, finest_um: float) -> tuple[Array, Array]:
    """Return nodes and weights in c on (0, 1), graded towards grazing directions, (Q,).

    Grading ends where a photon collides within a fraction of the finest panel's width.
    """
    first = min(_GRAZING * attenuation_per_um * finest_um, 0.5)
    count = max(int(np.ceil(-np.log(first) / np.log(_COSINE_GRADING))), 1)
    edges = np.concatenate([[0.0], np.geomspace(first, 1.0, count + 1)])
    x, w = unit_nodes(_COSINE_NODES)
    width = np.diff(edges)[:, None]
    return (edges[:-1, None] + width * x).ravel(), (width * w).ravel()


def isotropic_collisions(
    panels: Panels, attenuation_per_um: float, frequency_cy_per_um: Array
) -> Array:
    """Return the collision density of isotropic photons, per um, as matrices on the nodes.

    Parameters
    ----------
    panels : Panels
        Nodes of the plate.
    attenuation_per_um : float
        mu at the photons' energy.
    frequency_cy_per_um : (F,) array
        Spatial frequencies.

    Returns
    -------
    (F, N, N) array
        ``A[f, i, j]``: density at node i of photons emitted with density phi_j.
    """
    cosine, weight = cosine_nodes(attenuation_per_um, float(panels.width_um.min()))
    k = 2.0 * np.pi * np.asarray(frequency_cy_per_um, dtype=np.float64)[:, None]
    root = np.sqrt(attenuation_per_um**2 + (k * cosine) ** 2)
    kappa = root / cosine
    strength = 0.5 * attenuation_per_um**2 * weight / (cosine * root)
    return _matrices(panels, strength, kappa)


def _matrices(panels: Panels, strength: Array, kappa: Array) -> Array:
    """Return the matrices of sum_q strength_q exp(-kappa_q |z - z'|), (F, N, N).

    Strength and kappa are (F, Q). Elementary functions are taken for all frequencies at once.
    """
    width = panels.width_um
    count = width.size
    z = panels.z_um.reshape(count, PANEL_NODES)
    rising = exponential_moments(kappa[..., None] * width) @ lagrange_coefficients()
    out = width[:, None] * rising  # int exp(-kappa (z' - left)) phi_j dz', (F, Q, P, j)
    result = np.zeros((kappa.shape[0], count, PANEL_NODES, count, PANEL_NODES))
    for p in range(1, count):
        ahead = np.exp(-kappa[..., None] * (panels.edge_um[p] - z[:p].reshape(-1)))
        near = (ahead * strength[..., None]).transpose(0, 2, 1) @ out[:, :, p]
        result[:, :p, :, p] = near.reshape(-1, p, PANEL_NODES, PANEL_NODES)
    # panels and nodes are symmetric about the middle: A[i, j] = A[N-1-i, N-1-j]
    upper = result.reshape(kappa.shape[0], count * PANEL_NODES, -1)
    result = (upper + upper[:, ::-1, ::-1]).reshape(result.shape)
    for p in range((count + 1) // 2):
        block = _own_panel(float(width[p]), strength, kappa)
        result[:, p, :, p] = block
        result[:, count - 1 - p, :, count - 1 - p] = block
    return result.reshape(upper.shape)


def _own_panel(width_um: float, strength: Array, kappa: Array) -> Array:
    """Return the blocks of a panel on itself, (F, i, j): from below, by symmetry from above."""
    x, _ = unit_nodes(PANEL_NODES)
    moments = exponential_moments(kappa[..., None] * width_um * x)
    summed = np.einsum("fq,fqin->fin", strength, moments, optimize=True)
    summed = summed * x[:, None] ** np.arange(1, PANEL_NODES + 1)
    below = np.einsum("fin,inj->fij", summed, shifted_coefficients())
    return np.asarray(width_um * (below + below[:, ::-1, ::-1]))


def escape_probability(panels: Panels, attenuation_per_um: float) -> Array:
    """Return the chance that an isotropic photon from a node leaves the plate uncollided, (N,).

    (E2(mu z) + E2(mu (t - z))) / 2, independent of the quadrature of the matrices.
    """
    thickness = panels.edge_um[-1]
    front = expn(2, attenuation_per_um * panels.z_um)
    back = expn(2, attenuation_per_um * (thickness - panels.z_um))
    return np.asarray(0.5 * (front + back))
