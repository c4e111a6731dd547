"""A scenario: what the user wrote, checked as a whole, as the frozen parts it stands for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import tomli_w

from scintscope.accuracy import Accuracy
from scintscope.camera.parts import Acquisition, Camera
from scintscope.geometry import Geometry
from scintscope.instrument import Instrument
from scintscope.materials import Absorber, attenuation
from scintscope.optics.lens import Lens
from scintscope.restoration.config import RestorationConfig
from scintscope.sample.specimen import SpecimenRecipe
from scintscope.scenario.files import SKIMAGE_PREFIX
from scintscope.scintillator.plate import Plate
from scintscope.source.parts import Source

MATERIAL_KEYS = ("material", "tissue", "bone")
"""Keys of a target or specimen that name a material."""

AIR = "air"


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

    @property
    def edges_kev(self) -> tuple[float, ...]:
        """Absorption edges of what X-rays cross before the plates: filters, air and samples."""
        names = [sheet.material for sheet in getattr(self.source, "filters", ())]
        if getattr(self.source, "air_path", False):
            names.append(AIR)
        for recipe in (self.target, self.specimen):
            names += [getattr(recipe, key) for key in MATERIAL_KEYS if hasattr(recipe, key)]
        return attenuation.edges_of(self.absorbers[name] for name in names)

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
        thin_um, thick_um = self.thin.thickness_um, self.thick.thickness_um
        if thick_um >= thin_um:
            return []
        return [
            f"thick.thickness_um = {thick_um:g} is thinner than thin.thickness_um = {thin_um:g}: "
            "the thin plate is meant to be the sharp reference."
        ]
