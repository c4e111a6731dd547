"""jax.numpy in double precision: import ``jnp`` and ``jax`` from here, nowhere else.

Transfer functions and everything read off them are computed in float64; JAX's default is
float32, so the switch must be thrown before the first array is made. JAX is loaded when ``jax`` or
``jnp`` is first asked for: what works on plain numbers never waits for it. The
threads of its pool on processors are fixed then (`scintscope.threads`): results depend on them.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from scintscope.threads import fix_jax_threads

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp

__all__ = ["jax", "jnp", "namespace"]


def __getattr__(name: str) -> Any:
    """Return ``jax`` or ``jnp``, loaded, its threads fixed, set to double precision."""
    if name not in ("jax", "jnp"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    fix_jax_threads()
    module = importlib.import_module("jax")
    module.config.update("jax_enable_x64", True)
    globals().update(jax=module, jnp=importlib.import_module("jax.numpy"))
    return globals()[name]


def namespace(*values: Any) -> ModuleType:
    """Return jax.numpy if any value is a JAX array (or is being traced), else numpy.

    One implementation of an equation then serves both: plain numbers are not compiled.
    """
    loaded = sys.modules.get("jax")
    array = getattr(loaded, "Array", None)  # absent while JAX itself is being imported
    if array is not None and any(isinstance(value, array) for value in values):
        return importlib.import_module("jax.numpy")
    return np
