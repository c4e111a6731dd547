"""Dask: any number of workers, killed ones, a scheduler that runs already."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataset_studies import tiny_file, tiny_study
from scintscope.dataset.build import HERE, make_dataset
from scintscope.dataset.check import check_store
from scintscope.dataset.engine import HereEngine, check_workers, running_cluster
from scintscope.dataset.store import open_store, read_records
from scintscope.dataset.worker import Done
from scintscope.errors import InputError
from scintscope.outputs import versions
from scintscope.progress import silent

# distributed leaves sockets and child processes to the collector when a cluster closes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COMMAND = [sys.executable, "-c", "import sys; from scintscope.cli import main; sys.exit(main())"]


def hashes(folder: Path) -> dict[int, str]:
    """Return the hashes of what a store holds."""
    report = check_store(open_store(folder), silent, remake=0)
    assert report.problems == {}
    return report.hashes


@pytest.mark.slow
def test_same_bits_on_a_cluster_and_after_a_kill(tmp_path: Path) -> None:
    """A run killed with all its workers, then resumed, gives the samples of a quiet one."""
    study = tiny_study(tmp_path, samples=16)
    make_dataset(study, tmp_path / "here", silent, scheduler=HERE)
    wanted = hashes(tmp_path / "here")
    file, store = tiny_file(tmp_path), tmp_path / "cluster"
    command = [*COMMAND, "dataset", str(file), "--out", str(store), "--samples", "16", "--resume"]
    process = subprocess.Popen(
        [*command, "--workers", "2"], start_new_session=True, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 300.0
    while len(_complete(store)) < 2 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert 2 <= len(_complete(store)) <= 16
    done = subprocess.run([*command, "--workers", "2"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert "16 of 16 samples complete" in done.stdout.decode()
    assert hashes(store) == wanted


def _complete(folder: Path) -> set[int]:
    """Return which samples count as complete."""
    if not (folder / "scintscope" / "study.json").is_file():
        return set()
    store = open_store(folder)
    staged = {int(p.stem.split("-")[1]) for p in (store.own / "staging").glob("sample-*.npz")}
    return staged | set(read_records(store))


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error says what was tried and how to start one."""
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(InputError, match=r"tcp://127.0.0.1:9: cannot be reached.*dask scheduler"),
    ):
        patch.setattr("scintscope.dataset.engine._CONNECT_TIMEOUT_S", 1)
        with running_cluster("tcp://127.0.0.1:9", str(tmp_path)):
            pass


def test_workers_that_would_differ_are_refused() -> None:
    """No workers, another version, or one that does not see the store: each is named."""
    good = {"versions": versions(), "sees_store": True}
    check_workers({"tcp://a": good}, "tcp://s")
    with pytest.raises(InputError, match="has no workers"):
        check_workers({}, "tcp://s")
    with pytest.raises(InputError, match=r"tcp://b has numpy 0.0.*lock file"):
        old = {**good, "versions": {**versions(), "numpy": "0.0"}}
        check_workers({"tcp://a": good, "tcp://b": old}, "tcp://s")
    with pytest.raises(InputError, match="does not see the store"):
        check_workers({"tcp://a": {**good, "sees_store": False}}, "tcp://s")


def test_tasks_that_follow_are_done_too() -> None:
    """What becomes possible when a task is done is done, and nothing is done twice."""
    seen: list[int] = []

    def work(number: int) -> Done:
        seen.append(number)
        return Done(kind="sample", number=number, seconds=0.0)

    def more(done: Done) -> list[tuple[object, tuple[int]]]:
        return [(work, (done.number + 10,))] if done.number < 3 else []

    tasks = iter([(work, (n,)) for n in range(3)])
    found = [d.number for d in HereEngine().run(tasks, more)]  # type: ignore[arg-type]
    assert sorted(found) == sorted(seen) == [0, 1, 2, 10, 11, 12]
