"""Pairs a second at 512 x 512 with all contents: where the time goes, workers, the writer's share.

``python validation/dataset/throughput.py [PAIRS]`` on a machine that does nothing else, PAIRS (5) a
worker: (1) one process, one thread: seconds of each step of a pair; (2) a cluster of one worker:
pairs a second made only, and made, staged and packed; (3) two workers, made and packed. Every
worker first makes a pair that is not counted, which computes its optics. Four minutes on two cores.
"""

from __future__ import annotations

import os

os.environ["SCINTSCOPE_POOL_THREADS"] = "1"  # before the package is imported

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import runs

from scintscope.dataset import load_study
from scintscope.dataset.build import prepared
from scintscope.dataset.engine import Task, local_cluster
from scintscope.dataset.store import Store
from scintscope.dataset.worker import Done, make_and_stage, make_only, pack_shard
from scintscope.threads import fix_threads

STUDY = Path(__file__).parents[2] / "scenarios" / "datasets" / "standard.toml"
SETS = ("instruments=1",)  # rates are of pairs; optics come once in 16 and are told apart
LEAST_SPEED_UP, MOST_WRITING = 0.85 * 2.0, 0.20


@contextmanager
def timed(steps: dict[str, float], name: str) -> Iterator[None]:
    """Add a block's seconds to a step."""
    start = time.perf_counter()
    yield
    steps[name] = steps.get(name, 0.0) + time.perf_counter() - start


def steps_of_a_pair(store: Store, pairs: int) -> dict[str, float]:
    """Return mean seconds of each step of a pair in one process, and of an instrument's optics."""
    from scintscope.dataset import draw, make, scenario_of
    from scintscope.dataset.hashes import sample_hash
    from scintscope.dataset.instruments import InstrumentShelf
    from scintscope.dataset.score import scores
    from scintscope.forward.simulate import expose_all, set_up
    from scintscope.pipeline import experiment, restore_exposures
    from scintscope.progress import silent

    shelf, study = InstrumentShelf(), store.study
    steps: dict[str, float] = {}
    first: dict[str, float] = {}
    for index in range(pairs + 1):
        into = steps if index else first
        scenario = scenario_of(study, draw(study, index))
        with timed(into, "optics, or looking them up"):
            ready = shelf.apparatus(scenario.instrument())
        with timed(into, "plates' defects"):
            bench = set_up(experiment(scenario), ready)
        with timed(into, "images and frames"):
            exposures = expose_all(bench, silent)
        with timed(into, "restoration"):
            restoration = restore_exposures(scenario, exposures, silent)
        case = make.Case(
            study=study,
            scenario=scenario,
            bench=bench,
            exposures=exposures,
            restoration=restoration,
            trouble="",
        )
        with timed(into, "truths and other arrays"):
            arrays = make._arrays(case)
        with timed(into, "scores"):
            scores(case, arrays)
        with timed(into, "hash"):
            sample_hash(arrays, {})
    found = {name: round(seconds / pairs, 3) for name, seconds in steps.items()}
    found["first pair of an instrument: optics"] = round(first["optics, or looking them up"], 3)
    found["first pair of an instrument: images and frames"] = round(first["images and frames"], 3)
    return found


def rate(engine: Any, function: Callable[..., Done], store: Store, pairs: int) -> float:
    """Return pairs a second of a cluster that has made a pair on every worker before."""
    folder, first = str(store.path), store.study.shard_samples
    tasks: Iterator[Task] = iter([(function, (folder, first + i)) for i in range(pairs)])
    left = [pairs]

    def more(done: Done) -> list[Task]:
        left[0] -= done.kind == "sample"
        last = not left[0] and done.kind == "sample" and function is make_and_stage
        return [(pack_shard, (folder, 1))] if last else []

    start = time.perf_counter()
    for done in engine.run(tasks, more):
        if done.problem:
            raise RuntimeError(done.problem)
    return pairs / (time.perf_counter() - start)


def warm(engine: Any, store: Store, workers: int) -> None:
    """Make a pair on every worker, so that its optics are there."""
    futures = [
        engine._client.submit(make_only, str(store.path), 0, workers=[name], pure=False)
        for name in engine._client.nthreads()
    ]
    engine._client.gather(futures)
    if len(futures) != workers:
        raise RuntimeError(f"{len(futures)} workers instead of {workers}")


def main(pairs: int) -> int:
    """Measure; return 0 if the promises are kept."""
    fix_threads()
    study = load_study(STUDY, SETS)
    result: dict[str, Any] = {"study": STUDY.name, "pairs_per_worker": pairs}
    with tempfile.TemporaryDirectory() as folder:
        store = prepared(study, Path(folder) / "store", resume=False)
        result["seconds_of_a_pair"] = steps_of_a_pair(store, 2)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        result["peak_memory_of_a_process_mb"] = round(peak_mb)
        with local_cluster(1) as engine:
            warm(engine, store, 1)
            result["made_only_1_worker_per_s"] = rate(engine, make_only, store, pairs)
            result["written_1_worker_per_s"] = rate(engine, make_and_stage, store, pairs)
        with local_cluster(2) as engine:
            warm(engine, store, 2)
            result["written_2_workers_per_s"] = rate(engine, make_and_stage, store, 2 * pairs)
    speed_up = result["written_2_workers_per_s"] / result["written_1_worker_per_s"]
    writing = 1.0 - result["written_1_worker_per_s"] / result["made_only_1_worker_per_s"]
    result |= {"speed_up_1_to_2": speed_up, "share_of_writing": writing}
    result["holds"] = bool(speed_up >= LEAST_SPEED_UP and writing <= MOST_WRITING)
    result["load_average"] = os.getloadavg()
    runs.write_result("throughput", result)
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
