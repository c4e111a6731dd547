"""Result folders are complete or absent; JSON is strict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scintscope.errors import InputError
from scintscope.outputs import plain, provenance, staged_output, to_json, write_json


def test_folder_appears_only_when_complete(tmp_path: Path) -> None:
    """While the block runs nothing stands under the final name; afterwards all of it does."""
    final = tmp_path / "runs" / "a"
    with staged_output(final) as folder:
        (folder / "x.txt").write_text("x")
        assert not final.exists()
        assert folder.name == "a.partial"
    assert sorted(p.name for p in final.iterdir()) == ["provenance.json", "x.txt"]
    assert [p.name for p in final.parent.iterdir()] == ["a"]


def test_failure_leaves_nothing_and_keeps_the_old(tmp_path: Path) -> None:
    """An error or Ctrl-C in the block removes the partial folder and spares the earlier result."""
    final = tmp_path / "a"
    with staged_output(final) as folder:
        (folder / "old.txt").write_text("old")
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), staged_output(final) as folder:
            (folder / "new.txt").write_text("new")
            raise error
    assert (final / "old.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_own_folder_is_replaced_whole(tmp_path: Path) -> None:
    """A second run leaves none of the first run's files."""
    for name in ("one", "two"):
        with staged_output(tmp_path / "a") as folder:
            (folder / name).touch()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["provenance.json", "two"]


@pytest.mark.parametrize("record", [None, "{}", "[]", "not json", '{"made_by": "other"}'])
def test_folder_of_others_is_refused_untouched(tmp_path: Path, record: str | None) -> None:
    """A non-empty folder without scintscope's mark is neither replaced nor changed."""
    final = tmp_path / "thesis"
    final.mkdir()
    (final / "chapter.tex").touch()
    if record is not None:
        (final / "provenance.json").write_text(record)
    with pytest.raises(InputError, match="not made by scintscope"), staged_output(final):
        pytest.fail("the block must not start")
    assert (final / "chapter.tex").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["thesis"]


def test_partial_folder_of_others_is_refused_untouched(tmp_path: Path) -> None:
    """A folder that only happens to be called DIR.partial is not deleted."""
    (tmp_path / "a.partial").mkdir()
    (tmp_path / "a.partial" / "mine").touch()
    with pytest.raises(InputError, match="in the way"), staged_output(tmp_path / "a"):
        pytest.fail("the block must not start")
    assert (tmp_path / "a.partial" / "mine").exists()


def test_empty_folder_is_taken_and_a_file_refused(tmp_path: Path) -> None:
    """An empty folder may be filled; a file of that name is an error."""
    (tmp_path / "empty").mkdir()
    with staged_output(tmp_path / "empty") as folder:
        (folder / "x").touch()
    assert (tmp_path / "empty" / "x").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not a folder"), staged_output(tmp_path / "file"):
        pytest.fail("the block must not start")


def test_second_writer_is_refused(tmp_path: Path) -> None:
    """Two runs cannot write one folder at the same time."""
    with staged_output(tmp_path / "a") as folder:
        with (
            pytest.raises(InputError, match="another scintscope run"),
            staged_output(tmp_path / "a"),
        ):
            pytest.fail("the block must not start")
        assert folder.exists()
    assert (tmp_path / "a").exists()


def test_killed_run_leaves_no_final_name_and_is_cleaned_up(tmp_path: Path) -> None:
    """After SIGKILL the final name is free, and the next run clears the remains."""
    script = (
        "import sys, time\nfrom scintscope.outputs import staged_output\n"
        f"with staged_output({str(tmp_path / 'a')!r}) as folder:\n"
        "    (folder / 'half').touch()\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert [p.name for p in tmp_path.iterdir()] == ["a.partial"]
    with staged_output(tmp_path / "a"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert not (tmp_path / "a" / "half").exists()


def test_swap_killed_half_way_is_undone(tmp_path: Path) -> None:
    """If a kill fell between the two renames, the earlier result gets its name back."""
    with staged_output(tmp_path / "a") as folder:
        (folder / "old").touch()
    (tmp_path / "a").rename(tmp_path / "a.replaced")
    with pytest.raises(RuntimeError), staged_output(tmp_path / "a"):
        assert (tmp_path / "a" / "old").exists()
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_json_is_strict_sorted_and_exact() -> None:
    """NaN and infinity become null, keys are sorted, floats read back bit by bit."""
    data = {
        "b": [float("nan"), np.float64("inf"), 0.1 + 0.2],
        "a": np.arange(3),
        "c": {"path": Path("x"), "flag": np.bool_(True), "none": None, "t": (1, 2)},
    }
    text = to_json(data)
    back = json.loads(text)
    assert list(back) == ["a", "b", "c"]
    assert back["b"] == [None, None, 0.1 + 0.2]
    assert back["a"] == [0, 1, 2]
    assert back["c"] == {"path": "x", "flag": True, "none": None, "t": [1, 2]}
    assert "NaN" not in text


def test_float32_keeps_its_value() -> None:
    """A float32 scalar and array are written as the doubles they equal."""
    assert plain(np.float32(0.1)) == float(np.float32(0.1))
    assert plain(np.array([0.1], dtype=np.float32)) == [float(np.float32(0.1))]


def test_write_json_leaves_no_temporary_file(tmp_path: Path) -> None:
    """A file is written through another that is gone afterwards, also when data cannot be."""
    write_json(tmp_path / "m.json", {"x": 1})
    assert (tmp_path / "m.json").read_text() == '{\n "x": 1\n}\n'
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_json(tmp_path / "folder.json", {"x": 1})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.json", "m.json"]


def test_provenance_names_what_decides_the_numbers() -> None:
    """Versions, seed, hash, timings and interim models are all there."""
    record = provenance(scenario_hash="ab", seed=3, timings_s={"x": 1.5}, interim=["noise"])
    assert record["made_by"] == "scintscope"
    assert {"python", "numpy", "scipy", "jax", "xraylib", "spekpy", "scintscope"} <= set(
        record["versions"]
    )
    assert all(record["versions"].values())
    assert (record["seed"], record["scenario_hash"], record["interim"]) == (3, "ab", ["noise"])
    assert record["made_at"].startswith(time.strftime("%Y-", time.gmtime()))
