"""The SHA-256 of a sample: over its decoded arrays and its parameters, never over files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.dataset.study import plain_infinite


def sample_hash(arrays: Mapping[str, NDArray[Any]], parameters: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a sample, as 64 hexadecimal digits.

    Parameters
    ----------
    arrays : dict of str to array
        Each counts with its name, little-endian dtype, shape and bytes in C order; in the order of
        their names.
    parameters : dict
        What was drawn, plain values; as JSON with sorted keys and shortest exact floats.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        little = array.dtype.newbyteorder("<")
        array = np.ascontiguousarray(array, dtype=little)
        digest.update(f"{name}\0{array.dtype.str}\0{list(array.shape)}\0".encode())
        digest.update(array.data)
    digest.update(parameter_text(parameters).encode())
    return digest.hexdigest()


def parameter_text(parameters: Mapping[str, Any]) -> str:
    """Return parameters as one canonical line of JSON."""
    return json.dumps(
        plain_infinite(parameters), sort_keys=True, separators=(",", ":"), allow_nan=False
    )
