"""The JSON Schema of scenario files, for editors that complete and check while one types."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic.json_schema import GenerateJsonSchema

from scintscope.scenario.models import FileTable, file_model
from scintscope.scenario.problems import tables_of
from scintscope.scenario.ranges import allowed_range, bounds, choices_of, field_docs, unit_of

Schema = dict[str, Any]

_NUMERIC = ("number", "integer")
_OTHER_DOCS = {
    "kind": "Which variant this table describes; decides its other keys.",
    "material": "Name of a material: see `scintscope materials`, or [materials].",
    "preset": "A camera or lens by name; fills every key of its table that is not given.",
    "refractive_index": "Replaces the material's index at the emission wavelength.",
    "emission_nm": "Replaces the wavelength that stands for the material's emission band.",
    "photons_per_kev": "Replaces the material's light yield.",
    "target": "Chemical symbol of the tube's target.",
    "effects": "Switches of single effects.",
    "path": "File, relative to the one that names it.",
    "thickness_um": "Thickness along the beam.",
    "thickness_mm": "Thickness along the light.",
}
"""Descriptions of keys that the part's docstring does not describe."""


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a scenario file.

    A file with ``extends`` may leave out what its base gives; any other must be complete.
    Descriptions give units and ranges as the parts state them.
    """
    schema: Schema = file_model().model_json_schema()
    for name, table in _all_tables().items():
        definition = schema if table is file_model() else schema["$defs"].get(name)
        if definition is not None:
            _annotate(definition, table)
    complete = {"required": schema.pop("required", []), "properties": _complete(schema)}
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "A scenario file, relative to this one, whose keys this one overrides.",
    }
    schema |= {"if": {"required": ["extends"]}, "then": {}, "else": complete}
    return {"$schema": GenerateJsonSchema.schema_dialect, **_strict(schema)}


def _all_tables() -> dict[str, type[FileTable]]:
    """Return every table that may stand in a file, by the name of its definition."""
    found: dict[str, type[FileTable]] = {}
    waiting = [file_model()]
    while waiting:
        table = waiting.pop()
        found[table.__name__] = table
        waiting += [t for t in _inner_tables(table) if t.__name__ not in found]
    return {name: found[name] for name in sorted(found)}


def _inner_tables(table: type[FileTable]) -> Iterator[type[FileTable]]:
    for field in table.model_fields.values():
        annotation = field.annotation
        if get_origin(annotation) in (dict, tuple):
            annotation = get_args(annotation)[-1 if get_origin(annotation) is dict else 0]
        yield from tables_of(annotation).values()


def _annotate(definition: Schema, table: type[FileTable]) -> None:
    """Add descriptions, units, choices and ranges to the keys of one table."""
    definition["description"] = (table.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    docs = field_docs(table) if table.part is None else field_docs(table.part)
    for key, entry in definition["properties"].items():
        _drop_null(entry)
        _, words = docs.get(key) or ("", _OTHER_DOCS.get(key, ""))
        note = _unit_note(table, key)
        entry["description"] = " ".join(filter(None, (words, note))).replace("``", "") or key
        if table.part is None or key not in getattr(table.part, "__dataclass_fields__", {}):
            continue
        choices = choices_of(table.part, key)
        if choices and entry.get("type") == "string":
            entry["enum"] = list(choices)
        for option in (entry, *entry.get("anyOf", ())):
            if option.get("type") in _NUMERIC:
                option |= bounds(table.part, key)


def _unit_note(table: type[FileTable], key: str) -> str:
    unit, allowed = unit_of(key), ""
    if table.part is not None and key in getattr(table.part, "__dataclass_fields__", {}):
        allowed = allowed_range(table.part, key)
    if allowed:
        return f"Allowed: {allowed}."
    return f"Unit: {unit}." if unit else ""


def _drop_null(entry: Schema) -> None:
    """Take out the null that stands for "not given": TOML has none."""
    options = [o for o in entry.get("anyOf", ()) if o.get("type") != "null"]
    if len(options) == 1:
        del entry["anyOf"]
        entry |= options[0]
    elif options:
        entry["anyOf"] = options
    if "default" in entry and entry["default"] is None:
        del entry["default"]


def _complete(schema: Schema) -> Schema:
    """Move "required" out of the tables a variant may give in part; return it by table."""
    required: Schema = {}
    for section, field in file_model().model_fields.items():
        options = []
        for kind, table in tables_of(field.annotation).items():
            schema["$defs"][table.__name__].pop("required", None)
            keys = [key for key, entry in table.model_fields.items() if entry.is_required()]
            if keys:
                option: Schema = {"required": keys}
                if kind:
                    option["properties"] = {"kind": {"const": kind}}
                options.append(option)
        if options:
            required[section] = options[0] if len(options) == 1 else {"anyOf": options}
    return required


def _strict(value: Any) -> Any:
    """Return the schema without what strict JSON or an ``anyOf`` of partial tables forbids."""
    if isinstance(value, dict):
        kept = {
            key: _strict(item)
            for key, item in value.items()
            if key != "discriminator" and not (isinstance(item, float) and not math.isfinite(item))
        }
        if "oneOf" in kept:
            kept["anyOf"] = kept.pop("oneOf")
        return kept
    return [_strict(item) for item in value] if isinstance(value, list) else value
