"""Reading the images a user brings, and settling how large their pixels are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, InputError
from scintscope.restoration.notes import Note, info, warning
from scintscope.scenario import RestoreSettings
from scintscope.tiff import Stack, read_stack

Frames = NDArray[Any]

REQUIRED = ("thin", "thin_background", "thick", "thick_background")
OPTIONAL = ("specimen", "specimen_background", "dark", "flat")

SAME_PIXEL = 0.005
"""Relative difference of two pixel sizes put down to how lens makers round magnifications."""

CEILING_FRACTION = 1e-3
"""Share of an image's values at its highest value from which the camera may have saturated below
the top of the file's type (a 12-bit camera in a 16-bit file)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """Stacks read from disk.

    Parameters
    ----------
    stacks : dict of str to (F, M, N) array
        By name: ``thin``, ``thin_background``, ``thick``, ``thick_background`` and what else was
        given of ``specimen``, ``specimen_background``, ``dark``, ``flat``. All of one frame shape.
    pixel_um : float or None
        Camera pixel in the scintillator plane; None if unknown.
    pixel_source : {"settings", "tags", "unknown"}
        Where it comes from.
    notes : tuple of Note
    """

    stacks: Mapping[str, Frames]
    pixel_um: float | None
    pixel_source: str
    notes: tuple[Note, ...]


def read_measurement(files: Mapping[str, str], settings: RestoreSettings) -> Measurement:
    """Return the stacks that files or patterns name, checked against each other.

    Parameters
    ----------
    files : dict of str to str
        File or glob by name, see `Measurement`.
    settings : RestoreSettings
        Pixel size; it goes before what the files' tags state, and a note says so if they differ.

    Raises
    ------
    DataError
        A file is missing, unreadable, empty, colour, not finite, or shapes differ.
    InputError
        A needed file is not given, or a name is unknown.
    """
    _check_names(files)
    read = {name: _read(name, source) for name, source in files.items()}
    stacks = {name: stack.frames for name, stack in read.items()}
    _check_shapes(stacks)
    pixel_um, source, notes = settle_pixel(
        {name: stack.pixel_um for name, stack in read.items()}, settings
    )
    ceilings = [note for name, stack in stacks.items() for note in _ceiling_note(name, stack)]
    return Measurement(
        stacks=stacks, pixel_um=pixel_um, pixel_source=source, notes=(*notes, *ceilings)
    )


def option(name: str) -> str:
    """Return the command-line option of a stack's name, e.g. ``--thin-background``."""
    return "--" + name.replace("_", "-")


def _check_names(files: Mapping[str, str]) -> None:
    missing = [option(name) for name in REQUIRED if name not in files]
    if missing:
        raise InputError(f"{', '.join(missing)} not given: each plate needs sample and background.")
    unknown = sorted(set(files) - {*REQUIRED, *OPTIONAL})
    if unknown:
        raise InputError(f"unknown stacks {unknown}: known are {', '.join(REQUIRED + OPTIONAL)}.")
    if "specimen_background" in files and "specimen" not in files:
        raise InputError("--specimen-background has no --specimen to go with. Give both.")


def _read(name: str, source: str) -> Stack:
    """Return one stack; its errors name the option."""
    try:
        return read_stack(source)
    except DataError as error:
        raise DataError(f"{option(name)}: {error}") from error


def _check_shapes(stacks: Mapping[str, Frames]) -> None:
    """Refuse frames of unequal shape."""
    wanted = stacks["thick"].shape[1:]
    for name, stack in stacks.items():
        if stack.shape[1:] != wanted:
            raise DataError(
                f"{option(name)} has frames of {stack.shape[1:]} pixels but --thick of {wanted} "
                "(rows, columns): all must have one shape. Crop them to the same region of the "
                "camera."
            )


def settle_pixel(
    tags_um: Mapping[str, float | None], settings: RestoreSettings
) -> tuple[float | None, str, tuple[Note, ...]]:
    """Return the pixel size in the scintillator plane, where it comes from, and notes.

    Parameters
    ----------
    tags_um : dict of str to float or None
        What each stack's files state, um.
    settings : RestoreSettings
        What the user states; goes first. Without it the thick stack's tags count, else those of
        the first stack that has any, taken to mean the scintillator plane.
    """
    stated = {name: size for name, size in tags_um.items() if size is not None}
    wanted = settings.images.pixel_um_object
    if wanted is not None:
        return wanted, "settings", _conflicts(stated, wanted, settings)
    if not stated:
        sentence = (
            "neither the files nor the settings state a pixel size: lengths are in pixels. Give "
            "--pixel-um-sensor and --magnification for micrometres."
        )
        return None, "unknown", (info("images", sentence),)
    first = "thick" if "thick" in stated else next(iter(stated))
    pixel_um = stated[first]
    sentence = (
        f"pixel size {pixel_um:g} um from the tags of {option(first)}, taken to mean the "
        "scintillator plane; --pixel-um-sensor with --magnification overrides it."
    )
    others = _differing(stated, pixel_um)
    notes = [info("images", sentence)]
    if others:
        notes.append(warning("images", f"{others}; {pixel_um:g} um is used for all."))
    return pixel_um, "tags", tuple(notes)


def _differing(stated: Mapping[str, float], pixel_um: float) -> str:
    """Return in words which stacks state another pixel size, or nothing."""
    by_size: dict[str, list[str]] = {}
    for name, size in stated.items():
        if abs(size - pixel_um) > SAME_PIXEL * pixel_um:
            by_size.setdefault(f"{size:g} um", []).append(option(name))
    return "; ".join(f"the tags of {', '.join(names)} state {s}" for s, names in by_size.items())


def _conflicts(
    stated: Mapping[str, float], wanted_um: float, settings: RestoreSettings
) -> tuple[Note, ...]:
    """Return a note on tags that differ from the settings."""
    others = _differing(stated, wanted_um)
    if not others:
        return ()
    sensor_um = settings.images.pixel_um_sensor
    sentence = f"{others}, but {wanted_um:g} um is used, from pixel_um_sensor / magnification."
    if sensor_um is not None and not _differing(stated, sensor_um):
        return (info("images", f"{sentence} That is the sensor's pixel."),)
    return (warning("images", sentence),)


def _ceiling_note(name: str, stack: Frames) -> tuple[Note, ...]:
    """Return a warning if many values sit at one highest value below the type's top."""
    if stack.dtype.kind not in "ui":
        return ()
    highest = int(stack.max())
    if highest == int(np.iinfo(stack.dtype).max) or highest == int(stack.min()):
        return ()
    share = float(np.mean(stack == highest))
    if share < CEILING_FRACTION or highest < 64:
        return ()
    sentence = (
        f"{share:.2%} of the values are the highest one, {highest}: if the camera saturates there, "
        f"say restoration.saturation_adu = {highest}."
    )
    return (warning(name.replace("_", "."), sentence),)
