"""The light image beside plane loops, its error, and how costs grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rounds import Competitor, Samples, in_turn, ratio

Case = dict[str, Any]
TASK = "tasks_forward:"
IMAGES, PLAIN_CONVOLUTIONS = 10, 10
"""In one call: after a wait the system gives memory slowly, which a single image would pay."""
TIMED_PLANES = 100


def forward(size: Case, _: Path) -> Case:
    """Return the light image beside plain convolutions and loops over energies and planes."""
    given = {k: size[k] for k in ("side", "planes", "energies")}
    more: dict[str, Case] = {
        "scintscope": {"count": IMAGES},
        "plain_convolution": {"count": PLAIN_CONVOLUTIONS},
        "separable_loop": {"timed_energies": 1},
    }
    found = in_turn(
        [Competitor(name=n, task=TASK + n, parameters=given | m) for n, m in more.items()],
        size["slow_rounds"],
    )
    loop = Competitor(
        name="plain_loop",
        task=f"{TASK}plain_loop",
        parameters=given | {"timed_planes": TIMED_PLANES},
    )
    found |= in_turn([loop], 1, warm=False)
    return {
        "given": given,
        "runs": {n: s.summary() for n, s in found.items()},
        "ratios": _forward_ratios(found),
    }


def _forward_ratios(found: dict[str, Samples]) -> Case:
    ours, plain, loop = (found[n] for n in ("scintscope", "plain_loop", "separable_loop"))
    if not ours.samples:
        return {}
    planes = ours.facts["planes"] * ours.facts["energies"]
    ratios: Case = {
        "forward_plain_convolutions": ratio(
            ours, found["plain_convolution"], PLAIN_CONVOLUTIONS / IMAGES
        ),
        "forward_peak_gib": _single(max(s["peak_mib"] for s in ours.samples) / 1024.0),
    }
    if plain.samples:
        whole = IMAGES * planes / plain.returned["timed_planes"]
        ratios["forward_speedup_vs_planes"] = ratio(plain, ours, whole)
    if loop.samples:
        whole = IMAGES * planes / loop.returned["timed_planes"]
        ratios["forward_speedup_vs_separable_loop"] = ratio(loop, ours, whole)
        fewer = loop.facts["converged_planes"] / ours.facts["planes"]
        ratios["forward_speedup_vs_converged_loop"] = ratio(loop, ours, whole * fewer)
    return ratios


def _single(value: float) -> dict[str, float]:
    return dict.fromkeys(("median", "least", "most"), float(value))


def forward_error(size: Case, folder: Path) -> Case:
    """Return the light image's error against the plane-by-plane reference, all planes of it."""
    given = {"planes": size["planes"], "energies": size["energies"]}
    given |= {"side": size["error_side"], "as_wide_as": size["side"]}
    found = in_turn(
        [
            Competitor(
                name=kind,
                task=TASK + kind,
                parameters=given | {"save": str(folder / f"{kind}.npy")},
            )
            for kind in ("scintscope", "exact")
        ],
        1,
        warm=False,
    )
    ratios: Case = {}
    files = [folder / f"{kind}.npy" for kind in ("exact", "scintscope")]
    if all(f.exists() for f in files):
        exact, fast = (np.load(f) for f in files)
        ratios["forward_rms_error"] = _single(np.sqrt(np.mean((fast - exact) ** 2)) / exact.std())
        ratios["forward_largest_error"] = _single(np.abs(fast - exact).max() / exact.std())
    return {
        "given": given,
        "runs": {n: s.summary() for n, s in found.items()},
        "ratios": ratios,
    }


def microsim_volume(size: Case, _: Path) -> Case:
    """Return microsim's image formation, a 3-D convolution of a volume."""
    given = {"planes": size["planes"], "side": size["side"] // 4, "psf_side": size["psf_side"]}
    competitor = Competitor(
        name="microsim_volume",
        task="tasks_psf:microsim_volume",
        parameters=given,
        environment="microsim",
    )
    found = in_turn([competitor], 1, warm=False)
    return {"given": given, "runs": {n: s.summary() for n, s in found.items()}, "ratios": {}}


def curve(axis: str, kind: str) -> Any:
    """Return the case of a scaling curve: ``forward`` or ``restoration`` over an axis."""

    def case(size: Case, _: Path) -> Case:
        base = {k: size[f"curve_{k}"] for k in ("side", "planes", "energies")}
        if axis == "planes":
            base["side"] = size["side"]
        if kind == "restoration":
            base = {"side": size["rl_side"], "kernel": 61, "iterations": 8}
        name = "processors" if axis == "threads" else axis
        points = [
            Competitor(
                name=f"{axis} {value}",
                task=f"tasks_{kind}:scintscope",
                parameters=base | {name: value},
            )
            for value in size["curves"][axis]
        ]
        found = in_turn(points, 2)
        made = {"given": base, "axis": axis, "runs": {n: s.summary() for n, s in found.items()}}
        return made | {"ratios": _flatness(found) if axis == "planes" else {}}

    return case


def _flatness(found: dict[str, Samples]) -> Case:
    few, many = found.get("planes 32"), found.get("planes 512")
    both = few is not None and many is not None
    return {"forward_cost_512_over_32_planes": ratio(many, few)} if both else {}
