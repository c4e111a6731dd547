"""Small images of one design by the forward model: what its curves and objectives are held against.

The plane is periodic, so that a transform has no leakage and nothing lies beyond it. What a
design's curves leave out is switched off (`LEFT_OUT`): curves and images then differ by what the
linear formulas assume, and by noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.design.objectives import Objective, object_power
from scintscope.forward.plane import Plane, camera_pixels
from scintscope.forward.quanta import noise_kernels, quantum_noise_spectrum
from scintscope.forward.render import light_image, make_scene, noise_free_frame, xray_images
from scintscope.grids import Grid
from scintscope.instrument import Instrument
from scintscope.materials import ABSORBERS
from scintscope.noise.groups import QuantaGroups, quanta_groups
from scintscope.noise.sampled import camera_variance
from scintscope.optics.field import FieldAberrations
from scintscope.response import DepthResponse
from scintscope.sample.specimen import Specimen

Array = NDArray[np.float64]

OVERSAMPLING = 3
LEFT_OUT = (
    "penumbra", "penumbra_depth", "cone_magnification", "lens_perspective", "obliquity",
    "sample_hardening", "defects",
)  # fmt: skip
"""What a design's curves leave out: geometry beyond the plate, the sample's colour, dirt."""
_FILM_UM = 0.1
"""Mean thickness of gold of a weak object: absorption of a tenth of a per cent is linear."""
_OPAQUE_UM = 1000.0
"""Of gold: less than 1e-5 of any beam up to 50 keV passes, some per cent at 100 keV."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Images:
    """What images of one design are made from.

    Parameters
    ----------
    response : DepthResponse
        Of the plate.
    plane : Plane
        Periodic, without margin.
    variance_electrons2 : float
        The camera's, of a pixel of a frame.
    truth : (M, N) array
        The object's relative contrast on the fine grid: the energy that X-rays leave over that of
        the open beam, less one.
    picture : (m, n) array
        Its noise-free image on the camera's pixels, likewise.
    level_electrons : float
        Of the flat, per pixel and frame.
    kernels, rates_per_um2_s : (G, m, n // 2 + 1), (G,) array
        Of the sampler of quantum noise.
    """

    response: DepthResponse
    plane: Plane
    variance_electrons2: float
    truth: Array
    picture: Array
    level_electrons: float
    kernels: NDArray[Any]
    rates_per_um2_s: Array

    @property
    def grid(self) -> Grid:
        """The camera's pixels, object side."""
        return Grid(shape=self.plane.camera_shape, pixel_um=self.plane.pixel_um)


def without_geometry(instrument: Instrument, shape: tuple[int, int]) -> Instrument:
    """Return an instrument whose images hold what a design's curves do, on a small camera.

    Parameters
    ----------
    instrument : Instrument
        Any.
    shape : (int, int)
        Camera pixels.
    """
    off: dict[str, Any] = dict.fromkeys(LEFT_OUT, False)
    accuracy = instrument.accuracy
    return replace(
        instrument,
        accuracy=replace(accuracy, effects=replace(accuracy.effects, **off)),
        camera=replace(instrument.camera, shape=shape),
        lens=replace(instrument.lens, field=FieldAberrations()),
    )


def periodic_plane(
    pixel_um: float, shape: tuple[int, int], seen: tuple[int, int] = (0, 0)
) -> Plane:
    """Return a plane whose edges meet.

    Parameters
    ----------
    pixel_um : float
        Camera pixel, object side.
    shape : (int, int)
        Camera pixels of a period.
    seen : (int, int)
        Those of them, about the middle, that the camera has; all by default.
    """
    rows, columns = shape
    fine = Grid(
        shape=(rows * OVERSAMPLING, columns * OVERSAMPLING), pixel_um=pixel_um / OVERSAMPLING
    )
    return Plane(
        fine=fine, camera_shape=seen if all(seen) else shape, padded_shape=shape,
        oversampling=OVERSAMPLING, entrance_mm=np.inf, sample_magnification=1.0,
    )  # fmt: skip


def radius(grid: Grid) -> Array:
    """Return the frequencies of a real transform, cycles/um."""
    return np.hypot(grid.row_frequency_cy_per_um[:, None], grid.column_frequency_cy_per_um[None, :])


def square_mean(grid: Grid, side_um: float) -> Array:
    """Return what the mean over a square does to an image, at a grid's real transform."""
    u, v = grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um
    return np.asarray(np.sinc(u * side_um)[:, None] * np.sinc(v * side_um)[None, :])


def random_field(objective: Objective, grid: Grid, rng: np.random.Generator) -> Array:
    """Return a normal random field of the power of an objective's object, no mean, (M, N)."""
    white = np.fft.rfft2(rng.standard_normal(grid.shape))
    shaped = white * np.sqrt(object_power(objective, radius(grid))) / grid.pixel_um
    shaped *= square_mean(grid, grid.pixel_um)
    shaped[0, 0] = 0.0
    return np.fft.irfft2(shaped, s=grid.shape)


def noise_free(
    instrument: Instrument, response: DepthResponse, plane: Plane, film_um: Array | None
) -> tuple[Array, Array]:
    """Return the light made, (M, N), and the camera's image of a frame of it, electrons.

    Parameters
    ----------
    instrument, response, plane
        From `without_geometry`; the plate's; from `periodic_plane`.
    film_um : (M, N) array or None
        Thickness of gold on the fine grid; None: the open beam.
    """
    specimen = None
    if film_um is not None:
        thickness = {"Au": film_um.astype(np.float32)}
        specimen = Specimen(thickness_um=thickness, pixel_um=plane.fine.pixel_um)
    scene = make_scene(instrument, response, plane, specimen, ABSORBERS)
    light = light_image(scene, xray_images(scene, np.float64), dtype=np.float64)
    return light.sharp, noise_free_frame(light, plane, response.plate.exposure_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Camera:
    """A design's plate before a small periodic camera: what all its images share.

    Parameters
    ----------
    instrument : Instrument
        From `without_geometry`.
    response : DepthResponse
        Of the plate.
    plane : Plane
        Periodic.
    groups : QuantaGroups
        Of the sampler of quantum noise.
    """

    instrument: Instrument
    response: DepthResponse
    plane: Plane
    groups: QuantaGroups


def periodic_camera(
    instrument: Instrument, response: DepthResponse, shape: tuple[int, int]
) -> Camera:
    """Return a plate before a periodic camera of a shape in pixels."""
    return Camera(
        instrument=without_geometry(instrument, shape),
        response=response,
        plane=periodic_plane(response.pixel_um, shape),
        groups=quanta_groups(response),
    )


def _images(camera: Camera, film_um: Array) -> Images:
    instrument, response, plane = camera.instrument, camera.response, camera.plane
    open_light, open_frame = noise_free(instrument, response, plane, None)
    light, frame = noise_free(instrument, response, plane, film_um)
    return Images(
        response=response,
        plane=plane,
        variance_electrons2=camera_variance(instrument.camera, response.plate.exposure_s),
        truth=light / open_light.mean() - 1.0,
        picture=frame / open_frame.mean() - 1.0,
        level_electrons=float(open_frame.mean()),
        kernels=noise_kernels(camera.groups, plane),
        rates_per_um2_s=camera.groups.rate_per_um2_s,
    )


def weak_images(camera: Camera, objective: Objective, rng: np.random.Generator) -> Images:
    """Return images of an objective's object: weak, random, of its contrast.

    A film of gold so thin that absorption is linear; image and truth are then scaled to the
    contrast wanted, their means to nothing.
    """
    wanted = random_field(objective, camera.plane.fine, rng)
    film = np.maximum(_FILM_UM * (1.0 - 0.2 * wanted / wanted.std()), 0.0)
    found = _images(camera, film)
    truth, picture = (x - x.mean() for x in (found.truth, found.picture))
    scale = float((wanted**2).sum() / (truth * wanted).sum())
    return replace(found, truth=scale * truth, picture=scale * picture)


def full_images(camera: Camera, objective: Objective, rng: np.random.Generator) -> Images:
    """Return images of an object of full contrast: half of the field opaque, half clear.

    Opaque where the random field of `random_field` is positive; the details are as large as those
    of the objective's object.
    """
    film = np.where(random_field(objective, camera.plane.fine, rng) > 0.0, _OPAQUE_UM, 0.0)
    return _images(camera, film)


def noisy(
    images: Images, share: float, count: int, rng: np.random.Generator
) -> Iterator[NDArray[Any]]:
    """Yield frames of the object (``share`` 1) or of nothing (0), over the flat's level less one.

    X-rays by the sampler of the forward model, Poisson light, a normal camera; (m, n).
    """
    response, plane, o = images.response, images.plane, OVERSAMPLING
    rows, columns = plane.padded_shape
    seen = 1.0 + share * images.truth.reshape(rows, o, columns, o).mean(axis=(1, 3))
    quanta = (images.rates_per_um2_s[:, None, None] * seen).astype(np.float32)
    mean = images.level_electrons * (1.0 + share * images.picture)
    for _ in range(count):
        spectrum = quantum_noise_spectrum(
            quanta, images.kernels, plane, response.plate.exposure_s, rng
        )
        light = rng.poisson(np.maximum(mean + camera_pixels(spectrum, plane), 0.0))
        camera = np.sqrt(images.variance_electrons2) * rng.standard_normal(mean.shape)
        yield (light + camera) / images.level_electrons - 1.0


def camera_truth(images: Images) -> NDArray[np.complex128]:
    """Return the transform of the object within the camera's Nyquist radius, on its pixels."""
    plane, o = images.plane, OVERSAMPLING
    inside = radius(plane.fine) < 0.5 / plane.pixel_um
    whole = np.fft.rfft2(images.truth) / square_mean(plane.fine, plane.fine.pixel_um)
    band = np.fft.irfft2(whole * inside, s=plane.fine.shape)
    return np.asarray(np.fft.rfft2(band[o // 2 :: o, o // 2 :: o]))


def band_variance(objective: Objective, nyquist_cy_per_um: float) -> float:
    """Return the variance of an objective's object within the Nyquist radius."""
    radial = np.linspace(0.0, nyquist_cy_per_um, 4001)
    return float(np.trapezoid(2.0 * np.pi * radial * object_power(objective, radial), radial))
