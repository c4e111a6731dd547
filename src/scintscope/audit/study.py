"""Kernel errors of many settings on many seeds: in parallel, resumable, whole files only.

Each seed has a file of its own, with the errors known so far; a study that was stopped, or whose
grid grew, computes what is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.audit.estimates import kernels
from scintscope.audit.kernel_error import KernelTruth, kernel_error, pair_truth
from scintscope.audit.pairs import PairBench, draw_pair, set_up_pairs, under
from scintscope.audit.settings import Setting
from scintscope.errors import InputError
from scintscope.outputs import plain, write_json
from scintscope.progress import Progress
from scintscope.scenario import Scenario

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """Kernel errors by seed and setting.

    Parameters
    ----------
    seeds : (S,) tuple of int
    names : (N,) tuple of str
        Of the settings.
    values : (S, N) array
        ||estimate - truth|| / ||truth||; NaN where an estimate failed.
    """

    seeds: tuple[int, ...]
    names: tuple[str, ...]
    values: Array

    def only(self, seeds: Iterable[int]) -> Errors:
        """Return the errors of some of the seeds."""
        rows = [self.seeds.index(seed) for seed in seeds]
        kept = tuple(self.seeds[row] for row in rows)
        return Errors(seeds=kept, names=self.names, values=self.values[rows])

    def mean(self) -> dict[str, float]:
        """Return the mean over seeds by setting; NaN where any seed failed."""
        return dict(zip(self.names, self.values.mean(axis=0).tolist(), strict=True))

    def standard_error(self) -> dict[str, float]:
        """Return the standard error of the mean by setting."""
        spread = self.values.std(axis=0, ddof=1) if len(self.seeds) > 1 else 0 * self.values[0]
        return dict(zip(self.names, (spread / len(self.seeds) ** 0.5).tolist(), strict=True))


def seed_errors(
    bench: PairBench, truth: KernelTruth, settings: Sequence[Setting], seed: int
) -> dict[str, float]:
    """Return the kernel error of each setting on the pair of one seed."""
    plates = draw_pair(bench, seed)
    return {
        setting.name: kernel_error(kernel, truth)
        for setting, kernel in kernels(plates, settings, bench.config)
    }


def study_key(scenario: Scenario, merge_frames: bool) -> str:
    """Return what decides a seed's errors but for seed and settings; names the seeds' folder."""
    tables = {
        key: {k: v for k, v in table.items() if k != "seed"} if isinstance(table, dict) else table
        for key, table in scenario.document.items()
        if key not in ("name", "description", "specimen")
    }
    text = json.dumps(plain([tables, merge_frames]), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_study(
    scenario: Scenario,
    settings: Sequence[Setting],
    seeds: Sequence[int],
    folder: Path,
    progress: Progress,
    *,
    workers: int = 1,
    merge_frames: bool = True,
) -> Errors:
    """Return the errors of settings on seeds; what ``folder`` holds already is not redone.

    Parameters
    ----------
    scenario : Scenario
        Instrument, target, conditions. Its own seed is not used.
    settings : sequence of Setting
    seeds : sequence of int
    folder : Path
        Working folder; errors are kept in ``folder/<key>/<seed>.json``.
    progress : callable
        See `scintscope.progress`.
    workers : int
        Processes; each sets the instrument up once.
    merge_frames : bool
        See `pairs.as_one_frame`.
    """
    if workers < 1:
        raise InputError(f"workers = {workers}: give a whole number from 1.")
    place = folder / study_key(scenario, merge_frames)
    place.mkdir(parents=True, exist_ok=True)
    write_json(place / "conditions.json", scenario.document)
    missing = [seed for seed in seeds if _lacking(place, seed, settings)]
    with progress("seeds", len(seeds)) as advance:
        advance(len(seeds) - len(missing))
        if missing:
            with _workers(min(workers, len(missing)), scenario, merge_frames) as each:
                for seed, found in each(missing, settings, place):
                    _keep(place, seed, found)
                    advance(1)
    return collect(place, seeds, settings)


def collect(place: Path, seeds: Sequence[int], settings: Sequence[Setting]) -> Errors:
    """Return the errors that a working folder holds."""
    names = tuple(setting.name for setting in settings)
    rows = [[_known(place, seed)[name] for name in names] for seed in seeds]
    return Errors(seeds=tuple(seeds), names=names, values=np.array(rows, dtype=np.float64))


def _known(place: Path, seed: int) -> dict[str, float]:
    path = place / f"{seed}.json"
    if not path.exists():
        return {}
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _lacking(place: Path, seed: int, settings: Sequence[Setting]) -> list[Setting]:
    known = _known(place, seed)
    return [setting for setting in settings if setting.name not in known]


def _keep(place: Path, seed: int, found: dict[str, float]) -> None:
    write_json(place / f"{seed}.json", _known(place, seed) | found)


Each = Callable[[list[int], Sequence[Setting], Path], Iterator[tuple[int, dict[str, float]]]]
_STATE: dict[str, Any] = {}
"""A worker process's bench and truth, and what they are of."""


def bench_and_truth(scenario: Scenario, merge_frames: bool = True) -> tuple[PairBench, KernelTruth]:
    """Return a scenario's bench and its true kernel; the last ones set up are kept.

    A scenario that differs from the last in exposures, defects, drift, noise or restoration alone
    is not rendered again.
    """
    rendered, key = _rendered_key(scenario), study_key(scenario, merge_frames)
    if _STATE.get("rendered") != rendered:
        _STATE["bench"] = set_up_pairs(scenario, merge_frames=merge_frames)
        _STATE["rendered"] = rendered
    elif _STATE.get("key") != key:
        _STATE["bench"] = under(_STATE["bench"], scenario, merge_frames=merge_frames)
    _STATE["key"] = key
    bench: PairBench = _STATE["bench"]
    return bench, pair_truth(bench.responses["thin"], bench.responses["thick"])


def _rendered_key(scenario: Scenario) -> str:
    """Return what decides a bench's rendering."""
    tables: dict[str, Any] = json.loads(json.dumps(plain(scenario.document)))
    for name in ("name", "description", "specimen", "acquisition", "restoration"):
        tables.pop(name, None)
    for plate in ("thin", "thick"):
        for name in ("exposure_s", "defects"):
            tables[plate].pop(name, None)
    for name in ("defects", "noise"):
        tables.get("accuracy", {}).get("effects", {}).pop(name, None)
    return json.dumps(tables, sort_keys=True)


def _start(scenario: Scenario, merge_frames: bool) -> None:
    _STATE["work"] = bench_and_truth(scenario, merge_frames)


def _work(task: tuple[int, list[Setting]]) -> tuple[int, dict[str, float]]:
    seed, settings = task
    bench, truth = _STATE["work"]
    return seed, seed_errors(bench, truth, settings, seed)


@contextmanager
def _workers(count: int, scenario: Scenario, merge_frames: bool) -> Iterator[Each]:
    """Give a function that maps seeds to errors, in this process or in several."""

    def tasks(
        seeds: list[int], settings: Sequence[Setting], place: Path
    ) -> list[tuple[int, list[Setting]]]:
        return [(seed, _lacking(place, seed, settings)) for seed in seeds]

    if count == 1:
        _start(scenario, merge_frames)
        yield lambda seeds, settings, place: map(_work, tasks(seeds, settings, place))
        return
    with ProcessPoolExecutor(
        count,
        mp_context=get_context("spawn"),
        initializer=_start,
        initargs=(scenario, merge_frames),
    ) as pool:
        yield lambda seeds, settings, place: pool.map(_work, tasks(seeds, settings, place))
