"""Families of specimens: constant keys and drawn ones of one kind, and its share of the samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scintscope.dataset.distributions import Distribution, is_distribution, read_distribution
from scintscope.dataset.splits import Shares, least_count
from scintscope.errors import ScenarioError
from scintscope.scenario import SKIMAGE_PREFIX

SEEDED = ("fish", "foam", "spheres", "fibres")
"""Kinds whose individuals have a seed of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """One kind of specimen.

    Parameters
    ----------
    name : str
        Of the family; by default its kind.
    weight : float
        Share of the samples, relative to the other families'.
    constants : dict
        Keys of the specimen's table that all share, ``kind`` among them.
    drawn : tuple of Distribution
        Keys that are drawn for each sample.
    paths : tuple of str
        Images of a family of kind ``image``; each belongs to one split.
    """

    name: str
    weight: float
    constants: Mapping[str, Any]
    drawn: tuple[Distribution, ...]
    paths: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Kind of the specimen."""
        return str(self.constants["kind"])


def read_families(tables: Any, folder: Path, splits: Shares) -> tuple[Family, ...]:
    """Return the families of a study.

    Parameters
    ----------
    tables : list of dict
        ``[[specimens]]`` of the study's file.
    folder : Path
        What paths are relative to.
    splits : tuple of (str, float)
        So that every split gets an image of its own.

    Raises
    ------
    ScenarioError
        If a table is no family, or its samples could not be told apart between splits.
    """
    if not isinstance(tables, list) or not all(isinstance(t, Mapping) for t in tables):
        raise ScenarioError("specimens: write a table [[specimens]] for each family.")
    families = tuple(
        _read(table, f"specimens[{i}]", folder, splits) for i, table in enumerate(tables)
    )
    names = [family.name for family in families]
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(
                f"specimens: two families are called {name!r}. Give each a name of its own."
            )
    return families


def _read(table: Mapping[str, Any], where: str, folder: Path, splits: Shares) -> Family:
    values = dict(table)
    kind = values.get("kind")
    if not isinstance(kind, str):
        raise ScenarioError(f'{where}.kind is missing: give a kind of specimen such as "fish".')
    name, weight = values.pop("name", kind), values.pop("weight", 1.0)
    if not isinstance(name, str) or not name:
        raise ScenarioError(f"{where}.name = {name!r}: give a name in quotes.")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0.0 < weight < 1e9:
        raise ScenarioError(f"{where}.weight = {weight!r}: give a number above 0.")
    paths = _paths(values.pop("paths", None), where, folder, splits, kind)
    drawn = []
    for key in [k for k, value in values.items() if is_distribution(value)]:
        drawn.append(read_distribution(key, values.pop(key), f"{where}.{key}"))
        if drawn[-1].per != "sample":
            raise ScenarioError(f"{where}.{key}.per: a specimen is drawn for each sample.")
    family = Family(
        name=name, weight=float(weight), constants=values, drawn=tuple(drawn), paths=paths
    )
    _require_individuals(family, where)
    return family


def _paths(given: Any, where: str, folder: Path, splits: Shares, kind: str) -> tuple[str, ...]:
    if given is None and kind != "image":
        return ()
    if kind != "image" or not isinstance(given, list) or not all(isinstance(p, str) for p in given):
        raise ScenarioError(
            f'{where}.paths: a family of kind "image" has a list of files, no other kind has one; '
            "each file belongs to one split."
        )
    need = least_count(splits)
    if len(set(given)) != len(given) or len(given) < need:
        raise ScenarioError(
            f"{where}.paths has {len(set(given))} different files; {need} are needed for every "
            "split to have one of its own. Add images, or drop a split."
        )
    files = tuple(p if p.startswith(SKIMAGE_PREFIX) else str((folder / p).resolve()) for p in given)
    for path in files:
        if not path.startswith(SKIMAGE_PREFIX) and not Path(path).is_file():
            raise ScenarioError(
                f"{where}.paths: {path!r}: no such file. A path is relative to the study's file."
            )
    return files


def _require_individuals(family: Family, where: str) -> None:
    """Refuse a family whose specimens would be the same in every split."""
    if "seed" in family.constants and family.kind in SEEDED:
        raise ScenarioError(
            f"{where}.seed would make one individual for all splits. Leave it out: every "
            "sample has a seed of its own."
        )
    told_apart = family.kind in SEEDED or family.kind == "image"
    if not told_apart and not any(d.is_continuous for d in family.drawn):
        raise ScenarioError(
            f"{where}: every specimen of kind {family.kind!r} would be the same, in all splits. "
            "Draw one of its numbers from a continuous distribution, for instance thickness_um = "
            "{uniform = [3.0, 8.0]}."
        )
