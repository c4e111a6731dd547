"""Making a data set: what is missing is made, staged, packed; the card is written at the end."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scintscope.dataset.card import write_card
from scintscope.dataset.engine import Engine, HereEngine, Task, local_cluster, running_cluster
from scintscope.dataset.staging import clear_leftovers, staged
from scintscope.dataset.store import (
    Store,
    create_store,
    extend_store,
    is_store,
    open_store,
    read_records,
    study_record,
)
from scintscope.dataset.study import Study
from scintscope.dataset.worker import Done, make_and_stage, pack_shard
from scintscope.errors import InputError
from scintscope.outputs import Outcome, staged_output, versions
from scintscope.progress import Progress

HERE = "here"
"""For ``scheduler``: no cluster, all in this process."""

_MOST_REMAKES = 3


@dataclass(slots=True)
class Tally:
    """What a run did.

    Parameters
    ----------
    made : int
        Samples made.
    seconds : float
        Wall time of the run; sum over tasks is ``busy_s``.
    problems : dict of int to str
        Samples that cannot be made, and why.
    """

    made: int = 0
    seconds: float = 0.0
    busy_s: float = 0.0
    packing_s: float = 0.0
    problems: dict[int, str] = field(default_factory=dict)


def make_dataset(
    study: Study,
    out: Path,
    progress: Progress,
    *,
    workers: int = 0,
    scheduler: str = "",
    resume: bool = False,
) -> Outcome:
    """Make a data set, or finish or extend one.

    Parameters
    ----------
    study : Study
        What to make, ``study.samples`` of it.
    out : Path
        Folder of the store.
    progress : callable
        See `scintscope.progress`.
    workers : int
        Processes of a local cluster; 0: one for each core.
    scheduler : str
        Address of a running scheduler instead; "here" for this process alone.
    resume : bool
        Whether a store that is there is finished or extended; else it is refused.

    Raises
    ------
    InputError
        If the folder is in the way, or the store was made from another study or version.
    """
    store = prepared(study, Path(out), resume)
    with write_lock(store):
        clear_leftovers(store)
        if store.study.samples < study.samples:
            store = extend_store(store, study.samples)
        tally = finish(store, progress, workers=workers, scheduler=scheduler)
        records = read_records(store)
        write_card(store, records)
    return _outcome(store, tally, len(records))


def _outcome(store: Store, tally: Tally, complete: int) -> Outcome:
    wanted = store.study.samples
    rate = tally.made / tally.seconds if tally.seconds > 0.0 else 0.0
    lines = [f"{store.path}: {complete} of {wanted} samples complete, {tally.made} made now."]
    if tally.made:
        lines.append(f"{rate:.3g} samples/s over {tally.seconds:.1f} s.")
    lines += [f"sample {i} cannot be made: {why}" for i, why in sorted(tally.problems.items())]
    return Outcome(
        document={
            "store": str(store.path),
            "samples": wanted,
            "complete": complete,
            "made": tally.made,
            "problems": {str(i): why for i, why in sorted(tally.problems.items())},
        },
        text="\n".join(lines),
    )


def prepared(study: Study, out: Path, resume: bool) -> Store:
    """Return the store to write into, new or the one that is there.

    Raises
    ------
    InputError
        See `make_dataset`.
    """
    out = out.resolve()
    if not is_store(out):
        try:
            with staged_output(out) as folder:
                create_store(folder, study)
        except PermissionError as error:
            raise InputError(f"--out {out} cannot be written: {error.strerror}.") from None
        return open_store(out)
    if not resume:
        raise InputError(
            f"--out {out} holds a data set. Say --resume to finish or extend it, or choose another "
            "folder."
        )
    record = study_record(out)
    if record["study_sha256"] != study.hash():
        raise InputError(
            f"--out {out} was made from another study (or this one was changed since). Samples of "
            "two studies are not mixed: choose another folder."
        )
    require_same_versions(record["versions"], out)
    return open_store(out)


def require_same_versions(made_with: dict[str, Any], out: Path) -> None:
    """Refuse a store whose other samples were made with other libraries."""
    now = versions()
    differ = {
        name: (made_with.get(name), now[name]) for name in now if made_with.get(name) != now[name]
    }
    if differ:
        text = ", ".join(f"{name} {was} (here {have})" for name, (was, have) in differ.items())
        raise InputError(
            f"{out} was made with other versions: {text}. Samples of two versions are not mixed: "
            f"install those of the store, or choose another folder."
        )


@contextlib.contextmanager
def write_lock(store: Store) -> Iterator[None]:
    """Hold a store alone for writing.

    Raises
    ------
    InputError
        If another process is writing it, or it cannot be written.
    """
    try:
        stream = (store.own / "lock").open("w")
    except OSError as error:
        raise InputError(f"{store.path} cannot be written: {error.strerror}.") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another process is writing {store.path}. Wait for it.") from None
        yield


def finish(store: Store, progress: Progress, *, workers: int = 0, scheduler: str = "") -> Tally:
    """Make and pack all that is missing.

    Parameters
    ----------
    store : Store
        Locked by the caller.
    progress, workers, scheduler
        See `make_dataset`.
    """
    plan = _Plan(store)
    tally = Tally()
    if not plan.missing and not plan.packable():
        return tally
    start = time.perf_counter()
    with (
        engine_for(store, workers, scheduler) as engine,
        progress("samples", len(plan.missing)) as advance,
    ):
        for done in engine.run(plan.tasks(), plan.more):
            if done.kind == "sample":
                advance(1)
            _count(tally, done)
    tally.seconds = time.perf_counter() - start
    return tally


def _count(tally: Tally, done: Done) -> None:
    if done.kind == "shard":
        tally.packing_s += done.seconds
        return
    tally.busy_s += done.seconds
    if done.problem:
        tally.problems[done.number] = done.problem
    else:
        tally.made += 1


@contextlib.contextmanager
def engine_for(store: Store, workers: int, scheduler: str) -> Iterator[Engine]:
    """Give the engine that was asked for."""
    if scheduler == HERE:
        yield HereEngine()
    elif scheduler:
        with running_cluster(scheduler, str(store.path)) as engine:
            yield engine
    else:
        with local_cluster(workers) as engine:
            yield engine


class _Plan:
    """Which samples are missing, and which shards can be packed when one more is staged."""

    def __init__(self, store: Store) -> None:
        self._store, self._folder = store, str(store.path)
        self._staged = staged(store)
        self._recorded = set(read_records(store))
        there = self._staged | self._recorded
        self.missing = [i for i in range(store.study.samples) if i not in there]
        self._left = dict.fromkeys(range(store.shards), 0)
        for index in self.missing:
            self._left[self._shard(index)] += 1
        self._remakes: dict[int, int] = {}

    def _shard(self, index: int) -> int:
        return index // self._store.study.shard_samples

    def packable(self) -> list[int]:
        """Return shards that have staged samples and miss none."""
        return sorted({self._shard(i) for i in self._staged if not self._left[self._shard(i)]})

    def tasks(self) -> Iterator[Task]:
        """Yield all tasks that can be done at once, packing first: it frees the disk."""
        for shard in self.packable():
            yield pack_shard, (self._folder, shard)
        for index in self.missing:
            yield make_and_stage, (self._folder, index)

    def more(self, done: Done) -> list[Task]:
        """Return tasks that become possible when one is done."""
        if done.kind == "sample":
            shard = self._shard(done.number)
            self._left[shard] -= 1
            return [] if self._left[shard] else [(pack_shard, (self._folder, shard))]
        again = [i for i in done.again if self._remakes.get(i, 0) < _MOST_REMAKES]
        for index in again:
            self._remakes[index] = self._remakes.get(index, 0) + 1
        self._left[done.number] += len(again)
        return [(make_and_stage, (self._folder, index)) for index in again]


__all__ = ["HERE", "Tally", "finish", "make_dataset", "prepared", "write_lock"]
