"""The multiplicative iteration of `scintscope.restoration.iteration` in JAX: processor or GPU.

The same updates, the same momentum, the same record; whole arrays instead of tiles, on the device
JAX was given, with transforms of JAX. A loop of compiled steps, not one compiled loop
(``lax.scan``), in which JAX's transforms run at half their speed on processors. Estimates agree
with the tiles' to float32 rounding, not to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scintscope.jax64 import jax, jnp
from scintscope.restoration.iteration import CHANGE_OF_NOTHING, TINY, Divisor, Iterated
from scintscope.tiled_fft import TiledFilter, Window

Image = NDArray[np.floating[Any]]
Array = Any
"""An array on JAX's device."""


class _Path(NamedTuple):
    """From where to where a filter leads on its periodic grid; known when a step is compiled."""

    grid: tuple[int, int]
    start: Window
    end: Window
    adjoint: bool


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
        self._there = _Path(blur.grid_shape, blur.source, blur.target, adjoint=False)
        self._back = _Path(blur.grid_shape, blur.target, blur.source, adjoint=True)
        self._otf, self._data = jnp.asarray(blur.otf), jnp.asarray(data)
        self._weight = None if weight is None else jnp.asarray(weight)
        self._inverse_view = None if inverse_view is None else jnp.asarray(inverse_view)
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
        estimate = jnp.asarray(first)
        point = estimate
        memory = (jnp.zeros_like(estimate), jnp.zeros(())) if self._accelerate else None
        record = Iterated(first)
        for index in range(iterations):
            model = _filtered(point, self._otf, self._there)
            ratio, misfit = _ratio(model, self._data, self._weight)
            correction = _filtered(ratio, self._otf, self._back)
            update, point, memory, norms = _updated(
                correction, estimate, point, self._inverse_view, memory, self._divisor
            )
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
                observe(index + 1, np.array(estimate))
            if record.change[-1] < tolerance:
                record.converged = True
                break
        record.estimate = np.array(estimate)
        return record


@partial(jax.jit, static_argnames="path")
def _filtered(item: Array, otf: Array, path: _Path) -> Array:
    """Return what one window of the grid receives from another through the transfer function."""
    spectrum = jnp.fft.rfft2(_placed(item, path.start, path.grid))
    spectrum = spectrum * (jnp.conj(otf) if path.adjoint else otf)
    return _cut(jnp.fft.irfft2(spectrum, s=path.grid), path.end)


def _placed(item: Array, window: Window, grid: tuple[int, int]) -> Array:
    """Return a grid that holds the item in a window and zeros elsewhere."""
    padded = jnp.pad(item, [(0, n - m) for n, m in zip(grid, item.shape, strict=True)])
    return padded if window.start == (0, 0) else jnp.roll(padded, window.start, axis=(0, 1))


def _cut(grid: Array, window: Window) -> Array:
    """Return a window's values; it may reach over the grid's end."""
    rows, columns = window.shape
    inside = all(
        s >= 0 and s + n <= m
        for s, n, m in zip(window.start, window.shape, grid.shape, strict=True)
    )
    if not inside:
        grid = jnp.roll(grid, [-s for s in window.start], axis=(0, 1))
        return grid[:rows, :columns]
    return grid[window.start[0] :, window.start[1] :][:rows, :columns]


@partial(jax.jit)
def _ratio(model: Array, data: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return w d / model and the model's misfit, w (d log(d / m) - d + m).

    Summed by a step of its own: in one with its sum XLA takes the logarithms one by one.
    """
    model = jnp.maximum(model, TINY)
    ratio = data / model
    misfit = data * jnp.log(jnp.maximum(ratio, TINY)) - data + model
    if weight is not None:
        misfit, ratio = misfit * weight, ratio * weight
    return ratio, misfit


@partial(jax.jit)
def _total(values: Array) -> Array:
    return _sum(values)


def _sum(values: Array) -> Array:
    """Return the sum, of rows in their own precision, of rows' sums in double."""
    return values.sum(axis=1).sum(dtype=jnp.float64)


@partial(jax.jit, static_argnames="divisor")
def _updated(
    correction: Array,
    estimate: Array,
    point: Array,
    inverse_view: Array | None,
    memory: tuple[Array, Array] | None,
    divisor: Divisor | None,
) -> tuple[Array, Array, tuple[Array, Array] | None, tuple[Array, Array]]:
    """Return the next estimate, where the next iteration starts, its memory, squared norms.

    The memory is the last step and its squared norm, as in `scintscope.restoration.momentum`.
    """
    factor = jnp.maximum(correction, 0.0)
    if inverse_view is not None:
        factor = factor * inverse_view
    if divisor is not None:
        factor = factor / divisor(point)
    if inverse_view is not None:
        factor = jnp.where(inverse_view == 0.0, 1.0, factor)
    update = factor * point
    moved = update - estimate
    norms = (_squares(update), _squares(moved))
    if memory is None:
        return update, update, None, norms
    step, older = memory
    taken = update - point
    mixed = _sum(taken * step)
    share = jnp.where(older > 0.0, jnp.clip(mixed / jnp.where(older > 0.0, older, 1.0), 0, 1), 0)
    ahead = jnp.maximum(update + share.astype(update.dtype) * moved, 0.0)
    return update, ahead, (taken, _squares(taken)), norms


def _squares(values: Array) -> Array:
    return _sum(values * values)
