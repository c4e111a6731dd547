"""Tables that cost seconds to make, kept on disk under a key of everything they depend on.

An entry is one ``.npz`` file named by the SHA-256 of its inputs, with the SHA-256 of its arrays
inside. What does not match is made again, never used; an entry is written under a temporary name
and renamed. ``SCINTSCOPE_CACHE`` names another folder; set to ``off``, nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import PhysicsWarning

Arrays = dict[str, NDArray[Any]]

VARIABLE = "SCINTSCOPE_CACHE"
_CONTENT = "content_sha256"
_READING = threading.Lock()
"""numpy parses a header with ``ast``, which in CPython 3.11 fails now and then when two threads do
(python/cpython#106905): a sound table then looked damaged and was made again."""


def cache_folder() -> Path | None:
    """Return the folder of kept tables, or None where keeping is switched off."""
    chosen = os.environ.get(VARIABLE)
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("scintscope")


def key_of(inputs: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a table's inputs.

    Parameters
    ----------
    inputs : mapping
        Plain values and arrays; floats count to their last bit.
    """
    return hashlib.sha256(json.dumps(_plain(inputs), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value as JSON can write it, arrays by the digest of their bytes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value).hex()
    if isinstance(value, np.integer):
        return int(value)
    return value


def content_digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of arrays."""
    return key_of({name: arrays[name] for name in sorted(arrays)})


def read_table(path: Path) -> Arrays | None:
    """Return the arrays of a table file, or None if it is absent or damaged (with a warning)."""
    if not path.is_file():
        return None
    try:
        with _READING, path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files if name != _CONTENT}
            digest = str(stored[_CONTENT])
    except Exception as error:  # a damaged archive fails in many ways
        _warn_damaged(path, str(error))
        return None
    if content_digest(arrays) != digest:
        _warn_damaged(path, "its checksum does not fit")
        return None
    return arrays


def _warn_damaged(path: Path, why: str) -> None:
    warnings.warn(
        f"{path.name}: this kept table cannot be used ({why}); it is made again.",
        PhysicsWarning,
        stacklevel=3,
    )


def write_table(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a table file, under a temporary name first; no partial file is ever left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {**arrays, _CONTENT: np.array(content_digest(arrays))}
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **content)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def cached_arrays(kind: str, inputs: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """Return a table from the cache, or make and keep it.

    Parameters
    ----------
    kind : str
        Folder of the cache, such as ``"deposition"``.
    inputs : mapping
        Everything the table depends on, an algorithm version included.
    make : callable
        Makes the arrays.

    Notes
    -----
    A cache that cannot be written (full or read-only disk) costs time, not the result.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    path = folder / kind / f"{key_of(inputs)}.npz"
    kept = read_table(path)
    if kept is not None:
        return kept
    arrays = make()
    try:
        write_table(path, arrays)
    except OSError as error:
        warnings.warn(
            f"{kind} table could not be kept ({error}); it will be made again next time.",
            PhysicsWarning,
            stacklevel=2,
        )
    return arrays
