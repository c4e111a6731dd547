"""The table of a validation run: for the terminal, as CSV, JSON and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from scintscope.outputs import provenance, staged_output, write_json, write_text
from scintscope.validate.rows import Row
from scintscope.validate.run import Report

COLUMNS = ("verdict", "case", "name", "ours", "outside", "difference", "tolerance", "unit")
_RELATION = {"equal": "", "at most": "<= ", "at least": ">= "}
_LONGEST_NAME = 88


def number(value: float) -> str:
    """Return a number with as many digits as a reader compares."""
    return f"{value:.5g}"


def cells(row: Row) -> tuple[str, ...]:
    """Return a row's columns as text."""
    verdict = row.verdict
    if verdict != "holds" and row.explained:
        verdict += " (explained)"
    return (
        verdict,
        row.case,
        row.name,
        number(row.ours),
        _RELATION[row.relation] + number(row.reference),
        f"{row.difference:+.2g}",
        f"{row.tolerance:.2g}",
        row.unit,
    )


def report_text(report: Report) -> str:
    """Return the table and its summary for a terminal."""
    table = [COLUMNS, *(cells(row) for row in report.rows)]
    shown = [tuple(_short(cell) for cell in line) for line in table]
    widths = [max(len(line[i]) for line in shown) for i in range(len(COLUMNS))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in shown]
    return "\n".join([*(line.rstrip() for line in lines), "", *summary_lines(report)])


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_NAME else cell[: _LONGEST_NAME - 3] + "..."


def summary_lines(report: Report) -> list[str]:
    """Return what the run says, in sentences."""
    summary = report.summary()
    others, claims = summary["others"], summary["claims"]
    made = sum(others.values())
    text = [
        f"{others['holds']} of {made} comparisons with closed forms, other codes and measurements "
        "hold."
    ]
    if sum(claims.values()):
        text.append(
            f"Claims of the paper: {claims['holds']} hold, {claims['ambiguous']} hold in some "
            f"readings only, {claims['fails']} do not hold."
        )
    failed = summary["failed_unexplained"]
    text += [f"FAILS, unexplained: {name}" for name in failed]
    return [*text, f"{report_seconds(report):.0f} processor seconds."]


def report_seconds(report: Report) -> float:
    """Return the processor seconds of all cases."""
    return sum(report.processor_s.values())


def write_report(report: Report, directory: Path) -> None:
    """Write ``validation.csv``, ``.json`` and ``.md`` into a folder, complete or not at all."""
    with staged_output(directory) as folder:
        write_text(folder / "validation.csv", csv_text(report.rows))
        write_json(folder / "validation.json", report.document())
        write_text(folder / "validation.md", markdown_text(report))
        write_json(folder / "provenance.json", provenance(timings_s=report.processor_s))


def csv_text(rows: Iterable[Row]) -> str:
    """Return the rows as CSV, every digit kept."""
    buffer = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        entry = row.as_dict()
        entry["readings"] = "; ".join(f"{r['reading']}: {r['ours']!r}" for r in entry["readings"])
        if writer is None:
            writer = csv.DictWriter(buffer, list(entry), lineterminator="\n")
            writer.writeheader()
        writer.writerow({key: "" if value is None else value for key, value in entry.items()})
    return buffer.getvalue()


def markdown_text(report: Report) -> str:
    """Return the table as a page, a section a case, with sources and reasons."""
    lines = ["# Validation", "", *summary_lines(report)[:-1], ""]
    for case in dict.fromkeys(row.case for row in report.rows):
        rows = [row for row in report.rows if row.case == case]
        lines += [f"## {case}", "", "| " + " | ".join([*_SHOWN, "source", "tolerance is"]) + " |"]
        lines.append("|" + "---|" * (len(_SHOWN) + 2))
        lines += ["| " + " | ".join(map(_escaped, _page_cells(row))) + " |" for row in rows]
        lines.append("")
    return "\n".join(lines)


_SHOWN = ("verdict", "quantity", "ours", "outside", "difference", "tolerance", "unit")


def _page_cells(row: Row) -> tuple[str, ...]:
    verdict, _, *rest = cells(row)
    return (verdict, *rest, row.source, row.reason)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
