"""Transfer functions of the light from a plate's layers: direct, mirrored, through substrate, haze.

The emitters of a layer are seen directly and by reflection (`scintillator.layers.light_images`);
each image has its own optical depth and other layers to cross, and so its own transfer function.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.instrument import Instrument
from scintscope.materials.emission_bands import EmissionBand
from scintscope.materials.optical import refractive_index
from scintscope.optics.aberrations import Aberrations, radial_terms_um
from scintscope.optics.band import band_average
from scintscope.optics.otf import otf
from scintscope.optics.pupil import SCALAR, Pupil
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
from scintscope.units import NM_PER_UM, UM_PER_MM

Array = NDArray[np.float64]

_BLOCK = 32
_BAND_LINES = 3
"""Gauss lines that stand for an emission band: moments of the wavelength up to the fifth."""

_FLOOR = 1e-5
"""Transfer of reflected light below this share of all light is left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LightModel:
    """What the light is taken for; the default is scalar light of one wavelength.

    Parameters
    ----------
    pupil : Pupil
        Scalar or vectorial, apodisation.
    band : tuple of (float, float)
        Wavelengths in um and their shares of the detected photons, over which transfer functions
        are averaged (`optics.band`); empty: the path's own wavelength.
    axial_colour_um_per_nm : float
        How much further from the lens it focuses in air per nm of longer wavelength.
    """

    pupil: Pupil = SCALAR
    band: tuple[tuple[float, float], ...] = ()
    axial_colour_um_per_nm: float = 0.0

    def shortest_um(self, path: OpticalPath) -> float:
        """Return the shortest wavelength that is followed, um: it sets the cut-off."""
        return min((wave for wave, _ in self.band), default=float(path.wavelength_um))


PLAIN = LightModel()


def light_model(instrument: Instrument, plate: Plate, detected: EmissionBand) -> LightModel:
    """Return the light model of an instrument.

    Parameters
    ----------
    instrument, plate
        The instrument and one of its plates.
    detected : EmissionBand
        The band as the camera detects it (`LightBudget.detected_band`).
    """
    lens = instrument.lens
    few: tuple[tuple[float, float], ...] = ()
    if instrument.accuracy.effects.emission_band:
        reduced = detected.reduced(_BAND_LINES)
        few = tuple(
            (float(w), float(s)) for w, s in zip(reduced.wavelength_um, reduced.share, strict=True)
        )
    amplitude = Aberrations(
        apodisation=lens.aberrations.apodisation,
        gaussian_radius=lens.aberrations.gaussian_radius,
    )
    return LightModel(
        pupil=Pupil(model=lens.light_model, aberrations=amplitude),
        band=few,
        axial_colour_um_per_nm=lens.axial_colour_um_per_nm,
    )


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
        camera_travel_um=lens.camera_travel_mm * UM_PER_MM,
        magnification=lens.magnification,
        radial_um=_symmetric_terms_um(lens.aberrations, wavelength),
    )


def _symmetric_terms_um(aberrations: Aberrations, wavelength_um: float) -> tuple[float, ...]:
    """Return a lens's aberrations for the radial transfer functions of the image model.

    Raises
    ------
    InputError
        If they are not axially symmetric or grow with the field, or the pupil is obstructed.
    """
    for name in ("coma", "astigmatism", "field_curvature", "distortion"):
        value = getattr(aberrations.seidel, name)
        if value:
            raise InputError(
                f"lens.aberrations.seidel.{name} = {value:g} is zero on the axis and would do "
                "nothing to the image: give what grows with the field in [lens.field]."
            )
    if aberrations.obstruction:
        raise InputError(
            "lens.aberrations.obstruction is not part of the image model: leave it at 0, or use "
            "the pupil engines of scintscope.optics."
        )
    return tuple(float(c) for c in radial_terms_um(aberrations, wavelength_um))


def plate_otf(
    frequency_cy_per_um: Any,
    z_um: Array,
    plate: Plate,
    path: OpticalPath,
    travel_um: float,
    light: LightModel = PLAIN,
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
        The plate; the lens's optical path (`optical_path`); the stage.
    light : LightModel
        Scalar or vectorial, one wavelength or a band.
    """
    frequency = np.asarray(frequency_cy_per_um, dtype=np.float64)
    depth = np.atleast_1d(np.asarray(z_um, dtype=np.float64))
    result = np.empty((depth.size, frequency.size))
    layers = emitting_layers(plate)
    which = layer_of(layers, depth)
    for number, layer in enumerate(layers):
        here = which == number
        if here.any():
            result[here] = _band_otf(frequency, depth[here], plate, layer, path, travel_um, light)
    return result * haze_transfer(frequency, plate.haze_fraction, plate.haze_length_um)


def layer_of(layers: tuple[EmittingLayer, ...], z_um: Array) -> NDArray[np.intp]:
    """Return which layer each depth lies in, (D,); what lies in none belongs to the first."""
    which = np.zeros(np.shape(z_um), dtype=np.intp)
    for number, layer in enumerate(layers[1:], start=1):
        which[(z_um > layer.entrance_um) & (z_um < layer.exit_um)] = number
    return which


def _band_otf(
    frequency: Array,
    z_um: Array,
    plate: Plate,
    layer: EmittingLayer,
    path: OpticalPath,
    travel_um: float,
    light: LightModel,
) -> Array:
    """Return the mean over the band of a layer's transfer functions, (D, F)."""
    if not light.band:
        return _layer_otf(frequency, z_um, plate, layer, path, travel_um, light.pupil)

    def engine(wavelength_um: float, index: float, shift_um: float) -> Array:
        seen = replace(
            path, wavelength_um=wavelength_um, index=index, corrected_index=float(path.index)
        )
        return _layer_otf(frequency, z_um, plate, layer, seen, travel_um + shift_um, light.pupil)

    film = plate.scintillator
    waves = np.array([wave for wave, _ in light.band])
    return np.asarray(
        band_average(
            engine,
            waves,
            np.array([share for _, share in light.band]),
            lambda wave: path.index + film.index_at(wave) - film.index_at(path.wavelength_um),
            light.axial_colour_um_per_nm * (waves - path.wavelength_um) * NM_PER_UM,
        )
    )


def _layer_otf(
    frequency: Array,
    z_um: Array,
    plate: Plate,
    layer: EmittingLayer,
    path: OpticalPath,
    travel_um: float,
    pupil: Pupil,
) -> Array:
    """Return the mean transfer function of all images of a layer's emitters, (D, F)."""
    images = light_images(plate, layer, path.wavelength_um, path.na)
    total = np.zeros((z_um.size, frequency.size))
    for image in images:
        through = image_path(path, layer, image)
        depths = image.depth_um(layer, z_um)
        if image.reflections == 0:
            total += np.asarray(otf(frequency, depths, travel_um, through, pupil=pupil))
            continue
        for part in (slice(i, i + _BLOCK) for i in range(0, z_um.size, _BLOCK)):
            seen = _is_seen(frequency, depths[part], travel_um, through, image.share)
            found = np.asarray(otf(frequency[seen], depths[part], travel_um, through, pupil=pupil))
            total[part, seen] += image.share * found
    return total / sum(image.share for image in images)


def image_path(path: OpticalPath, layer: EmittingLayer, image: LightImage) -> OpticalPath:
    """Return the optical path of one image of a layer's emitters.

    The depth that the lens was corrected for lies in the film's medium whichever layer emits.
    """
    excess, index = path_excess(layer, image, path.wavelength_um)
    own = path.index if layer.name == "film" else layer.medium.index_at(path.wavelength_um)
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
