"""Smooth tables that keep bounds: Schoenberg's variation-diminishing spline.

Values f(xi_i) at the Greville points xi_i become the coefficients of a clamped cubic B-spline
(Schoenberg 1967; de Boor 2001, A Practical Guide to Splines, ch. XI): a weighted mean of
neighbouring values with weights that are positive and sum to 1. So the blend is twice continuously
differentiable, never leaves the range of the values, is monotone where they are, keeps inequalities
between tables (convex ones too: mean of squares >= square of mean), reproduces straight lines and
averages the noise of the values. Its error on a smooth function is h^2 f'' / 6, h the spacing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _knots(count: int) -> Array:
    inner = np.linspace(0.0, 1.0, count - 2)
    return np.concatenate([[0.0] * 3, inner, [1.0] * 3])


def greville_points(count: int) -> Array:
    """Return the points in [0, 1] at which ``count`` values are to be given."""
    knots = _knots(count)
    return np.asarray((knots[1:-3] + knots[2:-2] + knots[3:-1]) / 3.0)


def blend_weights(u: Array, count: int) -> tuple[NDArray[np.intp], Array]:
    """Return the first of four neighbouring values and their weights.

    Parameters
    ----------
    u : array
        Coordinates, 0 to 1.
    count : int
        Values along the axis.

    Returns
    -------
    first : array of int, shape of ``u``
    weight : (..., 4) array
        Positive, sum 1.
    """
    knots = _knots(count)
    first = np.minimum((u * (count - 3)).astype(np.intp), count - 4)
    basis = [np.ones_like(u)]
    for degree in range(1, 4):
        grown = [np.zeros_like(u) for _ in range(degree + 1)]
        for i in range(degree):
            low, high = knots[first + 4 + i - degree], knots[first + 4 + i]
            part = (u - low) / (high - low)
            grown[i] += (1.0 - part) * basis[i]
            grown[i + 1] += part * basis[i]
        basis = grown
    return first, np.stack(basis, axis=-1)
