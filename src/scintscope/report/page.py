"""The page: figures, tables and words of a run in one file that opens anywhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from scintscope import outputs
from scintscope.forward.simulate import Bench, Exposures
from scintscope.report import bought as bought_figures
from scintscope.report import budget as budget_figures
from scintscope.report import gallery, kernels, resolution, sketch
from scintscope.report import single as single_figures
from scintscope.report import validity as validity_figures
from scintscope.report.bought import bought_table
from scintscope.report.budget import budget_table
from scintscope.report.easel import Easel
from scintscope.report.paper import is_papers_instrument, paper_table
from scintscope.report.plates import plate_drawings
from scintscope.report.records import INTERIM, Drawing, FinishedRun, Table
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


def write_report(folder: Path, run: FinishedRun, easel: Easel | None = None) -> None:
    """Write ``report.html``: one file, no links, figures inside.

    Parameters
    ----------
    folder : Path
        Exists.
    run : FinishedRun
        A `scintscope.pipeline.Run`.
    easel : Easel, optional
        Who draws, and what was ordered already.
    """
    easel = easel or Easel()
    figures = easel.illustrations(drawings(run, easel))
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
        figures=figures,
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
        figures=Easel().illustrations([_single(found, pixel_um), *_verify_drawings(budget, maps)]),
        tables=[table, *_verify_tables(found["thick"], budget, maps)],
        provenance=versions(),
    )
    outputs.write_text(folder / FILE, text)


def _more_sentences(budget: Budget | None, maps: Sequence[ValidityMap]) -> list[str]:
    lines = [] if budget is None else [budget_sentence(budget)]
    return lines + (map_sentences(maps) if maps else [])


def _verify_drawings(budget: Budget | None, maps: Sequence[ValidityMap]) -> Iterator[Drawing]:
    if budget is not None:
        yield Drawing(
            name="budget",
            title="Where the error of one PSF comes from",
            caption="Each effect alone, what the parts do not explain, and all together, over "
            "the field and as images.",
            draw=budget_figures.draw_budget,
            arguments=(budget,),
        )
    if maps:
        yield Drawing(
            name="validity",
            title="Where one PSF is enough",
            caption="Above, the error over the scenario's numbers; below, the rule of thumb "
            "fitted to it, the paper's criterion, and that of hardening.",
            draw=validity_figures.draw_maps,
            arguments=(maps, SMALL_ERROR),
        )


def _verify_tables(
    single: SinglePsf, budget: Budget | None, maps: Sequence[ValidityMap]
) -> list[Table]:
    tables = [] if budget is None else [budget_table(single_psf_numbers(single, budget))]
    return tables + [validity_figures.map_table(grid) for grid in maps]


def drawings(run: FinishedRun, easel: Easel) -> Iterator[Drawing]:
    """Yield all figures of a run in the order of the page, each prepared when it is its turn."""
    bench, pixel = run.bench, run.bench.planes["thick"].pixel_um
    yield from instrument_drawings(bench, run.sheet)
    for name in run.verdict.samples:
        yield _side_by_side(run, name)
    yield easel.ordered("frames") or frames_drawing(bench, run.exposures)
    yield _kernels(run)
    yield from _resolution(run)
    yield from _judgements(run)
    yield _single({"thick": run.verdict.single, "thin": run.verdict.single_thin}, pixel)


def instrument_drawings(bench: Bench, sheet: Mapping[str, Any]) -> list[Drawing]:
    """Return the figures that need no frame: set-up, and both plates from spectrum to DQE."""
    instrument = bench.experiment.instrument
    setup = Drawing(
        name="setup",
        title="Set-up",
        caption="Left: the bench in mm. Right: both plates in um; blue, the depth in which "
        "contrast at the camera's Nyquist frequency survives; black bar, the blur of light "
        "from the mean depth.",
        draw=sketch.draw_setup,
        arguments=(instrument, bench.responses),
    )
    return [setup, *plate_drawings(bench.responses, sheet, instrument.camera_nyquist_cy_per_um)]


def frames_drawing(bench: Bench, exposures: Exposures) -> Drawing:
    """Return the figure of single frames."""
    counts = [f"{gallery.defect_count(bench, p)} in the {p}" for p in ("thin", "thick")]
    return Drawing(
        name="frames",
        title="Single frames as the camera gives them",
        caption="Defects stand sharp in the thin plate and blurred in the thick one, the same "
        f"with and without the target; simulated: {', '.join(counts)} plate.",
        draw=gallery.draw_frames,
        arguments=(gallery.single_frames(exposures), bench.planes["thick"].pixel_um),
    )


def _side_by_side(run: FinishedRun, sample: str) -> Drawing:
    return Drawing(
        name=f"images-{sample}",
        title=f"The {sample}: thin, thick, restored, truth",
        caption="One grey scale for all. The restored image regains the thin plate's edges where "
        "the thick plate's contrast stood above its noise, and grains where it did not.",
        draw=gallery.draw_side_by_side,
        arguments=(gallery.side_by_side(run, sample),),
    )


def _kernels(run: FinishedRun) -> Drawing:
    return Drawing(
        name="kernels",
        title="The estimated PSF",
        caption="The estimate after the chosen iterations against the true kernel; carrying on "
        "sharpens its core and roughens its tails.",
        draw=kernels.draw_kernels,
        arguments=(kernels.kernels_of(run),),
    )


def _resolution(run: FinishedRun) -> Iterator[Drawing]:
    yield Drawing(
        name="power",
        title="Power spectra and gain",
        caption="Where the gain of all follows the gain of noise, the restored power is noise.",
        draw=resolution.draw_spectra,
        arguments=(resolution.spectra_of(run),),
    )
    if resolution.has_edges(run):
        yield Drawing(
            name="edges",
            title="Slanted edges",
            caption="Edges measured on thin and thick follow the data sheet's presampled MTF "
            "(a strong absorber hardens the beam and so flattens k(z)); values of the "
            "restored image above 1 are overshoot.",
            draw=resolution.draw_edges,
            arguments=(resolution.edges_of(run),),
        )
    yield Drawing(
        name="profiles",
        title="Profiles",
        caption="Contrast the thick plate lost and the restoration brought back, against the "
        "perfect thin image.",
        draw=resolution.draw_profiles,
        arguments=(resolution.profiles_of(run), run.bench.planes["thick"].pixel_um),
    )


def _judgements(run: FinishedRun) -> Iterator[Drawing]:
    yield Drawing(
        name="bought",
        title="What restoring buys",
        caption="Transfer, noise and noise-equivalent quanta of each image, the contrast a "
        "disc needs to be seen, and how far each image is from the truth at each frequency.",
        draw=bought_figures.draw_bought,
        arguments=(run.verdict.bought,),
    )
    yield Drawing(
        name="budget",
        title="Where the error of one PSF comes from",
        caption="Each effect alone and all together, from local transfer functions; the "
        "command verify makes the images.",
        draw=budget_figures.draw_local_budget,
        arguments=(run.verdict.budget,),
    )


def _single(found: Mapping[str, SinglePsf], pixel_um: float) -> Drawing:
    shown = {plate: single_figures.shown_single(one, pixel_um) for plate, one in found.items()}
    return Drawing(
        name="single-psf",
        title="Exact image against one generalized PSF",
        caption="What one PSF for all depths gets wrong, without noise, and how that grows over "
        "the field.",
        draw=single_figures.draw_single,
        arguments=(shown, pixel_um),
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
