"""The application, the arguments that several commands share, and how a command speaks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from scintscope import __version__

if TYPE_CHECKING:
    from scintscope.outputs import Outcome
    from scintscope.scenario import Scenario

app = App(
    name="scintscope",
    help="Simulate lens-coupled X-ray scintillator microscopes and test the restoration of their "
    "images.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)

ScenarioFile = Annotated[Path, Parameter(help="Scenario file (TOML).")]
Sets = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative="",
        show_default=False,
        help="KEY=VALUE laid over the file, e.g. thick.thickness_um=150; repeatable.",
    ),
]
Out = Annotated[
    Path | None, Parameter(name="--out", help="Output folder; default runs/<scenario name>.")
]
Seed = Annotated[int | None, Parameter(name="--seed", help="Overrides acquisition.seed.")]
Json = Annotated[
    bool,
    Parameter(
        name="--json", negative="", show_default=False, help="Print one JSON document on stdout."
    ),
]


def read(path: Path, sets: Sequence[str], seed: int | None) -> Scenario:
    """Return the scenario of a file, ``--set`` and ``--seed`` laid over it."""
    from scintscope.scenario import load_scenario

    seeded = (*sets, f"acquisition.seed={seed}") if seed is not None else sets
    return load_scenario(path, seeded)


def load(path: Path, sets: Sequence[str], seed: int | None) -> Scenario:
    """Return the scenario; its notes go to stderr."""
    loaded = read(path, sets, seed)
    for note in loaded.notes():
        tell(f"note: {note}")
    return loaded


def folder(out: Path | None, scenario: Scenario) -> Path:
    """Return the output folder: as given, or ``runs/<scenario name>``."""
    return out if out is not None else Path("runs") / scenario.name


def say(outcome: Outcome, json: bool) -> None:
    """Print what a command has to say: JSON on stdout, or the text."""
    from scintscope.outputs import to_json

    print(to_json(outcome.document) if json else outcome.text)


def tell(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)
