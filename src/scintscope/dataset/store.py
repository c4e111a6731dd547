"""The store: a Zarr v3 group whose arrays hold all samples, and records of what is complete.

``STORE/`` is the group; ``STORE/<array>/`` its arrays, one chunk a sample, one file (shard) for
``shard_samples`` of them. Beside them lie the data card, the table of parameters and
``STORE/scintscope/``: the study, a record for each shard, and samples not packed yet.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import scintscope
from scintscope.dataset.contents import ArraySpec, specs
from scintscope.dataset.splits import split_of
from scintscope.dataset.study import Study, plain_infinite, study_from_document
from scintscope.errors import InputError
from scintscope.outputs import versions

FORMAT = 1
"""Of the store; raised when what a sample holds, or how it is made, changes."""

OWN = "scintscope"
STUDY_FILE = "study.json"
COORDINATES = ("sample", "plate", "instrument", "split")


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """An open store.

    Parameters
    ----------
    path : Path
        Its folder.
    study : Study
        Read back from it; ``study.samples`` is how many it has room for.
    """

    path: Path
    study: Study

    @property
    def own(self) -> Path:
        """Folder of the store's own files."""
        return self.path / OWN

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.study.samples // self.study.shard_samples)

    def indices(self, shard: int) -> range:
        """Return the samples of a shard."""
        size = self.study.shard_samples
        return range(shard * size, min((shard + 1) * size, self.study.samples))

    def specs(self) -> dict[str, ArraySpec]:
        """Return the arrays by name."""
        return specs(self.study)


def create_store(folder: Path, study: Study) -> None:
    """Lay out an empty store in an empty folder."""
    import zarr

    group = zarr.open_group(store=str(folder), mode="a", zarr_format=3)
    group.attrs.update(_group_attributes(study))
    for name, spec in specs(study).items():
        _create_array(group, name, spec, study)
    write_coordinates(folder, study)
    (folder / OWN / "staging").mkdir(parents=True)
    (folder / OWN / "records").mkdir()
    write_study(folder, study)
    consolidate(folder)


def _group_attributes(study: Study) -> dict[str, Any]:
    return {
        "title": study.name,
        "description": study.description,
        "licence": study.licence,
        "made_by": f"scintscope {scintscope.__version__}",
        "study_sha256": study.hash(),
    }


def _create_array(group: Any, name: str, spec: ArraySpec, study: Study) -> None:
    from zarr.codecs import BloscCodec

    group.create_array(
        name,
        shape=(study.samples, *spec.shape),
        chunks=(1, *spec.shape),
        shards=(study.shard_samples, *spec.shape),
        dtype=np.dtype(spec.dtype),
        compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"),
        fill_value=np.nan if np.dtype(spec.dtype).kind == "f" else 0,
        dimension_names=("sample", *spec.dims),
        attributes=_attributes(spec, study),
    )


def _attributes(spec: ArraySpec, study: Study) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "units": spec.unit,
        "long_name": spec.description,
        "content": spec.content,
    }
    if "row" in spec.dims:
        attributes["pixel_um_object"] = study.base.instrument().pixel_um_object
    return attributes


def write_coordinates(folder: Path, study: Study) -> None:
    """Write what follows from a sample's index alone: its number, plate, instrument, split."""
    import zarr

    index = np.arange(study.samples)
    plate = index // study.samples_per_plate
    instrument = index // study.samples_per_instrument
    if study.instruments:
        instrument = instrument % study.instruments
    names = [name for name, _ in study.splits]
    splits = np.array([names.index(split_of(study.splits, int(p))) for p in plate], dtype=np.int8)
    group = zarr.open_group(store=str(folder), mode="r+")
    flags = {"flag_values": list(range(len(names))), "flag_meanings": " ".join(names)}
    for name, values, text, more in (
        ("sample", index.astype(np.int64), "Number of the sample", {}),
        ("plate", plate.astype(np.int64), "Number of the pair of plates", {}),
        ("instrument", instrument.astype(np.int64), "Number of the instrument", {}),
        ("split", splits, "Split, a number for each name in flag_meanings", flags),
    ):
        group.create_array(
            name,
            data=values,
            dimension_names=("sample",),
            attributes={"long_name": text, **more},
            overwrite=True,
        )


def consolidate(folder: Path) -> None:
    """Gather all arrays' metadata in the group's, so that one read opens the store."""
    import zarr

    with warnings.catch_warnings():
        # Consolidated metadata are no part of the v3 text yet; files beside arrays are ours.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(str(folder))


def write_study(folder: Path, study: Study) -> None:
    """Write the study and what made the store; the file that makes a folder a store."""
    record = {
        "format": FORMAT,
        "study_sha256": study.hash(),
        "versions": versions(),
        "study": study.document(),
    }
    write_durably(folder / OWN / STUDY_FILE, json.dumps(record, indent=1).encode())


def is_store(folder: Path) -> bool:
    """Return whether a folder is a store."""
    return (folder / OWN / STUDY_FILE).is_file()


def open_store(folder: Path | str) -> Store:
    """Return a store.

    Raises
    ------
    InputError
        If the folder is none, or one of another format.
    """
    folder = Path(folder).resolve()
    record = study_record(folder)
    return Store(path=folder, study=study_from_document(record["study"]))


def study_record(folder: Path) -> dict[str, Any]:
    """Return the content of a store's study file.

    Raises
    ------
    InputError
        If there is none, or it cannot be read, or is of another format.
    """
    try:
        record: dict[str, Any] = json.loads((folder / OWN / STUDY_FILE).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{folder} is not a data set (no {OWN}/{STUDY_FILE}).") from None
    except ValueError as error:
        raise InputError(f"{folder / OWN / STUDY_FILE} cannot be read: {error}.") from None
    if record.get("format") != FORMAT:
        raise InputError(
            f"{folder} has format {record.get('format')}; this version of scintscope reads "
            f"{FORMAT}. Use the version that made it, "
            f"{record.get('versions', {}).get('scintscope')}."
        )
    return record


def extend_store(store: Store, samples: int) -> Store:
    """Return the store with room for more samples; what is there stays."""
    from dataclasses import replace

    import zarr

    study = replace(store.study, samples=samples)
    group = zarr.open_group(store=str(store.path), mode="r+")
    for name, spec in specs(study).items():
        group[name].resize((samples, *spec.shape))
    write_coordinates(store.path, study)
    write_study(store.path, study)
    consolidate(store.path)
    return Store(path=store.path, study=study)


def restore_layout(store: Store) -> list[str]:
    """Make metadata anew that is missing or damaged; return the arrays it was made for."""
    import zarr

    group = zarr.open_group(store=str(store.path), mode="a", zarr_format=3)
    made = []
    for name, spec in store.specs().items():
        try:
            array = zarr.open_array(str(store.path / name), mode="r")
            sound = array.shape == (store.study.samples, *spec.shape)
        except Exception:  # damaged metadata fail in many ways
            sound = False
        if not sound:
            (store.path / name / "zarr.json").unlink(missing_ok=True)
            _create_array(group, name, spec, store.study)
            made.append(name)
    group.attrs.update(_group_attributes(store.study))
    write_coordinates(store.path, store.study)
    consolidate(store.path)
    return made


def open_array(store: Store, name: str, mode: str = "r") -> Any:
    """Return one array of a store."""
    import zarr

    return zarr.open_array(str(store.path / name), mode=mode)


def read_arrays(
    store: Store, index: int, names: Iterator[str] | list[str] | None = None
) -> dict[str, NDArray[Any]]:
    """Return a sample's decoded arrays by name."""
    wanted = list(store.specs()) if names is None else list(names)
    return {name: np.asarray(open_array(store, name)[index]) for name in wanted}


def record_path(store: Store, shard: int) -> Path:
    """Return where the record of a shard lies."""
    return store.own / "records" / f"shard-{shard:06d}.json"


def read_record(store: Store, shard: int) -> dict[int, dict[str, Any]]:
    """Return what is complete in a shard, by index; nothing if its record is missing or damaged."""
    try:
        found = json.loads(record_path(store, shard).read_bytes())
        return {int(key): dict(item) for key, item in found["samples"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_record(store: Store, shard: int, samples: Mapping[int, Mapping[str, Any]]) -> None:
    """Write the record of a shard: from then on its samples are complete."""
    table = {str(index): plain_infinite(samples[index]) for index in sorted(samples)}
    text = json.dumps({"shard": shard, "samples": table}, allow_nan=False)
    write_durably(record_path(store, shard), text.encode())


def read_records(store: Store) -> dict[int, dict[str, Any]]:
    """Return what is complete in the whole store, by index."""
    found: dict[int, dict[str, Any]] = {}
    for shard in range(store.shards):
        found |= {i: r for i, r in read_record(store, shard).items() if i in store.indices(shard)}
    return found


def write_durably(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, onto the disk, then rename it."""
    with durable_file(path) as stream:
        stream.write(content)


@contextmanager
def durable_file(path: Path) -> Iterator[Any]:
    """Give a binary stream to a temporary file; put on disk and renamed when the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
