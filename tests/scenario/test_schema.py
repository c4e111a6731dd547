"""The JSON Schema accepts what the loader accepts and refuses what it refuses."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scintscope.scenario import json_schema
from scintscope.scenario.files import merge, read_tree

SHIPPED = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """Return a validator for scenario files, after checking the schema itself."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_schema_is_strict_json() -> None:
    """The schema has no infinity or NaN and forbids unknown keys in every table."""
    schema = json_schema()
    json.dumps(schema, allow_nan=False)
    tables = [d for d in [schema, *schema["$defs"].values()] if d.get("type") == "object"]
    assert tables
    assert all(table["additionalProperties"] is False for table in tables)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_files_are_valid(validator: Any, path: Path) -> None:
    """Every shipped file is valid as it stands, variants included."""
    assert [e.message for e in validator.iter_errors(tomllib.loads(path.read_text()))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"lens": {"na": 1.2}},
        {"lens": {"transmision": 0.5}},
        {"thin": {"back_face": "blak"}},
        {"thin": {"focus_um": "bst"}},
        {"camera": {"shape": [1, 2, 3]}},
        {"source": {"kind": "laser"}},
        {"acquisition": {"frames": 0}},
        {"accuracy": {"effects": {"noise": "yes"}}},
        {"restoration": {"psf_taper": "hamn"}},
    ],
)
def test_wrong_files_are_invalid(validator: Any, wrong: dict[str, Any]) -> None:
    """Ranges, choices, types and unknown keys are in the schema."""
    assert not validator.is_valid(merge(read_tree(SHIPPED / "paper.toml"), wrong))


def test_incomplete_file_is_invalid_unless_it_extends(validator: Any) -> None:
    """Only a variant may leave tables out."""
    assert not validator.is_valid({"lens": {"na": 0.3}})
    assert validator.is_valid({"extends": "paper.toml", "lens": {"na": 0.3}})


def test_descriptions_carry_units_and_ranges() -> None:
    """The thickness of a plate says its unit and range, as the part states them."""
    entry = json_schema()["$defs"]["Plate"]["properties"]["thickness_um"]
    assert "(0, 5000] um" in entry["description"]
    assert (entry["exclusiveMinimum"], entry["maximum"]) == (0.0, 5000.0)


def test_every_key_is_described() -> None:
    """No key goes without a sentence."""
    bare = [
        f"{name}.{key}"
        for name, table in json_schema()["$defs"].items()
        for key, entry in table["properties"].items()
        if len(entry.get("description", "")) < 5 or entry["description"] == key
    ]
    assert bare == []
