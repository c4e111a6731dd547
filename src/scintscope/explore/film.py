"""What X-rays leave in films of one material, over thickness and energy; kept on disk.

Thicknesses stand on one ladder and energies on one mesh, whatever the scenario: what one page has
made serves the next one of the same material. A film is known at first on every second rung,
roughly, then on all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.accuracy import Effects
from scintscope.cache import cached_arrays
from scintscope.deposition.frequencies import tabulated_frequencies
from scintscope.deposition.kernel import Deposition, deposition
from scintscope.design.xray_tables import (
    MIDDLE_NODES,
    XrayTables,
    frequencies_up_to,
    panel_depths,
    xray_tables,
)
from scintscope.materials import Scintillator
from scintscope.progress import silent

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[np.float32]]

_VERSION = 2
_RUNG_UM, _PER_OCTAVE = 10.0, 2
_BEYOND = 0.1
"""Steps of the ladder by which a range may stick out of it."""
POINTS, ROUGH_POINTS = 6, 4
"""Rungs that a thickness is interpolated from, and those of the rough film."""
_SHARED = 6
"""Tabulated frequencies are kept in multiples of this many."""
_NAMES = ("left", "squares", "products")


def rung_um(step: int) -> float:
    """Return the thickness of a step of the ladder: ..., 10, 14.1, 20, 28.3, 40, ... um."""
    return float(_RUNG_UM * 2.0 ** (step / _PER_OCTAVE))


def rungs(low_um: float, high_um: float) -> tuple[float, ...]:
    """Return the thicknesses at which tables are made for a range, um, ascending."""
    low, high = (_PER_OCTAVE * np.log2(um / _RUNG_UM) for um in (low_um, high_um))
    first = int(np.floor(low + _BEYOND))
    last = max(int(np.ceil(high - _BEYOND)), first + 1)
    return tuple(rung_um(step) for step in range(first, last + 1))


def rough(ladder: Sequence[float]) -> tuple[float, ...]:
    """Return every second rung, and the last."""
    return (*ladder[:-1:2], ladder[-1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Stencil:
    """Thicknesses that one is interpolated from.

    Parameters
    ----------
    thickness_um : tuple of float
        Of the tables.
    weight : tuple of float
        Lagrange's, in the logarithm of the thickness.
    fine : bool
        Whether finer tables could add nothing.
    """

    thickness_um: tuple[float, ...]
    weight: tuple[float, ...]
    fine: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Film:
    """Tables of one material; more may come (`with_sheet`).

    Parameters
    ----------
    material : Scintillator
        The material.
    energy_kev : (E,) array
        Photon energies.
    ladder : tuple of float
        Thicknesses at which tables are wanted, um; none for a layer of fixed thickness.
    sheets : dict of float to dict
        Tables known, by thickness in um: ``left``, ``squares`` (E, D, T) and ``products``
        (E, T, K, K) of `XrayTables`.
    """

    material: Scintillator
    energy_kev: Array
    ladder: tuple[float, ...] = ()
    sheets: Mapping[float, Arrays] = field(default_factory=dict)

    def with_sheet(self, thickness_um: float, arrays: Arrays) -> Film:
        """Return the film with tables at one more thickness."""
        return replace(self, sheets={**self.sheets, thickness_um: arrays})

    def stencil(self, thickness_um: float) -> Stencil | None:
        """Return what a thickness is interpolated from, or None while too little is known."""
        if thickness_um in self.sheets:
            return Stencil(thickness_um=(thickness_um,), weight=(1.0,))
        if not self.ladder:
            return None
        for ladder, points, fine in (
            (self.ladder, POINTS, True),
            (rough(self.ladder), ROUGH_POINTS, False),
        ):
            near = _nearest(ladder, thickness_um, points)
            if all(um in self.sheets for um in near):
                return Stencil(thickness_um=near, weight=_lagrange(near, thickness_um), fine=fine)
        return None

    def weighed(self, thickness_um: float, photons: Array) -> Arrays:
        """Return the tables of a known thickness summed over energy with photons per um2 and s."""
        weight = photons.astype(np.float32)
        return {
            name: np.tensordot(weight, array, axes=1)
            for name, array in self.sheets[thickness_um].items()
        }

    def left_kev(self, thickness_um: float, stencil: Stencil) -> Array:
        """Return the mean energy that a photon of each energy leaves in the film, keV, (E,)."""
        _, weight_um = panel_depths(thickness_um, MIDDLE_NODES)
        per_um = mixed([self.sheets[um]["left"][..., 0] for um in stencil.thickness_um], stencil)
        return np.asarray(per_um @ weight_um)


def mixed(arrays: Sequence[NDArray[Any]], stencil: Stencil) -> Array:
    """Return arrays of the stencil's thicknesses, interpolated."""
    total = np.zeros(arrays[0].shape)
    for array, weight in zip(arrays, stencil.weight, strict=True):
        total += weight * array
    return total


def tabulated(top_cy_per_um: float) -> int:
    """Return how many tabulated frequencies a film has: few kinds, so that lenses share tables."""
    wanted = frequencies_up_to(top_cy_per_um) / _SHARED
    return min(_SHARED * int(np.ceil(wanted)), tabulated_frequencies().size)


def _nearest(ladder: Sequence[float], thickness_um: float, points: int) -> tuple[float, ...]:
    """Return the rungs around a thickness, as many on both sides where there are."""
    after = int(np.searchsorted(ladder, thickness_um))
    first = int(np.clip(after - points // 2, 0, max(len(ladder) - points, 0)))
    return tuple(ladder[first : first + points])


def _lagrange(nodes: Sequence[float], value: float) -> tuple[float, ...]:
    """Return Lagrange's weights in the logarithm."""
    known, x = np.log(nodes), np.log(value)
    spread = known[:, None] - known + np.eye(known.size)
    factors = np.where(np.eye(known.size) > 0, 1.0, (x - known) / spread)
    return tuple(float(w) for w in factors.prod(axis=1))


def sheet(
    material: Scintillator,
    thickness_um: float,
    energy_kev: Array,
    effects: Effects,
    top_cy_per_um: float,
) -> Arrays:
    """Return the tables of a material at one thickness, from disk if they were made before.

    Parameters
    ----------
    material : Scintillator
        The material.
    thickness_um : float
        Of the layer.
    energy_kev : (E,) array
        Photon energies.
    effects : Effects
        What is switched on.
    top_cy_per_um : float
        Highest frequency wanted.
    """

    def make(_: Mapping[str, float]) -> Deposition:
        return deposition(material, thickness_um, energy_kev, effects)

    def made() -> dict[str, NDArray[Any]]:
        top = float(tabulated_frequencies()[count - 3])  # as `frequencies_up_to` counts
        with silent("", 1) as advance:
            found: XrayTables = xray_tables(make, (), [{}], top, advance)
        return {name: getattr(found, name).astype(np.float32) for name in _NAMES}

    count = tabulated(top_cy_per_um)
    inputs = {
        "version": _VERSION,
        "formula": material.formula,
        "density": material.density_g_cm3,
        "thickness": thickness_um,
        "energy": energy_kev,
        "effects": asdict(effects),
        "frequencies": count,
    }
    return cached_arrays("explore", inputs, made)
