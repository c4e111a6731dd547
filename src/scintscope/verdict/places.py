"""Places on the axes of the validity map: an instrument with some of its numbers changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from scintscope.errors import InputError, nearest_hint
from scintscope.instrument import Instrument
from scintscope.optics.field import FieldAberrations
from scintscope.quadrature import defocus_nodes
from scintscope.sample.specimen import SpecimenRecipe
from scintscope.source.parts import MonochromaticSource, TubeSource
from scintscope.units import UM_PER_MM

AXES: Mapping[str, tuple[str, str]] = {
    "source_distance": ("source to scintillator", "mm"),
    "field": ("side of the field", "mm"),
    "thickness": ("thickness of the thick plate", "um"),
    "na": ("numerical aperture", ""),
    "contrast": ("thickness of the target's absorber", "um"),
    "hardness": ("tube voltage or photon energy", "kV or keV"),
}

PAIRS = (("source_distance", "field"), ("thickness", "na"), ("contrast", "hardness"))
"""Maps made when none is asked for."""

_FACTORS: Mapping[str, tuple[float, ...]] = {
    "source_distance": (0.1, 0.2, 0.4, 1.0, 2.5, 6.0, 15.0),
    "field": (0.25, 0.5, 1.0, 2.0, 4.0, 8.0),
    "thickness": (0.125, 0.25, 0.5, 1.0, 1.5),
    "na": (0.375, 0.625, 1.0, 1.375),
    "contrast": (0.02, 0.1, 0.3, 1.0, 3.0),
    "hardness": (0.6, 0.8, 1.0, 1.4, 2.0),
}
_PARALLEL_STANDS_FOR_MM = 100.0
_LARGEST_NA = 0.95
SIDE_PX = 256
ENERGY_BIN_KEV = 2.0
_DEPTH_SHARE = 0.75
_LEAST_NODES = 16


class Places:
    """An instrument and its sample, to be moved along the axes.

    Energy bins are 2 keV wide at least and depth nodes three quarters of what the defocus asks
    for; the lens's field is left out.
    """

    def __init__(self, instrument: Instrument, recipe: SpecimenRecipe) -> None:
        bins = max(instrument.accuracy.energy_bin_kev, ENERGY_BIN_KEV)
        accuracy = replace(instrument.accuracy, energy_bin_kev=bins, oversampling="auto")
        lens = replace(instrument.lens, field=FieldAberrations())
        self.base = replace(instrument, accuracy=accuracy, lens=lens)
        self.recipe = recipe

    def own(self) -> dict[str, float]:
        """Return the scenario's own place on every axis that it has."""
        base = self.base
        side = min(base.camera.shape) * base.pixel_um_object / UM_PER_MM
        found = {
            "source_distance": base.geometry.source_to_scintillator_mm,
            "field": side,
            "thickness": base.thick.thickness_um,
            "na": base.lens.na,
        }
        if hasattr(self.recipe, "thickness_um"):
            found["contrast"] = float(self.recipe.thickness_um)
        if isinstance(base.source, TubeSource):
            found["hardness"] = base.source.voltage_kv
        elif isinstance(base.source, MonochromaticSource):
            found["hardness"] = base.source.energy_kev
        return found

    def check(self, axis: str) -> None:
        """Refuse an axis that does not exist, or that this scenario does not have."""
        if axis not in AXES:
            raise InputError(
                f"--map {axis!r} is not one of {', '.join(AXES)}.{nearest_hint(axis, list(AXES))}"
            )
        if axis not in self.own():
            raise InputError(
                f"--map {axis}: the target or the source of this scenario has no such number. "
                f"It has: {', '.join(self.own())}."
            )

    def values(self, axis: str) -> tuple[float, ...]:
        """Return the values an axis is sampled at by default, about the scenario's own."""
        self.check(axis)
        own = self.own()[axis]
        if not np.isfinite(own):
            own = _PARALLEL_STANDS_FOR_MM
        found = [float(f"{own * k:.4g}") for k in _FACTORS[axis]]
        if axis == "na":
            found = [v for v in found if v <= max(_LARGEST_NA, own)]
        return tuple(found)

    def instrument(self, place: Mapping[str, float]) -> Instrument:
        """Return the instrument at a place, on a small camera.

        Raises
        ------
        InputError
            If a value cannot be had.
        """
        base = self.base
        source: Any = base.source
        if isinstance(source, TubeSource):
            source = replace(source, voltage_kv=place["hardness"])
        elif isinstance(source, MonochromaticSource):
            source = replace(source, energy_kev=place["hardness"])
        thick = replace(base.thick, thickness_um=place["thickness"])
        lens = replace(base.lens, na=place["na"])
        nodes = base.accuracy.depth_nodes
        if nodes == "auto":
            film = thick.scintillator
            count = defocus_nodes(
                thick.thickness_um, lens.na, float(film.refractive_index), film.emission_um
            )
            nodes = max(_LEAST_NODES, int(_DEPTH_SHARE * count))
        return replace(
            base,
            geometry=self._geometry(place["source_distance"]),
            source=source,
            thick=thick,
            lens=lens,
            accuracy=replace(base.accuracy, depth_nodes=nodes),
            camera=replace(base.camera, shape=(SIDE_PX, SIDE_PX)),
        )

    def _geometry(self, distance_mm: float) -> Any:
        """Return the bench with the source at a distance, the sample as near to the plate."""
        geometry = self.base.geometry
        if distance_mm == geometry.source_to_scintillator_mm:
            return geometry
        gap = max(geometry.sample_distance_mm, 1e-3)
        if gap > 0.5 * distance_mm:
            gap = 0.5 * distance_mm
        return replace(
            geometry,
            source_to_scintillator_mm=distance_mm,
            source_to_sample_mm=distance_mm - gap,
            sample_to_scintillator_mm=None,
        )

    def at(self, contrast: float) -> SpecimenRecipe:
        """Return the sample with an absorber of another thickness."""
        recipe: Any = self.recipe
        found: SpecimenRecipe = (
            replace(recipe, thickness_um=contrast) if np.isfinite(contrast) else recipe
        )
        return found
