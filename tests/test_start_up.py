"""What a run waits for before it begins."""

import subprocess
import sys

SLOW = ("jax", "matplotlib", "scipy.stats", "scipy.signal", "skimage", "cv2", "spekpy", "tifffile")
"""Tenths of a second each: loaded when they are first needed, if at all."""


def test_a_run_begins_without_slow_libraries() -> None:
    """Loading a scenario, the pipeline and the report leaves slow libraries for later."""
    text = (
        "import sys; from scintscope import pipeline, scenario, report; "
        f"print([name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"
