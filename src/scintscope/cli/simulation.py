"""Commands that simulate: run, simulate, verify, inspect."""

from __future__ import annotations

from pathlib import Path

from scintscope.cli.common import Json, Out, ScenarioFile, Seed, Sets, app, folder, load, say


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
    loaded = load(scenario, sets, seed)
    from scintscope import pipeline
    from scintscope.progress import progress
    from scintscope.report import second_process

    with second_process() as easel:
        outcome = pipeline.run(loaded, folder(out, loaded), progress, easel)
    say(outcome, json)


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
    loaded = load(scenario, sets, seed)
    from scintscope import pipeline
    from scintscope.progress import progress

    say(pipeline.simulate(loaded, folder(out, loaded), progress), json)


@app.command
def verify(
    scenario: ScenarioFile,
    /,
    *,
    out: Out = None,
    seed: Seed = None,
    sets: Sets = (),
    map: str | None = None,
    json: Json = False,
) -> None:
    """Compare the exact image with the single-PSF image, without noise; say what parts them.

    Parameters
    ----------
    map
        Where one PSF is enough: "all", or axes separated by commas out of source_distance, field,
        thickness, na, contrast, hardness, each with values if wanted: thickness=50:100:200,na.
    """
    loaded = load(scenario, sets, seed)
    from scintscope import pipeline
    from scintscope.progress import progress

    say(pipeline.verify(loaded, folder(out, loaded), progress, map), json)


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
    loaded = load(scenario, sets, None)
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
