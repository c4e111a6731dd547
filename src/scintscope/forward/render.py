"""The noise-free light image of one specimen on one plate."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import PhysicsWarning
from scintscope.forward.depth_sum import enlarged_transform, summed_light
from scintscope.forward.enlargements import NodeKernels, node_kernels
from scintscope.forward.fall_off import fall_off
from scintscope.forward.field_light import FieldLight, field_light
from scintscope.forward.kernels import camera_kernel, gaussian_kernel
from scintscope.forward.mixture import ImageMix, image_mix
from scintscope.forward.plane import (
    Plane,
    camera_image,
    depth_scale,
    inverse,
    obliquity,
    penumbra_sigma_um,
    penumbra_transfer,
    transform,
)
from scintscope.forward.quanta import camera_means
from scintscope.forward.resample import scale_about_centre, spline_coefficients
from scintscope.forward.slabs import over_rows
from scintscope.forward.terms import (
    DepthBasis,
    depth_basis,
    light_per_photon,
    range_shares,
    sample_transmissions,
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
_ATTEMPTS = 3
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
        Electrons per um2, s and um of depth.
    quanta_per_um2_s : (G, M, N) array
        X-rays of each noise group (`noise.groups`) that interact in the plate.
    fluence : (M, N) array or None
        What a constant image looks like: the beam's fall-off over the field. None is 1 everywhere.
    penumbra_um : float
        Standard deviation of the entrance face's penumbra, where ``images`` do not hold it yet.
    """

    basis: DepthBasis
    images: Image
    quanta_per_um2_s: Image
    fluence: Image | None
    penumbra_um: float


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
    oblique = basis.oblique_light if basis.greatest_obliquity else np.zeros((0, quanta.shape[1]))
    images = _weighted(scene, np.concatenate([basis.light, oblique, quanta]), excess, dtype)
    count = basis.light.shape[0]
    combined, photons = images[:count], images[count + oblique.shape[0] :]
    fluence = None
    if excess is not None:
        slanted = images[count : count + oblique.shape[0]]
        fluence = fall_off(combined, slanted, photons, excess, greatest, basis.oblique_gain)
    sigma = 0.0
    if scene.specimen is not None:
        sigma = float(penumbra_sigma_um(np.zeros(1), plane, scene.instrument)[0])
    return XrayImages(
        basis=basis,
        images=combined,
        quanta_per_um2_s=photons,
        fluence=fluence,
        penumbra_um=sigma,
    )


def _weighted(scene: Scene, weights: Array, excess: Image | None, dtype: Any) -> Image:
    """Return sum_E weights[g, E] T_E(x); without hardening, T is the energy-weighted mean."""
    sums = weights.sum(axis=1)
    if scene.specimen is None:
        flat: Image = np.empty((sums.size, *scene.plane.fine.shape), dtype=dtype)
        flat[...] = sums[:, None, None]
        return flat
    path = None if excess is None else 1.0 + excess
    hardening = scene.instrument.accuracy.effects.sample_hardening
    response = scene.response
    if not hardening:
        total = response.depth_weight_um @ light_per_photon(response, response.depth_um).T
        weights = total[None, :] / total.sum()
    images = group_images(
        scene.specimen,
        scene.mu_per_um,
        weights,
        obliquity=path,
        workers=_WORKERS,
    ).astype(dtype, copy=False)
    return np.asarray(images if hardening else images * sums[:, None, None].astype(dtype))


def with_penumbra(xray: XrayImages, plane: Plane) -> XrayImages:
    """Return X-ray images blurred by the focal spot's image at the entrance face."""
    if xray.penumbra_um == 0.0:
        return xray
    blur = gaussian_kernel(plane.fine, xray.penumbra_um, xray.images.dtype)
    images = np.stack([inverse(transform(image) * blur, plane.fine.shape) for image in xray.images])
    return replace(xray, images=images, penumbra_um=0.0)


def scene_kernels(
    scene: Scene,
    basis: DepthBasis,
    mix: ImageMix | None = None,
    error_target: float | None = None,
) -> NodeKernels:
    """Return the enlargements and kernels of a scene; an open beam needs no enlargement.

    With ``mix`` they act on images without penumbra, else on images with the entrance face's.
    """
    plane, response, instrument = scene.plane, scene.response, scene.instrument
    height, width = plane.fine.extent_um
    penumbra = penumbra_growth if mix is None else penumbra_at
    return node_kernels(
        response,
        basis,
        penumbra(scene, response.depth_um),
        scene_scale(scene),
        0.5 * float(np.hypot(height, width)),  # all that is rendered, so all that reaches the field
        instrument.accuracy.error_target if error_target is None else error_target,
        mix,
    )


def scene_scale(scene: Scene, z_um: Array | None = None) -> Array:
    """Return the enlargement at depths (by default the nodes), (D,); an open beam has none."""
    response, instrument = scene.response, scene.instrument
    z = response.depth_um if z_um is None else z_um
    if scene.specimen is None:
        return np.ones(z.shape)
    pupil_mm, effects = instrument.lens.pupil_distance_mm, instrument.accuracy.effects
    return depth_scale(z, scene.plane, response, pupil_mm, effects)


def scene_field(scene: Scene, xray: XrayImages, kernels: NodeKernels) -> FieldLight | None:
    """Return what the lens's field does to a scene's images; None for a lens without any."""
    if scene.instrument.lens.field.is_none:
        return None
    growth = penumbra_growth(scene, scene.response.depth_um)
    parts = (scene.instrument, scene.response, scene.plane, xray.basis, xray.images)
    return field_light(*parts, kernels, growth, scene_scale(scene))


def penumbra_at(scene: Scene, z_um: Array) -> Array:
    """Return the blur of the shadow at depths, as transfer, (D, F); an open beam has none."""
    sigma = penumbra_sigma_um(z_um, scene.plane, scene.instrument)
    if scene.specimen is None:
        sigma = np.zeros_like(sigma)
    return np.asarray(penumbra_transfer(sigma[:, None], scene.response.frequency_cy_per_um))


def penumbra_growth(scene: Scene, z_um: Array) -> Array:
    """Return the extra blur of the shadow at depth z over the entrance's enlarged, (D, F)."""
    sigma = penumbra_sigma_um(z_um, scene.plane, scene.instrument)
    entrance = penumbra_sigma_um(np.zeros(1), scene.plane, scene.instrument)[0]
    variance = np.maximum(sigma**2 - (entrance * scene_scale(scene, z_um)) ** 2, 0.0)
    f = scene.response.frequency_cy_per_um
    return np.asarray(penumbra_transfer(np.sqrt(variance)[:, None], f))


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
    groups = defects.emission if defects is not None else ()
    if scene.instrument.lens.field.is_none:
        spectrum, terms, error = _on_axis(scene, xray, dtype)
    else:
        xray = with_penumbra(xray, plane)
        spectrum, terms, error = _over_field(scene, xray, dtype)
    sharp = summed_over_depth(response, xray)
    if xray.penumbra_um:
        blur = gaussian_kernel(plane.fine, xray.penumbra_um, sharp.dtype)
        sharp = inverse(transform(sharp) * blur, plane.fine.shape)
    return LightImage(
        spectrum=spectrum,
        sharp=sharp,
        defect_light=tuple(_defect_light(scene, xray, group) for group in groups),
        quanta_per_um2_s=camera_means(xray.quanta_per_um2_s, plane),
        terms=terms,
        error=float(np.hypot(error, xray.basis.error)),
    )


def _on_axis(scene: Scene, xray: XrayImages, dtype: Any) -> tuple[Image, int, float]:
    """Return spectrum, transforms and error where the lens is the same over the field.

    The error is known when the images have been transformed; above the target, the sum is made
    again with more enlargements.
    """
    target = scene.instrument.accuracy.error_target
    images = xray.images.astype(dtype, copy=False)
    mix = image_mix(images, xray.fluence)
    asked, terms = target, 0
    for _ in range(_ATTEMPTS):
        kernels = scene_kernels(scene, xray.basis, mix, asked)
        terms += kernels.terms
        spectrum, error = summed_light(
            scene.response,
            scene.plane,
            images,
            mix,
            kernels,
            fluence=xray.fluence,
        )
        if np.hypot(error, xray.basis.error) <= target:
            return spectrum, terms, error
        asked *= min(0.5 * target / error, 0.5)
    warnings.warn(
        f"the estimated error of the depth sum is {error:.1e} of the image's standard deviation; "
        f"accuracy.error_target = {target:g} asks for less. The image is kept.",
        PhysicsWarning,
        stacklevel=3,
    )
    return spectrum, terms, error


def _over_field(scene: Scene, xray: XrayImages, dtype: Any) -> tuple[Image, int, float]:
    """Return spectrum, transforms and error with a lens whose blur differs over the field."""
    response, plane = scene.response, scene.plane
    kernels = scene_kernels(scene, xray.basis)
    kind = np.result_type(dtype, np.complex64)
    spectrum = np.zeros((plane.fine.shape[0], plane.fine.shape[1] // 2 + 1), dtype=kind)
    field = scene_field(scene, xray, kernels)
    for r, q, scaled in _scaled_images(xray, kernels):
        curve = kernels.curves[r, q] * plane.pixel_um**2
        arrived = scaled if field is None else field.arrived(scaled)
        part = transform(arrived)
        if field is not None:
            spectrum += field.added(arrived, part, r, q)
        part *= camera_kernel(plane, response.frequency_cy_per_um, curve, dtype)
        spectrum += part
    terms = kernels.terms + (field.terms if field else 0)
    return spectrum, terms, float(np.hypot(kernels.error, field.error if field else 0.0))


def _defect_light(scene: Scene, xray: XrayImages, group: EmissionDefect) -> DefectLight:
    """Return a defect's map and the X-ray image over its depths, as large as at their middle.

    Re-absorbed energy is counted where the X-ray image is: under a defect, much smaller than its
    halo, that is wrong by the halo's share of the image's local contrast.
    """
    response, plane = scene.response, scene.plane
    kind = xray.images.dtype
    shares = range_shares(xray.basis, response, *_group_nodes(response, group)).astype(kind)
    image = np.multiply(xray.images[0], shares[0])
    for share, other in zip(shares[1:], xray.images[1:], strict=True):
        image += share * other
    middle = np.array([0.5 * (group.depth_low_um + group.depth_high_um)])
    scale = float(scene_scale(scene, middle)[0])
    light, factors = enlarged_transform(image, scale)
    if factors is not None:
        light *= factors[0].astype(kind)[:, None]
        light *= factors[1].astype(kind)
    if xray.penumbra_um:
        light *= gaussian_kernel(plane.fine, xray.penumbra_um * scale, kind)
    return DefectLight(loss=group.loss, light=light)


def summed_over_depth(response: DepthResponse, xray: XrayImages) -> Image:
    """Return sum_z w_z X_z at the entrance face's size, electrons per um2 and s, (M, N)."""
    shares = response.depth_weight_um @ xray.basis.weights[:, :, 0].T
    kind = xray.images.dtype
    total = np.zeros(xray.images.shape[1:], dtype=kind)

    def slab(rows: slice) -> None:
        for share, image in zip(shares, xray.images, strict=True):
            total[rows] += kind.type(share) * image[rows]

    over_rows(slab, total.shape)
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


def _group_nodes(response: DepthResponse, group: EmissionDefect) -> tuple[Array, Array]:
    """Return depth nodes and weights over a defect's range, as many as its defocus asks for."""
    path, depth_um = response.path, group.depth_high_um - group.depth_low_um
    count = defocus_nodes(depth_um, path.na, path.index, path.wavelength_um)
    low, high = group.depth_low_um, group.depth_high_um
    return interval_nodes(low, high, count + _DEFECT_EXTRA_NODES)


def group_transfer(response: DepthResponse, group: EmissionDefect) -> Array:
    """Return the mean transfer function of a defect's depth range, weighted with k(z), (F,)."""
    z, weight = _group_nodes(response, group)
    share = weight * response.k_per_um(z)
    return np.asarray(share @ response.otf_at(z) / share.sum())


def noise_free_frame(light: LightImage, plane: Plane, exposure_s: float) -> Image:
    """Return the defect-free, noise-free camera image, electrons per pixel, (rows, columns)."""
    return np.asarray(camera_image(light.spectrum, plane) * exposure_s)
