"""Reading the tables of outside numbers in ``tests/data``."""

import csv
from pathlib import Path

DATA = Path(__file__).parent / "data"


def read_table(name):
    """Return the rows of a table as dicts; numbers become floats, blanks become None."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def _value(text):
    try:
        return float(text)
    except ValueError:
        return text or None
