"""Keeping freed memory: told to the C library of a process of our own, nowhere else."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from scintscope.memory import keep_freed_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the setting")
def test_large_blocks_are_reused():
    """After it, an array freed and made again takes no page faults; before, one for each page."""
    code = (
        "import resource, numpy as np\n"
        "from scintscope.memory import keep_freed_memory\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(5): np.ones(5_000_000)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "first = faults()\n"
        "assert keep_freed_memory()\n"
        "faults()\n"
        "print(first, faults())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = (int(v) for v in done.stdout.split())
    # 40 MB are 20 huge or 10000 small pages, each time; kept memory has them all in place
    assert before >= 5 * 15
    assert after < 15


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    """Where there is no glibc, nothing is done and nothing fails."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
