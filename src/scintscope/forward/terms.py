"""Few images instead of many planes: the depth-node form of Eq. 1 of Zhou et al. 2025.

The light image is sum_z w_z S_{m(z)} [X_z] * T_z, with X_z(x) = sum_E c_E(z) T_E(x) the X-ray
image at depth z and S_m the enlargement. Two smooth dependences on z are interpolated:

- X_z by X at a few chosen depths, X_z = sum_r P_r(z) X_{z_r} (interpolative decomposition of
  sampled pixels: Cheng et al. 2005, SIAM J. Sci. Comput. 26, 1389), which is exact for one energy;
- the enlargement by a few of them, S_{m(z)} = sum_q L_q(z) S_{m_q} (Lagrange polynomials at
  Chebyshev points), which is exact for a parallel beam and telecentric lens.

Everything else stays in the kernels K_rq(f) = sum_z w_z P_r(z) L_q(z) T(f, z), so the sum over
depth costs r q transforms instead of one per plane and loses nothing of the optics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import interpolative

from scintscope.response import DepthResponse
from scintscope.sample.specimen import Specimen

Array = NDArray[np.float64]

_SAMPLED_PIXELS = 400
_MAX_MAGNIFICATION_NODES = 24
_SHARE_OF_TARGET = 0.3
"""Each interpolation may use this share of accuracy.error_target."""

_FIELD_SHARES = (1.0 / 6.0, 0.5, 5.0 / 6.0)
"""Shares of the field's area inside the radii at which the enlargements are judged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthBasis:
    """X at any depth from X at ``depth_um``: X_z = sum_r weights[r, z] X_{z_r}.

    Parameters
    ----------
    depth_um : (R,) array
        Chosen depths.
    weights : (R, D) array
        P_r at the response's depth nodes.
    """

    depth_um: Array
    weights: Array


def light_per_photon(response: DepthResponse, z_um: Array, path: float = 1.0) -> Array:
    """Return c_E(z) at an obliquity: electrons per um2, s and um of depth, (E, D)."""
    rate = response.spectrum.photons_per_um2_s[:, None] * response.electrons_per_kev
    return np.asarray(rate * response.deposit_kev_per_um(z_um, path))


def sample_transmissions(specimen: Specimen, mu_per_um: Mapping[str, Array]) -> Array:
    """Return T_E of some of a specimen's pixels, open beam first, extremes included, (S, E)."""
    maps = list(specimen.thickness_um.items())
    first = next(iter(mu_per_um.values()))
    if not maps:
        return np.ones((1, first.size))
    size = maps[0][1].size
    step = max(1, size // _SAMPLED_PIXELS)
    chosen = list(range(0, size, step)) + [int(values.argmax()) for _, values in maps]
    exponent = np.zeros((len(chosen), first.size))
    for name, values in maps:
        exponent += values.ravel()[chosen].astype(np.float64)[:, None] * mu_per_um[name][None, :]
    return np.concatenate([np.ones((1, first.size)), np.exp(-exponent)])


def depth_basis(
    response: DepthResponse, transmissions: Array, greatest_obliquity: float, error_target: float
) -> DepthBasis:
    """Return the fewest depths whose X-ray images give those at all depths.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    transmissions : (S, E) array
        T_E of sampled pixels.
    greatest_obliquity : float
        Largest 1/cos - 1 over the field.
    error_target : float
        Permitted relative error.
    """
    paths = (1.0, 1.0 + greatest_obliquity) if greatest_obliquity else (1.0,)
    rows = [transmissions @ light_per_photon(response, response.depth_um, path) for path in paths]
    matrix = np.concatenate(rows)
    column_scale = np.sqrt(response.depth_weight_um)
    scaled = matrix * column_scale
    size = np.linalg.norm(scaled, axis=1, keepdims=True)
    lit = size[:, 0] > 0.0  # behind what lets nothing through any basis is right
    scaled = scaled[lit] / size[lit]
    rank, order, projection = interpolative.interp_decomp(
        scaled, _SHARE_OF_TARGET * error_target, rand=False
    )
    weights = interpolative.reconstruct_interp_matrix(order, projection)
    chosen = order[:rank]
    return DepthBasis(
        depth_um=response.depth_um[chosen],
        weights=weights * column_scale[chosen][:, None] / column_scale[None, :],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MagnificationNodes:
    """S_{m(z)} = sum_q weights[q, z] S_{scale_q}.

    Parameters
    ----------
    depth_um, scale : (Q,) array
        Nodes in depth and the enlargement there.
    weights : (Q, D) array
        L_q at the response's depth nodes.
    """

    depth_um: Array
    scale: Array
    weights: Array


def lagrange(nodes: Array, x: Array) -> Array:
    """Return the Lagrange polynomials of some nodes at x, (Q, X)."""
    result = np.ones((nodes.size, x.size))
    for i in range(nodes.size):
        for j in range(nodes.size):
            if i != j:
                result[i] *= (x - nodes[j]) / (nodes[i] - nodes[j])
    return result


def at_depths(response: DepthResponse, values: Array, z_um: Array) -> Array:
    """Return what is known at the response's depth nodes (last axis) at any depths.

    Barycentric interpolation with the closed-form weights of Gauss-Legendre nodes,
    (-1)^j sqrt(z_j (t - z_j) w_j) (Wang and Xiang 2012, Math. Comp. 81, 861).
    """
    node = response.depth_um
    sign = (-1.0) ** np.arange(node.size)
    factor = sign * np.sqrt(node * (response.thickness_um - node) * response.depth_weight_um)
    distance = z_um[:, None] - node[None, :]
    hit = distance == 0.0
    share = factor / np.where(hit, 1.0, distance)
    share = np.where(hit.any(axis=1)[:, None], hit, share)
    return np.asarray(values @ (share / share.sum(axis=1, keepdims=True)).T)


def magnification_nodes(
    response: DepthResponse, scale: Array, field_radius_um: float, error_target: float
) -> MagnificationNodes:
    """Return the fewest enlargements that give those at all depths.

    The error judged is that of the depth-summed transfer function,
    sum_z w k T [exp(2 pi i f r (m - 1)) - sum_q L_q exp(2 pi i f r (m_q - 1))], against the
    transfer function itself: rms over the response's frequencies and over the field's area.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    scale : (D,) array
        m at the response's depth nodes.
    field_radius_um : float
        Distance of the corner from the axis.
    error_target : float
        Permitted relative error.
    """
    z = response.depth_um
    weight = response.depth_weight_um * response.k_per_um(z)
    radii = field_radius_um * np.sqrt(np.array(_FIELD_SHARES))
    phase = 2j * np.pi * radii[:, None, None] * response.frequency_cy_per_um
    summed = weight[:, None] * response.otf
    exact = (summed * np.exp(phase * (scale[:, None] - 1.0))).sum(axis=1)
    size = float(np.sqrt(np.mean(np.abs(exact) ** 2)))
    line = np.polynomial.Polynomial.fit(z, scale, min(3, z.size - 1))
    count = 1
    while True:
        unit = 0.5 * (1.0 - np.cos(np.pi * (np.arange(count) + 0.5) / count))
        nodes = unit * response.thickness_um
        at_nodes = np.asarray(line(nodes))
        basis = lagrange(nodes, z)
        phases = basis.T @ np.exp(phase * (at_nodes[:, None] - 1.0))
        approximate = (summed * phases).sum(axis=1)
        error = float(np.sqrt(np.mean(np.abs(exact - approximate) ** 2))) / size
        if error <= _SHARE_OF_TARGET * error_target or count >= _MAX_MAGNIFICATION_NODES:
            return MagnificationNodes(depth_um=nodes, scale=at_nodes, weights=basis)
        count += 1
