"""Is one generalized PSF enough? The exact image against the single-PSF image, without noise.

Exact: Eq. 1 of Zhou et al. 2025, every depth at its own size and blur. Single: Eq. 2, the X-ray
image at one size, convolved with PSF_all = sum_z k(z) PSF(z) of the open beam on axis. Judged on
camera pixels, a border of one kernel radius left out, errors over the standard deviation of the
exact image. Two sizes: that of the entrance face (Eq. 2 as printed), and the one that a
registration would find (best scale and shift; the system is axially symmetric, so that no rotation
arises).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.forward.kernels import camera_kernel
from scintscope.forward.plane import blur_radius_um, camera_image, shifted, transform
from scintscope.forward.render import Scene, XrayImages, light_image
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.response import mean_transfer

Image = NDArray[Any]

_PASSES = 3
_PROBE_PX = 0.25
"""The image's derivative in scale is taken over a quarter of a pixel at the field's edge."""

EDGE_FROM = 0.9
"""The field's edge is its outer tenth: beyond 0.9 of half its shorter side."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Similarity:
    """How the single-PSF image is laid on the exact one: scale about the axis, then shift."""

    scale: float = 1.0
    shift_um: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class SinglePsf:
    """The verdict on Eq. 2.

    Parameters
    ----------
    exact, entrance, registered : (M, N) array
        Camera images, electrons per pixel and s.
    similarity : Similarity
        Of the registered image.
    border_px : int
        Left out of every number.
    rms_relative_error, edge_relative_error, rms_relative_error_entrance : float
        Over std(exact): registered, its edge, entrance.
    terms : int
        Transforms the exact image took.
    """

    exact: Image
    entrance: Image
    registered: Image
    similarity: Similarity
    border_px: int
    rms_relative_error: float
    edge_relative_error: float
    rms_relative_error_entrance: float
    terms: int


class SingleImage:
    """Renders the single-PSF image of a scene at any scale and shift."""

    def __init__(self, scene: Scene, xray: XrayImages, dtype: Any = np.float32) -> None:
        response, self._plane = scene.response, scene.plane
        sharp = np.zeros(scene.plane.fine.shape, dtype=dtype)
        depth_sums = xray.basis.weights @ response.depth_weight_um
        for weight, image in zip(depth_sums, xray.images, strict=True):
            sharp += dtype(weight) * image
        self.sharp = sharp
        self._coefficients = spline_coefficients(sharp)
        table = response.frequency_cy_per_um
        self._kernel = camera_kernel(self._plane, table, mean_transfer(response), dtype)
        self._kernel *= dtype(self._plane.pixel_um**2)

    def __call__(self, similarity: Similarity) -> Image:
        """Return the camera image, electrons per pixel and s."""
        sharp = self.sharp
        if similarity.scale != 1.0:
            sharp = scale_about_centre(self._coefficients, similarity.scale)
        spectrum = shifted(transform(sharp) * self._kernel, self._plane.fine, similarity.shift_um)
        return camera_image(spectrum, self._plane)


def judge_single_psf(scene: Scene, xray: XrayImages, dtype: Any = np.float32) -> SinglePsf:
    """Return the verdict on Eq. 2 for one specimen on one plate."""
    light = light_image(scene, xray, dtype=dtype)
    exact = camera_image(light.spectrum, scene.plane)
    single = SingleImage(scene, xray, dtype)
    border = border_px(scene, exact.shape)
    entrance = single(Similarity())
    similarity = register(single, exact, scene, border)
    registered = entrance if similarity == Similarity() else single(similarity)
    return SinglePsf(
        exact=exact,
        entrance=entrance,
        registered=registered,
        similarity=similarity,
        border_px=border,
        rms_relative_error=relative_error(registered, exact, border),
        edge_relative_error=edge_error(registered, exact, border),
        rms_relative_error_entrance=relative_error(entrance, exact, border),
        terms=light.terms,
    )


def border_px(scene: Scene, shape: tuple[int, ...]) -> int:
    """Return one kernel radius in camera pixels, at most a quarter of the image."""
    radius = int(np.ceil(blur_radius_um(scene.response) / scene.plane.pixel_um)) + 2
    return min(radius, min(shape) // 4)


def inner(image: Image, border: int) -> Image:
    """Return an image without its border."""
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


def relative_error(image: Image, exact: Image, border: int) -> float:
    """Return RMS(image - exact) / std(exact) inside the border; 0 for two equal flat images."""
    wanted = inner(exact, border).astype(np.float64)
    difference = inner(image, border).astype(np.float64) - wanted
    return _over(float(np.sqrt(np.mean(difference**2))), float(wanted.std()))


def edge_error(image: Image, exact: Image, border: int) -> float:
    """Return the RMS error over the outer tenth of the field, over std(exact) of the whole."""
    wanted = inner(exact, border).astype(np.float64)
    difference = inner(image, border).astype(np.float64) - wanted
    rows, columns = (np.arange(n) - 0.5 * (n - 1) for n in wanted.shape)
    radius = np.hypot(rows[:, None], columns[None, :])
    outside = radius >= EDGE_FROM * 0.5 * min(wanted.shape)
    return _over(float(np.sqrt(np.mean(difference[outside] ** 2))), float(wanted.std()))


def _over(error: float, scale: float) -> float:
    if scale == 0.0:
        return 0.0 if error == 0.0 else float("inf")
    return error / scale


def register(single: SingleImage, exact: Image, scene: Scene, border: int) -> Similarity:
    """Return the scale and shift that bring the single-PSF image nearest to the exact one.

    Gauss-Newton on scale and shift; starts at the mean size of the light image.
    """
    if scene.plane.entrance_mm == np.inf and not np.isfinite(
        scene.instrument.lens.pupil_distance_mm
    ):
        return Similarity()
    half_px = 0.5 * max(exact.shape)
    step = _PROBE_PX / half_px
    found = Similarity()
    for _ in range(_PASSES):
        here = single(found)
        scaled = single(Similarity(scale=found.scale + step, shift_um=found.shift_um))
        slopes = [inner((scaled - here) / step, border), *_shift_slopes(here, scene, border)]
        basis = np.stack([s.ravel().astype(np.float64) for s in slopes], axis=1)
        residual = inner(exact, border).astype(np.float64) - inner(here, border)
        change, *_ = np.linalg.lstsq(basis, residual.ravel(), rcond=None)
        found = Similarity(
            scale=found.scale + float(change[0]),
            shift_um=(found.shift_um[0] + float(change[1]), found.shift_um[1] + float(change[2])),
        )
        if abs(change[0]) * half_px < 1e-3:
            break
    return found


def _shift_slopes(image: Image, scene: Scene, border: int) -> tuple[Image, Image]:
    """Return the image's derivatives in a shift, per um (central differences)."""
    row, column = np.gradient(image, scene.plane.pixel_um)
    return -inner(row, border), -inner(column, border)
