"""Make the shipped tables: ``python -m scintscope.electrons.generate [formula ...]``.

Without arguments every host of `store.BUILT_IN` whose shipped table is absent or out of date is
made again, one to two minutes of one core each. The same inputs give the same bytes of data.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from scintscope.electrons.store import BUILT_IN, read_shipped, write_shipped


def main(formulas: Sequence[str]) -> int:
    """Write the tables of the given hosts, or of all that need it."""
    wanted = list(formulas) or [name for name in BUILT_IN if read_shipped(name) is None]
    for formula in wanted:
        begin = time.process_time()
        path = write_shipped(formula)
        seconds = time.process_time() - begin
        print(f"{formula}: {path.stat().st_size / 1000:.0f} kB, {seconds:.0f} s of one core")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
