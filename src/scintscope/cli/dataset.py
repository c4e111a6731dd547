"""The command ``dataset``: make many pairs, check a store, export samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from scintscope.cli.common import Json, Sets, app, say, tell

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


StoreFolder = Annotated[Path, Parameter(help="Folder of a data set.")]


@dataset.command
def check(
    store: StoreFolder,
    /,
    *,
    hashes: Annotated[
        bool,
        Parameter(name="--hashes", negative="", help="Print only 'INDEX SHA256' lines, sorted."),
    ] = False,
    remake: Annotated[
        int,
        Parameter(name="--remake", help="Samples, taken at random, to make again and compare."),
    ] = 2,
    repair: Annotated[
        bool, Parameter(name="--repair", negative="", help="Make bad samples anew.")
    ] = False,
) -> None:
    """Find every sample that is not what it was when it was made; exit code 1 if there is one."""
    from scintscope.dataset.check import bad_samples_text, check_store
    from scintscope.dataset.store import open_store
    from scintscope.errors import ScintscopeError
    from scintscope.progress import progress

    opened = open_store(store)
    report = check_store(opened, progress, remake=remake, repair=repair)
    if text := bad_samples_text(report):
        tell(text)
    if hashes:
        print("\n".join(report.lines()))
    else:
        good = len(set(report.hashes) - set(report.problems))
        print(f"{opened.path}: {good} of {opened.study.samples} samples are good.")
    if report.problems:
        raise ScintscopeError(
            f"{len(report.problems)} bad samples. 'scintscope dataset check {store} --repair' "
            "makes them anew."
        )


@dataset.command
def export(
    store: StoreFolder,
    /,
    *,
    out: Annotated[Path, Parameter(name="--out", help="Output folder.")],
    format: Annotated[str, Parameter(name="--format", help="nexus (HDF5) or tiff.")] = "nexus",
    samples: Annotated[
        str | None, Parameter(name="--samples", help="Which, e.g. 0,4-7; all if not given.")
    ] = None,
    split: Annotated[str | None, Parameter(name="--split", help="Only of this split.")] = None,
    json: Json = False,
) -> None:
    """Write samples as NeXus (HDF5) or TIFF files."""
    from scintscope.dataset.export import export_store, parse_samples
    from scintscope.dataset.store import open_store
    from scintscope.progress import progress

    chosen = None if samples is None else parse_samples(samples)
    say(export_store(open_store(store), out, format, progress, samples=chosen, split=split), json)
