"""Work shared between a few threads that stay alive.

A pass over the tiles of a small image takes less time than starting threads for it. The threads
here are started once; whoever has work takes part in it himself, so that it is always done, however
busy the others are, and work may share out parts of itself. Results do not depend on who did what.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count
from typing import Generic, TypeVar

from scintscope.threads import POOL_THREADS

T = TypeVar("T")
R = TypeVar("R")

MOST_HELPERS = 8
"""Threads beside the callers', for all that share work at the same time."""

_pools: list[ThreadPoolExecutor] = []


class _Job(Generic[T, R]):
    """Items under work: whoever is free takes the next."""

    def __init__(self, work: Callable[[T], R], items: list[T]) -> None:
        self.results: dict[int, R] = {}
        self._work, self._items = work, items
        self._next = count()
        self._failed = False

    def run(self) -> None:
        """Work on items until none is left or one has failed."""
        try:
            while not self._failed:
                index = next(self._next)
                if index >= len(self._items):
                    return
                self.results[index] = self._work(self._items[index])
        except BaseException:
            self._failed = True
            raise


def share(work: Callable[[T], R], items: Iterable[T], threads: int = POOL_THREADS) -> list[R]:
    """Return ``work(item)`` of all items, in order.

    Parameters
    ----------
    work : callable
        Gets one item; an exception ends the whole.
    items : iterable
        What to work on.
    threads : int
        Items worked on at the same time, the caller's thread included; no result may depend on it.
    """
    wanted = list(items)
    helpers = min(threads, len(wanted), MOST_HELPERS + 1) - 1
    if helpers < 1:
        return [work(item) for item in wanted]
    job = _Job(work, wanted)
    pool = _pool()
    others = [pool.submit(job.run) for _ in range(helpers)]
    try:
        job.run()
    finally:
        started = [other for other in others if not other.cancel()]
        wait(started)
    for other in started:
        other.result()
    return [job.results[index] for index in range(len(wanted))]


def share_pieces(
    work: Callable[[int, int], R], length: int, step: int, threads: int = POOL_THREADS
) -> list[R]:
    """Return ``work(first, last)`` of all pieces of ``range(length)``, in order; see `share`.

    Parameters
    ----------
    work : callable
        Gets the ends of a piece.
    length, step : int
        What is cut, and how long pieces are; the last may be shorter.
    threads : int
        As in `share`.
    """
    edges = [(first, min(first + step, length)) for first in range(0, length, step)]
    return share(lambda edge: work(*edge), edges, threads)


def _pool() -> ThreadPoolExecutor:
    """Return the threads, started when they are first needed."""
    if not _pools:
        _pools.append(ThreadPoolExecutor(MOST_HELPERS, thread_name_prefix="scintscope"))
    return _pools[0]


if hasattr(os, "register_at_fork"):  # threads do not live on in a forked process
    os.register_at_fork(after_in_child=_pools.clear)
