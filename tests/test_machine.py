"""What provenance says of processor and libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scintscope.machine import LOCK_FILE, lock_state, processor
from scintscope.outputs import provenance


def test_processor_has_a_name() -> None:
    """Architecture is known everywhere; where Linux lists flags, vector units are found."""
    found = processor()
    assert found["architecture"]
    if "x86_64" in found["architecture"] and Path("/proc/cpuinfo").exists():
        assert found["vendor"] and found["family"] and found["vector_units"]


def test_departures_from_the_lock_are_named(tmp_path: Path) -> None:
    """A library of the locked version is not mentioned; another version and a missing one are."""
    lock = tmp_path / "lock"
    lock.write_text(f"# comment\nnumpy=={np.__version__}\nscipy==0.1\nno-such-library==1\n")
    found = lock_state(lock)
    assert set(found["departures"]) == {"scipy", "no-such-library"}
    assert found["departures"]["no-such-library"] is None
    assert len(found["sha256"]) == 64
    assert lock_state(tmp_path / "absent") == {"sha256": None, "departures": {}}


def test_provenance_records_them() -> None:
    """Processor, threads and the source tree's lock stand in every provenance."""
    record = provenance()
    assert record["processor"] == processor()
    assert set(record["threads"]) == {"blas", "jax_cpu"}
    assert (record["lock"]["sha256"] is None) == (not LOCK_FILE.is_file())
