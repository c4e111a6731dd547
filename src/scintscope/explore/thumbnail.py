r"""Small images through both plates, and the thick plate's restored: a sketch of a whole run.

Simplified, and the page says so: on the axis, every depth at one size and one spectrum behind the
specimen, no penumbra, no defects, one frame each, restored with the ratio of the plates' true
transfer functions instead of an estimated one. Kept: Beer-Lambert in the specimen at each energy,
the depth-summed transfer function, the pixel and its aliasing, noise of X-rays (coloured by their
own spectrum), of light and of the camera at the exposures chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.explore.engine import PlateView
from scintscope.explore.workshop import View
from scintscope.forward.kernels import camera_kernel, radial_kernel
from scintscope.forward.plane import Plane, camera_image, transform
from scintscope.grids import Grid
from scintscope.materials import Absorber, attenuation
from scintscope.restoration import DeconvolutionResult, richardson_lucy
from scintscope.sample import build_specimen, group_images
from scintscope.sample.specimen import SiemensStar, Specimen

Array = NDArray[np.float64]
Image = NDArray[Any]

SIDE_PX = 160
ITERATIONS = 8
_OVERSAMPLING = 2
_KERNEL_PX = 61
_STAR_SHARE, _SPOKES = 0.44, 24
_SEED = 20
_SMALLEST = 0.02
"""Share of squared contrast of the thin plate below which its transfer function is not divided by:
kernels of noise would follow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thumbnails:
    """Images relative to the open beam.

    Parameters
    ----------
    thin, thick, restored : (N, N) array
        Transmission: 1 where there is no specimen.
    pixel_um : float
        Object side.
    """

    thin: Image
    thick: Image
    restored: Image
    pixel_um: float


def plane_of(pixel_um: float) -> Plane:
    """Return a small plane without margin: the star ends well inside."""
    side = SIDE_PX * _OVERSAMPLING
    return Plane(
        fine=Grid(shape=(side, side), pixel_um=pixel_um / _OVERSAMPLING),
        camera_shape=(SIDE_PX, SIDE_PX),
        padded_shape=(SIDE_PX, SIDE_PX),
        oversampling=_OVERSAMPLING,
        entrance_mm=np.inf,
        sample_magnification=1.0,
    )


def star(plane: Plane, material: str, thickness_um: float) -> Specimen:
    """Return a Siemens star that fits the plane."""
    recipe = SiemensStar(
        material=material,
        thickness_um=thickness_um,
        spokes=_SPOKES,
        radius_um=_STAR_SHARE * SIDE_PX * plane.pixel_um,
    )
    return build_specimen(recipe, plane.fine)


def behind(
    specimen: Specimen, absorbers: dict[str, Absorber], energy_kev: Array, light: Array
) -> Image:
    """Return the light behind a specimen over that of the open beam, (M, N)."""
    mu = {
        name: attenuation.total_per_um(absorbers[name], energy_kev)
        for name in specimen.thickness_um
    }
    return np.asarray(group_images(specimen, mu, light[None, :] / light.sum())[0])


def thumbnails(view: View, specimen: Specimen, absorbers: dict[str, Absorber]) -> Thumbnails:
    """Return the images of a state.

    Parameters
    ----------
    view : View
        Of the state.
    specimen : Specimen
        On the fine grid of `plane_of`.
    absorbers : dict of str to Absorber
        Its materials.
    """
    plane = plane_of(view.instrument.pixel_um_object)
    images = {}
    for which, plate in view.plates.items():
        shadow = behind(specimen, absorbers, *view.light[which])
        images[which] = frame(shadow, plate, plane, np.random.default_rng(_SEED))
    kernel = ratio_kernel(view.plates["thin"], view.plates["thick"], plane)
    return Thumbnails(
        thin=images["thin"],
        thick=images["thick"],
        restored=restored(images["thick"], kernel).estimate,
        pixel_um=plane.pixel_um,
    )


def frame(shadow: Image, plate: PlateView, plane: Plane, rng: np.random.Generator) -> Image:
    """Return one frame over the open beam's mean: noise as `noise.plate` has it.

    X-rays make the light's mean fluctuate with the power Q(f), in proportion to the local mean;
    light is Poisson on top, the camera adds white noise.
    """
    mean = float(plate.electrons_per_um2)
    table = plate.light_cy_per_um
    optics = camera_kernel(plane, table, plate.transfer, np.float64)
    light = camera_image(transform(shadow.astype(np.float64)) * optics, plane)
    white = rng.standard_normal(plane.fine.shape) / plane.fine.pixel_um
    amplitude = np.sqrt(np.maximum(plate.events_per_um2, 0.0))
    colour = camera_kernel(plane, table, amplitude, np.float64, area_means=False)
    xrays = camera_image(transform(white) * colour, plane)
    area = plane.pixel_um**2
    expected = area * (mean * light + np.sqrt(np.maximum(light, 0.0)) * xrays)
    counted = rng.poisson(np.maximum(expected, 0.0))
    camera = rng.normal(0.0, np.sqrt(plate.variance_electrons2), counted.shape)
    return np.asarray((counted + camera) / (area * mean))


def ratio_kernel(thin: PlateView, thick: PlateView, plane: Plane) -> Image:
    """Return the kernel that takes the thin plate's image to the thick one's, unit sum, >= 0."""
    grid = Grid(shape=plane.camera_shape, pixel_um=plane.pixel_um)
    sharp, blurred = (
        radial_kernel(grid, v.light_cy_per_um, v.transfer, np.float64) for v in (thin, thick)
    )
    ratio = blurred * sharp / (sharp**2 + _SMALLEST * np.exp(-(sharp**2) / _SMALLEST))
    image = fft.fftshift(fft.irfft2(ratio, s=grid.shape))
    first = SIDE_PX // 2 - _KERNEL_PX // 2
    part = image[first : first + _KERNEL_PX, first : first + _KERNEL_PX]
    kernel = np.maximum(part, 0.0)
    return np.asarray(kernel / kernel.sum())


def restored(image: Image, kernel: Image) -> DeconvolutionResult:
    """Return the thick plate's image after a few Richardson-Lucy iterations."""
    return richardson_lucy(
        np.maximum(image, 0.0), kernel, iterations=ITERATIONS, boundary="reflect"
    )
