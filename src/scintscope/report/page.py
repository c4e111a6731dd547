"""The page: figures, tables and words of a run in one file that opens anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from scintscope import outputs
from scintscope.report import bought as bought_figures
from scintscope.report import budget as budget_figures
from scintscope.report import gallery, kernels, resolution, sketch, style
from scintscope.report import single as single_figures
from scintscope.report import validity as validity_figures
from scintscope.report.bought import bought_table
from scintscope.report.budget import budget_table
from scintscope.report.paper import is_papers_instrument, paper_table
from scintscope.report.plates import plate_figures
from scintscope.report.records import INTERIM, FinishedRun, Illustration, Table
from scintscope.report.tables import (
    gain_table,
    kernel_table,
    percent,
    registration_table,
    sample_table,
    sheet_table,
    verdict_table,
)
from scintscope.verdict import SinglePsf
from scintscope.verdict.budget import Budget
from scintscope.verdict.numbers import single_psf_numbers
from scintscope.verdict.validity import ValidityMap
from scintscope.verdict.words import SMALL_ERROR, budget_sentence, map_sentences

TEMPLATE = "report.html"
FILE = "report.html"


def write_report(folder: Path, run: FinishedRun) -> None:
    """Write ``report.html``: one file, no links, figures inside.

    Parameters
    ----------
    folder : Path
        Exists.
    run : FinishedRun
        A `scintscope.pipeline.Run`.
    """
    tables = [sheet_table(run.sheet), kernel_table(run.metrics)]
    tables += [sample_table(name, n) for name, n in run.metrics["restoration"].items()]
    tables.append(gain_table(run.metrics["restoration"]))
    tables += [bought_table(run.verdict.bought), budget_table(run.metrics["single_psf"])]
    text = render_page(
        title=f"scintscope: {run.scenario.name}",
        description=str(run.scenario.document.get("description", "")),
        sentences=run.sentences,
        verdict=verdict_table(run.metrics),
        interim=INTERIM,
        paper=paper_table(run) if is_papers_instrument(run.scenario) else None,
        figures=illustrations(run),
        tables=[*tables, registration_table(run)],
        notes=run.metrics.get("notes", []),
        left_out=_left_out(run),
        provenance=_provenance(run),
        scenario=run.scenario.to_toml(),
    )
    outputs.write_text(folder / FILE, text)


def write_verify_report(
    folder: Path,
    found: Mapping[str, SinglePsf],
    pixel_um: float,
    budget: Budget | None = None,
    maps: Sequence[ValidityMap] = (),
) -> None:
    """Write ``report.html`` on exact against single-PSF images.

    Parameters
    ----------
    folder : Path
        Exists.
    found : dict of str to SinglePsf
        By plate.
    pixel_um : float
        Camera pixel at the object.
    budget : Budget, optional
        Of the thick plate.
    maps : sequence of ValidityMap
        What was asked for.
    """
    rows = [
        [
            plate,
            percent(single.rms_relative_error),
            percent(single.edge_relative_error),
            percent(single.rms_relative_error_entrance),
        ]
        for plate, single in found.items()
    ]
    table = Table(
        title="Error over the standard deviation of the exact image",
        head=["plate", "registered", "at the field's edge", "Eq. 2 as printed"],
        rows=rows,
        note="Registered: after the best similarity transform. As printed: the entrance face's "
        "magnification. Zhou et al. 2025, Eqs. 1 and 2.",
    )
    sentences = [
        f"{plate} plate: one generalized PSF is off by {percent(single.rms_relative_error)} of the "
        "image's standard deviation once registered."
        for plate, single in found.items()
    ]
    text = render_page(
        title="scintscope: is one PSF enough?",
        description="Exact depth sum against one generalized PSF, without noise.",
        sentences=[*sentences, *_more_sentences(budget, maps)],
        figures=[_single_figure(found, pixel_um), *_verify_figures(budget, maps)],
        tables=[table, *_verify_tables(found["thick"], budget, maps)],
        provenance=versions(),
    )
    outputs.write_text(folder / FILE, text)


def _more_sentences(budget: Budget | None, maps: Sequence[ValidityMap]) -> list[str]:
    lines = [] if budget is None else [budget_sentence(budget)]
    return lines + (map_sentences(maps) if maps else [])


def _verify_figures(budget: Budget | None, maps: Sequence[ValidityMap]) -> list[Illustration]:
    figures = []
    if budget is not None:
        figures.append(
            Illustration(
                name="budget",
                title="Where the error of one PSF comes from",
                caption="Each effect alone, what the parts do not explain, and all together, over "
                "the field and as images.",
                png=style.picture(budget_figures.draw_budget, budget),
            )
        )
    if maps:
        figures.append(
            Illustration(
                name="validity",
                title="Where one PSF is enough",
                caption="Above, the error over the scenario's numbers; below, the rule of thumb "
                "fitted to it, the paper's criterion, and that of hardening.",
                png=style.picture(validity_figures.draw_maps, maps, SMALL_ERROR),
            )
        )
    return figures


def _verify_tables(
    single: SinglePsf, budget: Budget | None, maps: Sequence[ValidityMap]
) -> list[Table]:
    tables = [] if budget is None else [budget_table(single_psf_numbers(single, budget))]
    return tables + [validity_figures.map_table(grid) for grid in maps]


def illustrations(run: FinishedRun) -> list[Illustration]:
    """Return all figures of a run in the order of the page."""
    figures = [*_instrument_figures(run)]
    for name in run.verdict.samples:
        figures.append(
            Illustration(
                name=f"images-{name}",
                title=f"The {name}: thin, thick, restored, truth",
                caption="One grey scale for all. The restored image regains the thin plate's "
                "edges where the thick plate's contrast stood above its noise, and grains where "
                "it did not.",
                png=style.picture(gallery.draw_side_by_side, run, name),
            )
        )
    return [*figures, *_chain_figures(run), *_judgement_figures(run)]


def _instrument_figures(run: FinishedRun) -> list[Illustration]:
    responses = run.bench.responses
    nyquist = run.bench.experiment.instrument.camera_nyquist_cy_per_um
    return [
        Illustration(
            name="setup",
            title="Set-up",
            caption="Left: the bench in mm. Right: both plates in um; blue, the depth in which "
            "contrast at the camera's Nyquist frequency survives; black bar, the blur of light "
            "from the mean depth.",
            png=style.picture(sketch.draw_setup, run.bench),
        ),
        *plate_figures(responses, run.sheet, nyquist),
    ]


def _chain_figures(run: FinishedRun) -> list[Illustration]:
    counts = [f"{gallery.defect_count(run, p)} in the {p}" for p in ("thin", "thick")]
    return [
        Illustration(
            name="frames",
            title="Single frames as the camera gives them",
            caption="Defects stand sharp in the thin plate and blurred in the thick one, the same "
            f"with and without the target; simulated: {', '.join(counts)} plate.",
            png=style.picture(gallery.draw_frames, run),
        ),
        Illustration(
            name="kernels",
            title="The estimated PSF",
            caption="The estimate after the chosen iterations against the true kernel; carrying "
            "on sharpens its core and roughens its tails.",
            png=style.picture(kernels.draw_kernels, run),
        ),
    ]


def _judgement_figures(run: FinishedRun) -> list[Illustration]:
    figures = [
        Illustration(
            name="power",
            title="Power spectra and gain",
            caption="Where the gain of all follows the gain of noise, the restored power is noise.",
            png=style.picture(resolution.draw_spectra, run),
        )
    ]
    if resolution.has_edges(run):
        figures.append(
            Illustration(
                name="edges",
                title="Slanted edges",
                caption="Edges measured on thin and thick follow the data sheet's presampled MTF "
                "(a strong absorber hardens the beam and so flattens k(z)); values of the "
                "restored image above 1 are overshoot.",
                png=style.picture(resolution.draw_edges, run),
            )
        )
    figures.append(
        Illustration(
            name="profiles",
            title="Profiles",
            caption="Contrast the thick plate lost and the restoration brought back, against the "
            "perfect thin image.",
            png=style.picture(resolution.draw_profiles, run),
        )
    )
    figures += [
        Illustration(
            name="bought",
            title="What restoring buys",
            caption="Transfer, noise and noise-equivalent quanta of each image, the contrast a "
            "disc needs to be seen, and how far each image is from the truth at each frequency.",
            png=style.picture(bought_figures.draw_bought, run.verdict.bought),
        ),
        Illustration(
            name="budget",
            title="Where the error of one PSF comes from",
            caption="Each effect alone and all together, from local transfer functions; the "
            "command verify makes the images.",
            png=style.picture(budget_figures.draw_local_budget, run.verdict.budget),
        ),
    ]
    found = {"thick": run.verdict.single, "thin": run.verdict.single_thin}
    return [*figures, _single_figure(found, run.bench.planes["thick"].pixel_um)]


def _single_figure(found: Mapping[str, SinglePsf], pixel_um: float) -> Illustration:
    return Illustration(
        name="single-psf",
        title="Exact image against one generalized PSF",
        caption="What one PSF for all depths gets wrong, without noise, and how that grows over "
        "the field.",
        png=style.picture(single_figures.draw_single, found, pixel_um),
    )


def _left_out(run: FinishedRun) -> list[str]:
    from scintscope.report.regions import layout_of
    from scintscope.verdict.judge import TARGET

    return list(layout_of(run, TARGET).left_out)


def versions() -> list[tuple[str, str]]:
    """Return the libraries' versions for the page's foot."""
    return [(name, version or "absent") for name, version in outputs.versions().items()]


def _provenance(run: FinishedRun) -> list[tuple[str, str]]:
    return [
        ("scenario hash (SHA-256)", run.scenario.hash()),
        ("seed", str(run.scenario.acquisition.seed)),
        *versions(),
    ]


def render_page(**content: Any) -> str:
    """Return the page; what a page does not have stays out."""
    from jinja2 import Environment, StrictUndefined

    empty: dict[str, Any] = {
        "verdict": "", "interim": (), "paper": None, "notes": (), "left_out": (), "scenario": "",
    }  # fmt: skip
    source = resources.files("scintscope.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda png: base64.b64encode(png).decode("ascii")
    return environment.from_string(source).render(**(empty | content))
