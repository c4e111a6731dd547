"""Studies small enough for tests: 32 x 32 pixels, a quarter of a second each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scintscope.dataset import Study, load_study

TINY = (Path(__file__).parents[1] / "validation" / "dataset" / "tiny.toml").read_text()


def tiny_file(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the study into a folder, one text in it replaced by another."""
    path = folder / "tiny.toml"
    if old and old not in TINY:
        raise AssertionError(old)
    path.write_text(TINY.replace(old, new) if old else TINY)
    return path


def tiny_study(folder: Path, *sets: str, **more: Any) -> Study:
    """Return the study, ``--set`` values laid over it."""
    return load_study(tiny_file(folder), sets, **more)
