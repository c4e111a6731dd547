"""The report of a run: whole, self-contained, true to its numbers, for every kind of scenario."""

from __future__ import annotations

import base64
import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context

from figure_boxes import assert_tidy
from scintscope import pipeline, report
from scintscope.errors import PhysicsWarning
from scintscope.inspection import print_sheet
from scintscope.progress import silent
from scintscope.report import gallery, style
from scintscope.report.blur import dqe_crossover_cy_per_um
from scintscope.report.decades import thin_out
from scintscope.report.page import drawings
from scintscope.report.paper import is_papers_instrument, paper_table
from scintscope.report.radial import mean_psf
from scintscope.report.regions import profile_groups, zoom_regions
from scintscope.report.tables import HEADLINES, KINDS, number
from scintscope.scenario import load_scenario
from scintscope.verdict.profile import radial_rms

QUICK = Path(__file__).parents[2] / "scenarios" / "quick.toml"
SMALL = (
    "camera.shape=[96, 128]",
    "restoration.psf_size_px=24",
    "restoration.iterations=3",
    "acquisition.frames=2",
    "acquisition.dark_frames=2",
    "acquisition.flat_frames=0",
    "accuracy.energy_bin_kev=2.0",
    "specimen.length_um=150.0",
    "specimen.body_thickness_um=60.0",
)
PLAIN = (
    'source={kind="monochromatic", energy_kev=20.0, photons_per_um2_s=40.0}',
    "geometry={source_to_scintillator_mm=inf, source_to_sample_mm=inf}",
    "lens.pupil_distance_mm=inf",
    "acquisition.frames=1",
    "acquisition.dark_frames=0",
)
"""One energy, nothing at a finite distance, one frame (no noise measured), no darks."""


def finished(sets: tuple[str, ...], *, specimen: bool = True) -> pipeline.Run:
    """Return a run of the quick scenario on a few pixels."""
    scenario = load_scenario(QUICK, sets=[*SMALL, *sets])
    if not specimen:
        scenario = replace(scenario, specimen=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhysicsWarning)  # small fields leave targets out
        return pipeline.perform(scenario, silent)


@pytest.fixture(scope="module")
def run() -> pipeline.Run:
    """Return the paper's instrument on 96 x 128 pixels."""
    return finished(())


@pytest.fixture(scope="module")
def page(run: pipeline.Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the text of its report."""
    folder = tmp_path_factory.mktemp("report")
    report.write_report(folder, run)
    assert [p.name for p in folder.iterdir()] == ["report.html"]
    return (folder / "report.html").read_text(encoding="utf-8")


def without_pictures(page: str) -> str:
    """Return a page whose embedded pictures are cut out: base64 may spell anything."""
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "PNG", page)


def test_page_is_self_contained(page: str) -> None:
    """Nothing is fetched: no address, script, import or picture from outside the file."""
    text = without_pictures(page)
    assert "http" not in text and "<script" not in text and "@import" not in text
    assert set(re.findall(r'src="([^"]*)"', text)) == {"PNG"}
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', text))
    assert len(page) < 8e6  # the size a mail attachment may have


def test_every_figure_has_words_and_pixels(page: str, run: pipeline.Run) -> None:
    """Each figure stands in the page with a text for those who cannot see it, and a caption."""
    pictures = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,iVBOR', page)
    captions = re.findall(r"<figcaption>([^<]+)</figcaption>", page)
    assert len(pictures) == len(captions) == page.count("<img") >= 11
    assert len(set(pictures)) == len(pictures)
    assert all(caption.endswith(".") for caption in captions)
    names = set(re.findall(r'<h2 id="([^"]+)"', page))
    assert {"setup", "spectrum", "images-target", "images-specimen", "single-psf"} <= names


def test_answer_comes_first(page: str, run: pipeline.Run) -> None:
    """The verdict's sentences stand before the first figure; no model is interim."""
    head = page[: page.index("<img")]
    for sentence in run.sentences:
        assert sentence.split("(")[0][:60] in head
    assert page.count("Interim models") == (1 if pipeline.INTERIM else 0)


def test_table_repeats_the_metrics(run: pipeline.Run) -> None:
    """The terminal's table holds the metrics' own numbers, in 100 columns, without colour."""
    table = report.verdict_table(run.metrics)
    lines = table.splitlines()
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in table
    for label, key, form in HEADLINES:
        (line,) = (text for text in lines if text.startswith(label))
        wanted = [
            number(numbers[key.format(kind=kind)], form)
            for numbers in run.metrics["restoration"].values()
            for kind in KINDS
        ]
        assert line.removeprefix(label).split() == wanted


def test_table_of_nothing_is_dashes() -> None:
    """Numbers that were not computed stand as dashes; none is invented."""
    table = report.verdict_table({"restoration": {"target": {"rmse_thin": None}}})
    numbers = table.replace("MTF 50 %", "").replace("Eq. 2", "")
    assert not re.search(r"\d", numbers)


def test_same_run_same_bytes(page: str, run: pipeline.Run) -> None:
    """Drawing a figure again gives the very picture that stands in the page: no date, no chance."""
    again = style.picture(gallery.draw_side_by_side, gallery.side_by_side(run, "target"))
    assert base64.b64encode(again).decode("ascii") in page


def test_no_figure_writes_over_itself(run: pipeline.Run) -> None:
    """In every figure panels, labels, ticks and colour bars keep apart, inside the figure."""
    with rc_context(style.SETTINGS):
        for drawing in drawings(run, report.Easel()):
            figure = drawing.draw(*drawing.arguments)
            figure.set_dpi(style.DOTS_PER_INCH)
            thin_out(figure)
            try:
                assert_tidy(figure)
            except AssertionError as error:
                error.add_note(f"figure {drawing.name}")
                raise


def test_paper_table_only_for_the_papers_instrument(page: str, run: pipeline.Run) -> None:
    """Its numbers are judged on its own instrument: Nyquist agrees, 13 pixels do not."""
    assert is_papers_instrument(run.scenario)
    assert 'id="paper"' in page
    verdicts = {row[0]: row[3] for row in paper_table(run).rows}
    assert verdicts["Nyquist frequency, object"] == "reproduces"
    assert verdicts["defocus of zero contrast at Nyquist"] == "reproduces in air only"
    assert verdicts["the same in pixels"] == "does not reproduce"


def test_zooms_lie_inside(run: pipeline.Run) -> None:
    """Every zoom is a square inside the image."""
    rows, columns = run.restoration.thick_target.shape
    for sample in run.verdict.samples:
        for region in zoom_regions(run, sample):
            assert 0 <= region.row <= rows - region.side
            assert 0 <= region.column <= columns - region.side
            assert region.cut(run.restoration.thick_target).shape == (region.side, region.side)


def test_line_groups_for_profiles_differ(run: pipeline.Run) -> None:
    """Profiles show groups of different widths, finest first."""
    widths = [group.line_width_um for group in profile_groups(run)]
    assert widths == sorted(set(widths))


def test_generalized_psf_holds_all_light(run: pipeline.Run) -> None:
    """2 pi int PSF r dr = 1 less the energy re-absorbed farther out."""
    response = run.bench.responses["thin"]
    radius = np.linspace(0.0, 60.0, 12001)
    total = 2.0 * np.pi * np.trapezoid(mean_psf(response, radius) * radius, radius)
    # Airy rings beyond R hold about 2 lambda / (pi^2 NA R) ~ 0.5 %, the same again for defocus.
    farther = response.deposition.distant_share(
        response.spectrum.photons_per_um2_s, np.array([60.0])
    )[0]
    assert total == pytest.approx(1.0 - farther, abs=0.01)


def test_crossover_is_where_the_curves_meet() -> None:
    """Two straight DQE curves cross where algebra says; parallel ones never."""
    f = np.linspace(0.0, 1.0, 11)

    def sheet(thin: np.ndarray, thick: np.ndarray) -> dict[str, object]:
        return {
            name: {"dqe": {"frequency_cy_per_um": f.tolist(), "value": value.tolist()}}
            for name, value in (("thin", thin), ("thick", thick))
        }

    # 0.5 - 0.1 f = 1 - f at f = 5/9; linear between samples, so exact but for rounding
    found = dqe_crossover_cy_per_um(sheet(0.5 - 0.1 * f, 1.0 - f))
    assert found == pytest.approx(5.0 / 9.0, rel=1e-12)
    assert dqe_crossover_cy_per_um(sheet(0.5 - 0.1 * f, 1.0 - 0.1 * f)) is None


def test_radial_rms_of_a_ramp() -> None:
    """A map proportional to the radius has an RMS proportional to the ring's radius."""
    rows, columns = (np.arange(n) - 0.5 * (n - 1) for n in (160, 161))
    radius, rms = radial_rms(np.hypot(rows[:, None], columns[None, :]))
    # A ring of width d has RMS r sqrt(1 + d^2 / (4 r^2) ...): below 1 % from the third ring, and
    # the pixels of small rings are few.
    np.testing.assert_allclose(rms[4:], radius[4:], rtol=0.01)


def test_overview_is_small(run: pipeline.Run, tmp_path: Path) -> None:
    """The first page's figure is a PNG below 600 kB."""
    report.write_overview(tmp_path / "figures" / "overview.png", run)
    data = (tmp_path / "figures" / "overview.png").read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) < 600_000


def test_verify_report(run: pipeline.Run, tmp_path: Path) -> None:
    """The report of `verify` shows both plates and their errors."""
    found = {"thick": run.verdict.single, "thin": run.verdict.single_thin}
    report.write_verify_report(tmp_path, found, 1.3)
    text = without_pictures((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert text.count("<img") == 1 and "http" not in text
    for single in found.values():
        assert f"{single.rms_relative_error:.2%}" in text


def test_data_sheet_prints(run: pipeline.Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The printed sheet names both plates' absorption and what they re-absorb."""
    print_sheet(dict(run.sheet))
    text = capsys.readouterr().out
    for plate in ("thin", "thick"):
        assert f"{run.sheet[plate]['absorbed_photon_fraction']:.3f}" in text
        assert f"{run.sheet[plate]['fluorescence_share']:.3f}" in text


@pytest.mark.parametrize(
    "target",
    [
        'target={kind="slanted_edge", material="Au", thickness_um=5.0}',
        'target={kind="point_grid", material="Au", thickness_um=5.0, pitch_um=40.0}',
    ],
    ids=["edge", "points"],
)
def test_plain_instruments_and_other_targets(target: str, tmp_path: Path) -> None:
    """One energy, no finite distance, one frame, no darks, no specimen: still a whole report."""
    run = finished((*PLAIN, target), specimen=False)
    report.write_report(tmp_path, run)
    text = without_pictures((tmp_path / "report.html").read_text(encoding="utf-8"))
    names = re.findall(r'<h2 id="([^"]+)"', text)
    assert [name for name in names if name.startswith("images")] == ["images-target"]
    measured = run.verdict.samples["target"].edges.values()
    assert ("edges" in names) == any(edge is not None for edge in measured)
    assert not is_papers_instrument(run.scenario) and "paper" not in names


def test_data_sheet_page_holds_every_stage(run: pipeline.Run, tmp_path: Path) -> None:
    """The data sheet's page shows energy, light, optics and noise, and keeps the numbers beside."""
    instrument = run.bench.experiment.instrument
    report.write_sheet(tmp_path, "bench", instrument, run.bench.responses, run.sheet)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    wanted = {"spectrum", "deposition", "light-budget", "mtf-nps-dqe", "through-focus", "pupil"}
    assert wanted <= set(re.findall(r'<h2 id="([^"]+)"', page))
    kept = json.loads((tmp_path / "sheet.json").read_text(encoding="utf-8"))
    for plate in ("thin", "thick"):
        factors = [step["factor"] for step in kept[plate]["light_budget"]]
        gain = run.bench.responses[plate].electrons_per_kev
        # a product of eight factors, in another order of rounding
        assert np.prod(factors) == pytest.approx(gain, rel=1e-12)
        # the quadrature of the deposition closes to 1e-6
        assert sum(kept[plate]["energy_balance"].values()) == pytest.approx(1.0, abs=1e-6)
