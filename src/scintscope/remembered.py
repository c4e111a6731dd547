"""Tables that many questions about one record share, made once.

A response or a deposition is a frozen record of arrays, so what follows from it is kept under its
identity. Only the last few are kept; the records themselves are held as long as their table, so
that no other object can take their identity.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last few results of an expensive function of some objects and a key.

    Parameters
    ----------
    most : int
        How many results are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[tuple[object, ...], T]] = OrderedDict()

    def __call__(self, owners: tuple[object, ...], key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` gives for these very objects and a key; made if it is not kept."""
        place = (*map(id, owners), key)
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._kept[place][1]
        result = make()
        with self._lock:
            self._kept[place] = (owners, result)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return result

    def __len__(self) -> int:
        """Return how many results are kept."""
        return len(self._kept)
