"""What the proofs share: the command in a process of its own, and what a store holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from scintscope.dataset.check import check_store
from scintscope.dataset.staging import sound_record, staged
from scintscope.dataset.store import open_store, read_records
from scintscope.machine import processor
from scintscope.outputs import versions
from scintscope.progress import silent

HERE = Path(__file__).parent
TINY = HERE / "tiny.toml"
COMMAND = [sys.executable, "-c", "import sys; from scintscope.cli import main; sys.exit(main())"]


def start(*arguments: object) -> subprocess.Popen[bytes]:
    """Start the command line in a session of its own, so that all of it can be killed at once."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ.copy(),
    )


def run(*arguments: object) -> None:
    """Run the command line to its end; raise if it fails."""
    process = start(*arguments)
    _, told = process.communicate()
    if process.returncode:
        raise RuntimeError(told.decode())


def hashes(folder: Path) -> dict[int, str]:
    """Return the hashes of all samples in a store's arrays; raise if one is bad."""
    report = check_store(open_store(folder), silent, remake=0)
    if report.problems:
        raise RuntimeError(f"{folder}: {report.problems}")
    return report.hashes


def complete(folder: Path) -> dict[int, str]:
    """Return the hashes of the samples that count as complete just now, staged ones included."""
    store = open_store(folder)
    found = {index: str(record["sha256"]) for index, record in read_records(store).items()}
    for index in staged(store) - set(found):
        record = sound_record(store, index)
        if record is None:
            raise RuntimeError(f"staged sample {index} is damaged")
        found[index] = record["sha256"]
    return found


def write_result(name: str, result: dict[str, Any]) -> None:
    """Write a proof's result beside it, with the machine it was made on."""
    record = {**result, "processor": processor(), "versions": versions()}
    path = HERE / f"{name}.json"
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    print(json.dumps(result, indent=1))
