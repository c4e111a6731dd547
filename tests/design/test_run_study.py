"""A small study from file to folder: answer, files, kill and resume, gradients."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from scintscope.design import evaluate, run
from scintscope.design.model import DesignModel
from scintscope.design.optimise import judged_point
from scintscope.design.results import pareto
from scintscope.design.study import Study
from scintscope.design.study_file import load_study
from scintscope.errors import InputError
from scintscope.progress import silent

ROOT = Path(__file__).parents[2]
TEXT = f"""
base = "{ROOT}/scenarios/synchrotron.toml"
[set]
thick.focus_um = 5.0
accuracy.effects.fluorescence = "local"
accuracy.effects.scattered_photons = false
accuracy.effects.electrons = false
[variables]
thick.thickness_um = {{ range = [10, 40], points = 13 }}
lens.na = {{ range = [0.2, 0.4], points = 6 }}
[[objectives]]
kind = "dqe"
frequency_cy_per_um = 0.2
[[objectives]]
kind = "mtf50"
[[objectives]]
kind = "mse_richardson_lucy"
iterations = 5
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a study whose X-ray tables cost nothing: all energy stays where a photon stops."""
    path = tmp_path_factory.mktemp("study") / "small.toml"
    path.write_text(TEXT, encoding="utf-8")
    return load_study(path)


@pytest.fixture(scope="module")
def models(study: Study) -> list[DesignModel]:
    """Return the study's models, made once."""
    return run.make_models(study, silent)


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, models: list[DesignModel]) -> None:
    """Take the models that are made already."""
    monkeypatch.setattr(run, "make_models", lambda *_: models)


@pytest.mark.usefixtures("ready")
def test_killed_and_resumed_gives_the_same_files(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study killed after its first chunk and resumed writes the same answer and table."""
    whole = tmp_path / "whole"
    outcome = run.run_study(study, whole, silent)
    assert outcome.document["within_one_step"]
    best = outcome.document["optimum"]
    assert 10.0 <= best["thick.thickness_um"] <= 40.0
    assert outcome.document["objectives"]["dqe_0.2"]["unit"] == "1"
    restored = outcome.document["richardson_lucy_on_images"]["dqe_0.2"]["mse_richardson_lucy"]
    assert restored["images"] > restored["full_contrast_images"] > 0.0
    assert "at full contrast" in outcome.document["answer"]

    calls = []

    def killed(*arguments: object) -> evaluate.Rows:
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return compute(*arguments)  # type: ignore[arg-type]

    compute = evaluate.compute
    cut = tmp_path / "cut"
    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "compute", killed)
        patch.setattr(evaluate, "POOL_THREADS", 1)
        with pytest.raises(KeyboardInterrupt):
            run.run_study(study, cut, silent)
    assert not cut.exists()
    assert len(list((tmp_path / "cut.chunks").glob("*.npz"))) == 1
    run.run_study(study, cut, silent, resume=True)
    for name in ("design.json", "designs.csv", "report.html"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes(), name
    with (
        xarray.open_dataset(whole / "curves.nc", engine="h5netcdf") as one,
        xarray.open_dataset(cut / "curves.nc", engine="h5netcdf") as other,
    ):
        assert one.identical(other)
    assert not (tmp_path / "cut.chunks").exists()
    stored = json.loads((cut / "design.json").read_text(encoding="utf-8"))
    assert set(stored) >= {"optimum", "grid_best", "within_one_step", "objectives"}


def test_chunks_of_another_study_are_refused(study: Study, tmp_path: Path) -> None:
    """``--resume`` does not mix studies; without it their chunks go."""
    evaluate.Shelf.open(tmp_path / "out", "other", resume=False)
    with pytest.raises(InputError, match="another study"):
        evaluate.Shelf.open(tmp_path / "out", evaluate.study_key(study), resume=True)


def test_model_gradients_match_central_differences(study: Study, models: list[DesignModel]) -> None:
    """`judged_point` gives the derivatives of all objectives, those of differences to 1e-4."""
    point = {"thick.thickness_um": 21.0, "lens.na": 0.31}
    _, slopes = judged_point(study, models[0], point)
    for i, (key, step) in enumerate((("thick.thickness_um", 1e-2), ("lens.na", 1e-5))):
        above, below = (
            judged_point(study, models[0], {**point, key: point[key] + sign * step})[0]
            for sign in (1.0, -1.0)
        )
        central = (above - below)[:3] / (2.0 * step)
        assert slopes[:3, i] == pytest.approx(central, rel=1e-4)


@pytest.fixture
def confirm() -> Callable[..., dict[str, Any]]:
    """Return the check of a design by images that `validation/design` makes."""
    path = ROOT / "validation" / "design" / "study.py"
    spec = importlib.util.spec_from_file_location("design_validation", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    found: Callable[..., dict[str, Any]] = module.confirm
    return found


def test_images_confirm_the_objectives(
    tmp_path: Path, models: list[DesignModel], confirm: Callable[..., dict[str, Any]]
) -> None:
    """At one design, small images and direct evaluation give the model's MTF50, MSE and DQE."""
    geometry = ("penumbra", "penumbra_depth", "cone_magnification", "lens_perspective",
                "obliquity", "sample_hardening", "defects")  # fmt: skip
    off = "".join(f"accuracy.effects.{name} = false\n" for name in geometry)
    off += "camera.shape = [128, 128]\naccuracy.depth_tolerance = 1e-4\n"
    path = tmp_path / "plain.toml"
    path.write_text(TEXT.replace("[set]\n", "[set]\n" + off), encoding="utf-8")
    values = {"thick.thickness_um": 25.0, "lens.na": 0.3}
    row = confirm(load_study(path), models[0], {}, values, (128, 128), 8, 4, (256,))
    assert row["within"] == {"direct": True, "mtf50": True, "mse": True, "dqe": True}, row


@pytest.mark.usefixtures("ready")
def test_workers_change_no_number(study: Study, tmp_path: Path) -> None:
    """Two processes of a local cluster give the rows of this process's threads, bit for bit."""
    models = run.make_models(study, silent)
    chunks = evaluate.chunks_of(models, study.grid())
    rows = []
    for workers in (0, 2):
        shelf = evaluate.Shelf.open(tmp_path / f"of_{workers}", "key", resume=False)
        evaluate.evaluate_all(study, models, chunks, shelf, lambda _: None, workers)
        rows.append(evaluate.gathered(study, chunks, shelf)[0])
    for name, value in rows[0].items():
        assert (value == rows[1][name]).all(), name


def test_pareto_front_of_a_circle() -> None:
    """On a quarter circle every point is on the front; what lies inside, or is barred, is not."""
    angle = np.linspace(0.0, np.pi / 2.0, 9)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    barred = np.array([[2.0, 2.0]])
    scores = np.concatenate([circle, 0.9 * circle, barred])
    (front,) = pareto([scores], [np.arange(19) < 18])
    assert front[:9].all()
    assert not front[9:].any()
