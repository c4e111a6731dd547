"""Running cases one after the other and counting what holds."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scintscope.errors import InputError, ScintscopeError
from scintscope.outputs import versions
from scintscope.progress import Progress, silent
from scintscope.validate.cases import Case
from scintscope.validate.rows import VERDICTS, Row


class ValidationFailed(ScintscopeError):  # noqa: N818 - what the user reads
    """A number of ours misses an outside one and nothing explains it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a run of cases found.

    Parameters
    ----------
    rows : tuple of Row
        All comparisons, case by case.
    processor_s : dict of str to float
        Processor seconds of each case.
    quick : bool
        Whether only the quick comparisons were made.
    """

    rows: tuple[Row, ...]
    processor_s: dict[str, float]
    quick: bool

    @property
    def failed(self) -> tuple[Row, ...]:
        """Rows that fail unexplained."""
        return tuple(row for row in self.rows if row.failed)

    def summary(self) -> dict[str, Any]:
        """Return counts by verdict, for claims and for everything else."""
        claims = [row for row in self.rows if row.kind == "claim"]
        others = [row for row in self.rows if row.kind != "claim"]
        return {
            "rows": len(self.rows),
            "cases": len(self.processor_s),
            "quick": self.quick,
            "claims": _counts(claims),
            "others": _counts(others),
            "failed_unexplained": [f"{row.case}: {row.name}" for row in self.failed],
        }

    def document(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "rows": [row.as_dict() for row in self.rows],
            "summary": self.summary(),
            "versions": versions(),
        }

    def require_success(self) -> None:
        """Raise `ValidationFailed` if a row fails unexplained."""
        if self.failed:
            names = "; ".join(f"{row.case}: {row.name}" for row in self.failed)
            raise ValidationFailed(f"{len(self.failed)} rows fail unexplained: {names}")


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    verdicts = [row.verdict for row in rows]
    return {verdict: verdicts.count(verdict) for verdict in VERDICTS}


def run_cases(cases: Sequence[Case], *, quick: bool = False, progress: Progress = silent) -> Report:
    """Return the rows of cases.

    Parameters
    ----------
    cases : sequence of Case
    quick : bool
        Ask each case for its quick rows only; a case may have none.
    progress : callable
        Shows a bar, one step a case.

    Raises
    ------
    InputError
        If a case returns no rows at all, or two of the same name.

    Notes
    -----
    A case that stops with another error gives one row that fails and says so.
    """
    rows: list[Row] = []
    seconds: dict[str, float] = {}
    with progress("validating", len(cases)) as advance:
        for case in cases:
            start = time.process_time()
            found = [replace(row, case=case.name) for row in _rows(case, quick)]
            seconds[case.name] = time.process_time() - start
            _check(case, found, quick)
            rows += found
            advance(1)
    return Report(rows=tuple(rows), processor_s=seconds, quick=quick)


def _rows(case: Case, quick: bool) -> list[Row]:
    """Return a case's rows; an error becomes a row that fails, so that the others still run."""
    try:
        return case.rows(quick)
    except InputError:
        raise
    except Exception as error:
        return [
            Row(
                name=f"could not be computed: {type(error).__name__}: {error}",
                ours=math.nan,
                reference=math.nan,
                tolerance=0.0,
                reason="a case that stops counts as failed",
                source=str(case.folder / "case.py"),
            )
        ]


def _check(case: Case, rows: Sequence[Row], quick: bool) -> None:
    names = [row.name for row in rows]
    if not rows and not quick:
        raise InputError(f"case {case.name} returned no rows.")
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(f"case {case.name} has several rows named {sorted(twice)[0]!r}.")
