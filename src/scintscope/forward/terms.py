"""Few images instead of many planes: the depth-node form of Eq. 1 of Zhou et al. 2025.

The light image is sum_z w_z S_{m(z)} [X_z] * T_z, where X_z = sum_E e_E(z, f) F{T_E} is the
energy left at depth z, each energy's transmission T_E(x) spread by its own electrons and
re-absorbed photons, and S_m the enlargement. Two smooth dependences are interpolated:

- X_z(f) by its values at a few (depth, frequency) pairs, X_z(f) = sum_r P_r(z, f) X_r
  (interpolative decomposition of sampled pixels: Cheng et al. 2005, SIAM J. Sci. Comput. 26, 1389),
  where X_r = sum_E e_E(z_r, f_r) T_E(x) are plain sums of transmissions. The P_r are linear in the
  e_E, P_r(z, f) = sum_E a_rE e_E(z, f), so they are known at any depth and frequency; one energy
  needs one X_r;
- the enlargements by a few of them, S_{m_q}, with weights that depend on frequency. S_m turns a
  plane wave exp(2 pi i f x) into exp(2 pi i f x / m), so the kernels K_rq are the least-squares
  solution, for every f and over the field -R < x < R along f, of
  sum_q K_rq(f / m_q) exp(2 pi i f x / m_q) = sum_z w_z P_r(z) T(f / m_z, z) exp(2 pi i f x / m_z).
  This is exact for a parallel beam and telecentric lens, and elsewhere needs few terms, since
  only depths near the focus pass the high frequencies that notice small shifts.

So the sum over depth costs R Q transforms instead of one per plane, and keeps the optics whole.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.linalg import interpolative

from scintscope.errors import PhysicsWarning
from scintscope.response import DepthResponse
from scintscope.sample.specimen import Specimen

Array = NDArray[np.float64]

_SAMPLED_PIXELS = 400
_MAX_ENLARGEMENTS = 24
_FIELD_SAMPLES = 64
_RIDGE = 1e-6
"""Pull of the least-squares kernels towards linear interpolation in depth, relative to the data.
Where the data cannot tell the enlargements apart (low frequencies) it keeps the kernels smooth in
f; elsewhere its effect is below the error that is measured."""
_LEAST_CONTRAST = 1e-3
"""A sample with less contrast than this is not resolved further: images are float32."""
_PROBES = 7
_LOWEST_PROBE_CY_PER_UM = 1e-3
"""Re-absorbed photons spread over a tenth of a millimetre: below this frequency nothing changes
that the value at 0 does not show."""

_SHARE_OF_TARGET = 0.2
"""Each interpolation may use this share of accuracy.error_target."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthBasis:
    """X at any depth and frequency from a few images: X_z(f) = sum_r weights[r, z, f] X_r.

    Parameters
    ----------
    light, oblique_light : (R, E) array
        X_r = sum_E light[r, E] T_E at normal incidence, and at the greatest obliquity: electrons
        per um2, s and um of depth.
    weights : (R, D, F) array
        P_r at the response's depth nodes and frequencies.
    share, oblique_share : (R, E) array
        a_rE: P_r(z, f) = sum_E share e_E(z, f) + oblique_share e_E(z, f, oblique).
    greatest_obliquity : float
        Largest 1/cos - 1 over the field.
    """

    light: Array
    oblique_light: Array
    weights: Array
    share: Array
    oblique_share: Array
    greatest_obliquity: float

    @property
    def open_beam(self) -> Array:
        """Return X_r of the open beam, (R,)."""
        return np.asarray(self.light.sum(axis=1))


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
    """Return the fewest X-ray images that give those of all depths and frequencies.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    transmissions : (S, E) array
        T_E of sampled pixels, open beam first.
    greatest_obliquity : float
        Largest 1/cos - 1 over the field.
    error_target : float
        Permitted error, as a fraction of the light's standard deviation over the samples.
    """
    paths = (1.0, 1.0 + greatest_obliquity) if greatest_obliquity else (1.0,)
    beams = transmissions * response.spectrum.photons_per_um2_s * response.electrons_per_kev
    probes = _probe_frequencies(response)
    energies = np.eye(beams.shape[1])
    left = [  # a transfer function may fall below 0; X-ray images are made of what is left
        np.maximum(
            response.deposition.mean_transfer(energies, response.depth_um, probes, path), 0.0
        )
        for path in paths
    ]
    matrix = np.concatenate([beams @ e.reshape(energies.shape[0], -1) for e in left])
    size = np.linalg.norm(matrix, axis=1)
    lit = size > 0.0  # behind what lets nothing through any basis is right
    seen = _visibility(response, probes).ravel()
    light = beams @ left[0][:, :, 0] @ response.depth_weight_um
    contrast = min(max(float(light.std() / light.mean()), _LEAST_CONTRAST), 1.0)
    rank, order, _ = interpolative.interp_decomp(
        matrix[lit] / size[lit, None] * seen,
        _SHARE_OF_TARGET * error_target * contrast,
        rand=False,
    )
    chosen = order[:rank]
    share = np.zeros((rank, size.size))
    share[:, lit] = np.linalg.pinv(matrix[np.ix_(lit, chosen)] / size[lit, None]) / size[lit]
    halves = np.split(share, len(paths), axis=1)
    scale = response.spectrum.photons_per_um2_s * response.electrons_per_kev
    return _with_weights(
        response,
        light=[e.reshape(energies.shape[0], -1)[:, chosen].T * scale for e in left],
        share=[half @ beams for half in halves],
        greatest_obliquity=greatest_obliquity,
    )


def _with_weights(
    response: DepthResponse, *, light: list[Array], share: list[Array], greatest_obliquity: float
) -> DepthBasis:
    """Return the basis of given images, its weights evaluated at the response's nodes."""
    basis = DepthBasis(
        light=light[0],
        oblique_light=light[-1],
        weights=np.zeros((0, 0, 0)),
        share=share[0],
        oblique_share=share[1] if len(share) > 1 else np.zeros_like(share[0]),
        greatest_obliquity=greatest_obliquity,
    )
    frequency = response.frequency_cy_per_um
    return replace(basis, weights=weights_at(basis, response, response.depth_um, frequency))


def weights_at(
    basis: DepthBasis, response: DepthResponse, z_um: Array, frequency_cy_per_um: Array
) -> Array:
    """Return P_r at any depths and frequencies, (R, D, F)."""
    left = response.deposition.mean_transfer
    weights = left(basis.share, z_um, frequency_cy_per_um)
    if basis.greatest_obliquity:
        path = 1.0 + basis.greatest_obliquity
        weights = weights + left(basis.oblique_share, z_um, frequency_cy_per_um, path)
    return np.asarray(weights)


def _probe_frequencies(response: DepthResponse) -> Array:
    """Return the frequencies at which images of different energies are compared, 0 first."""
    top = 0.5 * response.path.cutoff_cy_per_um
    return np.concatenate([[0.0], np.geomspace(_LOWEST_PROBE_CY_PER_UM, top, _PROBES)])


def _visibility(response: DepthResponse, probes: Array) -> Array:
    """Return how much an error at each depth and probe frequency shows in the image, (D, P)."""
    spline = CubicSpline(response.frequency_cy_per_um, response.otf, axis=1)
    return np.asarray(np.sqrt(response.depth_weight_um)[:, None] * np.abs(spline(probes)))


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeKernels:
    """The few images a light image is made of: sum_rq curves[r, q](f) F{S_{scale_q} X_r}.

    Parameters
    ----------
    depth_um, scale : (Q,) array
        Depths whose enlargements are used, and these.
    curves : (R, Q, F) array
        K_rq at the response's frequencies; electrons follow from X.
    error : float
        Estimated rms error over the image's standard deviation, for an image whose amplitude
        spectrum falls as 1/f.
    """

    depth_um: Array
    scale: Array
    curves: Array
    error: float


def node_kernels(
    response: DepthResponse,
    basis: DepthBasis,
    growth: Array,
    scale: Array,
    field_radius_um: float,
    error_target: float,
) -> NodeKernels:
    """Return the fewest enlargements, and their kernels, that meet an error target.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    basis : DepthBasis
        X at any depth.
    growth : (D, F) array
        Further transfer per depth (penumbra over the entrance face's).
    scale : (D,) array
        Enlargement at the depth nodes.
    field_radius_um : float
        From the axis to the farthest place whose light reaches the field.
    error_target : float
        Permitted error (see `NodeKernels.error`).
    """
    summed = response.depth_weight_um[:, None] * response.otf * growth
    weighted = basis.weights * summed[None]
    if np.ptp(scale) == 0.0:
        curves = weighted.sum(axis=1)[:, None, :]
        return NodeKernels(depth_um=np.zeros(1), scale=scale[:1], curves=curves, error=0.0)
    share = np.cumsum(response.depth_weight_um * response.k_per_um(response.depth_um))
    line = np.polynomial.Polynomial.fit(response.depth_um, scale, min(3, scale.size - 1))
    rho = np.linspace(0.0, field_radius_um, _FIELD_SAMPLES)
    waves = _plane_waves(response.frequency_cy_per_um, rho, scale)
    open_beam = basis.open_beam
    frequency = response.frequency_cy_per_um
    weighted = np.stack(
        [_stretched(frequency, weighted[:, d], 1.0 / m) for d, m in enumerate(scale)], axis=1
    )
    target = waves @ weighted.transpose(2, 1, 0)
    inside = frequency > 0.25 / field_radius_um  # slower waves are level over the field
    octaves = np.where(inside, np.gradient(frequency) / np.maximum(frequency, frequency[1]), 0.0)
    for count in range(2, _MAX_ENLARGEMENTS + 1):
        quantile = (np.arange(count) + 0.5) / count
        depths = np.interp(quantile * share[-1], share, response.depth_um)
        nodes = np.asarray(line(depths))
        linear = np.array([np.interp(response.depth_um, depths, row) for row in np.eye(count)])
        start = np.einsum("qd,rdf->rqf", linear, weighted)
        given = _plane_waves(frequency, rho, nodes)
        curves, remaining = _least_squares(given, target, start)
        error = float(
            np.sqrt(_power(remaining @ open_beam, octaves) / _power(target @ open_beam, octaves))
        )
        if error <= _SHARE_OF_TARGET * error_target:
            break
    else:
        warnings.warn(
            f"{count} enlargements leave an estimated error of {error:.1e} of the image's standard "
            f"deviation; accuracy.error_target = {error_target:g} asks for less.",
            PhysicsWarning,
            stacklevel=2,
        )
    for q, m in enumerate(nodes):
        curves[:, q] = [_stretched(frequency, curve, float(m)) for curve in curves[:, q]]
    return NodeKernels(depth_um=depths, scale=nodes, curves=curves, error=error)


def _stretched(frequency: Array, curve: Array, factor: float) -> Array:
    """Return tabulated curves (last axis) at ``factor`` times the tabulated frequencies."""
    spline = CubicSpline(frequency, curve, axis=-1)
    wanted = frequency * factor
    return np.where(wanted <= frequency[-1], spline(np.minimum(wanted, frequency[-1])), 0.0)


def _plane_waves(frequency: Array, rho_um: Array, scale: Array) -> Array:
    """Return exp(2 pi i f rho (1/m - 1)), real parts above imaginary ones, (F, 2 P, scales)."""
    phase = 2.0 * np.pi * frequency[:, None, None] * rho_um[:, None] * (1.0 / scale - 1.0)
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1)


def _power(amplitude: Array, octaves: Array) -> float:
    """Return the mean square over the field, (F, 2 P), summed over frequency."""
    return float(octaves @ np.mean(amplitude**2, axis=1))


def _least_squares(given: Array, target: Array, start: Array) -> tuple[Array, Array]:
    """Return K_rq(f), (R, Q, F), and what they miss of the target, (F, 2 P, R).

    Parameters
    ----------
    given : (F, 2 P, Q) array
        Plane waves as the few enlargements move them.
    target : (F, 2 P, R) array
        As all depths move them.
    start : (R, Q, F) array
        Kernels of linear interpolation in depth, towards which the solution is pulled.
    """
    first = start.transpose(2, 1, 0)
    remaining = target - given @ first
    count = given.shape[2]
    ridge = _RIDGE * np.sqrt(given.shape[1]) * np.eye(count)
    padded = np.concatenate([given, np.broadcast_to(ridge, (given.shape[0], count, count))], axis=1)
    change = np.linalg.pinv(padded)[:, :, : given.shape[1]] @ remaining
    return (first + change).transpose(2, 1, 0), remaining - given @ change
