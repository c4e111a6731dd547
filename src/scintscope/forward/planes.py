"""Eq. 1 of Zhou et al. 2025 plane by plane: the reference the fast form is compared with.

float64, every depth enlarged, spread and transformed by itself: the beam grows on its way to a
depth, and what spreads its energy there is as large as anywhere. Energies are summed per depth
before the optics, which does not know them. Images of all energies are first written as sums of a
few that are orthogonal, to rounding. Slow; for tests, checks and small grids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from scintscope.forward.kernels import camera_kernel, gaussian_kernel
from scintscope.forward.plane import (
    camera_image,
    depth_scale,
    inverse,
    obliquity,
    penumbra_sigma_um,
    transform,
)
from scintscope.forward.render import Scene
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.terms import light_per_photon
from scintscope.sample.transmission import transmission

Array = NDArray[np.float64]

_TABLE_NODES = 1 << 17
"""Nodes of the dense table a transfer function is read from: for a halo of 100 um linear
interpolation between them is off by (2 pi 100 um df)^2 / 8 = 1e-5 of the halo at 1.5 cycles/um."""

_ROUNDING = 1e-15
"""Of products of images: 3e-8 of the strongest image is what float64 leaves of the weakest."""

_FLAT = 1e-11
"""A transfer function that changes by no more than rounding spreads nothing."""


def plane_by_plane(scene: Scene) -> Array:
    """Return the noise-free camera image per second by the full depth sum, electrons per pixel.

    Parameters
    ----------
    scene : Scene
        Small: all energies of the transmission are held at once.

    Returns
    -------
    (rows, columns) float64 array
    """
    response, plane = scene.response, scene.plane
    scales = depth_scale(
        response.depth_um,
        plane,
        response,
        scene.instrument.lens.pupil_distance_mm,
        scene.instrument.accuracy.effects,
    )
    sigma = penumbra_sigma_um(response.depth_um, plane, scene.instrument)
    total = np.zeros((plane.fine.shape[0], plane.fine.shape[1] // 2 + 1), dtype=np.complex128)
    beams = beam_images(scene)
    for j, z in enumerate(response.depth_um):
        scale = float(scales[j]) if scene.specimen is not None else 1.0
        kernel = camera_kernel(plane, response.frequency_cy_per_um, response.otf[j], np.float64)
        if sigma[j] > 0.0 and scene.specimen is not None:
            kernel = kernel * gaussian_kernel(plane.fine, float(sigma[j]), np.float64)
        total += response.depth_weight_um[j] * _spectrum_at(scene, float(z), beams, scale) * kernel
    return np.asarray(camera_image(total * plane.pixel_um**2, plane))


@dataclass(frozen=True, kw_only=True, slots=True)
class BeamImages:
    """What each energy's beam is behind the sample, ready to be spread.

    Parameters
    ----------
    images : (R, M, N) array
        Orthogonal images; ``loadings`` (E, R) says how they make the fluence of each energy.
    paths, shares : tuple of float, of (M, N) array
        1/cos at which the energy left is known, and that path's share of each pixel.
    table_cy_per_um : (T,) array
        Dense frequencies; ``index`` and ``share`` (rows, columns // 2 + 1) say where each
        frequency of the transforms lies between them.
    """

    images: Array
    loadings: Array
    paths: tuple[float, ...]
    shares: tuple[Array, ...]
    table_cy_per_um: Array
    index: NDArray[np.int32]
    share: Array

    def spread(self, curve: Array, frequency_cy_per_um: Array) -> Array:
        """Return a radial curve on the frequencies of the transforms."""
        table = CubicSpline(frequency_cy_per_um, curve)(self.table_cy_per_um)
        return np.asarray(table[self.index] + self.share * np.diff(table)[self.index])


def beam_images(scene: Scene) -> BeamImages:
    """Return the beams of a scene; obliquity is interpolated over three paths, quadratically."""
    excess, greatest = obliquity(scene.plane, scene.instrument.accuracy.effects)
    through, path = _transmissions(scene)
    images, loadings = _orthogonal(through * path**-3)
    paths: tuple[float, ...] = (1.0,)
    shares: tuple[Array, ...] = (np.ones((1, 1)),)
    if excess is not None:
        x = excess.astype(np.float64) / greatest
        paths = (1.0, 1.0 + 0.5 * greatest, 1.0 + greatest)
        shares = ((1.0 - x) * (1.0 - 2.0 * x), 4.0 * x * (1.0 - x), x * (2.0 * x - 1.0))
    return BeamImages(
        images=images, loadings=loadings, paths=paths, shares=shares, **_table_places(scene)
    )


def _orthogonal(fluence: Array) -> tuple[Array, Array]:
    """Return the few orthogonal images (R, M, N) and loadings (E, R) that images (E, M, N) need.

    Eigenvectors of their products; what is left out is below 1e-7 of the strongest.
    """
    flat = fluence.reshape(fluence.shape[0], -1)
    power, vectors = np.linalg.eigh(flat @ flat.T)
    loadings = vectors[:, power > _ROUNDING * power[-1]]
    return (loadings.T @ flat).reshape(-1, *fluence.shape[1:]), loadings


def _table_places(scene: Scene) -> dict[str, Any]:
    """Return the dense table of frequencies and where those of the transforms lie in it."""
    fine, top = scene.plane.fine, float(scene.response.frequency_cy_per_um[-1])
    f = np.hypot(fine.row_frequency_cy_per_um[:, None], fine.column_frequency_cy_per_um)
    position = np.minimum(f / top, 1.0) * (_TABLE_NODES - 1)
    index = np.minimum(position.astype(np.int32), _TABLE_NODES - 2)
    return {
        "table_cy_per_um": np.linspace(0.0, top, _TABLE_NODES),
        "index": index,
        "share": position - index,
    }


def xray_at_depth(scene: Scene, z_um: float) -> Array:
    """Return the energy left at depth z as light, energy by energy, each with its own spread.

    Electrons per um2, s and um of depth, at the entrance face's size. The spread of an oblique
    ray is that of its own source density over depth.
    """
    found = _spectrum_at(scene, z_um, beam_images(scene), 1.0)
    return np.asarray(inverse(found, scene.plane.fine.shape))


def _spectrum_at(
    scene: Scene, z_um: float, known: BeamImages, scale: float
) -> NDArray[np.complex128]:
    """Return the transform of the energy left at a depth, the beam enlarged and then spread."""
    response = scene.response
    photons = response.spectrum.photons_per_um2_s * response.electrons_per_kev
    frequency = response.frequency_cy_per_um
    curves = []
    for path in known.paths:
        left = response.deposition.mean_transfer(
            np.diag(photons), np.array([z_um]), frequency, path
        )[:, 0]
        hard = known.loadings.shape[0] > 1
        curves.append(known.loadings.T @ (left if hard else left.sum(axis=0, keepdims=True)))
    spreads = any((np.ptp(c, axis=1) > _FLAT * np.abs(c[:, 0]).max()).any() for c in curves)
    if not spreads:
        weights = [np.tensordot(c[:, 0], known.images, axes=1) for c in curves]
        light = sum(w * share for w, share in zip(weights, known.shares, strict=True))
        return transform(_enlarged(np.asarray(light), scale))
    total = np.zeros(known.index.shape, dtype=np.complex128)
    for number, image in enumerate(known.images):
        larger = _enlarged(image, scale)
        for curve, share in zip(curves, known.shares, strict=True):
            total += known.spread(curve[number], frequency) * transform(larger * share)
    return total


def _enlarged(image: Array, scale: float) -> Array:
    if scale == 1.0:
        return image
    return scale_about_centre(spline_coefficients(image), scale)


def _transmissions(scene: Scene) -> tuple[Array, Array]:
    """Return T_E(x), (E or 1, M, N), and the path per depth, 1/cos, (M, N)."""
    response, plane = scene.response, scene.plane
    effects = scene.instrument.accuracy.effects
    excess, _ = obliquity(plane, effects)
    path = np.ones(plane.fine.shape) if excess is None else 1.0 + excess.astype(np.float64)
    if scene.specimen is None:
        return np.ones((1, *plane.fine.shape)), path
    through = transmission(scene.specimen, scene.mu_per_um) ** path
    if not effects.sample_hardening:
        whole = response.depth_weight_um @ light_per_photon(response, response.depth_um).T
        through = np.tensordot(whole / whole.sum(), through, axes=1)[None]
    return through, path
