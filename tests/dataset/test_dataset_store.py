"""Stores: layout, resuming, extending, refusing; damage is found and repaired."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataset_studies import tiny_study
from scintscope.dataset import build, staging, worker
from scintscope.dataset.build import HERE, make_dataset
from scintscope.dataset.check import check_store
from scintscope.dataset.store import Store, open_store, read_record, read_records
from scintscope.errors import InputError
from scintscope.progress import silent

HERE_ONLY: dict[str, Any] = {"scheduler": HERE}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a complete store of six samples (one shard and a half)."""
    folder = tmp_path_factory.mktemp("made")
    make_dataset(tiny_study(folder, samples=6), folder / "store", silent, **HERE_ONLY)
    return folder / "store"


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Store:
    """Return a copy of the store that a test may damage."""
    shutil.copytree(made, tmp_path / "copy")
    return open_store(tmp_path / "copy")


def hashes(store: Store | Path) -> dict[int, str]:
    """Return the hashes of what a store's arrays hold now."""
    opened = store if isinstance(store, Store) else open_store(store)
    return check_store(opened, silent, remake=0).hashes


def test_store_opens_with_xarray_as_it_is(made: Path) -> None:
    """One call without options gives named dimensions, units, the split; nothing is warned of."""
    import xarray

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = xarray.open_zarr(made)
        image = data["thick_specimen_frames"]
        assert image.dims == ("sample", "frame", "row", "column")
        assert image.shape == (6, 2, 32, 32) and image.attrs["units"] == "ADU"
        assert list(data["sample"].values) == list(range(6))
        names = data["split"].attrs["flag_meanings"].split()
        assert [names[i] for i in data["split"].values][:2] == [names[0]] * 2
        assert float(image.mean()) > 100.0


def test_arrays_are_sharded_and_compressed(made: Path) -> None:
    """Each array is Zarr v3, a chunk a sample, four in a shard, Zstandard 1 with shuffle."""
    meta = json.loads((made / "thick_target_frames" / "zarr.json").read_text())
    assert (meta["zarr_format"], meta["dimension_names"][0]) == (3, "sample")
    assert meta["chunk_grid"]["configuration"]["chunk_shape"] == [4, 2, 32, 32]
    (codec,) = meta["codecs"]
    assert codec["name"] == "sharding_indexed"
    assert codec["configuration"]["chunk_shape"] == [1, 2, 32, 32]
    blosc = codec["configuration"]["codecs"][1]["configuration"]
    assert (blosc["cname"], blosc["clevel"], blosc["shuffle"]) == ("zstd", 1, "shuffle")


def test_a_complete_store_is_good(made: Path) -> None:
    """All hashes fit, samples made again have the same bits, nothing is left staged."""
    store = open_store(made)
    report = check_store(store, silent, remake=2, rng=np.random.default_rng(0))
    assert report.problems == {} and sorted(report.hashes) == list(range(6))
    assert list(report.remade.values()) == ["the same bits"] * 2
    assert staging.staged(store) == set()
    assert report.lines()[0] == f"0 {read_record(store, 0)[0]['sha256']}"


def test_order_of_samples_changes_nothing(made: Path, tmp_path: Path) -> None:
    """Made backwards, sample by sample, the store holds the same samples."""
    store = build.prepared(tiny_study(tmp_path, samples=6), tmp_path / "other", resume=False)
    for index in reversed(range(6)):
        worker.make_and_stage(str(store.path), index)
    build.finish(store, silent, **HERE_ONLY)
    assert hashes(store) == hashes(made)


def test_a_larger_number_extends(made: Path, copy: Store, tmp_path: Path) -> None:
    """Two samples more: the six that are there stay as they are, and the last shard fills up."""
    study = tiny_study(tmp_path, samples=8)
    outcome = make_dataset(study, copy.path, silent, resume=True, **HERE_ONLY)
    assert (outcome.document["made"], outcome.document["complete"]) == (2, 8)
    found = hashes(copy.path)
    assert {i: found[i] for i in range(6)} == hashes(made) and len(found) == 8
    smaller = make_dataset(tiny_study(tmp_path, samples=2), copy.path, silent, resume=True)
    assert (smaller.document["made"], smaller.document["complete"]) == (0, 8)


def test_what_does_not_belong_is_refused(
    copy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store without --resume, of another study or version, or in use is left alone."""
    study = tiny_study(tmp_path, samples=6)
    with pytest.raises(InputError, match="--resume"):
        make_dataset(study, copy.path, silent)
    with pytest.raises(InputError, match="another study"):
        make_dataset(tiny_study(tmp_path, "seed=9"), copy.path, silent, resume=True)
    with (
        build.write_lock(copy),
        pytest.raises(InputError, match="another process is writing"),
    ):
        make_dataset(study, copy.path, silent, resume=True)
    monkeypatch.setattr(build, "versions", lambda: {"numpy": "0.1"})
    with pytest.raises(InputError, match=r"other versions: numpy .* \(here 0.1\)"):
        make_dataset(study, copy.path, silent, resume=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="not made by scintscope"):
        make_dataset(study, tmp_path / "full", silent)


def shard_file(store: Store, name: str, shard: int) -> Path:
    """Return an array's file of a shard."""
    (path,) = [p for p in (store.path / name / "c" / str(shard)).rglob("0") if p.is_file()]
    return path


def flip(path: Path, place: float = 0.4) -> None:
    """Invert a byte of a file."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    path.write_bytes(content)


def test_damage_is_found_and_repaired(made: Path, copy: Store) -> None:
    """A flipped byte, a missing shard, a broken record, lost metadata: found, and made anew."""
    wanted = hashes(made)
    flip(shard_file(copy, "thick_specimen_electrons", 0))
    report = check_store(copy, silent, remake=0)
    assert len(report.problems) >= 1 and set(report.problems) <= set(range(4))
    shard_file(copy, "thin_psf", 1).unlink()
    assert {4, 5} <= set(check_store(copy, silent, remake=0).problems)
    repaired = check_store(copy, silent, remake=0, repair=True)
    assert repaired.problems == {} and repaired.hashes == wanted
    assert {4, 5} <= set(repaired.repaired)

    (copy.own / "records" / "shard-000001.json").write_text("{half")
    (copy.path / "thin_defect_mask" / "zarr.json").unlink()
    assert set(check_store(copy, silent, remake=0).problems) == set(range(6))
    repaired = check_store(copy, silent, remake=0, repair=True)
    assert repaired.problems == {} and repaired.hashes == wanted
    assert hashes(copy) == wanted


def test_a_forged_record_is_found(copy: Store) -> None:
    """Parameters that the study does not draw, and a sample made again with other bits, are bad."""
    path = copy.own / "records" / "shard-000000.json"
    record = json.loads(path.read_text())
    record["samples"]["1"]["parameters"]["thick.exposure_s"] = 1.0
    path.write_text(json.dumps(record))
    report = check_store(copy, silent, remake=0)
    assert list(report.problems) == [1] and "parameters" in report.problems[1]


def test_other_machine_is_compared_by_its_noise_free_images(
    copy: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bits of another processor may differ in rounding, not by a thousandth."""
    import scintscope.dataset.check as check

    real = check.make_sample

    def other(scale: float) -> Any:
        def made_elsewhere(*arguments: Any) -> Any:
            sample = real(*arguments)
            arrays = {k: (v * scale).astype(v.dtype) for k, v in sample.arrays.items()}
            object.__setattr__(sample, "arrays", arrays)
            object.__setattr__(sample, "sha256", "0" * 64)
            return sample

        return made_elsewhere

    monkeypatch.setattr(check, "machine", lambda: "another")
    monkeypatch.setattr(check, "make_sample", other(1.0 + 1e-6))
    report = check_store(copy, silent, remake=1)
    assert report.problems == {} and "within" in next(iter(report.remade.values()))
    monkeypatch.setattr(check, "make_sample", other(1.001))
    report = check_store(copy, silent, remake=1)
    assert "differ by 1.0e-03" in next(iter(report.problems.values()))


def test_a_damaged_staged_file_is_made_anew(copy: Store, made: Path, tmp_path: Path) -> None:
    """A staged sample whose bytes went bad never reaches the arrays."""
    wanted = hashes(made)
    (copy.own / "records" / "shard-000001.json").unlink()
    for index in (4, 5):
        worker.make_and_stage(str(copy.path), index)
    flip(staging.staged_path(copy, 5))
    build.finish(copy, silent, **HERE_ONLY)
    assert hashes(copy) == wanted and staging.staged(copy) == set()


def test_full_disk_stops_and_resumes(
    copy: Store, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fills while a sample is staged, nothing half-written counts."""
    (copy.own / "records" / "shard-000001.json").unlink()
    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    study = tiny_study(tmp_path, samples=6)
    with pytest.raises(OSError, match="No space left"):
        make_dataset(study, copy.path, silent, resume=True, **HERE_ONLY)
    assert staging.staged(copy) == {4} and not list((copy.own / "staging").glob("*.tmp"))
    monkeypatch.setattr(os, "fsync", real)
    make_dataset(study, copy.path, silent, resume=True, **HERE_ONLY)
    assert hashes(copy) == hashes(made)


@pytest.mark.parametrize("step", range(4))
def test_a_crash_while_packing_loses_nothing(
    copy: Store, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Killed at any step of packing an extended shard, every complete sample is still there."""

    class Killed(BaseException):
        pass

    real = staging.write_record

    def killed(*arguments: Any) -> None:
        if step == 3:  # after the record is written, before staged files are removed
            real(*arguments)
        raise Killed

    target = ["read_arrays", "open_array", "write_record", "write_record"][step]
    study = tiny_study(tmp_path, samples=8)
    with monkeypatch.context() as patch:
        patch.setattr(staging, target, killed)
        with pytest.raises(Killed):
            make_dataset(study, copy.path, silent, resume=True, **HERE_ONLY)
    store = open_store(copy.path)
    complete = set(read_records(store)) | staging.staged(store)
    assert complete >= set(range(6))
    outcome = make_dataset(study, copy.path, silent, resume=True, **HERE_ONLY)
    assert outcome.document["complete"] == 8
    found = hashes(store)
    assert {i: found[i] for i in range(6)} == hashes(made) and len(found) == 8


def test_a_sample_that_cannot_be_made_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reason is told; the others are complete, packed and good."""
    real = worker.make_sample

    def sometimes(study: Any, index: int, shelf: Any) -> Any:
        if index == 1:
            raise InputError("no light")
        return real(study, index, shelf)

    monkeypatch.setattr(worker, "make_sample", sometimes)
    outcome = make_dataset(tiny_study(tmp_path, samples=3), tmp_path / "store", silent, **HERE_ONLY)
    assert outcome.document["problems"] == {"1": "no light"}
    assert outcome.document["complete"] == 2
    assert "sample 1 cannot be made: no light" in outcome.text
    assert list(check_store(open_store(tmp_path / "store"), silent, remake=0).problems) == [1]


def test_a_baseline_that_fails_is_told_and_kept_out(tmp_path: Path) -> None:
    """A sample whose chain refuses it has NaN in its restored arrays, and says why in its row."""
    study = tiny_study(tmp_path, "base.restoration.psf_size_px=20", samples=1)
    make_dataset(study, tmp_path / "store", silent, **HERE_ONLY)
    store = open_store(tmp_path / "store")
    record = read_record(store, 0)[0]
    assert record["scores"]["restoration_trouble"] and record["scores"]["registered"] is None
    assert check_store(store, silent, remake=1).problems == {}


def test_ten_thousand_samples_start_at_once(tmp_path: Path) -> None:
    """Laying out a store of 10,000 takes no time that grows with what it will hold."""
    import time

    study = tiny_study(tmp_path, samples=10_000)
    start = time.process_time()
    store = build.prepared(study, tmp_path / "store", resume=False)
    plan = build._Plan(store)
    next(plan.tasks())
    # 5 s on the clock are promised; processor time, as tests run side by side.
    assert time.process_time() - start < 3.0
    assert len(plan.missing) == 10_000
    size = sum(p.stat().st_size for p in store.path.rglob("*") if p.is_file())
    assert size < 2_000_000
