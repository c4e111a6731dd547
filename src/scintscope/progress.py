"""Progress bars with time left, on stderr and only where a person watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Advance = Callable[[int], None]
Progress = Callable[[str, int], AbstractContextManager[Advance]]
"""What long computations take: ``with progress("title", total) as advance: advance(1)``."""


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """Show a bar with rate and time left on stderr while the block runs, if a person watches.

    Parameters
    ----------
    title : str
        What is being done.
    total : int
        Steps in all.

    Yields
    ------
    callable
        ``advance(steps)`` moves the bar.
    """
    if not sys.stderr.isatty():
        with silent(title, total) as advance:
            yield advance
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Rate(ProgressColumn):
        """Steps a second, or seconds a step where one takes longer."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            if not speed:
                return Text("")
            return Text(f"{speed:.3g}/s" if speed >= 1.0 else f"{1.0 / speed:.3g} s each")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=total)
        yield lambda steps: bars.advance(task, steps)


@contextmanager
def silent(title: str, total: int) -> Iterator[Advance]:
    """Do as `progress` does, without showing anything."""
    yield lambda steps: None
