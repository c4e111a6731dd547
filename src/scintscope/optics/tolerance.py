"""How far a plate may depart from the thickness a lens was corrected for.

An emitter s below the exit face, s_c the depth the lens was corrected for, leaves the wavefront
(s - s_c) (sqrt(n^2 - p^2) - n) (module ``wavefront``): defocus and spherical aberration. Refocusing
takes the defocus out; what contrast is left at a frequency sets the tolerance. "Thickness" is the
depth of the emitter: the entrance face of the plate, farthest from the lens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar

from scintscope.errors import check_choice, check_range
from scintscope.optics.shear import shear_nodes
from scintscope.optics.wavefront import OpticalPath, fixed_wavefront_um, slab_path, wavefront_um

Array = NDArray[np.float64]

REFOCUS = ("none", "paraxial", "least_rms", "stage", "camera", "both")
"""What is moved after a plate was exchanged; see `contrast_after_exchange`."""

_NODES = 64
_SCAN = 81
_LARGEST_UM = 5000.0
_FIRST_STEP = 0.02
_GROWTH = 1.15


@dataclass(frozen=True, kw_only=True, slots=True)
class ThicknessRange:
    """Thicknesses over which a lens keeps a contrast.

    Parameters
    ----------
    low_um, high_um : float
        Ends of the range; low is 0 where no thin plate is too thin.
    corrected_for_um : float
        Thickness the lens was corrected for.
    contrast : float
        There.
    level : float
        Contrast at the ends.
    """

    low_um: float
    high_um: float
    corrected_for_um: float
    contrast: float
    level: float

    @property
    def more_um(self) -> float:
        """How much thicker than corrected for a plate may be."""
        return self.high_um - self.corrected_for_um


@dataclass(frozen=True, kw_only=True, slots=True)
class _Overlap:
    """Path differences between the ends of a shear, um per um, and quadrature weights."""

    slab: Array
    stage: Array
    camera: Array
    fixed: Array
    weight: Array
    scale: float

    def contrast(self, excess_um: Any, travel_um: Any, camera_um: Any = 0.0) -> Array:
        """Return H; the three lengths broadcast. ``camera_um`` counts at the object, b / M^2."""
        excess, travel, camera = (
            np.asarray(v, dtype=float)[..., None] for v in (excess_um, travel_um, camera_um)
        )
        path = self.fixed + excess * self.slab - travel * self.stage + camera * self.camera
        return np.asarray(np.cos(self.scale * path) @ self.weight)


def _overlap(path: OpticalPath, frequency_cy_per_um: float) -> _Overlap:
    h = frequency_cy_per_um / path.cutoff_cy_per_um
    plus, minus, weight = (np.asarray(v).ravel() for v in shear_nodes(h, _NODES, _NODES))
    ends = (path.na**2 * plus, path.na**2 * minus)
    m2 = path.magnification**2

    def difference(function: Callable[[Array], Any]) -> Array:
        return np.asarray(function(ends[0]) - function(ends[1]), dtype=float)

    return _Overlap(
        slab=difference(lambda p2: slab_path(p2, path.index)),
        stage=difference(lambda p2: slab_path(p2, path.immersion_index)),
        camera=difference(lambda p2: m2 * slab_path(p2 / m2, 1.0)),
        fixed=difference(lambda p2: fixed_wavefront_um(p2, path)),
        weight=weight,
        scale=2.0 * np.pi / float(path.wavelength_um),
    )


def contrast_after_exchange(
    thickness_um: float, frequency_cy_per_um: float, path: OpticalPath, refocus: str
) -> float:
    """Return H(f) of an emitter at a plate's entrance face after the plate was exchanged.

    Parameters
    ----------
    thickness_um : float
        s.
    frequency_cy_per_um : float
        f, object side, below the cut-off.
    path : OpticalPath
        Lens and layers; ``magnification`` where the camera moves.
    refocus : str
        ``none``: nothing moves. ``paraxial``: the stage by (s - s_c) / n, so that rays near the
        axis meet. ``least_rms``: the stage to the least rms wavefront. ``stage``: to the
        greatest H(f). ``camera``: the camera to the greatest H(f), the stage at its design place
        (adjustable back focus). ``both``: stage and camera to the greatest H(f).

    Raises
    ------
    InputError
        If ``refocus`` is none of these.
    """
    check_choice("refocus", refocus, REFOCUS)
    return _contrast(_overlap(path, frequency_cy_per_um), thickness_um, path, refocus)


def _contrast(overlap: _Overlap, thickness_um: float, path: OpticalPath, refocus: str) -> float:
    excess = thickness_um - float(path.corrected_for_um)
    if refocus == "none":
        return float(overlap.contrast(excess, 0.0))
    paraxial = excess * float(path.immersion_index) / float(path.index)
    if refocus == "paraxial":
        return float(overlap.contrast(excess, paraxial))
    if refocus == "least_rms":
        return float(overlap.contrast(excess, least_rms_travel_um(thickness_um, path)))
    if refocus == "stage":
        return _greatest(lambda a: overlap.contrast(excess, a), excess, path)[1]
    at, best = _greatest(lambda b: overlap.contrast(excess, 0.0, b), -excess, path)
    if refocus == "camera":
        return best
    return _greatest_of_two(overlap, excess, at, path)


def least_rms_travel_um(depth_below_exit_um: float, path: OpticalPath) -> float:
    """Return the stage travel at which a depth's wavefront has the least rms over the pupil.

    a = cov(W at a = 0, B) / cov(B, B), B = sqrt(n_i^2 - p^2): the optimum refocus of Marechal's
    law. (`travel_for_focus_um` asks for the travel at which the depth is the best of all depths.)
    """
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    p2, weight = 0.5 * float(path.na) ** 2 * (1.0 + node), 0.5 * weight
    base = np.asarray(wavefront_um(p2, depth_below_exit_um, 0.0, path), dtype=float)
    stage = np.asarray(slab_path(p2, path.immersion_index), dtype=float)
    centred = stage - weight @ stage
    return float((weight * centred) @ base / ((weight * centred) @ stage))


def _reach_um(excess_um: float, path: OpticalPath) -> float:
    """Return how far from the paraxial focus the best one may lie: the longitudinal aberration."""
    n, p2 = float(path.index), float(path.na) ** 2
    marginal = np.sqrt((1.0 - p2) / (n**2 - p2))
    depth = float(path.wavelength_um) / (1.0 - np.sqrt(1.0 - p2))
    return float(1.2 * abs(excess_um) * (1.0 / n - marginal) + depth)


def _greatest(
    contrast: Callable[[Any], Array], excess_um: float, path: OpticalPath
) -> tuple[float, float]:
    """Return the greatest contrast along one focus and where it is: a scan, then refined."""
    reach, centre = _reach_um(excess_um, path), excess_um / float(path.index)
    scan = np.linspace(centre - reach, centre + reach, _SCAN)
    values = contrast(scan)
    i = int(np.argmax(values))
    bounds = (scan[max(i - 1, 0)], scan[min(i + 1, _SCAN - 1)])
    found = minimize_scalar(
        lambda a: -float(contrast(a)), bounds=bounds, method="bounded", options={"xatol": 1e-5}
    )
    return float(found.x), max(float(-found.fun), float(values[i]))


def _greatest_of_two(
    overlap: _Overlap, excess_um: float, camera_um: float, path: OpticalPath
) -> float:
    """Return the greatest contrast over stage and camera together, from several starts.

    What the stage adds beyond defocus can cancel spherical aberration, at the cost of a long
    travel of both.
    """
    best = 0.0
    unit = _reach_um(excess_um, path)
    for share in (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0):
        # a stage at a gives about what the camera at -a does; start along the line that cancels
        start = np.array([share, (camera_um + share * unit) / unit])
        found = minimize(
            lambda v: -float(overlap.contrast(excess_um, v[0] * unit, v[1] * unit)),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-4, "fatol": 1e-7, "maxiter": 400},
        )
        best = max(best, float(-found.fun))
    return best


def tolerance_range(
    path: OpticalPath,
    frequency_cy_per_um: float,
    *,
    level: float = 0.3,
    refocus: str = "paraxial",
    relative: bool = False,
    pixel_um: float = 0.0,
) -> ThicknessRange:
    """Return the thicknesses over which the contrast at a frequency stays above a level.

    Parameters
    ----------
    path : OpticalPath
        Lens and layers.
    frequency_cy_per_um : float
        Object side, below the cut-off.
    level : float
        Least contrast.
    refocus : str
        What is moved; one of `REFOCUS`.
    relative : bool
        Whether the level counts as a share of the contrast of the thickness corrected for.
    pixel_um : float
        Camera pixel at the object whose transfer is included; 0 for none.

    Returns
    -------
    ThicknessRange
        Empty (both ends at the thickness corrected for) where the contrast starts below the level.
    """
    check_choice("refocus", refocus, REFOCUS)
    check_range("level", level, low=0.0, low_open=True, high=1.0)
    overlap = _overlap(path, frequency_cy_per_um)
    pixel = float(np.sinc(frequency_cy_per_um * pixel_um))
    design = float(path.corrected_for_um)

    def contrast(thickness_um: float) -> float:
        return pixel * _contrast(overlap, thickness_um, path, refocus)

    start = contrast(design)
    wanted = level * start if relative else level
    if start <= wanted:
        low = high = design
    else:
        high = _fall(contrast, design, 1.0, wanted, _LARGEST_UM)
        low = _fall(contrast, design, -1.0, wanted, design)
    return ThicknessRange(
        low_um=low, high_um=high, corrected_for_um=design, contrast=start, level=wanted
    )


def _fall(
    contrast: Callable[[float], float], start: float, sign: float, level: float, farthest: float
) -> float:
    """Return where the contrast first falls to the level, going one way; the end if it does not."""
    previous, step = 0.0, _FIRST_STEP
    while previous < farthest:
        distance = min(previous + step, farthest)
        if contrast(start + sign * distance) <= level:
            root = brentq(
                lambda d: contrast(start + sign * d) - level, previous, distance, xtol=1e-4
            )
            return float(start + sign * root)
        previous, step = distance, min(step * _GROWTH, 0.05 * distance + _FIRST_STEP)
    return float(start + sign * farthest)
