"""From checked tables to the frozen parts; every part's refusal is kept with its key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from scintscope.camera.presets import camera_preset
from scintscope.errors import InputError, RangeError, check_range
from scintscope.materials import Absorber, Scintillator, absorber, scintillator
from scintscope.scenario.problems import Problem, key_path
from scintscope.scenario.ranges import unit_of
from scintscope.scintillator.plate import Plate
from scintscope.units import nm_to_um

Location = tuple[str | int, ...]

_NAMED = re.compile(r"^(?:[a-z_]+\.)*([a-z_0-9]+)(?= = | is | are )")
_TAIL = re.compile(r"([A-Za-z_]\w*)$")
_OPTICAL = ("refractive_index", "emission_nm", "photons_per_kev")


@dataclass(slots=True)
class Workshop:
    """Builds parts and collects what they refuse.

    Parameters
    ----------
    only_ranges : bool
        Whether to keep only errors about a single key's range: for tables in which other keys
        were already found wrong and replaced by stand-ins.
    problems : list of Problem
        What was refused so far.
    """

    only_ranges: bool = False
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, location: Location, text: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(location=location, text=text))

    def part(self, kind: type, values: Mapping[str, Any], location: Location) -> Any:
        """Return the part, or None if it refused; each refusal is noted under its key.

        After a refusal the key is left at its default and the part tried again, so that all
        its keys get checked.
        """
        hints = get_type_hints(kind)
        names = {f.name for f in fields(kind)}
        before = len(self.problems)
        given = {
            key: self._value(hints[key], value, (*location, key))
            for key, value in values.items()
            if key in names
        }
        if len(self.problems) > before:
            given = {key: value for key, value in given.items() if value is not None}
        return self._try(kind, given, location, clean=len(self.problems) == before)

    def _value(self, annotation: Any, value: Any, location: Location) -> Any:
        if isinstance(annotation, type) and is_dataclass(annotation):
            return value if is_dataclass(value) else self.part(annotation, value, location)
        if annotation is Path:
            return Path(value)
        if get_origin(annotation) is tuple:
            item = get_args(annotation)[0]
            made = tuple(self._value(item, v, (*location, i)) for i, v in enumerate(value))
            return None if None in made else made
        return value

    def _try(self, kind: type, given: dict[str, Any], location: Location, clean: bool) -> Any:
        only_ranges = self.only_ranges or not clean
        for _ in range(len(given) + 1):
            try:
                made = kind(**given)
            except InputError as error:
                key = self._note(error, given, location, only_ranges)
                if key is None:
                    return None
                given = _without(kind, given, key)
                clean, only_ranges = False, True
            except TypeError:
                return None
            else:
                return made if clean else None
        return None

    def _note(
        self, error: InputError, given: Mapping[str, Any], location: Location, only_ranges: bool
    ) -> str | None:
        """Note a refusal under the key it names; return the key if there is one."""
        key = _named_key(error, given)
        single = isinstance(error, RangeError) or "is not one of" in str(error)
        if only_ranges and not single:
            return None
        where = (*location, key) if key else location
        if key and isinstance(error, RangeError):
            text = str(RangeError(key_path(where), error.value, error.allowed, error.remedy))
        elif key:
            text = _NAMED.sub(lambda _: key_path(where), str(error), count=1)
        else:
            prefix = key_path(location)
            text = str(error) if str(error).startswith(prefix) else f"{prefix}: {error}"
        self.refuse(where, text)
        return key

    def absorber(
        self, name: str, own: Mapping[str, Absorber], location: Location
    ) -> Absorber | None:
        """Return a named absorber, the user's own first."""
        if name in own:
            return own[name]
        try:
            return absorber(name)
        except InputError as error:
            self.refuse(location, _at(location, error))
            return None

    def material(self, values: Mapping[str, Any], location: Location) -> Absorber | None:
        """Return a material of the user's own as an absorber."""
        try:
            return Absorber(
                name=str(location[-1]),
                formula=values["formula"],
                density_g_cm3=values["density_g_cm3"],
            )
        except InputError as error:
            self._note(error, values, location, self.only_ranges)
            return None

    def own_scintillator(
        self, values: Mapping[str, Any], location: Location
    ) -> Scintillator | None:
        """Return a material of the user's own as a scintillator, if it is one."""
        given = [key for key in _OPTICAL if values.get(key) is not None]
        if not given:
            return None
        lacking = [key for key in _OPTICAL if key not in given]
        if lacking:
            self.refuse(
                location,
                f"{key_path((*location, lacking[0]))} is missing. A scintillator needs all of "
                f"{', '.join(_OPTICAL)}; an absorber needs none of them.",
            )
            return None
        base = {"name": str(location[-1]), "formula": values["formula"]}
        base |= {"density_g_cm3": values["density_g_cm3"], "refractive_index": 1.5}
        plain = Scintillator(**base, emission_um=0.55, photons_per_kev=1.0)
        return self._corrected(plain, values, location)

    def _corrected(
        self, base: Scintillator, values: Mapping[str, Any], location: Location
    ) -> Scintillator | None:
        """Return a scintillator with the optical numbers that are given replaced."""
        before = len(self.problems)
        for key in _OPTICAL:
            value = values.get(key)
            if value is None:
                continue
            try:
                base = _with_optical(base, key, value)
            except InputError as error:
                self._note(error, values, location, self.only_ranges)
        return base if len(self.problems) == before else None

    def plate(
        self, values: Mapping[str, Any], own: Mapping[str, Scintillator | None], location: Location
    ) -> Plate | None:
        """Return a plate: its named scintillator with the plate's own corrections."""
        name = values["material"]
        before = len(self.problems)
        try:
            base = own[name] if name in own else scintillator(name)
        except InputError as error:
            self.refuse((*location, "material"), _at((*location, "material"), error))
            base = None
        else:
            if base is None and name in own and not self.only_ranges:
                self.refuse(
                    (*location, "material"),
                    f"{key_path((*location, 'material'))} = {name!r} cannot be used as a "
                    f'scintillator: give {", ".join(_OPTICAL)} in [materials."{name}"].',
                )
        base = self._corrected(base or scintillator("YAG:Ce"), values, location)
        stand_in = scintillator("YAG:Ce")
        made = self.part(Plate, {**values, "scintillator": base or stand_in}, location)
        return made if len(self.problems) == before else None

    def camera(self, kind: type, values: Mapping[str, Any], given: set[str]) -> tuple[Any, Any]:
        """Return the camera and its complete table: the preset, overridden by what is given."""
        resolved = dict(values)
        if values.get("preset"):
            try:
                preset = camera_preset(values["preset"])
            except InputError as error:
                self.refuse(("camera", "preset"), str(error))
            else:
                resolved |= {k: v for k, v in preset.items() if k not in given}
        return self.part(kind, resolved, ("camera",)), resolved


def _with_optical(base: Scintillator, key: str, value: float) -> Scintillator:
    if key == "emission_nm":
        check_range("emission_nm", value, low=200.0, high=1200.0, unit=unit_of(key))
        return replace(base, emission_um=nm_to_um(value))
    if key == "refractive_index":
        return replace(base, refractive_index=value)
    return replace(base, photons_per_kev=value)


def _at(location: Location, error: InputError) -> str:
    """Return a refusal with the key it names replaced by where it stands in the file."""
    return _NAMED.sub(lambda _: key_path(location), str(error), count=1)


def _named_key(error: InputError, given: Mapping[str, Any]) -> str | None:
    """Return the key that a refusal is about."""
    found = _TAIL.search(error.name) if isinstance(error, RangeError) else _NAMED.match(str(error))
    return found.group(1) if found and found.group(1) in given else None


def _without(kind: type, given: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the values with one put back to its default, or to 1 where there is none."""
    kept = {name: value for name, value in given.items() if name != key}
    definition = next(f for f in fields(kind) if f.name == key)
    if definition.default is MISSING and definition.default_factory is MISSING:
        kept[key] = 1.0
    return kept
