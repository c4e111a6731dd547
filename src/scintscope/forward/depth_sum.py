"""The depth sum of the depth-node form: transforms of a few images times their kernels.

What is summed is F{I} = sum_rq K_rq F{S_q X_r}, tile by tile of the transforms, so that no kernel
is ever held whole. From the same transforms follows the error, a posteriori: what the kernels miss
at each frequency (`NodeKernels.missed`) times the power that the images have there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.forward.enlargements import NodeKernels
from scintscope.forward.kernels import DenseCurve, dense_curve, read_dense, table_positions
from scintscope.forward.mixture import ImageMix
from scintscope.forward.plane import Plane, pixel_transfer, transform
from scintscope.forward.resample import scale_about_centre, spline_transfer
from scintscope.response import DepthResponse
from scintscope.sharing import share
from scintscope.threads import POOL_THREADS

Array = NDArray[np.float64]
Image = NDArray[Any]

_WORKERS = POOL_THREADS
_TILE_ROWS = 32
_POWER_ROWS = 16
"""Every such row of a transform is looked at for the power of an image."""


@dataclass(slots=True)
class DepthSum:
    """A sum of products under way.

    Parameters
    ----------
    plane : Plane
        The simulation plane.
    frequency_cy_per_um : (F,) array
        Where curves are tabulated.
    spectrum : (rows, columns // 2 + 1) complex array
        The sum so far, the pixel's aperture not yet in it.
    """

    plane: Plane
    frequency_cy_per_um: Array
    spectrum: Image

    @classmethod
    def empty(cls, plane: Plane, frequency_cy_per_um: Array, dtype: Any) -> DepthSum:
        """Return a sum of nothing."""
        rows, columns = plane.fine.shape
        kind = np.result_type(dtype, np.complex64)
        return cls(plane, frequency_cy_per_um, np.zeros((rows, columns // 2 + 1), dtype=kind))

    def add(self, part: Image, curve: Array, factors: tuple[Array, Array] | None = None) -> None:
        """Add a transform times a radial curve, and times factors along rows and columns."""
        kind = self.spectrum.real.dtype
        dense = dense_curve(self.frequency_cy_per_um, curve, kind)
        row, column = (None, None) if factors is None else (f.astype(kind) for f in factors)
        rows = self.spectrum.shape[0]
        upper = rows // 2 + 1

        def tile(first: int) -> None:
            last = min(first + _TILE_ROWS, upper)
            kernel = self._kernel(dense, first, last)
            if column is not None:
                kernel *= column
            here = np.arange(first, last)
            for place in (here, rows - here[(here > 0) & (2 * here < rows)]):
                if not place.size:
                    continue
                own = kernel if place[0] == first else kernel[rows - place - first]
                if row is not None:
                    own = own * row[place][:, None]
                low, high = int(place.min()), int(place.max()) + 1
                if place[0] > place[-1]:
                    own = own[::-1]
                self.spectrum[low:high] += part[low:high] * own

        share(tile, range(0, upper, _TILE_ROWS), _WORKERS)

    def _kernel(self, dense: DenseCurve, first: int, last: int) -> Image:
        """Return the curve on some rows of the upper half of the transform."""
        fine = self.plane.fine
        if self.spectrum.real.dtype == np.float32:
            index, share = table_positions(fine, dense.top_cy_per_um)
            return read_dense(dense, index[first:last], share[first:last])
        row2 = fine.row_frequency_cy_per_um[first:last] ** 2
        f = np.sqrt(row2[:, None] + fine.column_frequency_cy_per_um**2)
        top = dense.top_cy_per_um
        return np.asarray(np.where(f < top, dense.spline(np.minimum(f, top)), 0.0))

    def with_pixel(self) -> Image:
        """Return the sum times the camera pixel's aperture; to be called once."""
        row, column = (x.astype(self.spectrum.real.dtype) for x in pixel_transfer(self.plane))
        self.spectrum *= row[:, None]
        self.spectrum *= column
        return self.spectrum


def enlarged_transform(image: Image, scale: float) -> tuple[Image, tuple[Array, Array] | None]:
    """Return the transform of an enlarged image, and factors that it is still to be given."""
    if scale == 1.0:
        return transform(image), None
    rows, columns = image.shape
    factors = (
        1.0 / spline_transfer(rows, scale, half=False),
        1.0 / spline_transfer(columns, scale, half=True),
    )
    return transform(scale_about_centre(image, scale)), factors


def summed_light(
    response: DepthResponse,
    plane: Plane,
    images: Image,
    mix: ImageMix,
    kernels: NodeKernels,
    *,
    fluence: Image | None,
) -> tuple[Image, float]:
    """Return the light's spectrum, electrons per camera pixel and s, and its estimated error.

    Parameters
    ----------
    response, plane
        The plate and its simulation plane.
    images : (R, M, N) array
        X-ray images without penumbra.
    mix, kernels
        How the images differ; kernels of the main image and of the differences, penumbra included.
    fluence : (M, N) array or None
        What a constant image looks like.

    Returns
    -------
    spectrum : (rows, columns // 2 + 1) complex array
        Pixel aperture included.
    error : float
        Estimated rms error of the enlargements over the image's standard deviation.
    """
    frequency, kind = response.frequency_cy_per_um, images.dtype
    total = DepthSum.empty(plane, frequency, kind)
    lost, whole = 0.0, 0.0
    for number in range(images.shape[0]):
        image, power = mix.image(images, number, fluence), None
        for q in np.flatnonzero(kernels.used[number]):
            scale = float(kernels.scale[q])
            part, factors = enlarged_transform(image, scale)
            total.add(part, kernels.curves[number, q] * plane.pixel_um**2, factors)
            if power is None:
                power = ring_power(part, plane, frequency, factors)
        if power is not None:
            lost += float(np.sqrt(power @ kernels.missed[number]))
            whole = float(np.sqrt(power @ kernels.wanted[number])) if number == 0 else whole
    _add_level(total, mix, kernels, fluence)
    return total.with_pixel(), lost / whole if whole > 0.0 else 0.0


def _add_level(total: DepthSum, mix: ImageMix, kernels: NodeKernels, fluence: Image | None) -> None:
    """Add the light of the images' levels; a level is enlarged without changing."""
    curve = np.tensordot(mix.level[mix.order], kernels.curves.sum(axis=1), axes=1)
    curve *= total.plane.pixel_um**2
    if fluence is None:
        rows, columns = total.plane.fine.shape
        total.spectrum[0, 0] += float(curve[0]) * rows * columns
    elif mix.level.any():
        total.add(transform(fluence), curve)


def ring_power(
    spectrum: Image,
    plane: Plane,
    frequency_cy_per_um: Array,
    factors: tuple[Array, Array] | None = None,
) -> Array:
    """Return the power of a transform around each tabulated frequency, (F,), the mean left out.

    Some rows stand for all; those of low frequency are all taken.
    """
    fine, rows = plane.fine, spectrum.shape[0]
    near = np.arange(1, min(_POWER_ROWS, rows // 2))
    every = np.arange(_POWER_ROWS, rows - _POWER_ROWS, _POWER_ROWS)
    result = np.zeros(frequency_cy_per_um.size)
    middle = 0.5 * (frequency_cy_per_um[1:] + frequency_cy_per_um[:-1])
    weight = np.full(spectrum.shape[1], 2.0)
    weight[0] = 1.0
    for chosen, times in ((np.array([0]), 1.0), (near, 1.0), (-near, 1.0), (every, _POWER_ROWS)):
        if not chosen.size:
            continue
        part = spectrum[chosen]
        power = (part.real**2 + part.imag**2).astype(np.float64) * weight * times
        if factors is not None:
            power *= (factors[0][chosen, None] * factors[1][None, :]) ** 2
        f = np.hypot(fine.row_frequency_cy_per_um[chosen, None], fine.column_frequency_cy_per_um)
        power[f == 0.0] = 0.0
        bins = np.searchsorted(middle, f.ravel())
        result += np.bincount(bins, power.ravel(), minlength=result.size)[: result.size]
    return result
