"""A plate as layers: which of them make light, and what that light crosses.

z = 0 is the entrance face of the active film, z = thickness its exit face. A substrate on the
entrance side lies at -t_s < z < 0, one on the exit side at t < z < t + t_s.

Light that goes towards the source is reflected at each face behind the emitter. By the mirror
image of the emitter it seems to come from a greater depth: own thickness once forth, every layer
in between twice. An image is thus (share of the light, depth in the emitter's own medium, other
layers crossed), and its transfer function that of the same emitter through a longer path. Faces
between two crystals reflect next to nothing (film of GGG on YAG: 0.14 %) but are kept. Between the
exit face and what follows light can go to and fro more often; ``orders`` counts reflections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import check_range
from scintscope.materials import Scintillator, attenuation
from scintscope.scintillator.emission import cone_nodes, interface_reflectance
from scintscope.scintillator.plate import Plate

Array = NDArray[np.float64]

AIR = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OpticalLayer:
    """A plane layer that light crosses.

    Parameters
    ----------
    medium : Scintillator or float
        A crystal with its dispersion, or a constant index.
    thickness_um : float
        Length crossed.
    """

    medium: Scintillator | float
    thickness_um: float

    def index_at(self, wavelength_um: float) -> float:
        """Return the refractive index at a vacuum wavelength."""
        return _index(self.medium, wavelength_um)


@dataclass(frozen=True, kw_only=True, slots=True)
class EmittingLayer:
    """A layer in which X-rays make light.

    Parameters
    ----------
    name : {"film", "substrate"}
        Which one.
    medium : Scintillator
        Its material.
    entrance_um, exit_um : float
        z of its two faces.
    relative_yield : float
        Photons per keV relative to the film's.
    upstream : tuple of OpticalLayer
        Crystals that X-rays cross before it, in their order.
    beyond : tuple of OpticalLayer
        What its light crosses on the way to the lens, from it outwards.
    behind : tuple of OpticalLayer
        Crystals between it and the back face, from it outwards.
    """

    name: str
    medium: Scintillator
    entrance_um: float
    exit_um: float
    relative_yield: float
    upstream: tuple[OpticalLayer, ...] = ()
    beyond: tuple[OpticalLayer, ...] = ()
    behind: tuple[OpticalLayer, ...] = ()

    @property
    def thickness_um(self) -> float:
        """Thickness of the layer."""
        return self.exit_um - self.entrance_um


@dataclass(frozen=True, kw_only=True, slots=True)
class LightImage:
    """The emitters of a layer as seen directly or by reflection.

    Parameters
    ----------
    share : float
        Light that reaches the lens this way, relative to the direct light.
    offset_um, sign : float, int
        Optical depth in the layer's own medium: offset + sign (z - entrance).
    layers : tuple of OpticalLayer
        Other layers crossed more often than by direct light.
    reflections : int
        How often the light was reflected.
    """

    share: float
    offset_um: float
    sign: int
    layers: tuple[OpticalLayer, ...] = ()
    reflections: int = 0

    def depth_um(self, layer: EmittingLayer, z_um: Array) -> Array:
        """Return the optical depth in the layer's medium of emitters at z, um, shape of z."""
        return np.asarray(self.offset_um + self.sign * (np.asarray(z_um) - layer.entrance_um))


def crossed_media(plate: Plate) -> tuple[Scintillator, ...]:
    """Return the crystals that X-rays cross in a plate: the film and what carries it."""
    film = (plate.scintillator,)
    return film if plate.substrate is None else (*film, plate.substrate.medium)


def emitting_layers(plate: Plate) -> tuple[EmittingLayer, ...]:
    """Return the layers of a plate that make light: the film first, then a glowing substrate."""
    film = OpticalLayer(medium=plate.scintillator, thickness_um=plate.thickness_um)
    under = plate.substrate
    cover = exit_layers(plate)
    if under is None:
        return (_film(plate, beyond=cover),)
    base = OpticalLayer(medium=under.medium, thickness_um=under.thickness_um)
    on_exit = under.side == "exit"
    if on_exit:
        active = _film(plate, beyond=(base, *cover))
    else:
        active = _film(plate, upstream=(base,), behind=(base,), beyond=cover)
    if not under.medium.is_luminescent:
        return (active,)
    start = plate.thickness_um if on_exit else -under.thickness_um
    glowing = EmittingLayer(
        name="substrate",
        medium=under.medium,
        entrance_um=start,
        exit_um=start + under.thickness_um,
        relative_yield=under.medium.photons_per_kev / plate.scintillator.photons_per_kev,
        upstream=(film,) if on_exit else (),
        behind=(film,) if on_exit else (),
        beyond=cover if on_exit else (film, *cover),
    )
    return (active, glowing)


def _film(plate: Plate, **layers: tuple[OpticalLayer, ...]) -> EmittingLayer:
    return EmittingLayer(
        name="film",
        medium=plate.scintillator,
        entrance_um=0.0,
        exit_um=plate.thickness_um,
        relative_yield=1.0,
        **layers,
    )


def exit_layers(plate: Plate) -> tuple[OpticalLayer, ...]:
    """Return what lies between the last crystal and the air: cement or immersion, if any.

    An air gap is no layer: moving the stage by its length makes up for it exactly.
    """
    if plate.exit_medium_index == AIR or plate.exit_medium_um == 0.0:
        return ()
    return (OpticalLayer(medium=plate.exit_medium_index, thickness_um=plate.exit_medium_um),)


def optical_layers_beyond(plate: Plate) -> tuple[OpticalLayer, ...]:
    """Return what the film's light crosses after the film's exit face, film outwards."""
    return emitting_layers(plate)[0].beyond


def path_excess(
    layer: EmittingLayer, image: LightImage, wavelength_um: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return thicknesses and indices to add to the optical path of an image.

    They go with the image's own depth in an `OpticalPath` whose ``index`` is that of the layer's
    medium. The depth that the lens was corrected for lies in the film's medium whichever layer
    emits: ``corrected_index`` is the film's.

    Parameters
    ----------
    layer, image
        From `emitting_layers` and `light_images`.
    wavelength_um : float
        Vacuum wavelength.

    Returns
    -------
    (tuple of float, tuple of float)
        Excess thicknesses in um, and their indices.
    """
    crossed = (*layer.beyond, *image.layers)
    return (
        tuple(part.thickness_um for part in crossed),
        tuple(part.index_at(wavelength_um) for part in crossed),
    )


def xray_transmission(
    layer: EmittingLayer, energy_kev: Array, path_factor: float = 1.0
) -> NDArray[np.float64]:
    """Return the share of the photons that reaches a layer's entrance face, shape of energy.

    exp(-sum mu t) of the crystals upstream (Beer-Lambert); photons scattered there are lost.

    Parameters
    ----------
    layer : EmittingLayer
        The layer.
    energy_kev : (E,) array
        Photon energies.
    path_factor : float
        Path per depth, 1/cos of the angle of incidence.
    """
    depth = np.zeros(np.asarray(energy_kev).shape)
    for crystal in layer.upstream:
        if isinstance(crystal.medium, Scintillator):
            mu = attenuation.total_per_um(crystal.medium, energy_kev)
            depth = depth + mu * crystal.thickness_um
    return np.asarray(np.exp(-path_factor * depth))


def exit_transmission(
    plate: Plate, layer: EmittingLayer, wavelength_um: float, p2: Array
) -> NDArray[np.float64]:
    """Return the share of a layer's light that passes all faces up to the exit medium.

    Product of 1 - R over the faces; light reflected between them is left out.

    Parameters
    ----------
    plate, layer
        From `emitting_layers`.
    wavelength_um : float
        Vacuum wavelength.
    p2 : array
        Squared direction sines.
    """
    passed, _ = _exit_faces(plate, layer, wavelength_um, np.asarray(p2))
    return passed


def light_images(
    plate: Plate, layer: EmittingLayer, wavelength_um: float, na: float, orders: int = 1
) -> tuple[LightImage, ...]:
    """Return the ways in which a layer's light reaches the lens, the direct one first.

    Parameters
    ----------
    plate, layer
        From `emitting_layers`.
    wavelength_um : float
        Vacuum wavelength.
    na : float
        Aperture over whose cone reflectances are averaged, weighted with the transmission of
        the exit.
    orders : int
        Most reflections followed: 0 direct light only, 1 the mirror image in the back face, 2
        also light sent back by the exit face, and so on.

    Returns
    -------
    tuple of LightImage
        Those with a share of zero are left out.

    Raises
    ------
    RangeError
        If ``orders`` is negative or above 20.
    """
    check_range("orders", orders, low=0, high=20)
    p2, weight = cone_nodes(na, layer.medium.index_at(wavelength_um))
    passed, returned = _exit_faces(plate, layer, wavelength_um, p2)
    backs = _back_faces(plate, layer, wavelength_um, p2)
    thickness = layer.thickness_um
    there_and_back = tuple(_twice(part) for part in layer.beyond)
    direct = _Ray(light=np.ones_like(p2), offset_um=thickness, sign=-1)
    mirrored = [
        _Ray(light=face.light, offset_um=thickness, sign=1, layers=face.layers) for face in backs
    ]
    waves: list[list[_Ray]] = [[direct], mirrored]
    for _ in range(2, orders + 1):
        waves.append(
            [
                _Ray(
                    light=ray.light * returned * face.light,
                    offset_um=ray.offset_um + 2.0 * thickness,
                    sign=ray.sign,
                    layers=(*ray.layers, *there_and_back, *face.layers),
                )
                for ray in waves[-2]
                for face in backs
            ]
        )
    average = weight * passed / np.sum(weight * passed)
    images = [
        ray.image(average, reflections)
        for reflections, wave in enumerate(waves[: orders + 1])
        for ray in wave
    ]
    return tuple(image for image in images if image.share > 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ray:
    """Light on its way to the lens, or what a face does to it: share per angle and extra path."""

    light: Array
    offset_um: float = 0.0
    sign: int = 1
    layers: tuple[OpticalLayer, ...] = ()

    def image(self, average: Array, reflections: int) -> LightImage:
        """Return the mean over the cone."""
        return LightImage(
            share=float(np.sum(average * self.light)),
            offset_um=self.offset_um,
            sign=self.sign,
            layers=self.layers,
            reflections=reflections,
        )


def _index(medium: Scintillator | float, wavelength_um: float) -> float:
    return medium.index_at(wavelength_um) if isinstance(medium, Scintillator) else medium


def _twice(layer: OpticalLayer) -> OpticalLayer:
    return replace(layer, thickness_um=2.0 * layer.thickness_um)


def _exit_faces(
    plate: Plate, layer: EmittingLayer, wavelength_um: float, p2: Array
) -> tuple[Array, Array]:
    """Return the light that passes the faces beyond a layer, and what the last one sends back.

    Both per direction; what is sent back has crossed the faces between crystals twice.
    """
    crystals = [part.medium for part in layer.beyond if isinstance(part.medium, Scintillator)]
    indices = [_index(medium, wavelength_um) for medium in (layer.medium, *crystals)]
    inner = np.ones_like(p2)
    for here, there in pairwise(indices):
        inner = inner * (1.0 - interface_reflectance(p2, here, there))
    last = interface_reflectance(p2, indices[-1], plate.exit_medium_index)
    return inner * (1.0 - last), inner**2 * last


def _back_faces(plate: Plate, layer: EmittingLayer, wavelength_um: float, p2: Array) -> list[_Ray]:
    """Return what each face behind a layer sends back, with the layers crossed there and back."""
    reached, crossed = np.ones_like(p2), tuple[OpticalLayer, ...]()
    here = layer.medium.index_at(wavelength_um)
    faces = []
    for part in layer.behind:
        there = part.index_at(wavelength_um)
        reflected = interface_reflectance(p2, here, there)
        faces.append(_Ray(light=reached * reflected, layers=crossed))
        reached = reached * (1.0 - reflected) ** 2
        crossed, here = (*crossed, _twice(part)), there
    bare = interface_reflectance(p2, here, AIR)
    if plate.back_gap_um == 0.0:
        faces.append(_Ray(light=reached * _coating(plate, bare), layers=crossed))
        return faces
    gap = OpticalLayer(medium=AIR, thickness_um=2.0 * plate.back_gap_um)
    surface = _coating(plate, bare)
    # light that bounces in the gap more than once is counted with that which does so once
    through = (1.0 - bare) ** 2 * surface / (1.0 - bare * surface)
    faces.append(_Ray(light=reached * bare, layers=crossed))
    faces.append(_Ray(light=reached * through, layers=(*crossed, gap)))
    return faces


def _coating(plate: Plate, bare: Array) -> Array:
    """Return the reflectance of the back face's coating, or of the surface behind the gap."""
    if plate.back_reflectance is not None:
        return np.full_like(bare, plate.back_reflectance)
    return {"bare": bare, "black": 0.0 * bare, "reflective": np.ones_like(bare)}[plate.back_face]
