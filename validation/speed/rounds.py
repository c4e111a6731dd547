"""Competitors called in turn, each in a process of its own, one computing at a time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

from environments import HERE, ROOT, python_of

THREADS = {
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "MKL_NUM_THREADS": "2",
    "NUMEXPR_NUM_THREADS": "2",
    "KMP_BLOCKTIME": "0",
}
"""Of peers and floors. Our own tasks fix theirs as the command does (`scintscope.threads`)."""

STRIPPED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "GLIBC_TUNABLES", "XLA_FLAGS", "PJRT_NPROC")
TIMEOUT_S = 1800
"""For one preparation or one call; then the competitor counts as failed and the bench goes on."""

CLEAN_SHARE = 0.15
"""A sample during which others took more than this of the processors is not clean."""


WITH_SOURCE = ("ours", "mkl")
"""Environments whose workers import this source tree."""


@dataclass(frozen=True, kw_only=True)
class Competitor:
    """Something to time: a function of a task module, its parameters, its environment."""

    name: str
    task: str
    parameters: dict[str, Any] = field(default_factory=dict)
    environment: str = "ours"


@dataclass
class Samples:
    """What the rounds gave for one competitor."""

    facts: dict[str, Any] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""

    def median(self, key: str = "seconds") -> float:
        """Return the median of a measured number."""
        return statistics.median(s[key] for s in self.samples) if self.samples else float("nan")

    @property
    def returned(self) -> dict[str, Any]:
        """What the last call returned."""
        return (self.samples[-1]["returned"] or {}) if self.samples else {}

    def summary(self) -> dict[str, Any]:
        """Return the numbers that are recorded."""
        if not self.samples:
            return {"error": self.error}
        seconds = [s["seconds"] for s in self.samples]
        shares = [s["others_share"] for s in self.samples if s["others_share"] is not None]
        return {
            "median_s": self.median(),
            "least_s": min(seconds),
            "most_s": max(seconds),
            "rounds": len(seconds),
            "cpu_s": self.median("cpu_s"),
            "others_share": statistics.median(shares) if shares else None,
            "peak_mib": max(s["peak_mib"] for s in self.samples),
            "returned": {k: v for k, v in self.returned.items() if k != "history"},
            "facts": self.facts,
        }


class Worker:
    """A competitor's process."""

    def __init__(self, competitor: Competitor) -> None:
        python, problem = python_of(competitor.environment)
        self.error = problem or ""
        self.facts: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None
        if problem:
            return
        environment = {k: v for k, v in os.environ.items() if k not in STRIPPED} | THREADS
        environment.pop("PYTHONPATH", None)
        if competitor.environment in WITH_SOURCE:
            environment["PYTHONPATH"] = str(ROOT / "src")
        self.process = subprocess.Popen(
            [python, str(HERE / "worker.py"), competitor.task, json.dumps(competitor.parameters)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=HERE,
            env=environment,
        )

    def wait(self) -> None:
        """Wait until the competitor is prepared."""
        if self.process is not None:
            self.facts = self._read().get("facts", {})

    def _read(self) -> dict[str, Any]:
        assert self.process is not None and self.process.stdout is not None
        limit = threading.Timer(TIMEOUT_S, self.process.kill)
        limit.start()
        line = self.process.stdout.readline()
        limit.cancel()
        message = (
            json.loads(line)
            if line
            else {"error": "the process ended without a word, or took too long"}
        )
        if "error" in message:
            self.error = str(message["error"]).strip().splitlines()[-1][:300]
            self.close()
        return message

    def call(self) -> dict[str, Any] | None:
        """Compute once."""
        if self.process is None or self.error:
            return None
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        message = self._read()
        return None if self.error else message

    def close(self) -> None:
        """End the process."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def in_turn(competitors: list[Competitor], rounds: int, *, warm: bool = True) -> dict[str, Samples]:
    """Return the samples of all competitors: one discarded round, then A B C A B C ...

    The first is prepared alone (what it computes once and keeps, the others read), then the rest
    together; nothing is timed before all are.
    """
    workers: dict[str, Worker] = {}
    try:
        for group in (competitors[:1], competitors[1:]):
            new = {c.name: Worker(c) for c in group}
            workers |= new
            for worker in new.values():
                worker.wait()
        results = {name: Samples(facts=w.facts, error=w.error) for name, w in workers.items()}
        for turn in range(-1 if warm else 0, rounds):
            for name, worker in workers.items():
                sample = worker.call()
                results[name].error = worker.error
                if sample is not None and turn >= 0:
                    results[name].samples.append(sample)
    finally:
        for worker in workers.values():
            worker.close()
    for name, result in results.items():
        text = f"{result.median():.4g} s" if result.samples else result.error
        print(f"  {name}: {text}", file=sys.stderr, flush=True)
    return results


def ratio(slow: Samples, fast: Samples, factor: float = 1.0) -> dict[str, float] | None:
    """Return the ratio of two competitors round by round: median, least, most, cpu; or None.

    ``cpu`` is that of the median processor seconds: what is left to compare on a loaded machine.

    A competitor that was called once is compared with every round of the other.
    """
    first = [s["seconds"] for s in slow.samples]
    second = [s["seconds"] for s in fast.samples]
    if len(first) == 1:
        first *= len(second)
    pairs = [factor * a / b for a, b in zip(first, second, strict=False)]
    if not pairs:
        return None
    return {
        "median": statistics.median(pairs),
        "least": min(pairs),
        "most": max(pairs),
        "cpu": factor * slow.median("cpu_s") / fast.median("cpu_s"),
    }
