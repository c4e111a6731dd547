"""jax.numpy in double precision: import ``jnp`` and ``jax`` from here, nowhere else.

Transfer functions and everything read off them are computed in float64; JAX's default is
float32, so the switch must be thrown before the first array is made. The threads of its pool on
processors are fixed here too (`scintscope.threads`), as results depend on them.
"""

from types import ModuleType
from typing import Any

import jax
import numpy as np

from scintscope.threads import fix_jax_threads

fix_jax_threads()
jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402

__all__ = ["jax", "jnp", "namespace"]


def namespace(*values: Any) -> ModuleType:
    """Return jax.numpy if any value is a JAX array (or is being traced), else numpy.

    One implementation of an equation then serves both: plain numbers are not compiled.
    """
    return jnp if any(isinstance(value, jax.Array) for value in values) else np
