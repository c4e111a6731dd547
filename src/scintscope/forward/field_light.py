"""Where the lens's field enters the light image of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
from scintscope.forward.terms import DepthBasis, NodeKernels
from scintscope.grids import Grid
from scintscope.optics.field import FieldAberrations, illumination
from scintscope.optics.field_otf import DepthSum
from scintscope.response import DepthResponse
from scintscope.scintillator.emission import back_reflectance

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
    depths_um = response.thickness_um - response.depth_um
    reach = spread_um(optics, depths_um)
    frequency = harmonic_frequencies(optics, reach)
    depths = depth_sum(response, basis, kernels, growth, scale, frequency, optics)
    table = harmonic_table(optics, depths, frequency)
    powers = [radial_power(image, plane.fine) for image in images]
    rings = np.array([ring_power(frequency, power, plane.pixel_um) for power in powers])
    count = kernels.scale.size
    amplitude = np.sqrt(rings)[np.arange(depths.weight.shape[0]) // count]
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


def depth_sum(
    response: DepthResponse,
    basis: DepthBasis,
    kernels: NodeKernels,
    growth: Array,
    scale: Array,
    frequency: Array,
    optics: FieldOptics,
) -> DepthSum:
    """Return the weights of all depths in each kernel, light mirrored by the back face included.

    The weights of the enlargements (module ``terms``) are taken at the image's frequency instead
    of the object's, which differ by parts in a thousand, and act on the difference to the axis.
    """
    by_node = enlargement_weights(frequency, response.depth_um, scale, kernels, optics)
    grown = np.stack([np.interp(frequency, response.frequency_cy_per_um, row) for row in growth])
    share = response.depth_weight_um[:, None] * basis.weights
    weight = share[:, None] * by_node.transpose(1, 2, 0)[None] * grown[None, None]
    weight = weight.reshape(-1, *weight.shape[2:])
    below = response.thickness_um - response.depth_um
    mirror = back_reflectance(
        response.plate.back_face, response.plate.scintillator.refractive_index
    )
    if mirror == 0.0:
        return DepthSum(depth_below_exit_um=below, weight=weight)
    return DepthSum(
        depth_below_exit_um=np.concatenate([below, response.thickness_um + response.depth_um]),
        weight=np.concatenate([weight, mirror * weight], axis=1) / (1.0 + mirror),
    )


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
