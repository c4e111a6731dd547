"""What a claim of the paper is, and how it becomes a row and a paragraph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scintscope.scenario import load_scenario
from scintscope.validate import Row, read_table

HERE = Path(__file__).parent
SCENARIOS = HERE.parents[1] / "scenarios"
PAGE = "docs/paper_audit.md"
PAPER = "Zhou et al. 2025, An approach to overcome the resolution-efficiency trade-off"
WAVELENGTH_UM = 0.55


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of the paper and our number for it.

    Parameters
    ----------
    slug : str
        Its line of ``claims.csv``.
    ours : float
        Our number, in the reading that the paper's words ask for.
    ours_is : str
        What that number is.
    tolerance : float
        Absolute.
    reason : str
        Why that tolerance.
    readings : tuple of (str, float)
        Other readings that the paper's words leave open; one that holds makes the claim ambiguous.
    repairs : tuple of (str, float)
        What would give the paper's number although the paper says otherwise; never counts.
    relation, kind : str
        As in `Row`.
    why : str
        Explains; needed if the claim does not simply hold.
    """

    slug: str
    ours: float
    ours_is: str
    tolerance: float
    reason: str
    readings: tuple[tuple[str, float], ...] = ()
    repairs: tuple[tuple[str, float], ...] = ()
    relation: str = "equal"
    kind: str = "claim"
    why: str = ""

    @property
    def printed(self) -> dict[str, Any]:
        """The line of ``claims.csv``."""
        return table()[self.slug]

    def row(self) -> Row:
        """Return the claim as a comparison."""
        line = self.printed
        claim = self.kind == "claim"
        return Row(
            name=str(line["statement"]),
            ours=float(self.ours),
            reference=float(line["value"]),
            tolerance=self.tolerance,
            reason=self.reason,
            source=f"{PAPER}, {line['where']}" if claim else "audit of the paper by other codes",
            unit=line["unit"] or "",
            kind=self.kind,
            relation=self.relation,
            readings=self.readings,
            explained=f"{PAGE}#{self.slug}" if claim and self.why else None,
        )


@cache
def table() -> dict[str, dict[str, Any]]:
    """Return the printed claims by slug."""
    return {line["slug"]: line for line in read_table(HERE / "claims.csv")}


@cache
def instrument(name: str = "paper.toml", *sets: str) -> Any:
    """Return the instrument of a scenario."""
    return load_scenario(SCENARIOS / name, sets).instrument()
