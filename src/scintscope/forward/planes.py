"""Eq. 1 of Zhou et al. 2025 plane by plane: the reference the fast form is compared with.

float64, every depth enlarged and transformed by itself, energies summed per depth before the
transform (which is exact: the optics does not know the X-ray energy). Slow; for tests, checks and
small grids.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    for j, z in enumerate(response.depth_um):
        sharp = xray_at_depth(scene, float(z))
        if scales[j] != 1.0 and scene.specimen is not None:
            sharp = scale_about_centre(spline_coefficients(sharp), float(scales[j]))
        kernel = camera_kernel(plane, response.frequency_cy_per_um, response.otf[j], np.float64)
        if sigma[j] > 0.0 and scene.specimen is not None:
            kernel = kernel * gaussian_kernel(plane.fine, float(sigma[j]), np.float64)
        total += response.depth_weight_um[j] * transform(sharp) * kernel
    return np.asarray(camera_image(total * plane.pixel_um**2, plane))


def xray_at_depth(scene: Scene, z_um: float) -> Array:
    """Return X_z(x) = sum_E c_E(z) T_E(x) at the entrance face's size, energy by energy."""
    response, plane = scene.response, scene.plane
    effects = scene.instrument.accuracy.effects
    excess, _ = obliquity(plane, effects)
    path = np.ones(plane.fine.shape) if excess is None else 1.0 + excess.astype(np.float64)
    mu = response.interaction.attenuation_per_um
    light = light_per_photon(response, np.array([z_um]))[:, 0]
    if scene.specimen is None:
        through = np.ones((mu.size, 1, 1))
    else:
        through = transmission(scene.specimen, scene.mu_per_um) ** path
        if not effects.sample_hardening:
            whole = response.depth_weight_um @ light_per_photon(response, response.depth_um).T
            through = np.tensordot(whole / whole.sum(), through, axes=1)[None]
    image = np.zeros(plane.fine.shape)
    for e in range(mu.size):
        slant = path * np.exp(-mu[e] * z_um * (path - 1.0))
        image += light[e] * slant * through[e if through.shape[0] > 1 else 0]
    return np.asarray(image * path**-3)


def blurred_by_spot(image: Array, scene: Scene) -> Array:
    """Return an image blurred by the focal spot's image at the entrance face."""
    sigma = float(penumbra_sigma_um(np.zeros(1), scene.plane, scene.instrument)[0])
    kernel = gaussian_kernel(scene.plane.fine, sigma, np.float64)
    return np.asarray(inverse(transform(image) * kernel, scene.plane.fine.shape))
