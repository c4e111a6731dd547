"""Runs every shipped study by its command and writes commands.json; see SOURCE.md. Some minutes.

``python commands.py [STUDY ...]``: optimum by gradients against the dense grid for every objective,
time and memory of the whole command.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scintscope.outputs import versions, write_json

HERE = Path(__file__).parent
STORE = HERE / "commands.json"
ROOT = HERE.parents[1]
STUDIES = sorted((ROOT / "scenarios" / "studies").glob("*.toml"))


def run(path: Path, out: Path) -> dict[str, Any]:
    """Return what a study's command found, and what it took; tables of deposition may be kept."""
    load, start = os.getloadavg()[0], time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = str(Path(sys.executable).with_name("scintscope"))
    command = [program, "design", str(path), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads((out / "design.json").read_text(encoding="utf-8"))
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "study": found["study"],
        "command": f"scintscope design scenarios/studies/{path.name}",
        "seconds": time.perf_counter() - start,
        "processor_seconds": seconds,
        "load_average_before": load,
        "designs": found["designs"],
        "within_one_step": found["within_one_step"],
        "by_objective": found["by_objective"],
        "richardson_lucy_on_images": found["richardson_lucy_on_images"],
        "answer": found["answer"],
    }


def main() -> int:
    """Rewrite the rows of the studies asked for; return 1 if an optimum is off the grid's best."""
    asked = sys.argv[1:] or [path.stem for path in STUDIES]
    rows = json.loads(STORE.read_text(encoding="utf-8"))["rows"] if STORE.is_file() else []
    folder = Path(tempfile.mkdtemp())
    for path in STUDIES:
        if path.stem not in asked:
            continue
        row = run(path, folder / path.stem)
        print({k: v for k, v in row.items() if not isinstance(v, dict)}, flush=True)
        rows = [other for other in rows if other["study"] != row["study"]] + [row]
        rows.sort(key=lambda one: one["study"])
        write_json(STORE, {"rows": rows, "versions": versions()})
    shutil.rmtree(folder)
    return int(not all(row["within_one_step"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
