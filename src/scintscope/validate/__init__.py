"""Our numbers beside outside numbers: closed forms, other codes, measurements, the paper's claims.

Cases are folders of the repository's ``validation/``; a case is a module ``case.py`` with a
function ``rows(quick)`` that computes and returns `Row` objects, beside its reference tables and a
``SOURCE.md``. This package finds, runs and writes them; it computes nothing itself.
"""

from scintscope.validate.cases import Case, choose_cases, find_cases
from scintscope.validate.rows import Row, read_table, relative_row, row, worst
from scintscope.validate.run import Report, ValidationFailed, run_cases
from scintscope.validate.write import report_text, write_report

__all__ = [
    "Case",
    "Report",
    "Row",
    "ValidationFailed",
    "choose_cases",
    "find_cases",
    "read_table",
    "relative_row",
    "report_text",
    "row",
    "run_cases",
    "worst",
    "write_report",
]
