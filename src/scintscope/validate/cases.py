"""Finding the cases and loading their code."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from scintscope.errors import InputError, nearest_hint
from scintscope.validate.rows import Row

FOLDER = "validation"
_PREFIX = "scintscope_validation_"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One folder of comparisons.

    Parameters
    ----------
    name : str
        Name of the folder.
    folder : Path
        Holds ``case.py``, reference tables and ``SOURCE.md``.
    """

    name: str
    folder: Path

    @property
    def rows(self) -> Callable[[bool], list[Row]]:
        """``rows(quick)`` of the case; reading it runs the case's code."""
        function = getattr(self.module(), "rows", None)
        if not callable(function):
            raise InputError(
                f"{self.folder / 'case.py'} has no function rows(quick) that returns rows. "
                "See validation/README.md."
            )
        return function  # type: ignore[no-any-return]

    def module(self) -> ModuleType:
        """Load ``case.py`` as a package of its folder, so that it may import its neighbours."""
        name = f"{_PREFIX}{self.name}"
        known = sys.modules.get(name)
        if known is not None and known.__file__ == str(self.folder / "case.py"):
            return known
        spec = importlib.util.spec_from_file_location(
            name, self.folder / "case.py", submodule_search_locations=[str(self.folder)]
        )
        if spec is None or spec.loader is None:
            raise InputError(f"{self.folder / 'case.py'} cannot be loaded as Python.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module


def cases_folder(given: Path | None = None) -> Path:
    """Return the folder of the cases: as given, of the checkout, or of the working directory.

    Raises
    ------
    InputError
        If there is none: an installed package does not carry the reference tables.
    """
    if given is not None:
        places = [given]
    else:
        places = [Path(__file__).parents[3] / FOLDER, Path.cwd() / FOLDER]
    for place in places:
        if place.is_dir() and any(place.glob("*/case.py")):
            return place
    raise InputError(
        f"no validation cases in {' or '.join(map(str, places))}. They are part of the source "
        f"repository, folder {FOLDER}/, not of an installed package: run from a checkout made with "
        "`make install`, or name the folder with --cases."
    )


def find_cases(folder: Path | None = None) -> list[Case]:
    """Return all cases, sorted by name."""
    found = cases_folder(folder)
    return [
        Case(name=path.parent.name, folder=path.parent) for path in sorted(found.glob("*/case.py"))
    ]


def choose_cases(names: Sequence[str], folder: Path | None = None) -> list[Case]:
    """Return the named cases, or all of them.

    Raises
    ------
    InputError
        If a name is no case; the message has the nearest one.
    """
    known = {case.name: case for case in find_cases(folder)}
    for name in names:
        if name not in known:
            raise InputError(
                f"{name!r} is no validation case.{nearest_hint(name, known)} Cases: "
                f"{', '.join(known)}."
            )
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())
