"""What decides the last bits of a result besides scenario and seed: processor and libraries."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

LOCK_FILE = Path(__file__).parents[2] / "requirements.lock"
"""Of a source tree; an installed package has none beside it."""

_VECTORS = ("avx512f", "avx512_bf16", "avx2", "fma", "sse4_2", "asimd", "sve")


def processor() -> dict[str, Any]:
    """Return the processor's maker, family, model, name and the vector units that decide bits.

    Returns
    -------
    dict
        ``vendor``, ``family``, ``model``, ``name``, ``vector_units`` (None or empty where the
        system does not tell), ``architecture``.
    """
    first = _cpuinfo()
    flags = set(first.get("flags", first.get("Features", "")).split())
    return {
        "architecture": platform.machine(),
        "vendor": first.get("vendor_id", first.get("CPU implementer")),
        "family": first.get("cpu family", first.get("CPU architecture")),
        "model": first.get("model", first.get("CPU part")),
        "name": first.get("model name") or platform.processor() or None,
        "vector_units": [name for name in _VECTORS if name in flags],
    }


def _cpuinfo(path: Path = Path("/proc/cpuinfo")) -> Mapping[str, str]:
    """Return the first processor's lines."""
    try:
        first = path.read_text(encoding="utf-8").split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def lock_state(lock: Path = LOCK_FILE) -> dict[str, Any]:
    """Return the lock file's digest and where the installed libraries depart from it.

    Parameters
    ----------
    lock : Path
        Lines ``name==version``.

    Returns
    -------
    dict
        ``sha256`` of the file (None: there is none) and ``departures``, a dict of library to
        installed version (None: not installed).
    """
    if not lock.is_file():
        return {"sha256": None, "departures": {}}
    text = lock.read_text(encoding="utf-8")
    departures: dict[str, str | None] = {}
    for line in text.splitlines():
        name, equals, version = line.split("#", 1)[0].strip().partition("==")
        if equals:
            have = installed_version(name)
            if have != version:
                departures[name] = have
    return {"sha256": sha256(text.encode()).hexdigest(), "departures": departures}


def installed_version(name: str) -> str | None:
    """Return a library's installed version, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
