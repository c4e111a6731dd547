"""The command that puts our numbers beside outside numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from scintscope.cli.common import Json, app


@app.command
def validate(
    *cases: str,
    quick: Annotated[bool, Parameter(name="--quick", negative="", show_default=False)] = False,
    json: Json = False,
    out: Annotated[Path | None, Parameter(name="--out")] = None,
    folder: Annotated[Path | None, Parameter(name="--cases")] = None,
) -> None:
    """Compare our numbers with closed forms, other codes, measurements and the paper's claims.

    Exit code 1 if a comparison fails that the documentation does not explain.

    Parameters
    ----------
    cases
        Names of cases, folders of validation/; all of them if none is given.
    quick
        Only what takes seconds.
    out
        Folder for the table as CSV, JSON and Markdown.
    folder
        Folder of the cases; default is validation/ of the checkout.
    """
    from scintscope.outputs import to_json
    from scintscope.progress import progress
    from scintscope.validate import choose_cases, report_text, run_cases, write_report

    report = run_cases(choose_cases(cases, folder), quick=quick, progress=progress)
    if out is not None:
        write_report(report, out)
    print(to_json(report.document()) if json else report_text(report))
    report.require_success()
