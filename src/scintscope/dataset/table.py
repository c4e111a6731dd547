"""The table of a data set: a row a sample, what was drawn and what was measured, as Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scintscope.dataset.store import durable_file

if TYPE_CHECKING:
    from scintscope.dataset.store import Store

TABLE_FILE = "parameters.parquet"
_HEAD = ("index", "split", "family", "plate", "instrument", "sha256", "machine")


def rows(records: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each complete sample: drawn keys dotted, metrics as ``metric.NAME``."""
    found = []
    for index in sorted(records):
        record = records[index]
        row = {"index": index} | {key: record[key] for key in _HEAD[1:]}
        row |= {key: _cell(value) for key, value in record["parameters"].items()}
        row |= {f"metric.{key}": value for key, value in record["scores"].items()}
        found.append(row)
    return found


def _cell(value: Any) -> Any:
    """Return a value a column can hold; lists stay lists of one type."""
    return float(value) if value in ("inf", "-inf") else value


def write_table(store: Store, records: Mapping[int, Mapping[str, Any]]) -> None:
    """Write the table; a column holds numbers, texts, or null where a sample has no such key."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table_rows = rows(records)
    names = list(dict.fromkeys([*_HEAD, *(key for row in table_rows for key in row)]))
    columns = {name: _column([row.get(name) for row in table_rows]) for name in names}
    table = pa.table(columns)
    with durable_file(store.path / TABLE_FILE) as stream:
        pq.write_table(table, stream)


def _column(values: list[Any]) -> Any:
    """Return a column: floats where numbers are mixed, text where kinds are."""
    import pyarrow as pa

    kinds = {type(v) for v in values if v is not None}
    if kinds == {int, float}:
        values = [None if v is None else float(v) for v in values]
    elif len(kinds) > 1:
        values = [None if v is None else str(v) for v in values]
    if kinds == {int} and max(v for v in values if v is not None) >= 2**63:
        return pa.array(values, type=pa.uint64())
    return pa.array(values)


def read_table(folder: Path | str) -> dict[str, list[Any]]:
    """Return the table's columns by name."""
    import pyarrow.parquet as pq

    found: dict[str, list[Any]] = pq.read_table(Path(folder) / TABLE_FILE).to_pydict()
    return found
