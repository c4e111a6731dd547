"""Which plate, instrument and split a sample belongs to: by its index alone.

A plate belongs to one split, and so do all samples taken with it. Plates are dealt out one after
another, each to the split that is farthest below its share; so any number of samples keeps the
shares, and more samples change nothing about those that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

Shares = tuple[tuple[str, float], ...]

_BLOCK = 4096


def split_of(shares: Shares, number: int) -> str:
    """Return the split of a plate, or of an image of a list of images.

    Parameters
    ----------
    shares : tuple of (str, float)
        Names of the splits and their shares, which sum to one.
    number : int
        Of the plate.
    """
    return shares[_dealt(shares)[number % _BLOCK]][0]


@lru_cache(maxsize=8)
def _dealt(shares: Shares) -> tuple[int, ...]:
    """Return the split of each plate of a block; after it the same order starts again."""
    counts = [0] * len(shares)
    order = []
    for n in range(1, _BLOCK + 1):
        lack = [share * n - count for (_, share), count in zip(shares, counts, strict=True)]
        chosen = max(range(len(shares)), key=lambda i: (lack[i], -i))
        counts[chosen] += 1
        order.append(chosen)
    return tuple(order)


def members(shares: Shares, split: str, count: int) -> list[int]:
    """Return which of ``count`` numbered things belong to a split."""
    return [i for i in range(count) if split_of(shares, i) == split]


def least_count(shares: Shares) -> int:
    """Return how many things must be dealt for every split to have one."""
    found: set[str] = set()
    number = 0
    wanted = {name for name, share in shares if share > 0.0}
    while found < wanted:
        found.add(split_of(shares, number))
        number += 1
    return number


def checked_shares(given: Sequence[tuple[str, float]]) -> Shares:
    """Return shares that sum to exactly one, from shares that do to a millionth."""
    total = sum(share for _, share in given)
    return tuple((name, share / total) for name, share in given)
