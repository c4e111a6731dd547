"""The noise-free light image of the paper's thick plate, by the fast form and by plane loops."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import fft

from scintscope.forward import Experiment, planes, set_up
from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import camera_image, depth_scale, obliquity
from scintscope.forward.render import Scene, light_image, noise_free_frame, xray_images
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.simulate import Bench
from scintscope.forward.terms import light_per_photon
from scintscope.response import depth_response
from scintscope.scenario import load_scenario

PAPER = Path(__file__).parents[2] / "scenarios" / "paper.toml"
FIELD_UM = 2662.4
"""The paper's field: 2048 pixels of 1.3 um."""

LIGHTEST_KEV, HARDEST_KEV = 1.5, 50.0


def scene(side: int, planes: int, energies: int) -> Scene:
    """Return the paper's bench with a fish (tissue and bone) on a simulation grid of a side.

    The camera has as many pixels as leave room for the margin that the blur needs; the specimen
    fills the field.
    """
    camera = (side - margin_px(side)) // 2
    bench = _bench(
        [
            f"camera.shape=[{camera},{camera}]",
            f"specimen.length_um={0.9 * FIELD_UM * camera / 2048:.1f}",
            f"accuracy.depth_nodes={planes}",
            *_spectrum(energies),
        ]
    )
    return _cut_energies(bench.scene("thick", "specimen"), energies)


def _bench(sets: list[str]) -> Bench:
    scenario = load_scenario(PAPER, ["accuracy.oversampling=2", *sets])
    return set_up(
        Experiment(
            instrument=scenario.instrument(),
            acquisition=scenario.acquisition,
            samples={"specimen": scenario.specimen},
            absorbers=scenario.absorbers,
        )
    )


def margin_px(side: int) -> int:
    """Return by how much the simulation grid exceeds twice the camera, for a camera of its size."""
    camera = side // 2
    sets = [f"camera.shape=[{camera},{camera}]", f"specimen.length_um={camera}"]
    bench = _bench([*sets, "accuracy.depth_nodes=8", "accuracy.energy_bin_kev=5.0"])
    return int(bench.planes["thick"].fine.shape[0]) - 2 * camera


def _spectrum(energies: int) -> list[str]:
    """Return settings that give at least so many energies."""
    width = (HARDEST_KEV - LIGHTEST_KEV) / max(energies, 10)
    return [f"accuracy.energy_bin_kev={min(max(width, 0.05), 5.0):.3f}"]


def _cut_energies(made: Scene, energies: int) -> Scene:
    """Return the scene with every so many energies, spread evenly over its spectrum."""
    have = made.response.spectrum.energy_kev.size
    if have <= energies:
        return made
    keep = np.unique(np.linspace(0, have - 1, energies + 2)[1:-1].round().astype(int))
    response = made.response
    spectrum = replace(
        response.spectrum,
        **{
            name: value[keep]
            for name, value in _arrays(response.spectrum).items()
            if value.shape[0] == have
        },
    )
    interaction = replace(
        response.interaction,
        **{
            name: value[keep]
            for name, value in _arrays(response.interaction).items()
            if value.shape[0] == have
        },
    )
    return replace(
        made,
        response=replace(response, spectrum=spectrum, interaction=interaction),
        mu_per_um={name: mu[keep] for name, mu in made.mu_per_um.items()},
    )


def _arrays(part: object) -> dict[str, np.ndarray]:
    names = part.__dataclass_fields__  # type: ignore[attr-defined]
    found = {name: getattr(part, name) for name in names}
    return {name: v for name, v in found.items() if isinstance(v, np.ndarray) and v.ndim}


def _facts(made: Scene) -> dict:
    return {
        "grid": list(made.plane.fine.shape),
        "planes": int(made.response.depth_um.size),
        "energies": int(made.response.spectrum.energy_kev.size),
        "materials": list(made.specimen.thickness_um),
    }


def scintscope(side: int, planes: int, energies: int, save: str = ""):
    """Return the fast form: X-ray images and light image of a new specimen."""
    made = scene(side, planes, energies)

    def work() -> dict:
        light = light_image(made, xray_images(made))
        if save:
            np.save(save, noise_free_frame(light, made.plane, 1.0))
        return {"transforms": light.terms, "estimated_error": light.error}

    return work, _facts(made)


def plane_by_plane(side: int, planes: int, energies: int, timed_depths: int):
    """Return Eq. 1 as the package's own reference computes it, at a few of the depths."""
    made = scene(side, planes, energies)
    part = at_depths(made, timed_depths)

    def work() -> dict:
        reference(part)
        return {"timed_planes": timed_depths * made.response.spectrum.energy_kev.size}

    return work, _facts(made)


def at_depths(made: Scene, count: int) -> Scene:
    """Return a scene whose depth sum has only so many of its depths."""
    have = made.response.depth_um.size
    keep = np.unique(np.linspace(0, have - 1, count).round().astype(int))
    cut = {
        name: value[keep]
        for name, value in _arrays(made.response).items()
        if value.shape[0] == have
    }
    return replace(made, response=replace(made.response, **cut))


def reference(made: Scene) -> np.ndarray:
    """Return the package's plane-by-plane image."""
    return planes.plane_by_plane(made)


def exact(side: int, planes: int, energies: int, save: str):
    """Return the whole plane-by-plane image; its X-ray images are summed tile by tile, threaded.

    The sum over energies is the reference's, term by term in float64, but on tiles that stay in
    the cache and in two threads: at this size the package's own takes half an hour.
    """
    made = scene(side, planes, energies)

    def work() -> None:
        np.save(save, whole_reference(made))

    return work, _facts(made)


def whole_reference(made: Scene) -> np.ndarray:
    """Return `planes.plane_by_plane` with the X-ray images of `xray_tiled`."""
    original = planes.xray_at_depth
    planes.xray_at_depth = xray_tiled  # type: ignore[assignment]
    try:
        return planes.plane_by_plane(made)
    finally:
        planes.xray_at_depth = original


def xray_tiled(made: Scene, z_um: float) -> np.ndarray:
    """Return X_z(x) = sum_E c_E(z) T_E(x), oblique paths included, tile by tile."""
    excess, _ = obliquity(made.plane, made.instrument.accuracy.effects)
    rows, columns = made.plane.fine.shape
    path = np.zeros((rows, columns)) if excess is None else excess.astype(np.float64)
    plate = made.response.interaction.attenuation_per_um
    light = light_per_photon(made.response, np.array([z_um]))[:, 0]
    image = np.empty((rows, columns))
    thickness = made.specimen.thickness_um

    def one(first: int) -> None:
        part = slice(first, first + 16)
        longer = path[part]
        total = np.zeros(longer.shape)
        maps = {name: (1.0 + longer) * value[part] for name, value in thickness.items()}
        for e in range(plate.size):
            exponent = (-plate[e] * z_um) * longer
            for name, crossed in maps.items():
                exponent -= made.mu_per_um[name][e] * crossed
            total += light[e] * np.exp(exponent)
        image[part] = total / (1.0 + longer) ** 2

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(0, rows, 16)))
    return image


def separable_loop(side: int, planes: int, energies: int, timed_energies: int):
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

    def work() -> dict:
        total = sum(energy_term(int(e)) for e in keep)
        camera_image(total, plane)
        return {"timed_planes": int(keep.size * scales.size)}

    return work, _facts(made) | {"converged_planes": converged_planes(made)}


def plain_convolution(side: int, planes: int, energies: int, count: int):
    """Return plain float32 FFT convolutions on the simulation grid: transform, product, inverse."""
    shape = tuple(scene(side, planes, energies).plane.fine.shape)
    rng = np.random.default_rng(0)
    image = rng.random(shape, dtype=np.float32)
    transfer = fft.rfft2(rng.random(shape, dtype=np.float32))

    def work() -> dict:
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
