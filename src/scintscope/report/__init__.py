"""Reports: one HTML file a run, the verdict table of the terminal, the overview figure."""

from scintscope.report.overview import overview_figure, write_overview
from scintscope.report.page import write_report, write_verify_report
from scintscope.report.sheet import write_sheet
from scintscope.report.tables import verdict_table

__all__ = [
    "overview_figure",
    "verdict_table",
    "write_overview",
    "write_report",
    "write_sheet",
    "write_verify_report",
]
