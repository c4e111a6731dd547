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
from scintscope.forward.plane import Plane, blur_radius_um, camera_image, shifted, transform
from scintscope.forward.render import Scene, XrayImages, light_image
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.simulate import RenderedLight, truth_of
from scintscope.response import DepthResponse, mean_transfer

Image = NDArray[Any]

_PASSES = 3
_PROBE_PX = 0.25
"""The image's derivative in scale is taken over a quarter of a pixel at the field's edge."""

_SETTLED_PX = 1e-3
_ROUNDING = 1e-6
"""Images that differ by less than this share of their maximum are the same in float32."""

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
    """Renders the single-PSF image of a sample at any scale and shift."""

    def __init__(self, sharp: Image, response: DepthResponse, plane: Plane) -> None:
        self._sharp, self._plane = sharp, plane
        self._coefficients = spline_coefficients(sharp)
        curve = mean_transfer(response) * plane.pixel_um**2
        table = response.frequency_cy_per_um
        self._kernel = camera_kernel(plane, table, curve, sharp.dtype.type)

    def __call__(self, similarity: Similarity) -> Image:
        """Return the camera image, electrons per pixel and s."""
        sharp = self._sharp
        if similarity.scale != 1.0:
            sharp = scale_about_centre(self._coefficients, similarity.scale)
        spectrum = shifted(transform(sharp) * self._kernel, self._plane.fine, similarity.shift_um)
        return camera_image(spectrum, self._plane)


def judge_single_psf(scene: Scene, xray: XrayImages, dtype: Any = np.float32) -> SinglePsf:
    """Return the verdict on Eq. 2 for one scene, rendered here."""
    return judge_light(truth_of(light_image(scene, xray, dtype=dtype)), scene.response, scene.plane)


def judge_light(light: RenderedLight, response: DepthResponse, plane: Plane) -> SinglePsf:
    """Return the verdict on Eq. 2 for light already rendered."""
    exact = camera_image(light.spectrum, plane)
    single = SingleImage(light.sharp, response, plane)
    border = border_px(response, plane, exact.shape)
    entrance = single(Similarity())
    similarity = register(single, exact, border, plane.pixel_um)
    registered = single(similarity)
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


def border_px(response: DepthResponse, plane: Plane, shape: tuple[int, ...]) -> int:
    """Return one kernel radius in camera pixels, at most a quarter of the image."""
    radius = int(np.ceil(blur_radius_um(response) / plane.pixel_um)) + 2
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
    return _over(edge_rms(difference), float(wanted.std()))


def edge_rms(difference: Image) -> float:
    """Return the RMS of a map over the outer tenth of its field."""
    rows, columns = (np.arange(n) - 0.5 * (n - 1) for n in difference.shape)
    radius = np.hypot(rows[:, None], columns[None, :])
    outside = radius >= EDGE_FROM * 0.5 * min(difference.shape)
    return float(np.sqrt(np.mean(difference[outside] ** 2)))


def _over(error: float, scale: float) -> float:
    if scale == 0.0:
        return 0.0 if error == 0.0 else float("inf")
    return error / scale


def register(single: SingleImage, exact: Image, border: int, pixel_um: float) -> Similarity:
    """Return the scale and shift that bring the single-PSF image nearest to the exact one.

    Gauss-Newton; each pass solves the linearised least squares by its normal equations. Where the
    images agree already (parallel beam, telecentric lens) it stays at unity.
    """
    half_px = 0.5 * max(exact.shape)
    step = _PROBE_PX / half_px
    found = Similarity()
    for _ in range(_PASSES):
        here = single(found)
        residual = inner(exact, border).astype(np.float64) - inner(here, border)
        if np.abs(residual).max() <= _ROUNDING * np.abs(exact).max():
            break
        scaled = single(Similarity(scale=found.scale + step, shift_um=found.shift_um))
        slopes = [inner((scaled - here) / step, border), *_shift_slopes(here, border, pixel_um)]
        change = _solve([x.astype(np.float64).ravel() for x in slopes], residual.ravel())
        found = Similarity(
            scale=found.scale + float(change[0]),
            shift_um=(found.shift_um[0] + float(change[1]), found.shift_um[1] + float(change[2])),
        )
        if abs(change[0]) * half_px < _SETTLED_PX:
            break
    return found


def _solve(columns: list[Image], residual: Image) -> NDArray[np.float64]:
    """Return the least-squares solution for a few long columns; zero for empty ones."""
    normal = np.array([[a @ b for b in columns] for a in columns])
    right = np.array([a @ residual for a in columns])
    return np.asarray(np.linalg.lstsq(normal, right)[0])


def _shift_slopes(image: Image, border: int, pixel_um: float) -> tuple[Image, Image]:
    """Return the image's derivatives in a shift, per um (central differences)."""
    row, column = np.gradient(image, pixel_um)
    return -inner(row, border), -inner(column, border)
