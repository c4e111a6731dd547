"""`scintscope restore` and `scintscope run` on a real detector image, through the command line.

The image is not part of the repository: the environment variable SCINTSCOPE_REAL_IMAGE names it.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from scintscope import cli
from scintscope.restoration import Transform
from scintscope.restoration.transform import sample_grid
from scintscope.tiff import read_stack, write_stack

VARIABLE = "SCINTSCOPE_REAL_IMAGE"
pytestmark = pytest.mark.skipif(
    not Path(os.environ.get(VARIABLE, "")).is_file(),
    reason=f"{VARIABLE} does not name a file: the real detector image is not available here",
)

QUICK = Path(__file__).parents[1] / "scenarios" / "quick.toml"
SIDE, MARGIN = 512, 40
LEVEL_ADU, COUNTS_PER_GREY = 215.0, 20.0
REGISTERED_PX = 0.1
PIXEL_UM = 1.3


@cache
def picture() -> np.ndarray:
    """Return the real image as grey levels."""
    return read_stack(os.environ[VARIABLE]).frames[0].astype(np.float64)


def frames(grey: np.ndarray, rng: np.random.Generator, count: int = 3) -> np.ndarray:
    """Return 16-bit frames of grey levels with Poisson noise and an offset of 100 counts."""
    electrons = rng.poisson(np.repeat(COUNTS_PER_GREY * grey[None], count, axis=0))
    return (electrons + 100).astype(np.uint16)


def write_pair(
    folder: Path, corner: tuple[int, int], shift: tuple[float, float], sigma_px: float
) -> np.ndarray:
    """Write thin and thick stacks with backgrounds and dark; return the sharp thick view.

    What the thick view shows at r lies at r + shift in the thin one.
    """
    rng = np.random.default_rng(11)
    row, column = corner
    wide = picture()[row : row + SIDE + 2 * MARGIN, column : column + SIDE + 2 * MARGIN]
    motion = Transform(shift_row_px=shift[0], shift_column_px=shift[1])
    inner = (slice(MARGIN, -MARGIN),) * 2
    sharp = sample_grid(wide, motion)[inner]
    soft = sample_grid(ndimage.gaussian_filter(wide, sigma_px), motion)[inner]
    even = np.full(sharp.shape, LEVEL_ADU)
    for name, grey in {"thin": wide[inner], "thick": np.clip(soft, 0.0, None)}.items():
        write_stack(folder / f"{name}.tif", frames(grey, rng), PIXEL_UM)
        write_stack(folder / f"{name}_background.tif", frames(even, rng), PIXEL_UM)
    write_stack(folder / "dark.tif", frames(np.zeros(sharp.shape), rng), PIXEL_UM)
    return sharp


@pytest.mark.parametrize(
    ("corner", "shift", "sigma_px"),
    [((900, 1400), (0.37, -0.62), 2.5), ((100, 2300), (5.4, 3.3), 2.0)],
)
def test_restore_finds_the_shift_and_comes_nearer_to_sharp(
    corner: tuple[int, int], shift: tuple[float, float], sigma_px: float, tmp_path: Path
) -> None:
    """A pair with known shift, blur and noise is registered to 0.1 px and made sharper."""
    sharp = write_pair(tmp_path, corner, shift, sigma_px)
    names = ("thin", "thin_background", "thick", "thick_background", "dark")
    words = [w for n in names for w in (f"--{n.replace('_', '-')}", str(tmp_path / f"{n}.tif"))]
    more = ["--specimen", str(tmp_path / "thick.tif"), "--out", str(tmp_path / "out")]
    assert cli.main(["restore", *words, *more, "--set", "restoration.psf_size_px=41"]) == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    pair = metrics["registration"]["pair"]
    found = (pair["shift_row_px"], pair["shift_column_px"])
    assert np.hypot(*np.subtract(found, shift)) < REGISTERED_PX
    assert pair["status"] in ("features", "correlation")
    inner = (slice(30, -30),) * 2
    for before, after, truth in (
        ("target_thick", "target_restored", 1.0 - sharp / LEVEL_ADU),
        ("specimen", "specimen_restored", sharp / LEVEL_ADU),
    ):
        error = [
            rmse(read_stack(tmp_path / "out" / f"{name}.tif").frames[0][inner], truth[inner])
            for name in (before, after)
        ]
        # The chain's own tests ask for 0.75 with twice the iterations; here: a fifth must go.
        assert error[1] < 0.8 * error[0]


def rmse(image: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((image - truth) ** 2)))


def test_run_takes_the_image_as_specimen(tmp_path: Path) -> None:
    """A whole run with the real image as a thickness map finishes and judges it."""
    sets = [
        "camera.shape=[192,208]",
        "acquisition.frames=2",
        'specimen.kind="image"',
        f'specimen.path="{os.environ[VARIABLE]}"',
        "specimen.pixel_um=0.5",
        'specimen.material="Al"',
        "specimen.max_thickness_um=100.0",
        "specimen.invert=true",
        "restoration.psf_size_px=31",
    ]
    numbers: dict[str, Any] = run(sets, tmp_path)["restoration"]["specimen"]
    for kind in ("thin", "thick", "restored"):
        assert 0.0 < numbers[f"rmse_{kind}"] < np.inf
        assert -1.0 <= numbers[f"ssim_{kind}"] <= 1.0


def run(sets: list[str], folder: Path) -> dict[str, Any]:
    """Return the metrics of quick.toml with changes, through the command line."""
    words = [word for text in sets for word in ("--set", text)]
    assert cli.main(["run", str(QUICK), *words, "--out", str(folder / "out")]) == 0
    found: dict[str, Any] = json.loads((folder / "out" / "metrics.json").read_text())
    return found
