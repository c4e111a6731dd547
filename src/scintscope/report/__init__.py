"""Reports: one HTML file a run, the verdict table of the terminal, the overview figure."""

from scintscope.report.easel import Easel, second_process
from scintscope.report.overview import overview_figure, write_overview
from scintscope.report.page import (
    frames_drawing,
    instrument_drawings,
    write_report,
    write_verify_report,
)
from scintscope.report.sheet import write_sheet
from scintscope.report.tables import verdict_table

__all__ = [
    "Easel",
    "frames_drawing",
    "instrument_drawings",
    "overview_figure",
    "second_process",
    "verdict_table",
    "write_overview",
    "write_report",
    "write_sheet",
    "write_verify_report",
]
