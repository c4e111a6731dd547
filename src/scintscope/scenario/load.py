"""From a TOML file to a checked `Scenario`; everything wrong with it is reported at once."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scintscope.accuracy import Accuracy
from scintscope.camera.parts import Acquisition, Camera
from scintscope.camera.presets import camera_preset
from scintscope.errors import InputError, ScenarioError
from scintscope.geometry import Geometry
from scintscope.materials import Absorber
from scintscope.optics.lens import Lens
from scintscope.optics.presets import lens_preset
from scintscope.restoration.config import RestorationConfig
from scintscope.scenario.build import Workshop
from scintscope.scenario.files import SKIMAGE_PREFIX, Tree, merge, read_tree
from scintscope.scenario.models import SOURCES, SPECIMENS, FileTable, file_model
from scintscope.scenario.problems import Problem, explain, key_path
from scintscope.scenario.scenario import AIR, MATERIAL_KEYS, Scenario
from scintscope.source.parts import TubeSource

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_PLATE: Tree = {"material": "YAG:Ce", "thickness_um": 1.0, "exposure_s": 1.0}
_STAND_INS: Mapping[str, Tree] = {
    "source": {"kind": "monochromatic"},
    "thin": _PLATE,
    "thick": _PLATE,
    "target": {"kind": "slanted_edge"},
    "specimen": {"kind": "slanted_edge"},
}
"""Harmless tables that let the rest of a faulty file be checked."""

_PLAIN_PARTS: Mapping[str, type] = {
    "geometry": Geometry,
    "acquisition": Acquisition,
    "restoration": RestorationConfig,
    "accuracy": Accuracy,
}


def load_scenario(path: Path | str, sets: Sequence[str] = ()) -> Scenario:
    """Return the scenario of a TOML file.

    Parameters
    ----------
    path : Path or str
        Scenario file.
    sets : sequence of str
        ``KEY=VALUE`` laid over the file before it is checked.

    Raises
    ------
    ScenarioError
        If anything is wrong; its text has one line for each problem.
    """
    path = Path(path)
    return scenario_from_tables(read_tree(path, sets), name=path.stem, origin=str(path))


def scenario_from_tables(
    tables: Mapping[str, Any], *, name: str = "scenario", origin: str = "scenario"
) -> Scenario:
    """Return the scenario that tables, as read from TOML, stand for.

    Parameters
    ----------
    tables : dict
        Top-level tables; paths must be absolute or relative to the working directory.
    name : str
        Name if the tables give none.
    origin : str
        What to call the tables in an error.

    Raises
    ------
    ScenarioError
        If anything is wrong; its text has one line for each problem.
    """
    model, problems = _validated(tables)
    touched = {str(p.location[0]) for p in problems}
    made, more = _build(model, touched)
    problems += more
    problems += _name_problems(model.model_dump(include={"name"})["name"])
    scenario = None
    if not problems:
        made.setdefault("name", made["document"].setdefault("name", name))
        scenario = Scenario(**made)
        try:
            scenario.instrument()
        except InputError as error:
            problems.append(Problem(location=(), text=str(error)))
    if scenario is None or problems:
        raise ScenarioError(_report(origin, problems))
    return scenario


def _report(origin: str, problems: Sequence[Problem]) -> str:
    if len(problems) == 1:
        return f"{origin}: {problems[0].text}"
    lines = "\n".join(f"  {problem.text}" for problem in problems)
    return f"{origin} has {len(problems)} problems:\n{lines}"


def _name_problems(name: str | None) -> list[Problem]:
    if name is None or _NAME.fullmatch(name):
        return []
    text = f"name = {name!r} cannot name a folder. Use letters, digits, '.', '_' and '-'."
    return [Problem(location=("name",), text=text)]


def _validated(tables: Mapping[str, Any]) -> tuple[FileTable, list[Problem]]:
    """Return the tables with every type checked, and what was wrong.

    What is wrong is taken out and replaced by stand-ins, so that the rest can be built and its
    ranges checked in the same pass.
    """
    tree = copy.deepcopy(dict(tables))
    problems: list[Problem] = []
    for repair in (_prune, _underlay, _replace):
        try:
            return file_model().model_validate(tree), problems
        except ValidationError as error:
            found = list(explain(error.errors(include_url=False), file_model()))
            problems = problems or found
            repair(tree, found)
    return file_model().model_validate(tree), problems


def _prune(tree: Tree, problems: Sequence[Problem]) -> None:
    """Take out the keys that were refused; an array goes whole."""
    for problem in problems:
        if problem.missing:
            continue
        keys = list(itertools.takewhile(lambda item: isinstance(item, str), problem.location))
        node: Any = tree
        for key in keys[:-1]:
            node = node.get(key) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.pop(keys[-1], None)


def _underlay(tree: Tree, problems: Sequence[Problem]) -> None:
    """Give what is missing its stand-in."""
    for section in {str(p.location[0]) for p in problems}:
        given = tree.get(section, {})
        tree[section] = merge(_STAND_INS.get(section, {}), given if isinstance(given, dict) else {})


def _replace(tree: Tree, problems: Sequence[Problem]) -> None:
    """Give tables that are beyond repair their stand-in whole."""
    for section in {str(p.location[0]) for p in problems}:
        tree[section] = dict(_STAND_INS.get(section, {}))


def _build(model: FileTable, touched: set[str]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the arguments of `Scenario`, and what the parts refused."""
    shop = Workshop()
    tables = model.model_dump()
    made: dict[str, Any] = {}
    own_absorbers, own_scintillators = _own_materials(shop, tables, touched)
    for section, parts in (("source", SOURCES), ("target", SPECIMENS), ("specimen", SPECIMENS)):
        shop.only_ranges = section in touched
        table = tables[section]
        made[section] = table and shop.part(parts[table["kind"]], table, (section,))
    for section, part in _PLAIN_PARTS.items():
        shop.only_ranges = section in touched
        made[section] = shop.part(part, tables[section], (section,))
    for section in ("thin", "thick"):
        shop.only_ranges = section in touched
        made[section] = shop.plate(tables[section], own_scintillators, (section,))
    for section, part, preset in (
        ("lens", Lens, lens_preset),
        ("camera", Camera, camera_preset),
    ):
        shop.only_ranges = section in touched
        given = set(getattr(model, section).model_fields_set)
        made[section], tables[section] = shop.by_name(section, part, tables[section], given, preset)
    _check_images(shop, tables)
    made["absorbers"] = _absorbers(shop, tables, own_absorbers, made["source"])
    made["document"] = _document(tables)
    if tables["name"]:
        made["name"] = tables["name"]
    return made, shop.problems


def _own_materials(shop: Workshop, tables: Tree, touched: set[str]) -> tuple[Tree, Tree]:
    shop.only_ranges = "materials" in touched
    absorbers: Tree = {}
    scintillators: Tree = {}
    for name, values in tables["materials"].items():
        location = ("materials", name)
        absorbers[name] = shop.material(values, location)
        scintillators[name] = absorbers[name] and shop.own_scintillator(values, location)
    return absorbers, scintillators


def _check_images(shop: Workshop, tables: Tree) -> None:
    """Refuse image files that are not there."""
    for section in ("target", "specimen"):
        path = (tables[section] or {}).get("path")
        if path and not path.startswith(SKIMAGE_PREFIX) and not Path(path).is_file():
            location = (section, "path")
            shop.refuse(
                location,
                f"{key_path(location)} = {path!r}: no such file. A path is relative to the file "
                f'that names it; "{SKIMAGE_PREFIX}coins" takes an image that scikit-image carries.',
            )


def _absorbers(
    shop: Workshop, tables: Tree, own: Mapping[str, Absorber], source: Any
) -> dict[str, Absorber]:
    """Return every material that X-rays cross before the plate, by name."""
    named: list[tuple[tuple[str | int, ...], str]] = []
    for i, sheet in enumerate(tables["source"].get("filters", ())):
        named.append((("source", "filters", i, "material"), sheet["material"]))
    for section in ("target", "specimen"):
        table = tables[section] or {}
        named += [((section, key), table[key]) for key in MATERIAL_KEYS if key in table]
    found = {name: shop.absorber(name, own, location) for location, name in named}
    if isinstance(source, TubeSource) and source.air_path:
        found[AIR] = shop.absorber(AIR, own, ("source", "air_path"))
    return {name: a for name, a in {**own, **found}.items() if a is not None}


def _document(tables: Tree) -> Tree:
    """Return the tables without what is not set, in the order of a scenario file."""
    cleaned: Tree = _cleaned(tables)
    return {k: v for k, v in cleaned.items() if k != "materials" or v}


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _cleaned(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [_cleaned(v) for v in value]
    return value
