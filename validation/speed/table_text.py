"""The record as Markdown."""

from __future__ import annotations

from typing import Any

AIMS = {
    "forward_speedup_vs_planes": ">= 100",
    "forward_speedup_vs_separable_loop": ">= 20",
    "forward_plain_convolutions": "<= 30",
    "forward_rms_error": "<= 1e-3",
    "forward_largest_error": "<= 1e-2",
    "forward_peak_gib": "<= 2",
    "rl_speedup_vs_skimage": ">= 2.2",
    "rl_speedup_vs_skimage_8_iterations": ">= 2.2",
    "rl_mkl_speedup_vs_skimage": ">= 3.5",
    "rl_over_fft_floor": "<= 1.6",
    "rl_over_fft_floor_8_iterations": "<= 1.6",
    "rl_psf_estimate_over_fft_floor": "<= 1.6",
    "rl_accelerated_iterations_for_50": "<= 20",
}


def markdown(record: dict[str, Any]) -> str:
    """Return the tables of a record."""
    lines = ["# Speed", "", *_conditions(record), "", *_ratios(record)]
    for name, case in record["cases"].items():
        given = _inline(case["given"])
        lines += ["", f"## {name.replace('_', ' ')}", "", f"{given}; {case['seconds']:.0f} s.", ""]
        lines += _runs(case["runs"]) if case["runs"] else []
        extra = {
            k: v for k, v in case.items()
            if k not in ("given", "runs", "ratios", "seconds", "axis", "load_at_start")
        }  # fmt: skip
        for key, value in extra.items():
            text = _inline(value) if isinstance(value, dict) else _text(value)
            lines += ["", f"{key.replace('_', ' ')}: {text}"]
    return "\n".join(lines).rstrip() + "\n"


def _conditions(record: dict[str, Any]) -> list[str]:
    load = record["load"]
    state = "quiet" if load["quiet"] else "**not quiet: others computed too, trust no second**"
    versions = "; ".join(f"{e}: {_inline(v)}" for e, v in record["versions"].items())
    return [
        f"Machine: {_inline(record['machine'])}.",
        "",
        f"Load: {state} ({_inline({k: v for k, v in load.items() if k != 'quiet'})}).",
        "",
        f"Thread settings of peers and floors: {_inline(record['threads'])}; scipy.fft with two "
        "workers. Ours: tiles, planes and scipy.fft two threads, BLAS one, JAX's pool two.",
        "",
        f"Versions: {versions}.",
        "",
        f"All cases: {record['seconds']:.0f} s.",
    ]


def _ratios(record: dict[str, Any]) -> list[str]:
    lines = [
        "| ratio | median | least to most | of processor time | aim | met |",
        "|---|---|---|---|---|---|",
    ]
    for key, value in record["ratios"].items():
        low, high = record["spread"][key] or (None, None)
        lines.append(
            f"| {key} | {_number(value)} | {_number(low)} to {_number(high)} | "
            f"{_number(record['cpu_ratios'].get(key))} | {AIMS.get(key, '')} | {_met(key, value)} |"
        )
    return lines


def _met(key: str, value: float | None) -> str:
    if key not in AIMS or value is None:
        return ""
    sign, limit = AIMS[key].split()
    return "yes" if (value >= float(limit) if sign == ">=" else value <= float(limit)) else "**no**"


def _runs(runs: dict[str, Any]) -> list[str]:
    lines = [
        "| run | median s | least to most s | CPU s | peak MiB | others' share | notes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, run in runs.items():
        if "error" in run:
            lines.append(f"| {name} | not run | | | | | {run['error']} |")
            continue
        notes = _inline({**run["facts"], **run["returned"]})
        lines.append(
            f"| {name} | {_number(run['median_s'])} | {_number(run['least_s'])} to "
            f"{_number(run['most_s'])} | {_number(run['cpu_s'])} | {run['peak_mib']:.0f} | "
            f"{_share(run['others_share'])} | {notes} |"
        )
    return lines


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


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
