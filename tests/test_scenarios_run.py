"""Every shipped scenario runs from frames to verdict, at a reduced size, and fills its metrics."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scintscope import cli
from scintscope.outputs import to_json
from scintscope.pipeline import perform
from scintscope.progress import silent
from scintscope.scenario import load_scenario
from scintscope.verdict.effects import EFFECTS

FOLDER = Path(__file__).parents[1] / "scenarios"
SCENARIOS = sorted(FOLDER.glob("*.toml"))
QUICK = FOLDER / "quick.toml"

REDUCED = (
    "camera.shape=[96,96]",
    "acquisition.frames=2",
    "acquisition.dark_frames=2",
    "acquisition.flat_frames=2",
    "restoration.psf_size_px=21",
)
THINNER = {"paper_10x": ("thick.thickness_um=40.0", "thin.thickness_um=5.0")}
"""At NA 0.9 the depth nodes grow with thickness: 200 um alone would take a minute."""

# On 96 x 96 pixels few defects and little of the target are seen, and the reduced plates of
# paper_10x are out of the paper's proportions: warnings of that kind are expected here.
pytestmark = pytest.mark.filterwarnings("ignore::scintscope.errors.PhysicsWarning")

CURVE = {"frequency_cy_per_um": list, "value": list}
PLATE = {
    "absorbed_photon_fraction": float,
    "absorbed_energy_fraction": float,
    "mean_depth_um": float,
    "fluorescence_share": float,
    "electrons_per_xray": float,
    "electrons_per_pixel": float,
    "focus_um": float,
    "mtf50_cy_per_um": float,
    "mtf": CURVE,
    "nps": CURVE,
    "dqe": CURVE,
    "depth_of_field_um": dict.fromkeys(("rayleigh", "contrast_zero", "mtf30", "strehl80"), float),
}
KINDS = ("thin", "thick", "restored")
OBJECT = {
    **{
        f"{measure}_{kind}{truth}{raw}": float
        for measure in ("rmse", "ssim", "psnr")
        for kind in KINDS
        for truth in ("", "_vs_xray")
        for raw in ("", "_raw")
    },
    **{f"piqe_{kind}": float for kind in KINDS},
    **{f"mtf50_{kind}_cy_per_um": float for kind in KINDS},
    **{f"psd_gain_max{part}": float for part in ("", "_signal", "_noise")},
    **{f"psd_gain_high_band{part}": float for part in ("", "_signal", "_noise")},
}
METRICS = {
    "spectrum": dict.fromkeys(
        ("mean_energy_kev", "fraction_10_30_kev", "hvl_mm_al", "photons_per_um2_s"), float
    ),
    "thin": PLATE,
    "thick": PLATE,
    "lens": {
        "cutoff_cy_per_um": float,
        "collection_fraction": float,
        "first_zero_defocus_um": {"air": float, "scintillator": float},
    },
    "single_psf": {
        "rms_relative_error": float,
        "edge_relative_error": float,
        "rms_relative_error_entrance": float,
        "budget": dict.fromkeys(EFFECTS, float),
        "budget_total": float,
        "budget_interaction": float,
        "optics_only_relative_error": float,
        "plate_contrast_gain": float,
    },
    "bought": {
        "rmse": {"target": dict.fromkeys((*KINDS, "thin_equal"), float)},
        "curves": {kind: {"neq_per_um2": list} for kind in (*KINDS, "thin_equal")},
        "detectability": {"disc": {"ideal": dict}, "line": {"not_prewhitening": dict}},
        "helps_um": list,
        "nearer_to_truth_um": {"target": list},
        "neq_restored_over_thick": float,
        "piqe_rank_correlation": {"target": float},
    },
    "psf": dict.fromkeys(("fwhm_true_um", "fwhm_estimated_um", "relative_error"), float),
    "restoration": {"target": OBJECT, "specimen": OBJECT},
}
"""Keys every run must have; a leaf is of this type or null."""


def problems(found: Any, wanted: Any, path: str = "") -> list[str]:
    """Return where a tree lacks a key or holds a value of another type."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return [f"{path} is {type(found).__name__}, not a table"]
        missing = [f"{path}.{key} is missing" for key in wanted if key not in found]
        return missing + [
            text
            for key, kind in wanted.items()
            if key in found
            for text in problems(found[key], kind, f"{path}.{key}")
        ]
    number = wanted is float and isinstance(found, (int, float)) and not isinstance(found, bool)
    if found is None or number or (wanted is not float and isinstance(found, wanted)):
        return []
    return [f"{path} = {found!r} is not {wanted.__name__} or null"]


def perform_reduced(path: Path, *more: str) -> str:
    """Return the metrics of a reduced run as the text of ``metrics.json``."""
    sets = (*REDUCED, *THINNER.get(path.stem, ()), *more)
    return to_json(perform(load_scenario(path, sets), silent).metrics)


@cache
def quick_metrics() -> str:
    """Return the metrics of the quick scenario, run once."""
    return perform_reduced(QUICK)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_runs_and_fills_its_metrics(path: Path) -> None:
    """A shipped scenario ends in strict JSON with every documented key of the right type."""
    text = quick_metrics() if path == QUICK else perform_reduced(path)
    metrics = json.loads(text, parse_constant=pytest.fail)
    assert problems(metrics, METRICS) == []
    for kind in KINDS:
        assert metrics["restoration"]["target"][f"rmse_{kind}"] > 0.0
    assert metrics["single_psf"]["rms_relative_error"] > 0.0
    thick, thin = metrics["thick"], metrics["thin"]
    assert thick["absorbed_photon_fraction"] > thin["absorbed_photon_fraction"] > 0.0


def test_the_check_of_keys_can_fail() -> None:
    """A missing key, a text for a number and a number for a table are all found."""
    metrics = json.loads(quick_metrics())
    del metrics["psf"]["fwhm_true_um"]
    metrics["lens"]["collection_fraction"] = "much"
    metrics["thick"]["mtf"] = 1.0
    found = problems(metrics, METRICS)
    assert len(found) == 3
    assert ".psf.fwhm_true_um is missing" in found


def test_same_seed_same_bytes_other_seed_other_noise() -> None:
    """Two runs give identical metrics; another seed changes the images but not the data sheet."""
    assert perform_reduced(QUICK) == quick_metrics()
    first, other = (
        json.loads(text)
        for text in (quick_metrics(), perform_reduced(QUICK, "acquisition.seed=77"))
    )
    assert first["restoration"] != other["restoration"]
    for part in ("spectrum", "thin", "thick", "lens"):
        assert first[part] == other[part]


def test_run_writes_what_was_computed(tmp_path: Path) -> None:
    """The command writes the very metrics of `perform`, images, scenario, report, provenance."""
    words = [word for text in REDUCED for word in ("--set", text)]
    out = tmp_path / "quick"
    assert cli.main(["run", str(QUICK), *words, "--out", str(out)]) == 0
    assert (out / "metrics.json").read_text() == quick_metrics() + "\n"
    names = {p.name for p in out.iterdir()}
    assert names >= {"metrics.json", "scenario.toml", "provenance.json", "report.html", "images"}
    assert [p.name for p in tmp_path.iterdir()] == ["quick"]
    assert list((out / "images").glob("target_restored.tif"))
