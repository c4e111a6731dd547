"""Kept tables: keys, damage, and disks that refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scintscope.cache import cached_arrays, key_of, read_table, write_table
from scintscope.errors import PhysicsWarning

INPUTS = {"material": "YAG", "energy_kev": np.arange(3.0), "seed": 1}


def table() -> dict[str, np.ndarray]:
    return {"values": np.linspace(0.0, 1.0, 7), "count": np.array(3)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCINTSCOPE_CACHE", str(tmp_path))
    return tmp_path


def test_a_table_is_made_once_and_comes_back_bit_for_bit(folder: Path) -> None:
    """The second call reads what the first made."""
    first = cached_arrays("kind", INPUTS, table)
    second = cached_arrays("kind", INPUTS, lambda: pytest.fail("made twice"))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert [p.suffix for p in (folder / "kind").iterdir()] == [".npz"]


def test_every_input_counts_to_its_last_bit() -> None:
    """A change of one unit in the last place of one input is another table."""
    other = {**INPUTS, "energy_kev": np.nextafter(INPUTS["energy_kev"], 9.0)}  # type: ignore[arg-type]
    keys = {key_of(INPUTS), key_of(other), key_of({**INPUTS, "seed": 2})}
    assert len(keys) == 3


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_table_is_made_again(folder: Path, damage: str) -> None:
    """Neither a truncated file nor altered numbers are ever used."""
    cached_arrays("kind", INPUTS, table)
    path = next((folder / "kind").iterdir())
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    else:
        with np.load(path) as stored:
            content = {name: stored[name] for name in stored.files}
        content["values"][0] = 5.0
        np.savez_compressed(path, **content)
    with pytest.warns(PhysicsWarning, match="cannot be used"):
        again = cached_arrays("kind", INPUTS, table)
    assert np.array_equal(again["values"], table()["values"])
    assert read_table(path) is not None


def test_a_disk_that_refuses_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the cache cannot be written the table is still returned, with a warning."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("SCINTSCOPE_CACHE", str(blocked))
    with pytest.warns(PhysicsWarning, match="could not be kept"):
        assert cached_arrays("kind", INPUTS, table)["count"] == 3


def test_the_cache_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SCINTSCOPE_CACHE=off nothing is written."""
    monkeypatch.setenv("SCINTSCOPE_CACHE", "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cached_arrays("kind", INPUTS, table)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while writing removes the partial file."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        write_table(tmp_path / "a.npz", table())
    assert list(tmp_path.iterdir()) == []
