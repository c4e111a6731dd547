"""The electron kernel: where the energy of a photoelectron or Auger electron is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scintscope.electrons.angles import start_cosines
from scintscope.electrons.blending import blend_weights
from scintscope.electrons.library import draw_tracks
from scintscope.electrons.medium import HIGHEST_KEV, Medium, medium_of
from scintscope.electrons.store import tables
from scintscope.electrons.tabulate import (
    DISTANCE_NODES,
    ENERGY_NODES,
    FREQUENCY_NODES,
    LOWEST_KEV,
    STARTS,
    distance_coordinate,
    frequency_coordinate,
)
from scintscope.errors import DataError, check_choice, check_range
from scintscope.materials.attenuation import Composed

Array = NDArray[np.float64]

_TINY_UM = 1e-9
_ROUNDING = 1e-9  # a depth that exceeds the thickness by float rounding is the exit face


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracks:
    """Random tracks.

    Parameters
    ----------
    position_um : (N, 32, 3) float32 array
        Places (row, column, z) of energy relative to the start, z along the photon, in path order.
    share : (N, 32) float32 array
        Shares of the electron's energy, sum 1.
    """

    position_um: NDArray[np.float32]
    share: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ElectronKernel:
    """Energy deposition by electrons in one material, without bounds but for `kept_fraction`.

    Electrons of 0 to 300 keV. ``start`` is ``"photoelectron"`` (initial directions by Sauter's
    distribution about z, the photon's direction) or ``"isotropic"`` (Auger electrons,
    photoelectrons of fluorescence photons, Compton recoils: their ranges are so short that their
    direction does not matter below 100 keV photons). Below 1 keV curves scale with the range.

    Parameters
    ----------
    formula : str
        Host.
    density_g_cm3 : float
        Scales all lengths.
    medium : Medium
        Ranges and scattering at unit density.
    mean, power : (2, E, X) arrays
        Transfer functions and event powers: start, energy node, frequency node.
    kept : (2, E, G, G) array
        Kept fractions: start, energy node, distance behind, distance ahead.
    """

    formula: str
    density_g_cm3: float
    medium: Medium = field(repr=False)
    mean: Array = field(repr=False)
    power: Array = field(repr=False)
    kept: Array = field(repr=False)

    def csda_range_um(self, energy_kev: ArrayLike) -> Array:
        """Return the range of continuous slowing down, um, shape of ``energy_kev``.

        Raises
        ------
        RangeError
            If an energy lies outside 0 to 300 keV.
        """
        energy = _energies(energy_kev)
        known = self.medium.energy_kev
        log_range = _range_spline(self.medium)(np.log(np.maximum(energy, known[0])))
        below = np.sqrt(np.minimum(energy / known[0], 1.0))
        return np.asarray(np.exp(log_range) * below / self.density_g_cm3)

    def mean_transfer(
        self, energy_kev: ArrayLike, frequency_cy_per_um: ArrayLike, start: str
    ) -> Array:
        """Return the mean transfer function of the energy, seen along the photon's direction.

        E[sum_i eps_i exp(-2 pi i f.x_i)] / sum eps over tracks and azimuths.

        Parameters
        ----------
        energy_kev : (N,) array
            Electron energies, 0 to 300 keV.
        frequency_cy_per_um : (F,) array
            Spatial frequencies across z.
        start : {"photoelectron", "isotropic"}
            Initial directions.

        Returns
        -------
        (N, F) array
            1 at f = 0 with zero slope, and for energies towards 0. Twice continuously
            differentiable in energy and frequency.
        """
        return self._blend(self.mean[_row(start)], energy_kev, frequency_cy_per_um)

    def event_power(
        self, energy_kev: ArrayLike, frequency_cy_per_um: ArrayLike, start: str
    ) -> Array:
        """Return the mean squared transfer of single electrons, E|sum_i eps_i exp(...)|^2.

        Arguments as for `mean_transfer`. Between `mean_transfer` squared and 1.

        Returns
        -------
        (N, F) array
        """
        return self._blend(self.power[_row(start)], energy_kev, frequency_cy_per_um)

    def kept_fraction(
        self, energy_kev: ArrayLike, depth_um: ArrayLike, thickness_um: float, start: str
    ) -> Array:
        """Return the mean share of the energy left inside a plate.

        What crosses a face is gone: nothing comes back from vacuum.

        Parameters
        ----------
        energy_kev : (N,) array
            Electron energies, 0 to 300 keV.
        depth_um : (D,) array
            Depth of the start below the face the photons enter, 0 to ``thickness_um``.
        thickness_um : float
            Thickness of the plate.
        start : {"photoelectron", "isotropic"}
            Initial directions.

        Returns
        -------
        (N, D) array
        """
        row = _row(start)
        check_range("thickness_um", float(thickness_um), low=0.0, unit="um")
        depth = np.atleast_1d(np.asarray(depth_um, dtype=np.float64))
        end = float(thickness_um) * (1.0 + _ROUNDING)
        for value in (depth.min(initial=0.0), depth.max(initial=0.0)):
            check_range("depth_um", float(value), low=0.0, high=end, unit="um")
        energy = _energies(energy_kev)
        csda = np.maximum(self.csda_range_um(energy), _TINY_UM)[:, None]
        i, behind = blend_weights(distance_coordinate(depth / csda), DISTANCE_NODES)
        rest = np.maximum(thickness_um - depth, 0.0)
        j, ahead = blend_weights(distance_coordinate(rest / csda), DISTANCE_NODES)
        table = _at_energy(self.kept[row], energy)
        which = np.arange(energy.size)[:, None]
        total = np.zeros((energy.size, depth.size))
        for a in range(4):
            for b in range(4):
                total += behind[..., a] * ahead[..., b] * table[which, i + a, j + b]
        return total

    def tracks(self, energy_kev: float, start: str, count: int, rng: np.random.Generator) -> Tracks:
        """Draw tracks for a sampler that follows every quantum.

        Parameters
        ----------
        energy_kev : float
            Electron energy, 0 to 300 keV.
        start : {"photoelectron", "isotropic"}
            Initial directions.
        count : int
            How many, N.
        rng : Generator
            Random numbers.

        Returns
        -------
        Tracks

        Notes
        -----
        Each is one of 2048 stored tracks of one of the two neighbouring energy nodes, the node
        drawn with the chance of linear interpolation in log E, lengths scaled by the ratio of the
        ranges, turned about its initial direction at random and then to a fresh initial direction.
        32 deposits: the centres of gravity of equal parts of the energy along the path.
        """
        energy = float(_energies(energy_kev)[0])
        _row(start)
        check_range("count", int(count), low=0)
        position, share = draw_tracks(self.medium, energy, int(count), rng)
        csda = float(self.csda_range_um(energy)[0])
        cosine = start_cosines(start, energy, int(count), rng)
        turned = _turn_to(position.astype(np.float64) * csda, cosine, rng)
        return Tracks(position_um=turned.astype(np.float32), share=share)

    def _blend(self, table: Array, energy_kev: ArrayLike, frequency: ArrayLike) -> Array:
        """Blend one table at energies and frequencies, (N, F)."""
        f = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
        if f.ndim != 1:
            raise DataError(f"frequency_cy_per_um has shape {f.shape}; give a vector (F,).")
        energy = _energies(energy_kev)
        scaled = np.abs(f)[None, :] * self.csda_range_um(energy)[:, None]
        first, weight = blend_weights(frequency_coordinate(scaled), FREQUENCY_NODES)
        rows = _at_energy(table, energy)
        total = np.zeros(scaled.shape)
        for k in range(4):
            total += weight[..., k] * np.take_along_axis(rows, first + k, axis=1)
        return total


def _energies(energy_kev: ArrayLike) -> Array:
    energy = np.atleast_1d(np.asarray(energy_kev, dtype=np.float64))
    if energy.ndim != 1:
        raise DataError(f"energy_kev has shape {energy.shape}; give a vector (N,).")
    for value in (energy.min(initial=HIGHEST_KEV), energy.max(initial=0.0)):
        check_range("electron energy_kev", float(value), low=0.0, high=HIGHEST_KEV, unit="keV")
    return energy


def _row(start: str) -> int:
    return STARTS.index(check_choice("start", start, STARTS))


def _at_energy(table: Array, energy: Array) -> Array:
    """Blend a table (E, ...) along its first axis at energies (N,)."""
    span = np.log(HIGHEST_KEV / LOWEST_KEV)
    u = np.log(np.maximum(energy, LOWEST_KEV) / LOWEST_KEV) / span
    first, weight = blend_weights(np.minimum(u, 1.0), ENERGY_NODES)
    columns = first[:, None] + np.arange(4)
    return np.asarray(np.einsum("nk,nk...->n...", weight, table[columns]))


@lru_cache(maxsize=32)
def _range_spline(medium: Medium) -> Any:
    from scipy.interpolate import CubicSpline

    return CubicSpline(np.log(medium.energy_kev), np.log(medium.range_um))


def _turn_to(position: Array, cosine: Array, rng: np.random.Generator) -> Array:
    """Turn tracks (N, S, 3) from initial direction z to one at ``cosine`` to z, random azimuths."""
    count = cosine.size
    spin, azimuth = 2.0 * np.pi * rng.random((2, count, 1))
    sine = np.sqrt(1.0 - cosine**2)[:, None]
    a, b, c = position[..., 0], position[..., 1], position[..., 2]
    a, b = a * np.cos(spin) - b * np.sin(spin), a * np.sin(spin) + b * np.cos(spin)
    a, c = a * cosine[:, None] + c * sine, c * cosine[:, None] - a * sine
    column = a * np.cos(azimuth) - b * np.sin(azimuth)
    row = a * np.sin(azimuth) + b * np.cos(azimuth)
    return np.stack([row, column, c], axis=-1)


def electron_kernel(material: Composed) -> ElectronKernel:
    """Return the kernel of a material.

    Parameters
    ----------
    material : Composed
        Anything with a formula and a density: a scintillator or absorber.

    Returns
    -------
    ElectronKernel
        Tables of the built-in scintillator hosts come with the package; those of any other formula
        are computed once (one to two minutes, with a progress bar) and kept in the cache.

    Raises
    ------
    InputError
        If the formula holds an element beyond uranium.
    """
    check_range("density_g_cm3", float(material.density_g_cm3), low=0.0, low_open=True)
    medium, arrays = _loaded(material.formula)
    return ElectronKernel(
        formula=material.formula,
        density_g_cm3=float(material.density_g_cm3),
        medium=medium,
        mean=arrays["mean"],
        power=arrays["power"],
        kept=arrays["kept"],
    )


@lru_cache(maxsize=16)
def _loaded(formula: str) -> tuple[Medium, dict[str, Array]]:
    """Return medium and tables in double precision, one object per formula."""
    stored = tables(formula)
    arrays = {name: stored[name].astype(np.float64) for name in ("mean", "power", "kept")}
    return medium_of(stored), arrays
