"""Poisson numbers on large grids, fast and the same on any number of threads.

An array is cut into `BLOCKS` pieces, always as many, and each piece has a random stream of its
own. Threads only decide who works on which piece, so the bits never depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from scintscope.camera.alias import LARGEST_TOP, AliasTables, alias_tables
from scintscope.errors import DataError, InputError, check_range
from scintscope.sharing import share
from scintscope.threads import POOL_THREADS

BLOCKS = 8
"""Pieces an array is cut into; part of what fixes the random bits, so never a user's choice."""

CHUNK = 1 << 16
"""Elements worked on at a time inside a piece: 0.5 MB of float64 stays in the cache."""

MAX_MEAN = 2.0e9
"""Largest mean: a draw 5 sigma above it, 2.0002e9, still fits 32-bit integers (2.147e9)."""

SMALLEST_TABLED = 1 << 17
"""Arrays below this are drawn by numpy: tables would cost more than they save."""

SEED_WORDS = 4
"""32-bit words drawn to seed the children: 128 bits, numpy's own default entropy."""


def child_streams(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """Return independent child generators.

    Unlike ``Generator.spawn``, whose children depend on a counter beside the generator's state,
    two generators in the same state give the same children here.

    Parameters
    ----------
    rng : numpy.random.Generator
        Parent; four words are drawn from it.
    count : int
        How many children.

    Returns
    -------
    list of numpy.random.Generator
        Generators on SFC64, the fastest of numpy's bit generators.
    """
    words = rng.integers(0, 2**32, size=SEED_WORDS, dtype=np.uint32)
    children = np.random.SeedSequence(words.tolist()).spawn(count)
    return [np.random.Generator(np.random.SFC64(child)) for child in children]


def run_blocks(length: int, work: Callable[[int, int, int], None], threads: int) -> None:
    """Call ``work(block, start, stop)`` for each of `BLOCKS` even pieces of ``range(length)``.

    Parameters
    ----------
    length : int
        Elements (or rows) to cut.
    work : callable
        Fills its own piece of a shared output.
    threads : int
        Pieces worked on at the same time, at least 1.

    Raises
    ------
    RangeError
        If ``threads`` is less than 1.
    """
    check_range("threads", threads, low=1)
    edges = [length * block // BLOCKS for block in range(BLOCKS + 1)]
    pieces = [(block, edges[block], edges[block + 1]) for block in range(BLOCKS)]
    share(lambda piece: work(*piece), pieces, threads)


def check_means(name: str, mean: npt.NDArray[Any], unit: str = "") -> None:
    """Raise `DataError` unless every mean is a real number from 0 to `MAX_MEAN`.

    Parameters
    ----------
    name : str
        What the array is called in the message.
    mean : array
        Poisson means, any shape.
    unit : str
        Unit for the message.

    Raises
    ------
    DataError
        On an empty or non-numeric array, NaN, infinity, a negative or a too large mean.
    """
    if mean.size == 0:
        raise DataError(f"{name} is empty (shape {mean.shape}): give at least one mean.")
    if mean.dtype.kind not in "fiu":
        raise DataError(f"{name} has dtype {mean.dtype}: give real numbers.")
    low, high = float(mean.min()), float(mean.max())
    if np.isnan(low):
        raise DataError(f"{name} holds {int(np.isnan(mean).sum())} NaN: give finite means >= 0.")
    if low < 0.0:
        raise DataError(
            f"{name} goes down to {low:g} {unit}".rstrip() + ": a Poisson mean is never negative; "
            "subtract nothing before the noise is drawn."
        )
    if high > MAX_MEAN:
        raise DataError(
            f"{name} goes up to {high:g} {unit}".rstrip()
            + f": the largest allowed mean is {MAX_MEAN:g}; check the units or the exposure."
        )


def parallel_poisson(
    mean: npt.ArrayLike,
    rng: np.random.Generator,
    threads: int = POOL_THREADS,
    *,
    dtype: npt.DTypeLike = np.int32,
) -> npt.NDArray[Any]:
    """Draw independent Poisson numbers, one per mean.

    Parameters
    ----------
    mean : array of any shape, float32 or float64
        Expected counts, finite and >= 0. Never changed. float32 means are used exactly as they
        are.
    rng : numpy.random.Generator
        Four words are drawn from it to seed the pieces.
    threads : int
        Threads; the result does not depend on it.
    dtype : {int32, int64, float32, float64}
        Of the result. float32 is exact to 2^24 counts, beyond which it rounds (6e-8 relative,
        below the Poisson spread itself).

    Returns
    -------
    array
        Counts, same shape as ``mean``.

    Raises
    ------
    DataError
        On an empty array, NaN, infinity, a negative mean or one above `MAX_MEAN`.
    InputError
        On another ``dtype``.

    Notes
    -----
    Exact draws at every mean (numpy: inversion below 10, Hoermann 1993 PTRS above), no Gaussian
    approximation. Large arrays of means below `alias.LARGEST_TOP` are drawn from tables in a
    quarter of the time, probabilities rounded to 2^-32 (module `alias`). Beyond the result only
    `CHUNK` elements per thread are held.
    """
    kind = np.dtype(dtype)
    if kind not in (np.int32, np.int64, np.float32, np.float64):
        raise InputError(f"dtype = {kind} cannot hold counts: use int32, int64, float32, float64.")
    means = np.ascontiguousarray(mean) if np.ndim(mean) else np.asarray(mean)
    check_means("mean", means, "counts")
    counts = np.empty(means.shape, dtype=kind)
    flat_means, flat_counts = means.reshape(-1), counts.reshape(-1)
    streams = child_streams(rng, BLOCKS)
    tables = _tables_for(flat_means)

    def fill(block: int, start: int, stop: int) -> None:
        for low in range(start, stop, CHUNK):
            part = slice(low, min(low + CHUNK, stop))
            if tables is None:
                flat_counts[part] = streams[block].poisson(flat_means[part])
            else:
                flat_counts[part] = tables.draw(flat_means[part], streams[block])

    run_blocks(flat_means.size, fill, threads)
    return counts


def _tables_for(means: npt.NDArray[Any]) -> AliasTables | None:
    """Return the tables that the means can be drawn from, or None: few, large or whole means."""
    if means.size < SMALLEST_TABLED or means.dtype.kind != "f":
        return None
    highest = float(means.max())
    if not highest < LARGEST_TOP:
        return None
    top = 1
    while top <= highest:
        top *= 2
    return alias_tables(top)
