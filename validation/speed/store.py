"""Finished cases kept on disk, so that a bench that was stopped goes on where it was."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from environments import HERE, ROOT


def write_whole(path: Path, text: str) -> None:
    """Write a file through a temporary one, so that it is complete or absent."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def code_digest() -> str:
    """Return a digest of the source tree, the bench and the lock: what the numbers belong to."""
    digest = sha256()
    files = [*(ROOT / "src").rglob("*.py"), *HERE.glob("*.py"), ROOT / "requirements.lock"]
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class Store:
    """Cases of one code, one size, one machine.

    Parameters
    ----------
    path : Path
        Where they are kept until the record is whole; git ignores it.
    key : dict
        What must be the same for a case to be used again.
    """

    def __init__(self, path: Path, key: dict[str, Any]) -> None:
        self.path, self.key = path, key
        self.cases: dict[str, Any] = {}
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if kept.get("key") == key:
            self.cases = kept["cases"]

    def keep(self, name: str, case: dict[str, Any]) -> None:
        """Add a finished case."""
        self.cases[name] = case
        write_whole(self.path, json.dumps({"key": self.key, "cases": self.cases}))

    def clear(self) -> None:
        """Forget everything: the record is written."""
        self.path.unlink(missing_ok=True)
