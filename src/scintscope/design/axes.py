"""Axes of a study's tables, and interpolation along them that JAX can differentiate.

Chebyshev points of the first kind and Lagrange's polynomial through them: for functions as smooth
as those here the error falls geometrically with the number of points (Trefethen 2013, Approximation
Theory and Approximation Practice, chapter 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.jax64 import jnp

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Range of one numeric key of a scenario.

    Parameters
    ----------
    key : str
        Such as ``thick.thickness_um``.
    low, high : float
        Ends of the range, low < high.
    """

    key: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        """Geometric mean of a range of positive ends, else the arithmetic one."""
        if self.low > 0.0:
            return float(np.sqrt(self.low * self.high))
        return 0.5 * (self.low + self.high)


@dataclass(frozen=True, kw_only=True, slots=True)
class Nodes:
    """Chebyshev points on one axis.

    Parameters
    ----------
    key : str
        The axis.
    low, high : float
        Its ends.
    count : int
        Points.
    log : bool
        Whether the coordinate is the logarithm.
    """

    key: str
    low: float
    high: float
    count: int
    log: bool = False

    def _coordinate(self, value: Any, xp: Any) -> Any:
        if self.log:
            return (xp.log(value) - np.log(self.low)) / np.log(self.high / self.low) * 2.0 - 1.0
        return (value - self.low) / (self.high - self.low) * 2.0 - 1.0

    @property
    def _unit(self) -> Array:
        return np.asarray(-np.cos(np.pi * (np.arange(self.count) + 0.5) / self.count))

    @property
    def values(self) -> Array:
        """Values of the key at the points, ascending, (K,)."""
        share = 0.5 * (1.0 + self._unit)
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** share)
        return np.asarray(self.low + (self.high - self.low) * share)

    def weights(self, value: Any) -> Any:
        """Return the weights of the points at a value of the key, (K,)."""
        unit = self._unit
        difference = self._coordinate(value, jnp) - unit
        spread = unit[:, None] - unit[None, :] + np.eye(self.count)
        # product over m != j of (x - x_m) / (x_j - x_m), without a division by x - x_j
        factors = jnp.where(np.eye(self.count) > 0, 1.0, difference[None, :] / spread)
        return jnp.prod(factors, axis=1)


def node_axis(axis: Axis, count: int, log: bool = False) -> Nodes:
    """Return Chebyshev points on an axis."""
    return Nodes(key=axis.key, low=axis.low, high=axis.high, count=count, log=log)


def contracted(array: Any, nodes: tuple[Nodes, ...], values: Mapping[str, Any]) -> Any:
    """Return an array, whose leading axes are points, at given values of their keys."""
    for axis in nodes:
        array = jnp.tensordot(axis.weights(values[axis.key]), array, axes=1)
    return array
