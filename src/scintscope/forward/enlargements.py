"""The enlargements of the depth-node form: which ones, and their kernels (module ``terms``).

S_m turns a plane wave exp(2 pi i f x) into exp(2 pi i f x / m), so for every f the kernels K_rq
are the least-squares solution, over the field -R < x < R along f, of
sum_q K_rq(f / m_q) exp(2 pi i f x / m_q) = sum_z w_z P_r(z) T(f / m_z, z) exp(2 pi i f x / m_z).
The high frequencies that notice small shifts pass from depths near the focus only; the best few
enlargements therefore crowd there, and are found by minimising the error itself. The size of the
entrance face, where images need no resampling, is one of them wherever that serves.

Images differ in what they need: the one that holds most of the light takes all enlargements, what
little the others add to it (`ImageMix`) often only one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from scintscope.errors import PhysicsWarning
from scintscope.forward.mixture import ImageMix
from scintscope.forward.terms import DepthBasis
from scintscope.response import DepthResponse

Array = NDArray[np.float64]

_MAX_ENLARGEMENTS = 24
_RIDGE = 1e-6
"""Pull of the least-squares kernels towards interpolation in depth, relative to the data.
Where the data cannot tell the enlargements apart (low frequencies) it keeps the kernels smooth in
f; elsewhere its effect is below the error that is measured."""

_START_DEGREE = 3

SHARE_OF_TARGET = 0.25
"""Share of accuracy.error_target that the enlargements may use where they are chosen."""

_COARSE_FREQUENCIES, _COARSE_PLACES = 64, 14
"""What the search for good enlargements looks at; the error is then taken on everything."""

_TRIALS = 40
"""Evaluations per enlargement in the search; each takes a fraction of a millisecond."""

_DEPTHS_AT_ONCE = 32
"""Of the splines over frequency, so that their pieces stay in the cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeKernels:
    """The few images a light image is made of: sum_rq curves[r, q](f) F{S_{scale_q} X_r}.

    Parameters
    ----------
    depth_um, scale : (Q,) array
        Depths whose enlargements are used, and these, ascending.
    curves : (R, Q, F) array
        K_rq at the response's frequencies; electrons follow from X.
    used : (R, Q) bool array
        Which of them are not zero.
    wanted, missed : (R, F) array
        Mean squares over the field of the sum over all depths, and of what the kernels miss of it.
    error : float
        Estimated rms error over the image's standard deviation, for an image whose amplitude
        spectrum falls as 1/f.
    """

    depth_um: Array
    scale: Array
    curves: Array
    used: NDArray[np.bool_]
    wanted: Array
    missed: Array
    error: float

    @property
    def terms(self) -> int:
        """Transforms that the depth sum takes."""
        return int(self.used.sum())


@dataclass(frozen=True, slots=True)
class _Field:
    """Frequencies and places at which plane waves are compared.

    Parameters
    ----------
    frequency : (F,) array
    place_um, root_share : (P,) array
        Gauss-Legendre nodes on (0, R) and the roots of their weights.
    octaves : (F,) array
        Weight of each frequency's power for an amplitude spectrum that falls as 1/f.
    """

    frequency: Array
    place_um: Array
    root_share: Array
    octaves: Array

    def waves(self, stretch: Array) -> Array:
        """Return exp(2 pi i f rho stretch), real above imaginary parts, weighted, (F, 2 P, ...)."""
        turn = 2.0 * np.pi * self.frequency[:, None] * self.place_um
        phase = turn[:, :, None] * stretch
        root = self.root_share[:, None]
        return np.concatenate([np.cos(phase) * root, np.sin(phase) * root], axis=1)


def _field(frequency: Array, radius_um: float, places: int) -> _Field:
    nodes, weights = np.polynomial.legendre.leggauss(places)
    inside = frequency > 0.25 / radius_um  # slower waves are level over the field
    octaves = np.gradient(frequency) / np.maximum(frequency, frequency[1])
    return _Field(
        frequency=frequency,
        place_um=0.5 * radius_um * (1.0 + nodes),
        root_share=np.sqrt(0.5 * weights),
        octaves=np.where(inside, octaves, 0.0),
    )


def node_kernels(
    response: DepthResponse,
    basis: DepthBasis,
    growth: Array,
    scale: Array,
    field_radius_um: float,
    error_target: float,
    mix: ImageMix | None = None,
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
        Permitted error (see `NodeKernels.error`); a part of it is used (`SHARE_OF_TARGET`).
    mix : ImageMix, optional
        How the images differ from the first; kernels are then those of the first and of the
        differences. By default all images are taken for alike and get all enlargements.

    Warns
    -----
    PhysicsWarning
        If the most enlargements that are tried leave more than the target (with ``mix`` the error
        is estimated, and warned of, when the images are transformed).
    """
    weights = basis.weights if mix is None else mix.weights(basis.weights)
    summed = response.depth_weight_um[:, None] * response.otf * growth
    weighted = weights * summed[None]
    count = weighted.shape[0]
    if np.ptp(scale) == 0.0:
        curves = weighted.sum(axis=1)
        return NodeKernels(
            depth_um=np.zeros(1),
            scale=scale[:1],
            curves=curves[:, None, :],
            used=np.ones((count, 1), dtype=np.bool_),
            wanted=curves**2,
            missed=np.zeros_like(curves),
            error=0.0,
        )
    size = np.asarray(basis.open_beam) if mix is None else mix.size
    work = _Search.made(response, weighted, scale, field_radius_um, size, alike=mix is None)
    allowed = SHARE_OF_TARGET * error_target
    best: tuple[float, Array] | None = None
    for number in range(2, _MAX_ENLARGEMENTS + 1):
        for depths in work.candidates(number):
            error = work.error_of(depths, work.main)
            if best is None or error < best[0]:
                best = (error, depths)
            if error <= 0.8 * allowed:
                break
        else:
            continue
        break
    if best is None:  # a range of at least one number is never empty
        raise AssertionError
    found = work.solved(best[1], allowed)
    if mix is None and found.error > error_target:
        warnings.warn(
            f"{found.scale.size} enlargements leave an estimated error of {found.error:.1e} of the "
            f"image's standard deviation; accuracy.error_target = {error_target:g} asks for less.",
            PhysicsWarning,
            stacklevel=2,
        )
    return found


@dataclass(frozen=True, slots=True)
class _Search:
    """Plane waves of all depths, and the least squares that few enlargements make of them.

    Parameters
    ----------
    depth_um, law : (D,) array, Polynomial
        Depth nodes and the enlargement as a function of depth.
    full, coarse : _Field
        For the result, and for the search.
    weighted : (R, D, F) array
        What each depth gives at f, as stretched by its enlargement.
    target : (R, F, 2 P) array
        Sums over depth as plane waves.
    size : (R,) array
        Amplitude of each image; with ``alike``, amplitudes of one and the same.
    """

    depth_um: Array
    law: Any
    full: _Field
    coarse: _Field
    step: int
    weighted: Array
    target: Array
    coarse_target: Array
    size: Array
    alike: bool

    @classmethod
    def made(
        cls,
        response: DepthResponse,
        weighted: Array,
        scale: Array,
        radius_um: float,
        size: Array,
        alike: bool,
    ) -> _Search:
        frequency, depth_um = response.frequency_cy_per_um, response.depth_um
        stretched = stretched_each(frequency, weighted, 1.0 / scale)
        stretch = 1.0 / scale - 1.0
        turn = np.pi * frequency[-1] * radius_um * float(np.ptp(stretch))
        nodes, interpolation = _few_stretches(stretch, turn)
        few = np.einsum("cd,rdf->rfc", interpolation, stretched, optimize=True)
        full = _field(frequency, radius_um, int(np.clip(16 + 1.5 * turn, 24, 96)))
        step = max(1, frequency.size // _COARSE_FREQUENCIES)
        places = int(np.clip(0.8 * turn, _COARSE_PLACES, 48))
        coarse = _field(frequency[::step], radius_um, places)
        return cls(
            depth_um=depth_um,
            law=np.polynomial.Polynomial.fit(depth_um, scale, min(3, scale.size - 1)),
            full=full,
            coarse=coarse,
            step=step,
            weighted=stretched,
            target=_sums(full, nodes, few),
            coarse_target=_sums(coarse, nodes, few[:, ::step]),
            size=size,
            alike=alike,
        )

    @property
    def main(self) -> Array:
        """Return how the images make the one that chooses the enlargements, (R,)."""
        return self.size if self.alike else np.asarray(np.eye(self.size.size)[0])

    def candidates(self, count: int) -> Iterator[Array]:
        """Yield sets of depths to try: with the unit enlargement among them if there is one."""
        mean = np.tensordot(self.main, self.weighted, axes=1)[:, :: self.step]
        start = _gauss_depths(self.depth_um, mean, self.coarse, count)
        unit = self._unit_depth()
        if unit is not None:
            nearest = int(np.argmin(np.abs(start - unit)))
            yield self._refined(np.delete(start, nearest), unit)
        yield self._refined(start, None)

    def _unit_depth(self) -> float | None:
        """Return the depth whose image is as large as the entrance face's, if any."""
        z = np.array([0.0, float(self.depth_um[-1])])
        low, high = np.sort(self.law(z))
        if not low - 1e-4 <= 1.0 <= high + 1e-4:
            return None
        roots = (self.law - 1.0).roots()
        real = roots.real[np.abs(roots.imag) < 1e-9]
        return float(real[np.argmin(np.abs(real))]) if real.size else None

    def _refined(self, start: Array, unit: float | None) -> Array:
        """Return depths that minimise the coarse error, starting from some."""
        from scipy.optimize import minimize

        fixed = np.zeros(0) if unit is None else np.array([unit])
        top = float(self.depth_um[-1])

        def cost(free: Array) -> float:
            return float(np.log(self._coarse_error(np.concatenate([fixed, free])) + 1e-300))

        found = minimize(
            cost,
            start,
            method="Nelder-Mead",
            bounds=[(0.0, top)] * start.size,
            options={"maxfev": _TRIALS * start.size, "xatol": 1e-3 * top, "fatol": 0.02},
        )
        return np.sort(np.concatenate([fixed, found.x]))

    def _coarse_error(self, depths: Array) -> float:
        target = np.tensordot(self.main, self.coarse_target, axes=1)[None]
        given = self.coarse.waves(1.0 / self.law(depths) - 1.0)
        curves = _least_squares(given, target, None)
        missed = target - np.einsum("fpq,rqf->rfp", given, curves, optimize=True)
        return _relative(missed, target, self.coarse.octaves)

    def error_of(self, depths: Array, amplitudes: Array) -> float:
        """Return the error of a set of depths on all frequencies, for a sum of the images."""
        target = np.tensordot(amplitudes, self.target, axes=1)[None]
        start = np.tensordot(amplitudes, self._start(depths), axes=1)[None]
        given = self.full.waves(1.0 / self.scales(depths) - 1.0)
        curves = _least_squares(given, target, start)
        missed = target - np.einsum("fpq,rqf->rfp", given, curves, optimize=True)
        return _relative(missed, target, self.full.octaves)

    def scales(self, depths: Array) -> Array:
        """Return the enlargements of depths; the unit one exactly 1."""
        scale = np.asarray(self.law(depths))
        return np.asarray(np.where(np.abs(scale - 1.0) < 1e-9, 1.0, scale))

    def _start(self, depths: Array) -> Array:
        """Return the kernels of slow waves, (R, Q, F): interpolation in depth by polynomials.

        The smallest weights with which the enlargements reproduce polynomials up to
        `_START_DEGREE`; to these the least squares tend for f -> 0.
        """
        centre, half = float(depths.mean()), max(float(np.ptp(depths)), 1.0)
        degree = min(depths.size - 1, _START_DEGREE)
        at, of = (
            np.polynomial.legendre.legvander((z - centre) / half, degree)
            for z in (depths, self.depth_um)
        )
        shares = np.linalg.pinv(at.T) @ of.T
        return np.asarray(np.einsum("qd,rdf->rqf", shares, self.weighted, optimize=True))

    def solved(self, depths: Array, allowed: float) -> NodeKernels:
        """Return the kernels on a set of depths, each image with the fewest that serve it."""
        scale = self.scales(depths)
        given = self.full.waves(1.0 / scale - 1.0)
        count = self.size.size
        used = np.ones((count, scale.size), dtype=np.bool_)
        curves = np.zeros((count, scale.size, self.full.frequency.size))
        missed = np.empty_like(self.target)
        rest = 0.0
        for r in range(count):
            for chosen in self._subsets(scale, everything=self.alike or r == 0):
                part = list(chosen)
                start = self._start(depths[part])[r : r + 1]
                found = _least_squares(given[:, :, part], self.target[r : r + 1], start)
                left = self.target[r] - np.einsum("fpq,qf->fp", given[:, :, part], found[0])
                if self._power(left, r) <= rest or len(part) == scale.size:
                    break
            if r == 0 and not self.alike:  # what the first leaves of the permitted power
                whole = allowed**2 * self._power(self.target[0], 0)
                rest = max(whole - self._power(left, 0), 0.0) / max(count - 1, 1)
            used[r] = [q in chosen for q in range(scale.size)]
            curves[r, part], missed[r] = found[0], left
        for q, m in enumerate(scale):
            curves[:, q] = stretched(self.full.frequency, curves[:, q], float(m))
        return NodeKernels(
            depth_um=depths,
            scale=scale,
            curves=curves,
            used=used,
            wanted=np.sum(self.target**2, axis=2),
            missed=np.sum(missed**2, axis=2),
            error=self._error(missed),
        )

    @staticmethod
    def _subsets(scale: Array, everything: bool) -> list[tuple[int, ...]]:
        """Return sets of enlargements, cheapest first: the unit one needs no resampling."""
        whole = tuple(range(scale.size))
        if everything:
            return [whole]
        few = [c for k in range(1, min(3, scale.size)) for c in combinations(whole, k)]
        free = [c for c in few if all(scale[q] == 1.0 for q in c)]
        return free + [c for c in few if c not in free] + [whole]

    def _power(self, amplitude: Array, r: int) -> float:
        """Return the power over all octaves of what belongs to image r, (F, 2 P)."""
        return float(self.full.octaves @ np.sum(amplitude**2, axis=1)) * float(self.size[r]) ** 2

    def _error(self, missed: Array) -> float:
        if self.alike:
            sums = [np.tensordot(self.size, x, axes=1)[None] for x in (missed, self.target)]
            return _relative(sums[0], sums[1], self.full.octaves)
        lost = sum(self._power(left, r) for r, left in enumerate(missed))
        return float(np.sqrt(lost / self._power(self.target[0], 0)))


def _few_stretches(stretch: Array, turn: float) -> tuple[Array, Array]:
    """Return Chebyshev nodes over a range of stretches, and the interpolation to them, (C, D).

    exp(i phase) with a phase of +-``turn`` over the range needs little more than ``turn`` nodes.
    """
    count = 20 + int(1.3 * turn)
    if count >= stretch.size:
        return stretch, np.eye(stretch.size)
    unit = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    middle, half = 0.5 * (stretch.max() + stretch.min()), 0.5 * float(np.ptp(stretch))
    sought = np.arccos(np.clip((stretch - middle) / half, -1.0, 1.0))
    order = np.arange(count)
    analysis = np.cos(order[:, None] * np.arccos(unit)[None, :]) * (2.0 / count)
    analysis[0] *= 0.5
    return middle + half * unit, analysis.T @ np.cos(order[:, None] * sought[None, :])


def _sums(field: _Field, stretch: Array, amount: Array) -> Array:
    """Return sum_c amount[r, f, c] exp(2 pi i f rho stretch_c), (R, F, 2 P)."""
    waves = field.waves(stretch)
    return np.asarray(np.matmul(waves[None], amount[..., None])[..., 0])


def _relative(missed: Array, target: Array, octaves: Array) -> float:
    """Return the root of the share of the power that is missed; both (1, F, 2 P)."""
    lost, all_of_it = (float(octaves @ np.sum(x[0] ** 2, axis=1)) for x in (missed, target))
    return float(np.sqrt(lost / all_of_it)) if all_of_it > 0.0 else 0.0


def _gauss_depths(depth_um: Array, weighted: Array, field: _Field, count: int) -> Array:
    """Return the Gauss nodes of the light's weight in depth, sharp light counting most.

    The measure is the power that a depth sends to the frequencies which notice a displacement, f^3
    times an octave's; nodes and weights of its Gauss quadrature from the Lanczos process.
    """
    share = np.sqrt(((field.octaves * field.frequency**3) * weighted**2).sum(axis=1))
    share = np.maximum(share / share.sum(), 1e-12)
    vectors, diagonal, beside = [np.sqrt(share / share.sum())], [], []
    for _ in range(min(count, depth_um.size)):
        raised = depth_um * vectors[-1]
        diagonal.append(float(vectors[-1] @ raised))
        for vector in (*vectors, *vectors):  # twice: orthogonal to rounding
            raised = raised - (vector @ raised) * vector
        norm = float(np.linalg.norm(raised))
        beside.append(norm)
        vectors.append(raised / norm)
    matrix = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    return np.asarray(np.linalg.eigvalsh(matrix))


def _least_squares(given: Array, target: Array, start: Array | None) -> Array:
    """Return K_rq(f), (R, Q, F), by least squares over the field.

    Parameters
    ----------
    given : (F, 2 P, Q) array
        Plane waves as the few enlargements move them.
    target : (R, F, 2 P) array
        As all depths move them.
    start : (R, Q, F) array, optional
        Kernels towards which the solution is pulled (default: zero).
    """
    left = target
    if start is not None:
        left = target - np.einsum("fpq,rqf->rfp", given, start, optimize=True)
    gram = given.transpose(0, 2, 1) @ given
    gram += _RIDGE**2 * np.eye(given.shape[2])
    right = given.transpose(0, 2, 1) @ left.transpose(1, 2, 0)
    change = np.linalg.solve(gram, right).transpose(2, 1, 0)
    return np.asarray(change if start is None else start + change)


def stretched(frequency: Array, curve: Array, factor: float) -> Array:
    """Return tabulated curves (last axis) at ``factor`` times the tabulated frequencies."""
    spline = CubicSpline(frequency, curve, axis=-1)
    wanted = frequency * factor
    return np.where(wanted <= frequency[-1], spline(np.minimum(wanted, frequency[-1])), 0.0)


def stretched_each(frequency: Array, curves: Array, factor: Array) -> Array:
    """Return curves (R, D, F) read at ``factor[d]`` times the tabulated frequencies."""
    result = np.empty(curves.shape)
    for first in range(0, factor.size, _DEPTHS_AT_ONCE):
        part = slice(first, first + _DEPTHS_AT_ONCE)
        result[:, part] = _stretched_part(frequency, curves[:, part], factor[part])
    return result


def _stretched_part(frequency: Array, curves: Array, factor: Array) -> Array:
    """Return `stretched_each` of as many depths as the cache holds."""
    pieces = CubicSpline(frequency, np.ascontiguousarray(curves.T), axis=0).c  # (4, F - 1, D, R)
    wanted = frequency[:, None] * factor[None, :]  # (F, D)
    place = np.clip(np.searchsorted(frequency, wanted, side="right") - 1, 0, frequency.size - 2)
    t = np.where(wanted <= frequency[-1], wanted - frequency[place], 0.0)[..., None]
    depth = np.arange(factor.size)[None, :]
    result = pieces[0][place, depth]
    for piece in pieces[1:]:
        result *= t
        result += piece[place, depth]
    result[wanted > frequency[-1]] = 0.0
    return np.asarray(result.T)
