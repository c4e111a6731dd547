"""Claims about restored images, from a run of the paper's instrument on 512 x 512 pixels."""

from __future__ import annotations

import json
import math
from typing import Any

from .claim import HERE, SCENARIOS, Claim

RECORD = HERE / "images.json"
RUN = "small.toml"
KEYS = (
    "psd_gain_max",
    "psd_gain_high_band",
    "psd_gain_max_signal",
    "psd_gain_max_noise",
    "piqe_thin",
    "piqe_thick",
    "piqe_restored",
    "rmse_thick",
    "rmse_restored",
)


def measured() -> dict[str, float | None]:
    """Run the scenario and return the numbers of the restored target and specimen."""
    from scintscope.pipeline import perform
    from scintscope.progress import silent
    from scintscope.scenario import load_scenario

    metrics: Any = perform(load_scenario(SCENARIOS / RUN), silent).metrics
    found = {}
    for sample in ("target", "specimen"):
        numbers = metrics["restoration"][sample]
        found |= {f"{sample}_{key}": numbers.get(key) for key in KEYS}
    return found


def recorded() -> dict[str, float | None]:
    """Return the recorded numbers of such a run."""
    return dict(json.loads(RECORD.read_text(encoding="utf-8"))["numbers"])


def _text(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def known(*readings: tuple[str, float]) -> tuple[tuple[str, float], ...]:
    """Return the readings that have a number."""
    return tuple((name, value) for name, value in readings if math.isfinite(value))


def claims(found: dict[str, float | None], how: str) -> list[Claim]:
    """Return the claims from the numbers of a run."""
    n = {key: float("nan") if value is None else value for key, value in found.items()}
    caveat = (
        "PIQE is a blind score made for photographs; it does not know the truth. Beside it the "
        f"distance to the truth (rmse over contrast): thick {_text(found['target_rmse_thick'])}, "
        f"restored {_text(found['target_rmse_restored'])}. The thin plate's score depends on its "
        "defects, "
        "which are assumed here and unknown of the paper."
    )
    better = n["target_piqe_restored"] - n["target_piqe_thick"]
    worse = n["target_piqe_thin"] - n["target_piqe_thick"]
    return [
        Claim(
            slug="psd-gain",
            ours=n["target_psd_gain_high_band"],
            ours_is=f"mean gain of the target's power over 0.5-1 Nyquist ({how})",
            tolerance=8.45 - 8.45 / 1.5,
            reason="target, defects, noise and iterations are not the paper's: a factor of 1.5",
            readings=known(
                ("largest over 0.1-1 Nyquist", n["target_psd_gain_max"]),
                ("the specimen's largest", n["specimen_psd_gain_max"]),
            ),
            why="Not checkable: target, defects, iterations and band are not given. The gain "
            "counts "
            "noise with signal; separated, the signal's largest gain is "
            f"{_text(found['target_psd_gain_max_signal'])} and the noise's "
            f"{_text(found['target_psd_gain_max_noise'])}. A gain in power of 8.45 is 2.9 in "
            "amplitude; undoing the defocus wholly would take ten times that. In the upper half of "
            "the camera's band the restored image has less power than the thick one, not more.",
        ),
        Claim(
            slug="piqe-restored",
            ours=better,
            ours_is=f"PIQE of the restored target less that of the thick plate's ({how})",
            tolerance=0.0,
            relation="at most",
            reason="a sign",
            readings=known(
                ("specimen", n["specimen_piqe_restored"] - n["specimen_piqe_thick"]),
            ),
            why=caveat,
        ),
        Claim(
            slug="piqe-thin",
            ours=worse,
            ours_is=f"PIQE of the thin plate's target less that of the thick plate's ({how})",
            tolerance=0.0,
            relation="at least",
            reason="a sign",
            why=caveat,
        ),
    ]  # fmt: skip
