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
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.audit.estimates import kernels
from scintscope.audit.kernel_error import KernelTruth, kernel_error, pair_truth
from scintscope.audit.pairs import PairBench, draw_pair, set_up_pairs
from scintscope.audit.settings import Setting
from scintscope.errors import InputError
from scintscope.outputs import write_json
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
    text = json.dumps([tables, merge_frames], sort_keys=True)
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
"""A worker process's bench and truth."""


def _start(scenario: Scenario, merge_frames: bool) -> None:
    bench = set_up_pairs(scenario, merge_frames=merge_frames)
    _STATE["bench"] = bench
    _STATE["truth"] = pair_truth(bench.responses["thin"], bench.responses["thick"])


def _work(task: tuple[int, list[Setting]]) -> tuple[int, dict[str, float]]:
    seed, settings = task
    return seed, seed_errors(_STATE["bench"], _STATE["truth"], settings, seed)


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


def summary(errors: Errors) -> list[dict[str, Any]]:
    """Return a row for each setting, best first: name, mean, standard error."""
    mean, standard = errors.mean(), errors.standard_error()
    rows = [
        {"setting": name, "mean": mean[name], "standard_error": standard[name]} for name in mean
    ]
    return sorted(rows, key=lambda row: (not np.isfinite(row["mean"]), row["mean"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Recommendation:
    """The setting that was best on some seeds, judged on others.

    Parameters
    ----------
    setting : str
        Its name.
    selected_mean, judged_mean, judged_standard_error : float
        Mean error on the seeds it was chosen on, and on those it is judged on.
    best_judged : str
        The setting that would have been best on the judging seeds.
    best_judged_mean, ratio : float
        Its mean there, and the recommended setting's over it.
    """

    setting: str
    selected_mean: float
    judged_mean: float
    judged_standard_error: float
    best_judged: str
    best_judged_mean: float
    ratio: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def recommend(errors: Errors, select: Sequence[int], judge: Sequence[int]) -> Recommendation:
    """Return the setting of least mean error on the selection seeds, judged on others.

    Raises
    ------
    InputError
        The two sets of seeds share one.
    """
    shared = sorted(set(select) & set(judge))
    if shared:
        raise InputError(f"seed {shared[0]} both selects and judges: give disjoint seeds.")
    chosen = summary(errors.only(select))[0]
    judged = errors.only(judge)
    best = summary(judged)[0]
    mean = judged.mean()[chosen["setting"]]
    return Recommendation(
        setting=chosen["setting"],
        selected_mean=chosen["mean"],
        judged_mean=mean,
        judged_standard_error=judged.standard_error()[chosen["setting"]],
        best_judged=best["setting"],
        best_judged_mean=best["mean"],
        ratio=mean / best["mean"],
    )
