"""The crossing by transport, entrance face, focus and light; see SOURCE.md. Takes a minute."""

from __future__ import annotations

import sys

from case import HERE, OFF, ON, PAPER, QUICK, SETS, study

from scintscope.outputs import versions, write_json
from scintscope.scenario import load_scenario

BACK_FACES = ("bare", "black", "reflective")


def main() -> int:
    """Run the study and write result.json."""
    instrument = load_scenario(PAPER, SETS).instrument()
    result = {
        "transport_off": study(instrument, OFF, BACK_FACES),
        "transport_on": study(instrument, ON, BACK_FACES),
        "quick_estimate_lp_mm": QUICK,
        "versions": versions(),
    }
    write_json(HERE / "result.json", result)
    for transport in ("transport_off", "transport_on"):
        for back, rows in result[transport].items():
            for focus, row in rows.items():
                if isinstance(row, dict):
                    print(transport, back, focus, row["crossing_lp_mm_by_light"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
