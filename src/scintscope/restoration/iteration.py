"""Multiplicative updates, Richardson-Lucy's and its relatives', at the price of their transforms.

x <- x * A'(w d / Ax) / A'w / q(x), with A the blur, A' its adjoint, d the data, w their weight and
q a divisor such as total variation's. Four real transforms an iteration; everything between them is
done on the tiles of `scintscope.tiled_fft`, so no array but the unknown, the data and the rows'
transforms passes through memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scintscope.restoration.momentum import Momentum
from scintscope.tiled_fft import Spectrum, TiledFilter

Image = NDArray[np.floating[Any]]
Divisor = Callable[[Any], Any]
"""q of an estimate; equal ones compare equal, so that JAX compiles a step with one once."""

TINY = 1e-12
CHANGE_OF_NOTHING = 1e-30


@dataclass(slots=True)
class Iterated:
    """Where an iteration got.

    Parameters
    ----------
    estimate : array
        The last finite estimate.
    history : list of float
        I-divergence of the data from the model the estimate entering each iteration gives (where
        it is extrapolated: the extrapolated estimate), mean over the weight.
    change : list of float
        Norm of each iteration's change over the norm of its estimate.
    converged : bool
        The last change was below the tolerance.
    broken : bool
        The next estimate was not finite: a model of zero where there is signal.
    """

    estimate: Image
    history: list[float] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    converged: bool = False
    broken: bool = False


class MultiplicativeIteration:
    """One data set under iteration, its buffers made once.

    Parameters
    ----------
    blur : TiledFilter
        A, from the unknown to the data.
    data : array, >= 0
        In the blur's target shape and precision.
    weight : array or None
        Of the data; None is one everywhere.
    inverse_view : array or None
        1 / A'w; zero where the unknown is to stay as it is. None divides by nothing.
    divisor : callable or None
        q of an estimate.
    accelerate : bool
        Extrapolate between iterations (`momentum`).
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
        self.blur = blur.pack()
        self.data = data
        self.weight = weight
        self.inverse_view = inverse_view
        self.unseen = None if inverse_view is None else inverse_view == 0.0
        self.dark = float(data.min()) < TINY
        self.divisor = divisor
        self.accelerate = accelerate
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
        """Iterate from a first estimate, which is overwritten.

        Parameters
        ----------
        first : array, >= 0
            In the blur's source shape and precision.
        iterations : int
        tolerance : float
            Stop once the change is smaller; 0 never does.
        progress : callable or None
            Called with the share done after each iteration.
        observe : callable or None
            Called with the number of iterations done and the estimate, which it must copy to keep.
        """
        result = Iterated(first)
        spare = np.empty_like(first)
        momentum = Momentum(first) if self.accelerate else None
        spectrum = self.blur.workspace()
        for index in range(iterations):
            if momentum is not None or index == 0:
                self._start(spectrum, result.estimate, spare, momentum)
            start = result.estimate if momentum is None else momentum.point
            self.blur.forward(spectrum)
            result.history.append(self._ratio(spectrum))
            self.blur.adjoint(spectrum)
            size, moved = self._update(spectrum, start, result.estimate, spare, momentum)
            if not np.isfinite(size):
                result.broken = True
                break
            result.change.append(float(np.sqrt(moved / max(size, CHANGE_OF_NOTHING))))
            result.estimate, spare = spare, result.estimate
            if progress is not None:
                progress((index + 1) / iterations)
            if observe is not None:
                observe(index + 1, result.estimate)
            if result.change[-1] < tolerance:
                result.converged = True
                break
        return result

    def _start(
        self, spectrum: Spectrum, estimate: Image, previous: Image, momentum: Momentum | None
    ) -> None:
        """Transform the rows of where the iteration starts."""

        def give(first: int, last: int, tile: Image) -> None:
            if momentum is None:
                tile[...] = estimate[first:last]
            else:
                tile[...] = momentum.start(first, last, estimate, previous)

        self.blur.rows(spectrum, self.blur.source, give, read=False)

    def _ratio(self, spectrum: Spectrum) -> float:
        """Turn the model into w d / model, row by row; return the model's misfit."""
        floor = self.data.dtype.type(TINY)

        def turn(first: int, last: int, tile: Image) -> float:
            data = self.data[first:last]
            np.maximum(tile, floor, out=tile)
            excess = tile - data
            np.divide(data, tile, out=tile)
            misfit = np.log(np.maximum(tile, floor) if self.dark else tile)
            misfit *= data
            misfit += excess
            if self.weight is not None:
                misfit *= self.weight[first:last]
                tile *= self.weight[first:last]
            return float(misfit.sum())

        parts: list[float] = self.blur.rows(spectrum, self.blur.target, turn)
        return sum(parts) / self._pixels

    def _update(
        self,
        spectrum: Spectrum,
        start: Image,
        estimate: Image,
        update: Image,
        momentum: Momentum | None,
    ) -> tuple[float, float]:
        """Fill ``update``; return its squared norm and that of its change from ``estimate``.

        Without momentum the next iteration starts from it, and its rows are transformed at once.
        """
        divisor = None if self.divisor is None else self.divisor(start)

        def take(first: int, last: int, tile: Image) -> tuple[float, float, float, float]:
            np.maximum(tile, 0.0, out=tile)
            if self.inverse_view is not None and self.unseen is not None:
                tile *= self.inverse_view[first:last]
            if divisor is not None:
                tile /= divisor[first:last]
            if self.unseen is not None:
                np.copyto(tile, 1.0, where=self.unseen[first:last])
            tile *= start[first:last]
            steps = (0.0, 0.0) if momentum is None else momentum.observe(first, last, tile)
            moved = tile - estimate[first:last]
            update[first:last] = tile
            return _squares(tile), _squares(moved), *steps

        parts = self.blur.rows(spectrum, self.blur.source, take, write=momentum is None)
        size, moved, mixed, newer = (sum(column) for column in zip(*parts, strict=True))
        if momentum is not None:
            momentum.conclude(mixed, newer)
        return size, moved


def _squares(values: Image) -> float:
    """Return the sum of the squares, in one pass."""
    return float(np.einsum("ij,ij->", values, values))


class Iteration(Protocol):
    """What iterates: on tiles (`MultiplicativeIteration`) or on JAX's device (`JaxIteration`)."""

    def run(
        self,
        first: Image,
        iterations: int,
        *,
        tolerance: float = 0.0,
        progress: Callable[[float], None] | None = None,
        observe: Callable[[int, Image], None] | None = None,
    ) -> Iterated:
        """Iterate from a first estimate, which may be overwritten."""


def iteration(
    engine: str,
    blur: TiledFilter,
    data: Image,
    *,
    weight: Image | None = None,
    inverse_view: Image | None = None,
    divisor: Divisor | None = None,
    accelerate: bool = False,
) -> Iteration:
    """Return the iteration of an engine, ``scipy`` or ``jax``; see `MultiplicativeIteration`."""
    made: Callable[..., Iteration] = MultiplicativeIteration
    if engine == "jax":
        from scintscope.restoration.jax_iteration import JaxIteration

        made = JaxIteration
    return made(
        blur,
        data,
        weight=weight,
        inverse_view=inverse_view,
        divisor=divisor,
        accelerate=accelerate,
    )
