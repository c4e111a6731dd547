"""The command's work: study a scenario's kernel error, recommend a setting, write a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scintscope.audit.estimates import kernels
from scintscope.audit.figures import draw_errors, draw_kernels
from scintscope.audit.pairs import draw_pair
from scintscope.audit.recommend import Recommendation, recommend, summary
from scintscope.audit.settings import PAPER, Setting, judged_grid, small_grid, wide_grid
from scintscope.audit.study import Errors, bench_and_truth, run_study
from scintscope.errors import check_choice, check_range
from scintscope.outputs import Outcome, provenance, staged_output, write_json, write_text
from scintscope.progress import Progress
from scintscope.report.page import FILE, render_page, versions
from scintscope.report.records import Illustration, Table
from scintscope.report.style import picture
from scintscope.scenario import Scenario

GRIDS = {"small": small_grid, "judged": judged_grid, "wide": wide_grid}
FIRST_SELECTION_SEED, FIRST_JUDGING_SEED = 1000, 2000
SELECTION_SHARE = 5
"""One seed selects for so many that judge, but at least two."""


def seeds_for(count: int) -> tuple[range, range]:
    """Return the seeds that select and, disjoint, those that judge."""
    select = max(2, count // SELECTION_SHARE)
    return (
        range(FIRST_SELECTION_SEED, FIRST_SELECTION_SEED + select),
        range(FIRST_JUDGING_SEED, FIRST_JUDGING_SEED + count),
    )


def audit(
    scenario: Scenario,
    out: Path,
    progress: Progress,
    *,
    seeds: int = 10,
    grid: str = "small",
    workers: int = 1,
) -> Outcome:
    """Estimate kernels with many settings on many seeds and say which comes nearest to the truth.

    Parameters
    ----------
    scenario : Scenario
        Instrument, target and conditions; its specimen and its seed are not used.
    out : Path
        Final folder; see `outputs.staged_output`. Seeds done are kept in ``<out>.work``, so that an
        interrupted audit goes on where it stopped and a larger one starts from a smaller one.
    progress : callable
        See `scintscope.progress`.
    seeds : int
        Seeds that judge; a fifth as many others select.
    grid : {"small", "judged", "wide"}
        Settings compared; see `audit.settings`.
    workers : int
        Processes.

    Raises
    ------
    InputError
        A wrong argument, or an instrument that cannot be simulated.
    """
    check_choice("grid", grid, tuple(GRIDS))
    check_range("seeds", seeds, low=2, high=900)
    settings = GRIDS[grid]()
    select, judge = seeds_for(seeds)
    work = out.with_name(f"{out.name}.work")
    chosen, judged = (
        run_study(scenario, settings, part, work, progress, workers=workers)
        for part in (select, judge)
    )
    found = recommend(chosen, judged)
    keys = next(setting.keys() for setting in settings if setting.name == found.setting)
    document = {
        "scenario": scenario.name,
        "grid": grid,
        "seeds": {"selection": list(select), "judging": list(judge)},
        "recommended": {"keys": keys, **found.as_dict()},
        "judged": summary(judged),
        "selection": summary(chosen),
    }
    with staged_output(out) as folder:
        write_json(folder / "audit.json", document)
        text = _page(scenario, settings, found, judged, judge[0])
        write_text(folder / FILE, text)
        write_text(folder / "scenario.toml", scenario.to_toml())
        write_json(folder / "provenance.json", provenance(scenario_hash=scenario.hash()))
    lines = [*sentences(found, keys, summary(judged)), f"Report: {out / FILE}"]
    return Outcome(document=document, text="\n".join(lines))


def sentences(
    found: Recommendation, keys: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what the study says."""
    said = [
        f"Nearest to the true kernel: {found.setting}, error {found.judged_mean:.3f} +- "
        f"{found.judged_standard_error:.3f} on the judging seeds "
        f"({found.ratio:.2f} times the least of all settings there).",
        "In the scenario: [restoration] "
        + ", ".join(f"{key} = {_toml(value)}" for key, value in keys.items()),
    ]
    mean = {row["setting"]: row["mean"] for row in rows}
    if PAPER.name in mean:
        said.append(
            f"With the paper's setting ({PAPER.name}) the error is {mean[PAPER.name]:.3f}, "
            f"{mean[PAPER.name] / found.judged_mean:.1f} times as large."
        )
    said.append(
        "A kernel nearer to the truth is not at once a better image: it amplifies noise that a "
        "kernel too wide leaves alone. Choose the deconvolution's iterations anew."
    )
    return said


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _page(
    scenario: Scenario,
    settings: Sequence[Setting],
    found: Recommendation,
    judged: Errors,
    seed: int,
) -> str:
    """Return the page; the kernels shown are those of the first judging seed."""
    bench, truth = bench_and_truth(scenario)
    names = {PAPER.name: "the paper's", found.setting: "recommended"}
    wanted = [setting for setting in settings if setting.name in names]
    shown = {
        f"{names[setting.name]}: {setting.name}": kernel
        for setting, kernel in kernels(draw_pair(bench, seed), wanted, bench.config)
    }
    rows = summary(judged)
    keys = next(setting.keys() for setting in settings if setting.name == found.setting)
    return render_page(
        title=f"scintscope: audit of the PSF estimate, {scenario.name}",
        description="How far the PSF estimated from a thin and a thick image lies from the true "
        f"one, over {len(judged.seeds)} seeds.",
        sentences=sentences(found, keys, rows),
        figures=[
            Illustration(
                name="errors",
                title="Error by setting",
                caption="Shorter is nearer to the true kernel.",
                png=picture(draw_errors, rows, names),
            ),
            Illustration(
                name="kernels",
                title="Kernels",
                caption=f"Estimated kernels of seed {seed} and their transfer functions; the "
                "nearer to the dashed line, the better.",
                png=picture(draw_kernels, truth, shown, bench.pixel_um),
            ),
        ],
        tables=[
            Table(
                title="Mean error over the judging seeds",
                head=("setting", "error", "standard error"),
                rows=[
                    (row["setting"], f"{row['mean']:.4f}", f"{row['standard_error']:.4f}")
                    for row in rows
                ],
            )
        ],
        provenance=versions(),
        scenario=scenario.to_toml(),
    )
