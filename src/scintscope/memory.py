"""Freed memory kept by the process, so that large temporaries do not cost a page fault each page.

The C library hands blocks above a threshold back to the system as soon as they are freed, and each
new one is filled with zeros page by page. A run of the paper's scenario makes thousands of arrays
of 17 to 70 MB; handing pages back and forth took a quarter of its processor time.
"""

from __future__ import annotations

import ctypes
import sys

LARGEST_KEPT_BYTES = 100_000_000
"""Blocks up to this are taken from, and go back to, memory the process keeps."""

KEPT_BYTES = 1 << 28
"""Free memory above this at the end of the heap goes back to the system."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> bool:
    """Let glibc keep freed blocks for the next ones; return whether it could be told.

    Changes no result. Only for a process of our own: the commands call it, importing the package
    does not. Elsewhere than on Linux with glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = {
        _MMAP_THRESHOLD: LARGEST_KEPT_BYTES,
        _TRIM_THRESHOLD: KEPT_BYTES,
        _ARENA_MAX: 1,  # threads' blocks too
    }
    return all(mallopt(name, value) == 1 for name, value in settings.items())
