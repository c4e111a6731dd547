"""Random designs of the shipped studies against images and direct evaluation; see SOURCE.md.

``python study.py [STUDY ...] [--designs N]``: about a minute a study and ten seconds a design.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.design.model import Curves, DesignModel
from scintscope.design.objectives import Objective
from scintscope.design.optimise import judged_curves
from scintscope.design.run import make_models
from scintscope.design.study import Sample, Study
from scintscope.design.study_file import load_study
from scintscope.forward.plane import Plane, camera_pixels, make_plane
from scintscope.forward.quanta import noise_kernels, quantum_noise_spectrum
from scintscope.forward.render import light_image, make_scene, noise_free_frame, xray_images
from scintscope.grids import Grid
from scintscope.instrument import Instrument
from scintscope.materials import ABSORBERS
from scintscope.metrics.edge import slanted_edge
from scintscope.metrics.psd import ring_sums
from scintscope.noise import signal_noise
from scintscope.noise.groups import quanta_groups
from scintscope.noise.sampled import camera_variance, folded
from scintscope.outputs import versions, write_json
from scintscope.progress import silent
from scintscope.response import DepthResponse, depth_response
from scintscope.sample.build import build_specimen
from scintscope.sample.specimen import SlantedEdge, Specimen

HERE = Path(__file__).parent
STUDIES = sorted((HERE.parents[1] / "scenarios" / "studies").glob("*.toml"))
SHAPE, OVERSAMPLING, FLATS, PICTURES, BANDS = (256, 256), 3, 24, 6, 12
OFF = ("penumbra", "penumbra_depth", "cone_magnification", "lens_perspective", "obliquity",
       "sample_hardening", "defects")  # fmt: skip
"""What a design's curves leave out: geometry beyond the plate, the sample's colour, dirt."""
SETS = [f"base.accuracy.effects.{name}=false" for name in OFF]
SETS += [f"base.camera.shape=[{SHAPE[0]}, {SHAPE[1]}]", "base.accuracy.depth_tolerance=1e-4"]
MTF50, MSE, DQE, SIGMAS, DIRECT = 0.03, 0.03, 0.05, 3.0, 1e-3


@dataclass(frozen=True, kw_only=True)
class Images:
    """What images of one design are made from.

    ``plane`` is periodic, without margin; ``truth`` the object's relative contrast on the fine
    grid; ``picture`` its noise-free image, relative; ``level`` the flat's electrons per pixel;
    ``kernels`` and ``rates`` those of the sampler of quantum noise.
    """

    response: DepthResponse
    plane: Plane
    variance: float
    truth: np.ndarray
    picture: np.ndarray
    level: float
    kernels: np.ndarray
    rates: np.ndarray


def edge_mtf50(instrument: Instrument, response: DepthResponse) -> float:
    """Return the MTF50 of a noise-free image of a slanted edge of thin gold, cycles/um."""
    plane = make_plane(instrument, (response,), response, OVERSAMPLING)
    film = build_specimen(SlantedEdge(thickness_um=0.05), plane.sample_grid)
    scene = make_scene(instrument, response, plane, film, ABSORBERS)
    light = light_image(scene, xray_images(scene, np.float64), dtype=np.float64)
    found = slanted_edge(noise_free_frame(light, plane, 1.0), pixel_um=response.pixel_um)
    return float(found.mtf50_cy_per_um or np.nan)


def periodic(response: DepthResponse, shape: tuple[int, int]) -> Plane:
    """Return a plane whose edges meet, so that a transform has no leakage."""
    rows, columns = shape
    fine = Grid(
        shape=(rows * OVERSAMPLING, columns * OVERSAMPLING),
        pixel_um=response.pixel_um / OVERSAMPLING,
    )
    return Plane(
        fine=fine, camera_shape=shape, padded_shape=shape, oversampling=OVERSAMPLING,
        entrance_mm=np.inf, sample_magnification=1.0,
    )  # fmt: skip


def radius(grid: Grid) -> np.ndarray:
    """Return the frequencies of a real transform, cycles/um."""
    return np.hypot(grid.row_frequency_cy_per_um[:, None], grid.column_frequency_cy_per_um[None, :])


def sample_mean(grid: Grid) -> np.ndarray:
    """Return what the mean over a grid's square does to an object, at its real transform."""
    u, v = grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um
    return np.sinc(u * grid.pixel_um)[:, None] * np.sinc(v * grid.pixel_um)[None, :]


def object_power(objective: Objective, frequency: np.ndarray) -> np.ndarray:
    """Return W_o of `design.objectives`."""
    length = objective.correlation_um
    spread = (1.0 + (2.0 * np.pi * frequency * length) ** 2) ** -1.5
    return 2.0 * np.pi * length**2 * objective.contrast**2 * spread


def images_of(
    instrument: Instrument, response: DepthResponse, objective: Objective, shape: tuple[int, int],
    rng: np.random.Generator,
) -> Images:  # fmt: skip
    """Return the noise-free image of a random object of weak contrast, through the forward model.

    The object is a film of gold so thin that absorption is linear; image and truth are then scaled
    to the contrast wanted.
    """
    plane = periodic(response, shape)
    white = np.fft.rfft2(rng.standard_normal(plane.fine.shape))
    shaped = white * np.sqrt(object_power(objective, radius(plane.fine))) / plane.fine.pixel_um
    shaped *= sample_mean(plane.fine)
    shaped[0, 0] = 0.0
    wanted = np.fft.irfft2(shaped, s=plane.fine.shape)
    film = np.maximum(0.02 * (5.0 - wanted / wanted.std()), 0.0)
    specimen = Specimen(thickness_um={"Au": film.astype(np.float32)}, pixel_um=plane.fine.pixel_um)
    scene = make_scene(instrument, response, plane, specimen, ABSORBERS)
    light = light_image(scene, xray_images(scene, np.float64), dtype=np.float64)
    frame = noise_free_frame(light, plane, response.plate.exposure_s)
    sharp = light.sharp / light.sharp.mean() - 1.0
    scale = float((wanted**2).sum() / (sharp * wanted).sum())
    flat = make_scene(instrument, response, plane, None, ABSORBERS)
    open_beam = light_image(flat, xray_images(flat, np.float64), dtype=np.float64)
    groups = quanta_groups(response)
    return Images(
        kernels=noise_kernels(groups, plane),
        rates=groups.rate_per_um2_s,
        response=response,
        plane=plane,
        variance=camera_variance(instrument.camera, response.plate.exposure_s),
        truth=scale * sharp,
        picture=scale * (frame / frame.mean() - 1.0),
        level=float(noise_free_frame(open_beam, plane, response.plate.exposure_s).mean()),
    )


def noisy(images: Images, contrast: float, count: int, rng: np.random.Generator):
    """Yield frames of the object (``contrast`` 1) or of nothing (0), relative to the flat's level.

    X-rays by the sampler of the forward model, Poisson light, a normal camera.
    """
    response, plane, o = images.response, images.plane, OVERSAMPLING
    seen = 1.0 + contrast * images.truth.reshape(plane.padded_shape[0], o, -1, o).mean(axis=(1, 3))
    quanta = (images.rates[:, None, None] * seen).astype(np.float32)
    mean = images.level * (1.0 + contrast * images.picture)
    for _ in range(count):
        spectrum = quantum_noise_spectrum(
            quanta, images.kernels, plane, response.plate.exposure_s, rng
        )
        light = rng.poisson(np.maximum(mean + camera_pixels(spectrum, plane), 0.0))
        camera = np.sqrt(images.variance) * rng.standard_normal(mean.shape)
        yield (light + camera) / images.level - 1.0


def camera_truth(images: Images) -> np.ndarray:
    """Return the transform of the object within the camera's Nyquist radius, on its pixels."""
    plane, o = images.plane, OVERSAMPLING
    inside = radius(plane.fine) < 0.5 / plane.pixel_um
    whole = np.fft.rfft2(images.truth) / sample_mean(plane.fine)
    band = np.fft.irfft2(whole * inside, s=plane.fine.shape)
    return np.fft.rfft2(band[o // 2 :: o, o // 2 :: o])


def restored_mse(
    images: Images, curves: Curves, objective: Objective, rng: np.random.Generator, count: int
) -> float:
    """Return the error after the analytic Wiener filter over the object's variance in the band."""
    grid = Grid(shape=images.plane.camera_shape, pixel_um=images.plane.pixel_um)
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
    radial = np.linspace(0.0, nyquist, 4001)
    return total / float(
        np.trapezoid(2.0 * np.pi * radial * object_power(objective, radial), radial)
    )


def dqe_rows(
    images: Images, curves: Curves, rng: np.random.Generator, count: int
) -> list[dict[str, float]]:
    """Return DQE of flats and of the object's transfer over the model's, by bands of rings.

    The model is taken as pixels sample it: aperture of both axes, aliases of the quanta's noise.
    """
    plane, f = images.plane, curves.frequency_cy_per_um
    grid = Grid(shape=plane.camera_shape, pixel_um=plane.pixel_um)
    u, v = np.meshgrid(grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um, indexing="ij")
    aperture = np.sinc(f * plane.pixel_um)
    known = aperture > 0.02
    quanta = curves.exposure_s * curves.events_per_s[known] / aperture[known] ** 2
    white = curves.electrons_per_um2 + images.variance / plane.pixel_um**2
    theory = folded(u, v, f[known], quanta, plane.pixel_um) + white
    square = np.sinc(u * plane.pixel_um) * np.sinc(v * plane.pixel_um)
    sharp = np.interp(np.hypot(u, v), f[known], curves.transfer[known] / aperture[known])
    power = 0.0
    for frame in noisy(images, 0.0, count, rng):
        power = power + np.abs(np.fft.rfft2(frame * images.level)) ** 2
    power = power / (count * u.shape[0] * images.plane.camera_shape[1] * plane.pixel_um**2)
    truth = camera_truth(images)
    cross = (np.fft.rfft2(images.picture) * truth.conj()).real
    inside = np.hypot(u, v) < 0.5 / plane.pixel_um
    inside[0, 0] = False

    def rings(values: np.ndarray) -> np.ndarray:
        sums = ring_sums(values * inside, grid)
        return np.array(
            [part.sum() for part in np.array_split(sums[1 : grid.shape[0] // 2], BANDS)]
        )

    cells, size = rings(np.ones(u.shape)), rings(np.abs(truth) ** 2)
    seen, model = rings(cross) / size, rings(square * sharp * np.abs(truth) ** 2) / size
    level = images.level / (curves.electrons_per_um2 * plane.pixel_um**2)
    found = (level * seen / model) ** 2 * rings(theory) / rings(power)
    middle = rings(np.hypot(u, v)) / cells
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
) -> dict[str, Any]:  # fmt: skip
    """Return what images and direct evaluation say of one design."""
    start, rng = time.perf_counter(), np.random.default_rng(7)
    instrument, plate = study.family(choice).instrument({key: values[key] for key in model.keys})
    curves = judged_curves(study, model, values)[2]
    response = depth_response(instrument, plate)
    variance = camera_variance(instrument.camera, plate.exposure_s)
    exact = signal_noise(response, curves.frequency_cy_per_um, 0.0, variance)
    wiener = mse_objective(study)
    images = images_of(instrument, response, wiener, shape, rng)
    mtf50 = float(Objective(kind="mtf50").value(curves))
    mse = float(wiener.value(curves))
    bands = dqe_rows(images, curves, rng, flats)
    worst = max((abs(b["dqe_over_model"] - 1.0) / max(DQE, SIGMAS * b["sigma"])
                 for b in bands if b["mtf"] > 0.05), default=0.0)  # fmt: skip
    row = {
        "study": study.name,
        "design": {**choice, **values},
        "direct_mtf": float(np.abs(curves.mtf - exact.mtf).max()),
        "direct_dqe": float(np.abs(curves.dqe - exact.dqe).max()),
        "mtf50": mtf50,
        "mtf50_image_over_model": edge_mtf50(instrument, response) / mtf50,
        "mse": mse,
        "mse_image_over_model": restored_mse(images, curves, wiener, rng, pictures) / mse,
        "dqe_worst_over_allowed": worst,
        "dqe": bands,
        "seconds": time.perf_counter() - start,
    }
    row["within"] = {
        "direct": max(row["direct_mtf"], row["direct_dqe"]) < DIRECT,
        "mtf50": abs(row["mtf50_image_over_model"] - 1.0) < MTF50,
        "mse": abs(row["mse_image_over_model"] - 1.0) < MSE,
        "dqe": worst <= 1.0,
    }
    return row


def study_rows(path: Path, designs: int) -> list[dict[str, Any]]:
    """Return the rows of the random designs of a study."""
    study = replace(load_study(path, SETS), sample=Sample(points=designs, seed=20))
    models, choices, grid = make_models(study, silent), study.choices(), study.grid()
    rows = []
    for i in range(designs):
        place = i % len(choices)
        values = {key: float(column[i]) for key, column in grid.items()}
        rows.append(confirm(study, models[place], choices[place], values))
        print({k: v for k, v in rows[-1].items() if k != "dqe"}, flush=True)
    return rows


def main() -> int:
    """Rewrite the rows of the studies asked for in result.json; return 1 if one is not within."""
    parser = argparse.ArgumentParser()
    parser.add_argument("studies", nargs="*", default=[p.stem for p in STUDIES])
    parser.add_argument("--designs", type=int, default=5)
    asked = parser.parse_args()
    store = HERE / "result.json"
    rows = json.loads(store.read_text(encoding="utf-8"))["rows"] if store.is_file() else []
    for path in STUDIES:
        if path.stem in asked.studies:
            rows = [row for row in rows if row["study"] != path.stem]
            rows += study_rows(path, asked.designs)
            write_json(store, {"rows": rows, "versions": versions()})
    return int(not all(all(row["within"].values()) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
