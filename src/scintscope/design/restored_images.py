"""Richardson and Lucy on images of the chosen few, of weak and of full contrast.

The objective ``mse_richardson_lucy`` is linear about a flat field. Here the package's own
Richardson-Lucy restores simulated frames for as many steps: of the objective's object, and of one
that is opaque over half of the field. What is left is counted as the objective counts it, within
the camera's Nyquist radius over the object's variance there.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.design.images import (
    Images,
    band_variance,
    camera_truth,
    full_images,
    noisy,
    periodic_camera,
    radius,
    weak_images,
)
from scintscope.design.model import Curves
from scintscope.design.objectives import richardson_lucy_filter
from scintscope.design.optimise import Found, judged_curves
from scintscope.design.study import Study
from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import fold_power
from scintscope.grids import Grid
from scintscope.response import depth_response, mean_transfer
from scintscope.restoration.richardson_lucy import richardson_lucy

Array = NDArray[np.float64]

KIND = "mse_richardson_lucy"
SHAPE, FRAMES = (256, 256), 4
"""Camera pixels of an image, and frames whose errors are averaged."""
LEAST_BIN_KEV = 2.0
"""Of a tube's spectrum: images do not need the curves' bins, and take a third of the time."""


def judged_few(results_of: Mapping[str, Found], study: Study) -> dict[str, Found]:
    """Return the designs whose images are made: the first objective's optimum and those of `KIND`.

    Parameters
    ----------
    results_of : dict of str to Found
        Optimum of every objective.
    study : Study
        Its objectives.
    """
    wanted = [study.objectives[0].label, *(o.label for o in study.objectives if o.kind == KIND)]
    few: dict[str, Found] = {}
    for name in dict.fromkeys(wanted):
        if all(other.design != results_of[name].design for other in few.values()):
            few[name] = results_of[name]
    return few


def restored_images(study: Study, models: list[Any], found: Found) -> dict[str, dict[str, float]]:
    """Return what Richardson and Lucy leave of images of a design, by objective of that kind.

    Parameters
    ----------
    study : Study
        Its objectives of the kind ``mse_richardson_lucy`` say object and steps.
    models : list of DesignModel
        One for each combination of names.
    found : Found
        The design.
    """
    model = models[study.choices().index(dict(found.choice))]
    instrument, plate = study.family(found.choice).instrument(
        {key: found.values[key] for key in model.keys}
    )
    accuracy = instrument.accuracy
    coarse = replace(accuracy, energy_bin_kev=max(accuracy.energy_bin_kev, LEAST_BIN_KEV))
    response = depth_response(replace(instrument, accuracy=coarse), plate)
    camera = periodic_camera(instrument, response, SHAPE)
    curves = judged_curves(study, model, found.values)[2]
    rows = {}
    for objective in (o for o in study.objectives if o.kind == KIND):
        rng = np.random.default_rng(zlib.crc32(objective.label.encode()))
        weak = weak_images(camera, objective, rng)
        full = full_images(camera, objective, rng)
        variance = band_variance(objective, 0.5 / response.pixel_um)
        rows[objective.label] = {
            "linearised": float(objective.value(curves)),
            "images": images_error(weak, objective.iterations, rng) / variance,
            "rms_contrast": objective.contrast,
            "full_contrast_linearised": linear_error(full, curves, objective.iterations)
            / truth_variance(full),
            "full_contrast_images": images_error(full, objective.iterations, rng)
            / truth_variance(full),
            "full_contrast_iterations": float(objective.iterations),
        }
    return rows


def plate_kernel(images: Images) -> Array:
    """Return the plate's point-spread function on the camera's pixels, unit sum, (m, n).

    The pixel's mean is in it; sampled in pixel centres, so that its transform holds the aliases.
    """
    response, plane = images.response, images.plane
    frequency, transfer = response.frequency_cy_per_um, mean_transfer(response)
    whole = camera_kernel(plane, frequency, transfer, np.float64, area_means=False)
    kernel = np.fft.fftshift(np.fft.irfft2(fold_power(whole, plane), s=plane.camera_shape))
    # what a sampled PSF has below zero is the cut at the fine grid's Nyquist frequency
    kernel = np.maximum(kernel, 0.0)
    return np.asarray(kernel / kernel.sum())


def images_error(
    images: Images, iterations: int, rng: np.random.Generator, frames: int = FRAMES
) -> float:
    """Return the mean square error of restored frames within the Nyquist radius."""
    kernel, truth = plate_kernel(images), camera_truth(images)
    inside = _inside(images.grid)
    total = 0.0
    for frame in noisy(images, 1.0, frames, rng):
        seen = np.maximum(1.0 + frame, 0.0)
        restored = richardson_lucy(
            seen, kernel, iterations=iterations, boundary="periodic"
        ).estimate
        left = inside * (np.fft.rfft2(restored - 1.0) - truth)
        total += float(np.mean(np.fft.irfft2(left, s=images.grid.shape) ** 2)) / frames
    return total


def linear_error(images: Images, curves: Curves, iterations: int) -> float:
    """Return what the linear formula says of the images' own object and the flat's noise."""
    grid, inside = images.grid, _inside(images.grid)
    f = np.where(inside, radius(grid), 0.0)
    t = np.interp(f, curves.frequency_cy_per_um, curves.transfer)
    noise = np.interp(f, curves.frequency_cy_per_um, curves.normalised_nps_um2)
    gain = np.asarray(richardson_lucy_filter(t, iterations))
    truth = np.fft.irfft2(inside * (1.0 - gain * t) * camera_truth(images), s=grid.shape)
    weight = np.full(inside.shape, 2.0)  # of a half transform
    weight[:, 0] = 1.0
    cell = 1.0 / (grid.shape[0] * grid.shape[1] * grid.pixel_um**2)
    return float(np.mean(truth**2) + (weight * inside * gain**2 * noise).sum() * cell)


def truth_variance(images: Images) -> float:
    """Return the variance of the images' object within the Nyquist radius."""
    band = np.fft.irfft2(_inside(images.grid) * camera_truth(images), s=images.grid.shape)
    return float(np.mean(band**2))


def _inside(grid: Grid) -> NDArray[np.bool_]:
    """Return which frequencies count: below Nyquist, the mean aside."""
    inside = radius(grid) < 0.5 / grid.pixel_um
    inside[0, 0] = False
    return inside


def images_sentence(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return the restored images of the first design in a sentence; empty if there are none."""
    for design, by_objective in rows.items():
        for label, row in by_objective.items():
            return (
                f"At the optimum of {design}, {row['full_contrast_iterations']:.0f} steps of "
                f"Richardson and Lucy on simulated frames leave {row['images']:.3g} of the "
                f"object's variance at {row['rms_contrast']:.0%} contrast ({label}, linearised: "
                f"{row['linearised']:.3g}) and {row['full_contrast_images']:.3g} at full contrast "
                f"(linearised: {row['full_contrast_linearised']:.3g})."
            )
    return ""
