"""A study: a base scenario, what varies about it, and what is kept. Checked before any work."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from scintscope.dataset.contents import CONTENTS
from scintscope.dataset.distributions import Distribution, read_distribution
from scintscope.dataset.families import SEEDED, Family, read_families
from scintscope.dataset.splits import Shares, checked_shares
from scintscope.errors import ScenarioError, nearest_hint
from scintscope.outputs import plain
from scintscope.scenario import SKIMAGE_PREFIX, Scenario, read_study_tree, scenario_from_tables

Tables = Mapping[str, Any]

DEFAULT_SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}
_LEAST_SHARE = 0.001
FIXED = (
    "name",
    "description",
    "camera.shape",
    "camera.preset",
    "acquisition.frames",
    "acquisition.dark_frames",
    "acquisition.flat_frames",
    "acquisition.seed",
    "restoration.psf_size_px",
    "thin.defects.seed",
    "thick.defects.seed",
)
"""Keys that give the arrays their shape, or that the study draws by itself."""

_KEYS = (
    "name",
    "description",
    "licence",
    "seed",
    "samples",
    "samples_per_plate",
    "samples_per_instrument",
    "instruments",
    "shard_samples",
    "splits",
    "contents",
    "groups",
    "vary",
    "specimens",
    "base",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """A study.

    Parameters
    ----------
    name, description, licence : str
        For the data card; no part of the hash.
    seed : int
        Of everything that is drawn.
    samples : int
        How many are wanted; no part of the hash, so that a store can be extended.
    samples_per_plate, samples_per_instrument : int
        How many samples in a row have the same plates and the same instrument.
    instruments : int
        After so many, the first comes again; 0: never.
    shard_samples : int
        Samples in one file of an array.
    splits : tuple of (str, float)
        Names and shares.
    contents : tuple of str
        What is kept, see `contents.CONTENTS`.
    groups : dict of str to float
        Correlation of the normal scores of a group's keys.
    vary : tuple of Distribution
        Keys of the scenario that are drawn.
    families : tuple of Family
        Of specimens; empty where there is none.
    base : Scenario
        The scenario that is varied.
    """

    name: str
    description: str
    licence: str
    seed: int
    samples: int
    samples_per_plate: int
    samples_per_instrument: int
    instruments: int
    shard_samples: int
    splits: Shares
    contents: tuple[str, ...]
    groups: Mapping[str, float]
    vary: tuple[Distribution, ...]
    families: tuple[Family, ...]
    base: Scenario

    def document(self) -> dict[str, Any]:
        """Return everything as plain values; `study_from_document` gives the study back."""
        document = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "base"}
        found: dict[str, Any] = plain_infinite(document)
        return found | {"base": plain_infinite(dict(self.base.document))}

    def hash(self) -> str:
        """Return a SHA-256 of all that decides the samples and their layout.

        Neither name, description, licence nor the number of samples count; of image files their
        content does, not where they lie.
        """
        document = self.document()
        for key in ("name", "description", "licence", "samples"):
            del document[key]
        document["base"] = self.base.hash()
        for family in document["families"]:
            family["paths"] = [_content(path) for path in family["paths"]]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def plain_infinite(value: Any) -> Any:
    """Return a value as JSON knows it, infinities as the words that ``float`` reads."""
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return {str(key): plain_infinite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_infinite(item) for item in value]
    if isinstance(value, (Distribution, Family)):
        return {f.name: plain_infinite(getattr(value, f.name)) for f in fields(value)}
    return plain(value)


def _content(path: str) -> str:
    if path.startswith(SKIMAGE_PREFIX):
        return path
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _finite_again(value: Any) -> Any:
    """Undo `plain_infinite`."""
    if isinstance(value, dict):
        return {key: _finite_again(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite_again(item) for item in value]
    return float(value) if value in ("inf", "-inf") else value


def study_from_document(document: Tables) -> Study:
    """Return the study of a `Study.document`."""
    tables: dict[str, Any] = _finite_again(dict(document))
    base = scenario_from_tables(tables["base"], origin="the store's scenario")
    return Study(
        **{
            **tables,
            "splits": tuple((str(n), float(s)) for n, s in tables["splits"]),
            "contents": tuple(tables["contents"]),
            "vary": tuple(_distribution(d) for d in tables["vary"]),
            "families": tuple(
                Family(
                    **{
                        **f,
                        "drawn": tuple(_distribution(d) for d in f["drawn"]),
                        "paths": tuple(f["paths"]),
                    }
                )
                for f in tables["families"]
            ),
            "base": base,
        }
    )


def _distribution(table: Tables) -> Distribution:
    tuples = {key: tuple(table[key]) for key in ("numbers", "values", "weights")}
    return Distribution(**{**table, **tuples})


def load_study(path: Path | str, sets: Sequence[str] = (), samples: int | None = None) -> Study:
    """Return the study of a TOML file, wholly checked.

    Parameters
    ----------
    path : Path or str
        Study file.
    sets : sequence of str
        ``KEY=VALUE`` laid over the file; the scenario's keys as ``base.KEY``.
    samples : int or None
        Takes the place of the file's number.

    Raises
    ------
    ScenarioError
        If anything is wrong with it; its text names key, value and remedy.
    """
    path = Path(path)
    tables = read_study_tree(path, sets)
    if samples is not None:
        tables = {**tables, "samples": samples}
    try:
        study = _study(tables, path)
    except ScenarioError as error:
        prefix = "" if str(error).startswith(str(path)) else f"{path}: "
        raise ScenarioError(f"{prefix}{error}") from None
    from scintscope.dataset.draw import check_draws

    check_draws(study, str(path))
    return study


def _study(tables: Tables, path: Path) -> Study:
    for key in tables:
        if key not in _KEYS:
            hint = nearest_hint(key, _KEYS) or f" Known keys: {', '.join(_KEYS)}."
            raise ScenarioError(f"{key} is not a key of a study.{hint}")
    base = scenario_from_tables(tables["base"], name=path.stem, origin=f"{path}: base")
    shard = _whole(tables, "shard_samples", 16, 1, 4096)
    per_plate = _whole(tables, "samples_per_plate", min(shard, 8), 1, 10**9)
    per_instrument = _whole(tables, "samples_per_instrument", max(shard, per_plate), 1, 10**9)
    if per_instrument % per_plate:
        raise ScenarioError(
            f"samples_per_instrument = {per_instrument} is not a multiple of samples_per_plate = "
            f"{per_plate}: a plate would be in two instruments."
        )
    splits = _splits(tables.get("splits", DEFAULT_SPLITS))
    groups = _groups(tables.get("groups", {}))
    study = Study(
        name=_text(tables, "name", path.stem),
        description=_text(tables, "description", ""),
        licence=_text(tables, "licence", "CC-BY-4.0"),
        seed=_whole(tables, "seed", 0, 0, 2**63 - 1),
        samples=_whole(tables, "samples", 64, 1, 10**8),
        samples_per_plate=per_plate,
        samples_per_instrument=per_instrument,
        instruments=_whole(tables, "instruments", 0, 0, 10**9),
        shard_samples=shard,
        splits=splits,
        contents=_contents(tables.get("contents", list(CONTENTS))),
        groups=groups,
        vary=_vary(tables.get("vary", {}), groups),
        families=read_families(tables.get("specimens", []), path.parent, splits),
        base=base,
    )
    return _with_base_family(study)


def _with_base_family(study: Study) -> Study:
    """Return the study with the base's specimen as its only family, where none is given."""
    if study.families or study.base.specimen is None:
        return study
    table = {
        k: v
        for k, v in study.base.document["specimen"].items()
        if not (k == "seed" and v is not None)
    }
    if table["kind"] not in SEEDED:
        raise ScenarioError(
            f"base.specimen is of kind {table['kind']!r}: every sample would show the same one. "
            "Give [[specimens]] with something drawn."
        )
    family = Family(name=str(table["kind"]), weight=1.0, constants=table, drawn=())
    return replace(study, families=(family,))


def _whole(tables: Tables, key: str, default: int, low: int, high: int) -> int:
    value = tables.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ScenarioError(f"{key} = {value!r}: give a whole number from {low} to {high}.")
    return value


def _text(tables: Tables, key: str, default: str) -> str:
    value = tables.get(key, default)
    if not isinstance(value, str):
        raise ScenarioError(f"{key} = {value!r}: give a text in quotes.")
    return value


def _splits(table: Any) -> Shares:
    if not isinstance(table, Mapping) or not table:
        raise ScenarioError("splits: give a table such as {train = 0.8, test = 0.2}.")
    for name, share in table.items():
        number = isinstance(share, (int, float)) and not isinstance(share, bool)
        if not number or not _LEAST_SHARE <= share <= 1.0:
            raise ScenarioError(
                f"splits.{name} = {share!r}: give a share from {_LEAST_SHARE} to 1."
            )
    total = sum(table.values())
    if abs(total - 1.0) > 1e-6:
        raise ScenarioError(f"splits sum to {total:g}: they must sum to 1.")
    return checked_shares([(str(name), float(share)) for name, share in table.items()])


def _contents(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        raise ScenarioError(f"contents = {given!r}: give a list of some of {', '.join(CONTENTS)}.")
    for name in given:
        if name not in CONTENTS:
            hint = nearest_hint(str(name), CONTENTS) or f" Known: {', '.join(CONTENTS)}."
            raise ScenarioError(f"contents: {name!r} is not known.{hint}")
    return tuple(name for name in CONTENTS if name in given)


def _groups(table: Any) -> dict[str, float]:
    if not isinstance(table, Mapping):
        raise ScenarioError("groups: give a table such as {dose = 0.9}.")
    for name, value in table.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0.0 <= value <= 1.0:
            raise ScenarioError(f"groups.{name} = {value!r}: give a correlation from 0 to 1.")
    return {str(name): float(value) for name, value in table.items()}


def _vary(table: Any, groups: dict[str, float]) -> tuple[Distribution, ...]:
    if not isinstance(table, Mapping):
        raise ScenarioError("vary: give a table of keys of the scenario in quotes.")
    found = []
    for key, values in table.items():
        where = f'vary."{key}"'
        if key in FIXED or key.split(".")[0] in ("name", "description", "specimen"):
            remedy = (
                "Specimens vary in [[specimens]]."
                if key.startswith("specimen")
                else ("It gives the arrays their shape, or the study draws it by itself.")
            )
            raise ScenarioError(f"{where}: this key cannot vary. {remedy}")
        found.append(read_distribution(key, values, where))
    levels: dict[str, str] = {}
    for d in found:
        if d.group and levels.setdefault(d.group, d.per) != d.per:
            raise ScenarioError(
                f'vary."{d.key}".per = {d.per!r}: the keys of group {d.group!r} must all be drawn '
                "per sample, per plate or per instrument."
            )
    for name in groups:
        if name not in levels:
            hint = nearest_hint(name, levels) if levels else ""
            raise ScenarioError(f"groups.{name}: no key of [vary] belongs to this group.{hint}")
    return tuple(found)
