"""The same samples with 1, 2 and 4 workers, and on a scheduler started separately.

``python validation/dataset/equal_bits.py [SAMPLES]`` makes ``scenarios/datasets/small.toml`` on one
process, on clusters of 1, 2 and 4 workers, and on a ``dask scheduler`` with two ``dask worker``
processes of their own on loopback; all hashes must be equal. A quarter of an hour on two cores.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import runs

STUDY = Path(__file__).parents[2] / "scenarios" / "datasets" / "small.toml"


def free_port() -> int:
    """Return a port that is free on loopback."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def scheduler(workers: int) -> Iterator[str]:
    """Give the address of a scheduler with workers, each a process started by itself."""
    address = f"tcp://127.0.0.1:{free_port()}"
    dask = [sys.executable, "-m", "dask"]
    port = address.rsplit(":", 1)[1]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]]
    commands += [[*dask, "worker", address, "--nthreads", "1", "--no-dashboard"]] * workers
    processes = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            time.sleep(3.0)
        _wait_for_workers(address, workers)
        yield address
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()


def _wait_for_workers(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, timeout=60) as client:
        client.wait_for_workers(workers, timeout=120)


def main(samples: int) -> int:
    """Run the proof; return 0 if it holds."""
    found: dict[str, dict[int, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        make = ("dataset", STUDY, "--samples", samples, "--out")
        for workers in (1, 2, 4):
            name = f"{workers} workers"
            store = Path(folder) / name.replace(" ", "_")
            runs.run(*make, store, "--workers", workers)
            found[name] = runs.hashes(store)
            print(name, "done", flush=True)
        with scheduler(2) as address:
            runs.run(*make, Path(folder) / "running", "--scheduler", address)
        found["scheduler started separately, 2 workers"] = runs.hashes(Path(folder) / "running")
        runs.run(*make, Path(folder) / "here", "--scheduler", "here")
        found["no cluster"] = runs.hashes(Path(folder) / "here")
    first = found["1 workers"]
    equal = {name: hashes == first for name, hashes in found.items()}
    result = {"study": STUDY.name, "samples": samples, "equal_to_one_worker": equal}
    result["first_hashes"] = {str(i): first[i] for i in sorted(first)[:4]}
    runs.write_result("equal_bits", result)
    return 0 if all(equal.values()) and len(first) == samples else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 16))
