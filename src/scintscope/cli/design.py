"""The command ``design``: the best instrument of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from scintscope.cli.common import Json, Sets, app, say


@app.command
def design(
    study: Annotated[Path, Parameter(help="Study file (TOML).")],
    /,
    *,
    out: Annotated[
        Path | None, Parameter(name="--out", help="Output folder; default runs/<study name>.")
    ] = None,
    workers: Annotated[
        int,
        Parameter(
            name="--workers", help="Processes of this machine; 0: threads of this one, no cluster."
        ),
    ] = 0,
    scheduler: Annotated[
        str, Parameter(name="--scheduler", help="Address of a running Dask scheduler.")
    ] = "",
    resume: Annotated[
        bool, Parameter(name="--resume", negative="", help="Go on where a killed study stopped.")
    ] = False,
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Find the best design of a study: table, Pareto front, optimum by gradient, report.

    ``--set base.KEY=VALUE`` changes the base scenario, ``--set KEY=VALUE`` the study.
    """
    from scintscope.design.run import run_study
    from scintscope.design.study_file import load_study
    from scintscope.errors import check_range
    from scintscope.progress import progress

    check_range("--workers", workers, low=0, high=1024)
    loaded = load_study(study, sets)
    folder = out if out is not None else Path("runs") / loaded.name
    say(
        run_study(loaded, folder, progress, workers=workers, scheduler=scheduler, resume=resume),
        json,
    )
