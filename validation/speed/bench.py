"""Speed of the package beside its peers; see SOURCE.md. ``--quick`` is a smoke run on small sizes.

Writes ``bench.json`` and ``bench.md`` beside this file (a quick run: ``quick.json``, ``quick.md``).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import table_text
from environments import HERE, installed
from machine import machine
from rounds import THREADS, Competitor, Samples, in_turn, ratio

KERNEL = 61


def restoration(size: Any, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return Richardson-Lucy's record and ratios."""
    side, rounds = size["rl_side"], size["rounds"]
    record: dict[str, Any] = {"image": [side, side], "kernel": [KERNEL, KERNEL], "runs": {}}
    ratios: dict[str, Any] = {}
    for iterations in (8, 50):
        print(f"Richardson-Lucy, {iterations} iterations", file=sys.stderr, flush=True)
        given = {"side": side, "kernel": KERNEL, "iterations": iterations}
        names = ["scintscope", "skimage", "scintscope_mkl", "floor", "tiled_floor", "mkl_floor"]
        names += ["jax_floor", *(["redlionfish"] if iterations == 8 else [])]
        found = in_turn([_rl(n, given, folder) for n in names], rounds)
        record["runs"][str(iterations)] = {n: s.summary() for n, s in found.items()}
        end = "" if iterations == 50 else "_8_iterations"
        ours = found["scintscope"]
        ratios[f"rl_speedup_vs_skimage{end}"] = ratio(found["skimage"], ours)
        ratios[f"rl_mkl_speedup_vs_skimage{end}"] = ratio(found["skimage"], found["scintscope_mkl"])
        ratios[f"rl_over_fft_floor{end}"] = ratio(ours, found["floor"])
        ratios[f"rl_over_own_tiled_floor{end}"] = ratio(ours, found["tiled_floor"])
        if iterations == 8:
            record["agreement_with_skimage"] = {
                n: _difference(folder, n, "skimage")
                for n in ("scintscope", "scintscope_mkl", "redlionfish")
            }
    record["acceleration"] = _acceleration(side)
    return record, ratios


def _rl(name: str, given: dict[str, Any], folder: Path) -> Competitor:
    floors = name.endswith("floor")
    saved = {} if floors or given["iterations"] != 8 else {"save": str(folder / f"{name}.npy")}
    environment = {"scintscope_mkl": "mkl", "mkl_floor": "mkl", "redlionfish": "redlionfish"}
    return Competitor(
        name=name,
        task=f"tasks_restoration:{name}",
        parameters=given | saved,
        environment=environment.get(name, "ours"),
        with_source=name == "scintscope_mkl",
    )


def _difference(folder: Path, name: str, other: str) -> float | None:
    """Return the largest difference of two saved images over the second's largest value."""
    files = [folder / f"{n}.npy" for n in (name, other)]
    if not all(f.exists() for f in files):
        return None
    first, second = (np.load(f).astype(np.float64) for f in files)
    return float(np.abs(first - second).max() / np.abs(second).max())


def _acceleration(side: int) -> dict[str, Any]:
    """Return how many accelerated iterations reach the likelihood of fifty plain ones."""
    given = {"side": side, "kernel": KERNEL}
    plain, fast = (
        in_turn(
            [
                Competitor(
                    name=f"{kind}, {count} iterations",
                    task="tasks_restoration:scintscope",
                    parameters=given | {"iterations": count, "acceleration": kind},
                )
            ],
            1,
            warm=False,
        )
        for kind, count in (("none", 51), ("biggs_andrews", 31))
    )
    wanted = next(iter(plain.values())).returned["history"][50]
    history = next(iter(fast.values())).returned["history"]
    reached = next((i for i, value in enumerate(history) if value <= wanted), None)
    return {"misfit_after_50_plain": wanted, "accelerated_iterations_for_it": reached}


def psf_stack(size: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the record and ratios of PSF stacks."""
    print("PSF stack", file=sys.stderr, flush=True)
    given = {"planes": size["psf_planes"], "side": size["psf_side"]}
    found = in_turn(
        [
            Competitor(name="scintscope", task="tasks_psf:scintscope", parameters=given),
            *(
                Competitor(name=n, task=f"tasks_psf:{n}", parameters=given, environment=n)
                for n in ("psfmodels", "microsim")
            ),
        ],
        size["rounds"],
    )
    ours = found["scintscope"]
    record = given | {"runs": {n: s.summary() for n, s in found.items()}}
    return record, {
        "psf_stack_speedup_vs_psfmodels": ratio(found["psfmodels"], ours),
        "psf_stack_speedup_vs_microsim_zscan": ratio(found["microsim"], ours),
    }


def forward(size: Any, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the record and ratios of the light image."""
    print("forward", file=sys.stderr, flush=True)
    given = {"side": size["side"], "planes": size["planes"], "energies": size["energies"]}
    task = "tasks_forward:"
    counts: dict[str, dict[str, int]] = {"scintscope": {}, "plain_convolution": {"count": 10}}
    counts["separable_loop"] = {"timed_energies": 1}
    found = in_turn(
        [Competitor(name=n, task=task + n, parameters=given | c) for n, c in counts.items()],
        size["slow_rounds"],
    )
    found |= in_turn(
        [Competitor(name="plane_by_plane", task=task + "plane_by_plane", parameters=given)],
        1,
        warm=False,
    )
    small = given | {"side": size["error_side"], "as_wide_as": size["side"]}
    found |= in_turn(
        [
            Competitor(
                name=f"{kind}, {size['error_side']}",
                task=task + kind,
                parameters=small | {"save": str(folder / f"{kind}.npy")},
            )
            for kind in ("scintscope", "exact")
        ],
        1,
        warm=False,
    )
    record = given | {"runs": {n: s.summary() for n, s in found.items()}}
    return record, _forward_ratios(found, folder)


def _forward_ratios(found: dict[str, Samples], folder: Path) -> dict[str, Any]:
    ours, loop = found["scintscope"], found["separable_loop"]
    ratios: dict[str, Any] = {}
    ratios["forward_speedup_vs_planes"] = ratio(found["plane_by_plane"], ours)
    timed = loop.returned.get("timed_planes")
    if timed and ours.facts:
        whole = ours.facts["planes"] * ours.facts["energies"] / timed
        ratios["forward_speedup_vs_separable_loop"] = ratio(loop, ours, whole)
        fewer = loop.facts["converged_planes"] / ours.facts["planes"]
        ratios["forward_speedup_vs_converged_loop"] = ratio(loop, ours, whole * fewer)
    count = found["plain_convolution"].returned.get("convolutions")
    ratios["forward_plain_convolutions"] = (
        ratio(ours, found["plain_convolution"], count) if count else None
    )
    files = [folder / f"{kind}.npy" for kind in ("exact", "scintscope")]
    if all(f.exists() for f in files):
        exact, fast = (np.load(f) for f in files)
        ratios["forward_rms_error"] = _only(np.sqrt(np.mean((fast - exact) ** 2)) / exact.std())
        ratios["forward_largest_error"] = _only(np.abs(fast - exact).max() / exact.std())
    return ratios


def _only(value: Any) -> dict[str, float]:
    return {"median": float(value), "least": float(value), "most": float(value)}


def microsim_volume(size: Any) -> dict[str, Any]:
    """Return the record of microsim's image formation, a 3-D convolution of a volume."""
    print("microsim, volume", file=sys.stderr, flush=True)
    given = {"planes": size["planes"], "side": size["side"] // 4, "psf_side": size["psf_side"]}
    competitor = Competitor(
        name="microsim_volume",
        task="tasks_psf:microsim_volume",
        parameters=given,
        environment="microsim",
    )
    found = in_turn([competitor], 1, warm=False)
    return given | {"runs": {n: s.summary() for n, s in found.items()}}


def scaling(size: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the light image's and Richardson-Lucy's cost over size, planes, energies, threads."""
    print("scaling", file=sys.stderr, flush=True)
    base = {"side": size["curve_side"], "planes": 64, "energies": 30}
    curves: dict[str, list[dict[str, Any]]] = {}
    for axis, values in size["curves"].items():
        if axis != "threads":
            curves[f"forward over {axis}"] = [
                _point("tasks_forward:scintscope", base, axis, v) for v in values
            ]
    rl = {"side": size["curve_side"], "kernel": KERNEL, "iterations": 8}
    curves["Richardson-Lucy over side"] = [
        _point("tasks_restoration:scintscope", rl, "side", v) for v in size["curves"]["side"]
    ]
    for task, given in (("forward", base), ("restoration", rl)):
        curves[f"{task} over threads"] = [
            _point(f"tasks_{task}:scintscope", given, "processors", v)
            for v in size["curves"]["threads"]
        ]
    return curves


def _point(task: str, base: dict[str, Any], axis: str, value: int) -> dict[str, Any]:
    found = in_turn(
        [Competitor(name=f"{axis} {value}", task=task, parameters=base | {axis: value})], 2
    )
    summary = next(iter(found.values())).summary()
    return {axis: value} | {k: summary.get(k) for k in ("median_s", "peak_mib", "error", "facts")}


FULL = {
    "rl_side": 2048, "rounds": 5, "slow_rounds": 3, "psf_planes": 128, "psf_side": 255,
    "side": 2048, "planes": 128, "energies": 60, "error_side": 512, "curve_side": 1024,
    "curves": {
        "side": [512, 1024, 2048, 4096], "planes": [16, 32, 128, 512], "energies": [1, 10, 30, 100],
        "threads": [1, 2],
    },
}  # fmt: skip
QUICK = {
    "rl_side": 256, "rounds": 2, "slow_rounds": 1, "psf_planes": 8, "psf_side": 63,
    "side": 512, "planes": 16, "energies": 20, "error_side": 512, "curve_side": 512,
    "curves": {"side": [512], "planes": [16], "energies": [1, 20], "threads": [1, 2]},
}  # fmt: skip


def main() -> int:
    """Run everything and write the record and its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--only", nargs="*", default=["restoration", "psf", "forward", "scaling"])
    options = parser.parse_args()
    size, start = QUICK if options.quick else FULL, time.perf_counter()
    record: dict[str, Any] = {"machine": machine(), "threads": THREADS, "cases": {}}
    ratios: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "restoration" in options.only:
            record["cases"]["restoration"], new = restoration(size, folder)
            ratios |= new
        if "psf" in options.only:
            record["cases"]["psf_stack"], new = psf_stack(size)
            ratios |= new
        if "forward" in options.only:
            record["cases"]["forward"], new = forward(size, folder)
            ratios |= new
            record["cases"]["microsim_volume"] = microsim_volume(size)
    if "scaling" in options.only:
        record["scaling"] = scaling(size)
    record["versions"] = {e: installed(e) for e in ("ours", "mkl", "psfmodels", "microsim")}
    record["versions"]["redlionfish"] = installed("redlionfish")
    record["ratios"] = {k: v and v["median"] for k, v in ratios.items()}
    record["spread"] = {k: v and [v["least"], v["most"]] for k, v in ratios.items()}
    record["seconds"] = time.perf_counter() - start
    target = HERE / ("quick.json" if options.quick else "bench.json")
    target.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    target.with_suffix(".md").write_text(table_text.markdown(record), encoding="utf-8")
    print(table_text.markdown(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
