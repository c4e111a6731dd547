"""From pydantic's list of errors to sentences that a physicist understands, one per error."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from scintscope.errors import nearest_hint
from scintscope.scenario.models import FileTable, file_model
from scintscope.scenario.ranges import allowed_range, choices_of, unit_of

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing wrong with a scenario.

    Parameters
    ----------
    location : tuple of str or int
        Keys and array indices that lead to it in the file's tables.
    text : str
        What is wrong and what to do.
    missing : bool
        Whether the key at ``location`` is absent.
    """

    location: tuple[str | int, ...]
    text: str
    missing: bool = False


def key_path(location: tuple[str | int, ...]) -> str:
    """Return a location as it would be written, e.g. ``lens.plates[0].thickness_mm``."""
    path = ""
    for item in location:
        if isinstance(item, int):
            path += f"[{item}]"
            continue
        name = item if _BARE_KEY.fullmatch(item) else f'"{item}"'
        path += f".{name}" if path else name
    return path


def shown(value: Any) -> str:
    """Return a value as it would stand in a TOML file, shortened."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unwrap(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, annotations stripped."""
    if get_origin(annotation) is Annotated:
        return _unwrap(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(m for a in get_args(annotation) for m in _unwrap(a))
    return () if annotation is type(None) else (annotation,)


def tables_of(annotation: Any) -> dict[str, type[FileTable]]:
    """Return the tables an annotation admits, by ``kind`` (or "" for the only one)."""
    found: dict[str, type[FileTable]] = {}
    for member in _unwrap(annotation):
        if isinstance(member, type) and issubclass(member, FileTable):
            kind = member.model_fields.get("kind")
            found[get_args(kind.annotation)[0] if kind else ""] = member
    return found


def expected(annotation: Any) -> str:
    """Return in words what a key takes."""
    words = []
    for member in _unwrap(annotation):
        origin, args = get_origin(member), get_args(member)
        if origin is Literal:
            words += [f'"{choice}"' for choice in args]
        elif origin is tuple and args[-1] is Ellipsis:
            words.append(f"a list in square brackets, each {expected(args[0])}")
        elif origin is tuple:
            words.append(f"a list of {len(args)} values, each {expected(args[0])}")
        elif isinstance(member, type) and issubclass(member, BaseModel):
            words.append("a table such as {key = value}")
        elif origin is dict:
            words.append("a table of tables")
        else:
            words.append(
                {float: "a number", int: "a whole number", bool: "true or false"}.get(
                    member, "a text in quotes"
                )
            )
    return " or ".join(dict.fromkeys(words))


@dataclass(slots=True)
class _Place:
    """Where a location leads: the keys of the file, the table and key it ends in."""

    location: tuple[str | int, ...]
    table: type[FileTable]
    key: str
    annotation: Any


def _place(loc: tuple[Any, ...], root: type[FileTable]) -> _Place:
    """Return the place of a pydantic location, its union tags taken out."""
    table: type[FileTable] | None = root
    owner, key = root, ""
    annotation: Any = Any
    location: list[str | int] = []
    choices: dict[str, type[FileTable]] = {}
    in_dict = False
    for item in loc:
        if isinstance(item, int):
            location.append(item)
            annotation = _item_type(annotation, item)
            choices = tables_of(annotation)
            table = choices.get("")
        elif in_dict:
            location.append(item)
            in_dict = False
        elif table is not None:
            location.append(item)
            owner, key = table, item
            field = table.model_fields.get(item)
            annotation = field.annotation if field else Any
            choices, in_dict = tables_of(annotation), get_origin(annotation) is dict
            if in_dict:
                choices = tables_of(get_args(annotation)[1])
            table = choices.get("")
        elif item in choices:
            table = choices[item]
    return _Place(tuple(location), owner, key, annotation)


def _item_type(annotation: Any, index: int) -> Any:
    for member in _unwrap(annotation):
        if get_origin(member) is tuple:
            args = get_args(member)
            return args[0] if args[-1] is Ellipsis else args[min(index, len(args) - 1)]
    return Any


def _what_to_give(place: _Place) -> str:
    """Return the type, unit and range of a key in words."""
    part = place.table.part
    text = expected(place.annotation)
    choices = choices_of(part, place.key) if part else ()
    if choices:
        text = " or ".join(f'"{choice}"' for choice in choices)
    allowed = allowed_range(part, place.key) if part and place.key in _fields(part) else ""
    unit = unit_of(place.key)
    if allowed:
        return f"{text}, allowed range {allowed}"
    return f"{text} ({unit})" if unit else text


def _fields(part: type) -> Mapping[str, Any]:
    return getattr(part, "__dataclass_fields__", {})


def _elsewhere(name: str) -> str:
    """Return a hint if a misplaced key exists, or nearly so, in some table."""
    homes: dict[str, list[str]] = {}
    for section, field in file_model().model_fields.items():
        for table in tables_of(field.annotation).values():
            for key in table.model_fields:
                homes.setdefault(key, []).append(f"{section}.{key}")
    if name not in homes:
        return ""
    return f" Did you mean {' or '.join(dict.fromkeys(homes[name]))}?"


def _unknown(place: _Place, name: str, table: type[FileTable]) -> str:
    where = key_path(place.location[:-1])
    options = [*table.model_fields, *(["extends"] if table is file_model() else [])]
    hint = (
        (_elsewhere(name) if name not in options else "")
        or nearest_hint(name, options)
        or f" Known keys: {', '.join(options)}."
    )
    return (
        f"{key_path(place.location)} is not a known key{f' of [{where}]' if where else ''}.{hint}"
    )


def _kind_problem(error: Mapping[str, Any], place: _Place) -> Problem:
    kinds = list(tables_of(place.annotation))
    options = ", ".join(f'"{kind}"' for kind in kinds)
    location = (*place.location, "kind")
    if error["type"] == "union_tag_not_found":
        return Problem(
            location=location,
            text=f"{key_path(location)} is missing. Give one of {options}.",
            missing=True,
        )
    tag = str(error["ctx"]["tag"])
    return Problem(
        location=location,
        text=f"{key_path(location)} = {tag!r} is not one of {options}.{nearest_hint(tag, kinds)}",
    )


def explain(errors: list[Any], root: type[FileTable]) -> Iterator[Problem]:
    """Yield one `Problem` for each key that pydantic complains about in a table ``root``."""
    seen: set[tuple[str | int, ...]] = set()
    for error in errors:
        problem = _explain_one(error, root)
        if problem.location not in seen:
            seen.add(problem.location)
            yield problem


def _explain_one(error: Mapping[str, Any], root: type[FileTable]) -> Problem:
    loc = error["loc"]
    if error["type"] == "missing" and isinstance(loc[-1], int):
        loc = loc[:-1]  # an array that is too short
    place = _place(loc, root)
    path, kind = key_path(place.location), error["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _kind_problem(error, place)
    if kind == "extra_forbidden":
        return Problem(location=place.location, text=_unknown(place, place.key, place.table))
    if kind == "missing" and loc == error["loc"]:
        if tables_of(place.annotation):
            text = f"[{path}] is missing. Add the table; keys: {_keys(place.annotation)}."
        else:
            text = f"{path} is missing. Give {_what_to_give(place)}."
        return Problem(location=place.location, text=text, missing=True)
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        in_array = any(isinstance(item, int) for item in place.location)
        remedy = "{key = value, ...}" if in_array else f"[{path}] and its keys below"
        text = f"{path} = {shown(error['input'])} is not a table. Write {remedy}."
        return Problem(location=place.location, text=text)
    value = error["input"]
    return Problem(
        location=place.location,
        text=f"{path} = {shown(value)} cannot be used. Give {_what_to_give(place)}.",
    )


def _keys(annotation: Any) -> str:
    tables = tables_of(annotation)
    if "" in tables:
        return ", ".join(tables[""].model_fields)
    return "kind = " + " or ".join(f'"{kind}"' for kind in tables)
