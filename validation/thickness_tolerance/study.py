"""The paper's thickness tolerance of its two lenses in every plausible reading; see SOURCE.md.

Takes about a minute. Prints a table and writes result.json. The claims themselves are judged by the
case ``paper``, the numbers behind them by ``case.py`` here.
"""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import numpy as np
from case import HERE, lenses

from scintscope.optics.tolerance import tolerance_range
from scintscope.outputs import versions, write_json
from scintscope.validate import read_table

FREQUENCIES = {"384.6 for both": (0.5 / 1.3, 0.5 / 1.3), "own Nyquist": (0.5 / 1.3, 0.5 / 0.65),
               "769.2 for both": (0.5 / 0.65, 0.5 / 0.65)}  # fmt: skip
LEVELS = {"MTF = 0.30": (0.3, False), "MTF falls by 30/40": (0.75, True)}
REFOCUS = ("none", "paraxial", "least_rms", "stage", "camera")


def readings() -> list[dict[str, Any]]:
    """Return low and high thickness of both lenses in each reading."""
    rows = []
    parts = product(FREQUENCIES.items(), LEVELS.items(), (False, True), REFOCUS)
    cases = lenses()
    for (rule, frequencies), (level, (value, relative)), pixel, refocus in parts:
        row: dict[str, Any] = {"frequency": rule, "level": level, "pixel": pixel, "moves": refocus}
        for (name, (path, pixel_um)), frequency in zip(cases.items(), frequencies, strict=True):
            found = tolerance_range(
                path,
                frequency,
                level=value,
                relative=relative,
                refocus=refocus,
                pixel_um=pixel_um if pixel else 0.0,
            )
            row[name] = [round(found.low_um, 2), round(found.high_um, 2)]
        rows.append(row)
    return rows


def misfit(row: dict[str, Any], back_focus: str) -> float:
    """Return the rms of ln(ours / paper) of how much thicker a plate may be, over both lenses."""
    logs = []
    for claim in read_table(HERE / "claims.csv"):
        if claim["back_focus"] == back_focus:
            ours = row[claim["lens"]][1] - 50.0
            logs.append(np.log(max(ours, 1e-3) / (float(claim["high_um"]) - 50.0)))
    return float(np.sqrt(np.mean(np.square(logs))))


def main() -> int:
    """Run the study."""
    rows = readings()
    fixed = [r for r in rows if r["moves"] in ("none", "paraxial", "least_rms", "stage")]
    adjustable = [r for r in rows if r["moves"] in ("stage", "camera")]
    best = {}
    for name, group in (("fixed", fixed), ("adjustable", adjustable)):
        row = min(group, key=lambda r: misfit(r, name))
        best[name] = {**row, "rms_log_misfit": round(misfit(row, name), 3)}
    result = {"best_reading": best, "readings": rows}
    write_json(HERE / "result.json", {**result, "versions": versions()})
    for row in rows:
        print(f"{row['frequency']:15s} {row['level']:19s} pixel {row['pixel']!s:5s} "
              f"{row['moves']:9s} 5x {row['5x']}  10x {row['10x']}")  # fmt: skip
    print("paper: fixed back focus 5x [0, 210], 10x [45, 55]; adjustable 5x [0, 300], 10x [0, 100]")
    for name, row in best.items():
        print(f"best for {name}: {row}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
