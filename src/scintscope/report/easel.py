"""Who draws the figures: this process when the page is written, or a second one meanwhile.

Drawing is Python from end to end and does not share the interpreter with what computes. A second
process draws each figure as soon as its numbers are there, while the first goes on; when the page
is written, the first takes over from the far end what has not been begun. Both run the same
functions on the same numbers: the same bytes, whoever draws.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scintscope.report import style
from scintscope.report.records import Drawing, Illustration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_THREADS = Path("/proc/self/task")


class FigureError(RuntimeError):
    """A figure could not be drawn; the message says which, the cause why."""


def picture_of(drawing: Drawing) -> bytes:
    """Return a drawing's PNG.

    Raises
    ------
    FigureError
        With the figure's name.
    """
    try:
        return style.picture(drawing.draw, *drawing.arguments)
    except Exception as error:
        text = f"figure {drawing.name!r} could not be drawn: {type(error).__name__}: {error}"
        raise FigureError(text) from error


def _pictures(drawings: Sequence[Drawing]) -> list[bytes]:
    return [picture_of(drawing) for drawing in drawings]


@dataclass(frozen=True, slots=True)
class _Order:
    """A drawing, and the place of its picture in what a task of the second process returns."""

    drawing: Drawing
    task: Future[list[bytes]]
    place: int


@dataclass(slots=True)
class Easel:
    """Draws figures: each when it is asked for, or beforehand in a second process.

    Parameters
    ----------
    pool : ProcessPoolExecutor or None
        The second process, if there is one; see `second_process`.
    """

    pool: ProcessPoolExecutor | None = None
    _orders: dict[str, _Order] = field(default_factory=dict)

    def order(self, *drawings: Drawing) -> None:
        """Have figures drawn beforehand, in one go: what their arguments share is copied once."""
        new = [drawing for drawing in drawings if drawing.name not in self._orders]
        if self.pool is None or not new:
            return
        try:
            task = self.pool.submit(_pictures, new)
        except BrokenProcessPool:
            self._go_on_alone()
            return
        self._orders |= {d.name: _Order(d, task, place) for place, d in enumerate(new)}

    def ordered(self, name: str) -> Drawing | None:
        """Return a figure that was ordered before."""
        order = self._orders.get(name)
        return None if order is None else order.drawing

    def illustrations(self, drawings: Iterable[Drawing]) -> list[Illustration]:
        """Return figures in the order given; see `picture_of` for what it raises.

        Each is ordered as soon as it is prepared. This process then draws from the last to the
        first what the other has not begun.
        """
        wanted = []
        for drawing in drawings:
            self.order(drawing)
            wanted.append(drawing)
        pictures: dict[str, bytes] = {}
        for drawing in reversed(wanted):
            order = self._orders.get(drawing.name)
            if order is None or order.task.cancelled() or order.task.cancel():
                pictures[drawing.name] = picture_of(drawing)
        for drawing in wanted:
            if drawing.name not in pictures:
                pictures[drawing.name] = self._fetched(self._orders[drawing.name])
        return [
            Illustration(name=d.name, title=d.title, caption=d.caption, png=pictures[d.name])
            for d in wanted
        ]

    def _fetched(self, order: _Order) -> bytes:
        try:
            return order.task.result()[order.place]
        except BrokenProcessPool:
            self._go_on_alone()
            return picture_of(order.drawing)

    def _go_on_alone(self) -> None:
        """Draw here what the other process, killed by someone, left undone."""
        if self.pool is not None:
            warnings.warn("the process that draws has died; drawing here", stacklevel=2)
        self.pool = None


@contextmanager
def second_process() -> Iterator[Easel]:
    """Give an easel with a process of its own, started now, as a copy of this one.

    Where this one runs more than one thread already, or the system is not Linux, such a copy is not
    safe: the easel then draws in this process. Only for a process of our own: the commands use it.

    Yields
    ------
    Easel
        The second process ends with the block, also when that fails or is interrupted, and at
        once if this process is killed.
    """
    if not _may_fork():
        yield Easel()
        return
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=_settle)
    try:
        pool.submit(_warm_up)  # starts the process
        yield Easel(pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _may_fork() -> bool:
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    try:
        return len(list(_THREADS.iterdir())) == 1  # libraries' own threads too
    except OSError:
        return False


def _settle() -> None:
    """Leave interrupts to the first process, and follow it when it dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    first = multiprocessing.parent_process()
    if first is not None:
        threading.Thread(target=_follow, args=(first,), daemon=True).start()


def _follow(first: multiprocessing.process.BaseProcess) -> None:
    first.join()
    os._exit(1)


def _warm_up() -> None:
    """Load what drawing needs, before anything is to be drawn."""
    style.picture(_empty)
    gc.collect()
    gc.freeze()


def _empty() -> Figure:
    figure = style.new_figure(1.0, 1.0)
    figure.subplots().semilogy([1.0, 2.0], [1.0, 1e4])
    return figure
