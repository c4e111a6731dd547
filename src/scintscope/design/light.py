"""Transfer functions of the light, and the best focus, for one set of an instrument's numbers.

Pure functions in ``jax.numpy``; ``numbers`` is a mapping from `instrument_numbers` at one design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scintscope.design.instrument_numbers import covariance
from scintscope.design.pupil_table import (
    POINTS_1,
    POINTS_2,
    STEP_1_WAVES,
    STEP_2_WAVES,
    PupilTable,
    frequency_stencil,
    stencil,
    transfer,
)
from scintscope.jax64 import jax, jnp
from scintscope.optics.focus import MERIT_FREQUENCIES

Numbers = Mapping[str, Any]

_SCAN = 49
_NEWTON = 4
_BLOCK = 16
"""Rows of the table multiplied at a time: a few MB in double precision, which a cache holds."""


def wavefront(numbers: Numbers, slab: Any, fixed: Any, depth: Any, travel: Any) -> Any:
    """Return Legendre coefficients of the wavefront of emitters below the exit face, um, (D, 6)."""
    from_corrected = (depth - numbers["corrected_for"])[:, None]
    return from_corrected * slab + fixed - travel * numbers["air"]


def waves(coefficients: Any, wavelength_um: Any) -> tuple[Any, Any, Any]:
    """Return c_1, c_2, c_3 of `pupil_table` from Legendre coefficients."""
    scaled = coefficients / wavelength_um
    return 2.0 * scaled[..., 0], 6.0 * scaled[..., 1], scaled[..., 2]


def travel_for(numbers: Numbers, below_exit: Any) -> Any:
    """Return the stage travel that focuses a depth (`wavefront.travel_for_focus_um`)."""
    slab = numbers["focus_slab"]
    base = (below_exit - numbers["corrected_for"]) * slab + numbers["focus_fixed"]
    return covariance(base, slab) / covariance(numbers["air"], slab)


def layer_waves(numbers: Numbers, layer: int, z: Any, travel: Any) -> tuple[Any, ...]:
    """Return wavelengths, shares (W,), c_1, c_2, c_3 (W, D) of all wavelengths and images."""
    found = []
    shares = numbers["share"][:, None] * numbers[f"image_share@{layer}"]
    for k in range(shares.shape[0]):
        shifted = travel + numbers["colour"][k]
        for m in range(shares.shape[1]):
            depth = numbers[f"offset@{layer}"][m] + numbers[f"sign@{layer}"][m] * z
            fixed = numbers[f"fixed@{layer}"][k, m]
            seen = wavefront(numbers, numbers[f"slab@{layer}"][k], fixed, depth, shifted)
            wave = numbers["wave"][k]
            found.append((wave, shares[k, m], *waves(seen, wave)))
    return tuple(jnp.stack(values) for values in zip(*found, strict=True))


def plate_transfer(
    table: PupilTable, numbers: Numbers, layer: int, z: Any, travel: Any, frequency: Any
) -> Any:
    """Return T(f, z) of a layer's emitters, (D, F), haze included."""
    count = table.values.shape[2]

    def add(total: Any, one: tuple[Any, ...]) -> tuple[Any, None]:
        wave, share, c1, c2, c3 = one
        at = frequency_stencil(frequency * wave / (2.0 * numbers["na"]), count)
        return total + share * transfer(table, c1, c2, c3, at), None

    start = jnp.zeros((z.size, frequency.size))
    total, _ = jax.lax.scan(add, start, layer_waves(numbers, layer, z, travel))
    fraction = numbers["haze_fraction"]
    halo = (1.0 + (2.0 * jnp.pi * frequency * numbers["haze_length"]) ** 2) ** -1.5
    return total * ((1.0 - fraction) + fraction * halo)


def best_focus(table: PupilTable, numbers: Numbers, z: Any, light: Any) -> Any:
    """Return the depth below the exit face of the best focus (`optics.focus`), inside the plate.

    A scan, then Newton's method on the derivative of the merit: its last step carries the
    derivative by everything else (implicit function theorem).

    Parameters
    ----------
    table, numbers
        Transfer functions; the design.
    z, light : (D,) array
        Emitters of the film and their light, quadrature weights included.
    """
    alive = (merit_planes(table, numbers), dict(numbers), z, light)
    held = jax.tree_util.tree_map(jax.lax.stop_gradient, alive)
    merit = focus_merit(table, *held)
    thickness = held[1]["layer@0"]
    places = jnp.linspace(0.0, 1.0, _SCAN) * thickness
    start = places[jnp.argmax(jax.vmap(merit)(places))]
    reach = thickness / (_SCAN - 1)

    def refine(_: Any, focus: Any) -> Any:
        return _newton(merit, focus, start - reach, start + reach, thickness)

    focus = jax.lax.stop_gradient(jax.lax.fori_loop(0, _NEWTON - 1, refine, start))
    last = focus_merit(table, *alive)
    return _newton(last, focus, start - reach, start + reach, numbers["layer@0"])


def _newton(merit: Any, focus: Any, low: Any, high: Any, thickness: Any) -> Any:
    """Return the next estimate of a maximum, kept near the scan's best and inside the plate."""
    slope = jax.grad(merit)
    first, second = jax.jvp(slope, (focus,), (jnp.ones_like(focus),))
    step = first / jnp.minimum(jax.lax.stop_gradient(second), -1e-9)
    return jnp.clip(jnp.clip(focus - step, low, high), 0.0, thickness)


def merit_planes(table: PupilTable, numbers: Numbers) -> tuple[Any, Any]:
    """Return the area under the transfer function over c_1 and c_2, (R, S), and its slope by c_3.

    The pixel's aperture weighs it; rows out of the plate's reach are zero.
    """
    nodes, gauss = np.polynomial.legendre.leggauss(MERIT_FREQUENCIES)
    frequency = 0.25 * (1.0 + nodes) / numbers["pixel"]
    weight = 0.5 * gauss * jnp.sinc(frequency * numbers["pixel"])
    scaled = frequency * numbers["focus_wave"] / (2.0 * numbers["na"])
    index, share = frequency_stencil(scaled, table.values.shape[2])
    along = jnp.zeros(table.values.shape[2]).at[index].add(weight[:, None] * share)
    rows = _rows_in_reach(table, numbers)
    summed = _rows_along(table.values, along, rows)
    slope = None if table.slope is None else _rows_along(table.slope, along, rows)
    return summed, slope


def focus_merit(
    table: PupilTable, planes: tuple[Any, Any], numbers: Numbers, z: Any, light: Any
) -> Callable[[Any], Any]:
    """Return the area under the presampled MTF as a function of the focus below the exit face."""
    thickness, wave = numbers["layer@0"], numbers["focus_wave"]
    summed, slope = planes

    def merit(below: Any) -> Any:
        travel = travel_for(numbers, below)
        seen = wavefront(
            numbers, numbers["focus_slab"], numbers["focus_fixed"], thickness - z, travel
        )
        c1, c2, c3 = waves(seen, wave)
        found = _at(summed, table, c1, c2)
        if slope is not None:
            found = found + c3 * _at(slope, table, c1, c2)
        return light @ found / light.sum()

    return merit


def _rows_in_reach(table: PupilTable, numbers: Numbers) -> tuple[Any, Any]:
    """Return the first and last row of the table that emitters and focus in the plate can ask for.

    c_1 is linear in both depths, so that its extremes lie at the faces.
    """
    ends = jnp.stack([jnp.zeros_like(numbers["layer@0"]), numbers["layer@0"]])
    found = []
    for below in (ends[0], ends[1]):
        travel = travel_for(numbers, below)
        seen = wavefront(numbers, numbers["focus_slab"], numbers["focus_fixed"], ends, travel)
        found.append(waves(seen, numbers["focus_wave"])[0])
    place = jax.lax.stop_gradient((jnp.concatenate(found) - table.low_1) / STEP_1_WAVES)
    last = table.values.shape[0] - 1
    low = jnp.clip(jnp.floor(place.min()).astype(jnp.int32) - POINTS_1, 0, last)
    return low, jnp.clip(jnp.ceil(place.max()).astype(jnp.int32) + POINTS_1, 0, last)


def _rows_along(values: Any, along: Any, rows: tuple[Any, Any]) -> Any:
    """Return ``values @ along`` in double precision for a range of rows, zero elsewhere, (R, S).

    Block by block: most designs ask for a small part of a table of hundreds of MB.
    """
    size = values.shape[0]
    block = min(_BLOCK, size)

    def add(i: Any, total: Any) -> Any:
        start = jnp.minimum(i * block, size - block)
        part = jax.lax.dynamic_slice_in_dim(values, start, block).astype(jnp.float64) @ along
        return jax.lax.dynamic_update_slice_in_dim(total, part, start, 0)

    first, last = rows
    zero = jnp.zeros(values.shape[:2])
    return jax.lax.fori_loop(first // block, last // block + 1, add, zero)


def _at(plane: Any, table: PupilTable, c1: Any, c2: Any) -> Any:
    """Return a function tabulated over c_1 and c_2 at D points, (D,)."""
    first_1, weight_1 = stencil((c1 - table.low_1) / STEP_1_WAVES, plane.shape[0], POINTS_1)
    first_2, weight_2 = stencil((c2 - table.low_2) / STEP_2_WAVES, plane.shape[1], POINTS_2)
    rows = first_1[:, None, None] + jnp.arange(POINTS_1)[:, None]
    columns = first_2[:, None, None] + jnp.arange(POINTS_2)
    return jnp.einsum("dab,da,db->d", plane[rows, columns], weight_1, weight_2)
