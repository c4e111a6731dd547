"""Time and memory of large studies, written to scale.json; see SOURCE.md. Some five minutes.

Each study runs in a process of its own, so that its peak memory is its own.
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

from scintscope.outputs import versions, write_json

HERE = Path(__file__).parent
PAPER = HERE.parents[1] / "scenarios" / "paper.toml"
COMMON = f"""
base = "{PAPER}"
[set]
accuracy.effects.emission_band = true
[variables]
thick.thickness_um = {{ log_range = [10, 200], points = 50 }}
lens.na = {{ range = [0.1, 0.4], points = 20 }}
thick.focus_um = {{ range = [0, 100], points = 10 }}
[[objectives]]
kind = "mtf50"
[[objectives]]
kind = "dqe"
frequency_cy_per_um = 0.1
"""
STUDIES = {
    "grid 50 x 20 x 10": (COMMON, 60.0),
    "sample of 10,000": (COMMON + "[sample]\npoints = 10000\nseed = 1\n", 300.0),
}


def one(path: str) -> None:
    """Run a study in this process and print seconds and MB; designs and files are timed apart."""
    from scintscope.design.evaluate import Shelf, chunks_of, evaluate_all, gathered, study_key
    from scintscope.design.page import write_page
    from scintscope.design.results import conclude
    from scintscope.design.run import make_models
    from scintscope.design.study_file import load_study
    from scintscope.design.write import write_results
    from scintscope.progress import silent
    from scintscope.threads import fix_threads

    fix_threads()
    study, times, load = load_study(path), {}, os.getloadavg()[0]
    start = time.perf_counter()
    models = make_models(study, silent)
    times["tables"] = time.perf_counter() - start
    chunks = chunks_of(models, study.grid())
    start = time.perf_counter()
    shelf = Shelf.open(Path(path).with_suffix(""), study_key(study), resume=False)
    evaluate_all(study, models, chunks, shelf, lambda _: None)
    rows = gathered(study, chunks, shelf)
    times["designs"] = time.perf_counter() - start
    middle = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    results = conclude(study, models, rows)
    folder = Path(path).with_suffix(".out")
    folder.mkdir()
    answer = write_results(folder, results)
    write_page(folder, results, answer)
    times["answer_and_files"] = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "designs": int(rows[0]["mtf"].shape[0]),
        "frequencies": int(rows[0]["mtf"].shape[1]),
        "seconds": times,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "processor_seconds_to_designs": middle.ru_utime + middle.ru_stime,
        "within_one_step": answer["within_one_step"],
        "load_average_before": load,
        "peak_mb": usage.ru_maxrss / 1024.0,
    }
    print(json.dumps(found))


def main() -> int:
    """Rewrite scale.json; return 1 if a study takes longer than it may."""
    folder, rows = Path(tempfile.mkdtemp()), []
    for number, (name, (text, limit)) in enumerate(STUDIES.items()):
        path = folder / f"study_{number}.toml"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, __file__, str(path)], check=True, capture_output=True, text=True
        )
        row = {"study": name, "limit_s": limit, **json.loads(done.stdout.splitlines()[-1])}
        row["within"] = row["seconds"]["designs"] <= limit
        rows.append(row)
        print(row, flush=True)
    shutil.rmtree(folder)
    write_json(HERE / "scale.json", {"rows": rows, "versions": versions()})
    return int(not all(row["within"] for row in rows))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(sys.argv[1])
    else:
        sys.exit(main())
