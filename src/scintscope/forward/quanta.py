"""The fast sampler of X-ray quantum noise: a few filtered Poisson fields per frame.

Events come in groups of alike spread (`scintscope.noise.groups`). For each group the first
collisions of one frame are drawn in the camera's pixels as Poisson counts about the group's X-ray
image, centred, and filtered with the root of the group's power as the camera samples it. The sum
has the exact noise power on a flat field, aliases included; Poisson light and the camera are drawn
afterwards from the image.

A filtered field can only stand for single X-rays where many overlap. With N X-rays under a pixel's
point-spread function (`QuantaGroups.quanta_per_psf`) the relative noise is N^(-1/2); from N =
`LEAST_QUANTA` on, zero light is 5 standard deviations away and the cut at zero without effect.
With fewer, ``accuracy.noise_sampler = "auto"`` draws every quantum (`forward.brute_force`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.camera.poisson import parallel_poisson
from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import Plane, fold_power, transform
from scintscope.forward.slabs import over_rows
from scintscope.grids import bin_mean
from scintscope.noise.groups import QuantaGroups, quanta_groups

Image = NDArray[Any]

LEAST_QUANTA = 25.0
"""X-rays under a pixel's point-spread function below which every quantum is drawn."""

__all__ = [
    "LEAST_QUANTA",
    "QuantaGroups",
    "camera_means",
    "draws_every_quantum",
    "noise_kernels",
    "quanta_groups",
    "quantum_noise_spectrum",
]


def draws_every_quantum(sampler: str, groups: QuantaGroups) -> bool:
    """Return whether a plate's frames are drawn quantum by quantum.

    Parameters
    ----------
    sampler : {"auto", "fast", "every_quantum"}
        ``accuracy.noise_sampler``.
    groups : QuantaGroups
        Of the plate.
    """
    if sampler == "auto":
        return groups.quanta_per_psf < LEAST_QUANTA
    return sampler == "every_quantum"


def noise_kernels(groups: QuantaGroups, plane: Plane) -> Image:
    """Return each group's filter on the camera's frequencies, (G, rows, columns // 2 + 1) float32.

    A count of one in a camera pixel becomes electrons per camera pixel. Power that the camera's
    sampling folds back is in it: root of the sum over aliases, with the sign of the base band.
    """
    return np.stack([_folded_kernel(groups, curve, plane) for curve in groups.amplitude])


def _folded_kernel(groups: QuantaGroups, curve: Image, plane: Plane) -> Image:
    table, (rows, columns) = groups.frequency_cy_per_um, plane.padded_shape
    fine = camera_kernel(plane, table, curve, area_means=False)
    folded = fold_power(fine**2, plane)
    base = (np.fft.fftfreq(rows) * rows).astype(np.intp) % plane.fine.shape[0]
    sign = np.sign(fine[base, : columns // 2 + 1])
    return np.asarray(np.where(sign < 0.0, -1.0, 1.0) * np.sqrt(folded), dtype=np.float32)


def camera_means(images: Image, plane: Plane) -> Image:
    """Return the means of fine images over the camera's pixels, (G, rows, columns)."""
    o, (rows, columns) = plane.oversampling, plane.padded_shape
    means = np.empty((images.shape[0], rows, columns), dtype=images.dtype)

    def slab(part: slice) -> None:
        means[:, part] = bin_mean(images[:, part.start * o : part.stop * o], o)

    over_rows(slab, (rows, columns))
    return means


def quantum_noise_spectrum(
    quanta_per_um2_s: Image,
    kernels: Image,
    plane: Plane,
    exposure_s: float,
    rng: np.random.Generator,
    steps: tuple[int, int] = (0, 0),
) -> Image:
    """Return the spectrum of one frame's X-ray quantum noise, electrons per camera pixel.

    Parameters
    ----------
    quanta_per_um2_s : (G, rows, columns) array
        Mean X-rays of each group on the camera's pixels (`camera_means`): `QuantaGroups.weights`
        times the sample's transmission, summed over energy.
    kernels : (G, rows, columns // 2 + 1) array
        From `noise_kernels`.
    plane : Plane
        The simulation plane; rows and columns are its padded camera.
    exposure_s : float
        Of the frame, flicker of the source included.
    rng : numpy.random.Generator
        Four words are drawn from it per group; the result is the same on any number of threads.
    steps : (int, int)
        Camera pixels by which the image has moved.

    Returns
    -------
    (rows, columns // 2 + 1) complex64 array
        For `plane.camera_pixels`.
    """
    scale = np.float32(exposure_s * plane.pixel_um**2)
    total: Image | None = None
    for image, kernel in zip(quanta_per_um2_s, kernels, strict=True):
        moved = np.roll(image, steps, axis=(0, 1)) if any(steps) else image
        mean = np.maximum(moved, np.float32(0.0)) * scale
        field = parallel_poisson(mean, rng, dtype=np.float32)
        field -= mean
        part = transform(field)
        part *= kernel
        total = part if total is None else np.add(total, part, out=total)
    return np.asarray(total)
