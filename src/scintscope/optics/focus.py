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
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from scintscope.optics.shear import nodes_for, phase_ranges_rad, shear_nodes, shear_phases
from scintscope.optics.wavefront import OpticalPath, slab_path, travel_for_focus_um

Array = NDArray[np.float64]

MERIT_FREQUENCIES = 24
_COARSE_STEPS = 48
_RADIANS_PER_STEP = 0.05
"""A cubic spline through exp(i phase) at such steps is good to 2e-8."""


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
    from scintscope.jax64 import jax, jnp

    pupils = _merit_pupils(
        depth_below_exit_um, weight, path, nyquist_cy_per_um, pixel_um, focus_range_um
    )
    field, air_slope = (jnp.asarray(x) for x in pupils)

    @jax.jit  # type: ignore[untyped-decorator]
    def merit(travel_um: Any) -> Any:
        return jnp.sum(jnp.real(field * jnp.exp(-1j * travel_um * air_slope)))

    return merit


def _merit_pupils(
    depth_below_exit_um: Array,
    weight: Array,
    path: OpticalPath,
    nyquist_cy_per_um: float,
    pixel_um: float,
    focus_range_um: tuple[float, float],
) -> tuple[NDArray[np.complex128], Array]:
    """Return what merit(travel) = Re sum field exp(-i travel slope) sums over, both (f, nodes)."""
    nodes, gauss = np.polynomial.legendre.leggauss(MERIT_FREQUENCIES)
    frequency = 0.5 * nyquist_cy_per_um * (1.0 + nodes)
    frequency_weight = 0.5 * gauss * np.sinc(frequency * pixel_um)
    h = frequency / path.cutoff_cy_per_um
    counts = _counts(h, depth_below_exit_um, path, focus_range_um)
    scale = 2.0 * np.pi / float(path.wavelength_um)
    fixed, slope, quadrature = shear_phases(h, 0.0, path, counts)
    plus, minus = (path.na**2 * x.reshape(h.size, -1) for x in shear_nodes(h, *counts)[:2])
    medium = path.immersion_index
    air = slab_path(plus, medium) - slab_path(minus, medium)
    light = _depth_light(scale * slope, depth_below_exit_um, weight / weight.sum())
    field = frequency_weight[:, None] * quadrature * np.exp(1j * scale * fixed) * light
    return np.asarray(field), np.asarray(scale * air)


def _depth_light(slope: Array, depth_um: Array, share: Array) -> NDArray[np.complex128]:
    """Return sum_d share_d exp(i slope depth_d), a function of the slope alone, splined."""
    top = float(np.abs(slope).max())
    steps = 64 + int(np.ceil(2.0 * top * float(np.abs(depth_um).max()) / _RADIANS_PER_STEP))
    nodes = np.linspace(-top, top, steps) if top > 0.0 else np.linspace(-1.0, 1.0, steps)
    return np.asarray(CubicSpline(nodes, np.exp(1j * nodes[:, None] * depth_um) @ share)(slope))


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
    field, slope = _merit_pupils(
        depth_below_exit_um, weight, path, nyquist_cy_per_um, pixel_um, edges
    )

    def loss(focus_um: float) -> float:
        phase = float(travel_for_focus_um(focus_um, path)) * slope
        return -float(np.sum(field.real * np.cos(phase) + field.imag * np.sin(phase)))

    scan = np.linspace(*edges, _COARSE_STEPS)
    best = int(np.argmin([loss(float(s)) for s in scan]))
    low, high = scan[max(best - 1, 0)], scan[min(best + 1, scan.size - 1)]
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-3})
    return float(found.x)
