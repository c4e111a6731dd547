"""What lies beside the arrays: card, Croissant, table; and what reads them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from dataset_studies import tiny_study
from scintscope.dataset import load_study
from scintscope.dataset.build import HERE, make_dataset
from scintscope.dataset.card import planned_card
from scintscope.dataset.contents import specs
from scintscope.dataset.export import export_store, parse_samples
from scintscope.dataset.reader import PairReader
from scintscope.dataset.store import open_store
from scintscope.dataset.table import read_table
from scintscope.errors import InputError
from scintscope.progress import silent


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of four samples, two plates in two splits."""
    folder = tmp_path_factory.mktemp("card")
    make_dataset(tiny_study(folder, samples=4), folder / "pairs", silent, scheduler=HERE)
    return folder / "pairs"


# mlcroissant's own dependencies warn of their futures and leave files to the collector.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_croissant_is_valid_and_gives_the_records(store: Path) -> None:
    """MLCommons' own reader finds no fault with it and reads every sample's row through it."""
    import mlcroissant

    dataset = mlcroissant.Dataset(str(store / "croissant.json"))
    assert not dataset.metadata.issues.errors
    rows = list(dataset.records("samples"))
    assert [row["samples/index"] for row in rows] == [0, 1, 2, 3]
    assert rows[0]["samples/sha256"].decode() == read_table(store)["sha256"][0]
    assert {f.name for f in dataset.metadata.distribution} >= {"parameters.parquet", "thin_psf"}
    assert dataset.metadata.license == ["https://spdx.org/licenses/CC0-1.0.html"]


def test_card_names_everything_a_stranger_needs(store: Path) -> None:
    """Every array with its unit, every varied key, splits, licence, seed, versions, limits."""
    text = (store / "README.md").read_text()
    study = open_store(store).study
    for name, spec in specs(study).items():
        assert f"| `{name}` |" in text and spec.unit in text
    for key in [d.key for d in study.vary] + ["spheres", "fibres", "train", "CC0-1.0", "numpy "]:
        assert key in text, key
    assert f"seed {study.seed}" in text and study.hash() in text and "Simulated" in text
    record = json.loads((store / "provenance.json").read_text())
    assert record["study_sha256"] == study.hash() and record["machines"] and record["lock"]


def test_card_of_the_standard_set_is_the_one_shipped() -> None:
    """The committed card says what the study would make."""
    folder = Path(__file__).parents[2] / "scenarios" / "datasets"
    assert (
        planned_card(load_study(folder / "standard.toml")) == (folder / "standard.md").read_text()
    )


def test_table_has_a_row_a_sample(store: Path) -> None:
    """Drawn values, scores and hashes stand in columns; what a sample has not is null."""
    table = read_table(store)
    assert table["index"] == [0, 1, 2, 3]
    assert table["split"][0] == table["split"][1] != table["split"][2]
    assert all(10.0 <= x <= 40.0 for x in table["thick.exposure_s"])
    assert all(isinstance(x, float) for x in table["metric.target_input_rmse"])
    assert len(set(table["acquisition.seed"])) == 4


def test_reader_gives_dicts_of_arrays(store: Path) -> None:
    """By place and split, chosen arrays, in a pickled copy too: what a loader needs."""
    everything = PairReader(store)
    train = PairReader(store, split="train", arrays=["specimen_input", "specimen_truth"])
    assert len(everything) == 4 and train.indices == [0, 1]
    item = pickle.loads(pickle.dumps(train))[1]
    assert set(item) == {"specimen_input", "specimen_truth", "index"} and item["index"] == 1
    assert item["specimen_input"].shape == (32, 32) and item["specimen_input"].dtype == np.float32
    assert np.array_equal(item["specimen_truth"], everything[1]["specimen_truth"])
    assert train.parameters(1)["thick.defects.seed"] == 2
    assert train.scores(1)["target_input_rmse"] > 0.0
    with pytest.raises(IndexError):
        train[2]
    assert len(list(train)) == 2
    with pytest.raises(InputError, match="'specimen_input'"):
        PairReader(store, arrays=["specimen_inputs"])
    with pytest.raises(InputError, match="not a data set"):
        PairReader(store.parent)


def test_nexus_files_hold_the_arrays(store: Path, tmp_path: Path) -> None:
    """Each array is an NXdata with signal, unit and coordinates; values are the store's."""
    import h5py

    export_store(open_store(store), tmp_path / "out", "nexus", silent, samples=[2])
    with h5py.File(tmp_path / "out" / "sample-000002.nxs") as file:
        entry = file[file.attrs["default"]]
        assert entry.attrs["NX_class"] == "NXentry"
        data = entry["thick_target_frames"]
        assert data.attrs["NX_class"] == "NXdata" and data.attrs["signal"] == "data"
        assert list(data.attrs["axes"]) == [".", "row", "column"]
        assert np.array_equal(data["data"][...], PairReader(store)[2]["thick_target_frames"])
        assert data["data"].attrs["units"] == "ADU" and data["row"].attrs["units"] == "um"
        step = data["column"][1] - data["column"][0]
        assert step == pytest.approx(2.0) and data["column"][...].sum() == pytest.approx(0.0)
        assert "thick.exposure_s" in json.loads(entry["sample_record/parameters"][()])


def test_tiff_files_hold_the_images(store: Path, tmp_path: Path) -> None:
    """Images and stacks are TIFF, the rest is one JSON file; the scenario lies beside them."""
    import tifffile

    export_store(open_store(store), tmp_path / "out", "tiff", silent, split="train")
    folders = sorted(p.name for p in (tmp_path / "out").iterdir() if p.is_dir())
    assert folders == ["sample-000000", "sample-000001"]
    sample = PairReader(store)[1]
    for name in ("thin_background_frames", "specimen_truth", "thin_psf"):
        image = tifffile.imread(tmp_path / "out" / "sample-000001" / f"{name}.tif")
        assert np.array_equal(image, sample[name]), name
    record = json.loads((tmp_path / "out" / "sample-000001" / "sample.json").read_text())
    assert np.allclose(record["thick_k_per_um"]["values"], sample["thick_k_per_um"])


def test_export_refuses_what_is_not_there(store: Path, tmp_path: Path) -> None:
    """Unknown samples, formats and odd lists are named."""
    with pytest.raises(InputError, match=r"no complete sample \[9\]"):
        export_store(open_store(store), tmp_path / "out", "nexus", silent, samples=[9])
    with pytest.raises(InputError, match="'nexus', 'tiff'"):
        export_store(open_store(store), tmp_path / "out", "png", silent)
    assert parse_samples("0,4-7") == [0, 4, 5, 6, 7]
    with pytest.raises(InputError, match="0,4-7"):
        parse_samples("a-b")
