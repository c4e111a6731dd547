"""Reading TOML: ``extends``, merging, ``--set``, and paths relative to the file that names them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scintscope.errors import ScenarioError

Tree = dict[str, Any]

_PATH_TABLES = ("source", "target", "specimen")
_NOT_INHERITED = ("name", "description")
SKIMAGE_PREFIX = "skimage:"
"""Marks an image that scikit-image carries, instead of a path."""


def read_tree(path: Path, sets: Sequence[str] = ()) -> Tree:
    """Return the merged tables of a file, its bases and the ``--set`` values.

    Parameters
    ----------
    path : Path
        TOML file.
    sets : sequence of str
        ``KEY=VALUE``, the key dotted; applied last, later ones win.

    Raises
    ------
    ScenarioError
        If a file is missing, is not TOML, or extends itself.
    """
    return merge(_read(Path(path), ()), parse_sets(sets))


def read_study_tree(path: Path, sets: Sequence[str] = ()) -> Tree:
    """Return the tables of a study file: a file whose table ``base`` is a scenario.

    ``base.extends`` names the scenario it starts from, relative to the study's file.

    Parameters
    ----------
    path : Path
        TOML file.
    sets : sequence of str
        ``KEY=VALUE``, the scenario's keys as ``base.KEY``; applied last.

    Raises
    ------
    ScenarioError
        If a file is missing or is not TOML, or ``base`` is not a table.
    """
    tree = merge(_parse(Path(path)), parse_sets(sets))
    base = tree.get("base", {})
    if not isinstance(base, dict):
        raise ScenarioError(f"{path}: base = {base!r} is not a table. Write [base].")
    start = base.get("extends")
    own = _anchored({k: v for k, v in base.items() if k != "extends"}, Path(path).parent)
    if start is None:
        return {**tree, "base": own}
    parent = Path(path).parent / str(start)
    if not isinstance(start, str) or not parent.is_file():
        raise ScenarioError(
            f"{path}: base.extends = {start!r}: no such file. Paths are relative to the file that "
            f"names them: looked for {parent}."
        )
    scenario = {k: v for k, v in _read(parent, ()).items() if k not in _NOT_INHERITED}
    return {**tree, "base": merge(scenario, own)}


def _read(path: Path, chain: tuple[Path, ...]) -> Tree:
    """Return one file merged over the files it extends."""
    here = path.resolve()
    if here in chain:
        loop = " -> ".join(p.name for p in (*chain[chain.index(here) :], here))
        raise ScenarioError(f"extends goes in a circle: {loop}. Remove one of the lines.")
    tree = _parse(path)
    base = tree.pop("extends", None)
    tree = _anchored(tree, path.parent)
    if base is None:
        return tree
    if not isinstance(base, str):
        raise ScenarioError(f"{path}: extends = {base!r} is not a file name in quotes.")
    parent_path = path.parent / base
    if not parent_path.is_file():
        raise ScenarioError(
            f"{path}: extends = {base!r}: no such file. Paths are relative to the file that names "
            f"them: looked for {parent_path}."
        )
    parent = _read(parent_path, (*chain, here))
    return merge({k: v for k, v in parent.items() if k not in _NOT_INHERITED}, tree)


def _parse(path: Path) -> Tree:
    if path.is_dir():
        raise ScenarioError(f"{path} is a folder. Give a scenario file (.toml).")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no such file.{_near_files(path)}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path} is not a text file in UTF-8 ({error.reason}).") from error
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path} is not valid TOML: {_plain(str(error))}") from error


def _plain(message: str) -> str:
    """Return the parser's message with a remedy for the commonest slips."""
    if "overwrite a value" in message or "declare" in message or "Duplicate" in message:
        return f"{message}. A key or table stands there twice: keep one."
    if "Invalid value" in message:
        return f"{message}. Texts need quotes; numbers need a point, not a comma; true, false."
    return f"{message}."


def _near_files(path: Path) -> str:
    """Return a hint naming scenario files beside a missing one."""
    folder = path.parent
    found = sorted(p.name for p in folder.glob("*.toml")) if folder.is_dir() else []
    return f" In {folder}: {', '.join(found)}." if found else ""


def _anchored(tree: Tree, folder: Path) -> Tree:
    """Return the tree with relative paths made absolute from ``folder``."""
    anchored = dict(tree)
    for table in _PATH_TABLES:
        values = tree.get(table)
        path = values.get("path") if isinstance(values, dict) else None
        if isinstance(path, str) and not path.startswith(SKIMAGE_PREFIX):
            anchored[table] = {**tree[table], "path": str((folder / path).resolve())}
    return anchored


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """Return ``base`` with ``over`` laid on it.

    Tables merge key by key; anything else replaces. A table whose ``kind`` differs from the
    base's replaces it whole.
    """
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            changed = "kind" in value and "kind" in old and value["kind"] != old["kind"]
            merged[key] = dict(value) if changed else merge(old, value)
        else:
            merged[key] = value
    return merged


def parse_sets(sets: Sequence[str]) -> Tree:
    """Return the tables that a list of ``KEY=VALUE`` stands for.

    Raises
    ------
    ScenarioError
        If one has no ``=`` or its key is not a dotted TOML key.
    """
    tree: Tree = {}
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals:
            raise ScenarioError(
                f"--set {text!r} has no '='. Write --set KEY=VALUE, for instance "
                "--set thick.thickness_um=150."
            )
        try:
            branch = tomllib.loads(f"{key.strip()} = 0")
        except tomllib.TOMLDecodeError:
            branch = {}
        names = _names(branch)
        if not names or "\n" in key:
            raise ScenarioError(f"--set {text!r}: {key!r} is not a key such as lens.na.")
        tree = merge(tree, _nested(names, _value(value.strip())))
    return _anchored(tree, Path.cwd())


def _names(branch: Tree) -> list[str]:
    """Return the chain of keys of a tree with a single leaf."""
    names: list[str] = []
    node: Any = branch
    while isinstance(node, dict) and len(node) == 1:
        (name,) = node
        names.append(name)
        node = node[name]
    return names


def _nested(names: Sequence[str], value: Any) -> Tree:
    for name in reversed(names):
        value = {name: value}
    return dict(value)


def _value(text: str) -> Any:
    """Return a text read as a TOML value, or the text itself."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if set(parsed) == {"value"} else text
