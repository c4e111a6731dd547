"""Random designs of the shipped studies against images and direct evaluation; see SOURCE.md.

``python study.py [STUDY ...] [--designs N]``: about a minute a study and half a minute a design.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.design.images import (
    LEFT_OUT,
    Images,
    band_variance,
    camera_truth,
    noise_free,
    noisy,
    periodic_camera,
    periodic_plane,
    radius,
    square_mean,
    weak_images,
)
from scintscope.design.model import Curves, DesignModel
from scintscope.design.objectives import Objective, object_power
from scintscope.design.optimise import judged_curves
from scintscope.design.run import make_models
from scintscope.design.study import Sample, Study
from scintscope.design.study_file import load_study
from scintscope.grids import Grid
from scintscope.instrument import Instrument
from scintscope.metrics.edge import slanted_edge
from scintscope.metrics.psd import ring_sums
from scintscope.noise import signal_noise
from scintscope.noise.sampled import camera_variance, folded
from scintscope.outputs import versions, write_json
from scintscope.progress import silent
from scintscope.response import DepthResponse, depth_response
from scintscope.sample.build import build_specimen
from scintscope.sample.specimen import SlantedEdge

HERE = Path(__file__).parent
STORE = HERE / "result.json"
STUDIES = sorted((HERE.parents[1] / "scenarios" / "studies").glob("*.toml"))
SHAPE, FLATS, PICTURES, BANDS = (256, 256), 24, 6, 12
EDGE_ROWS, EDGE_COLUMNS, EDGE_MARGIN = 64, (256, 512, 1024, 2048), 256
"""Camera pixels of the slanted edge's field, widest last, and around it on every side."""
SETS = [f"base.accuracy.effects.{name}=false" for name in LEFT_OUT]
SETS += [f"base.camera.shape=[{SHAPE[0]}, {SHAPE[1]}]", "base.accuracy.depth_tolerance=1e-4"]
MTF50, MSE, DQE, SIGMAS, DIRECT = 0.03, 0.03, 0.05, 3.0, 1e-3


def edge_mtf50(instrument: Instrument, response: DepthResponse, columns: int) -> float:
    """Return the MTF50 of a noise-free image of a slanted edge of thin gold, cycles/um.

    The field is ``columns`` wide and lies in the middle of a plane that is wider by a margin.
    """
    shape = (EDGE_ROWS + 2 * EDGE_MARGIN, columns + 2 * EDGE_MARGIN)
    plane = periodic_plane(response.pixel_um, shape, (EDGE_ROWS, columns))
    film = build_specimen(SlantedEdge(thickness_um=0.05), plane.fine).thickness_um["Au"]
    _, frame = noise_free(instrument, response, plane, film)
    found = slanted_edge(frame, pixel_um=response.pixel_um, orientation="vertical")
    return float(found.mtf50_cy_per_um or np.nan)


def rings(values: np.ndarray, grid: Grid, inside: np.ndarray) -> np.ndarray:
    """Return sums over rings of pixels of a half transform, without the mean, ascending."""
    return ring_sums(values * inside, grid)[1 : grid.shape[0] // 2]


def within_nyquist(grid: Grid) -> np.ndarray:
    """Return which frequencies of a half transform count."""
    inside = radius(grid) < 0.5 / grid.pixel_um
    inside[0, 0] = False
    return inside


def sharp_transfer(curves: Curves, frequency: np.ndarray) -> np.ndarray:
    """Return the model's transfer without the pixel."""
    f, pixel = curves.frequency_cy_per_um, float(curves.pixel_um)
    aperture = np.sinc(f * pixel)
    known = aperture > 0.02
    return np.interp(frequency, f[known], curves.transfer[known] / aperture[known])


def spectrum_mtf50(images: Images, curves: Curves) -> float:
    """Return the MTF50 of the object's noise-free image by its cross spectrum, cycles/um.

    Period for period, so that no window is needed and the mean is the flat's. The model only
    interpolates between the rings.
    """
    grid = images.grid
    f, inside = radius(grid), within_nyquist(grid)
    truth = camera_truth(images)
    seen = rings((np.fft.rfft2(images.picture) * truth.conj()).real, grid, inside)
    sharp = square_mean(grid, grid.pixel_um) * sharp_transfer(curves, f)
    size = np.abs(truth) ** 2
    ratio = seen / rings(sharp * size, grid, inside)
    middle = rings(f * size, grid, inside) / rings(size, grid, inside)
    model = curves.frequency_cy_per_um
    measured = curves.mtf * np.interp(model, middle, ratio)
    return float(Objective(kind="mtf50").value(replace(curves, mtf=measured)))


def restored_mse(
    images: Images, curves: Curves, objective: Objective, rng: np.random.Generator, count: int
) -> float:
    """Return the error after the analytic Wiener filter over the object's variance in the band."""
    grid = images.grid
    f, nyquist = radius(grid), 0.5 / grid.pixel_um
    t = np.interp(f, curves.frequency_cy_per_um, curves.transfer)
    noise = np.interp(f, curves.frequency_cy_per_um, curves.normalised_nps_um2)
    power = object_power(objective, f)
    gain = np.where(f < nyquist, t * power / (t**2 * power + noise), 0.0)
    gain[0, 0] = 0.0
    truth, total = camera_truth(images), 0.0
    for frame in noisy(images, 1.0, count, rng):
        left = np.fft.irfft2(gain * np.fft.rfft2(frame) - truth, s=grid.shape)
        total += float(np.mean(left**2)) / count
    return total / band_variance(objective, nyquist)


def dqe_rows(
    images: Images, curves: Curves, rng: np.random.Generator, count: int
) -> list[dict[str, float]]:
    """Return DQE of flats and of the object's transfer over the model's, by bands of rings.

    The model is taken as pixels sample it: aperture of both axes, aliases of the quanta's noise.
    """
    grid, f, pixel = images.grid, curves.frequency_cy_per_um, images.plane.pixel_um
    u, v = np.meshgrid(grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um, indexing="ij")
    aperture = np.sinc(f * pixel)
    known = aperture > 0.02
    quanta = curves.exposure_s * curves.events_per_s[known] / aperture[known] ** 2
    white = curves.electrons_per_um2 + images.variance_electrons2 / pixel**2
    theory = folded(u, v, f[known], quanta, pixel) + white
    sharp = square_mean(grid, pixel) * sharp_transfer(curves, np.hypot(u, v))
    power = 0.0
    for frame in noisy(images, 0.0, count, rng):
        power = power + np.abs(np.fft.rfft2(frame * images.level_electrons)) ** 2
    power = power / (count * grid.shape[0] * grid.shape[1] * pixel**2)
    truth = camera_truth(images)
    cross = (np.fft.rfft2(images.picture) * truth.conj()).real
    inside = within_nyquist(grid)

    def bands(values: np.ndarray) -> np.ndarray:
        return np.array([p.sum() for p in np.array_split(rings(values, grid, inside), BANDS)])

    cells, size = bands(np.ones(u.shape)), bands(np.abs(truth) ** 2)
    seen, model = bands(cross) / size, bands(sharp * np.abs(truth) ** 2) / size
    level = images.level_electrons / (curves.electrons_per_um2 * pixel**2)
    found = (level * seen / model) ** 2 * bands(theory) / bands(power)
    middle = bands(np.hypot(u, v)) / cells
    return [
        {"frequency_cy_per_um": float(a), "mtf": float(abs(b)), "dqe_over_model": float(c),
         "sigma": float(d)}
        for a, b, c, d in zip(middle, model, found, np.sqrt(2.0 / (cells * count)), strict=True)
    ]  # fmt: skip


def mse_objective(study: Study) -> Objective:
    """Return the study's Wiener error, or one of an object four pixels large."""
    pixel = study.base.instrument().pixel_um_object
    other = Objective(kind="mse_wiener", contrast=0.05, correlation_um=4.0 * pixel)
    return next((o for o in study.objectives if o.kind == "mse_wiener"), other)


def confirm(
    study: Study, model: DesignModel, choice: dict[str, str], values: dict[str, float],
    shape: tuple[int, int] = SHAPE, flats: int = FLATS, pictures: int = PICTURES,
    edges: tuple[int, ...] = EDGE_COLUMNS,
) -> dict[str, Any]:  # fmt: skip
    """Return what images and direct evaluation say of one design."""
    start, rng = time.perf_counter(), np.random.default_rng(7)
    instrument, plate = study.family(choice).instrument({key: values[key] for key in model.keys})
    curves = judged_curves(study, model, values)[2]
    response = depth_response(instrument, plate)
    variance = camera_variance(instrument.camera, plate.exposure_s)
    exact = signal_noise(response, curves.frequency_cy_per_um, 0.0, variance)
    wiener = mse_objective(study)
    images = weak_images(periodic_camera(instrument, response, shape), wiener, rng)
    mtf50 = float(Objective(kind="mtf50").value(curves))
    mse = float(wiener.value(curves))
    bands = dqe_rows(images, curves, rng, flats)
    worst = max((abs(b["dqe_over_model"] - 1.0) / max(DQE, SIGMAS * b["sigma"])
                 for b in bands if b["mtf"] > 0.05), default=0.0)  # fmt: skip
    by_field = {
        f"{columns * response.pixel_um:.0f} um": edge_mtf50(instrument, response, columns) / mtf50
        for columns in edges
    }
    row = {
        "study": study.name,
        "design": {**choice, **values},
        "direct_mtf": float(np.abs(curves.mtf - exact.mtf).max()),
        "direct_dqe": float(np.abs(curves.dqe - exact.dqe).max()),
        "mtf50": mtf50,
        "mtf50_edge_over_model": by_field,
        "mtf50_image_over_model": list(by_field.values())[-1],
        "mtf50_spectrum_over_model": spectrum_mtf50(images, curves) / mtf50,
        "mse": mse,
        "mse_image_over_model": restored_mse(images, curves, wiener, rng, pictures) / mse,
        "dqe_worst_over_allowed": worst,
        "dqe": bands,
        "seconds": time.perf_counter() - start,
    }
    row["within"] = {
        "direct": max(row["direct_mtf"], row["direct_dqe"]) < DIRECT,
        "mtf50": max(abs(row[f"mtf50_{how}_over_model"] - 1.0) for how in ("image", "spectrum"))
        < MTF50,
        "mse": abs(row["mse_image_over_model"] - 1.0) < MSE,
        "dqe": worst <= 1.0,
    }
    return row


def stored_rows() -> list[dict[str, Any]]:
    """Return the rows of result.json."""
    if not STORE.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(STORE.read_text(encoding="utf-8"))["rows"]
    return found


@contextmanager
def alone() -> Iterator[None]:
    """Hold result.json alone while it is read and written: studies may run side by side."""
    with (Path(tempfile.gettempdir()) / "scintscope-design-result.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def study_rows(path: Path, designs: int) -> None:
    """Put the rows of the random designs of a study into result.json, each when it is known."""
    study = replace(load_study(path, SETS), sample=Sample(points=designs, seed=20))
    models, choices, grid = make_models(study, silent), study.choices(), study.grid()
    rows = []
    for i in range(designs):
        place = i % len(choices)
        values = {key: float(column[i]) for key, column in grid.items()}
        rows.append(confirm(study, models[place], choices[place], values))
        print({k: v for k, v in rows[-1].items() if k != "dqe"}, flush=True)
        with alone():
            others = [row for row in stored_rows() if row["study"] != study.name]
            both = sorted(others + rows, key=lambda row: row["study"])
            write_json(STORE, {"rows": both, "versions": versions()})


def main() -> int:
    """Rewrite the rows of the studies asked for in result.json; return 1 if one is not within."""
    parser = argparse.ArgumentParser()
    parser.add_argument("studies", nargs="*", default=[p.stem for p in STUDIES])
    parser.add_argument("--designs", type=int, default=5)
    asked = parser.parse_args()
    for path in STUDIES:
        if path.stem in asked.studies:
            study_rows(path, asked.designs)
    return int(not all(all(row["within"].values()) for row in stored_rows()))


if __name__ == "__main__":
    sys.exit(main())
