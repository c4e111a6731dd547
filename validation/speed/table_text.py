"""The record as Markdown."""

from __future__ import annotations

from typing import Any

AIMS = {
    "forward_speedup_vs_planes": ">= 100",
    "forward_speedup_vs_separable_loop": ">= 20",
    "forward_plain_convolutions": "<= 30",
    "forward_rms_error": "<= 1e-3",
    "forward_largest_error": "<= 1e-2",
    "rl_speedup_vs_skimage": ">= 2.2",
    "rl_mkl_speedup_vs_skimage": ">= 3.5",
    "rl_over_fft_floor": "<= 1.6",
}


def markdown(record: dict[str, Any]) -> str:
    """Return the tables of a record."""
    lines = ["# Speed", "", _machine(record), "", *_ratios(record)]
    for name, case in record["cases"].items():
        lines += ["", f"## {name.replace('_', ' ')}", ""]
        runs = case["runs"]
        groups = runs if _nested(runs) else {"": runs}
        for label, group in groups.items():
            lines += [*([f"{label} iterations", ""] if label else []), *_runs(group), ""]
        for key in ("agreement_with_skimage", "acceleration"):
            if key in case:
                lines += [f"{key.replace('_', ' ')}: {_inline(case[key])}", ""]
    for name, points in record.get("scaling", {}).items():
        lines += ["", f"## {name}", "", *_points(points)]
    return "\n".join(lines).rstrip() + "\n"


def _nested(runs: dict[str, Any]) -> bool:
    return all(key.isdigit() for key in runs)


def _machine(record: dict[str, Any]) -> str:
    machine = _inline(record["machine"])
    threads = _inline(record["threads"])
    versions = "; ".join(f"{e}: {_inline(v)}" for e, v in record.get("versions", {}).items())
    return (
        f"Machine: {machine}.\n\nThread settings: {threads}; scipy.fft with two workers, jax as it "
        f"comes, tiles and planes in two threads.\n\nVersions: {versions}."
    )


def _ratios(record: dict[str, Any]) -> list[str]:
    lines = ["| ratio | median | least to most | aim |", "|---|---|---|---|"]
    for key, value in record["ratios"].items():
        low, high = record["spread"][key] or (None, None)
        aim = AIMS.get(key, "")
        lines.append(f"| {key} | {_number(value)} | {_number(low)} to {_number(high)} | {aim} |")
    return lines


def _runs(group: dict[str, Any]) -> list[str]:
    lines = [
        "| competitor | median s | least to most s | CPU s | peak MiB | others' share | notes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, run in group.items():
        if "error" in run:
            lines.append(f"| {name} | not run | | | | | {run['error']} |")
            continue
        notes = _inline({**run["facts"], **run["returned"]})
        lines.append(
            f"| {name} | {_number(run['median_s'])} | {_number(run['least_s'])} to "
            f"{_number(run['most_s'])} | {_number(run['cpu_s'])} | {run['peak_mib']:.0f} | "
            f"{run['others_share']:.0%} | {notes} |"
        )
    return lines


def _points(points: list[dict[str, Any]]) -> list[str]:
    axis = next(iter(points[0]))
    lines = [f"| {axis} | median s | peak MiB | notes |", "|---|---|---|---|"]
    for point in points:
        notes = point.get("error") or _inline(point.get("facts") or {})
        lines.append(
            f"| {point[axis]} | {_number(point['median_s'])} | {_number(point['peak_mib'])} | "
            f"{notes} |"
        )
    return lines


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.3g}"


def _inline(items: dict[str, Any]) -> str:
    return ", ".join(f"{k} {_text(v)}" for k, v in items.items())


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return " x ".join(str(v) for v in value)
    return str(value)
