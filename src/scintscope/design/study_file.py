"""Reading a study file: strict, everything wrong is refused before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.design.family import Family, Link, get
from scintscope.design.feasible import check_reach
from scintscope.design.instrument_numbers import check_light
from scintscope.design.objectives import Objective
from scintscope.design.study import MOST_DESIGNS, Constraints, Sample, Study, Variable
from scintscope.errors import InputError, ScenarioError, nearest_hint
from scintscope.scenario import Scenario, load_scenario
from scintscope.scenario.files import Tree, merge, parse_sets, read_tree

_TABLES = (
    "name", "description", "base", "plate", "set", "variables", "links", "constraints",
    "objectives", "tolerances", "sample", "images",
)  # fmt: skip
_WAYS = ("range", "log_range", "grid", "list")


def load_study(path: Path | str, sets: Sequence[str] = ()) -> Study:
    """Return the study of a TOML file.

    Parameters
    ----------
    path : Path or str
        Study file; ``extends`` works as in scenarios.
    sets : sequence of str
        ``KEY=VALUE``; a key that starts with ``base.`` is one of the base scenario's.

    Raises
    ------
    ScenarioError
        If the study does not hold together; nothing has been computed then.
    """
    path = Path(path)
    tree = read_tree(path)
    own = [text for text in sets if not text.strip().startswith("base.")]
    of_base = [text.strip().removeprefix("base.") for text in sets if text not in own]
    tree = merge(tree, parse_sets(own))
    try:
        return _study(tree, path, of_base)
    except InputError as error:
        text = str(error)
        raise ScenarioError(text if text.startswith(str(path)) else f"{path}: {text}") from error


def _study(tree: Tree, path: Path, sets: Sequence[str]) -> Study:
    """Return the checked study of a file's tables."""
    _known("", tree, _TABLES)
    if not isinstance(tree.get("base"), str):
        raise ScenarioError('base is missing. Name the scenario: base = "../paper.toml".')
    scenario = path.parent / tree["base"]
    if not scenario.is_file():
        raise ScenarioError(f"base = {tree['base']!r}: no such file; looked for {scenario}.")
    typed = [f"{key}={_toml(value)}" for key, value in _leaves(tree.get("set", {}), ()).items()]
    base = load_scenario(scenario, [*typed, *sets])
    plate = tree.get("plate", "thick")
    if plate not in ("thin", "thick"):
        raise ScenarioError(f'plate = {plate!r}: give "thin" or "thick".')
    constraints = _part(Constraints, tree.get("constraints", {}), "constraints")
    variables = _variables(tree.get("variables", {}), base)
    study = Study(
        name=str(tree.get("name", path.stem)),
        description=str(tree.get("description", "")),
        base=base,
        plate=plate,
        variables=_with_available(variables, constraints, f"{plate}.thickness_um"),
        links=_links(tree.get("links", {}), variables, base),
        constraints=constraints,
        objectives=_objectives(tree.get("objectives", ())),
        tolerances=_tolerances(tree.get("tolerances", {}), variables),
        sample=_part(Sample, tree.get("sample", {}), "sample"),
        images=_flag(tree, "images"),
    )
    _check(study)
    return study


def _flag(tree: Tree, name: str) -> bool:
    value = tree.get(name, True)
    if not isinstance(value, bool):
        raise ScenarioError(f"{name} = {value!r}: give true or false.")
    return value


def _known(where: str, table: Mapping[str, Any], names: Sequence[str]) -> None:
    for key in table:
        if key not in names:
            place = f"{where}.{key}" if where else key
            hint = nearest_hint(key, names) or f" Known keys: {', '.join(names)}."
            raise ScenarioError(f"{place} is not a known key.{hint}")


def _leaves(table: Mapping[str, Any], stop: Sequence[str]) -> dict[str, Any]:
    """Return dotted keys of nested tables; a table with one of the keys ``stop`` is a leaf."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping) and not set(value) & set(stop):
            inner = _leaves(value, stop)
            if not inner:
                found[key] = value
            found |= {f"{key}.{name}": leaf for name, leaf in inner.items()}
        else:
            found[key] = value
    return found


def _toml(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"value": value}).partition("=")[2].strip()


def _variables(table: Mapping[str, Any], base: Scenario) -> tuple[Variable, ...]:
    if not table:
        raise ScenarioError(
            "[variables] is missing or empty: name at least one key, such as "
            "thick.thickness_um = { range = [10, 200], points = 20 }."
        )
    found = tuple(_variable(key, way) for key, way in _leaves(table, (*_WAYS, "points")).items())
    for variable in found:
        for value in (variable.values[0], variable.values[-1]):
            _try(base, {variable.key: value}, f"variables.{variable.key}")
    return found


def _variable(key: str, way: Any) -> Variable:
    where = f"variables.{key}"
    if not isinstance(way, Mapping):
        raise ScenarioError(f"{where} = {way!r}: write {{ range = [low, high], points = n }}.")
    _known(where, way, (*_WAYS, "points"))
    given = [name for name in _WAYS if name in way]
    if len(given) != 1:
        raise ScenarioError(f"{where}: give one of {', '.join(_WAYS)}; {len(given)} are given.")
    name, values = given[0], way[given[0]]
    if not isinstance(values, list) or not values:
        raise ScenarioError(f"{where}.{name} = {values!r} is empty. Give values in brackets.")
    if name in ("range", "log_range"):
        return Variable(
            key=key, values=_range(where, name, values, way.get("points", 11)), way=name
        )
    if "points" in way:
        raise ScenarioError(f"{where}.points goes with range or log_range only.")
    if all(isinstance(v, str) for v in values) and name == "list":
        if len(set(values)) < len(values):
            raise ScenarioError(f"{where}.list names a value twice.")
        return Variable(key=key, values=tuple(values), way="list")
    if not all(_is_number(v) for v in values):
        raise ScenarioError(f"{where}.{name} = {values!r}: give numbers (list takes names too).")
    return Variable(key=key, values=tuple(sorted({float(v) for v in values})), way=name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(where: str, name: str, ends: list[Any], points: Any) -> tuple[float, ...]:
    if len(ends) != 2 or not all(_is_number(v) for v in ends):
        raise ScenarioError(f"{where}.{name} = {ends!r}: give [low, high].")
    low, high = float(ends[0]), float(ends[1])
    if not low < high:
        raise ScenarioError(
            f"{where}.{name} = [{low:g}, {high:g}] is an empty range: low must be below high."
        )
    if not isinstance(points, int) or isinstance(points, bool) or not 2 <= points <= 10000:
        raise ScenarioError(f"{where}.points = {points!r}: give a whole number from 2 to 10000.")
    if name == "range":
        return tuple(float(v) for v in np.linspace(low, high, points))
    if low <= 0.0:
        raise ScenarioError(f"{where}.log_range = [{low:g}, {high:g}]: both ends must be above 0.")
    return tuple(float(v) for v in np.geomspace(low, high, points))


def _try(base: Scenario, values: Mapping[str, Any], where: str) -> None:
    """Refuse a key that the scenario does not know, or a value that it refuses."""
    for key, value in values.items():
        current = get(base.document, key)
        if _is_number(value) and isinstance(current, bool | dict | list):
            raise ScenarioError(f"{where}: {key} is not a number in a scenario.")
    try:
        Family(base=base).instrument(values)
    except InputError as error:
        raise ScenarioError(f"{where}: {str(error).removeprefix('design: ')}") from error


def _links(
    table: Mapping[str, Any], variables: tuple[Variable, ...], base: Scenario
) -> tuple[Link, ...]:
    """Return the keys that follow variables."""
    keys = [v.key for v in variables if not v.is_named]
    found = []
    for key, values in _leaves(table, ("follows",)).items():
        where = f"links.{key}"
        link = _part(Link, {**values, "key": key} if isinstance(values, Mapping) else {}, where)
        if link.follows not in keys:
            hint = nearest_hint(link.follows, keys)
            raise ScenarioError(f"{where}.follows = {link.follows!r} is no numeric variable.{hint}")
        if key in keys:
            raise ScenarioError(f"{where}: {key} is a variable itself. Drop one of the two.")
        values_of = next(v for v in variables if v.key == link.follows).numbers
        for end in (float(values_of[0]), float(values_of[-1])):
            _try(base, {link.follows: end, key: link.value(end)}, where)
        found.append(link)
    return tuple(found)


def _part(kind: type, table: Any, where: str) -> Any:
    """Return a frozen part from a table; unknown and missing keys and wrong types are refused."""
    if not isinstance(table, Mapping):
        raise ScenarioError(f"{where} is not a table.")
    known = {f.name: f for f in fields(kind)}
    _known(where, table, tuple(known))
    for name, definition in known.items():
        required = definition.default is MISSING and definition.default_factory is MISSING
        if required and name not in table:
            raise ScenarioError(f"{where}.{name} is missing.")
        value = table.get(name)
        wanted = str(definition.type)
        if value is None:
            continue
        fits = {
            "float": _is_number(value),
            "int": isinstance(value, int) and not isinstance(value, bool),
            "str": isinstance(value, str),
        }.get(wanted, isinstance(value, list) and all(_is_number(v) for v in value))
        if not fits:
            words = {"float": "a number", "int": "a whole number", "str": "a text in quotes"}
            raise ScenarioError(
                f"{where}.{name} = {value!r}: give {words.get(wanted, 'numbers in brackets')}."
            )
    made = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    try:
        return kind(**made)
    except InputError as error:
        raise ScenarioError(str(error).replace("objective.", f"{where}.")) from error


def _objectives(tables: Any) -> tuple[Objective, ...]:
    if not isinstance(tables, Sequence) or isinstance(tables, str) or not tables:
        raise ScenarioError('[[objectives]] is missing: add one with kind = "mtf50", for instance.')
    found = tuple(_part(Objective, t, f"objectives[{i}]") for i, t in enumerate(tables))
    labels = [o.label for o in found]
    if len(set(labels)) < len(labels):
        raise ScenarioError(
            f"objectives: two have the same name ({', '.join(labels)}): give names."
        )
    return found


def _tolerances(table: Mapping[str, Any], variables: tuple[Variable, ...]) -> dict[str, float]:
    keys = [v.key for v in variables if not v.is_named]
    found = {}
    for key, value in _leaves(table, ()).items():
        if key not in keys:
            hint = nearest_hint(key, keys)
            raise ScenarioError(f"tolerances.{key}: {key} is no numeric variable.{hint}")
        if not _is_number(value) or not value > 0:
            raise ScenarioError(f"tolerances.{key} = {value!r}: give a number above 0.")
        found[key] = float(value)
    return found


def _with_available(
    variables: tuple[Variable, ...], constraints: Constraints, key: str
) -> tuple[Variable, ...]:
    """Return the variables with the thickness cut down to what can be had."""
    had = constraints.available_thicknesses_um
    if not had:
        return variables
    made = []
    for variable in variables:
        if variable.key != key:
            made.append(variable)
            continue
        low, high = variable.numbers[0], variable.numbers[-1]
        kept = tuple(sorted(float(t) for t in set(had) if low <= t <= high))
        if not kept:
            raise ScenarioError(
                f"constraints.available_thicknesses_um = {list(had)}: none lies within "
                f"variables.{key}, {low:g} to {high:g}."
            )
        made.append(Variable(key=key, values=kept, way="list"))
    if key not in [v.key for v in variables]:
        raise ScenarioError(
            f"constraints.available_thicknesses_um has no variables.{key} to choose for."
        )
    return tuple(made)


def _check(study: Study) -> None:
    """Refuse studies of too many designs, light not known here, limits that no design keeps."""
    size = int(np.prod([len(v.values) for v in study.variables], dtype=np.float64))
    if study.sample.points:
        size = study.sample.points * len(study.choices())
    if size > MOST_DESIGNS:
        raise ScenarioError(f"{size} designs; at most {MOST_DESIGNS}: take fewer points.")
    key, limit = f"{study.plate}.exposure_s", study.constraints.max_exposure_s
    variable = next((v for v in study.numeric if v.key == key), None)
    follows = key in [link.key for link in study.links]
    least = variable.numbers[0] if variable else getattr(study.base, study.plate).exposure_s
    if not follows and least > limit:
        raise ScenarioError(
            f"constraints.max_exposure_s = {limit:g} cannot be met: the shortest {key} is "
            f"{least:g}. Raise the limit, or give {key} a shorter range."
        )
    if not study.numeric:
        raise ScenarioError("[variables] has names only: add at least one that is a number.")
    for v in study.variables:
        if v.key.split(".")[0] not in _SECTIONS:
            raise ScenarioError(f"variables.{v.key} does not change the instrument.")
    check_light(study.base.instrument())
    check_reach(study)


_SECTIONS = ("source", "geometry", "lens", "camera", "thin", "thick", "accuracy", "materials")
