"""The fast light image against Eq. 1 plane by plane, all energies; see SOURCE.md. Some minutes."""

from __future__ import annotations

import sys

from case import HERE, compare

from scintscope.outputs import versions, write_json


def main() -> int:
    """Run the whole case, write result.json and return 1 if it is outside its tolerance."""
    rows = [row for sample in ("target", "specimen") for row in compare(sample)]
    write_json(
        HERE / "result.json", {"rows": [row.as_dict() for row in rows], "versions": versions()}
    )
    for row in rows:
        print(f"{row.name}: {row.ours:.2e} (tolerance {row.tolerance:.0e})")
    return int(any(row.failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
