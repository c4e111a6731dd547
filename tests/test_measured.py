"""`scintscope restore` on files: right results, clear refusals, nothing half written."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from restoration_scenes import experiment
from scintscope import cli
from scintscope.measured import read_measurement
from scintscope.scenario import load_restore_settings
from scintscope.tiff import read_description, read_stack, write_stack

SHAPE = (144, 160)
PIXEL_UM = 1.3
PLATES = ("thin", "thin_background", "thick", "thick_background")
QUICKLY = ("--set", "restoration.psf_size_px=31")
TRUTH_WORDS = ("true", "rmse", "ssim", "psnr", "xray", "relative_error")
SHIFT_PX = (0.6, -0.4)

# Registration is good to 0.1 px by its own tests; here the scene is a quarter of their size.
REGISTERED_PX = 0.15


@pytest.fixture(scope="module")
def scene() -> dict[str, Any]:
    """Return the frames of a small synthetic experiment by command-line name."""
    made = experiment(SHAPE, SHIFT_PX, seed=3)
    plates = {
        f"{plate}{end}": getattr(made[plate], part)
        for plate in ("thin", "thick")
        for end, part in (("", "sample"), ("_background", "background"))
    }
    specimen = {"specimen": made["fish"].sample, "specimen_background": made["fish"].background}
    return {**plates, **specimen, "dark": made["dark"], "truth": made["sharp"]}


@pytest.fixture(scope="module")
def folder(scene: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the scene's stacks as TIFF."""
    place = tmp_path_factory.mktemp("stacks")
    for name, frames in scene.items():
        if name != "truth":
            write_stack(place / f"{name}.tif", frames, PIXEL_UM)
    return place


def command(folder: Path, out: Path, names: tuple[str, ...] = PLATES, **other: object) -> list[str]:
    """Return the command line for stacks in a folder; ``other`` names files to use instead."""
    files = {name: folder / f"{name}.tif" for name in names} | other
    words = [w for name, file in files.items() for w in (f"--{name.replace('_', '-')}", str(file))]
    return ["restore", *words, "--out", str(out), *QUICKLY]


def keys(tree: Any) -> set[str]:
    """Return all keys of nested dictionaries."""
    if not isinstance(tree, dict):
        return set()
    return set(tree) | {key for item in tree.values() for key in keys(item)}


@pytest.fixture(scope="module")
def result(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the result of one full restoration: specimen, dark, pixel size from the settings."""
    out = tmp_path_factory.mktemp("results") / "out"
    names = (*PLATES, "specimen", "specimen_background", "dark")
    scale = ["--pixel-um-sensor", "6.5", "--magnification", "5"]
    edge = ["--set", "images.edge=[100, 130, 20, 60]"]
    assert cli.main([*command(folder, out, names), *scale, *edge]) == 0
    return out


def test_result_folder_is_complete(result: Path) -> None:
    """Images, numbers, report and provenance are there; images are float32 with pixel size."""
    images = {"psf", "target_thin", "target_thick", "target_restored"}
    images |= {"specimen", "specimen_restored"}
    others = {"metrics.json", "provenance.json", "report.html"}
    assert {p.name for p in result.iterdir()} == {f"{name}.tif" for name in images} | others
    for name in images:
        stack = read_stack(result / f"{name}.tif")
        assert stack.frames.dtype == np.float32
        # fractions of 32-bit integers in the tags
        assert stack.pixel_um == pytest.approx(PIXEL_UM, rel=1e-6)
        assert stack.frames.shape[1:] == ((31, 31) if name == "psf" else SHAPE)
    assert "restored" in read_description(result / "target_restored.tif")["content"]


def test_restored_target_is_nearer_to_the_sharp_one(result: Path, scene: dict[str, Any]) -> None:
    """Files go to the right plates and the right way round: the thick target gets sharper."""
    inner = (slice(16, -16),) * 2
    wanted = (1.0 - scene["truth"])[inner]
    found = {
        kind: read_stack(result / f"target_{kind}.tif").frames[0][inner]
        for kind in ("thick", "restored")
    }
    error = {kind: float(np.sqrt(np.mean((im - wanted) ** 2))) for kind, im in found.items()}
    assert error["restored"] < 0.7 * error["thick"]


def test_metrics_hold_no_truth_and_the_measured_shift(result: Path) -> None:
    """Numbers are strict JSON, none needs a truth, and the registration found the shift put in."""
    text = (result / "metrics.json").read_text()
    metrics = json.loads(text, parse_constant=pytest.fail)
    assert not [key for key in keys(metrics) if any(word in key for word in TRUTH_WORDS)]
    pair = metrics["registration"]["pair"]
    assert pair["shift_row_px"] == pytest.approx(SHIFT_PX[0], abs=REGISTERED_PX)
    assert pair["shift_column_px"] == pytest.approx(SHIFT_PX[1], abs=REGISTERED_PX)
    psf, target = metrics["psf"], metrics["restoration"]["target"]
    assert psf["fwhm_estimated_um"] == pytest.approx(PIXEL_UM * psf["fwhm_estimated_px"])
    assert 0.0 <= psf["truncated_share"] < 0.2
    assert target["psd_gain_max"] > 1.0
    assert target["psd_gain_high_band_noise"] > 0.0
    assert {"piqe_thin", "piqe_thick", "piqe_restored"} <= set(target)
    assert metrics["restoration"]["specimen"]["piqe_thin"] is None
    assert metrics["images"]["pixel_source"] == "settings"
    assert set(metrics["background"]) == {"thin", "thick", "specimen"}


def test_report_is_self_contained(result: Path) -> None:
    """The report holds its figures and fetches nothing."""
    html = (result / "report.html").read_text()
    assert html.count("data:image/png;base64,") == 6
    assert "http" not in html.replace("http-equiv", "")
    assert "src=" in html and "Settings" in html


def run_ok(arguments: list[str], out: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Run a command that must succeed; return metrics."""
    code = cli.main(arguments)
    assert code == 0, capsys.readouterr().err
    return json.loads((out / "metrics.json").read_text())


def sentences(metrics: dict[str, Any]) -> str:
    return "\n".join(f"{n['level']}: {n['sentence']}" for n in metrics["notes"])


def test_eight_bit_single_png_frames_work_with_a_note(
    scene: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """8-bit pictures restore; the notes say 8 bit and unknown pixel; noise parts are null."""
    for name in PLATES:
        mean = scene[name].mean(axis=0) / scene[name].max() * 250
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.round(mean).astype(np.uint8))
    files = {name: tmp_path / f"{name}.png" for name in PLATES}
    metrics = run_ok(command(tmp_path, tmp_path / "o", (), **files), tmp_path / "o", capsys)
    assert "8-bit" in sentences(metrics)
    assert "neither the files nor the settings state a pixel size" in sentences(metrics)
    assert metrics["psf"]["fwhm_estimated_um"] is None
    assert metrics["psf"]["fwhm_estimated_px"] > 0
    assert metrics["restoration"]["target"]["psd_gain_high_band_noise"] is None
    assert metrics["restoration"]["target"]["psd_gain_max"] > 0
    assert read_stack(tmp_path / "o" / "psf.tif").pixel_um is None


def test_single_frames_npy_and_globs_work(
    scene: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A glob of single-frame files is one stack; float NPY of one frame is a stack of one."""
    for index, frame in enumerate(scene["thin"]):
        write_stack(tmp_path / f"thin_{index}.tif", frame[None], PIXEL_UM)
    for name in PLATES[1:]:
        np.save(tmp_path / f"{name}.npy", scene[name][0].astype(np.float32))
    files: dict[str, object] = {name: tmp_path / f"{name}.npy" for name in PLATES[1:]}
    files["thin"] = str(tmp_path / "thin_*.tif")
    metrics = run_ok(command(tmp_path, tmp_path / "o", (), **files), tmp_path / "o", capsys)
    counts = {"thin": 3, "thin_background": 1, "thick": 1, "thick_background": 1}
    assert metrics["images"]["frames"] == counts
    assert metrics["images"]["pixel_source"] == "tags"
    # the tag's fraction of 32-bit integers
    assert metrics["images"]["pixel_um_object"] == pytest.approx(PIXEL_UM, rel=1e-6)


def test_a_few_saturated_values_work_with_a_warning(
    folder: Path, scene: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Saturated pixels are counted and warned of."""
    hot = scene["thick"].copy()
    hot[:, 4:8, 4:12] = 65535
    write_stack(tmp_path / "hot.tif", hot, PIXEL_UM)
    arguments = command(folder, tmp_path / "o", PLATES, thick=tmp_path / "hot.tif")
    assert "are saturated" in sentences(run_ok(arguments, tmp_path / "o", capsys))


def test_a_ceiling_below_the_type_is_suspected(folder: Path, scene: dict[str, Any]) -> None:
    """Many values at one highest level, as of a 12-bit camera in 16 bits, raise a warning."""
    ceiling = np.uint16(np.percentile(scene["thick"], 99))
    write_stack(folder / "clipped.tif", np.minimum(scene["thick"], ceiling), PIXEL_UM)
    files = {name: str(folder / f"{name}.tif") for name in PLATES}
    read = read_measurement(
        files | {"thick": str(folder / "clipped.tif")}, load_restore_settings(None)
    )
    said = [note for note in read.notes if note.level == "warning"]
    assert [note.stage for note in said] == ["thick"]
    assert f"restoration.saturation_adu = {ceiling}" in said[0].sentence


@pytest.mark.parametrize(
    ("sensor_um", "magnification", "note"),
    [
        ("6.5", "5", None),
        ("5.2", "2", "warning: the tags of"),
        ("1.3", "2", "info: the tags of"),
    ],
)
def test_pixel_size_conflicts_are_settled_and_said(
    folder: Path,
    sensor_um: str,
    magnification: str,
    note: str | None,
) -> None:
    """Settings go before tags; a difference is noted, mildly where tags state the sensor pixel."""
    sets = (f"images.pixel_um_sensor={sensor_um}", f"images.magnification={magnification}")
    files = {name: str(folder / f"{name}.tif") for name in PLATES}
    read = read_measurement(files, load_restore_settings(None, sets))
    assert read.pixel_um == pytest.approx(float(sensor_um) / float(magnification))
    said = [f"{n.level}: {n.sentence}" for n in read.notes]
    assert (said == []) if note is None else (len(said) == 1 and said[0].startswith(note))


def make_bad(kind: str, good: np.ndarray, place: Path) -> Path:
    """Write a file that cannot be processed."""
    file = place / f"{kind}.{'tif' if kind in ('empty', 'cut', 'rgb', 'text') else 'npy'}"
    if kind == "empty":
        file.write_bytes(b"")
    elif kind == "text":
        file.write_text("no image at all")
    elif kind == "cut":
        write_stack(file, good, PIXEL_UM)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif kind == "rgb":
        tifffile.imwrite(file, np.repeat(good[0][..., None], 3, 2), photometric="rgb")
    else:
        arrays: dict[str, Any] = {
            "nan": np.where(good == good.max(), np.nan, good.astype(float)),
            "infinite": np.where(good == good.max(), np.inf, good.astype(float)),
            "colour": np.repeat(good[0][..., None], 3, 2),
            "no_pixels": good[:, :0],
            "no_frames": good[:0],
            "complex": good.astype(complex),
            "boolean": good > 1000,
            "words": good[0, :4, :4].astype(str),
            "line": good[0, 0],
            "saturated": np.full_like(good, 65535),
            "constant": np.full_like(good, 1000),
            "tiny": good[:, :6, :6],
            "cropped": good[:, :-1],
            "five": good[None, None],
        }
        np.save(file, arrays[kind])
    return file


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        ("empty", "is empty (0 bytes)"),
        ("text", "is neither TIFF, NPY, PNG nor JPEG"),
        ("cut", "cut short"),
        ("rgb", "not a plain grey image"),
        ("nan", "NaN or infinite"),
        ("infinite", "NaN or infinite"),
        ("colour", "not a plain grey image"),
        ("no_pixels", "not empty"),
        ("no_frames", "not empty"),
        ("complex", "pixel type complex128"),
        ("boolean", "pixel type bool"),
        ("words", "pixel type <U"),
        ("line", "has shape (160,)"),
        ("five", "has shape (1, 1, 3, 144, 160)"),
        ("saturated", "are saturated"),
        ("constant", "one constant value"),
        ("tiny", "must have one shape"),
        ("cropped", "must have one shape"),
    ],
)
@pytest.mark.parametrize("name", ["thick", "thin_background"])
def test_bad_images_are_refused_with_a_sentence(
    kind: str,
    match: str,
    name: str,
    folder: Path,
    scene: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever is wrong with a stack ends in exit code 2, a sentence, and no output folder."""
    bad = {name: make_bad(kind, scene["thick"], tmp_path)}
    assert cli.main(command(folder, tmp_path / "o", PLATES, **bad)) == 2
    captured = capsys.readouterr()
    assert match in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert [p for p in tmp_path.iterdir() if p.name.startswith("o")] == []


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("--dark", "nowhere.tif"), "--dark: nowhere.tif does not exist"),
        (("--specimen", "no_*.tif"), "--specimen: no file matches 'no_*.tif'"),
        (("--specimen", "."), "--specimen: . is a folder"),
        (("--pixel-um-sensor", "6.5"), "belong together"),
        (("--set", "restoration.iterations=0"), "restoration.iterations = 0 is outside"),
        (("--set", "restoration.iteration=5"), "iterations"),
        (("--set", "images.edge=[0, 400, 0, 40]"), "reaches outside the frames of 144 x 160"),
        (("--set", "images.edge=[40, 20, 0, 40]"), "images.edge = [40, 20, 0, 40]"),
        (("--set", "restoration.psf_size_px=300"), "psf_size_px"),
    ],
)
def test_bad_options_are_refused(
    folder: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    match: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Options that do not fit the images or each other are exit code 2 with their name."""
    assert cli.main([*command(folder, tmp_path / "o"), *arguments]) == 2
    assert match in capsys.readouterr().err


def test_same_file_as_sample_and_background_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sample that equals its background holds no signal, and the error says so."""
    same = {"thick_background": folder / "thick.tif"}
    assert cli.main(command(folder, tmp_path / "o", PLATES, **same)) == 2
    assert "thick" in capsys.readouterr().err


def test_foreign_folder_is_refused_and_own_replaced(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with someone's files is not touched."""
    out = tmp_path / "o"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    assert cli.main(command(folder, out)) == 2
    assert "was not made by scintscope" in capsys.readouterr().err
    assert [p.name for p in out.iterdir()] == ["thesis.txt"]


def wait_for(condition: Any, seconds: float = 30.0) -> bool:
    """Return whether a condition came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_killed_restore_leaves_nothing_under_the_final_name(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After SIGKILL only DIR.partial is left; the next run clears it and gives the result."""
    out = tmp_path / "o"
    script = "import sys; from scintscope.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [*command(folder, out), "--set", "restoration.psf_iterations=10000"]
    process = subprocess.Popen([sys.executable, "-c", script, *words], env=dict(os.environ))
    try:
        assert wait_for((tmp_path / "o.partial").is_dir)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not out.exists()
    metrics = run_ok(command(folder, out), out, capsys)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o"]
    assert math.isfinite(metrics["psf"]["fwhm_estimated_px"])


def test_two_runs_give_the_same_numbers(result: Path, folder: Path, tmp_path: Path) -> None:
    """Nothing but the provenance depends on when or where a restoration ran."""
    names = (*PLATES, "specimen", "specimen_background", "dark")
    scale = ["--pixel-um-sensor", "6.5", "--magnification", "5"]
    edge = ["--set", "images.edge=[100, 130, 20, 60]"]
    assert cli.main([*command(folder, tmp_path / "o", names), *scale, *edge]) == 0
    for file in sorted(result.iterdir()):
        if file.name != "provenance.json":
            assert file.read_bytes() == (tmp_path / "o" / file.name).read_bytes(), file.name
