"""Work in the background, most wanted first, with an estimate of the time left."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from scintscope.errors import PhysicsWarning, ScintscopeError
from scintscope.progress import Progress, silent

_THREADS = 2
_NICE = 10
_MEMORY = 0.8
"""Weight of earlier jobs in the pace, each job anew: others may load the machine, or stop to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Something to make.

    Parameters
    ----------
    name : str
        What is being made, in words; also what it is asked for by (`Jobs.prefer`).
    subject : str
        A material, or empty.
    make : callable
        Makes it; may add further jobs.
    rank : int
        Jobs of a lower rank are done first.
    seconds : float
        It takes about as long, relative to the others.
    """

    name: str
    make: Callable[[], None]
    rank: int
    subject: str = ""
    seconds: float = 1.0


class Jobs:
    """A queue that two threads work off.

    Parameters
    ----------
    failed : callable
        Told of a job that ended in an error of ours.
    """

    def __init__(self, failed: Callable[[Job, ScintscopeError], None]) -> None:
        self._failed = failed
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._state = threading.Condition()
        self._head: threading.Thread | None = None
        self._expected_s, self._taken_s = 0.0, 0.0
        self._preferred: str | None = None
        self._calm = False
        self.done = 0

    def add(self, *jobs: Job) -> None:
        """Put jobs into the queue."""
        with self._state:
            self._waiting.extend(jobs)
            self._state.notify_all()

    def prefer(self, subject: str) -> None:
        """Have a subject's jobs done next."""
        self._preferred = subject

    def calm(self) -> None:
        """Give way to everything else on the machine from the next job on, where that can be."""
        self._calm = True

    def start(self, progress: Progress = silent) -> None:
        """Begin; returns at once."""
        self._head = threading.Thread(target=self._run, args=(progress,), daemon=True)
        self._head.start()

    def wait(self) -> None:
        """Wait until everything has been made."""
        if self._head is not None:
            self._head.join()

    @property
    def busy(self) -> bool:
        """Whether anything is left to do."""
        with self._state:
            return bool(self._waiting or self._running)

    def status(self, rank: int | None = None) -> str:
        """Return what is being made and how long it may still take; empty when all is there.

        Parameters
        ----------
        rank : int, optional
            Count the time to the end of this rank only.
        """
        with self._state:
            if not self._running:
                return ""
            names = " and ".join(dict.fromkeys(job.name for job in self._running))
        return f"{names}{self.time_left(rank)}"

    def time_left(self, rank: int | None = None) -> str:
        """Return the time to the end, or to the end of a rank, as words in parentheses."""
        return f" ({seconds_in_words(self.seconds_left(rank))} left)"

    def seconds_left(self, rank: int | None = None) -> float:
        """Return an estimate of the time to the end, or to the end of a rank."""
        with self._state:
            known = [*self._waiting, *self._running]
            left = sum(j.seconds for j in known if rank is None or j.rank <= rank)
            pace = self._taken_s / self._expected_s if self._expected_s else 1.0
        return left * pace / _THREADS

    def _run(self, progress: Progress) -> None:
        """Work with two threads, and show a bar until all is done."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(_THREADS)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhysicsWarning)
            for thread in threads:
                thread.start()
            self._watch(progress)
            for thread in threads:
                thread.join()

    def _watch(self, progress: Progress) -> None:
        with progress("tables of the page", len(self._waiting) + self.done) as advance:
            seen = 0
            while self.busy:
                with self._state:
                    self._state.wait(timeout=1.0)
                    new = self.done - seen
                advance(new)
                seen += new

    def _work(self) -> None:
        calm = False
        while (job := self._next()) is not None:
            if self._calm and not calm:
                calm = True
                give_way()
            self._do(job)

    def _next(self) -> Job | None:
        """Return the next job once there is one, or None when no more can come."""
        with self._state:
            while not self._waiting and self._running:
                self._state.wait()
            if not self._waiting:
                self._state.notify_all()
                return None
            job = min(self._waiting, key=lambda j: (j.subject != self._preferred, j.rank))
            self._waiting.remove(job)
            self._running.append(job)
            return job

    def _do(self, job: Job) -> None:
        began = time.perf_counter()
        try:
            job.make()
        except ScintscopeError as error:
            self._failed(job, error)
        except RuntimeError:
            if threading.main_thread().is_alive():  # else the program ends: no pool takes work
                raise
        finally:
            with self._state:
                self._expected_s = _MEMORY * self._expected_s + job.seconds
                self._taken_s = _MEMORY * self._taken_s + time.perf_counter() - began
                self._running.remove(job)
                self.done += 1
                self._state.notify_all()


def give_way() -> None:
    """Lower this thread's priority; Linux alone has one for each thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def seconds_in_words(seconds: float) -> str:
    """Return a time that is only roughly known, as words."""
    if seconds < 10.0:
        return "a few seconds"
    if seconds < 90.0:
        return f"about {10 * round(seconds / 10.0):d} s"
    return f"about {round(seconds / 60.0):d} min"
