"""The command line. Thin: every command reads its arguments and calls one function.

Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from scintscope import __version__
from scintscope.errors import InputError, ScintscopeError
from scintscope.memory import keep_freed_memory

if TYPE_CHECKING:
    from scintscope.instrument import Instrument
    from scintscope.outputs import Outcome
    from scintscope.scenario import RestoreSettings, Scenario

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130

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
Frames = Annotated[
    str | None, Parameter(help="Multi-page TIFF (frame, row, column), or a quoted glob of files.")
]


@app.command
def run(
    scenario: ScenarioFile,
    /,
    *,
    out: Out = None,
    seed: Seed = None,
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Simulate, restore, judge and report."""
    loaded = _load(scenario, sets, seed)
    from scintscope import pipeline
    from scintscope.progress import progress

    _say(pipeline.run(loaded, _folder(out, loaded), progress), json)


@app.command
def simulate(
    scenario: ScenarioFile,
    /,
    *,
    out: Out = None,
    seed: Seed = None,
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Simulate frames and their truth, and stop there."""
    loaded = _load(scenario, sets, seed)
    from scintscope import pipeline
    from scintscope.progress import progress

    _say(pipeline.simulate(loaded, _folder(out, loaded), progress), json)


@app.command
def verify(
    scenario: ScenarioFile,
    /,
    *,
    out: Out = None,
    seed: Seed = None,
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Compare the exact image with the single-PSF image, without noise."""
    loaded = _load(scenario, sets, seed)
    from scintscope import pipeline
    from scintscope.progress import progress

    _say(pipeline.verify(loaded, _folder(out, loaded), progress), json)


@app.command
def restore(
    *,
    thin: Annotated[str, Parameter(help="Target on the thin plate: TIFF stack or quoted glob.")],
    thin_background: Annotated[str, Parameter(help="The thin plate without target.")],
    thick: Annotated[str, Parameter(help="Target on the thick plate.")],
    thick_background: Annotated[str, Parameter(help="The thick plate without target.")],
    specimen: Frames = None,
    specimen_background: Frames = None,
    dark: Frames = None,
    flat: Frames = None,
    pixel_um_sensor: Annotated[float | None, Parameter(help="Pixel pitch on the sensor.")] = None,
    magnification: Annotated[float | None, Parameter(help="Of the lens.")] = None,
    config: Annotated[Path | None, Parameter(help="TOML with [restoration], [images].")] = None,
    out: Annotated[Path, Parameter(name="--out", help="Output folder.")],
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Estimate the PSF from measured stacks and restore the thick plate's images."""
    if specimen_background is not None and specimen is None:
        raise InputError("--specimen-background has no --specimen to go with. Give both.")
    given = {
        "thin": thin,
        "thin_background": thin_background,
        "thick": thick,
        "thick_background": thick_background,
        "specimen": specimen,
        "specimen_background": specimen_background,
        "dark": dark,
        "flat": flat,
    }
    files = {name: value for name, value in given.items() if value is not None}
    settings = _restore_settings(config, sets, pixel_um_sensor, magnification)
    from scintscope.measured import restore_files
    from scintscope.progress import progress

    _say(restore_files(files, settings, out, progress), json)


@app.command
def inspect(
    scenario: ScenarioFile,
    /,
    *,
    out: Path | None = None,
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Print the instrument's data sheet: spectrum, absorption, light, MTF, NPS, DQE.

    Parameters
    ----------
    out
        Folder for a page with figures and tables.
    """
    loaded = _load(scenario, sets, None)
    from scintscope import inspection
    from scintscope.outputs import to_json

    if out is None:
        sheet = inspection.inspect(loaded.instrument())
    else:
        from scintscope.pipeline import inspect_into

        sheet = inspect_into(loaded, out)
    if json:
        print(to_json(sheet))
    else:
        inspection.print_sheet(sheet)


@app.command
def check(scenario: ScenarioFile, /, *, sets: Sets = (), json: Json = False) -> None:
    """Say whether a scenario holds together, and what may surprise in it."""
    from scintscope.outputs import to_json

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checked = _read(scenario, sets, None)
        _examine(checked.instrument())
    notes = [*checked.notes(), *(str(w.message) for w in caught)]
    if json:
        document = {"name": checked.name, "hash": checked.hash(), "ok": True, "notes": notes}
        print(to_json(document))
        return
    print(f"OK: {scenario} ({checked.name})")
    for note in notes:
        print(f"note: {note}")


@app.command
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from scintscope.outputs import to_json
    from scintscope.scenario import json_schema

    print(to_json(json_schema()))


@app.command
def materials(name: str | None = None, /, *, json: Json = False) -> None:
    """List the materials, or show every number of one of them with its source.

    Parameters
    ----------
    name
        Material; all of them if not given.
    """
    from scintscope.materials import ABSORBERS, SCINTILLATORS, absorber
    from scintscope.materials.describe import details, summary
    from scintscope.outputs import to_json

    known: dict[str, Any] = {**ABSORBERS, **SCINTILLATORS}
    if name is not None:
        known = {name: known.get(name) or absorber(name)}
    if json:
        print(to_json(known))
        return
    for entry in known.values():
        print(summary(entry) if name is None else "\n".join(details(entry)))


def _read(path: Path, sets: Sequence[str], seed: int | None) -> Scenario:
    from scintscope.scenario import load_scenario

    seeded = (*sets, f"acquisition.seed={seed}") if seed is not None else sets
    return load_scenario(path, seeded)


def _load(path: Path, sets: Sequence[str], seed: int | None) -> Scenario:
    """Return the scenario; its notes go to stderr."""
    loaded = _read(path, sets, seed)
    for note in loaded.notes():
        _tell(f"note: {note}")
    return loaded


def _examine(instrument: Instrument) -> None:
    """Refuse a simulation grid that is too coarse; warn of focus and diffraction."""
    from scintscope.forward.render import warn_of_diffraction
    from scintscope.response import check_sampling, depth_response

    plates = (instrument.thin, instrument.thick)
    responses = tuple(depth_response(instrument, plate) for plate in plates)
    check_sampling(instrument, responses)
    warn_of_diffraction(instrument, responses[0])


def _folder(out: Path | None, scenario: Scenario) -> Path:
    return out if out is not None else Path("runs") / scenario.name


def _restore_settings(
    config: Path | None,
    sets: Sequence[str],
    pixel_um_sensor: float | None,
    magnification: float | None,
) -> RestoreSettings:
    from scintscope.scenario import load_restore_settings

    scale = {"pixel_um_sensor": pixel_um_sensor, "magnification": magnification}
    typed = [f"images.{key}={value}" for key, value in scale.items() if value is not None]
    return load_restore_settings(config, (*typed, *sets))


def _say(outcome: Outcome, json: bool) -> None:
    """Print what a command has to say: JSON on stdout, or the text."""
    from scintscope.outputs import to_json

    print(to_json(outcome.document) if json else outcome.text)


def _tell(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _tell(f"note: {message}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str or None
        What follows ``scintscope``; None takes the process's own.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:  # the process is ours
        keep_freed_memory()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            app(tokens, exit_on_error=False, print_error=False)
            sys.stdout.flush()
        except CycloptsError as error:
            _tell(f"scintscope: {error}\nSee scintscope --help.")
            return EXIT_BAD_INPUT
        except InputError as error:
            _tell(f"scintscope: {error}")
            return EXIT_BAD_INPUT
        except BrokenPipeError:
            # The reader of stdout has gone (scintscope schema | head): nothing left to say.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (ScintscopeError, OSError, MemoryError) as error:
            _tell(f"scintscope: {type(error).__name__}: {error}")
            return EXIT_FAILED
        except KeyboardInterrupt:
            _tell("scintscope: interrupted; nothing was left under the output's final name.")
            return EXIT_INTERRUPTED
    return 0
