"""What a scenario file may hold, as pydantic models derived from the frozen parts.

Each table of the file stands for one part (`Lens`, `Camera`, ...). Its keys and their types are
read off the part's fields, so that they are stated once, in the part. Ranges are checked by the
part itself when `build` makes it.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, ConfigDict, Discriminator, create_model
from pydantic import Field as Key

from scintscope.accuracy import Accuracy
from scintscope.camera.parts import Acquisition, Camera
from scintscope.geometry import Geometry
from scintscope.optics.lens import Lens
from scintscope.restoration.config import RestorationConfig
from scintscope.sample.specimen import SpecimenRecipe
from scintscope.scintillator.plate import Plate, Substrate
from scintscope.source.parts import MonochromaticSource, SpectrumFileSource, TubeSource

SOURCES: Mapping[str, type] = {
    "tube": TubeSource,
    "monochromatic": MonochromaticSource,
    "spectrum_file": SpectrumFileSource,
}
"""Parts that ``[source]`` may stand for, by ``kind``."""

SPECIMENS: Mapping[str, type] = {
    str(next(f.default for f in fields(part) if f.name == "kind")): part
    for part in get_args(SpecimenRecipe)
}
"""Parts that ``[target]`` and ``[specimen]`` may stand for, by ``kind``."""


_Pair = Annotated[tuple[float, float], Key(strict=False)]
PairTable = Annotated[tuple[_Pair, ...], Key(strict=False)]
"""A list of pairs in square brackets."""

OPTICAL_OVERRIDES = ("refractive_index", "emission_nm", "photons_per_kev")
"""Numbers of a material that the plate or substrate made of it may replace."""


class FileTable(BaseModel):
    """A table of a scenario file; unknown keys and silent conversions are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    part: ClassVar[type | None] = None
    """The frozen part whose fields the keys are."""


class Material(FileTable):
    """A material of the user's own.

    Parameters
    ----------
    formula : str
        Chemical formula such as "Y3Al5O12", or the name of a NIST compound.
    density_g_cm3 : float
        Mass density.
    refractive_index : float
        Index at the emission, the same at all wavelengths. Of a clear material; so is one with
        ``dispersion`` instead.
    dispersion : str or list of [nm, index]
        Index over wavelength: the name of a known formula such as "YAG", or a table.
    photons_per_kev : float
        Light yield, for a scintillator.
    emission_nm : float
        Wavelength that stands for the emission; the mean of the band if that is given instead.
    emission_fwhm_nm : float
        Full width at half maximum of a Gaussian band around ``emission_nm``.
    emission_band : list of [nm, weight]
        Measured spectrum, photons per nm, linear between the points.
    emission_lines : list of [nm, weight]
        Narrow lines, photons in each.
    yield_uncertainty : float
        Relative standard uncertainty of the light yield.
    decay_ns : float
        Main decay time.
    afterglow : float
        Share of the light's intensity left after 6 ms.
    """

    formula: str
    density_g_cm3: float
    refractive_index: float | None = None
    dispersion: str | PairTable | None = None
    photons_per_kev: float | None = None
    emission_nm: float | None = None
    emission_fwhm_nm: float | None = None
    emission_band: PairTable | None = None
    emission_lines: PairTable | None = None
    yield_uncertainty: float | None = None
    decay_ns: float | None = None
    afterglow: float | None = None


def file_type(annotation: Any, default: Any = MISSING) -> Any:
    """Return the type a value has in the file, given the type of the part's field.

    Parts become tables, tuples arrays, paths text; ``float | str`` with a default such as
    ``"best"`` admits numbers and that word only.
    """
    if isinstance(annotation, type) and is_dataclass(annotation):
        return derive(annotation)
    if annotation is Path:
        return str
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return Annotated[annotation, Key(strict=False)]
    if get_origin(annotation) is tuple:
        items = tuple(a if a is Ellipsis else file_type(a) for a in get_args(annotation))
        return Annotated[tuple[items], Key(strict=False)]  # type: ignore[valid-type]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [
            Literal[default] if a is str and isinstance(default, str) else file_type(a)
            for a in get_args(annotation)
        ]
        return Union[tuple(members)]  # noqa: UP007 - built at run time
    return annotation


def _key(part_field: Field[Any], annotation: Any) -> tuple[Any, Any]:
    """Return (type, default) of one key, in the form `create_model` takes."""
    default = part_field.default
    if part_field.name == "kind":
        return Literal[default], ...
    kept = file_type(annotation, default)
    if part_field.default_factory is not MISSING:
        factory = part_field.default_factory
        if isinstance(kept, type) and issubclass(kept, BaseModel):
            return kept, Key(default_factory=kept)
        return kept, str(factory()) if annotation is Path else factory()
    if default is MISSING:
        return kept, ...
    return kept, str(default) if isinstance(default, Path) else default


@cache
def derive(part: type) -> type[FileTable]:
    """Return the table whose keys are the fields of a frozen part."""
    hints = get_type_hints(part)
    keys = {f.name: _key(f, hints[f.name]) for f in fields(part)}
    return _table(part.__name__, part, keys)


def _table(name: str, part: type, keys: Mapping[str, tuple[Any, Any]]) -> type[FileTable]:
    make: Callable[..., type[FileTable]] = create_model
    table = make(name, __base__=FileTable, __doc__=part.__doc__, **keys)
    table.part = part
    return table


def _of_kind(kind: str, part: type) -> type[FileTable]:
    """Return the table of one variant of a union, with its ``kind``."""
    if "kind" in {f.name for f in fields(part)}:
        return derive(part)
    hints = get_type_hints(part)
    keys: dict[str, tuple[Any, Any]] = {"kind": (Literal[kind], ...)}
    keys |= {f.name: _key(f, hints[f.name]) for f in fields(part)}
    return _table(part.__name__, part, keys)


def _union(parts: Mapping[str, type]) -> Any:
    tables = tuple(_of_kind(kind, part) for kind, part in parts.items())
    return Annotated[Union[tables], Discriminator("kind")]  # noqa: UP007 - built at run time


def _plate_table() -> type[FileTable]:
    """Return the table of a plate: its scintillator is named, and may be corrected."""
    keys = _material_keys(Plate, "scintillator")
    keys["substrate"] = (
        _table("Substrate", Substrate, _material_keys(Substrate, "medium")) | None,
        None,
    )
    return _table("Plate", Plate, keys)


def _material_keys(part: type, medium: str) -> dict[str, tuple[Any, Any]]:
    """Return the keys of a part of which one field is a scintillator, given by name."""
    hints = get_type_hints(part)
    keys: dict[str, tuple[Any, Any]] = {"material": (str, ...)}
    keys |= {f.name: _key(f, hints[f.name]) for f in fields(part) if f.name != medium}
    return keys | dict.fromkeys(OPTICAL_OVERRIDES, (float | None, None))


def _named_table(part: type) -> type[FileTable]:
    """Return the table of a part that can be had by name."""
    hints = get_type_hints(part)
    keys: dict[str, tuple[Any, Any]] = {"preset": (str | None, None)}
    keys |= {f.name: _key(f, hints[f.name]) for f in fields(part)}
    return _table(part.__name__, part, keys)


@cache
def file_model() -> type[FileTable]:
    """Return the model of a whole scenario file, ``extends`` resolved."""
    plate, specimen = _plate_table(), _union(SPECIMENS)
    make: Callable[..., type[FileTable]] = create_model
    optional = {
        "acquisition": Acquisition,
        "restoration": RestorationConfig,
        "accuracy": Accuracy,
    }
    keys: dict[str, tuple[Any, Any]] = {
        "name": (str | None, None),
        "description": (str | None, None),
        "source": (_union(SOURCES), ...),
        "geometry": (derive(Geometry), ...),
        "lens": (_named_table(Lens), ...),
        "camera": (_named_table(Camera), ...),
        "thin": (plate, ...),
        "thick": (plate, ...),
        "target": (specimen, ...),
        "specimen": (specimen | None, None),
        **{
            key: (derive(part), Key(default_factory=derive(part))) for key, part in optional.items()
        },
        "materials": (dict[str, Material], Key(default_factory=dict)),
    }
    return make("Scenario", __base__=FileTable, __doc__=_FILE_DOC, **keys)


@cache
def tables_model(names_and_parts: tuple[tuple[str, type], ...]) -> type[FileTable]:
    """Return the model of a file with the given optional tables."""
    keys: dict[str, tuple[Any, Any]] = {
        name: (derive(part), Key(default_factory=derive(part))) for name, part in names_and_parts
    }
    make: Callable[..., type[FileTable]] = create_model
    return make("Tables", __base__=FileTable, **keys)


_FILE_DOC = """A scenario: one instrument, what it looks at, and what is done with the images.

Parameters
----------
name : str
    Name of the scenario and of its output folder; the file's name if not given.
description : str
    A sentence for people.
source : table
    X-ray source.
geometry : table
    Distances along the beam.
lens : table
    Objective and the glass in front of it; ``preset`` fills what is not given.
camera : table
    Camera; ``preset`` fills what is not given.
thin, thick : table
    The two scintillator plates.
target : table
    What the PSF is measured with.
specimen : table
    What is to be looked at.
acquisition : table
    How the stacks are taken.
restoration : table
    Settings of the restoration.
accuracy : table
    Numerical settings and switches of effects.
materials : table
    Materials of the user's own, by name.
"""
