"""One competitor in a process of its own: prepares, then computes once for each line on stdin.

Run as ``python worker.py MODULE:FUNCTION '{"parameter": value}'``. The function gets the parameters
and returns ``(work, facts)``: ``work()`` is what is timed; what it returns (a dict, or None) and
the facts are passed on. Needs Python alone, so that it runs in any environment.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
import traceback

SHORTEST_FOR_SHARE_S = 0.2
"""The system counts in hundredths of a second: of shorter calls the others' share says nothing."""


def busy_s() -> float:
    """Return the seconds all processors have been busy since the machine was started."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(v) for v in file.readline().split()[1:]]
    except OSError:
        return float("nan")
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


def measure(work) -> dict:
    """Return wall and processor seconds of one call, others' share of the machine, peak memory."""
    cpu, busy, start = time.process_time(), busy_s(), time.perf_counter()
    returned = work()
    wall = time.perf_counter() - start
    own, all_busy = time.process_time() - cpu, busy_s() - busy
    share = min(max(0.0, (all_busy - own) / (wall * (os.cpu_count() or 1))), 1.0)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": wall,
        "cpu_s": own,
        "others_share": share if wall > SHORTEST_FOR_SHARE_S else None,
        "peak_mib": peak_kib / 1024.0,
        "returned": returned,
    }


def answer(message: dict) -> None:
    """Send one line to the caller, past whatever libraries print."""
    sys.__stdout__.write(json.dumps(message) + "\n")
    sys.__stdout__.flush()


def main() -> None:
    """Prepare, then measure once per line; an empty line or the end of stdin ends the process."""
    module, function = sys.argv[1].split(":")
    sys.stdout = sys.stderr
    try:
        parameters = json.loads(sys.argv[2])
        processors = parameters.pop("processors", None)
        if processors:
            os.sched_setaffinity(0, set(range(processors)))
        work, facts = getattr(importlib.import_module(module), function)(**parameters)
        answer({"ready": True, "facts": facts})
        for line in sys.stdin:
            if not line.strip():
                return
            answer(measure(work))
    except Exception:
        answer({"error": traceback.format_exc(limit=4)})


if __name__ == "__main__":
    main()
