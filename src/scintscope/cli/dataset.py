"""The command ``dataset``: make many pairs, check a store, export samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from scintscope.cli.common import Json, Sets, app, say

dataset = App(
    name="dataset",
    help="Make many randomised thin/thick pairs with the truth attached; check and export them.",
    help_format="plaintext",
)
app.command(dataset)

Workers = Annotated[
    int, Parameter(name="--workers", help="Processes of this machine; 0: one for each core.")
]
Scheduler = Annotated[
    str,
    Parameter(
        name="--scheduler",
        help="Address of a running Dask scheduler, e.g. tcp://host:8786; 'here': no cluster.",
    ),
]


@dataset.default
def make(
    study: Annotated[Path, Parameter(help="Study file (TOML).")],
    /,
    *,
    out: Annotated[Path, Parameter(name="--out", help="Folder of the store (Zarr v3).")],
    samples: Annotated[
        int | None, Parameter(name="--samples", help="Takes the place of the study's number.")
    ] = None,
    workers: Workers = 0,
    scheduler: Scheduler = "",
    resume: Annotated[
        bool,
        Parameter(name="--resume", negative="", help="Finish or extend the store if it is there."),
    ] = False,
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Make the pairs of a study."""
    from scintscope.dataset.build import make_dataset
    from scintscope.dataset.study import load_study
    from scintscope.errors import ScintscopeError
    from scintscope.progress import progress

    loaded = load_study(study, sets, samples)
    outcome = make_dataset(
        loaded, out, progress, workers=workers, scheduler=scheduler, resume=resume
    )
    say(outcome, json)
    if outcome.document["complete"] < outcome.document["samples"]:
        raise ScintscopeError("some samples could not be made; the others are complete.")
