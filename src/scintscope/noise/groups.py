"""Events in a few groups of alike spread, for noise that is drawn by filtering.

The noise of events of one kind c, at local density n_c(x), has covariance
INT n_c(y) h_c(x - y) h_c(x' - y) dy, with h_c the light one event makes. Kinds are (energy band,
depth of first collision); their amplitude H_c(f) is the root of the event power with the sign of
T(f, z). Kinds of alike shape form a group g of amplitude a_g, the mean shape, and one more group
carries the power that is left, sum_c n_c H_c^2 - sum_g n_g a_g^2 >= 0 (Cauchy and Schwarz). So

- the noise power of a flat field is exact with any number of groups, and
- local variance and covariance on a structured image converge with their number. The error is
  bounded: |var(x) - var_exact(x)| <= INT |v - v_exact| times the largest density, with
  v(x) = sum n h(x)^2. `QuantaGroups.error` is that bound over the open beam's variance.

X-rays of different energy in a group count by the pixel variance they make, so that hardening of
the beam by a sample changes each pixel's variance as it should.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0

from scintscope.errors import check_range
from scintscope.noise.plate import attenuation_of, collision_power
from scintscope.response import DepthResponse

Array = NDArray[np.float64]
Labels = NDArray[np.intp]

MOST_GROUPS = 14
_BANDS = 4
_EDGE_JUMP = 1.2
"""Attenuation that rises by this factor from one energy to the next marks an absorption edge."""
_COARSE = 40
"""Frequencies at which energies are weighed against each other."""
_RADII = 240
_NEGLIGIBLE = 1e-9
_ROUNDS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantaGroups:
    """What is drawn for the X-ray noise of a plate: for each group a Poisson field and its filter.

    Parameters
    ----------
    weights : (G, E) array
        X-rays per um2 and s per unit transmission of the sample, by energy.
    amplitude : (G, F) array
        Electrons one X-ray of the group makes, as a spectrum on ``frequency_cy_per_um``; pixel
        not included. The last group carries what the mean shapes of the others leave.
    frequency_cy_per_um : (F,) array
        That of the response.
    error : float
        Bound of the local variance's error on any image, over the open beam's variance.
    stopped_per_um2_s : float
        X-rays that interact, over all energies, in the open beam.
    quanta_per_psf : float
        Equivalent number of X-rays under a pixel's point-spread function in one open-beam frame:
        mean^2 / variance of the filtered noise.
    """

    weights: Array
    amplitude: Array
    frequency_cy_per_um: Array
    error: float
    stopped_per_um2_s: float
    quanta_per_psf: float

    @property
    def power(self) -> Array:
        """Electrons^2 per X-ray, (G, F)."""
        return np.asarray(self.amplitude**2)

    @property
    def rate_per_um2_s(self) -> Array:
        """X-rays per um2 and s in the open beam, (G,)."""
        return np.asarray(self.weights.sum(axis=1))


def energy_bands(attenuation_per_um: Array, power: Array, count: int = _BANDS) -> Labels:
    """Return the band of each energy, (E,): even shares of power, cut at absorption edges.

    Parameters
    ----------
    attenuation_per_um, power : (E,) array
        mu, and the noise power each energy brings.
    count : int
        Shares of power.
    """
    share = np.cumsum(power) / max(float(power.sum()), 1e-300)
    quantile = np.minimum((count * (share - 1e-12)).astype(np.intp), count - 1)
    jumps = np.concatenate([[0], attenuation_per_um[1:] > _EDGE_JUMP * attenuation_per_um[:-1]])
    key = quantile + np.cumsum(jumps)
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.intp)


def like_groups(shapes: Array, size: Array, metric: Array, count: int) -> Labels:
    """Return which of ``count`` groups each curve belongs to, (C,).

    Weighted k-means (Lloyd 1982, IEEE Trans. Inf. Theory 28, 129) from the largest kind and those
    worst served by it; nothing random.

    Parameters
    ----------
    shapes : (C, F) array
        Curves of unit norm.
    size : (C,) array
        Their weights.
    metric : (F,) array
        Weights of the frequencies in the norm.
    count : int
        Groups.
    """
    points = shapes * np.sqrt(metric)
    chosen = [int(size.argmax())]
    distance = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count:
        chosen.append(int((size * distance).argmax()))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    centres = points[chosen]
    label = np.zeros(size.size, dtype=np.intp)
    for _ in range(_ROUNDS):
        squares = (centres**2).sum(axis=1)[None, :] - 2.0 * points @ centres.T
        found = squares.argmin(axis=1)
        if (found == label).all() and _:
            break
        label = found
        for g in range(count):
            if (label == g).any():
                centres[g] = np.average(points[label == g], axis=0, weights=size[label == g])
    return np.asarray(label, dtype=np.intp)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kinds:
    """Kinds of events of a plate: C = bands x depths.

    ``size`` is the pixel variance a kind brings per um2 and s, ``shape`` its amplitude of unit
    norm, ``count`` its first collisions per um2 and s, ``part[E, depth]`` the size by energy.
    """

    frequency: Array
    metric: Array
    size: Array
    shape: Array
    count: Array
    part: Array
    band: Labels


def _kinds(response: DepthResponse) -> _Kinds:
    """Return the kinds of events of a plate, with c^2, without the exposure."""
    f, photons = response.frequency_cy_per_um, response.spectrum.photons_per_um2_s
    z, weight, mu = response.depth_um, response.depth_weight_um, attenuation_of(response)
    metric = 2.0 * np.pi * f * np.gradient(f) * np.sinc(f * response.pixel_um) ** 2
    scale = response.electrons_per_kev**2
    coarse = np.unique(np.linspace(1, f.size - 1, min(_COARSE, f.size - 1)).astype(np.intp))
    coarse_metric = f[coarse] * np.gradient(f[coarse]) * np.sinc(f[coarse] * response.pixel_um) ** 2
    part = np.maximum(collision_power(response, photons, coarse) @ coarse_metric, 0.0)
    part = part * weight
    band = energy_bands(mu, part.sum(axis=1))
    member = (band[None, :] == np.arange(band.max() + 1)[:, None]).astype(np.float64)
    power = scale * weight[:, None] * np.maximum(collision_power(response, member * photons), 0.0)
    size = power @ metric
    sums = member @ part
    part = part * (size / np.where(sums > 0.0, sums, 1.0))[band]
    shape = np.sign(response.otf) * np.sqrt(power / np.where(size > 0.0, size, 1.0)[:, :, None])
    stopped = photons[:, None] * response.deposition.first_collisions(z) * weight
    return _Kinds(
        frequency=f,
        metric=metric,
        size=size.ravel(),
        shape=shape.reshape(-1, f.size),
        count=(member @ stopped).ravel(),
        part=part,
        band=band,
    )


def _assemble(kinds: _Kinds, label: Labels) -> tuple[Array, Array]:
    """Return weights (G, E) and amplitudes (G, F) of grouped kinds, what is left last."""
    depths = kinds.part.shape[1]
    left, left_weight = np.zeros(kinds.frequency.size), np.zeros(kinds.band.size)
    weights, amplitudes = [], []
    of_energy = label.reshape(-1, depths)[kinds.band]
    for g in range(int(label.max()) + 1):
        mine = label == g
        size, count = float(kinds.size[mine].sum()), float(kinds.count[mine].sum())
        if size <= 0.0:
            continue
        mean = kinds.size[mine] @ kinds.shape[mine] / size
        rest = np.maximum(kinds.size[mine] @ kinds.shape[mine] ** 2 - size * mean**2, 0.0)
        by_energy = (kinds.part * (of_energy == g)).sum(axis=1)
        weights.append(by_energy * (count / size))
        amplitudes.append(mean * np.sqrt(size / count))
        left += rest
        left_weight += by_energy * (float(rest @ kinds.metric) / size)
    total = float(left_weight.sum())
    if total > _NEGLIGIBLE * float(kinds.size.sum()):
        count = float(kinds.count.sum())
        weights.append(left_weight * (count / total))
        amplitudes.append(np.sqrt(left / count))
    return np.array(weights), np.array(amplitudes)


def quanta_groups(response: DepthResponse, error_target: float = 0.1) -> QuantaGroups:
    """Return the fewest groups that keep the local variance within a bound.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    error_target : float
        Permitted bound, see `QuantaGroups.error`. At most `MOST_GROUPS` are made, so the error
        reached may be larger; it is reported.

    Raises
    ------
    RangeError
        If the target is not above 0.
    """
    check_range("error_target", error_target, low=0.0, low_open=True)
    kinds = _kinds(response)
    f = kinds.frequency
    radius = np.linspace(0.0, 2.0 * response.thickness_um * response.path.na + 20.0, _RADII)
    hankel = j0(2.0 * np.pi * radius[:, None] * f) * (f * np.gradient(f))
    hankel *= np.sinc(f * response.pixel_um)
    exact = kinds.size @ (kinds.shape @ hankel.T) ** 2
    for count in range(1, min(MOST_GROUPS, kinds.size.size) + 1):
        label = like_groups(kinds.shape, kinds.size, kinds.metric, count)
        weights, amplitude = _assemble(kinds, label)
        drawn = weights.sum(axis=1) @ (amplitude @ hankel.T) ** 2
        error = float(np.abs(drawn - exact) @ radius / (exact @ radius))
        if error <= error_target:
            break
    tau = response.plate.exposure_s
    variance = tau * float(kinds.size.sum())
    light = response.light_per_um(response.depth_um).sum(axis=0)
    mean = tau * float(response.depth_weight_um @ light)
    return QuantaGroups(
        weights=weights,
        amplitude=amplitude,
        frequency_cy_per_um=f,
        error=error,
        stopped_per_um2_s=float(kinds.count.sum()),
        quanta_per_psf=mean**2 / variance,
    )
