"""Samples by index as dicts of arrays, for PyTorch, JAX or plain loops, which it does not need.

An object has ``len`` and ``[i]``, so that it serves as a map-style ``torch.utils.data.Dataset`` or
a ``grain`` source as it is; it can be pickled to loader processes, each of which opens the files
anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.dataset.store import open_store, read_records
from scintscope.errors import InputError, check_choice


class PairReader:
    """Complete samples of a data set.

    Parameters
    ----------
    folder : Path or str
        The store.
    split : str or None
        Only samples of this split.
    arrays : sequence of str or None
        Only these arrays; None gives all. `names` lists them.

    Raises
    ------
    InputError
        If the folder is no data set, or a name is not known.
    """

    def __init__(
        self, folder: Path | str, split: str | None = None, arrays: Sequence[str] | None = None
    ) -> None:
        self._folder = Path(folder).resolve()
        store = open_store(self._folder)
        known = list(store.specs())
        for name in arrays or ():
            check_choice("arrays", name, known)
        self._names = list(arrays) if arrays is not None else known
        if split is not None:
            check_choice("split", split, [name for name, _ in store.study.splits])
        self._records = {
            index: record
            for index, record in sorted(read_records(store).items())
            if split is None or record["split"] == split
        }
        self._indices = list(self._records)
        self._open: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave open files behind when pickled."""
        return {**self.__dict__, "_open": {}}

    @property
    def names(self) -> list[str]:
        """Names of the arrays."""
        return list(self._names)

    @property
    def indices(self) -> list[int]:
        """Indices of the samples in the store, in the order of this reader."""
        return list(self._indices)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._indices)

    def __getitem__(self, place: int) -> dict[str, NDArray[Any]]:
        """Return a sample's arrays, and its ``index`` in the store."""
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        index = self._indices[place]
        found: dict[str, NDArray[Any]] = {
            name: np.ascontiguousarray(self._array(name)[index]) for name in self._names
        }
        return found | {"index": np.asarray(index)}

    def __iter__(self) -> Iterator[dict[str, NDArray[Any]]]:
        """Go through all samples."""
        return (self[place] for place in range(len(self)))

    def parameters(self, place: int) -> dict[str, Any]:
        """Return what was drawn for a sample, by key of the scenario."""
        return dict(self._record(place)["parameters"])

    def scores(self, place: int) -> dict[str, Any]:
        """Return a sample's metrics."""
        return dict(self._record(place)["scores"])

    def _record(self, place: int) -> dict[str, Any]:
        if not self._indices:
            raise InputError(f"{self._folder} has no such sample.")
        return self._records[self._indices[place]]

    def _array(self, name: str) -> Any:
        if name not in self._open:
            import zarr

            self._open[name] = zarr.open_array(str(self._folder / name), mode="r")
        return self._open[name]
