"""Where the lens's field enters the light image of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scintscope.forward.enlargements import NodeKernels
from scintscope.forward.field_blur import (
    FieldOptics,
    field_products,
    harmonic_frequencies,
    harmonic_table,
    radial_power,
    ring_power,
    slow_power,
    spread_um,
    tabulated,
)
from scintscope.forward.plane import Plane, pixel_transfer
from scintscope.forward.space_variant import SpaceVariantKernel, fewest, frequency_table
from scintscope.forward.terms import DepthBasis
from scintscope.grids import Grid
from scintscope.optics.field import FieldAberrations, illumination
from scintscope.optics.field_otf import DepthSum
from scintscope.optics.wavefront import OpticalPath
from scintscope.plate_transfer import image_path, layer_of
from scintscope.response import DepthResponse, at_frequencies
from scintscope.scintillator.haze import haze_transfer
from scintscope.scintillator.layers import EmittingLayer, emitting_layers, light_images

if TYPE_CHECKING:
    from scintscope.instrument import Instrument

Array = NDArray[np.float64]
Image = NDArray[Any]

_SHARE_OF_TARGET = 0.6
_RIDGE = 1e-6
_FIELD_SAMPLES = 64
_ROWS = 256
_INVERSIONS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldLight:
    """What the field does to the images of the depth-node form.

    Parameters
    ----------
    optics : FieldOptics
        The field on the fine grid.
    kernels : dict of (int, int) to SpaceVariantKernel
        By depth r and enlargement q; empty where the blur is the same everywhere.
    aperture : two arrays
        Camera pixel along rows and columns.
    scale : float
        What the axis' kernels are multiplied with.
    """

    optics: FieldOptics
    kernels: Mapping[tuple[int, int], SpaceVariantKernel]
    aperture: tuple[Array, Array]
    scale: float

    @property
    def terms(self) -> int:
        """Transforms spent beyond those of the axis' kernels."""
        return sum(kernel.terms for kernel in self.kernels.values())

    @property
    def error(self) -> float:
        """Rms error expected of the expansion over the image's standard deviation."""
        return float(np.sqrt(sum(kernel.error**2 for kernel in self.kernels.values())))

    def arrived(self, image: Image) -> Image:
        """Return an image as the lens places and lights it: distortion and vignetting."""
        field, corner, grid = self.optics.field, self.optics.corner_um, self.optics.grid
        if field.distortion:
            image = distorted(image, grid, field.distortion, corner)
        if field.relative_illumination != 1.0:
            light = illumination(field, grid.row_um[:, None], grid.column_um[None, :], corner)
            image = image * light.astype(image.dtype)
        return image

    def added(self, image: Image, transformed: Image, r: int, q: int) -> Image | float:
        """Return what the field adds to the plain blur of one image, as transform; 0 if nothing.

        Parameters
        ----------
        image : (M, N) array
            From `arrived`.
        transformed : (M, N // 2 + 1) complex array
            Its transform.
        r, q : int
            Which kernel.
        """
        if (r, q) not in self.kernels:
            return 0.0
        part = self.kernels[r, q].added(image, transformed)
        part *= (self.scale * self.aperture[0])[:, None].astype(image.dtype)
        part *= self.aperture[1][None, :].astype(image.dtype)
        return part


def field_light(
    instrument: Instrument,
    response: DepthResponse,
    plane: Plane,
    basis: DepthBasis,
    images: Image,
    kernels: NodeKernels,
    growth: Array,
    scale: Array,
) -> FieldLight | None:
    """Return the lens's field for the images of a scene; None for a lens without any.

    Parameters
    ----------
    instrument, response, plane
        The scene.
    basis, images
        X at any depth, and the X-ray images (R, M, N).
    kernels : NodeKernels
        Kernels on the axis.
    growth : (D, F) array
        Further transfer per depth at the response's frequencies, as `node_kernels` was given.
    scale : (D,) array
        Enlargement at the depth nodes, as `node_kernels` was given.
    """
    field = instrument.lens.field
    if field.is_none:
        return None
    optics = FieldOptics(
        field=field,
        corner_um=corner_um(field, plane),
        path=response.path,
        travel_um=response.travel_um,
        grid=plane.fine,
    )
    found: dict[tuple[int, int], SpaceVariantKernel] = {}
    if (field.shifts_focus or field.blurs_by_azimuth) and np.ptp(images) > 0.0:
        target = _SHARE_OF_TARGET * instrument.accuracy.error_target
        found = _kernels(optics, response, basis, images, kernels, growth, scale, plane, target)
    return FieldLight(
        optics=optics, kernels=found, aperture=pixel_transfer(plane), scale=plane.pixel_um**2
    )


def corner_um(field: FieldAberrations, plane: Plane) -> float:
    """Return the field radius at which the values of the field hold."""
    if field.corner_um is not None:
        return field.corner_um
    return 0.5 * plane.pixel_um * float(np.hypot(*plane.camera_shape))


def _kernels(
    optics: FieldOptics,
    response: DepthResponse,
    basis: DepthBasis,
    images: Image,
    kernels: NodeKernels,
    growth: Array,
    scale: Array,
    plane: Plane,
    target: float,
) -> dict[tuple[int, int], SpaceVariantKernel]:
    """Return the terms of all kernels that together meet an error target."""
    layers = emitting_layers(response.plate)
    reach = max(spread_um(optics, *_direct_light(response, layer)) for layer in layers)
    frequency = harmonic_frequencies(optics, reach)
    weight = depth_weights(response, basis, kernels, growth, scale, frequency, optics)
    table = harmonic_table(optics, plate_parts(response, weight, frequency), frequency)
    powers = [radial_power(image, plane.fine) for image in images]
    rings = np.array([ring_power(frequency, power, plane.pixel_um) for power in powers])
    count = kernels.scale.size
    amplitude = np.sqrt(rings)[np.arange(weight.shape[0]) // count]
    variance = float(np.sum((table.axis * amplitude).sum(axis=0) ** 2))
    shares = table.axis[:, 0].reshape(-1, count).sum(axis=1)
    slow = [np.sqrt(slow_power(frequency, power, optics.corner_um)) for power in powers]
    variance += float((shares @ np.array(slow)) ** 2)
    candidates = tuple(
        field_products(table, k, optics, rings[k // count] / variance, 0.1 * target)
        for k in range(table.axis.shape[0])
    )
    frequencies = frequency_table(plane.fine, reach, optics.path.cutoff_cy_per_um)
    chosen = fewest(candidates, target)
    return {
        (k // count, k % count): tabulated(products, table, optics, frequencies)
        for k, products in enumerate(chosen)
    }


def depth_weights(
    response: DepthResponse,
    basis: DepthBasis,
    kernels: NodeKernels,
    growth: Array,
    scale: Array,
    frequency: Array,
    optics: FieldOptics,
) -> Array:
    """Return the weight of all depths in each kernel, (R Q, D, F).

    The weights of the enlargements (module ``terms``) are taken at the image's frequency instead
    of the object's, which differ by parts in a thousand, and act on the difference to the axis.
    """
    by_node = enlargement_weights(frequency, response.depth_um, scale, kernels, optics)
    tabulated_at = response.frequency_cy_per_um
    left = at_frequencies(frequency, tabulated_at, basis.weights * growth)
    share = response.depth_weight_um[:, None] * left
    weight = share[:, None] * by_node.transpose(1, 2, 0)[None]
    return np.asarray(weight.reshape(-1, *weight.shape[2:]))


def plate_parts(
    response: DepthResponse, weight: Array, frequency: Array
) -> list[tuple[DepthSum, OpticalPath]]:
    """Return the emitters of a plate as seen directly and by each reflection, haze included.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    weight : (K, D, F) array
        Of the response's depths.
    frequency : (F,) array
        Where the weights are given.
    """
    plate, path, z_um = response.plate, response.path, response.depth_um
    weight = weight * haze_transfer(frequency, plate.haze_fraction, plate.haze_length_um)
    layers = emitting_layers(plate)
    which = layer_of(layers, z_um)
    parts = []
    for number, layer in enumerate(layers):
        here = which == number
        images = light_images(plate, layer, path.wavelength_um, path.na)
        whole = sum(image.share for image in images)
        for image in images if here.any() else ():
            depths = DepthSum(
                depth_below_exit_um=image.depth_um(layer, z_um[here]),
                weight=weight[:, here] * (image.share / whole),
            )
            parts.append((depths, image_path(path, layer, image)))
    return parts


def _direct_light(response: DepthResponse, layer: EmittingLayer) -> tuple[Array, OpticalPath]:
    """Return optical depths and path of a layer's direct light."""
    path = response.path
    direct = light_images(response.plate, layer, path.wavelength_um, path.na, 0)[0]
    ends = np.array([layer.entrance_um, layer.exit_um])
    return direct.depth_um(layer, ends), image_path(path, layer, direct)


def enlargement_weights(
    frequency: Array, depth_um: Array, scale: Array, kernels: NodeKernels, optics: FieldOptics
) -> Array:
    """Return the shares of the chosen enlargements in each depth's, (F, Q, D), as in ``terms``."""
    nodes = kernels.scale
    if nodes.size == 1:
        return np.ones((frequency.size, 1, scale.size))
    rho = np.linspace(0.0, 0.5 * float(np.hypot(*optics.grid.extent_um)), _FIELD_SAMPLES)
    linear = np.array([np.interp(depth_um, kernels.depth_um, row) for row in np.eye(nodes.size)])
    result = np.empty((frequency.size, nodes.size, scale.size))
    ridge = _RIDGE * np.sqrt(2.0 * rho.size) * np.eye(nodes.size)
    for i, f in enumerate(frequency):
        given, target = (_waves(f, rho, 1.0 / m - 1.0) for m in (nodes, scale))
        change = np.linalg.pinv(np.concatenate([given, ridge]))[:, : 2 * rho.size]
        result[i] = linear + change @ (target - given @ linear)
    return result


def _waves(frequency: float, rho_um: Array, stretch: Array) -> Array:
    phase = 2.0 * np.pi * frequency * rho_um[:, None] * stretch
    return np.concatenate([np.cos(phase), np.sin(phase)])


def distorted(image: Image, grid: Grid, distortion: float, corner: float) -> Image:
    """Return an image as a lens with distortion shows it; light is conserved.

    What stands at rho appears at rho (1 + D rho^2 / R^2); read back by cubic splines.

    Parameters
    ----------
    image : (M, N) array
        On the grid.
    grid : Grid
        The grid.
    distortion, corner : float
        D and R (um).
    """
    coefficients = ndimage.spline_filter(image, order=3, output=image.dtype, mode="mirror")
    result = np.empty_like(image)
    for start in range(0, grid.shape[0], _ROWS):
        part = slice(start, start + _ROWS)
        rows, columns = np.broadcast_arrays(grid.row_um[part, None], grid.column_um[None, :])
        seen2 = (rows**2 + columns**2) / corner**2
        factor = np.ones(seen2.shape)
        for _ in range(_INVERSIONS):  # converges by a factor 2 D a step
            factor = 1.0 / (1.0 + distortion * seen2 * factor**2)
        u = distortion * seen2 * factor**2
        centre = [0.5 * (n - 1) for n in grid.shape]
        position = np.stack([
            rows * factor / grid.pixel_um + centre[0], columns * factor / grid.pixel_um + centre[1],
        ])  # fmt: skip
        read = ndimage.map_coordinates(
            coefficients, position, order=3, mode="mirror", prefilter=False, output=image.dtype
        )
        result[part] = read / ((1.0 + 3.0 * u) * (1.0 + u))
    return result
