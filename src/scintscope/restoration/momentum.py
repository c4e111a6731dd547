"""Extrapolation between Richardson-Lucy iterations.

Biggs and Andrews 1997, Appl. Opt. 36, 1766: the next iteration starts from
y = x_k + a (x_k - x_{k-1}), with a = sum(g_k g_{k-1}) / sum(g_{k-1}^2) in [0, 1] and g the steps of
the last two iterations. It costs no transform. MATLAB's ``deconvlucy`` does the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]


class Momentum:
    """Memory of the last two iterations, worked on tile by tile.

    Parameters
    ----------
    like : array
        Shape and type of the estimate.
    """

    def __init__(self, like: Image) -> None:
        self.point = np.empty_like(like)
        self.factor = 0.0
        self._step = np.empty_like(like)
        self._older = 0.0
        self._iterations = 0

    def start(self, first: int, last: int, estimate: Image, previous: Image) -> Image:
        """Return rows ``first`` to ``last`` of where the next iteration starts; never negative."""
        point = self.point[first:last]
        if self.factor == 0.0:
            point[...] = estimate[first:last]
            return point
        np.subtract(estimate[first:last], previous[first:last], out=point)
        point *= point.dtype.type(self.factor)
        point += estimate[first:last]
        return np.maximum(point, 0.0, out=point)

    def observe(self, first: int, last: int, update: Image) -> tuple[float, float]:
        """Remember a tile of the step just taken; return its products with the last and itself."""
        step = self._step[first:last]
        taken = update - self.point[first:last]
        mixed = float((taken * step).sum()) if self._iterations else 0.0
        step[...] = taken
        return mixed, float((taken * taken).sum())

    def conclude(self, mixed: float, newer: float) -> None:
        """Set the factor of the next iteration from the products summed over all tiles."""
        if self._iterations and self._older > 0.0:
            self.factor = min(max(mixed / self._older, 0.0), 1.0)
        self._older = newer
        self._iterations += 1
