"""The command: exit codes, what goes to stdout, and where it stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_studies import tiny_file
from scintscope import cli


def test_make_check_repair_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Made, checked with hashes alone on stdout, damaged, found with exit code 1, repaired."""
    store, study = str(tmp_path / "store"), str(tiny_file(tmp_path))
    make = ["dataset", study, "--out", store, "--samples", "2", "--scheduler", "here"]
    assert cli.main(make) == 0
    assert "2 of 2 samples complete" in capsys.readouterr().out
    assert cli.main(make) == 2
    assert "--resume" in capsys.readouterr().err
    assert cli.main([*make, "--resume"]) == 0
    capsys.readouterr()
    assert cli.main(["dataset", "check", store, "--hashes", "--remake", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1"]
    assert all(len(line.split()[1]) == 64 for line in lines)
    (tmp_path / "store" / "thick_psf" / "c" / "0" / "0" / "0").unlink()
    assert cli.main(["dataset", "check", store, "--hashes", "--remake", "0"]) == 1
    told = capsys.readouterr()
    assert "sample 0:" in told.err and all(len(x.split()) == 2 for x in told.out.splitlines())
    assert cli.main(["dataset", "check", store, "--repair", "--remake", "0"]) == 0
    assert "2 of 2 samples are good" in capsys.readouterr().out
    out = str(tmp_path / "tiff")
    assert cli.main(["dataset", "export", store, "--out", out, "--format", "tiff"]) == 0
    assert (tmp_path / "tiff" / "sample-000001" / "specimen_truth.tif").is_file()


def test_bad_studies_and_targets_stop_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a sentence; nothing is left where the store would be."""
    study = str(tiny_file(tmp_path, "samples = 8", "sample = 8"))
    assert cli.main(["dataset", study, "--out", str(tmp_path / "store")]) == 2
    assert "sample is not a key of a study" in capsys.readouterr().err
    assert cli.main(["dataset", "check", str(tmp_path)]) == 2
    assert "is not a data set" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_read_only_target_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be written is bad input, not a crash."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    study = str(tiny_file(tmp_path))
    assert cli.main(["dataset", study, "--out", str(tmp_path / "store")]) == 2
    assert "cannot be written: Permission denied" in capsys.readouterr().err
