"""The noise-free light image of the paper's thick plate, by the fast form and by plane loops."""

from __future__ import annotations

import tempfile
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from scipy import fft

from scintscope.forward import Experiment, set_up
from scintscope.forward import planes as reference
from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import camera_image, depth_scale
from scintscope.forward.render import Scene, light_image, noise_free_frame, xray_images
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.simulate import Bench
from scintscope.forward.terms import light_per_photon
from scintscope.response import depth_response
from scintscope.scenario import load_scenario

Work = Callable[[], Any]
Facts = dict[str, Any]

PAPER = Path(__file__).parents[2] / "scenarios" / "paper.toml"
FIELD_UM = 2662.4
"""The paper's field: 2048 pixels of 1.3 um."""

BIN_OF_ONE_ENERGY_KEV = 73.0
"""Bin width times the number of energies it gives, about."""


def scene(side: int, planes: int, energies: int, as_wide_as: int = 0) -> Scene:
    """Return the paper's bench with a fish (tissue and bone) on a simulation grid of a side.

    The camera has as many pixels as leave room for the margin that the blur needs; the specimen
    fills the field. With ``as_wide_as``, source and pupil are nearer, so that the field's corner
    is seen at the angle it has on a grid of that side.
    """
    made = _scene(side, planes, energies, as_wide_as)
    have_planes = made.response.depth_um.size
    have_energies = made.response.spectrum.energy_kev.size
    if have_planes == planes and have_energies == energies:
        return made
    nearer = (planes * planes / have_planes, energies * energies / have_energies)
    return _scene(side, round(nearer[0]), nearer[1], as_wide_as)


def _scene(side: int, depth_nodes: int, energies: float, as_wide_as: int) -> Scene:
    """Return the scene; plates of several layers have more planes, spectra more energies."""
    camera = (side - margin_px(side)) // 2
    sets = [
        f"camera.shape=[{camera},{camera}]",
        f"specimen.length_um={0.9 * FIELD_UM * camera / 2048:.1f}",
        f"accuracy.depth_nodes={max(depth_nodes, 1)}",
        f"accuracy.energy_bin_kev={min(max(BIN_OF_ONE_ENERGY_KEV / energies, 0.05), 5.0):.3f}",
    ]
    if as_wide_as:
        nearer = (as_wide_as - margin_px(as_wide_as)) / (2.0 * camera)
        sets += [f"{key}={value / nearer}" for key, value in DISTANCES_MM.items()]
    return _bench(sets, one_energy=energies <= 1).scene("thick", "specimen")


DISTANCES_MM = {
    "geometry.source_to_scintillator_mm": 100.0,
    "geometry.source_to_sample_mm": 98.0,
    "lens.pupil_distance_mm": 100.0,
}
"""The paper's."""


def _bench(sets: list[str], one_energy: bool = False) -> Bench:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.toml"
        document = tomllib.loads(PAPER.read_text(encoding="utf-8"))
        if one_energy:
            source = {"kind": "monochromatic", "energy_kev": 20.0, "focal_spot_fwhm_um": 5.0}
            document["source"] = source
        path.write_text(tomli_w.dumps(document), encoding="utf-8")
        scenario = load_scenario(path, ["accuracy.oversampling=2", *sets])
    return set_up(
        Experiment(
            instrument=scenario.instrument(),
            acquisition=scenario.acquisition,
            samples={"specimen": scenario.specimen},
            absorbers=scenario.absorbers,
        )
    )


@cache
def margin_px(side: int) -> int:
    """Return by how much the simulation grid exceeds twice the camera, for a camera of its size."""
    camera = side // 2
    sets = [f"camera.shape=[{camera},{camera}]", f"specimen.length_um={camera}"]
    bench = _bench([*sets, "accuracy.depth_nodes=8", "accuracy.energy_bin_kev=5.0"])
    return int(bench.planes["thick"].fine.shape[0]) - 2 * camera


def _arrays(part: object) -> dict[str, np.ndarray]:
    names = part.__dataclass_fields__  # type: ignore[attr-defined]
    found = {name: getattr(part, name) for name in names}
    return {name: v for name, v in found.items() if isinstance(v, np.ndarray) and v.ndim}


def _facts(made: Scene) -> Facts:
    return {
        "grid": list(made.plane.fine.shape),
        "planes": int(made.response.depth_um.size),
        "energies": int(made.response.spectrum.energy_kev.size),
        "materials": list(made.specimen.thickness_um),
    }


def scintscope(
    side: int, planes: int, energies: int, save: str = "", as_wide_as: int = 0
) -> tuple[Work, Facts]:
    """Return the fast form: X-ray images and light image of a new specimen."""
    made = scene(side, planes, energies, as_wide_as)

    def work() -> Facts:
        light = light_image(made, xray_images(made))
        if save:
            np.save(save, noise_free_frame(light, made.plane, 1.0))
        return {"transforms": light.terms, "estimated_error": light.error}

    return work, _facts(made)


def plane_by_plane(side: int, planes: int, energies: int) -> tuple[Work, Facts]:
    """Return Eq. 1 as the package's own reference computes it, at one depth and at two.

    The difference is what a depth costs, all energies of it; the rest is paid once.
    """
    made = scene(side, planes, energies)

    def work() -> Facts:
        seconds = []
        for count in (1, 2):
            part, start = _at_depths(made, count), time.perf_counter()
            reference.plane_by_plane(part)
            seconds.append(time.perf_counter() - start)
        depth_s = seconds[1] - seconds[0]
        depths = made.response.depth_um.size
        return {
            "timed_planes": 3 * made.response.spectrum.energy_kev.size,
            "whole_s": seconds[0] + depth_s * (depths - 1),
            "depth_s": depth_s,
        }

    return work, _facts(made)


def _at_depths(made: Scene, count: int) -> Scene:
    """Return a scene whose depth sum has only so many of its depths."""
    have = made.response.depth_um.size
    keep = np.unique(np.linspace(0, have - 1, count).round().astype(int))
    cut = {
        name: value[keep]
        for name, value in _arrays(made.response).items()
        if value.shape[0] == have
    }
    return replace(made, response=replace(made.response, **cut))


def exact(
    side: int, planes: int, energies: int, save: str, as_wide_as: int = 0
) -> tuple[Work, Facts]:
    """Return the whole plane-by-plane image, all depths and energies."""
    made = scene(side, planes, energies, as_wide_as)

    def work() -> None:
        np.save(save, reference.plane_by_plane(made))

    return work, _facts(made)


def separable_loop(
    side: int, planes: int, energies: int, timed_energies: int
) -> tuple[Work, Facts]:
    """Return the best plane loop: float32, one prefilter an energy, planes in two threads."""
    made = scene(side, planes, energies)
    response, plane = made.response, made.plane
    pupil_mm, effects = made.instrument.lens.pupil_distance_mm, made.instrument.accuracy.effects
    scales = depth_scale(response.depth_um, plane, response, pupil_mm, effects)
    light = light_per_photon(response, response.depth_um)
    keep = np.linspace(0, light.shape[0] - 1, timed_energies).round().astype(int)

    def energy_term(e: int) -> np.ndarray:
        crossed = sum(made.mu_per_um[n][e] * t for n, t in made.specimen.thickness_um.items())
        coefficients = spline_coefficients(np.exp(-crossed).astype(np.float32))

        def one(j: int) -> np.ndarray:
            sharp = scale_about_centre(coefficients, float(scales[j]))
            spectrum = fft.rfft2(sharp)
            curve = response.otf[j] * response.depth_weight_um[j] * light[e, j]
            spectrum *= camera_kernel(plane, response.frequency_cy_per_um, curve)
            return spectrum

        with ThreadPoolExecutor(2) as pool:
            total = None
            for first in range(0, scales.size, 2):
                for spectrum in pool.map(one, range(first, min(first + 2, scales.size))):
                    total = spectrum if total is None else total + spectrum
        return total

    def work() -> Facts:
        total = sum(energy_term(int(e)) for e in keep)
        camera_image(total, plane)
        return {"timed_planes": int(keep.size * scales.size)}

    return work, _facts(made) | {"converged_planes": converged_planes(made)}


def plain_convolution(side: int, planes: int, energies: int, count: int) -> tuple[Work, Facts]:
    """Return plain float32 FFT convolutions on the simulation grid: transform, product, inverse."""
    shape = tuple(scene(side, planes, energies).plane.fine.shape)
    rng = np.random.default_rng(0)
    image = rng.random(shape, dtype=np.float32)
    transfer = fft.rfft2(rng.random(shape, dtype=np.float32))

    def work() -> Facts:
        for _ in range(count):
            spectrum = fft.rfft2(image, workers=2)
            spectrum *= transfer
            fft.irfft2(spectrum, s=shape, workers=2)
        return {"convolutions": count}

    return work, {"grid": list(shape)}


def converged_planes(made: Scene) -> int:
    """Return the depth nodes the package takes for this plate if it chooses them itself."""
    accuracy = replace(made.instrument.accuracy, depth_nodes="auto")
    instrument = replace(made.instrument, accuracy=accuracy)
    return int(depth_response(instrument, instrument.thick).depth_um.size)
