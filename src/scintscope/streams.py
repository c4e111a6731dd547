"""Random streams by name: one seed, and every use of chance has a stream of its own."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random stream of a seed and a path of names.

    The same seed and names give the same numbers, whatever other streams are drawn, in whatever
    order and on however many workers.
    """
    key = tuple(zlib.crc32(name.encode()) for name in names)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))
