"""Samples as files other programs read: NeXus (HDF5) and TIFF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.dataset.draw import draw, scenario_of
from scintscope.dataset.reader import PairReader
from scintscope.dataset.store import Store
from scintscope.errors import InputError, check_choice
from scintscope.outputs import Outcome, staged_output, write_json, write_text
from scintscope.progress import Progress

FORMATS = ("nexus", "tiff")


def parse_samples(text: str) -> list[int]:
    """Return the indices a text such as ``0,4-7`` names.

    Raises
    ------
    InputError
        If it does not name any.
    """
    found: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not low.isdigit() or (dash and not high.isdigit()):
            raise InputError(f"--samples {text!r}: give numbers and ranges such as 0,4-7.")
        found += range(int(low), int(high if dash else low) + 1)
    return found


def export_store(
    store: Store,
    out: Path,
    kind: str,
    progress: Progress,
    *,
    samples: Sequence[int] | None = None,
    split: str | None = None,
) -> Outcome:
    """Write samples as files into a folder.

    Parameters
    ----------
    store : Store
        Where they are.
    out : Path
        Final folder; see `outputs.staged_output`.
    kind : {"nexus", "tiff"}
        One HDF5 file a sample, or a folder of TIFF images a sample.
    progress : callable
        See `scintscope.progress`.
    samples : sequence of int or None
        Which; None gives all that are complete.
    split : str or None
        Only those of this split.

    Raises
    ------
    InputError
        If a sample is not there or the format not known.
    """
    check_choice("--format", kind, FORMATS)
    reader = PairReader(store.path, split)
    places = {index: place for place, index in enumerate(reader.indices)}
    chosen = list(places) if samples is None else list(samples)
    absent = [index for index in chosen if index not in places]
    if absent or not chosen:
        raise InputError(f"{store.path} has no complete sample {absent[:5] or ''} to export.")
    write = _write_nexus if kind == "nexus" else _write_tiff
    with staged_output(out) as folder, progress("export", len(chosen)) as advance:
        for index in chosen:
            write(store, folder / f"sample-{index:06d}", reader, places[index])
            advance(1)
    text = f"{out}: {len(chosen)} samples as {kind}."
    return Outcome(document={"folder": str(out), "samples": chosen}, text=text)


def _pixel_um(store: Store, index: int) -> float:
    return scenario_of(store.study, draw(store.study, index)).instrument().pixel_um_object


def _write_tiff(store: Store, path: Path, reader: PairReader, place: int) -> None:
    """Write a folder of images; what is no image goes into one JSON file."""
    from scintscope.tiff import write_image, write_stack

    arrays, specs = reader[place], store.specs()
    pixel = _pixel_um(store, reader.indices[place])
    path.mkdir()
    rest: dict[str, Any] = {}
    for name in reader.names:
        values, dims = arrays[name], specs[name].dims
        if dims[-2:] in (("row", "column"), ("psf_row", "psf_column")) and len(dims) == 2:
            image = values.astype(np.float32) if values.dtype.kind == "f" else values
            write_image(path / f"{name}.tif", image, pixel)
        elif dims[-2:] == ("row", "column"):
            write_stack(path / f"{name}.tif", values, pixel)
        else:
            rest[name] = {"dims": dims, "unit": specs[name].unit, "values": values}
    rest["parameters"], rest["metrics"] = reader.parameters(place), reader.scores(place)
    write_json(path / "sample.json", rest)
    scenario = scenario_of(store.study, draw(store.study, reader.indices[place]))
    write_text(path / "scenario.toml", scenario.to_toml())


def _write_nexus(store: Store, path: Path, reader: PairReader, place: int) -> None:
    """Write one NeXus file: an entry whose NXdata groups hold an array each.

    NeXus manual, classes NXentry, NXdata, NXcollection (https://manual.nexusformat.org).
    """
    import h5py

    arrays, specs = reader[place], store.specs()
    pixel = _pixel_um(store, reader.indices[place])
    with h5py.File(path.with_suffix(".nxs"), "w") as file:
        file.attrs.update({"NX_class": "NXroot", "default": "entry", "creator": "scintscope"})
        entry = _group(file, "entry", "NXentry")
        entry.attrs["default"] = reader.names[0]
        entry["title"] = f"{store.study.name}, sample {reader.indices[place]}"
        for name in reader.names:
            spec = specs[name]
            data = _group(entry, name, "NXdata")
            data.attrs["signal"] = "data"
            axes = [d if d in ("row", "column") else "." for d in spec.dims]
            data.attrs["axes"] = np.array(axes, dtype=h5py.string_dtype())
            field = data.create_dataset(
                "data", data=arrays[name], compression="gzip" if spec.shape else None, shuffle=True
            )
            field.attrs["units"] = spec.unit
            field.attrs["long_name"] = spec.description
            for axis in ("row", "column"):
                if axis in spec.dims:
                    count = spec.shape[spec.dims.index(axis)]
                    data[axis] = (np.arange(count) - 0.5 * (count - 1)) * pixel
                    data[axis].attrs["units"] = "um"
        scenario = scenario_of(store.study, draw(store.study, reader.indices[place]))
        notes = _group(entry, "sample_record", "NXcollection")
        notes["parameters"] = json.dumps(reader.parameters(place))
        notes["metrics"] = json.dumps(reader.scores(place))
        notes["scenario_toml"] = scenario.to_toml()


def _group(parent: Any, name: str, kind: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = kind
    return group
