"""Richardson-Lucy, estimation of a PSF, and stacks of PSFs beside their peers and floors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rounds import Competitor, in_turn, ratio

KERNEL = 61
Case = dict[str, Any]

OURS = ("scintscope", "scintscope_mkl", "scintscope_jax")
FLOORS = ("floor", "tiled_floor", "mkl_floor", "jax_floor")
COMPARED = (*OURS, "redlionfish")


def richardson_lucy_8(size: Case, folder: Path) -> Case:
    """Return 8 iterations: all engines, floors and peers, and how they agree."""
    names = ["scintscope", "skimage", *OURS[1:], *FLOORS, "redlionfish"]
    case = _richardson_lucy(size, folder, names, 8, size["rounds"])
    given = {"side": size["rl_side"], "kernel": KERNEL, "iterations": 8}
    in_turn([_competitor("scintscope_float64", given, folder)], 1, warm=False)
    case["agreement_with_skimage"] = {n: _difference(folder, n, "skimage") for n in COMPARED}
    case["float32_against_float64"] = _difference(folder, "scintscope", "scintscope_float64")
    return case


def richardson_lucy_50(size: Case, folder: Path) -> Case:
    """Return 50 iterations of the same, RedLionfish left out."""
    names = ["scintscope", "skimage", *OURS[1:], *FLOORS]
    return _richardson_lucy(size, folder, names, 50, size["slow_rounds"])


def _richardson_lucy(
    size: Case, folder: Path, names: list[str], iterations: int, rounds: int
) -> Case:
    given = {"side": size["rl_side"], "kernel": KERNEL, "iterations": iterations}
    found = in_turn([_competitor(n, given, folder) for n in names], rounds)
    end = "" if iterations == 50 else "_8_iterations"
    ours, other = found["scintscope"], found["skimage"]
    ratios = {
        "rl_speedup_vs_skimage": ratio(other, ours),
        "rl_mkl_speedup_vs_skimage": ratio(other, found["scintscope_mkl"]),
        "rl_jax_speedup_vs_skimage": ratio(other, found["scintscope_jax"]),
        "rl_over_fft_floor": ratio(ours, found["floor"]),
        "rl_over_own_tiled_floor": ratio(ours, found["tiled_floor"]),
        "rl_mkl_over_mkl_floor": ratio(found["scintscope_mkl"], found["mkl_floor"]),
        "rl_jax_over_jax_floor": ratio(found["scintscope_jax"], found["jax_floor"]),
    }
    return {
        "given": given,
        "runs": {n: s.summary() for n, s in found.items()},
        "ratios": {name + end: value for name, value in ratios.items()},
    }


def _competitor(name: str, given: Case, folder: Path) -> Competitor:
    saves = given["iterations"] == 8 and not name.endswith("floor")
    environment = {"scintscope_mkl": "mkl", "mkl_floor": "mkl", "redlionfish": "redlionfish"}
    return Competitor(
        name=name,
        task=f"tasks_restoration:{name}",
        parameters=given | ({"save": str(folder / f"{name}.npy")} if saves else {}),
        environment=environment.get(name, "ours"),
    )


def _difference(folder: Path, name: str, other: str) -> float | None:
    """Return the largest difference of two saved images over the second's largest value."""
    files = [folder / f"{n}.npy" for n in (name, other)]
    if not all(f.exists() for f in files):
        return None
    first, second = (np.load(f).astype(np.float64) for f in files)
    return float(np.abs(first - second).max() / np.abs(second).max())


def acceleration(size: Case, _: Path) -> Case:
    """Return after how many accelerated iterations the likelihood of fifty plain is reached."""
    given = {"side": size["rl_side"], "kernel": KERNEL}
    histories = []
    # the estimate that enters an iteration is judged by it: the 51st entry judges fifty iterations
    for kind, count in (("none", 51), ("biggs_andrews", 31)):
        competitor = Competitor(
            name=f"{kind}, {count} iterations",
            task="tasks_restoration:scintscope",
            parameters=given | {"iterations": count, "acceleration": kind},
        )
        found = in_turn([competitor], 1, warm=False)
        histories.append(found[competitor.name].returned.get("history", []))
    if not all(histories):
        return {"given": given, "runs": {}, "ratios": {}}
    wanted = histories[0][50]
    reached = next((i for i, value in enumerate(histories[1]) if value <= wanted), None)
    return {
        "given": given,
        "runs": {},
        "ratios": {"rl_accelerated_iterations_for_50": reached and _single(reached)},
        "misfit_after_50_plain": wanted,
        "accelerated_iterations_for_it": reached,
    }


def _single(value: float) -> dict[str, float]:
    return dict.fromkeys(("median", "least", "most"), float(value))


def psf_estimate(size: Case, _: Path) -> Case:
    """Return 8 iterations of the PSF between two images, and the transforms they need."""
    given = {"side": size["rl_side"], "kernel": KERNEL, "iterations": 8}
    names = ("psf_estimate", "psf_floor")
    found = in_turn(
        [Competitor(name=n, task=f"tasks_restoration:{n}", parameters=given) for n in names],
        size["slow_rounds"],
    )
    return {
        "given": given,
        "runs": {n: s.summary() for n, s in found.items()},
        "ratios": {
            "rl_psf_estimate_over_fft_floor": ratio(found["psf_estimate"], found["psf_floor"])
        },
    }


def psf_stack(size: Case, _: Path) -> Case:
    """Return stacks of PSFs at depths of a plate."""
    given = {"planes": size["psf_planes"], "side": size["psf_side"]}
    names = ("scintscope", "scintscope_first", "psfmodels", "microsim")
    found = in_turn(
        [
            Competitor(
                name=n,
                task=f"tasks_psf:{n}",
                parameters=given,
                environment="ours" if n.startswith("scintscope") else n,
            )
            for n in names
        ],
        size["rounds"],
    )
    ours, peer = found["scintscope"], found["psfmodels"]
    return {
        "given": given,
        "runs": {n: s.summary() for n, s in found.items()},
        "ratios": {
            "psf_stack_speedup_vs_psfmodels": ratio(peer, ours),
            "psf_stack_speedup_vs_psfmodels_first": ratio(peer, found["scintscope_first"]),
            "psf_stack_speedup_vs_microsim_zscan": ratio(found["microsim"], ours),
        },
    }
