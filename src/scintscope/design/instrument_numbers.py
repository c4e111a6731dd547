"""Numbers of an instrument that the design model needs, besides what X-rays leave in the plate.

They come from the same functions as `response.depth_response`; wavefronts are given by their
Legendre coefficients over the pupil (see `pupil_table`), which add up layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.instrument import Instrument
from scintscope.noise.sampled import camera_variance
from scintscope.optics.wavefront import OpticalPath, fixed_wavefront_um, slab_path
from scintscope.plate_transfer import LightModel, film_path, image_path, light_model, optical_path
from scintscope.scintillator.layers import EmittingLayer, emitting_layers, light_images
from scintscope.scintillator.light_budget import LightBudget, light_budget
from scintscope.scintillator.plate import Plate
from scintscope.units import NM_PER_UM

Array = NDArray[np.float64]

COEFFICIENTS = 6
"""Legendre orders 1 to 6 of a wavefront: those beyond the third only matter to the focus."""

_UNIT, _WEIGHT = np.polynomial.legendre.leggauss(48)
_RADIUS2 = 0.5 * (1.0 + _UNIT)
_PROJECT = (
    np.polynomial.legendre.legvander(_UNIT, COEFFICIENTS)[:, 1:]
    * (0.5 * _WEIGHT)[:, None]
    * (2.0 * np.arange(1, COEFFICIENTS + 1) + 1.0)
)


def coefficients(wavefront: Callable[[Array], Any], na: float) -> Array:
    """Return the Legendre coefficients 1 to 6 of W(p^2) over the pupil, (6,)."""
    return np.asarray(wavefront(na**2 * _RADIUS2)) @ _PROJECT


def covariance(one: Any, other: Any) -> Any:
    """Return the mean product over the pupil of two wavefronts given by coefficients."""
    return (one * other / (2.0 * np.arange(1, COEFFICIENTS + 1) + 1.0)).sum(axis=-1)


def check_light(instrument: Instrument) -> None:
    """Refuse light that the design model does not know.

    Raises
    ------
    InputError
        If it is vectorial, or the pupil not even.
    """
    lens = instrument.lens
    if lens.light_model != "scalar" or lens.aberrations.apodisation != "none":
        raise InputError(
            "design studies are computed for scalar light and an even pupil: set lens.light_model "
            '= "scalar" and lens.aberrations.apodisation = "none" in the base scenario.'
        )


def instrument_numbers(instrument: Instrument, plate: Plate) -> dict[str, Array]:
    """Return the numbers by name; lengths in um unless the name says otherwise.

    Raises
    ------
    InputError
        If the instrument has something that the design model does not know.
    """
    lens, camera = instrument.lens, instrument.camera
    check_light(instrument)
    path = optical_path(instrument, plate)
    layers = emitting_layers(plate)
    budgets = [light_budget(plate, lens, camera, layer=layer) for layer in layers]
    light = light_model(instrument, plate, budgets[0].detected_band)
    exposure = plate.exposure_s
    numbers = {
        "exposure_s": exposure,
        "pixel": instrument.pixel_um_object,
        "variance": camera_variance(camera, exposure),
        "dark_electrons_per_s": camera.dark_electrons_per_s,
        "full_well": getattr(camera, "full_well_electrons", np.inf),
        "cutoff": path.cutoff_cy_per_um,
        "haze_fraction": plate.haze_fraction,
        "haze_length": plate.haze_length_um,
        "corrected_for": lens.corrected_for_um,
        "thickness": plate.thickness_um,
        "field": instrument.pixel_um_object * min(camera.shape),
        **_focus_numbers(path, plate),
        **_band_numbers(path, light),
    }
    if not isinstance(plate.focus_um, str):
        numbers["focus"] = plate.focus_um
    for number, (layer, budget) in enumerate(zip(layers, budgets, strict=True)):
        found = _layer_numbers(plate, layer, budget, path, light)
        numbers |= {f"{name}@{number}": value for name, value in found.items()}
    return {name: np.asarray(value, dtype=np.float64) for name, value in numbers.items()}


def _slab(path: OpticalPath) -> Array:
    """Return the coefficients of a um of the emitter's own layer."""
    return coefficients(lambda p2: slab_path(p2, path.index), path.na)


def _fixed(path: OpticalPath) -> Array:
    """Return the coefficients of what neither depth nor stage changes."""
    return coefficients(lambda p2: fixed_wavefront_um(p2, path), path.na)


def _focus_numbers(path: OpticalPath, plate: Plate) -> dict[str, Any]:
    """Return what ties the focus to the stage: the film's direct light at the one wavelength."""
    film = film_path(path, plate)
    return {
        "focus_slab": _slab(film),
        "focus_fixed": _fixed(film),
        "focus_wave": path.wavelength_um,
        "air": coefficients(lambda p2: slab_path(p2, path.immersion_index), path.na),
        "na": path.na,
    }


def _band_numbers(path: OpticalPath, light: LightModel) -> dict[str, Any]:
    band = np.array(light.band or ((path.wavelength_um, 1.0),))
    return {
        "wave": band[:, 0],
        "share": band[:, 1] / band[:, 1].sum(),
        "colour": light.axial_colour_um_per_nm * (band[:, 0] - path.wavelength_um) * NM_PER_UM,
    }


def _layer_numbers(
    plate: Plate, layer: EmittingLayer, budget: LightBudget, path: OpticalPath, light: LightModel
) -> dict[str, Any]:
    """Return gain, thickness and, for each wavelength and image, the wavefronts of a layer."""
    film = plate.scintillator
    waves = [wave for wave, _ in light.band] or [float(path.wavelength_um)]
    slabs, fixed, shares = [], [], []
    images = light_images(plate, layer, path.wavelength_um, path.na)
    for wave in waves:
        seen = path
        if light.band:
            index = path.index + film.index_at(wave) - film.index_at(path.wavelength_um)
            seen = replace(path, wavelength_um=wave, index=index, corrected_index=float(path.index))
        images = light_images(plate, layer, seen.wavelength_um, seen.na)
        through = [image_path(seen, layer, image) for image in images]
        slabs.append(_slab(through[0]))
        fixed.append([_fixed(way) for way in through])
        share = np.array([image.share for image in images])
        shares.append(share / share.sum())
    return {
        "gain": budget.electrons_per_kev,
        "steps": [step.factor for step in budget.steps],
        "layer": layer.thickness_um,
        "slab": slabs,
        "fixed": fixed,
        "image_share": shares,
        "offset": [image.offset_um for image in images],
        "sign": [float(image.sign) for image in images],
    }
