"""Writing results so that a half-written file never stands under its final name.

A result folder is written as ``DIR.partial`` and renamed when it is complete. A folder that
scintscope made (its ``provenance.json`` says so) is replaced; any other non-empty one is refused.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.errors import InputError
from scintscope.machine import installed_version, lock_state, processor
from scintscope.threads import JAX_VARIABLE, blas_in_use

PROVENANCE = "provenance.json"
MAKER = "scintscope"
_LOCK = ".scintscope-writing"
_LIBRARIES = (
    "scintscope",
    "numpy",
    "scipy",
    "jax",
    "jaxlib",
    "xraylib",
    "spekpy",
    "opencv-python-headless",
    "scikit-image",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a command has to say.

    Parameters
    ----------
    document : dict
        Numbers for programs: what ``--json`` prints.
    text : str
        The same for people.
    """

    document: Mapping[str, Any]
    text: str


@contextmanager
def staged_output(directory: Path | str) -> Iterator[Path]:
    """Give a folder to write into; rename it to ``directory`` when the block succeeds.

    Parameters
    ----------
    directory : Path or str
        Final folder. Its parents are made.

    Yields
    ------
    Path
        ``directory`` + ``.partial``, empty. What an earlier, killed run left there is cleared. If
        the block leaves no ``provenance.json`` a minimal one is added.

    Raises
    ------
    InputError
        If the folder holds something scintscope did not make, or another run is writing it.
    """
    final = Path(directory).resolve()
    partial, replaced = (final.with_name(final.name + end) for end in (".partial", ".replaced"))
    if final.is_symlink() or (final.exists() and not final.is_dir()):
        raise InputError(f"--out {final} is not a folder. Choose another.")
    final.parent.mkdir(parents=True, exist_ok=True)
    _restore_interrupted_swap(final, replaced)
    _require_replaceable(final)
    _clear_stale(partial)
    partial.mkdir()
    with (partial / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield partial
            if not (partial / PROVENANCE).exists():
                write_json(partial / PROVENANCE, provenance())
            (partial / _LOCK).unlink()
            _swap(partial, final, replaced)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _is_ours(directory: Path) -> bool:
    try:
        record = json.loads((directory / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("made_by") == MAKER


def _require_replaceable(final: Path) -> None:
    if final.exists() and any(final.iterdir()) and not _is_ours(final):
        raise InputError(
            f"--out {final} is not empty and was not made by scintscope (no {PROVENANCE} that says "
            "so). Choose another folder, or empty it."
        )


def _clear_stale(partial: Path) -> None:
    """Remove what a killed run left; refuse what is in use or not ours."""
    if not partial.exists():
        return
    marker = partial / _LOCK
    if not marker.is_file():
        if not _is_ours(partial) and (not partial.is_dir() or any(partial.iterdir())):
            raise InputError(f"{partial} is in the way and was not made by scintscope. Move it.")
    else:
        with marker.open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"another scintscope run is writing {partial}. Wait for it, or choose another "
                    "--out."
                ) from None
    shutil.rmtree(partial)


def _restore_interrupted_swap(final: Path, replaced: Path) -> None:
    """Finish or undo a swap that was killed between its two renames."""
    if replaced.exists() and _is_ours(replaced):
        if final.exists():
            shutil.rmtree(replaced)
        else:
            replaced.rename(final)


def _swap(partial: Path, final: Path, replaced: Path) -> None:
    """Put the complete folder in its place; the old one goes only afterwards."""
    if final.exists():
        final.rename(replaced)
    partial.rename(final)
    shutil.rmtree(replaced, ignore_errors=True)


def plain(value: Any) -> Any:
    """Return a value as strict JSON knows it: no NaN or infinity (null), no arrays, no paths."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Path):
        return str(value)
    return plain(np.asarray(value).tolist())


def to_json(data: Any) -> str:
    """Return one strict JSON document: sorted keys, shortest exact floats, null for NaN."""
    return json.dumps(plain(data), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)


def write_text(path: Path, text: str) -> None:
    """Write a text file through a temporary one, so that it is complete or absent."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, data: Any) -> None:
    """Write a strict JSON file through a temporary one."""
    write_text(path, to_json(data) + "\n")


def versions() -> dict[str, str | None]:
    """Return the versions of Python and of the libraries that decide the numbers."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    return found | {name: installed_version(name) for name in _LIBRARIES}


def provenance(
    *,
    scenario_hash: str | None = None,
    seed: int | None = None,
    timings_s: Mapping[str, float] | None = None,
    interim: Sequence[str] = (),
) -> dict[str, Any]:
    """Return where results come from.

    Parameters
    ----------
    scenario_hash : str or None
        `Scenario.hash`.
    seed : int or None
        Seed of everything random.
    timings_s : dict of str to float or None
        Seconds spent in each stage.
    interim : sequence of str
        Models that stand in for better ones still to come, a sentence each.
    """
    return {
        "made_by": MAKER,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "platform": platform.platform(),
        "processor": processor(),
        "threads": {"blas": blas_in_use(), "jax_cpu": os.environ.get(JAX_VARIABLE)},
        "versions": versions(),
        "lock": lock_state(),
        "scenario_hash": scenario_hash,
        "seed": seed,
        "timings_s": dict(timings_s or {}),
        "interim": list(interim),
    }
