"""What X-rays leave in films of one material, over thickness and energy; kept on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.accuracy import Effects
from scintscope.cache import cached_arrays
from scintscope.deposition.kernel import Deposition, deposition
from scintscope.design.axes import Axis, Nodes, contracted, node_axis
from scintscope.design.xray_tables import (
    MIDDLE_NODES,
    XrayTables,
    frequencies_up_to,
    panel_depths,
    xray_tables,
)
from scintscope.materials import Scintillator
from scintscope.progress import Advance

Array = NDArray[np.float64]

THICKNESS = "thickness_um"
_VERSION = 1
_POINTS, _PER_LOG = 5, 1.4
"""Points along the thickness, as in `design.tabulate`."""
_NAMES = ("left", "squares", "products")


@dataclass(frozen=True, kw_only=True, slots=True)
class Film:
    """Tables of one material.

    Parameters
    ----------
    material : Scintillator
        The material.
    nodes : tuple of Nodes
        Thickness; none for a layer whose thickness is fixed.
    energy_kev : (E,) array
        Photon energies.
    arrays : dict
        ``left``, ``squares``, ``products`` of `XrayTables`, float32.
    """

    material: Scintillator
    nodes: tuple[Nodes, ...]
    energy_kev: Array
    arrays: Mapping[str, NDArray[np.float32]]

    def weighed(self, photons: Array) -> dict[str, NDArray[np.float32]]:
        """Return the tables summed over energy with photons per um2 and s, (..., D, T[, K, K])."""
        axis = len(self.nodes)
        weight = photons.astype(np.float32)
        return {
            name: np.tensordot(weight, array, axes=(0, axis)) for name, array in self.arrays.items()
        }

    def left_kev(self, thickness_um: float) -> Array:
        """Return the mean energy that a photon of each energy leaves in the film, keV, (E,)."""
        _, weight_um = panel_depths(thickness_um, MIDDLE_NODES)
        at_zero = self.arrays["left"][..., 0]
        found = contracted(at_zero, self.nodes, {THICKNESS: thickness_um})
        return np.asarray(np.asarray(found, dtype=np.float64) @ weight_um)


def thickness_nodes(low_um: float, high_um: float) -> Nodes:
    """Return the thicknesses at which tables are made."""
    count = round(_POINTS + _PER_LOG * np.log(high_um / low_um))
    return node_axis(Axis(key=THICKNESS, low=low_um, high=high_um), count, log=True)


def film_tables(
    material: Scintillator,
    nodes: tuple[Nodes, ...],
    thickness_um: tuple[float, ...],
    energy_kev: Array,
    effects: Effects,
    top_cy_per_um: float,
    advance: Advance,
) -> Film:
    """Return the tables of a material, from disk if they were made before.

    Parameters
    ----------
    material : Scintillator
        The material.
    nodes, thickness_um
        Axis and its values, or () and the one thickness.
    energy_kev : (E,) array
        Photon energies.
    effects : Effects
        What is switched on.
    top_cy_per_um : float
        Highest frequency wanted.
    advance : callable
        Told of each thickness made.
    """

    def make(values: Mapping[str, float]) -> Deposition:
        return deposition(material, values[THICKNESS], energy_kev, effects)

    def made() -> dict[str, NDArray[Any]]:
        points = [{THICKNESS: value} for value in thickness_um]
        found: XrayTables = xray_tables(make, nodes, points, top_cy_per_um, advance)
        return {name: getattr(found, name).astype(np.float32) for name in _NAMES}

    inputs = {
        "version": _VERSION,
        "formula": material.formula,
        "density": material.density_g_cm3,
        "thickness": list(thickness_um),
        "energy": energy_kev,
        "effects": asdict(effects),
        "frequencies": frequencies_up_to(top_cy_per_um),
    }
    arrays = cached_arrays("explore", inputs, made)
    return Film(material=material, nodes=nodes, energy_kev=energy_kev, arrays=arrays)
