"""Speed of the package beside its peers; see SOURCE.md. ``--quick`` is a smoke run on small sizes.

Writes ``bench.json`` and ``bench.md`` beside this file (a quick run: ``quick.json``, ``quick.md``)
when all cases are done. A run that was stopped goes on with the case it was at.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cases_forward
import cases_restoration
import table_text
from environments import HERE, PEERS, installed
from machine import machine
from rounds import CLEAN_SHARE, THREADS
from store import Store, code_digest, write_whole

CASES: dict[str, Any] = {
    "richardson_lucy_8": cases_restoration.richardson_lucy_8,
    "richardson_lucy_50": cases_restoration.richardson_lucy_50,
    "acceleration": cases_restoration.acceleration,
    "psf_estimate": cases_restoration.psf_estimate,
    "psf_stack": cases_restoration.psf_stack,
    "forward": cases_forward.forward,
    "forward_error": cases_forward.forward_error,
    "microsim_volume": cases_forward.microsim_volume,
    **{
        f"{kind}_over_{axis}": cases_forward.curve(axis, kind)
        for kind, axes in (
            ("forward", ("side", "planes", "energies", "threads")),
            ("restoration", ("side", "threads")),
        )
        for axis in axes
    },
}
"""Each gets sizes and a folder for its files, and returns what was given, runs and ratios."""

FULL = {
    "rl_side": 2048, "rounds": 5, "slow_rounds": 3, "psf_planes": 128, "psf_side": 255,
    "side": 2048, "planes": 128, "energies": 60, "error_side": 512,
    "curve_side": 1024, "curve_planes": 64, "curve_energies": 60,
    "curves": {
        "side": [512, 1024, 2048, 4096], "planes": [16, 32, 128, 512], "energies": [1, 40, 60, 100],
        "threads": [1, 2],
    },
}  # fmt: skip
QUICK = {
    "rl_side": 256, "rounds": 2, "slow_rounds": 1, "psf_planes": 8, "psf_side": 63,
    "side": 512, "planes": 25, "energies": 40, "error_side": 512,
    "curve_side": 512, "curve_planes": 25, "curve_energies": 40,
    "curves": {"side": [512], "planes": [25, 32], "energies": [1, 40], "threads": [1, 2]},
}  # fmt: skip


def main() -> int:
    """Run every case and write the record and its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--only", nargs="+", choices=CASES, help="these cases; nothing is written")
    parser.add_argument("--fresh", action="store_true", help="forget what a stopped run finished")
    options = parser.parse_args()
    size, name = (QUICK, "quick") if options.quick else (FULL, "bench")
    here = machine()
    load_at_start = here.pop("load_at_start")
    store = Store(HERE / f"{name}.partial", {"size": size, "code": code_digest(), "machine": here})
    if options.fresh:
        store.clear()
        store.cases = {}
    for case in options.only or CASES:
        if case not in store.cases:
            store.keep(case, _timed(case, size) | {"load_at_start": load_at_start})
    if options.only:
        print(json.dumps({c: store.cases[c]["ratios"] for c in options.only}, indent=1))
        return 0
    record = _record(store.key, store.cases)
    write_whole(HERE / f"{name}.json", json.dumps(record, indent=1) + "\n")
    write_whole(HERE / f"{name}.md", table_text.markdown(record))
    store.clear()
    print(table_text.markdown(record))
    return 0


def _timed(name: str, size: dict[str, Any]) -> dict[str, Any]:
    print(name.replace("_", " "), file=sys.stderr, flush=True)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        case: dict[str, Any] = CASES[name](size, Path(folder))
    return case | {"seconds": round(time.perf_counter() - start, 1)}


def _record(key: dict[str, Any], cases: dict[str, Any]) -> dict[str, Any]:
    """Return everything in one record; ratios flat, a median each, their spread beside."""
    ratios = {k: v for case in cases.values() for k, v in case["ratios"].items()}
    return {
        "machine": key["machine"],
        "load": _load(cases),
        "threads": THREADS,
        "code": key["code"],
        "versions": {e: installed(e) for e in ("ours", *PEERS)},
        "sizes": key["size"],
        "ratios": {k: v and v["median"] for k, v in ratios.items()},
        "spread": {k: v and [v["least"], v["most"]] for k, v in ratios.items()},
        "cpu_ratios": {k: v["cpu"] for k, v in ratios.items() if v and "cpu" in v},
        "seconds": round(sum(case["seconds"] for case in cases.values()), 1),
        "cases": {name: cases[name] for name in CASES},
    }


def _load(cases: dict[str, Any]) -> dict[str, Any]:
    """Return what others took of the processors while samples were taken."""
    shares = [
        run["others_share"]
        for case in cases.values()
        for run in case["runs"].values()
        if run.get("others_share") is not None
    ]
    clean = sum(share <= CLEAN_SHARE for share in shares)
    return {
        "average_at_start": max(case["load_at_start"] for case in cases.values()),
        "average_at_end": round(os.getloadavg()[0], 2),
        "median_others_share": sorted(shares)[len(shares) // 2] if shares else None,
        "clean_runs": clean,
        "runs": len(shares),
        "quiet": clean == len(shares),
    }


if __name__ == "__main__":
    sys.exit(main())
