"""Images and stacks on disk: TIFF that Fiji opens with the right scale, and what users bring.

Written files are ImageJ TIFFs: pixel size in the resolution tags with the unit um, a JSON
description in ImageJ's "Info" (Fiji: Image > Show Info). No date, no software name: the same
input gives the same bytes. A file appears under its name only when it is complete.
"""

from __future__ import annotations

import glob
import json
import logging
import os
import re
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from scintscope.errors import DataError, InputError, check_range
from scintscope.units import NM_PER_UM, UM_PER_CM, UM_PER_MM

Array = npt.NDArray[Any]

WRITABLE = ("uint8", "uint16", "float32")
"""Pixel types ImageJ TIFF knows."""

MAX_BYTES = 2**32 - 2**24
"""Classic TIFF has 32-bit offsets; 16 MiB are left for tags."""

SQUARE_TOLERANCE = 1e-6
"""Relative difference of row and column pitch put down to the rounding of the tags' fractions."""

_UM_PER_UNIT = {
    **dict.fromkeys(("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometer"), 1.0),
    "nm": 1.0 / NM_PER_UM,
    "mm": UM_PER_MM,
    "cm": UM_PER_CM,
}
_GREY = 1  # TIFF 6.0 PhotometricInterpretation: BlackIsZero
_BROKEN = re.compile("invalid page offset|corrupted file|truncated")
_READ_ERRORS = (tifffile.TiffFileError, ValueError, LookupError, OSError, RuntimeError, TypeError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """Frames read from disk.

    Parameters
    ----------
    frames : (F, R, C) array
        Pixel type as in the file (integers or floats), native byte order, finite.
    pixel_um : float or None
        Pixel pitch the file states, or None if it states none in a unit of length.
    """

    frames: Array
    pixel_um: float | None


def write_image(
    path: str | Path,
    array: npt.ArrayLike,
    pixel_um: float | None,
    description: Mapping[str, Any] | None = None,
) -> Path:
    """Write one image as an ImageJ TIFF, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where; missing folders are made, an existing file is replaced.
    array : (R, C) array, uint8, uint16, float32 or float64
        float64 is stored as float32, the widest type ImageJ TIFF has.
    pixel_um : float or None
        Pixel pitch to put in the tags, um; say in ``description`` which plane it belongs to. None
        if unknown: the file then states no size.
    description : mapping, optional
        Anything JSON can hold.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    DataError
        On another shape or type, an empty array, NaN or infinity, more than 4 GiB.
    InputError
        If the description is not JSON; `RangeError` if the pixel size is not positive.
    """
    return _write(path, array, pixel_um, description, axes="YX")


def write_stack(
    path: str | Path,
    frames: npt.ArrayLike,
    pixel_um: float | None,
    description: Mapping[str, Any] | None = None,
) -> Path:
    """Write a stack (F, R, C) as one multi-page ImageJ TIFF; otherwise as `write_image`."""
    return _write(path, frames, pixel_um, description, axes="TYX")


def _write(
    path: str | Path,
    array: npt.ArrayLike,
    pixel_um: float | None,
    description: Mapping[str, Any] | None,
    axes: str,
) -> Path:
    """Check, encode and write; ``axes`` fixes the number of dimensions."""
    pixels = _writable(array, axes)
    metadata, resolution = {"axes": axes}, None
    if pixel_um is not None:
        check_range("pixel_um", pixel_um, low=0.0, low_open=True, unit="um")
        metadata["unit"], resolution = "um", (1.0 / pixel_um, 1.0 / pixel_um)
    if description is not None:
        metadata["Info"] = _json(description)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _complete_or_absent(target) as partial, partial.open("xb") as file:
        tifffile.imwrite(
            file,
            pixels,
            imagej=True,
            photometric="minisblack",
            resolution=resolution,
            metadata=metadata,
            software=False,
        )
    return target


def _writable(array: npt.ArrayLike, axes: str) -> Array:
    """Return the array in a type ImageJ TIFF has, or raise `DataError`."""
    pixels = np.asarray(array)
    wanted = "(rows, columns)" if axes == "YX" else "(frames, rows, columns)"
    if pixels.ndim != len(axes) or pixels.size == 0:
        raise DataError(f"array has shape {pixels.shape}: give a non-empty {wanted}.")
    if pixels.dtype == np.float64:
        with np.errstate(over="ignore"):
            pixels = pixels.astype(np.float32)
    if pixels.dtype.name not in WRITABLE:
        raise DataError(
            f"array has dtype {pixels.dtype}, TIFF for Fiji holds {', '.join(WRITABLE)}: "
            "convert it, e.g. .astype('float32')."
        )
    _check_finite("array", pixels)
    if pixels.nbytes > MAX_BYTES:
        raise DataError(
            f"array has {pixels.nbytes} bytes, one file holds {MAX_BYTES}: write fewer frames."
        )
    return pixels


def _json(description: Mapping[str, Any]) -> str:
    """Return a description as strict JSON with sorted keys."""
    try:
        return json.dumps(dict(description), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"description is not strict JSON ({error}): use text, finite numbers, lists, dicts."
        ) from error


@contextmanager
def _complete_or_absent(target: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``target``; rename on success, remove on failure."""
    partial = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.partial")
    partial.unlink(missing_ok=True)
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def read_description(path: str | Path) -> dict[str, Any] | None:
    """Return the description `write_image` or `write_stack` stored, None if there is none.

    Raises
    ------
    DataError
        If the file is missing or no TIFF.
    """
    with _open_tiff(Path(path)) as tif:
        info = (tif.imagej_metadata or {}).get("Info")
    try:
        found = json.loads(info) if info else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def read_stack(source: str | Path | Sequence[str | Path]) -> Stack:
    """Read frames from TIFF, NPY, PNG or JPEG files, a glob, or a list of files.

    Parameters
    ----------
    source : str, Path, or sequence of them
        A multi-page TIFF or an NPY of (F, R, C), a single image (R, C), a glob pattern (quoted
        in the shell; matches in natural order, 2 before 10), or files in the order given. Files
        of one source are put one after the other; each may hold several frames.

    Returns
    -------
    Stack
        Always (F, R, C). The pixel size comes from ImageJ's unit with the resolution tags, or
        from tags in pixels per centimetre; tags per inch are print settings and ignored.

    Raises
    ------
    DataError
        If a file is missing, no file matches, a file is of no known kind or is cut short, the
        image is colour, empty, not numeric, holds NaN or infinity, or shapes, types or pixel
        sizes differ within the source.
    """
    files = _files(source)
    stacks = [_read_file(file) for file in files]
    first = stacks[0]
    for file, stack in zip(files, stacks, strict=True):
        for what, ours, theirs in (
            ("frame shape", stack.frames.shape[1:], first.frames.shape[1:]),
            ("pixel type", stack.frames.dtype.name, first.frames.dtype.name),
        ):
            if ours != theirs:
                raise DataError(
                    f"{file} has {what} {ours}, {files[0]} has {theirs}: one stack needs one "
                    f"{what}; check the pattern or the list."
                )
    sizes = sorted({stack.pixel_um for stack in stacks if stack.pixel_um is not None})
    if sizes and sizes[-1] > sizes[0] * (1.0 + SQUARE_TOLERANCE):
        raise DataError(
            f"files of one stack state pixel sizes from {sizes[0]:g} to {sizes[-1]:g} um: "
            "check the pattern or the list."
        )
    frames = first.frames if len(stacks) == 1 else np.concatenate([s.frames for s in stacks])
    return Stack(frames=frames, pixel_um=sizes[0] if sizes else None)


def _natural(text: str) -> list[str | int]:
    """Return a sorting key that takes runs of digits as numbers."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text)]


def _files(source: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files a source names, in reading order."""
    if not isinstance(source, (str, Path)):
        if len(source) == 0:
            raise DataError("the list of images is empty: name at least one file.")
        return [file for item in source for file in _files(item)]
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        raise DataError(f"{path} is a folder: name a file or a pattern such as '{path}/*.tif'.")
    if glob.has_magic(str(path)):
        matches = [m for m in glob.glob(str(path), recursive=True) if Path(m).is_file()]
        if not matches:
            raise DataError(f"no file matches {str(path)!r}: check the pattern and the folder.")
        return [Path(match) for match in sorted(matches, key=_natural)]
    raise DataError(f"{path} does not exist: check the path.")


def _read_file(path: Path) -> Stack:
    """Read one file of any accepted kind."""
    with path.open("rb") as file:
        magic = file.read(6)
    if not magic:
        raise DataError(f"{path} is empty (0 bytes): it may not have been written to its end.")
    if magic == b"\x93NUMPY":
        frames, pixel_um = _read_npy(path), None
    elif magic[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        frames, pixel_um = _read_tiff(path)
    elif magic[:4] == b"\x89PNG" or magic[:3] == b"\xff\xd8\xff":
        frames, pixel_um = _read_picture(path), None
    else:
        raise DataError(f"{path} is neither TIFF, NPY, PNG nor JPEG: convert it to grey TIFF.")
    if frames.dtype.kind not in "iuf":
        raise DataError(f"{path} has pixel type {frames.dtype}: give grey numbers.")
    if frames.ndim not in (2, 3) or frames.size == 0:
        raise DataError(
            f"{path} has shape {frames.shape}: give (rows, columns) or (frames, rows, columns), "
            "not empty."
        )
    _check_finite(str(path), frames)
    native = np.ascontiguousarray(frames, dtype=frames.dtype.newbyteorder("="))
    return Stack(frames=native if native.ndim == 3 else native[None], pixel_um=pixel_um)


def _check_finite(name: str, pixels: Array) -> None:
    """Raise `DataError` if any pixel is NaN or infinite."""
    if pixels.dtype.kind != "f":
        return
    bad = pixels.size - int(np.count_nonzero(np.isfinite(pixels)))
    if bad:
        raise DataError(
            f"{name} holds {bad} pixels that are NaN or infinite: replace or mask them first."
        )


def _read_npy(path: Path) -> Array:
    """Read an NPY array."""
    try:
        array: Array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path} cannot be read as a numeric NPY array: {error}.") from error
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        raise DataError(_colour_text(path, f"shape {array.shape}"))
    return array


def _read_picture(path: Path) -> Array:
    """Read a grey PNG or JPEG; three equal channels count as grey."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise DataError(f"{path} cannot be read as PNG or JPEG: it is damaged or cut short.")
    array: Array = np.asarray(pixels)
    if array.ndim == 3:
        if array.shape[2] != 3 or (array != array[..., :1]).any():
            raise DataError(_colour_text(path, f"{array.shape[2]} channels"))
        array = array[..., 0]
    return array


def _colour_text(path: Path, what: str) -> str:
    """Return the message for an image that is not plain grey."""
    return (
        f"{path} is not a plain grey image ({what}): convert it to one grey channel; tifffile "
        "writes 3 or 4 frames as colour unless photometric='minisblack' is given."
    )


class _Complaints(logging.Handler):
    """Collects what tifffile logs; a file cut short is logged, not raised."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _open_tiff(path: Path) -> Iterator[Any]:
    """Open a TIFF; whatever a broken file makes tifffile raise or log becomes `DataError`."""
    if not path.is_file():
        raise DataError(f"{path} does not exist: check the path.")
    complaints, logger = _Complaints(), logging.getLogger("tifffile")
    logger.addHandler(complaints)
    try:
        with tifffile.TiffFile(path) as tif:
            yield tif
    except DataError:
        raise
    except (*_READ_ERRORS, struct.error, zlib.error) as error:
        raise DataError(f"{path} cannot be read as TIFF: {error}.") from error
    finally:
        logger.removeHandler(complaints)
    broken = [text for text in complaints.messages if _BROKEN.search(text)]
    if broken:
        raise DataError(f"{path} is damaged or cut short: {broken[0]}.")


def _read_tiff(path: Path) -> tuple[Array, float | None]:
    """Read all frames and the pixel size of one TIFF."""
    with _open_tiff(path) as tif:
        series = list(tif.series)
        for part in series:
            page = part.keyframe
            channels = dict(zip(part.axes, part.shape, strict=True))
            colour = page.samplesperpixel > 1 or channels.get("C", 1) > 1 or "S" in channels
            if colour or page.photometric != _GREY:
                raise DataError(_colour_text(path, f"axes {part.axes}, {page.photometric!r}"))
        shapes = {(part.shape[-2:], str(part.dtype)) for part in series}
        if len(shapes) != 1:
            raise DataError(f"{path} holds pages of different shape or type: {sorted(shapes)}.")
        arrays = [part.asarray() for part in series]
        if len(arrays) > 1:
            arrays = [np.concatenate([a.reshape(-1, *a.shape[-2:]) for a in arrays])]
        frames: Array = arrays[0]
        stated = int((tif.imagej_metadata or {}).get("images", 1))
        if frames.ndim <= 3 and stated > (frames.shape[0] if frames.ndim == 3 else 1):
            raise DataError(f"{path} is cut short: it states {stated} frames, has {frames.shape}.")
        return frames, _pixel_um(path, tif)


def _pixel_um(path: Path, tif: Any) -> float | None:
    """Return the pixel size a TIFF states, um, or None."""
    tags = tif.pages[0].tags
    pitches = []
    for name in ("XResolution", "YResolution"):
        numerator, denominator = tags[name].value if name in tags else (0, 0)
        pitches.append(denominator / numerator if numerator else 0.0)
    unit = str((tif.imagej_metadata or {}).get("unit", "")).strip().lower()
    um_per_unit = _UM_PER_UNIT.get(unit, 0.0)
    if not unit and "ResolutionUnit" in tags and int(tags["ResolutionUnit"].value) == 3:
        um_per_unit = UM_PER_CM
    if um_per_unit == 0.0 or not all(pitches):
        return None
    if abs(pitches[0] - pitches[1]) > SQUARE_TOLERANCE * pitches[0]:
        raise DataError(
            f"{path} states pixels of {pitches[1]:g} x {pitches[0]:g} {unit or 'cm'} (rows x "
            "columns): only square pixels can be processed."
        )
    return float(pitches[0]) * um_per_unit
