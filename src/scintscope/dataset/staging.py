"""Finished samples on their way into the store: one file each, then a shard of them at a time.

A sample is complete once its staged file has its final name, or a shard's record names it. A shard
is written by one task alone, under a lock; staged files go only after the record is on disk. So
whatever is killed, and whenever, each complete sample is in one of the two places, whole.
"""

from __future__ import annotations

import fcntl
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.dataset.hashes import sample_hash
from scintscope.dataset.store import (
    Store,
    durable_file,
    open_array,
    read_arrays,
    read_record,
    record_path,
    write_record,
)
from scintscope.dataset.study import plain_infinite

if TYPE_CHECKING:
    from scintscope.dataset.make import Sample

_RECORD = "record.json"
_NAME = re.compile(r"sample-(\d{9})\.npz")
_DAMAGED = (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError)


def staged_path(store: Store, index: int) -> Path:
    """Return where a finished sample waits to be packed."""
    return store.own / "staging" / f"sample-{index:09d}.npz"


def record_of(sample: Sample, machine: str) -> dict[str, Any]:
    """Return what is recorded of a sample besides its arrays."""
    drawn = sample.drawn
    return {
        "sha256": sample.sha256,
        "split": drawn.split,
        "family": drawn.family,
        "plate": drawn.plate,
        "instrument": drawn.instrument,
        "machine": machine,
        "parameters": plain_infinite(drawn.values),
        "scores": plain_infinite(sample.scores),
    }


def stage(
    store: Store, index: int, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any]
) -> None:
    """Write a finished sample into one file, renamed when it is whole."""
    with (
        durable_file(staged_path(store, index)) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as bundle,
    ):
        for name, array in arrays.items():
            with bundle.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array))
        bundle.writestr(_RECORD, json.dumps(plain_infinite(record), allow_nan=False))


def staged(store: Store) -> set[int]:
    """Return which samples are staged."""
    names = (path.name for path in (store.own / "staging").iterdir())
    return {int(found.group(1)) for name in names if (found := _NAME.fullmatch(name))}


class StagedSample:
    """A staged file, opened; arrays are read one at a time."""

    def __init__(self, path: Path) -> None:
        self._bundle = zipfile.ZipFile(path)

    def __enter__(self) -> StagedSample:
        return self

    def __exit__(self, *_: object) -> None:
        self._bundle.close()

    def array(self, name: str) -> NDArray[Any]:
        """Return one array."""
        with self._bundle.open(f"{name}.npy") as member:
            return np.asarray(np.lib.format.read_array(member, allow_pickle=False))

    def record(self) -> dict[str, Any]:
        """Return the sample's record."""
        found: dict[str, Any] = json.loads(self._bundle.read(_RECORD))
        return found


def sound_record(store: Store, index: int) -> dict[str, Any] | None:
    """Return a staged sample's record if its arrays are what its hash says, else None."""
    try:
        with StagedSample(staged_path(store, index)) as sample:
            record = sample.record()
            arrays = {name: sample.array(name) for name in store.specs()}
            good = sample_hash(arrays, record["parameters"]) == record["sha256"]
    except _DAMAGED:
        return None
    return record if good else None


@contextmanager
def shard_lock(store: Store, shard: int) -> Iterator[None]:
    """Hold a shard alone, against any other process that shares the file system."""
    with (store.own / "staging" / f"shard-{shard:06d}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def pack(store: Store, shard: int) -> list[int]:
    """Move a shard's staged samples into the store; return those whose staged file was damaged.

    Samples that the shard holds already are staged first, so that they are never in danger while
    its files are written anew.
    """
    with shard_lock(store, shard):
        waiting = staged(store) & set(store.indices(shard))
        records: dict[int, dict[str, Any]] = {}
        damaged = []
        for index in sorted(waiting):
            record = sound_record(store, index)
            if record is None:
                damaged.append(index)
                staged_path(store, index).unlink(missing_ok=True)
            else:
                records[index] = record
        if records:
            _write(store, shard, records)
        return damaged


def _write(store: Store, shard: int, records: dict[int, dict[str, Any]]) -> None:
    kept = {i: r for i, r in read_record(store, shard).items() if i not in records}
    for index, record in kept.items():
        stage(store, index, read_arrays(store, index), record)
    record_path(store, shard).unlink(missing_ok=True)
    records = records | kept
    indices = store.indices(shard)
    for name, spec in store.specs().items():
        fill = np.nan if np.dtype(spec.dtype).kind == "f" else 0
        block = np.full((len(indices), *spec.shape), fill, dtype=spec.dtype)
        for index in records:
            with StagedSample(staged_path(store, index)) as sample:
                block[index - indices.start] = sample.array(name)
        open_array(store, name, "r+")[indices.start : indices.stop] = block
    write_record(store, shard, records)
    for index in records:
        staged_path(store, index).unlink(missing_ok=True)


def clear_leftovers(store: Store) -> None:
    """Remove what killed tasks left half-written, and staged files that are packed already."""
    folder = store.own / "staging"
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)
    for index in staged(store):
        shard = index // store.study.shard_samples
        if index in read_record(store, shard) or index >= store.study.samples:
            staged_path(store, index).unlink(missing_ok=True)
