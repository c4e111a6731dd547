"""What runs in a worker: one sample made and staged, or one shard packed.

A task is told the store's folder and a number; it reads the study from the store. So any process
that sees the folder can do any task, and every task can be done twice without harm.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from scintscope.dataset.instruments import InstrumentShelf
from scintscope.dataset.make import make_sample
from scintscope.dataset.staging import pack, record_of, stage
from scintscope.dataset.store import Store, open_store
from scintscope.errors import InputError
from scintscope.machine import processor
from scintscope.memory import keep_freed_memory
from scintscope.threads import POOL_VARIABLE, fix_threads

ENVIRONMENT = {POOL_VARIABLE: "1"}
"""Of a local worker: samples run side by side, so that none needs threads of its own for
transforms. Their number changes no bit; see `scintscope.threads` for those that would."""

_ONE_AT_A_TIME = threading.Lock()
SHELF = InstrumentShelf()
"""Of this process."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What a task has to say.

    Parameters
    ----------
    kind : {"sample", "shard"}
    number : int
        Of the sample or shard.
    seconds : float
        Spent on it.
    problem : str
        Why a sample cannot be made; empty: it is staged.
    again : tuple of int
        Samples whose staged file was damaged, to be made anew.
    """

    kind: str
    number: int
    seconds: float
    problem: str = ""
    again: tuple[int, ...] = ()


@lru_cache(maxsize=2)
def _open(folder: str, stamp: int) -> Store:
    """Return a store, read once for each state of its study file."""
    return open_store(Path(folder))


def opened(folder: str) -> Store:
    """Return the store of a folder."""
    return _open(folder, (Path(folder) / "scintscope" / "study.json").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def machine() -> str:
    """Return the processor's family in a line: with the libraries it decides the last bits."""
    found = processor()
    units = " ".join(found["vector_units"])
    parts = (found[key] for key in ("architecture", "vendor", "family", "model"))
    return f"{' '.join(str(p) for p in parts)} ({units})"


def make_and_stage(folder: str, index: int) -> Done:
    """Make one sample of a store and stage it.

    Raises
    ------
    OSError
        If it cannot be written: disk full, no permission.
    """
    start = time.perf_counter()
    with _ONE_AT_A_TIME:
        fix_threads()
        store = opened(folder)
        try:
            sample = make_sample(store.study, index, SHELF)
        except InputError as error:
            seconds = time.perf_counter() - start
            return Done(kind="sample", number=index, seconds=seconds, problem=str(error))
        stage(store, index, sample.arrays, record_of(sample, machine()))
    return Done(kind="sample", number=index, seconds=time.perf_counter() - start)


def make_only(folder: str, index: int) -> Done:
    """Make one sample and write nothing, to measure what writing costs."""
    start = time.perf_counter()
    with _ONE_AT_A_TIME:
        fix_threads()
        make_sample(opened(folder).study, index, SHELF)
    return Done(kind="sample", number=index, seconds=time.perf_counter() - start)


def pack_shard(folder: str, shard: int) -> Done:
    """Pack one shard of a store."""
    start = time.perf_counter()
    again = pack(opened(folder), shard)
    return Done(kind="shard", number=shard, seconds=time.perf_counter() - start, again=tuple(again))


def prepare_process() -> None:
    """Set up a worker process of our own."""
    keep_freed_memory()
    fix_threads()


def probe(folder: str) -> dict[str, Any]:
    """Return what a worker must share with the client: versions, the store; and its machine."""
    from scintscope.outputs import versions

    seen = (Path(folder) / "scintscope" / "study.json").is_file()
    return {
        "versions": versions(),
        "sees_store": seen,
        "machine": machine(),
        "process": os.getpid(),
    }
