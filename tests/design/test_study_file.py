"""Study files: what is wrong is refused before any work, by name and with a remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scintscope.design.study_file import load_study
from scintscope.errors import ScenarioError

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "scenarios" / "studies").glob("*.toml"))
GOOD = f"""
base = "{ROOT}/scenarios/paper.toml"
[variables]
thick.thickness_um = {{ log_range = [10, 200], points = 5 }}
"lens.na" = {{ range = [0.1, 0.5], points = 3 }}
[[objectives]]
kind = "mtf50"
"""


def written(folder: Path, text: str) -> Path:
    """Write a study and return its path."""
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", STUDIES, ids=lambda p: p.stem)
def test_shipped_studies_hold_together(path: Path) -> None:
    """Every shipped study is accepted and names at least two objectives."""
    study = load_study(path)
    assert study.name == path.stem
    assert len(study.objectives) >= 2


def test_grid_runs_over_all_combinations(tmp_path: Path) -> None:
    """Five geometric thicknesses by three even NA make fifteen designs, the last key fastest."""
    grid = load_study(written(tmp_path, GOOD)).grid()
    assert grid["thick.thickness_um"].size == 15
    assert grid["lens.na"][:4].tolist() == pytest.approx([0.1, 0.3, 0.5, 0.1])
    ratios = np.diff(np.log(np.unique(grid["thick.thickness_um"])))
    assert ratios == pytest.approx(ratios[0])


def test_sets_reach_study_and_base(tmp_path: Path) -> None:
    """``base.KEY`` changes the scenario, any other key the study; the last word is theirs."""
    sets = ["base.lens.magnification=7", "variables.lens.na.points=4"]
    study = load_study(written(tmp_path, GOOD.replace('"lens.na"', "lens.na")), sets)
    assert study.base.lens.magnification == 7.0
    assert len(study.variables[1].values) == 4


def test_sample_takes_the_place_of_the_grid(tmp_path: Path) -> None:
    """Scattered designs lie within the ranges, and the seed decides them."""
    path = written(tmp_path, GOOD + "[sample]\npoints = 64\nseed = 3\n")
    one, same = load_study(path).grid(), load_study(path).grid()
    other = load_study(path, ["sample.seed=4"]).grid()
    assert one["lens.na"].size == 64
    assert one["lens.na"].min() >= 0.1
    assert one["lens.na"].max() <= 0.5
    assert (one["lens.na"] == same["lens.na"]).all()
    assert (one["lens.na"] != other["lens.na"]).any()


def test_available_plates_replace_the_range(tmp_path: Path) -> None:
    """Thicknesses that can be had become a list; without one in the range that is an error."""
    limit = "[constraints]\navailable_thicknesses_um = [{}]\n"
    study = load_study(written(tmp_path, GOOD + limit.format("5, 20, 50, 100, 500")))
    assert study.variables[0].values == (20.0, 50.0, 100.0)
    assert study.variables[0].is_listed
    with pytest.raises(ScenarioError, match="none lies within"):
        load_study(written(tmp_path, GOOD + limit.format("5, 500")))


BAD = {
    "objective = 1": (
        "not a known key.* Did you mean 'objectives'",
        "\nobjective = 1\n[variables]",
    ),
    "unknown scenario key": (r"lens\.naa.*Did you mean", "\n[variables]\nlens.naa = {grid=[0.1]}"),
    "empty range": ("is an empty range", "\n[variables]\ncamera.pixel_um_sensor = {range=[5, 5]}"),
    "empty list": ("is empty", "\n[variables]\ncamera.pixel_um_sensor = {list=[]}"),
    "out of range": (r"lens\.magnification", "\n[variables]\nlens.magnification = {range=[-1, 5]}"),
    "two ways": ("give one of", "\n[variables]\nlens.magnification = {range=[1, 5], grid=[2]}"),
    "not a table": ("write { range", "\n[variables]\nlens.magnification = 5"),
    "images": ("images = 'no': give true or false", "\nimages = 'no'\n[variables]"),
    "log of zero": ("above 0", "\n[variables]\nthick.exposure_s = {log_range=[0, 5]}"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_studies_are_refused(tmp_path: Path, what: str) -> None:
    """Unknown keys, empty ranges and values out of range are errors that name key and remedy."""
    match, text = BAD[what]
    with pytest.raises(ScenarioError, match=match):
        load_study(written(tmp_path, GOOD.replace("\n[variables]", text)))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[set]\nlens.light_model = 'vectorial'", "scalar light and an even pupil"),
        ("[constraints]\nmax_exposure = 1", "Did you mean 'max_exposure_s'"),
        ("[constraints]\nmax_exposure_s = 0.01", "cannot be met"),
        ("[constraints]\nmax_exposure_s = -1", "allowed range"),
        ("[constraints]\nmax_dose_gy = 1e-9", "least dose of a frame is"),
        ("[constraints]\nmin_field_um = 1e5", "largest field is"),
        ("[tolerances]\nlens.nb = 0.1", "no numeric variable"),
        ("[sample]\npoints = 1.5", "give a whole number"),
        ("[links]\nlens.transmission = {follows = 'lens.magnification'}", "no numeric variable"),
        ("[[objectives]]\nkind = 'mtf50'", "same name"),
        ("[[objectives]]\nkind = 'dqe'\nfrequency = 1", "Did you mean"),
    ],
)
def test_bad_limits_and_objectives_are_refused(tmp_path: Path, text: str, match: str) -> None:
    """Limits that cannot be met and keys that are none are refused before any work."""
    with pytest.raises(ScenarioError, match=match):
        load_study(written(tmp_path, GOOD + text + "\n"))


def test_limits_that_some_design_keeps_are_accepted(tmp_path: Path) -> None:
    """The reach is that of the best values: a field that only the lowest magnification has."""
    lens = "[variables]\nlens.magnification = { grid = [5, 10] }\n"
    text = GOOD.replace("[variables]\n", lens)
    # 2048 pixels of 6.5 um: 2662 um at 5x, half of it at 10x
    load_study(written(tmp_path, text + "[constraints]\nmin_field_um = 2600\n"))
    with pytest.raises(
        ScenarioError, match=r"largest field is 2662 um, at lens\.magnification = 5"
    ):
        load_study(written(tmp_path, text + "[constraints]\nmin_field_um = 2700\n"))


def test_links_follow_their_variable(tmp_path: Path) -> None:
    """A linked key takes factor x other^power + offset in every instrument."""
    link = "[links]\nlens.transmission = {follows = 'lens.na', factor = -0.5, offset = 1.0}\n"
    family = load_study(written(tmp_path, GOOD + link)).family({})
    instrument, _ = family.instrument({"lens.na": 0.4, "thick.thickness_um": 50.0})
    assert instrument.lens.transmission == pytest.approx(0.8)
    assert instrument.lens.na == 0.4
