"""A study from file to results: tables, designs, best design, files, page."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from scintscope.design.evaluate import (
    Shelf,
    chunks_of,
    evaluate_all,
    gathered,
    study_key,
)
from scintscope.design.model import DesignModel
from scintscope.design.optimise import Found, judged_point
from scintscope.design.restored_images import KIND, judged_few, restored_images
from scintscope.design.results import Results, conclude
from scintscope.design.study import Study
from scintscope.design.tabulate import design_models
from scintscope.design.write import write_results
from scintscope.outputs import Outcome, provenance, staged_output, write_json, write_text
from scintscope.progress import Progress
from scintscope.threads import POOL_THREADS


def make_models(study: Study, progress: Progress) -> list[DesignModel]:
    """Return the fast model of every combination of named variables, on common frequencies."""
    families = [study.family(choice) for choice in study.choices()]
    return design_models(families, progress=progress)


def _middle(model: DesignModel) -> dict[str, float]:
    return {axis.key: axis.middle for axis in model.plan.axes}


def perform(
    study: Study,
    shelf: Shelf,
    progress: Progress,
    workers: int = 0,
    scheduler: str = "",
) -> Results:
    """Return the results of a study; chunks are kept on the shelf."""
    models = make_models(study, progress)
    chunks = chunks_of(models, study.grid())
    total = sum(chunk.design.size for chunk in chunks)
    with progress("designs", total) as advance, ThreadPoolExecutor(1) as ahead:
        ready = ahead.submit(judged_point, study, models[0], _middle(models[0]))
        evaluate_all(study, models, chunks, shelf, advance, workers, scheduler)
        ready.result()  # the searches' program, compiled meanwhile
    with progress("best design", 1) as advance:
        results = conclude(study, models, gathered(study, chunks, shelf))
        advance(1)
    if not study.images or KIND not in [o.kind for o in study.objectives]:
        return results
    few = judged_few(results.optimum, study)
    with progress("restored images", len(few)) as advance:

        def one(found: Found) -> dict[str, dict[str, float]]:
            rows = restored_images(study, models, found)
            advance(1)
            return rows

        with ThreadPoolExecutor(POOL_THREADS) as pool:
            rows = pool.map(one, few.values())
            return replace(results, restored=dict(zip(few, rows, strict=True)))


def run_study(
    study: Study,
    out: Path,
    progress: Progress,
    *,
    workers: int = 0,
    scheduler: str = "",
    resume: bool = False,
) -> Outcome:
    """Do a study and write its folder.

    Parameters
    ----------
    study : Study
        Checked.
    out : Path
        Final folder; see `outputs.staged_output`. Chunks are kept beside it until it is complete.
    progress : callable
        See `scintscope.progress`.
    workers, scheduler
        See `evaluate.evaluate_all`.
    resume : bool
        Go on from the chunks that a killed run left.

    Raises
    ------
    InputError
        If a design cannot be computed, no design keeps the limits, or the folder cannot be written.
    """
    from scintscope.design.page import write_page

    out = out.resolve()
    start = time.perf_counter()
    with staged_output(out) as folder:
        shelf = Shelf.open(out, study_key(study), resume)
        results = perform(study, shelf, progress, workers, scheduler)
        found = write_results(folder, results)
        with progress("report", 1) as advance:
            write_page(folder, results, found)
            advance(1)
        write_text(folder / "scenario.toml", study.base.to_toml())
        seconds = {"study": round(time.perf_counter() - start, 3)}
        record = provenance(scenario_hash=study.base.hash(), timings_s=seconds)
        write_json(folder / "provenance.json", record)
    shelf.close()
    text = f"{found['answer']}\nReport: {out / 'report.html'}"
    return Outcome(document=found, text=text)
