"""Stacks of camera frames from a light image: drift, defects, quantum noise, camera.

Defects follow the plate, the image follows the sample. X-ray quantum noise is drawn by groups of
X-rays of alike spread (`forward.quanta`).
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.camera.drift import StackDrift
from scintscope.camera.sensor import FixedPattern, expose
from scintscope.errors import InputError
from scintscope.forward.every_quantum import QuantumScene, counted_frame
from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import (
    Plane,
    camera_pixels,
    camera_spectrum,
    inverse,
    shifted,
    transform,
)
from scintscope.forward.quanta import (
    QuantaGroups,
    noise_kernels,
    quanta_groups,
    quantum_noise_spectrum,
)
from scintscope.forward.render import LightImage, group_transfer
from scintscope.instrument import Instrument
from scintscope.noise import mean_electrons_per_um2
from scintscope.response import DepthResponse
from scintscope.scintillator.defects import EmissionDefect, PlateDefects

Array = NDArray[np.float64]
Image = NDArray[Any]
Curves = MutableMapping[tuple[float, ...], Array]
"""Transfer functions of a plate's defects by their depth, or by their range of depths."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateOptics:
    """What a plate does to every frame taken with it; made once per plate.

    Parameters
    ----------
    group_kernels : tuple of array
        Kernel of each emission-defect group, in electrons per camera pixel and s.
    factor : complex array or None
        Spectrum of the factor that scattering defects and shading put on the image.
    glow : complex array or None
        Spectrum of the light of glowing spots, electrons per camera pixel and s.
    quanta : QuantaGroups
        Groups of X-rays of alike spread.
    noise_kernels : (G, rows, columns // 2 + 1) array
        Their filters.
    """

    group_kernels: tuple[Image, ...]
    factor: Image | None
    glow: Image | None
    quanta: QuantaGroups
    noise_kernels: Image


def plate_optics(
    response: DepthResponse,
    plane: Plane,
    defects: PlateDefects,
    quanta: QuantaGroups | None = None,
    curves: Curves | None = None,
) -> PlateOptics:
    """Return the per-plate parts of the frame model; ``quanta`` are grouped here if not given.

    ``curves`` spares a caller who draws many sets of defects in one plate the transfer functions of
    depths met before; it is filled.
    """
    known: Curves = {} if curves is None else curves
    table = response.frequency_cy_per_um
    area = np.float32(plane.pixel_um**2)
    groups = quanta_groups(response) if quanta is None else quanta
    return PlateOptics(
        group_kernels=tuple(
            camera_kernel(plane, table, _group_curve(response, group, known)) * area
            for group in defects.emission
        ),
        factor=_factor_spectrum(response, plane, defects, known),
        glow=_glow_spectrum(response, plane, defects, known),
        quanta=groups,
        noise_kernels=noise_kernels(groups, plane),
    )


def _group_curve(response: DepthResponse, group: EmissionDefect, known: Curves) -> Array:
    """Return the transfer function of light from a range of depths."""
    key = (group.depth_low_um, group.depth_high_um)
    if key not in known:
        known[key] = group_transfer(response, group)
    return known[key]


def _depth_curve(response: DepthResponse, depth_um: float, known: Curves) -> Array:
    """Return the transfer function of an emitter at a depth."""
    if (depth_um,) not in known:
        known[(depth_um,)] = response.otf_at(np.array([depth_um]))[0]
    return known[(depth_um,)]


def _factor_spectrum(
    response: DepthResponse, plane: Plane, defects: PlateDefects, known: Curves
) -> Image | None:
    """Return the spectrum of prod_j (1 - share_j loss_j * PSF_j) x shading, pixel included.

    Light from beyond a scattering defect crosses it as a broad cone, so its shadow is the defect's
    own image at its depth times that light (broad-source limit).
    """
    if not defects.transmission and defects.shading is None:
        return None
    factor = np.ones(plane.fine.shape, dtype=np.float32)
    for defect in defects.transmission:
        curve = _depth_curve(response, defect.depth_um, known)
        kernel = camera_kernel(plane, response.frequency_cy_per_um, curve)
        shadow = inverse(transform(defect.loss) * kernel, plane.fine.shape)
        factor *= 1.0 - np.float32(light_beyond(response, defect.depth_um)) * shadow
    if defects.shading is not None:
        factor *= defects.shading
    return transform(factor)


def light_beyond(response: DepthResponse, depth_um: float) -> float:
    """Return the share of the plate's light made between the entrance face and a depth."""
    from scintscope.quadrature import interval_nodes

    z, weight = interval_nodes(0.0, min(depth_um, response.thickness_um), 32)
    return min(float(weight @ response.k_per_um(z)), 1.0)


def _glow_spectrum(
    response: DepthResponse, plane: Plane, defects: PlateDefects, known: Curves
) -> Image | None:
    """Return the spectrum of the glowing spots' light, each at its own depth."""
    if not defects.glow:
        return None
    rate = mean_electrons_per_um2(response) / response.plate.exposure_s * plane.pixel_um**2
    total: Image | None = None
    for spot in defects.glow:
        curve = _depth_curve(response, spot.depth_um, known)
        kernel = camera_kernel(plane, response.frequency_cy_per_um, curve) * np.float32(rate)
        part = transform(spot.relative_brightness) * kernel
        total = part if total is None else total + part
    return total


@dataclass(frozen=True, kw_only=True, slots=True)
class StackJob:
    """Everything one stack of frames needs.

    Parameters
    ----------
    light : LightImage
        The noise-free light.
    uniform : bool
        Open beam: a shift of the X-ray image changes nothing.
    quantum : QuantumScene or None
        What frames drawn quantum by quantum need; None draws the fast way.
    """

    instrument: Instrument
    response: DepthResponse
    plane: Plane
    optics: PlateOptics
    light: LightImage
    drift: StackDrift
    pattern: FixedPattern
    uniform: bool
    quantum: QuantumScene | None = None


def mean_light(job: StackJob, plate_um: Array, sample_um: Array, lost: Image | None) -> Image:
    """Return the spectrum of a frame's noise-free light, electrons per camera pixel and s.

    On the camera's grid, for `plane.camera_pixels`.

    Parameters
    ----------
    job : StackJob
        The stack.
    plate_um, sample_um : (2,) array
        Positions of plate and sample.
    lost : complex array or None
        What the plate's own emission changes, from `lost_light`.
    """
    sample = (0.0, 0.0) if job.uniform else _pair(sample_um)
    spectrum = camera_spectrum(job.light.spectrum, job.plane, sample)
    if lost is not None:
        spectrum -= camera_spectrum(lost, job.plane, _pair(plate_um))
    return spectrum


def lost_light(job: StackJob, relative_um: tuple[float, float]) -> Image | None:
    """Return the spectrum of the light that defects take, less what glows, in the plate's frame.

    ``relative_um`` is the sample's displacement against the plate.
    """
    total: Image | None = None if job.optics.glow is None else -job.optics.glow
    for light, kernel in zip(job.light.defect_light, job.optics.group_kernels, strict=True):
        sharp = inverse(shifted(light.light, job.plane.fine, relative_um), job.plane.fine.shape)
        sharp *= light.loss
        part = transform(sharp)
        part *= kernel
        if total is None:
            total = part
        else:
            total += part
    return total


def noise_spectrum(
    job: StackJob, source_factor: float, sample_um: Array, rng: np.random.Generator
) -> Image:
    """Return the spectrum of one frame's X-ray quantum noise, electrons per camera pixel.

    The mean fields follow the sample to the nearest camera pixel.
    """
    pitch = job.plane.pixel_um
    steps = (0, 0) if job.uniform else tuple(round(float(s) / pitch) for s in sample_um)
    return quantum_noise_spectrum(
        group_images(job.light.quanta_per_um2_s, job.optics.quanta),
        job.optics.noise_kernels,
        job.plane,
        job.response.plate.exposure_s * source_factor,
        rng,
        (steps[0], steps[1]),
    )


def group_images(quanta_per_um2_s: Image, groups: QuantaGroups) -> Image:
    """Return the X-ray image of each group on the camera's pixels, (G, rows, columns).

    One image of all interacting X-rays is shared out between the groups as in the open
    beam.
    """
    if quanta_per_um2_s.shape[0] == groups.weights.shape[0]:
        return quanta_per_um2_s
    share = groups.rate_per_um2_s / groups.stopped_per_um2_s
    return np.asarray(quanta_per_um2_s * share.astype(np.float32)[:, None, None])


def take_stack(
    job: StackJob,
    rng_quanta: np.random.Generator,
    rng_camera: np.random.Generator,
    advance: Callable[[], None] = lambda: None,
) -> NDArray[np.uint16]:
    """Return the frames of a stack, (frames, rows, columns) uint16.

    Parameters
    ----------
    job : StackJob
        What is imaged and how it drifts.
    rng_quanta, rng_camera : numpy.random.Generator
        Streams of the X-rays and of light and camera.
    advance : callable
        Called after each frame.
    """
    noise = job.instrument.accuracy.effects.noise
    frames = np.empty((job.drift.frames, *job.plane.camera_shape), dtype=np.uint16)
    last: tuple[tuple[float, float], Image | None] | None = None
    for i in range(job.drift.frames):
        plate_um, sample_um = job.drift.plate_um[i], job.drift.sample_um[i]
        relative = (0.0, 0.0) if job.uniform else _difference(sample_um, plate_um)
        source = float(job.drift.source_factor[i])
        if job.quantum is not None and noise:
            image = _counted(job, i, rng_quanta)
        else:
            if last is None or last[0] != relative:
                last = (relative, lost_light(job, relative))
            exposure = np.float32(job.response.plate.exposure_s * source)
            spectrum = mean_light(job, plate_um, sample_um, last[1])
            spectrum *= exposure
            if noise:
                spectrum += noise_spectrum(job, source, sample_um, rng_quanta)
            image = camera_pixels(spectrum, job.plane)
            factor = _factor_image(job, plate_um)
            image = image if factor is None else image * factor
        frames[i] = expose(
            np.maximum(image, 0.0),
            job.response.plate.exposure_s,
            job.instrument.camera,
            job.pattern,
            rng_camera,
            noise,
            counted=job.quantum is not None and noise,
        )
        advance()
    return frames


def _factor_image(job: StackJob, plate_um: Array) -> Image | None:
    """Return what scattering defects and shading leave of the light in each pixel."""
    if job.optics.factor is None:
        return None
    spectrum = camera_spectrum(job.optics.factor, job.plane, _pair(plate_um))
    return camera_pixels(spectrum, job.plane)


def _counted(job: StackJob, frame: int, rng: np.random.Generator) -> Image:
    """Return the photo-electrons of one frame, every quantum drawn."""
    if job.quantum is None:
        raise InputError("this stack was not made ready for drawing every quantum.")
    plate_um = job.drift.plate_um[frame]
    exposure_s = job.response.plate.exposure_s * float(job.drift.source_factor[frame])
    glow = None
    if job.optics.glow is not None:
        moved = camera_spectrum(job.optics.glow, job.plane, _pair(plate_um))
        glow = camera_pixels(moved, job.plane) * exposure_s
    return counted_frame(
        job.quantum,
        exposure_s,
        rng,
        plate_um=_pair(plate_um),
        sample_um=(0.0, 0.0) if job.uniform else _pair(job.drift.sample_um[frame]),
        factor=_factor_image(job, plate_um),
        glow=glow,
    )


def _pair(values: Array) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _difference(a: Array, b: Array) -> tuple[float, float]:
    return float(a[0] - b[0]), float(a[1] - b[1])
