"""jax.numpy in double precision: import ``jnp`` and ``jax`` from here, nowhere else.

Transfer functions and everything read off them are computed in float64; JAX's default is
float32, so the switch must be thrown before the first array is made.
"""

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402

__all__ = ["jax", "jnp"]
