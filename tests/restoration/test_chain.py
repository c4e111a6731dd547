"""The chain on camera counts: it sharpens, reports, and refuses what it cannot use."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import scintscope.restoration
from restoration_scenes import experiment
from scintscope.errors import DataError, InputError
from scintscope.restoration import PlateFrames, RestorationConfig, restore

INNER = (slice(30, -30), slice(30, -30))
QUICK = RestorationConfig(psf_size_px=40)


@cache
def scene() -> dict:
    """Return the experiment all tests share (its arrays are never written to)."""
    return experiment()


def misfit(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the RMS error after the best gain and offset over the truth's deviation."""
    x, y = image[INNER].ravel().astype(float), truth[INNER].ravel()
    fit = np.polyval(np.polyfit(x, y, 1), x)
    return float(np.sqrt(np.mean((fit - y) ** 2)) / y.std())


def run(**changes: object) -> object:
    """Return the chain's result on the shared experiment."""
    s = scene()
    return restore(
        s["thin"],
        s["thick"],
        {"fish": s["fish"]},
        dark={10.0: s["dark"], 1.0: s["dark"]},
        config=replace(QUICK, **changes),
    )


@pytest.mark.parametrize("method", ["richardson_lucy", "wiener", "tv"])
def test_restored_is_nearer_to_the_truth(method: str):
    """Target and specimen on the thick plate come nearer to the sharp truth, by every method."""
    result = run(deconvolution=method, psf_iterations=30)
    s = scene()
    assert misfit(result.restored_target, 1 - s["sharp"]) < 0.85 * misfit(
        result.thick_target, 1 - s["sharp"]
    )
    fish = result.specimens["fish"]
    assert misfit(fish.restored, s["sharp_fish"]) < 0.95 * misfit(fish.image, s["sharp_fish"])


def test_paper_settings_find_motions_and_report():
    """Eight iterations: motions within 0.15 px, unit-sum PSF, all reports present."""
    result = run()
    # registration to 0.1 px plus what defects of both plates add at 256 px
    np.testing.assert_allclose(result.pair.transform.shift_px, (0.6, -0.4), atol=0.15)
    thin = result.registrations["thin.background"].transform.shift_px
    np.testing.assert_allclose(thin, (0.4, -0.3), atol=0.15)
    assert set(result.registrations) == {
        "pair",
        "thin.background",
        "thick.background",
        "fish.background",
    }
    assert set(result.backgrounds) == {"thin", "thick", "fish"}
    assert set(result.averages) >= {"thin.sample", "fish.background"}
    assert result.psf.psf.shape == (40, 40) and result.psf.psf.sum() == pytest.approx(1.0)
    assert len(result.psf.history) == 8 and len(result.deconvolution.history) == 20
    assert result.restored_target.shape == scene()["sharp"].shape
    assert result.restored_target.dtype == np.float32
    assert result.psf.full_psf.shape == scene()["sharp"].shape
    assert {n.stage for n in result.notes} >= {"psf", "pair", "target", "fish"}


@pytest.mark.parametrize(
    "changes",
    [
        {"target_background": "divide", "specimen_background": "subtract"},
        {"subtract_offset": "shift"},
        {"registration": "none"},
        {"psf_size_px": 41, "psf_taper": "hann", "boundary": "reflect"},
        {"psf_method": "fourier_ratio", "psf_centre": "peak"},
        {"zinger_sigma": 8.0, "precision": "float64"},
    ],
)
def test_settings_run_through(changes: dict):
    """Every choice of setting gives finite images of the frame's shape."""
    result = run(**changes)
    for image in (result.restored_target, result.specimens["fish"].restored):
        assert image.shape == scene()["sharp"].shape and np.isfinite(image).all()


def test_engines_restore_alike():
    """The whole chain on JAX gives the images it gives on scipy's transforms."""
    ours, other = (run(engine=engine) for engine in ("scipy", "jax"))
    for mine, theirs in (
        (ours.psf.psf, other.psf.psf),
        (ours.restored_target, other.restored_target),
        (ours.specimens["fish"].restored, other.specimens["fish"].restored),
    ):
        # float32 rounding through 8 accelerated iterations of the PSF, then 20 of the image
        assert np.abs(mine - theirs).max() <= 1e-4 * np.abs(mine).max()


def test_same_input_same_bits():
    """Two runs on the same frames give identical images."""
    first, second = run(), run()
    np.testing.assert_array_equal(first.restored_target, second.restored_target)
    np.testing.assert_array_equal(first.psf.psf, second.psf.psf)


def test_single_frames_without_dark_or_flat():
    """One frame each, 8 bits, no dark, no flat: the chain runs and notes what it was given."""
    s = scene()

    def one(p: PlateFrames) -> PlateFrames:
        return PlateFrames(
            sample=np.clip((p.sample[0] - 100.0) / 20, 0, 255).astype(np.uint8),
            background=np.clip((p.background[0] - 100.0) / 20, 0, 255).astype(np.uint8),
        )

    result = restore(one(s["thin"]), one(s["thick"]), config=QUICK)
    text = " ".join(n.sentence for n in result.notes)
    assert "single frame" in text and "8-bit" in text
    assert result.specimens == {}
    assert misfit(result.restored_target, 1 - s["sharp"]) < misfit(
        result.thick_target, 1 - s["sharp"]
    )


def test_progress_rises_to_one():
    """Progress is called with rising shares and ends at one."""
    seen: list[float] = []
    s = scene()
    restore(s["thin"], s["thick"], config=QUICK, progress=lambda stage, share: seen.append(share))
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_bad_frames_are_refused():
    """Colour, NaN, empty, mismatched, dark without a fit, swapped, plate shading as flat."""
    s = scene()
    thin, thick, dark = s["thin"], s["thick"], s["dark"]
    cases = [
        (replace(thin, sample=np.zeros((64, 64, 3), np.uint8)), thick, {}, "colour"),
        (replace(thin, sample=np.full((64, 64), np.nan)), thick, {}, "NaN"),
        (replace(thin, sample=np.zeros((0, 64, 64))), thick, {}, "empty"),
        (replace(thin, sample=thin.sample[:, :-2]), thick, {}, "one\\s+shape"),
        (thin, thick, {"dark": {5.0: dark}}, "no dark fits"),
        (thin, thick, {"flat": thick.background}, "taken off twice"),
        (
            PlateFrames(sample=thin.background, background=thin.sample),
            thick,
            {},
            "swapped",
        ),
    ]
    for first, second, options, message in cases:
        with pytest.raises(DataError, match=message):
            restore(first, second, config=QUICK, **options)


def test_reserved_specimen_name():
    """A specimen cannot take a plate's name."""
    s = scene()
    with pytest.raises(DataError, match="taken"):
        restore(s["thin"], s["thick"], {"thin": s["fish"]}, config=QUICK)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"psf_start": "windows"}, "Did you mean 'window'"),
        ({"psf_iterations": 0}, "restoration.psf_iterations"),
        ({"psf_size_px": 60.5}, "whole number"),
        ({"wiener_noise_to_signal": -1.0}, '"auto"'),
        ({"tv_weight": float("nan")}, "restoration.tv_weight"),
    ],
)
def test_config_refusals(changes: dict, message: str):
    """Settings outside their range are refused with key, range and remedy."""
    with pytest.raises(InputError, match=message):
        RestorationConfig(**changes)


def test_imports_no_forward_physics():
    """The package sees images only: it imports nothing of source, sample, plate, lens or camera."""
    base = {"errors", "units", "threads", "sharing", "jax64", "grids", "tiff"}
    allowed = base | {"convolve", "tiled_fft", "restoration"}
    for path in Path(scintscope.restoration.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if module and module.startswith("scintscope."):
                assert module.split(".")[1] in allowed, f"{path.name} imports {module}"
