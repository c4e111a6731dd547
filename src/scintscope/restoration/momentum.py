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
    """Memory of the last two iterations.

    Parameters
    ----------
    enabled : bool
        False makes `predict` return the estimate itself.
    """

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self._previous: Image | None = None
        self._steps: list[Image] = []

    def predict(self, estimate: Image) -> Image:
        """Return where the next iteration starts; never negative."""
        if self._previous is None or len(self._steps) < 2:
            return estimate
        older, newer = self._steps
        size = float(np.vdot(older, older))
        factor = min(max(float(np.vdot(newer, older)) / size, 0.0), 1.0) if size > 0 else 0.0
        moved = estimate + estimate.dtype.type(factor) * (estimate - self._previous)
        return np.asarray(np.maximum(moved, 0.0))

    def record(self, estimate: Image, point: Image, update: Image) -> None:
        """Remember an iteration that went from ``point`` (made of ``estimate``) to ``update``."""
        if not self.enabled:
            return
        self._previous = estimate
        self._steps = [*self._steps[-1:], update - point]
