"""Commands that look things up: check, schema, materials."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from scintscope.cli.common import Json, ScenarioFile, Sets, app, read

if TYPE_CHECKING:
    from scintscope.instrument import Instrument


@app.command
def check(scenario: ScenarioFile, /, *, sets: Sets = (), json: Json = False) -> None:
    """Say whether a scenario holds together, and what may surprise in it."""
    from scintscope.outputs import to_json

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checked = read(scenario, sets, None)
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


def _examine(instrument: Instrument) -> None:
    """Refuse a simulation grid that is too coarse; warn of focus and diffraction."""
    from scintscope.forward.render import warn_of_diffraction
    from scintscope.response import check_sampling, depth_response

    plates = (instrument.thin, instrument.thick)
    responses = tuple(depth_response(instrument, plate) for plate in plates)
    check_sampling(instrument, responses)
    warn_of_diffraction(instrument, responses[0])
