"""Few images instead of many planes: the depth-node form of Eq. 1 of Zhou et al. 2025.

The light image is sum_z w_z S_{m(z)} [X_z] * T_z, where X_z = sum_E e_E(z, f) F{T_E} is the
energy left at depth z, each energy's transmission T_E(x) spread by its own electrons and
re-absorbed photons, and S_m the enlargement. Two smooth dependences are interpolated:

- X_z(f) by its values at a few (depth, frequency) pairs, X_z(f) = sum_r P_r(z, f) X_r
  (interpolative decomposition of sampled pixels: Cheng et al. 2005, SIAM J. Sci. Comput. 26, 1389),
  where X_r = sum_E e_E(z_r, f_r) T_E(x) are plain sums of transmissions. The P_r are linear in the
  e_E, P_r(z, f) = sum_E a_rE e_E(z, f), so they are known at any depth and frequency; one energy
  needs one X_r;
- the enlargements by a few of them, S_{m_q}, with weights that depend on frequency (module
  ``enlargements``). This is exact for a parallel beam and telecentric lens, and elsewhere needs few
  terms, since only depths near the focus pass the high frequencies that notice small shifts.

So the sum over depth costs R Q transforms instead of one per plane, and keeps the optics whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.linalg import interpolative

from scintscope.deposition.frequencies import interpolation
from scintscope.remembered import Remembered
from scintscope.response import DepthResponse
from scintscope.sample.specimen import Specimen

Array = NDArray[np.float64]

_SAMPLED_PIXELS = 400
_LEAST_CONTRAST = 1e-3
"""A sample with less contrast than this is not resolved further: images are float32."""
_PROBES = 7
_LOWEST_PROBE_CY_PER_UM = 1e-3
"""Re-absorbed photons spread over a tenth of a millimetre: below this frequency nothing changes
that the value at 0 does not show."""

_SHARE_OF_TARGET = 0.2
"""Share of accuracy.error_target that this interpolation may use."""

_tables: Remembered[Array] = Remembered(most=8)
_ranges: Remembered[Array] = Remembered(most=256)


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
        Largest 1/cos - 1 over the field; 0 where one factor stands for its effect on the plate.
    oblique_gain : float
        That factor's rise over 1 at the greatest obliquity: X_r at 1/cos - 1 = x is
        1 + oblique_gain x / greatest times that at normal incidence.
    error : float
        Estimated rms error over the image's standard deviation, of both.
    """

    light: Array
    oblique_light: Array
    weights: Array
    share: Array
    oblique_share: Array
    greatest_obliquity: float
    oblique_gain: float = 0.0
    error: float = 0.0

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
    beams = transmissions * response.spectrum.photons_per_um2_s * response.electrons_per_kev
    probes = _probe_frequencies(response)
    seen = _visibility(response, probes)

    def left_at(path: float) -> Array:
        # a transfer function may fall below 0; X-ray images are made of what is left
        return np.maximum(energy_table(response, path) @ interpolation(probes), 0.0)

    normal = left_at(1.0)
    gain, missed, left = 0.0, 0.0, [normal]
    if greatest_obliquity:
        slanted = left_at(1.0 + greatest_obliquity)
        gain, missed = _oblique_gain(response, beams, normal, slanted, seen)
        if missed > _SHARE_OF_TARGET**2 * error_target:
            gain, missed, left = 0.0, 0.0, [normal, slanted]
    oblique = greatest_obliquity if len(left) > 1 else 0.0
    flat = [e.reshape(e.shape[0], -1) for e in left]
    matrix = np.concatenate([beams @ e for e in flat])
    size = np.linalg.norm(matrix, axis=1)
    lit = size > 0.0  # behind what lets nothing through any basis is right
    light = beams @ left[0][:, :, 0] @ response.depth_weight_um
    contrast = min(max(float(light.std() / light.mean()), _LEAST_CONTRAST), 1.0)
    rank, order, _ = interpolative.interp_decomp(
        matrix[lit] / size[lit, None] * np.abs(seen).ravel(),
        _SHARE_OF_TARGET * error_target * contrast,
        rand=False,
    )
    chosen = order[:rank]
    share = np.zeros((rank, size.size))
    share[:, lit] = np.linalg.pinv(matrix[np.ix_(lit, chosen)] / size[lit, None]) / size[lit]
    halves = np.split(share, len(left), axis=1)
    scale = response.spectrum.photons_per_um2_s * response.electrons_per_kev
    lost = (matrix - matrix[:, chosen] @ (share @ matrix)).reshape(size.size, *seen.shape)
    summed = _in_the_image(lost, seen, response)
    return _with_weights(
        response,
        light=[e[:, chosen].T * scale for e in flat],
        share=[half @ beams for half in halves],
        greatest_obliquity=oblique,
        oblique_gain=gain,
        error=float(np.hypot(np.sqrt(np.mean(summed**2)) / (contrast * light.mean()), missed)),
    )


def energy_table(response: DepthResponse, path: float = 1.0) -> Array:
    """Return e_E(z, f) at the response's depths and the deposition's own frequencies, (E, D, T).

    Everything about a sample's X-ray images follows from it; it is made once per plate.
    """

    def make() -> Array:
        return response.deposition.transfer_by_energy(response.depth_um, path)

    return _tables((response.deposition, response.depth_um), path, make)


def _oblique_gain(
    response: DepthResponse, beams: Array, normal: Array, slanted: Array, seen: Array
) -> tuple[float, float]:
    """Return how much more light oblique rays make, and what that one factor misses.

    The second is the rms, over sampled pixels and probe frequencies, of what the image lacks, as a
    share of the light's standard deviation: other energies and other depths gain otherwise.

    Parameters
    ----------
    response, beams
        The plate; photons of each sampled pixel, (S, E).
    normal, slanted : (E, D, P) array
        Energy left by normal rays and by the most oblique.
    seen : (D, P) array
        From `_visibility`.
    """
    weight = response.depth_weight_um
    plain = beams @ (normal[:, :, 0] @ weight)
    gain = float(beams[0] @ (slanted[:, :, 0] @ weight) / plain[0] - 1.0)
    left = np.tensordot(beams, slanted - (1.0 + gain) * normal, axes=1)
    spread = max(float(plain.std()), _LEAST_CONTRAST * float(plain.mean()))
    return gain, float(np.sqrt(np.mean(_in_the_image(left, seen, response) ** 2))) / spread


def _in_the_image(left: Array, seen: Array, response: DepthResponse) -> Array:
    """Return sum_z w T of energy at depths and probe frequencies, (S, D, P) -> (S, P)."""
    return np.asarray(np.einsum("sdp,dp,d->sp", left, seen, np.sqrt(response.depth_weight_um)))


def _with_weights(
    response: DepthResponse,
    *,
    light: list[Array],
    share: list[Array],
    greatest_obliquity: float,
    oblique_gain: float,
    error: float,
) -> DepthBasis:
    """Return the basis of given images, its weights evaluated at the response's nodes."""
    basis = DepthBasis(
        light=light[0],
        oblique_light=light[-1],
        weights=np.zeros((0, 0, 0)),
        share=share[0],
        oblique_share=share[1] if len(share) > 1 else np.zeros_like(share[0]),
        greatest_obliquity=greatest_obliquity,
        oblique_gain=oblique_gain,
        error=error,
    )
    at = interpolation(response.frequency_cy_per_um)
    weights = np.tensordot(basis.share, energy_table(response), axes=1) @ at
    if greatest_obliquity:
        oblique = energy_table(response, 1.0 + greatest_obliquity)
        weights = weights + np.tensordot(basis.oblique_share, oblique, axes=1) @ at
    return replace(basis, weights=weights)


def range_shares(
    basis: DepthBasis, response: DepthResponse, z_um: Array, weight_um: Array
) -> Array:
    """Return the weight of each X_r in the light made over a range of depths, (R,).

    Parameters
    ----------
    basis, response
        The images' weights and the plate.
    z_um, weight_um : (N,) array
        Quadrature nodes and weights over the range.
    """
    shares = basis.share @ _left_over(response, z_um, weight_um, 1.0)
    if basis.greatest_obliquity:
        path = 1.0 + basis.greatest_obliquity
        shares = shares + basis.oblique_share @ _left_over(response, z_um, weight_um, path)
    return np.asarray(shares)


def _left_over(response: DepthResponse, z_um: Array, weight_um: Array, path: float) -> Array:
    """Return the energy that a photon leaves over a range of depths, keV, (E,)."""
    key = (float(z_um[0]), float(z_um[-1]), z_um.size, path)
    return _ranges((response,), key, lambda: response.deposit_kev_per_um(z_um, path) @ weight_um)


def _probe_frequencies(response: DepthResponse) -> Array:
    """Return the frequencies at which images of different energies are compared, 0 first."""
    top = 0.5 * response.path.cutoff_cy_per_um
    return np.concatenate([[0.0], np.geomspace(_LOWEST_PROBE_CY_PER_UM, top, _PROBES)])


def _visibility(response: DepthResponse, probes: Array) -> Array:
    """Return how much an error at each depth and probe frequency shows in the image, (D, P)."""
    spline = CubicSpline(response.frequency_cy_per_um, response.otf, axis=1)
    return np.asarray(np.sqrt(response.depth_weight_um)[:, None] * spline(probes))
