"""`scintscope restore`: the restoration chain on images from disk, results into a folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.errors import InputError
from scintscope.measured.files import Measurement, read_measurement
from scintscope.measured.numbers import SPECIMEN, measured_numbers, psd_curves
from scintscope.outputs import Outcome, provenance, staged_output, write_json
from scintscope.progress import Progress
from scintscope.restoration import PlateFrames, Restoration, restore
from scintscope.scenario import RestoreSettings
from scintscope.tiff import write_image

STEPS = 100


def restore_files(
    files: Mapping[str, str], settings: RestoreSettings, out: Path, progress: Progress
) -> Outcome:
    """Restore measured images and write images, numbers and a report into a folder.

    Parameters
    ----------
    files : dict of str to str
        TIFF, NPY, PNG or JPEG file, or a glob, by name: ``thin``, ``thin_background``, ``thick``,
        ``thick_background``, and optionally ``specimen``, ``specimen_background``, ``dark``,
        ``flat``. A specimen without background of its own takes the thick plate's.
    settings : RestoreSettings
        Chain, pixel size, region of an edge.
    out : Path
        Final folder; see `outputs.staged_output`.
    progress : callable
        See `scintscope.progress`.

    Returns
    -------
    Outcome
        Document: the content of ``metrics.json``.

    Raises
    ------
    InputError
        Images that cannot be processed (`DataError`), or a folder that cannot be written.
    """
    started = time.perf_counter()
    with staged_output(out) as folder:
        with progress("reading", 1) as advance:
            measurement = read_measurement(files, settings)
            _check_edge(measurement, settings)
            advance(1)
        result = _restored(measurement, settings, progress)
        with progress("numbers", 1) as advance:
            curves = psd_curves(measurement, result)
            metrics = measured_numbers(measurement, result, curves, settings.images.edge)
            advance(1)
        with progress("images and report", 1) as advance:
            from scintscope.report.measured_report import write_measured_report

            write_images(folder, result, measurement.pixel_um)
            write_measured_report(folder, result, curves, metrics)
            advance(1)
        write_json(folder / "metrics.json", metrics)
        seconds = round(time.perf_counter() - started, 3)
        record = provenance(timings_s={"restore": seconds})
        record |= {"files": dict(files), "settings": settings}
        write_json(folder / "provenance.json", record)
    return Outcome(document=metrics, text=_text(metrics, out))


def _check_edge(measurement: Measurement, settings: RestoreSettings) -> None:
    """Refuse an edge region outside the frame."""
    edge, (rows, columns) = settings.images.edge, measurement.stacks["thick"].shape[1:]
    if edge is not None and (edge[1] > rows or edge[3] > columns):
        raise InputError(
            f"images.edge = {list(edge)} reaches outside the frames of {rows} x {columns} pixels: "
            "give row0, row1, column0, column1 inside them."
        )


def _restored(
    measurement: Measurement, settings: RestoreSettings, progress: Progress
) -> Restoration:
    """Return the chain's result."""
    stacks = measurement.stacks
    specimens = {}
    if SPECIMEN in stacks:
        background = stacks.get("specimen_background", stacks["thick_background"])
        specimens[SPECIMEN] = PlateFrames(sample=stacks[SPECIMEN], background=background)
    with progress("restoration", STEPS) as advance:
        done = 0

        def tell(stage: str, share_done: float) -> None:
            nonlocal done
            steps = int(share_done * STEPS) - done
            done += steps
            advance(steps)

        return restore(
            PlateFrames(sample=stacks["thin"], background=stacks["thin_background"]),
            PlateFrames(sample=stacks["thick"], background=stacks["thick_background"]),
            specimens,
            dark=stacks.get("dark"),
            flat=stacks.get("flat"),
            config=settings.restoration,
            progress=tell,
        )


def write_images(folder: Path, result: Restoration, pixel_um: float | None) -> None:
    """Write PSF, target and specimen as float32 TIFF, the pixel size in the tags where known.

    ``target_*.tif`` are absorption signals in units of the plate's mean background, in the thick
    plate's frame; ``specimen*.tif`` transmissions (or signals, if subtracted).
    """
    plane = {"plane": "scintillator"}
    images: dict[str, tuple[Any, str]] = {
        "psf": (result.psf.psf, "kernel of unit sum that blurs the thin image into the thick one"),
        "target_thin": (result.thin_target, "target on the thin plate, moved onto the thick one"),
        "target_thick": (result.thick_target, "target on the thick plate"),
        "target_restored": (result.restored_target, "target on the thick plate, restored"),
    }
    for name, item in result.specimens.items():
        images[name] = (item.image, f"{name} on the thick plate")
        images[f"{name}_restored"] = (item.restored, f"{name} on the thick plate, restored")
    for name, (image, what) in images.items():
        values = np.asarray(image, dtype=np.float32)
        write_image(folder / f"{name}.tif", values, pixel_um, {"content": what, **plane})


def _text(metrics: Mapping[str, Any], out: Path) -> str:
    """Return the result for people."""
    psf, pair = metrics["psf"], metrics["registration"]["pair"]
    width = "not measurable"
    if psf["fwhm_estimated_px"] is not None:
        width = f"{psf['fwhm_estimated_px']:.2f} px"
    if psf["fwhm_estimated_um"] is not None:
        width += f" = {psf['fwhm_estimated_um']:.2f} um"
    lines = [
        f"PSF: FWHM {width}, {psf['iterations']} iterations, {psf['truncated_share']:.1%} cut off",
        f"thin to thick: shift ({pair['shift_row_px']:+.3f}, {pair['shift_column_px']:+.3f}) px, "
        f"scale {pair['scale']:.5f}, {pair['inliers']} of {pair['matches']} matches",
    ]
    for name, numbers in metrics["restoration"].items():
        lines.append(
            f"{name}: PSD gain up to {_number(numbers['psd_gain_max'])}, upper half of the band "
            f"{_number(numbers['psd_gain_high_band'])} (noise "
            f"{_number(numbers['psd_gain_high_band_noise'])}); PIQE thick "
            f"{_number(numbers['piqe_thick'])}, restored {_number(numbers['piqe_restored'])}"
        )
    lines += [
        f"warning: {note['stage']}: {note['sentence']}"
        for note in metrics["notes"]
        if note["level"] == "warning"
    ]
    return "\n".join([*lines, f"Report: {out / 'report.html'}"])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
