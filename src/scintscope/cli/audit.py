"""The command that audits the PSF estimate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from scintscope.cli.common import Json, ScenarioFile, Sets, app, load, say


@app.command
def audit(
    scenario: ScenarioFile,
    /,
    *,
    seeds: int = 10,
    grid: str = "small",
    workers: int = 1,
    out: Annotated[
        Path | None,
        Parameter(name="--out", help="Output folder; default runs/<scenario name>-audit."),
    ] = None,
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Say how far the estimated PSF lies from the true one, and which settings come nearest.

    Parameters
    ----------
    seeds
        Pairs that judge the settings; a fifth as many others select.
    grid
        Settings compared: small (11), judged (40) or wide (118).
    workers
        Processes.
    """
    loaded = load(scenario, sets, None)
    from scintscope.audit.page import audit as study
    from scintscope.progress import progress

    folder = out if out is not None else Path("runs") / f"{loaded.name}-audit"
    say(study(loaded, folder, progress, seeds=seeds, grid=grid, workers=workers), json)
