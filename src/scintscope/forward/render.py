"""The noise-free light image of one specimen on one plate."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import PhysicsWarning
from scintscope.forward.field_light import FieldLight, field_light
from scintscope.forward.kernels import camera_kernel, gaussian_kernel
from scintscope.forward.plane import (
    Plane,
    camera_image,
    depth_scale,
    inverse,
    obliquity,
    penumbra_sigma_um,
    transform,
)
from scintscope.forward.quanta import camera_means
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.terms import (
    DepthBasis,
    NodeKernels,
    depth_basis,
    light_per_photon,
    node_kernels,
    sample_transmissions,
    weights_at,
)
from scintscope.instrument import Instrument
from scintscope.materials import Absorber, attenuation
from scintscope.quadrature import defocus_nodes, interval_nodes
from scintscope.response import DepthResponse
from scintscope.sample.specimen import Specimen
from scintscope.sample.transmission import fresnel_warning, group_images
from scintscope.scintillator.defects import EmissionDefect, PlateDefects
from scintscope.threads import POOL_THREADS
from scintscope.units import wavelength_um

Array = NDArray[np.float64]
Image = NDArray[Any]

_WORKERS = POOL_THREADS
_DEFECT_EXTRA_NODES = 12
"""Depth nodes over a defect's range beyond those where its defocus starts to be resolved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A specimen in front of a plate, ready to be rendered.

    Parameters
    ----------
    instrument, response, plane
        The instrument, the plate's response, its simulation plane.
    mu_per_um : dict of str to (E,) array
        Attenuation of the specimen's materials at the response's energies.
    specimen : Specimen or None
        On the plane's sample grid; None is the open beam.
    """

    instrument: Instrument
    response: DepthResponse
    plane: Plane
    mu_per_um: Mapping[str, Array]
    specimen: Specimen | None


@dataclass(frozen=True, kw_only=True, slots=True)
class XrayImages:
    """X-ray images behind a specimen, on the fine grid at the entrance face's size.

    Parameters
    ----------
    basis : DepthBasis
        How the images combine at any depth and frequency.
    images : (R, M, N) array
        Electrons per um2, s and um of depth, penumbra of the entrance face included.
    quanta_per_um2_s : (G, M, N) array
        X-rays of each noise group (`noise.groups`) that interact in the plate.
    """

    basis: DepthBasis
    images: Image
    quanta_per_um2_s: Image


@dataclass(frozen=True, kw_only=True, slots=True)
class DefectLight:
    """A defect map and what it multiplies: the sharp light image of its depths.

    Parameters
    ----------
    loss : (M, N) array
        Map in the plate's own frame.
    light : (rows, columns // 2 + 1) complex array
        Spectrum of the X-ray image there, electrons per um2 and s.
    """

    loss: Image
    light: Image


@dataclass(frozen=True, kw_only=True, slots=True)
class LightImage:
    """The noise-free light image of a scene.

    Parameters
    ----------
    spectrum : (rows, columns // 2 + 1) complex array
        Of the defect-free image, electrons per camera pixel and s, pixel aperture included.
    sharp : (M, N) array
        X-ray image summed over depth at the entrance face's size, electrons per um2 and s.
    defect_light : tuple of DefectLight
        Sharp light at each emission defect, in order.
    quanta_per_um2_s : (G, rows, columns) array
        Interacting X-rays of each noise group, means over the camera's pixels, margin included.
    terms : int
        Transforms spent on the depth sum.
    error : float
        Estimated rms error of the enlargements over the image's standard deviation.
    """

    spectrum: Image
    sharp: Image
    defect_light: tuple[DefectLight, ...]
    quanta_per_um2_s: Image
    terms: int
    error: float


def make_scene(
    instrument: Instrument,
    response: DepthResponse,
    plane: Plane,
    specimen: Specimen | None,
    absorbers: Mapping[str, Absorber],
) -> Scene:
    """Return a scene; attenuation of the specimen's materials is looked up here."""
    names = list(specimen.thickness_um) if specimen is not None else []
    energy = response.spectrum.energy_kev
    return Scene(
        instrument=instrument,
        response=response,
        plane=plane,
        mu_per_um={name: attenuation.total_per_um(absorbers[name], energy) for name in names},
        specimen=specimen,
    )


def warn_of_diffraction(instrument: Instrument, response: DepthResponse) -> str | None:
    """Warn, and return the text, where Fresnel fringes behind the sample would be visible."""
    geometry = instrument.geometry
    magnification = geometry.sample_magnification(geometry.source_to_scintillator_mm)
    text = fresnel_warning(
        wavelength_um=wavelength_um(response.spectrum.mean_energy_kev),
        z_eff_um=geometry.effective_propagation_um(),
        pixel_um_object=instrument.pixel_um_object / magnification,
    )
    if text:
        warnings.warn(text, PhysicsWarning, stacklevel=2)
    return text


def xray_images(
    scene: Scene, dtype: Any = np.float32, quanta_weights: Array | None = None
) -> XrayImages:
    """Return the X-ray images of the depth basis, obliquity and penumbra included.

    Parameters
    ----------
    scene : Scene
        What to image.
    dtype
        float32 or float64.
    quanta_weights : (G, E) array, optional
        X-rays per um2 and s of each noise group; by default one group of all that interact.
    """
    response, plane = scene.response, scene.plane
    effects, accuracy = scene.instrument.accuracy.effects, scene.instrument.accuracy
    excess, greatest = obliquity(plane, effects)
    transmissions = (
        np.ones((1, response.spectrum.energy_kev.size))
        if scene.specimen is None
        else sample_transmissions(scene.specimen, scene.mu_per_um)
    )
    if not effects.sample_hardening:
        transmissions = np.ones((1, transmissions.shape[1]))
    basis = depth_basis(response, transmissions, greatest, accuracy.error_target)
    quanta = quanta_weights
    if quanta is None:
        quanta = (response.spectrum.photons_per_um2_s * response.interacting_fraction())[None]
    weights = np.concatenate([basis.light, basis.oblique_light, quanta])
    images = _weighted(scene, weights, excess, dtype)
    count = basis.light.shape[0]
    combined, photons = images[:count].copy(), images[2 * count :].copy()
    if excess is not None:
        combined += (images[count : 2 * count] - combined) * (excess / greatest)
        fluence = (1.0 + excess) ** -3
        combined *= fluence
        photons *= fluence
    return XrayImages(basis=basis, images=_with_penumbra(combined, scene), quanta_per_um2_s=photons)


def _weighted(scene: Scene, weights: Array, excess: Image | None, dtype: Any) -> Image:
    """Return sum_E weights[g, E] T_E(x); without hardening, T is the energy-weighted mean."""
    sums = weights.sum(axis=1)
    if scene.specimen is None:
        flat = np.ones((sums.size, *scene.plane.fine.shape), dtype=dtype)
        return np.asarray(flat * sums[:, None, None].astype(dtype))
    path = None if excess is None else 1.0 + excess
    hardening = scene.instrument.accuracy.effects.sample_hardening
    response = scene.response
    total = response.depth_weight_um @ light_per_photon(response, response.depth_um).T
    images = group_images(
        scene.specimen,
        scene.mu_per_um,
        weights if hardening else total[None, :] / total.sum(),
        obliquity=path,
        workers=_WORKERS,
    ).astype(dtype, copy=False)
    return np.asarray(images if hardening else images * sums[:, None, None].astype(dtype))


def _with_penumbra(images: Image, scene: Scene) -> Image:
    """Blur the sample's shadow by the focal spot's image at the entrance face."""
    sigma = float(penumbra_sigma_um(np.zeros(1), scene.plane, scene.instrument)[0])
    if sigma == 0.0 or scene.specimen is None:
        return images
    blur = gaussian_kernel(scene.plane.fine, sigma, images.dtype)
    for image in images:
        image[...] = inverse(transform(image) * blur, scene.plane.fine.shape)
    return images


def scene_kernels(scene: Scene, basis: DepthBasis) -> NodeKernels:
    """Return the enlargements and kernels of a scene; an open beam needs no enlargement."""
    plane, response, instrument = scene.plane, scene.response, scene.instrument
    height, width = plane.fine.extent_um
    return node_kernels(
        response,
        basis,
        penumbra_growth(scene, response.depth_um),
        scene_scale(scene),
        0.5 * float(np.hypot(height, width)),  # all that is rendered, so all that reaches the field
        instrument.accuracy.error_target,
    )


def scene_scale(scene: Scene) -> Array:
    """Return the enlargement at the depth nodes, (D,); an open beam has none."""
    response, instrument = scene.response, scene.instrument
    if scene.specimen is None:
        return np.ones(response.depth_um.shape)
    pupil_mm, effects = instrument.lens.pupil_distance_mm, instrument.accuracy.effects
    return depth_scale(response.depth_um, scene.plane, response, pupil_mm, effects)


def scene_field(scene: Scene, xray: XrayImages, kernels: NodeKernels) -> FieldLight | None:
    """Return what the lens's field does to a scene's images; None for a lens without any."""
    if scene.instrument.lens.field.is_none:
        return None
    growth = penumbra_growth(scene, scene.response.depth_um)
    parts = (scene.instrument, scene.response, scene.plane, xray.basis, xray.images)
    return field_light(*parts, kernels, growth, scene_scale(scene))


def penumbra_growth(scene: Scene, z_um: Array) -> Array:
    """Return the extra blur of the shadow at depth z over the entrance's, as transfer, (D, F)."""
    sigma = penumbra_sigma_um(z_um, scene.plane, scene.instrument)
    entrance = penumbra_sigma_um(np.zeros(1), scene.plane, scene.instrument)[0]
    variance = np.maximum(sigma**2 - entrance**2, 0.0)
    f2 = scene.response.frequency_cy_per_um**2
    return np.asarray(np.exp(-2.0 * np.pi**2 * variance[:, None] * f2[None, :]))


def light_image(
    scene: Scene,
    xray: XrayImages,
    defects: PlateDefects | None = None,
    dtype: Any = np.float32,
) -> LightImage:
    """Return the light image of a scene by the depth-node form (module ``terms``).

    Parameters
    ----------
    scene, xray
        The scene and its X-ray images.
    defects : PlateDefects, optional
        Emission defects whose light is wanted.
    dtype
        float32 or float64.
    """
    response, plane = scene.response, scene.plane
    kernels = scene_kernels(scene, xray.basis)
    kind = np.result_type(dtype, np.complex64)
    spectrum = np.zeros((plane.fine.shape[0], plane.fine.shape[1] // 2 + 1), dtype=kind)
    groups = defects.emission if defects is not None else ()
    sharp = [np.zeros(plane.fine.shape, dtype=dtype) for _ in groups]
    field = scene_field(scene, xray, kernels)
    for r, q, scaled in _scaled_images(xray, kernels):
        curve = kernels.curves[r, q] * plane.pixel_um**2
        arrived = scaled if field is None else field.arrived(scaled)
        part = transform(arrived)
        if field is not None:
            spectrum += field.added(arrived, part, r, q)
        part *= camera_kernel(plane, response.frequency_cy_per_um, curve, dtype)
        spectrum += part
        for g, group in enumerate(groups):
            if q == _nearest_node(kernels, group):
                sharp[g] += dtype(_group_share(response, xray.basis, group, r)) * scaled
    light = tuple(
        DefectLight(loss=group.loss, light=transform(image))
        for group, image in zip(groups, sharp, strict=True)
    )
    return LightImage(
        spectrum=spectrum,
        sharp=summed_over_depth(response, xray),
        defect_light=light,
        quanta_per_um2_s=camera_means(xray.quanta_per_um2_s, plane),
        terms=kernels.curves.shape[0] * kernels.curves.shape[1] + (field.terms if field else 0),
        error=float(np.hypot(kernels.error, field.error if field else 0.0)),
    )


def summed_over_depth(response: DepthResponse, xray: XrayImages) -> Image:
    """Return sum_z w_z X_z at the entrance face's size, electrons per um2 and s, (M, N)."""
    shares = response.depth_weight_um @ xray.basis.weights[:, :, 0].T
    kind = xray.images.dtype
    total = np.zeros(xray.images.shape[1:], dtype=kind)
    for share, image in zip(shares, xray.images, strict=True):
        total += kind.type(share) * image
    return total


def _scaled_images(xray: XrayImages, kernels: NodeKernels) -> Iterator[tuple[int, int, Image]]:
    """Yield (r, q, X_r enlarged by m_q); unit enlargement costs nothing."""
    for r, image in enumerate(xray.images):
        coefficients = None
        for q, scale in enumerate(kernels.scale):
            if scale == 1.0:
                yield r, q, image
                continue
            if coefficients is None:
                coefficients = spline_coefficients(image)
            yield r, q, scale_about_centre(coefficients, float(scale))


def _nearest_node(kernels: NodeKernels, group: EmissionDefect) -> int:
    """Return the enlargement nearest to the middle of a defect's depth range."""
    middle = 0.5 * (group.depth_low_um + group.depth_high_um)
    return int(np.argmin(np.abs(kernels.depth_um - middle)))


def _group_nodes(response: DepthResponse, group: EmissionDefect) -> tuple[Array, Array]:
    """Return depth nodes and weights over a defect's range, as many as its defocus asks for."""
    path, depth_um = response.path, group.depth_high_um - group.depth_low_um
    count = defocus_nodes(depth_um, path.na, path.index, path.wavelength_um)
    low, high = group.depth_low_um, group.depth_high_um
    return interval_nodes(low, high, count + _DEFECT_EXTRA_NODES)


def _group_share(
    response: DepthResponse, basis: DepthBasis, group: EmissionDefect, r: int
) -> float:
    """Return the weight of X_r in the light made over a defect's depth range.

    Re-absorbed energy is counted where the X-ray image is: under a defect, much smaller than its
    halo, that is wrong by the halo's share of the image's local contrast.
    """
    z, weight = _group_nodes(response, group)
    return float(weight @ weights_at(basis, response, z, np.zeros(1))[r, :, 0])


def group_transfer(response: DepthResponse, group: EmissionDefect) -> Array:
    """Return the mean transfer function of a defect's depth range, weighted with k(z), (F,)."""
    z, weight = _group_nodes(response, group)
    share = weight * response.k_per_um(z)
    return np.asarray(share @ response.otf_at(z) / share.sum())


def noise_free_frame(light: LightImage, plane: Plane, exposure_s: float) -> Image:
    """Return the defect-free, noise-free camera image, electrons per pixel, (rows, columns)."""
    return np.asarray(camera_image(light.spectrum, plane) * exposure_s)
