r"""Poisson numbers of small means, many at a time, from tables.

A Poisson number of mean m is the sum of one of the next lower tabulated mean L and one of the rest
m - L, exactly. The first comes from Walker's alias table (Walker 1977, ACM Trans. Math. Softw. 3,
253; built by evening out as in Marsaglia, Tsang and Wang 2004, J. Stat. Softw. 11(3), 1): one
random word, whose first bits choose a column and whose others decide between its two counts. The
second is zero nearly always, and else found by inversion. The only approximation is that
probabilities are rounded to 2^-32, which also cuts what lies 7 standard deviations away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

LEVELS = 512
"""Tabulated means: 0 to just below the top, evenly."""

LARGEST_TOP = 128
_REACH_SIGMA, _REACH = 7.0, 12.0
_WORD = 32
_HALF_STEP = np.float32(2.0**-25)
"""Half the step of numpy's float32 random numbers."""


@dataclass(frozen=True, slots=True)
class AliasTables:
    """Alias tables of all tabulated means below a top.

    Parameters
    ----------
    top : float
        A power of two, so that a mean and its table are found without rounding.
    bits : int
        Binary logarithm of the columns of a table.
    threshold : (LEVELS * 2^bits,) uint32 array
        Words below it give the column's own count.
    other : (LEVELS * 2^bits,) int32 array
        Count that the other words give.
    base : (LEVELS,) int32 array
        Count of column 0.
    """

    top: float
    bits: int
    threshold: NDArray[np.uint32]
    other: NDArray[np.int32]
    base: NDArray[np.int32]

    def draw(self, mean: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int32]:
        """Return one Poisson number per mean, all in [0, top)."""
        level = (mean * mean.dtype.type(LEVELS / self.top)).astype(np.int32)
        word = rng.integers(0, 1 << _WORD, size=mean.size, dtype=np.uint32)
        column = (word >> np.uint32(_WORD - self.bits)).astype(np.int32)
        place = (level << self.bits) | column
        own = (word & np.uint32((1 << (_WORD - self.bits)) - 1)) < self.threshold.take(place)
        column += self.base.take(level)
        count = np.where(own, column, self.other.take(place))
        rest = mean - level * mean.dtype.type(self.top / LEVELS)
        chance = rng.random(mean.size, dtype=np.float32)
        chance += _HALF_STEP  # never zero, which no number of events would exceed
        some = np.flatnonzero(chance < rest)  # P(> 0) = 1 - exp(-rest) < rest
        count[some] += _inverted(rest[some], chance[some])
        return count


def _inverted(mean: NDArray[Any], chance: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the numbers of events that are exceeded with a probability of ``chance``."""
    term = np.exp(-mean.astype(np.float64))
    beyond = 1.0 - term
    count = np.zeros(mean.size, dtype=np.int32)
    k = 0
    more = chance < beyond
    while more.any():
        k += 1
        count += more
        term = term * mean / k
        beyond -= term
        more = chance < beyond
    return count


@lru_cache(maxsize=8)
def alias_tables(top: int) -> AliasTables:
    """Return the tables of a top, a power of two up to `LARGEST_TOP`."""
    mean = np.arange(LEVELS) * (top / LEVELS)
    low = np.maximum(np.floor(mean - _REACH_SIGMA * np.sqrt(mean)), 0.0).astype(np.int32)
    high = np.ceil(mean + _REACH_SIGMA * np.sqrt(mean) + _REACH).astype(np.int32)
    bits = int(np.ceil(np.log2((high - low).max() + 1)))
    columns = 1 << bits
    count = low[:, None] + np.arange(columns)[None, :]
    chance = np.exp(xlogy(count, mean[:, None]) - mean[:, None] - gammaln(count + 1.0))
    chance[count > high[:, None]] = 0.0
    share, other = _evened(chance / chance.sum(axis=1, keepdims=True) * columns)
    full = float(1 << (_WORD - bits))
    threshold = np.rint(share * full).astype(np.uint32)
    return AliasTables(
        top=float(top),
        bits=bits,
        threshold=threshold.ravel(),
        other=(other + low[:, None]).astype(np.int32).ravel(),
        base=low,
    )


def _evened(chance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each column's own share and its other column; rows of mean one, evened together.

    The poorest column is filled from the richest, which leaves one column less to fill.
    """
    row = np.arange(chance.shape[0])
    columns = chance.shape[1]
    left = chance.copy()
    share = np.ones_like(chance)
    other = np.broadcast_to(np.arange(columns), chance.shape).copy()
    open_to_fill = chance.copy()
    for _ in range(columns - 1):
        poorest = open_to_fill.argmin(axis=1)
        richest = np.where(np.isfinite(open_to_fill), open_to_fill, -1.0).argmax(axis=1)
        own = np.minimum(left[row, poorest], 1.0)
        share[row, poorest] = own
        other[row, poorest] = richest
        left[row, richest] -= 1.0 - own
        open_to_fill[row, richest] = left[row, richest]
        open_to_fill[row, poorest] = np.inf
    return share, other
