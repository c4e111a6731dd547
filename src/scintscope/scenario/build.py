"""From checked tables to the frozen parts; every part's refusal is kept with its key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from scintscope.errors import InputError, RangeError
from scintscope.materials import Absorber, Scintillator, absorber, clear_material, scintillator
from scintscope.scenario.models import OPTICAL_OVERRIDES
from scintscope.scenario.own_materials import (
    SCINTILLATES,
    doubled_keys,
    is_clear,
    missing_key,
    own_scintillator,
    with_optical,
)
from scintscope.scenario.problems import Problem, key_path
from scintscope.scintillator.plate import Plate, Substrate

Location = tuple[str | int, ...]

_NAMED = re.compile(r"^(?:[a-z_]+\.)*([a-z_0-9]+)(?= = | is | are )")
_TAIL = re.compile(r"([A-Za-z_]\w*)$")


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
        """Return a material of the user's own as a scintillator or clear crystal, if it is one."""
        if not is_clear(values):
            return None
        lacking, doubled = missing_key(values), doubled_keys(values)
        if lacking:
            self.refuse(
                location,
                f"{key_path((*location, lacking))} is missing. A scintillator needs all of "
                f"{SCINTILLATES}; a clear crystal the first, an absorber none of them.",
            )
        elif doubled:
            where = (*location, doubled[1])
            self.refuse(where, f"{key_path(where)}: {doubled[0]} is given too. Give one of them.")
        else:
            try:
                return own_scintillator(str(location[-1]), values)
            except InputError as error:
                self._note(error, values, location, self.only_ranges)
        return None

    def _corrected(
        self, base: Scintillator, values: Mapping[str, Any], location: Location
    ) -> Scintillator | None:
        """Return a scintillator with the optical numbers that are given replaced."""
        before = len(self.problems)
        for key in OPTICAL_OVERRIDES:
            value = values.get(key)
            if value is None:
                continue
            try:
                base = with_optical(base, key, value)
            except InputError as error:
                self._note(error, values, location, self.only_ranges)
        return base if len(self.problems) == before else None

    def plate(
        self, values: Mapping[str, Any], own: Mapping[str, Scintillator | None], location: Location
    ) -> Plate | None:
        """Return a plate: its named scintillator with the plate's own corrections."""
        before = len(self.problems)
        base = self._medium(values, own, location, lit=True)
        stand_in = scintillator("YAG:Ce")
        given = {**values, "scintillator": base or stand_in}
        if values.get("substrate") is not None:
            given["substrate"] = self._substrate(values["substrate"], own, (*location, "substrate"))
        made = self.part(Plate, given, location)
        return made if len(self.problems) == before else None

    def _substrate(
        self, values: Mapping[str, Any], own: Mapping[str, Scintillator | None], location: Location
    ) -> Substrate | None:
        """Return a substrate: a named clear crystal with the substrate's own corrections."""
        medium = self._medium(values, own, location, lit=False)
        stand_in = clear_material("YAG")
        made = self.part(Substrate, {**values, "medium": medium or stand_in}, location)
        return made if medium is not None else None

    def _medium(
        self,
        values: Mapping[str, Any],
        own: Mapping[str, Scintillator | None],
        location: Location,
        lit: bool,
    ) -> Scintillator | None:
        """Return the crystal a table names, corrected; what it refuses is noted.

        ``lit`` asks for one that makes light, by itself or by the table's own yield.
        """
        name, where = values["material"], (*location, "material")
        named = scintillator if lit else clear_material
        base: Scintillator | None = None
        try:
            base = own[name] if name in own else named(name)
        except InputError as error:
            self.refuse(where, _at(where, error))
        else:
            glows = base is not None and (base.is_luminescent or values.get("photons_per_kev"))
            if (lit and not glows) or base is None:
                self._refuse_material(name, where, lit)
                base = None
        corrected = self._corrected(base or scintillator("YAG:Ce"), values, location)
        return corrected if base is not None else None

    def _refuse_material(self, name: str, where: Location, lit: bool) -> None:
        """Note that a material of the user's own lacks numbers, unless those were refused."""
        if self.only_ranges:
            return
        wanted, keys = ("scintillator", SCINTILLATES) if lit else ("substrate", "refractive_index")
        self.refuse(
            where,
            f"{key_path(where)} = {name!r} cannot be used as a {wanted}: give {keys} in "
            f'[materials."{name}"].',
        )

    def by_name(
        self,
        section: str,
        kind: type,
        values: Mapping[str, Any],
        given: set[str],
        preset: Callable[[str], dict[str, Any]],
    ) -> tuple[Any, Any]:
        """Return a part that may be named, and its complete table.

        Parameters
        ----------
        section : str
            Table of the file, ``lens`` or ``camera``.
        kind : type
            The part.
        values : dict
            The table; its ``preset`` names what fills the keys that are not given.
        given : set of str
            Keys that the file gives.
        preset : callable
            Values by name.
        """
        resolved = dict(values)
        if values.get("preset"):
            try:
                named = preset(values["preset"])
            except InputError as error:
                self.refuse((section, "preset"), str(error))
            else:
                resolved |= {k: v for k, v in named.items() if k not in given}
        return self.part(kind, resolved, (section,)), resolved


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
