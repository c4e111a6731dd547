"""From a deposited keV to photo-electrons, step by step: the waterfall of the light.

With the emission band w_i at wavelengths lambda_i, every step is the mean over the photons that
are still there,

    f_k = sum_i w_i a_1i ... a_ki / sum_i w_i a_1i ... a_(k-1)i,

so that the product of the steps is the electrons per keV, exactly. Index, faces and quantum
efficiency are thus averaged over the band with the weight of the light that arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scintscope.materials import EmissionBand
from scintscope.materials.optical import internal_transmittance
from scintscope.scintillator.emission import cone_nodes, geometric_collection
from scintscope.scintillator.layers import (
    EmittingLayer,
    emitting_layers,
    exit_transmission,
    light_images,
)
from scintscope.scintillator.plate import Plate
from scintscope.units import NM_PER_UM, UM_PER_MM

Array = NDArray[np.float64]


class GlassLike(Protocol):
    """A plane plate in front of the lens."""

    @property
    def material(self) -> str:
        """Name of its glass."""
        ...

    @property
    def thickness_mm(self) -> float:
        """Thickness."""
        ...


class LensLike(Protocol):
    """What the light budget asks of a lens."""

    @property
    def na(self) -> float:
        """Numerical aperture."""
        ...

    @property
    def transmission(self) -> float:
        """Transmission of lens, glass plates and mirror together."""
        ...

    @property
    def plates(self) -> Sequence[GlassLike]:
        """Plane plates in front of it."""
        ...


class CameraLike(Protocol):
    """What the light budget asks of a camera."""

    def quantum_efficiency_at(self, wavelength_nm: float) -> float:
        """Return photo-electrons per photon at a wavelength."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetStep:
    """One step of the waterfall.

    Parameters
    ----------
    key, label : str
        Name for programs; words for people.
    factor : float
        By what the light is multiplied; the first step's is the yield, photons per keV.
    left_per_kev : float
        Photons (after the last step electrons) per keV that are left.
    """

    key: str
    label: str
    factor: float
    left_per_kev: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LightBudget:
    """The light of one emitting layer on its way to the sensor.

    Parameters
    ----------
    layer : {"film", "substrate"}
        Which layer emits.
    steps : tuple of BudgetStep
        The waterfall, in the order of the light.
    electrons_per_kev : float
        Photo-electrons per deposited keV: the product of the factors.
    collection_fraction : float
        Share of the light that leaves through the exit face into the lens's cone, direct light
        only.
    mirror_share : float
        Reflected light that reaches the lens, relative to the direct light.
    later_share : float
        Light of the next two orders of reflection, relative to the direct light: left out above.
    quantum_efficiency : float
        Mean over the light that reaches the sensor.
    mean_wavelength_um, mean_index : float
        Of the light that is detected: wavelength, and index of the layer.
    detected_band : EmissionBand
        The emission band weighted with what of each wavelength is detected, for averages of
        transfer functions; ``detected_band.reduced(3)`` needs three of them.
    yield_uncertainty : float
        Relative standard uncertainty of the light yield, which is that of the result.
    """

    layer: str
    steps: tuple[BudgetStep, ...]
    electrons_per_kev: float
    collection_fraction: float
    mirror_share: float
    later_share: float
    quantum_efficiency: float
    mean_wavelength_um: float
    mean_index: float
    detected_band: EmissionBand
    yield_uncertainty: float

    def factor(self, key: str) -> float:
        """Return the factor of a step by its key."""
        return next(step.factor for step in self.steps if step.key == key)


_LABELS = {
    "yield": "photons per keV",
    "escape": "inside the cone of total reflection of the exit face",
    "aperture": "inside the lens's cone",
    "exit_face": "through the exit face (Fresnel over the cone)",
    "back_face": "with light reflected by the back face",
    "glass": "through the glass plates (absorption)",
    "lens": "through lens, mirror and surfaces",
    "sensor": "detected (quantum efficiency over the band)",
}


def light_budget(
    plate: Plate,
    lens: LensLike,
    camera: CameraLike,
    *,
    layer: EmittingLayer | None = None,
    orders: int = 1,
) -> LightBudget:
    """Return the light budget of a plate's film, or of another of its layers.

    Parameters
    ----------
    plate : Plate
        The plate.
    lens : Lens
        Aperture, transmission and glass plates. ``lens.transmission`` is that of all glass; the
        part of it that the plates absorb, where known, is shown as a step of its own.
    camera : Camera
        Quantum efficiency.
    layer : EmittingLayer or None
        From `emitting_layers`; None is the film.
    orders : int
        Reflections followed, as in `light_images`.

    Notes
    -----
    Re-absorption of the light in crystal and substrate is left out (no attenuation lengths were
    found; over 0.2 mm of a clear garnet it is below a per cent). Light yield does not depend on
    the X-ray's energy.
    """
    source = emitting_layers(plate)[0] if layer is None else layer
    band = source.medium.band
    rows = [_shares(plate, source, lens, camera, um, orders) for um in band.wavelength_um]
    table = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    steps, left, weight = [], 1.0, band.share
    for key, label in _LABELS.items():
        values = table[key]
        factor = float(weight @ values / weight.sum())
        left *= factor
        steps.append(BudgetStep(key=key, label=label, factor=factor, left_per_kev=left))
        weight = weight * values
    collected = table["escape"] * table["aperture"] * table["exit_face"]
    direct = band.share * collected
    indices = np.array([source.medium.index_at(float(um)) for um in band.wavelength_um])
    return LightBudget(
        layer=source.name,
        steps=tuple(steps),
        electrons_per_kev=float(weight.sum()),
        collection_fraction=float(direct.sum()),
        mirror_share=float(direct @ table["back_face"] / direct.sum()) - 1.0,
        later_share=float(direct @ table["later"] / direct.sum()),
        quantum_efficiency=steps[-1].factor,
        mean_wavelength_um=float(weight @ band.wavelength_um / weight.sum()),
        mean_index=float(weight @ indices / weight.sum()),
        detected_band=band.weighted(weight),
        yield_uncertainty=source.medium.yield_uncertainty,
    )


def _shares(
    plate: Plate,
    layer: EmittingLayer,
    lens: LensLike,
    camera: CameraLike,
    wavelength_um: float,
    orders: int,
) -> dict[str, float]:
    """Return the factors of every step at one wavelength."""
    um = float(wavelength_um)
    index = layer.medium.index_at(um)
    p2, weight = cone_nodes(lens.na, index)
    cone = float(geometric_collection(lens.na, index))
    escape = float(geometric_collection(min(plate.exit_medium_index, index), index))
    passed = exit_transmission(plate, layer, um, p2)
    images = light_images(plate, layer, um, lens.na, orders + 2)
    glass = plates_transmittance(lens.plates, um)
    reference = plates_transmittance(lens.plates, layer.medium.emission_um)
    return {
        "yield": layer.medium.photons_per_kev,
        "escape": escape,
        "aperture": cone / escape,
        "exit_face": float(np.sum(weight * passed)) / cone,
        "back_face": sum(i.share for i in images if i.reflections <= orders),
        "later": sum(i.share for i in images if i.reflections > orders),
        "glass": glass,
        "lens": lens.transmission / reference,
        "sensor": camera.quantum_efficiency_at(um * NM_PER_UM),
    }


def plates_transmittance(plates: Sequence[GlassLike], wavelength_um: float) -> float:
    """Return the light left after absorption in glass plates; 1 for glass it is not known of."""
    left = 1.0
    for plate in plates:
        share = internal_transmittance(
            plate.material, wavelength_um, plate.thickness_mm * UM_PER_MM
        )
        left *= 1.0 if share is None else share
    return left
