"""Kill at random moments and resume: nothing complete is lost, and the end is the same bits.

``python validation/dataset/kill_and_resume.py [CYCLES]`` starts the command with two workers on
``tiny.toml`` and kills it CYCLES (20) times: everything at once (kill -9 of its session), the
client alone, or one worker. After every cycle each sample that ever counted as complete must still
do, with the hash of an undisturbed run. Then it is resumed to the end and checked. Five minutes on
two free cores.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import runs

from scintscope.dataset.staging import staged
from scintscope.dataset.store import open_store, read_records

SAMPLES = 160
LONGEST_S = 6.0
START_S = 300.0
"""A run that stages nothing for so long is killed all the same."""


def children(process: int) -> list[int]:
    """Return the processes of a session that are not its leader."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(words[3]) == process and int(path.name) != process:
            found.append(int(path.name))
    return found


def kill(process: int, what: str, rng: np.random.Generator) -> None:
    """Kill -9 a session, its leader alone, or one of its other processes."""
    if what == "everything":
        os.killpg(process, signal.SIGKILL)
    elif what == "client":
        os.kill(process, signal.SIGKILL)
    elif others := children(process):
        os.kill(int(rng.choice(others)), signal.SIGKILL)


def wait_for_work(store: Path, process: subprocess.Popen[bytes], before: int) -> None:
    """Return when a sample more than before counts as complete, or the run has ended."""
    start = time.monotonic()
    while process.poll() is None and time.monotonic() - start < START_S:
        if (store / "scintscope" / "study.json").is_file() and len(counted(store)) > before:
            return
        time.sleep(0.05)


def counted(folder: Path) -> set[int]:
    """Return which samples count as complete, without looking into them."""
    store = open_store(folder)
    return set(read_records(store)) | staged(store)


def cycle(store: Path, what: str, before: int, rng: np.random.Generator) -> float:
    """Run, kill at a random moment, and make sure that nothing of it is left running.

    Three in four are killed up to six seconds after their first sample, one at any time after its
    start: before there is a store, while workers start, while optics are computed.
    """
    arguments = ("dataset", runs.TINY, "--out", store, "--samples", SAMPLES, "--workers", 2)
    process = runs.start(*arguments, "--resume")
    begun = time.monotonic()
    if rng.random() < 0.75:
        wait_for_work(store, process, before)
    time.sleep(float(rng.uniform(0.0, LONGEST_S)))
    moment = time.monotonic() - begun
    kill(process.pid, what, rng)
    if what == "worker":  # the run goes on with the others; end it after a while
        time.sleep(3.0)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if what == "client":  # its workers notice, and end by themselves; do not wait for them long
        time.sleep(2.0)
    for other in children(process.pid):
        os.kill(other, signal.SIGKILL)
    return moment


def main(cycles: int) -> int:
    """Run the proof; return 0 if it holds."""
    rng = np.random.default_rng(8)
    with tempfile.TemporaryDirectory() as folder:
        calm, store = Path(folder) / "calm", Path(folder) / "killed"
        runs.run("dataset", runs.TINY, "--out", calm, "--samples", SAMPLES, "--workers", 2)
        wanted = runs.hashes(calm)
        before: dict[int, str] = {}
        history = []
        for number in range(cycles):
            what = ("everything", "everything", "client", "worker")[number % 4]
            moment = cycle(store, what, len(before), rng)
            found = runs.complete(store) if (store / "scintscope" / "study.json").exists() else {}
            lost = set(before) - set(found)
            wrong = [i for i, sha in found.items() if sha != wanted[i]]
            history.append(
                {"killed": what, "after_s": round(moment, 1), "complete": len(found)}
                | {"lost": len(lost), "wrong": len(wrong)}
            )
            print(history[-1], flush=True)
            before = found
        arguments = ("dataset", runs.TINY, "--out", store, "--samples", SAMPLES, "--workers", 2)
        runs.run(*arguments, "--resume")
        equal = runs.hashes(store) == wanted
    holds = equal and not any(h["lost"] or h["wrong"] for h in history)
    result = {"cycles": cycles, "samples": SAMPLES, "history": history, "equal_hashes": equal}
    runs.write_result("kill_and_resume", {**result, "holds": holds})
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
