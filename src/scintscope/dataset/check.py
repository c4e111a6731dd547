"""Is every sample what it was when it was made? Hashes for all, a few made again from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.dataset.build import HERE, finish, write_lock
from scintscope.dataset.card import write_card
from scintscope.dataset.draw import draw
from scintscope.dataset.hashes import parameter_text, sample_hash
from scintscope.dataset.make import make_sample
from scintscope.dataset.staging import StagedSample, sound_record, staged, staged_path
from scintscope.dataset.store import (
    Store,
    open_array,
    read_record,
    read_records,
    restore_layout,
    study_record,
    write_record,
)
from scintscope.dataset.worker import SHELF, machine
from scintscope.errors import InputError
from scintscope.outputs import versions
from scintscope.progress import Progress
from scintscope.threads import fix_threads

NOISE_FREE_TOLERANCE = 1e-5
"""Of noise-free images made on another processor or with other libraries, over their maximum: they
are float32 and pass a few dozen transforms, whose rounding differs by some 1e-7 each."""


@dataclass(slots=True)
class Report:
    """What a check found.

    Parameters
    ----------
    hashes : dict of int to str
        Hashes of the arrays as they are stored, for every sample that can be read.
    problems : dict of int to str
        What is wrong, by sample.
    remade : dict of int to str
        Samples made again, and how they compare.
    repaired : list of int
        Samples that were bad and are good now.
    """

    hashes: dict[int, str] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    remade: dict[int, str] = field(default_factory=dict)
    repaired: list[int] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return ``INDEX SHA256``, sorted by index."""
        return [f"{index} {self.hashes[index]}" for index in sorted(self.hashes)]


def check_store(
    store: Store,
    progress: Progress,
    *,
    remake: int = 2,
    repair: bool = False,
    rng: np.random.Generator | None = None,
) -> Report:
    """Check a store, and repair it if asked to.

    Parameters
    ----------
    store : Store
        Which one.
    progress : callable
        See `scintscope.progress`.
    remake : int
        How many samples, taken at random among the good ones, are made again and compared: bit for
        bit on the processor family and with the libraries they were made with, else their
        noise-free images to `NOISE_FREE_TOLERANCE`.
    repair : bool
        Whether bad samples are made anew.
    rng : numpy.random.Generator or None
        Chooses the samples; None takes a fresh one.
    """
    report = Report()
    _check_hashes(store, report, progress)
    good = sorted(set(report.hashes) - set(report.problems))
    chosen = (rng or np.random.default_rng()).permutation(good)[:remake]
    _remake(store, sorted(int(i) for i in chosen), report, progress)
    if repair and (report.problems or not _readable(store)):
        _repair(store, report, progress)
    return report


def _check_hashes(store: Store, report: Report, progress: Progress) -> None:
    arrays = _open_all(store)
    waiting = staged(store)
    with progress("hashes", store.study.samples) as advance:
        for shard in range(store.shards):
            records = read_record(store, shard)
            for index in store.indices(shard):
                if index in records:
                    _check_packed(store, index, records[index], arrays, report)
                elif index in waiting:
                    _check_staged(store, index, report)
                else:
                    report.problems[index] = "missing: it has no record"
                advance(1)


def _open_all(store: Store) -> dict[str, Any]:
    """Return the store's arrays, None where metadata cannot be read."""
    found: dict[str, Any] = {}
    for name in store.specs():
        try:
            found[name] = open_array(store, name)
        except Exception:  # damaged metadata fail in many ways
            found[name] = None
    return found


def _readable(store: Store) -> bool:
    return all(array is not None for array in _open_all(store).values())


def _check_packed(
    store: Store,
    index: int,
    record: Mapping[str, Any],
    arrays: Mapping[str, Any],
    report: Report,
) -> None:
    decoded: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        try:
            decoded[name] = np.asarray(array[index])
        except Exception as error:  # damaged files fail in many ways
            report.problems[index] = f"{name} cannot be read ({type(error).__name__})"
            return
    _compare(store, index, decoded, record, report)


def _compare(
    store: Store,
    index: int,
    arrays: Mapping[str, NDArray[Any]],
    record: Mapping[str, Any],
    report: Report,
) -> None:
    """Note a sample's hash; a problem if it is not the recorded one, or the parameters are odd."""
    parameters = draw(store.study, index).values
    report.hashes[index] = sample_hash(arrays, parameters)
    if parameter_text(record.get("parameters", {})) != parameter_text(parameters):
        report.problems[index] = "its recorded parameters are not those the study draws"
    elif record.get("sha256") != report.hashes[index]:
        report.problems[index] = "its arrays are not what was recorded when it was made"


def _check_staged(store: Store, index: int, report: Report) -> None:
    record = sound_record(store, index)
    if record is None:
        report.problems[index] = "its staged file is damaged"
        return
    with StagedSample(staged_path(store, index)) as sample:
        arrays = {name: sample.array(name) for name in store.specs()}
    _compare(store, index, arrays, record, report)


def _remake(store: Store, indices: list[int], report: Report, progress: Progress) -> None:
    if not indices:
        return
    fix_threads()
    same_versions = study_record(store.path)["versions"] == versions()
    records = read_records(store)
    with progress("samples made again", len(indices)) as advance:
        for index in indices:
            made = make_sample(store.study, index, SHELF)
            same_machine = records.get(index, {}).get("machine", machine()) == machine()
            if made.sha256 == report.hashes[index]:
                report.remade[index] = "the same bits"
            elif same_versions and same_machine:
                report.problems[index] = "made again on the same kind of machine it differs"
            else:
                _compare_noise_free(store, index, made.arrays, report)
            advance(1)


def _compare_noise_free(
    store: Store, index: int, made: Mapping[str, NDArray[Any]], report: Report
) -> None:
    names = [n for n, spec in store.specs().items() if spec.content in ("noise_free", "xray")]
    if not names:
        report.remade[index] = "other bits, and nothing noise-free to compare (other machine)"
        return
    worst = 0.0
    for name in names:
        kept = np.asarray(open_array(store, name)[index], dtype=np.float64)
        off = float(np.abs(made[name].astype(np.float64) - kept).max())
        worst = max(worst, off / float(np.abs(kept).max()))
    if worst <= NOISE_FREE_TOLERANCE:
        report.remade[index] = f"other machine or libraries; noise-free images within {worst:.1e}"
    else:
        report.problems[index] = (
            f"made again its noise-free images differ by {worst:.1e} of their maximum; "
            f"{NOISE_FREE_TOLERANCE:g} is allowed between machines"
        )


def _repair(store: Store, report: Report, progress: Progress) -> None:
    """Make bad samples anew: their records go first, so that a crash leaves them missing."""
    bad = set(report.problems)
    with write_lock(store):
        restore_layout(store)
        for shard in sorted({i // store.study.shard_samples for i in bad}):
            kept = {i: r for i, r in read_record(store, shard).items() if i not in bad}
            write_record(store, shard, kept)
        for index in bad & staged(store):
            staged_path(store, index).unlink(missing_ok=True)
        tally = finish(store, progress, scheduler=HERE)
        write_card(store, read_records(store))
    again = Report()
    _check_hashes(store, again, progress)
    report.repaired = sorted(bad - set(again.problems))
    report.hashes = again.hashes
    report.problems = again.problems | tally.problems


def bad_samples_text(report: Report) -> str:
    """Return the sentences about a check for people."""
    lines = [f"sample {i}: {why}" for i, why in sorted(report.problems.items())]
    lines += [f"sample {i} made again: {how}" for i, how in sorted(report.remade.items())]
    if report.repaired:
        lines.append(f"repaired: {', '.join(map(str, report.repaired))}")
    return "\n".join(lines)


def require_samples(store: Store) -> None:
    """Refuse a store that has no complete sample."""
    if not read_records(store):
        raise InputError(f"{store.path} has no complete sample yet. Finish it with --resume.")
