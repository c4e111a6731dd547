"""The multiplicative iteration of `scintscope.restoration.iteration` in JAX: processor or GPU.

The same updates, the same momentum, the same record; whole arrays instead of tiles, on the device
JAX was given, with transforms of JAX. Everything lives on the transforms' periodic grid, zero
outside its window, so that nothing is padded or cut between transforms. On processors XLA runs a
transform on all its threads only where it is a compiled step of its own; with anything beside it,
or inside a compiled loop (``lax.scan``), on one. So each transform is a step, and what lies between
them is another, which reuses the memory it is given. Estimates agree with the tiles' to float32
rounding, not to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.jax64 import jax, jnp
from scintscope.restoration.iteration import CHANGE_OF_NOTHING, TINY, Divisor, Iterated
from scintscope.tiled_fft import TiledFilter, Window

Image = NDArray[np.floating[Any]]
Array = Any
"""An array on JAX's device."""

OUTSIDE = -1.0
"""Stands in the data's grid where there is no data, which are never negative."""


class JaxIteration:
    """One data set under iteration on JAX's device.

    Parameters
    ----------
    blur : TiledFilter
        A, from the unknown to the data.
    data : array, >= 0
        In the blur's target shape and precision.
    weight, inverse_view, divisor, accelerate
        As `scintscope.restoration.iteration.MultiplicativeIteration` has them.
    """

    def __init__(
        self,
        blur: TiledFilter,
        data: Image,
        *,
        weight: Image | None = None,
        inverse_view: Image | None = None,
        divisor: Divisor | None = None,
        accelerate: bool = False,
    ) -> None:
        self._grid, self._source = blur.grid_shape, blur.source
        self._otf = jnp.asarray(blur.otf)
        self._data = _on_grid(data, blur.target, blur.grid_shape, OUTSIDE)
        self._weight = None if weight is None else _on_grid(weight, blur.target, blur.grid_shape)
        self._inverse_view = (
            None if inverse_view is None else _on_grid(inverse_view, blur.source, blur.grid_shape)
        )
        self._divisor = divisor
        self._accelerate = accelerate
        pixels = data.size if weight is None else float(weight.sum(dtype=np.float64))
        self._pixels = float(pixels)

    def run(
        self,
        first: Image,
        iterations: int,
        *,
        tolerance: float = 0.0,
        progress: Callable[[float], None] | None = None,
        observe: Callable[[int, Image], None] | None = None,
    ) -> Iterated:
        """Iterate from a first estimate; see `MultiplicativeIteration.run`."""
        estimate = _on_grid(first, self._source, self._grid)
        point = estimate
        memory = (jnp.zeros_like(estimate), jnp.zeros(())) if self._accelerate else None
        record = Iterated(first)
        for index in range(iterations):
            model = _back(_times(_forward(point), self._otf), self._grid)
            ratio, misfit = _ratio(model, self._data, self._weight)
            correction = _back(_times_conjugate(_forward(ratio), self._otf), self._grid)
            quotient = None
            if self._divisor is not None:
                quotient = _divisor_on_grid(point, self._divisor, self._source, self._grid)
            update = _updated(correction, point, self._inverse_view, quotient)
            point, memory, norms = _continued(update, estimate, point, memory)
            size, moved = (float(v) for v in norms)
            record.history.append(float(_total(misfit)) / self._pixels)
            if not np.isfinite(size):
                record.broken = True
                break
            record.change.append(float(np.sqrt(moved / max(size, CHANGE_OF_NOTHING))))
            estimate = update
            if progress is not None:
                progress((index + 1) / iterations)
            if observe is not None:
                observe(index + 1, _window(estimate, self._source))
            if record.change[-1] < tolerance:
                record.converged = True
                break
        record.estimate = _window(estimate, self._source)
        return record


def _on_grid(item: Image, window: Window, grid: tuple[int, int], outside: float = 0.0) -> Array:
    """Return a grid that holds the item in a window and one value elsewhere."""
    rows, columns = window.shape
    full = np.full(grid, outside, dtype=item.dtype)
    full[:rows, :columns] = item
    return jnp.asarray(np.roll(full, window.start, axis=(0, 1)))


def _window(grid: Array, window: Window) -> Image:
    """Return a window's values, a copy; it may reach over the grid's end."""
    rows, columns = window.shape
    full = np.asarray(grid)
    if any(window.start):
        full = np.roll(full, [-s for s in window.start], axis=(0, 1))
    return np.array(full[:rows, :columns])


_forward = jax.jit(jnp.fft.rfft2)


@partial(jax.jit, static_argnames="grid")
def _back(spectrum: Array, grid: tuple[int, int]) -> Array:
    return jnp.fft.irfft2(spectrum, s=grid)


@partial(jax.jit, donate_argnums=0)
def _times(spectrum: Array, otf: Array) -> Array:
    return spectrum * otf


@partial(jax.jit, donate_argnums=0)
def _times_conjugate(spectrum: Array, otf: Array) -> Array:
    return spectrum * jnp.conj(otf)


@partial(jax.jit, donate_argnums=0)
def _ratio(model: Array, data: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return w d / model and the model's misfit, w (d log(d / m) - d + m); zero outside the data.

    Summed by a step of its own: in one with its sum XLA takes the logarithms one by one.
    """
    model = jnp.maximum(model, TINY)
    ratio = data / model
    misfit = data * jnp.log(jnp.maximum(ratio, TINY)) - data + model
    if weight is not None:
        misfit, ratio = misfit * weight, ratio * weight
    inside = data != OUTSIDE
    return jnp.where(inside, ratio, 0.0), jnp.where(inside, misfit, 0.0)


@partial(jax.jit)
def _total(values: Array) -> Array:
    return _sum(values)


def _sum(values: Array) -> Array:
    """Return the sum, of columns in their own precision, of columns' sums in double.

    Down the columns a sum has as many accumulators as there are columns: vectors of them.
    """
    return values.sum(axis=0).sum(dtype=jnp.float64)


@partial(jax.jit, static_argnames=("divisor", "window", "grid"))
def _divisor_on_grid(
    point: Array, divisor: Divisor, window: Window, grid: tuple[int, int]
) -> Array:
    """Return the divisor of what a window holds, one elsewhere."""
    rows, columns = window.shape
    start = [-s for s in window.start]
    inside = divisor(jnp.roll(point, start, axis=(0, 1))[:rows, :columns])
    around = [(0, n - m) for n, m in zip(grid, window.shape, strict=True)]
    padded = jnp.pad(inside, around, constant_values=1.0)
    return jnp.roll(padded, window.start, axis=(0, 1))


@partial(jax.jit, donate_argnums=0)
def _updated(
    correction: Array, point: Array, inverse_view: Array | None, quotient: Array | None
) -> Array:
    """Return the next estimate."""
    factor = jnp.maximum(correction, 0.0)
    if inverse_view is not None:
        factor = factor * inverse_view
    if quotient is not None:
        factor = factor / quotient
    if inverse_view is not None:
        factor = jnp.where(inverse_view == 0.0, 1.0, factor)
    return factor * point


@partial(jax.jit)
def _continued(
    update: Array, estimate: Array, point: Array, memory: tuple[Array, Array] | None
) -> tuple[Array, tuple[Array, Array] | None, tuple[Array, Array]]:
    """Return where the next iteration starts, its memory, and squared norms of estimate and change.

    The memory is the last step and its squared norm, as in `scintscope.restoration.momentum`.
    """
    moved = update - estimate
    norms = (_squares(update), _squares(moved))
    if memory is None:
        return update, None, norms
    step, older = memory
    taken = update - point
    mixed = _sum(taken * step)
    share = jnp.where(older > 0.0, jnp.clip(mixed / jnp.where(older > 0.0, older, 1.0), 0, 1), 0)
    ahead = jnp.maximum(update + share.astype(update.dtype) * moved, 0.0)
    return ahead, (taken, _squares(taken)), norms


def _squares(values: Array) -> Array:
    return _sum(values * values)
