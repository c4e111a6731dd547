"""The skeleton and fins of the fish-like specimen as tapered rods and polygons.

Positions are fractions of the fish's length in its own frame: ``s`` from nose (0) to the tip of
the tail fin (1), ``v`` downwards from the body's axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

FloatArray = NDArray[np.float64]

BODY_END = 0.87
"""Where the body stops inside the tail fin."""

_KNOTS = (0.0, 0.012, 0.03, 0.08, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.82, BODY_END)
_UPPER = (0.0, 0.016, 0.027, 0.050, 0.071, 0.084, 0.086, 0.080, 0.068, 0.052, 0.037, 0.030, 0.029)
_LOWER = (0.0, 0.014, 0.026, 0.051, 0.078, 0.097, 0.099, 0.088, 0.066, 0.046, 0.032, 0.027, 0.026)

_VERTEBRAE = 30
_SPINE_V = -0.014


@dataclass(frozen=True, kw_only=True, slots=True)
class Rods:
    """Tapered rods, one row each: ends (s, v), radii at both ends, height relative to bone.

    Parameters
    ----------
    ends : (K, 4) array
        s and v of the first end, s and v of the second, fractions of the length.
    radii : (K, 2) array
        Radii at the ends, fractions of the length.
    height : (K,) array
        Thickness along the beam, relative to the recipe's bone thickness.
    """

    ends: FloatArray
    radii: FloatArray
    height: FloatArray


def upper_profile(s: NDArray[np.floating]) -> FloatArray:
    """Return the height of the back over the axis at ``s``, fraction of the length."""
    return np.asarray(PchipInterpolator(_KNOTS, _UPPER)(np.clip(s, 0.0, BODY_END)))


def lower_profile(s: NDArray[np.floating]) -> FloatArray:
    """Return the depth of the belly below the axis at ``s``, fraction of the length."""
    return np.asarray(PchipInterpolator(_KNOTS, _LOWER)(np.clip(s, 0.0, BODY_END)))


def skeleton(fins: list[list[FloatArray]], rng: np.random.Generator) -> Rods:
    """Return the bones of one individual: spine, ribs, skull and the given rays of all fins."""
    paths = _spine(rng) + _ribs(rng) + _skull()
    for rays in fins:
        paths += [(ray, (0.0011, 0.0004), 0.30) for ray in rays]
    ends, radii, height = [], [], []
    for points, (thick, fine), level in paths:
        steps = np.linspace(thick, fine, len(points))
        ends.append(np.hstack([points[:-1], points[1:]]))
        radii.append(np.column_stack([steps[:-1], steps[1:]]))
        height.append(np.full(len(points) - 1, level))
    return Rods(ends=np.vstack(ends), radii=np.vstack(radii), height=np.concatenate(height))


_Path = tuple[FloatArray, tuple[float, float], float]


def _curve(start: FloatArray, end: FloatArray, bulge: FloatArray, pieces: int = 6) -> FloatArray:
    """Return points of a quadratic Bezier curve whose control point is the middle plus bulge."""
    t = np.linspace(0.0, 1.0, pieces + 1)[:, None]
    control = 0.5 * (start + end) + bulge
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def _spine(rng: np.random.Generator) -> list[_Path]:
    """Return hourglass-shaped vertebrae with neural and haemal spines."""
    edges = np.linspace(0.195, 0.85, _VERTEBRAE + 1)
    paths: list[_Path] = []
    for k, (a, b) in enumerate(pairwise(edges.tolist())):
        size = 0.0078 * (1.0 - 0.5 * k / _VERTEBRAE)
        # A rod's round ends reach beyond it by its radius.
        gap, middle = 0.92 * size, 0.5 * (a + b)
        paths.append((_line(a + gap, middle, _SPINE_V), (size, 0.62 * size), 1.0))
        paths.append((_line(middle, b - gap, _SPINE_V), (0.62 * size, size), 1.0))
        lean = 0.022 + 0.004 * rng.standard_normal()
        for side, profile, first in ((-1.0, upper_profile, 0), (1.0, lower_profile, 12)):
            if k < first:
                continue
            reach = 0.74 * float(profile(np.asarray(middle)))
            top = np.array([middle + lean, side * reach])
            root = np.array([middle, _SPINE_V + 0.6 * side * size])
            paths.append((_curve(root, top, np.array([-0.003, 0.0])), (0.0017, 0.0006), 0.45))
    return paths


def _line(a: float, b: float, v: float) -> FloatArray:
    return np.array([[a, v], [b, v]])


def _ribs(rng: np.random.Generator) -> list[_Path]:
    """Return ribs that hang from the front vertebrae around the belly."""
    paths: list[_Path] = []
    for k, s in enumerate(np.linspace(0.225, 0.455, 12)):
        reach = (0.80 - 0.012 * k) * float(lower_profile(np.asarray(s)))
        root = np.array([s, _SPINE_V + 0.004])
        tip = np.array([s + 0.030 + 0.003 * rng.standard_normal(), reach])
        paths.append((_curve(root, tip, np.array([0.014, 0.0]), 8), (0.0016, 0.0006), 0.45))
    return paths


def _skull() -> list[_Path]:
    """Return roof, jaws, gill cover, gill arches, shoulder girdle and otoliths."""
    s = np.linspace(0.02, 0.20, 14)
    roof = np.column_stack([s, -0.86 * upper_profile(s)])
    floor = np.column_stack([s[:9], 0.80 * lower_profile(s[:9])])
    base = _curve(np.array([0.05, 0.012]), np.array([0.20, _SPINE_V]), np.array([0.0, -0.002]))
    paths: list[_Path] = [
        (roof, (0.0022, 0.0034), 0.85),
        (floor, (0.0024, 0.0018), 0.75),
        (base, (0.0022, 0.0030), 0.8),
        (
            _curve(np.array([0.012, 0.004]), np.array([0.055, 0.03]), np.zeros(2)),
            (0.0028,) * 2,
            0.8,
        ),
    ]
    for start, end, bulge, size, level in (
        ((0.130, -0.035), (0.135, 0.062), (0.050, 0.0), 0.0022, 0.7),
        ((0.128, -0.020), (0.128, 0.045), (0.022, 0.0), 0.0012, 0.4),
        ((0.138, -0.018), (0.134, 0.050), (0.030, 0.0), 0.0012, 0.4),
        ((0.120, -0.030), (0.110, 0.055), (0.012, 0.0), 0.0016, 0.5),
        ((0.188, -0.030), (0.165, 0.080), (0.026, 0.0), 0.0026, 0.8),
    ):
        paths.append(
            (_curve(np.array(start), np.array(end), np.array(bulge), 10), (size, size), level)
        )
    for s_0, v_0, size in (
        (0.140, -0.030, 0.0042),
        (0.158, -0.026, 0.0060),
        (0.166, -0.036, 0.003),
    ):
        paths.append((np.array([[s_0, v_0], [s_0 + 0.003, v_0]]), (size, size), 1.0))
    return paths


_FINS = (
    # base from (s, v as a multiple of the profile), base to, ray vector first, last, rays
    ("dorsal", (0.50, -0.97), (0.645, -0.95), (0.075, -0.085), (0.075, -0.020), 11),
    ("anal", (0.55, 0.96), (0.70, 0.93), (0.055, 0.080), (0.065, 0.018), 14),
    ("pelvic", (0.43, 0.97), (0.455, 0.97), (0.045, 0.050), (0.070, 0.022), 7),
    ("pectoral", (0.190, 0.45), (0.195, 0.72), (0.105, -0.004), (0.080, 0.055), 10),
)


def fin_rays(rng: np.random.Generator) -> list[list[FloatArray]]:
    """Return the rays of each fin as curves of points (s, v), in order over the fin."""
    fins = []
    for _, start, end, first, last, count in _FINS:
        rays = []
        for t in np.linspace(0.0, 1.0, count):
            s = start[0] + t * (end[0] - start[0])
            side = start[1] + t * (end[1] - start[1])
            profile = upper_profile if side < 0 else lower_profile
            root = np.array([s, side * float(profile(np.asarray(s)))])
            vector = np.array(first) * (1 - t) + np.array(last) * t
            vector = vector * (1.0 + 0.03 * rng.standard_normal())
            rays.append(_curve(root, root + vector, 0.1 * np.array([-vector[1], vector[0]]) * 0.5))
        fins.append(rays)
    tail = []
    for t in np.linspace(-1.0, 1.0, 20):
        root = np.array([0.845 + 0.02 * (1 - t**2), 0.024 * t])
        tip = np.array([1.0 - 0.075 * (1 - abs(t)) ** 1.3, 0.115 * np.sign(t) * abs(t) ** 1.1])
        bulge = np.array([0.0, 0.012 * t + 0.001 * rng.standard_normal()])
        tail.append(_curve(root, tip, bulge, 8))
    return [*fins, tail]
