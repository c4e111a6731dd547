"""Transfer functions of the light from a plate's layers: direct, mirrored, through substrate, haze.

The emitters of a layer are seen directly and by reflection (`scintillator.layers.light_images`);
each image has its own optical depth and other layers to cross, and so its own transfer function.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.instrument import Instrument
from scintscope.materials.optical import refractive_index
from scintscope.optics.aberrations import Aberrations, radial_terms_um
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath, focus_for_travel_um
from scintscope.scintillator.haze import haze_transfer
from scintscope.scintillator.layers import (
    EmittingLayer,
    LightImage,
    emitting_layers,
    light_images,
    path_excess,
)
from scintscope.scintillator.plate import Plate
from scintscope.units import UM_PER_MM

Array = NDArray[np.float64]

_BLOCK = 32
_FLOOR = 1e-5
"""Transfer of reflected light below this share of all light is left out."""


def optical_path(instrument: Instrument, plate: Plate) -> OpticalPath:
    """Return what lies between the emitters of a plate and the lens."""
    lens, wavelength = instrument.lens, plate.scintillator.emission_um
    excess, index = [], []
    for glass in lens.plates:
        designed = glass.thickness_mm if glass.corrected_for_mm is None else glass.corrected_for_mm
        if glass.thickness_mm != designed:
            excess.append((glass.thickness_mm - designed) * UM_PER_MM)
            index.append(refractive_index(glass.material, wavelength))
    return OpticalPath(
        na=lens.na,
        index=plate.scintillator.refractive_index,
        wavelength_um=wavelength,
        corrected_for_um=lens.corrected_for_um,
        excess_um=tuple(excess),
        excess_index=tuple(index),
        radial_um=_symmetric_terms_um(lens.aberrations, wavelength),
    )


def _symmetric_terms_um(aberrations: Aberrations, wavelength_um: float) -> tuple[float, ...]:
    """Return a lens's aberrations for the radial transfer functions of the image model.

    Raises
    ------
    InputError
        If they are not axially symmetric, or the pupil is obstructed or apodised.
    """
    if aberrations.obstruction or aberrations.apodisation != "none":
        raise InputError(
            "lens.aberrations.obstruction and apodisation are not part of the image model: leave "
            "them at 0 and 'none', or use the pupil engines of scintscope.optics."
        )
    return tuple(float(c) for c in radial_terms_um(aberrations, wavelength_um))


def plate_otf(
    frequency_cy_per_um: Any,
    z_um: Array,
    plate: Plate,
    path: OpticalPath,
    travel_um: float,
) -> Array:
    """Return T(f, z) of a plate, (D, F), T(0) = 1; depths may lie in any layer that makes light.

    Light mirrored by the back face seems to come from an emitter deeper by twice its distance from
    that face. Its share follows from the faces' reflectances over the lens's cone.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Radial frequencies.
    z_um : (D,) array
        Depths from the film's entrance face.
    plate, path, travel_um
        The plate; its film's optical path (`optical_path`); the stage.
    """
    frequency = np.asarray(frequency_cy_per_um, dtype=np.float64)
    depth = np.atleast_1d(np.asarray(z_um, dtype=np.float64))
    result = np.empty((depth.size, frequency.size))
    layers = emitting_layers(plate)
    which = layer_of(layers, depth)
    for number, layer in enumerate(layers):
        here = which == number
        if here.any():
            result[here] = _layer_otf(frequency, depth[here], plate, layer, path, travel_um)
    return result * haze_transfer(frequency, plate.haze_fraction, plate.haze_length_um)


def layer_of(layers: tuple[EmittingLayer, ...], z_um: Array) -> NDArray[np.intp]:
    """Return which layer each depth lies in, (D,); what lies in none belongs to the first."""
    which = np.zeros(np.shape(z_um), dtype=np.intp)
    for number, layer in enumerate(layers[1:], start=1):
        which[(z_um > layer.entrance_um) & (z_um < layer.exit_um)] = number
    return which


def _layer_otf(
    frequency: Array,
    z_um: Array,
    plate: Plate,
    layer: EmittingLayer,
    path: OpticalPath,
    travel_um: float,
) -> Array:
    """Return the mean transfer function of all images of a layer's emitters, (D, F)."""
    images = light_images(plate, layer, path.wavelength_um, path.na)
    total = np.zeros((z_um.size, frequency.size))
    for image in images:
        through = image_path(path, layer, image)
        depths = image.depth_um(layer, z_um)
        if image.reflections == 0:
            total += np.asarray(otf(frequency, depths, travel_um, through))
            continue
        for part in (slice(i, i + _BLOCK) for i in range(0, z_um.size, _BLOCK)):
            seen = _is_seen(frequency, depths[part], travel_um, through, image.share)
            found = np.asarray(otf(frequency[seen], depths[part], travel_um, through))
            total[part, seen] += image.share * found
    return total / sum(image.share for image in images)


def image_path(path: OpticalPath, layer: EmittingLayer, image: LightImage) -> OpticalPath:
    """Return the optical path of one image of a layer's emitters.

    The depth that the lens was corrected for lies in the film's medium whichever layer emits.
    """
    excess, index = path_excess(layer, image, path.wavelength_um)
    own = layer.medium.refractive_index
    corrected = path.index if path.corrected_index is None else path.corrected_index
    return replace(
        path,
        index=own,
        corrected_index=None if own == corrected else corrected,
        excess_um=(*path.excess_um, *excess),
        excess_index=(*path.excess_index, *index),
    )


def film_path(path: OpticalPath, plate: Plate) -> OpticalPath:
    """Return the optical path of the film's direct light: what focus and stage travel refer to."""
    film = emitting_layers(plate)[0]
    direct = light_images(plate, film, path.wavelength_um, path.na, 0)[0]
    return image_path(path, film, direct)


def _is_seen(
    frequency: Array, below_exit_um: Array, travel_um: float, path: OpticalPath, share: float
) -> NDArray[np.bool_]:
    """Return where reflected light from these depths can matter, (F,).

    The transfer of a wide blur disc, 2 J1(a) / a with a = 2 pi f z tan(theta), stays below
    sqrt(8 / pi) a^(-3/2); where that, times the share of the light, is below `_FLOOR`, it is left
    out (it costs most and is nothing but blur).
    """
    sine = path.na / path.index
    focus = float(focus_for_travel_um(travel_um, path))
    distance = max(float(below_exit_um.min()) - focus, 0.0)
    a = 2.0 * np.pi * frequency * distance * sine / np.sqrt(1.0 - sine**2)
    envelope = np.sqrt(8.0 / np.pi) * np.maximum(a, 1e-9) ** -1.5
    return np.asarray(share * envelope > _FLOOR)
