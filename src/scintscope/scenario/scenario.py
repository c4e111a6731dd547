"""A scenario: what the user wrote, checked as a whole, as the frozen parts it stands for."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import tomli_w

from scintscope.accuracy import Accuracy
from scintscope.camera.parts import Acquisition, Camera
from scintscope.geometry import Geometry
from scintscope.instrument import Instrument
from scintscope.materials import Absorber
from scintscope.optics.lens import Lens
from scintscope.restoration.config import RestorationConfig
from scintscope.sample.specimen import SpecimenRecipe
from scintscope.scenario.files import SKIMAGE_PREFIX
from scintscope.scintillator.plate import Plate
from scintscope.source.parts import MonochromaticSource, Source, TubeSource
from scintscope.units import wavelength_um

_MEAN_ENERGY_SHARE = 1.0 / 3.0
"""Mean photon energy over tube voltage, a rule of thumb for a lightly filtered tube."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One instrument, what it looks at, and what is done with the images.

    Parameters
    ----------
    name : str
        Names the output folder.
    source, geometry, lens, camera, thin, thick, accuracy
        The parts of the instrument.
    target : SpecimenRecipe
        What the PSF is measured with.
    specimen : SpecimenRecipe or None
        What is to be looked at.
    acquisition : Acquisition
        How the stacks are taken.
    restoration : RestorationConfig
        Settings of the restoration.
    absorbers : dict of str to Absorber
        Every material that filters, air path, target and specimen name, and the user's own.
    document : dict
        The resolved tables: every key with its value, as `to_toml` writes them.
    """

    name: str
    source: Source
    geometry: Geometry
    lens: Lens
    camera: Camera
    thin: Plate
    thick: Plate
    target: SpecimenRecipe
    specimen: SpecimenRecipe | None
    acquisition: Acquisition
    restoration: RestorationConfig
    accuracy: Accuracy
    absorbers: Mapping[str, Absorber]
    document: Mapping[str, Any]

    def instrument(self) -> Instrument:
        """Return the instrument.

        Raises
        ------
        RangeError
            If two parts do not fit together (`load_scenario` has checked that they do).
        """
        return Instrument(**{f.name: getattr(self, f.name) for f in fields(Instrument)})

    def to_toml(self) -> str:
        """Return the resolved scenario as TOML; reading it gives an equal scenario."""
        return tomli_w.dumps(dict(self.document))

    def hash(self) -> str:
        """Return a SHA-256 of all that decides the results.

        Name and description do not count, nor where a file lies: its content does.
        """
        tables = {k: v for k, v in self.document.items() if k not in ("name", "description")}
        for key in ("source", "target", "specimen"):
            path = tables.get(key, {}).get("path")
            if path is not None and not path.startswith(SKIMAGE_PREFIX):
                content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                tables[key] = {**tables[key], "path": content}
        text = json.dumps(tables, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def notes(self) -> Sequence[str]:
        """Return sentences about legal settings whose consequences may surprise."""
        return [*_plate_notes(self), *_focus_notes(self), *_diffraction_notes(self)]


def _plate_notes(scenario: Scenario) -> list[str]:
    thin, thick = scenario.thin, scenario.thick
    if thick.thickness_um >= thin.thickness_um:
        return []
    return [
        f"thick.thickness_um = {thick.thickness_um:g} is thinner than thin.thickness_um = "
        f"{thin.thickness_um:g}: the thin plate is meant to be the sharp reference."
    ]


def _focus_notes(scenario: Scenario) -> list[str]:
    notes = []
    for name in ("thin", "thick"):
        plate: Plate = getattr(scenario, name)
        focus = plate.focus_um
        if not isinstance(focus, str) and not 0.0 <= focus <= plate.thickness_um:
            notes.append(
                f"{name}.focus_um = {focus:g} lies outside the plate, which fills 0 to "
                f"{plate.thickness_um:g} um: nothing that glows is in focus."
            )
    return notes


def _diffraction_notes(scenario: Scenario) -> list[str]:
    """Return a note where Fresnel fringes at edges are wider than half an object pixel."""
    source = scenario.source
    if isinstance(source, MonochromaticSource):
        energy_kev = source.energy_kev
    elif isinstance(source, TubeSource):
        energy_kev = source.voltage_kv * _MEAN_ENERGY_SHARE
    else:
        return []
    geometry = scenario.geometry
    z_um = geometry.effective_propagation_um()
    fringe_um = math.sqrt(wavelength_um(energy_kev) * z_um)
    # At the sample's side of the bench a pixel is smaller by the sample's magnification.
    magnification = geometry.sample_magnification(geometry.source_to_scintillator_mm)
    pixel_um = scenario.camera.pixel_um_sensor / scenario.lens.magnification / magnification
    if fringe_um <= 0.5 * pixel_um:
        return []
    return [
        f"Edge diffraction is not simulated and would show: at {energy_kev:.3g} keV its fringes "
        f"are sqrt(lambda z_eff) = {fringe_um:.2g} um wide at the sample, more than half a pixel "
        f"({pixel_um:.2g} um). Bring the sample nearer to the scintillator to avoid it."
    ]
