"""The divisor that total variation adds to a Richardson-Lucy step (Dey et al. 2006, eq. 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scintscope.restoration.iteration import TINY

SMALLEST_DIVISOR = 0.1


@dataclass(frozen=True, slots=True)
class TotalVariation:
    """1 - weight * div(grad u / abs(grad u)) of an estimate u, kept away from zero.

    Parameters
    ----------
    weight : float
        Dimensionless, > 0.
    """

    weight: float

    def __call__(self, estimate: Any) -> Any:
        """Return the divisor, (M, N), of an estimate in NumPy or JAX.

        Forward differences for the gradient, backward for the divergence (minus its adjoint); the
        modulus is smoothed by 8 ``weight`` of the image's mean, at least a thousandth: less, and a
        checkerboard would grow on flat ground (its divergence is 8 u over the smoothing, and one
        iteration must change it by less than 2 u).
        """
        xp: Any = np
        if not isinstance(estimate, np.ndarray):
            from scintscope.jax64 import jnp

            xp = jnp
        share = max(1e-3, 8.0 * self.weight)
        smooth = (share * estimate.mean(dtype=np.float64) + TINY) ** 2
        down = xp.diff(estimate, axis=0, append=estimate[-1:])
        right = xp.diff(estimate, axis=1, append=estimate[:, -1:])
        size = xp.sqrt(down * down + right * right + smooth.astype(estimate.dtype))
        down, right = down / size, right / size
        divergence = down + right
        divergence = divergence - xp.pad(down[:-1], ((1, 0), (0, 0)))
        divergence = divergence - xp.pad(right[:, :-1], ((0, 0), (1, 0)))
        return xp.maximum(1.0 - self.weight * divergence, SMALLEST_DIVISOR).astype(estimate.dtype)
