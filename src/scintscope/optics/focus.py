"""Choosing the focus: the merit of a stage position, and the best one.

The merit is the area under the presampled MTF of the whole plate from zero to the camera's
Nyquist frequency, per Nyquist frequency: what a person at the focus knob maximises on a target
with structure of all sizes. Depth sums are taken once; each stage position then costs one sum
over pupil nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from scintscope.jax64 import jax, jnp
from scintscope.optics.otf import nodes_for, phase_ranges_rad, shear_nodes
from scintscope.optics.wavefront import (
    OpticalPath,
    slab_path,
    travel_for_focus_um,
    wavefront_um,
)

Array = NDArray[np.float64]

MERIT_FREQUENCIES = 24
_COARSE_STEPS = 48


def focus_merit(
    depth_below_exit_um: Array,
    weight: Array,
    path: OpticalPath,
    nyquist_cy_per_um: float,
    pixel_um: float,
    focus_range_um: tuple[float, float],
) -> Any:
    """Return merit(travel) of a plate, jitted and differentiable in the travel.

    Parameters
    ----------
    depth_below_exit_um, weight : (D,) array
        Emitters and their light, any scale.
    path : OpticalPath
        Lens and layers.
    nyquist_cy_per_um, pixel_um : float
        Of the camera, object side.
    focus_range_um : (float, float)
        Depths below the exit face between which the focus will be sought; sets the nodes.
    """
    nodes, gauss = np.polynomial.legendre.leggauss(MERIT_FREQUENCIES)
    frequency = 0.5 * nyquist_cy_per_um * (1.0 + nodes)
    frequency_weight = 0.5 * gauss * np.sinc(frequency * pixel_um)
    h = frequency / path.cutoff_cy_per_um
    counts = _counts(h, depth_below_exit_um, path, focus_range_um)
    share = jnp.asarray(weight / weight.sum())
    depths = jnp.asarray(depth_below_exit_um)
    scale = 2.0 * jnp.pi / path.wavelength_um

    def summed(shear: Any) -> Any:
        plus, minus, quadrature = (x.ravel() for x in shear_nodes(shear, *counts))
        p2_plus, p2_minus = path.na**2 * plus, path.na**2 * minus
        fixed = wavefront_um(p2_plus, 0.0, 0.0, path) - wavefront_um(p2_minus, 0.0, 0.0, path)
        slope = slab_path(p2_plus, path.index) - slab_path(p2_minus, path.index)
        medium = path.immersion_index
        air = slab_path(p2_plus, medium) - slab_path(p2_minus, medium)
        light = jnp.exp(1j * scale * slope[:, None] * depths[None, :]) @ share
        return quadrature * jnp.exp(1j * scale * fixed) * light, air

    field, air_slope = jax.lax.map(jax.jit(summed), jnp.asarray(h))
    weights = jnp.asarray(frequency_weight)

    @jax.jit  # type: ignore[untyped-decorator]
    def merit(travel_um: Any) -> Any:
        transfer = jnp.real(field * jnp.exp(-1j * scale * travel_um * air_slope)).sum(axis=1)
        return jnp.sum(weights * transfer)

    return merit


def _counts(
    h: Array, depths_um: Array, path: OpticalPath, focus_range_um: tuple[float, float]
) -> tuple[int, int]:
    along, across = 0.0, 0.0
    for focus in focus_range_um:
        travel = float(travel_for_focus_um(focus, path))
        a, b = phase_ranges_rad(h, depths_um, travel, path)
        along, across = max(along, float(a.max())), max(across, float(b.max()))
    return int(nodes_for(np.array(along))), int(nodes_for(np.array(across)))


def best_focus_um(
    depth_below_exit_um: Array,
    weight: Array,
    path: OpticalPath,
    nyquist_cy_per_um: float,
    pixel_um: float,
    thickness_um: float,
) -> float:
    """Return the depth below the exit face whose focus maximises the merit, inside the plate.

    A coarse scan over the plate, then Brent's method around its best point.
    """
    edges = (0.0, thickness_um)
    merit = focus_merit(depth_below_exit_um, weight, path, nyquist_cy_per_um, pixel_um, edges)

    def loss(focus_um: float) -> float:
        return -float(merit(travel_for_focus_um(focus_um, path)))

    scan = np.linspace(*edges, _COARSE_STEPS)
    best = int(np.argmin([loss(float(s)) for s in scan]))
    low, high = scan[max(best - 1, 0)], scan[min(best + 1, scan.size - 1)]
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-3})
    return float(found.x)
