"""Kill at random moments and resume: nothing complete is lost, and the end is the same bits.

``python validation/dataset/kill_and_resume.py [CYCLES]`` starts the command with two workers on
``tiny.toml`` and kills it CYCLES (20) times: everything at once (kill -9 of its session), the client
alone, or one worker. After every cycle each sample that ever counted as complete must still do, with
the hash of an undisturbed run. Then it is resumed to the end and checked. Three minutes a dozen
cycles on two free cores.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import runs

SAMPLES = 160
LONGEST_S = 20.0


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


def cycle(store: Path, what: str, rng: np.random.Generator) -> float:
    """Run, kill at a random moment, and make sure that nothing of it is left running."""
    arguments = ("dataset", runs.TINY, "--out", store, "--samples", SAMPLES, "--workers", 2)
    process = runs.start(*arguments, "--resume")
    moment = float(rng.uniform(1.0, LONGEST_S))
    time.sleep(moment)
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
            moment = cycle(store, what, rng)
            found = runs.complete(store) if (store / "scintscope").exists() else {}
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
