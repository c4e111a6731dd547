"""One number of ours beside one of somebody else's, and what that says."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scintscope.errors import InputError, check_choice

KINDS = ("closed form", "code", "measurement", "claim")
"""What stands beside ours: a formula, another program, a published measurement, the paper."""

RELATIONS = ("equal", "at most", "at least")
"""What ours should be to the reference, within the tolerance."""

VERDICTS = ("holds", "ambiguous", "fails")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One comparison.

    Parameters
    ----------
    name : str
        What is compared, with its conditions.
    ours, reference : float
        Our number, and the outside one; in ``unit``.
    tolerance : float
        Largest permitted departure, in ``unit``, zero or more.
    reason : str
        Why that tolerance.
    source : str
        Where the outside number is from.
    unit : str
        Of both numbers; empty for plain numbers.
    kind : {"closed form", "code", "measurement", "claim"}
        What the outside number is. Only a claim may be ambiguous or explained.
    relation : {"equal", "at most", "at least"}
        What ours should be to it.
    readings : tuple of (str, float)
        Of a claim that leaves something open: our number in each other plausible reading.
    explained : str or None
        Of a claim: where the documentation explains why it does not hold.
    case : str
        Folder of the case; filled in by `run_cases`.
    """

    name: str
    ours: float
    reference: float
    tolerance: float
    reason: str
    source: str
    unit: str = ""
    kind: str = "code"
    relation: str = "equal"
    readings: tuple[tuple[str, float], ...] = ()
    explained: str | None = None
    case: str = ""

    def __post_init__(self) -> None:
        """Refuse rows that could not fail or that excuse what must hold."""
        check_choice(f"kind of {self.name!r}", self.kind, KINDS)
        check_choice(f"relation of {self.name!r}", self.relation, RELATIONS)
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0.0):
            raise InputError(
                f"tolerance = {self.tolerance!r} of {self.name!r} must be finite and not negative, "
                "or the row could not fail."
            )
        if not self.reason or not self.source:
            raise InputError(f"{self.name!r} needs a reason for its tolerance and a source.")
        if self.kind != "claim" and (self.explained or self.readings):
            raise InputError(
                f"{self.name!r} is a {self.kind}: only claims may be explained or read in several "
                "ways. Find out who is right instead."
            )

    @property
    def difference(self) -> float:
        """Ours less the reference."""
        return self.ours - self.reference

    @property
    def verdict(self) -> str:
        """Holds, fails, or ambiguous: only in another plausible reading of a claim."""
        if self._within(self.ours):
            return "holds"
        return "ambiguous" if any(self._within(value) for _, value in self.readings) else "fails"

    @property
    def failed(self) -> bool:
        """Whether the row counts against us: it fails and nothing explains it."""
        return self.verdict == "fails" and not self.explained

    @property
    def strain(self) -> float:
        """Departure over tolerance; infinite where there is no tolerance or no number."""
        off = self._departure(self.ours)
        if off <= 0.0:
            return 0.0
        return off / self.tolerance if self.tolerance > 0.0 and math.isfinite(off) else math.inf

    def as_dict(self) -> dict[str, Any]:
        """Return the row as `--json` gives it."""
        verdict = self.verdict
        return {
            "name": self.name,
            "case": self.case,
            "kind": self.kind,
            "ours": self.ours,
            "relation": self.relation,
            "reference": self.reference,
            "difference": self.difference,
            "tolerance": self.tolerance,
            "unit": self.unit,
            "verdict": verdict,
            "explained": None if verdict == "holds" else self.explained,
            "readings": [{"reading": name, "ours": value} for name, value in self.readings],
            "reason": self.reason,
            "source": self.source,
        }

    def _departure(self, value: float) -> float:
        """Return by how much a value misses; infinite if it is no number."""
        difference = value - self.reference
        if not math.isfinite(difference):
            return math.inf
        signs = {"equal": abs(difference), "at most": difference, "at least": -difference}
        return signs[self.relation]

    def _within(self, value: float) -> bool:
        return self._departure(value) <= self.tolerance


def row(
    name: str,
    ours: float,
    reference: float,
    tolerance: float,
    *,
    reason: str,
    source: str,
    unit: str = "",
    kind: str = "code",
) -> Row:
    """Return a comparison with an absolute tolerance."""
    return Row(
        name=name,
        ours=float(ours),
        reference=float(reference),
        tolerance=float(tolerance),
        reason=reason,
        source=source,
        unit=unit,
        kind=kind,
    )


def relative_row(
    name: str,
    ours: float,
    reference: float,
    share: float,
    *,
    reason: str,
    source: str,
    unit: str = "",
    kind: str = "code",
) -> Row:
    """Return a comparison whose tolerance is a share of the reference."""
    size = share * abs(float(reference))
    return row(name, ours, reference, size, reason=reason, source=source, unit=unit, kind=kind)


def worst(rows: Sequence[Row], name: str) -> Row:
    """Return the row of the largest departure over tolerance, under a name that says of how many.

    A row that fails makes the result fail.

    Raises
    ------
    InputError
        If there are none.
    """
    if not rows:
        raise InputError(f"{name}: nothing to compare. Is the reference table empty?")
    found = max(rows, key=lambda r: r.strain)
    return replace(found, name=f"{name}: worst of {len(rows)}, {found.name}")


def read_table(path: Path | str) -> list[dict[str, Any]]:
    """Return the rows of a reference table; numbers as floats, blanks as None, # lines skipped."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    reader = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [{key: _value(text) for key, text in line.items()} for line in reader]


def _value(text: str) -> float | str | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return text or None
