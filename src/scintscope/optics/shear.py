"""Sheared pupils: quadrature nodes over their overlap, phases there, and how many are needed.

The parts of `otf` that know no engine: on JAX arrays they compute with JAX, on numbers with numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import SamplingError
from scintscope.jax64 import namespace
from scintscope.optics.pupil import Pupil, components
from scintscope.optics.wavefront import OpticalPath, slab_path, wavefront_um
from scintscope.quadrature import unit_nodes

Array = NDArray[np.float64]

_BASE_NODES = 12
_NODES_PER_RADIAN = 0.45
"""Gauss-Legendre nodes per radian of phase across the overlap; 0.25 is where convergence starts."""


def shear_nodes(h: Any, count_x: int, count_y: int) -> tuple[Any, Any, Any]:
    """Return quadrature nodes over a quarter of the sheared pupils' overlap.

    Parameters
    ----------
    h : float or (...,) array
        Half the shear in pupil radii, f lambda / (2 NA), 0 <= h <= 1.
    count_x, count_y : int
        Nodes along and across the shear.

    Returns
    -------
    rho2_plus, rho2_minus : (..., count_x, count_y) array
        Squared pupil radius at the two ends of the shear.
    weight : (..., count_x, count_y) array
        Sums to H(f) of the perfect pupil.
    """
    xp = namespace(h)
    (nodes_x, weights_x), (nodes_y, weights_y) = unit_nodes(count_x), unit_nodes(count_y)
    inside = h < 1.0
    safe = xp.where(inside, h, 0.5)[..., None, None]
    top = xp.arccos(safe)
    t = top * nodes_x[:, None]
    y2 = (xp.sin(t) * nodes_y[None, :]) ** 2
    plus = xp.cos(t)
    area = xp.sin(t) ** 2 * top * weights_x[:, None] * weights_y[None, :]
    return (
        plus**2 + y2,
        (plus - 2.0 * safe) ** 2 + y2,
        xp.where(xp.asarray(inside)[..., None, None], 4.0 / np.pi * area, 0.0),
    )


def pair_weight(
    rho2_plus: Any, rho2_minus: Any, shear: Any, path: OpticalPath, pupil: Pupil
) -> Any:
    """Return G of pairs of pupil points a distance 2 ``shear`` apart (module equation).

    A_1 goes as rho and A_2 as rho^2, which takes the angle's 1 / rho with it. Not normalised.
    """
    plus, minus = (components(path.na**2 * rho2, path, pupil) for rho2 in (rho2_plus, rho2_minus))
    dot = 0.5 * (rho2_plus + rho2_minus - 4.0 * shear**2)  # rho rho' cos(Delta)
    product = rho2_plus * rho2_minus
    total = 0.0
    for (order, share, a), (_, _, b) in zip(plus, minus, strict=True):
        angle = {
            0: 1.0,
            1: dot / namespace(product).sqrt(product),
            2: 2.0 * dot**2 / product - 1.0,
        }[order]
        total = total + share * a * b * angle
    return total


def shear_weights(shear: Any, path: OpticalPath, counts: tuple[int, int], pupil: Pupil) -> Any:
    """Return quadrature weights times the amplitudes of the pairs, (..., nodes), not normalised."""
    plus, minus, weight = (_flat(x) for x in shear_nodes(shear, *counts))
    apart = namespace(shear).asarray(shear)[..., None]
    return weight * pair_weight(plus, minus, apart, path, pupil)


def shear_phases(
    shear: Any, travel_um: Any, path: OpticalPath, counts: tuple[int, int]
) -> tuple[Any, Any, Any]:
    """Return W(+) - W(-) at depth 0 and its slope in depth (both um), and the weights.

    Each (..., nodes), for shears of any shape (...).
    """
    plus, minus, weight = (_flat(x) for x in shear_nodes(shear, *counts))
    p2_plus, p2_minus = path.na**2 * plus, path.na**2 * minus
    fixed = wavefront_um(p2_plus, 0.0, travel_um, path) - wavefront_um(
        p2_minus, 0.0, travel_um, path
    )
    slope = slab_path(p2_plus, path.index) - slab_path(p2_minus, path.index)
    return fixed, slope, weight


def _flat(values: Any) -> Any:
    return values.reshape(*values.shape[:-2], -1)


def phase_ranges_rad(
    h: Array, depths_um: Array, travel_um: float, path: OpticalPath
) -> tuple[Array, Array]:
    """Return the phase to be resolved along and across the shear, per frequency, over all depths.

    Parameters
    ----------
    h : (F,) array
        Half shears in pupil radii.
    depths_um : (D,) array
        Depths of the emitters; the phase is linear in depth, so the extremes suffice.
    travel_um : float
        Stage travel.
    path : OpticalPath
        Lens and layers.

    Returns
    -------
    along, across : (F,) array
        Radians.
    """
    scale = 2.0 * np.pi / float(path.wavelength_um)
    shear = np.minimum(h, 1.0)[:, None, None]
    t = np.arccos(shear) * np.linspace(0.0, 1.0, 15)[None, :, None]
    y2 = (np.sin(t) * np.linspace(0.0, 1.0, 6)[None, None, :]) ** 2
    plus, minus = np.cos(t) ** 2 + y2, (np.cos(t) - 2.0 * shear) ** 2 + y2
    along, across = np.zeros(h.shape), np.zeros(h.shape)
    for depth in (float(depths_um.min()), float(depths_um.max())):
        w_plus, w_minus = (
            np.asarray(wavefront_um(path.na**2 * rho2, depth, travel_um, path))
            for rho2 in (plus, minus)
        )
        phase = scale * (w_plus - w_minus)
        along = np.maximum(along, np.ptp(phase, axis=1).max(axis=1))
        across = np.maximum(across, np.ptp(phase, axis=2).max(axis=1))
    return along, across


_NODE_STEPS = np.unique([*np.outer([8, 10, 12, 14], 2 ** np.arange(1, 9)).ravel(), 3072])
"""Node counts in use: few, so that frequencies of alike needs are computed together."""


def nodes_for(phase_rad: Array) -> NDArray[np.int64]:
    """Return the Gauss-Legendre nodes that resolve a phase range, rounded up to a few steps.

    Raises
    ------
    SamplingError
        If more nodes than the largest step would be needed (defocus of thousands of waves).
    """
    wanted = _BASE_NODES + _NODES_PER_RADIAN * np.asarray(phase_rad)
    if wanted.size and wanted.max() > _NODE_STEPS[-1]:
        raise SamplingError(
            f"the wavefront spans {float(np.max(phase_rad)) / (2 * np.pi):.0f} waves across the "
            f"pupil; at most {int((_NODE_STEPS[-1] - _BASE_NODES) / _NODES_PER_RADIAN / 6.2832)} "
            "can be resolved. Use a thinner plate, a smaller NA or a focus nearer to the plate."
        )
    return _NODE_STEPS[np.searchsorted(_NODE_STEPS, wanted)]
