"""The noise-free light image of the paper's thick plate, by the fast form and by plane loops."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from scenes import scene
from scipy import fft, ndimage, signal

from scintscope.forward import planes as reference
from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import camera_image, depth_scale
from scintscope.forward.render import Scene, light_image, noise_free_frame, xray_images
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.terms import light_per_photon
from scintscope.response import depth_response

Work = Callable[[], Any]
Facts = dict[str, Any]

PLAIN_KERNEL = 255
"""Side of the PSF of the plain loop, samples of the simulation grid."""


def _facts(made: Scene) -> Facts:
    return {
        "grid": list(made.plane.fine.shape),
        "camera": list(made.plane.camera_shape),
        "planes": int(made.response.depth_um.size),
        "energies": int(made.response.spectrum.energy_kev.size),
        "materials": list(made.specimen.thickness_um),
    }


def scintscope(
    side: int, planes: int, energies: int, save: str = "", as_wide_as: int = 0, count: int = 1
) -> tuple[Work, Facts]:
    """Return the fast form: X-ray images and light image of a new specimen, ``count`` times."""
    made = scene(side, planes, energies, as_wide_as)

    def work() -> Facts:
        for _ in range(count):
            light = light_image(made, xray_images(made))
        if save:
            np.save(save, noise_free_frame(light, made.plane, 1.0))
        return {"transforms": light.terms, "estimated_error": light.error}

    return work, _facts(made) | {"images": count}


def exact(
    side: int, planes: int, energies: int, save: str, as_wide_as: int = 0
) -> tuple[Work, Facts]:
    """Return the package's own reference, Eq. 1 in float64: all depths, all energies."""
    made = scene(side, planes, energies, as_wide_as)

    def work() -> None:
        np.save(save, reference.plane_by_plane(made))

    return work, _facts(made)


def _crossed(made: Scene, energy: int) -> np.ndarray:
    """Return the specimen's transmission at one energy."""
    thickness = made.specimen.thickness_um
    crossed = sum(made.mu_per_um[n][energy] * t for n, t in thickness.items())
    return np.exp(-crossed).astype(np.float32)


def _scales(made: Scene) -> np.ndarray:
    response, pupil_mm = made.response, made.instrument.lens.pupil_distance_mm
    effects = made.instrument.accuracy.effects
    return depth_scale(response.depth_um, made.plane, response, pupil_mm, effects)


def _curve(made: Scene, depth: int, weight: float) -> np.ndarray:
    response = made.response
    return response.otf[depth] * response.depth_weight_um[depth] * weight


def plain_loop(side: int, planes: int, energies: int, timed_planes: int) -> tuple[Work, Facts]:
    """Return what a plain scipy loop does: each (energy, depth) resampled and convolved by itself.

    ``scipy.ndimage.affine_transform`` (cubic splines) and ``scipy.signal.fftconvolve``, float32,
    with point-spread functions made beforehand. The planes timed are spread over two energies.
    """
    made = scene(side, planes, energies)
    scales, shape = _scales(made), made.plane.fine.shape
    light = light_per_photon(made.response, made.response.depth_um)
    depths = np.linspace(0, scales.size - 1, -(-timed_planes // 2)).round().astype(int)
    cut = tuple(slice((n - PLAIN_KERNEL) // 2, (n + PLAIN_KERNEL) // 2) for n in shape)
    psfs = {}
    for j in depths:
        curve = _curve(made, int(j), 1.0)
        kernel = camera_kernel(made.plane, made.response.frequency_cy_per_um, curve)
        psfs[int(j)] = np.fft.fftshift(fft.irfft2(kernel, s=shape))[cut]
    centre = (np.array(shape) - 1) / 2.0

    def work() -> Facts:
        total = np.zeros(shape, dtype=np.float32)
        for energy in (light.shape[0] // 3, 2 * light.shape[0] // 3):
            seen = _crossed(made, energy)
            for j in depths:
                ratio = 1.0 / scales[j]
                sharp = ndimage.affine_transform(
                    seen, [ratio, ratio], centre * (1.0 - ratio), order=3, mode="nearest"
                )
                blurred = signal.fftconvolve(sharp, psfs[int(j)], mode="same")
                total += np.float32(light[energy, j]) * blurred
        return {"timed_planes": 2 * depths.size}

    return work, _facts(made)


def separable_loop(
    side: int, planes: int, energies: int, timed_energies: int
) -> tuple[Work, Facts]:
    """Return the best plane loop: float32, one prefilter an energy, planes in two threads."""
    made = scene(side, planes, energies)
    response, plane, scales = made.response, made.plane, _scales(made)
    light = light_per_photon(response, response.depth_um)
    keep = np.linspace(0, light.shape[0] - 1, timed_energies).round().astype(int)

    def energy_term(e: int) -> np.ndarray:
        coefficients = spline_coefficients(_crossed(made, e))

        def one(j: int) -> np.ndarray:
            spectrum = fft.rfft2(scale_about_centre(coefficients, float(scales[j])))
            curve = _curve(made, j, light[e, j])
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
