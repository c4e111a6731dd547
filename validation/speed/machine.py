"""What the numbers were measured on, without names or paths of the host."""

from __future__ import annotations

import os
import platform
from typing import Any


def machine() -> dict[str, Any]:
    """Return processor, memory and system."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "processors": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "vector_units": _vector_units(),
        "system": f"{platform.system()}, {' '.join(platform.libc_ver())}",
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def _first(file: str, key: str) -> str:
    try:
        with open(file, encoding="ascii") as lines:
            return next((v.split(":", 1)[1].strip() for v in lines if v.startswith(key)), "")
    except OSError:
        return ""


def _vector_units() -> str:
    flags = _first("/proc/cpuinfo", "flags").split()
    return next((f for f in ("avx512f", "avx2", "avx", "sse4_2") if f in flags), "unknown")
