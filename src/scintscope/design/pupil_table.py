r"""One table of transfer functions that serves every lens, depth, wavelength and plate.

With r = rho^2 (rho the pupil radius) any plane layers, stage and lens aberrations of axial symmetry
make a wavefront W(r); in Legendre polynomials of 2 r - 1 (Zernike's radial ones)

.. math:: W / \lambda = c_1\, r + c_2\, (r^2 - r) + c_3\, P_3(2 r - 1) + \ldots

piston left out. The transfer function of a uniform pupil depends on the normalised frequency v
= f / cut-off and these numbers only (Hopkins 1955, Proc. R. Soc. A 231, 91): c_1 is the defocus in
waves at the edge, c_2 primary spherical aberration. They are tabulated; c_3, small, enters by its
derivative at zero, higher ones not at all. With the shear along x, h = v and

.. math:: H = \sum_{x, y} w \cos 2\pi(c_1 A + c_2 B),\quad A = 4 x h,\quad
          B = A\,(2 (x^2 + y^2 + h^2) - 1)

A does not depend on y, so that the table is a matrix product for each frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import SamplingError
from scintscope.jax64 import jax, jnp
from scintscope.sharing import share

Array = NDArray[np.float64]

STEP_1_WAVES = 1.0 / 12.0
"""H is band-limited to one cycle per wave of c_1: six points a step of 1/12 leave 2e-5."""
STEP_2_WAVES = 0.3
"""and to a quarter of a cycle per wave of c_2, |r^2 - r| <= 1/4."""
POINTS_1, POINTS_2, POINTS_V = 6, 6, 6
V_POWER = 1.5
"""Nodes in v are dense at v = 0, where wide discs make H fall first."""
_PER_WAVE = 16
"""Nodes in v per wave of defocus: H of a disc oscillates with period 1 / (4 c_1) in v."""
_THREADS = 2
_FINE = 32
_NODES_STEP = 8
MOST_BYTES = 1.5e9


@dataclass(frozen=True, kw_only=True, slots=True)
class PupilTable:
    """H on a grid; see the module.

    Parameters
    ----------
    low_1, low_2 : float
        First c_1 and c_2, waves.
    values : (R, S, V) array
        H, float32. ``slope`` is its derivative by c_3, or None where that is not needed.
    """

    low_1: float
    low_2: float
    values: Any
    slope: Any = None


def _axis(low: float, high: float, step: float) -> Array:
    """Return grid points with room for the stencil at both ends."""
    first = np.floor(low / step) - 3
    last = np.ceil(high / step) + 3
    return np.asarray(step * np.arange(first, last + 1))


def v_nodes(count: int) -> Array:
    """Return the tabulated normalised frequencies, (V,)."""
    return np.asarray(np.linspace(0.0, 1.0, count) ** V_POWER)


def _grid(range_1: tuple[float, float], range_2: tuple[float, float]) -> tuple[Array, Array, int]:
    """Return the table's c_1 and c_2, and its count of frequencies."""
    one, two = _axis(*range_1, STEP_1_WAVES), _axis(*range_2, STEP_2_WAVES)
    largest = max(abs(one[0]), abs(one[-1]))
    return one, two, int(np.clip(_PER_WAVE * largest, 192, 1536))


def table_bytes(
    range_1: tuple[float, float], range_2: tuple[float, float], third: bool = False
) -> float:
    """Return the memory that `pupil_table` would take; more than `MOST_BYTES` is refused."""
    one, two, count = _grid(range_1, range_2)
    return float(one.size * two.size * count * 4.0 * (2 if third else 1))


def pupil_table(
    range_1: tuple[float, float], range_2: tuple[float, float], third: bool = False
) -> PupilTable:
    """Return the table over ranges of c_1 and c_2 in waves.

    Raises
    ------
    SamplingError
        If it would not fit in memory.
    """
    one, two, count = _grid(range_1, range_2)
    largest = max(abs(one[0]), abs(one[-1]))
    size = table_bytes(range_1, range_2, third)
    if size > MOST_BYTES:
        fitting = (MOST_BYTES / size) ** (1.0 / 3.0)  # three axes grow with the defocus
        raise SamplingError(
            f"defocus of up to {largest:.0f} waves makes a table of transfer functions of "
            f"{size / 1e9:.1f} GB (limit {MOST_BYTES / 1e9:g}). Lower the greatest thickness_um "
            f"of the plate to about {100.0 * fitting:.0f} % of what it is, or take a smaller range "
            "of lens.na or of the plate's focus_um."
        )
    nodes_y = int(12 + 0.5 * np.pi * max(abs(two[0]), abs(two[-1])))
    values = np.zeros((one.size, two.size, count), dtype=np.float32)
    slope = np.zeros(values.shape, dtype=np.float32) if third else None
    v = v_nodes(count)

    def fill(i: int) -> None:
        h, d = _column(v[i], one, two, _nodes_along(v[i], largest), nodes_y, third)
        values[:, :, i] = h
        if slope is not None:
            slope[:, :, i] = d

    share(fill, range(count - 1), _THREADS)  # H = 0 at the cut-off
    return PupilTable(
        low_1=float(one[0]),
        low_2=float(two[0]),
        values=jnp.asarray(values),
        slope=None if slope is None else jnp.asarray(slope),
    )


def _nodes_along(h: float, most_waves: float) -> int:
    """Return the nodes along the shear: A spans 4 h (1 - h); few counts, whose rules are kept."""
    wanted = 24.0 + np.pi * most_waves * 4.0 * h * (1.0 - h)
    return int(_NODES_STEP * np.ceil(wanted / _NODES_STEP))


def _column(
    h: float, one: Array, two: Array, nodes_x: int, nodes_y: int, third: bool
) -> tuple[Array, Array]:
    """Return H and its derivative by c_3 at one frequency, (R, S) each."""
    x_unit, x_weight = _gauss(nodes_x)
    y_unit, y_weight = _gauss(nodes_y)
    top = np.arccos(h)
    t = 0.5 * top * (1.0 + x_unit)
    x = np.cos(t) - h
    y2 = (np.sin(t)[:, None] * 0.5 * (1.0 + y_unit)) ** 2
    weight = (np.sin(t) ** 2 * top * 0.5 * x_weight)[:, None] * 0.5 * y_weight * 4.0 / np.pi
    along = 4.0 * x * h
    spherical = along[:, None] * (2.0 * (x[:, None] ** 2 + y2 + h * h) - 1.0)
    along_phase = _powers(along, one)
    phase = np.exp(2j * np.pi * spherical[..., None] * two)
    inner = np.einsum("xy,xys->xs", weight, phase).astype(np.complex64)
    value = along_phase.real @ inner.real - along_phase.imag @ inner.imag
    if not third:
        return value, value
    plus, minus = ((x[:, None] + s * h) ** 2 + y2 for s in (1.0, -1.0))
    change = _third(plus) - _third(minus)
    inner = np.einsum("xy,xys->xs", weight * change, phase).astype(np.complex64)
    turned = along_phase.real @ inner.imag + along_phase.imag @ inner.real
    return value, -2.0 * np.pi * turned


@lru_cache(maxsize=256)
def _gauss(count: int) -> tuple[Array, Array]:
    """Return Gauss-Legendre nodes and weights; few sets serve every frequency."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


def _powers(along: Array, one: Array) -> NDArray[np.complex64]:
    """Return exp(2 pi i c_1 A) on the equidistant c_1, (R, X), from products of two short sets."""
    fine = np.exp(2j * np.pi * STEP_1_WAVES * np.arange(_FINE)[:, None] * along)
    coarse = np.exp(2j * np.pi * one[::_FINE, None] * along)
    all_of_them = coarse.astype(np.complex64)[:, None] * fine.astype(np.complex64)[None]
    return np.asarray(all_of_them.reshape(-1, along.size)[: one.size])


def _third(r: Array) -> Array:
    """Return P_3(2 r - 1)."""
    return np.asarray(((20.0 * r - 30.0) * r + 12.0) * r - 1.0)


def lagrange(offset: Any, points: int) -> Any:
    """Return weights of equidistant points at an offset from the first, in steps, (..., points)."""
    nodes = np.arange(points)
    rows = []
    for j in range(points):
        others = [k for k in nodes if k != j]
        product = 1.0
        for k in others:
            product = product * (offset - k) / (j - k)
        rows.append(product)
    return jnp.stack(rows, axis=-1)


def stencil(position: Any, size: int, points: int) -> tuple[Any, Any]:
    """Return first index and weights of the points around a position in steps."""
    first = jnp.clip(jnp.floor(position).astype(jnp.int32) - (points // 2 - 1), 0, size - points)
    return first, lagrange(position - first, points)


def frequency_stencil(v: Any, count: int) -> tuple[Any, Any]:
    """Return indices and weights, (F, 6), that take tabulated frequencies to v; 0 from v = 1 on."""
    inside = v < 1.0
    safe = jnp.where(v > 0.0, jnp.where(inside, v, 0.5), 1.0)
    place = jnp.where(v > 0.0, safe ** (1.0 / V_POWER), 0.0) * (count - 1)
    first, weight = stencil(place, count, POINTS_V)
    weight = jnp.where(inside[:, None], weight, 0.0)
    return first[:, None] + jnp.arange(POINTS_V), weight


def transfer(table: PupilTable, c1: Any, c2: Any, c3: Any, at: tuple[Any, Any]) -> Any:
    """Return H at D wavefronts, (D, F).

    Parameters
    ----------
    table : PupilTable
        The table.
    c1, c2, c3 : (D,) array
        Waves, within the table's ranges.
    at : (index, weight)
        From `frequency_stencil`.
    """
    places = (c1 - table.low_1) / STEP_1_WAVES, (c2 - table.low_2) / STEP_2_WAVES
    result = _curves_at(table.values, *places)
    if table.slope is not None:
        result = result + c3[:, None] * _curves_at(table.slope, *places)
    index, weight = at
    total = 0.0
    for j in range(POINTS_V):
        total = total + result[:, index[:, j]] * weight[:, j]
    return total


@jax.custom_jvp  # type: ignore[untyped-decorator]
def _curves_at(values: Any, place_1: Any, place_2: Any) -> Any:
    """Return the table's curves at D places given in steps from its first points, (D, V)."""
    return _summed(values, stencil(place_1, values.shape[0], POINTS_1),
                   stencil(place_2, values.shape[1], POINTS_2))  # fmt: skip


@_curves_at.defjvp  # type: ignore[untyped-decorator]
def _curves_at_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Give the derivatives from those of the weights; the table itself is constant."""
    values, place_1, place_2 = primals
    one = stencil(place_1, values.shape[0], POINTS_1)
    two = stencil(place_2, values.shape[1], POINTS_2)
    slope_1 = (one[0], slopes(place_1 - one[0], POINTS_1))
    slope_2 = (two[0], slopes(place_2 - two[0], POINTS_2))
    tangent = _summed(values, slope_1, two) * tangents[1][:, None]
    tangent = tangent + _summed(values, one, slope_2) * tangents[2][:, None]
    return _summed(values, one, two), tangent


def _summed(values: Any, one: tuple[Any, Any], two: tuple[Any, Any]) -> Any:
    """Return sums over both stencils; a loop, so that XLA reads each row once and keeps none."""
    (first_1, weight_1), (first_2, weight_2) = one, two
    width = values.shape[1]
    flat = values.reshape(-1, values.shape[2])

    def add(a: Any, total: Any) -> Any:
        for b in range(POINTS_2):
            row = flat[(first_1 + a) * width + first_2 + b]
            total = total + (weight_1[:, a] * weight_2[:, b])[:, None] * row
        return total

    start = jnp.zeros((first_1.shape[0], values.shape[2]))
    return jax.lax.fori_loop(0, POINTS_1, add, start)


def slopes(offset: Any, points: int) -> Any:
    """Return the derivatives of `lagrange` by the offset, (..., points)."""
    return jax.jvp(lambda x: lagrange(x, points), (offset,), (jnp.ones_like(offset),))[1]
