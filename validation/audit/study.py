"""The 100-seed study of the kernel error; see SOURCE.md. An hour; resumes where it was stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scintscope.audit.settings import judged_grid, wide_grid
from scintscope.audit.study import run_study
from scintscope.progress import progress
from scintscope.scenario import load_scenario

HERE = Path(__file__).parent
SCENARIO = HERE.parents[1] / "scenarios" / "quick.toml"
SETS = ("acquisition.frames=10", "acquisition.dark_frames=10", "acquisition.flat_frames=10")
SELECT = tuple(range(1000, 1020))
JUDGE = tuple(range(2000, 2100))


def main() -> int:
    """Compute what is missing of the study's seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=HERE / "work", help="working folder")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    scenario = load_scenario(SCENARIO, SETS)
    for grid, seeds in ((wide_grid(), SELECT), (judged_grid(), JUDGE)):
        run_study(scenario, grid, seeds, given.work, progress, workers=given.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
