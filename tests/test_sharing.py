"""Shared work: all of it is done, in order, whoever does it, and failures are not lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from scintscope.sharing import MOST_HELPERS, share


@pytest.mark.parametrize("threads", [1, 2, 5, 40])
def test_results_are_in_order(threads: int) -> None:
    """Every item is worked on once, and results stand in the items' order."""
    seen: list[int] = []

    def square(n: int) -> int:
        seen.append(n)
        return n * n

    assert share(square, range(50), threads) == [n * n for n in range(50)]
    assert sorted(seen) == list(range(50))
    assert share(square, [], threads) == []


def test_shared_work_may_share_its_parts() -> None:
    """Work that shares out its own parts ends, however many do so at once."""

    def outer(n: int) -> list[int]:
        return share(lambda m: n + m, range(20), 3)

    found = share(outer, range(4 * MOST_HELPERS), MOST_HELPERS + 1)
    assert found == [[n + m for m in range(20)] for n in range(4 * MOST_HELPERS)]


def test_two_work_at_the_same_time() -> None:
    """With two threads two items are under work at once: each waits until the other is there."""
    meeting = threading.Barrier(2, timeout=20.0)
    assert sorted(share(lambda _: meeting.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failure_reaches_the_caller(threads: int) -> None:
    """An exception of any item is raised, and no item is begun long after it."""
    begun: list[int] = []

    def fail_at_three(n: int) -> int:
        begun.append(n)
        if n == 3:
            raise ValueError("three")
        return n

    with pytest.raises(ValueError, match="three"):
        share(fail_at_three, range(10_000), threads)
    assert len(begun) < 10_000


FORKED = """
import os
from scintscope.sharing import share

share(abs, range(8), 4)
child = os.fork()
if child == 0:
    os._exit(0 if share(abs, range(-8, 0), 4) == list(range(8, 0, -1)) else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_has_threads_of_its_own() -> None:
    """A process forked after threads were started shares work as well."""
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=60, check=False).returncode == 0
