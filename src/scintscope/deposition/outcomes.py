"""What electrons do to the energy of one collision: spread, spread per event, loss at faces.

Symbols: f spatial frequency, z depth. ``mean`` is the transfer function of the energy an electron
leaves (1 at f = 0), ``power`` the mean of its squared modulus per event, ``kept`` the part of its
energy that stays in the plate. Without electrons all three are 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.physics import Collisions

Array = NDArray[np.float64]


class ElectronTracks(Protocol):
    """The electron kernel of a material."""

    def mean_transfer(self, energy_kev: Array, frequency_cy_per_um: Array, start: str) -> Array:
        """Return the mean transfer function, (N, F)."""
        ...

    def event_power(self, energy_kev: Array, frequency_cy_per_um: Array, start: str) -> Array:
        """Return the mean squared modulus per electron, (N, F)."""
        ...

    def kept_fraction(
        self, energy_kev: Array, depth_um: Array, thickness_um: float, start: str
    ) -> Array:
        """Return the part of the energy that stays in the plate, (N, D)."""
        ...


@dataclass(frozen=True, slots=True)
class NoTracks:
    """Electrons that stop where they start."""

    def mean_transfer(self, energy_kev: Array, frequency_cy_per_um: Array, start: str) -> Array:
        """Return ones, (N, F)."""
        return np.ones((energy_kev.size, frequency_cy_per_um.size))

    def event_power(self, energy_kev: Array, frequency_cy_per_um: Array, start: str) -> Array:
        """Return ones, (N, F)."""
        return np.ones((energy_kev.size, frequency_cy_per_um.size))

    def kept_fraction(
        self, energy_kev: Array, depth_um: Array, thickness_um: float, start: str
    ) -> Array:
        """Return ones, (N, D)."""
        return np.ones((energy_kev.size, depth_um.size))


@dataclass(frozen=True, kw_only=True, slots=True)
class Electrons:
    """One group of electrons of a collision, for every photon energy.

    Parameters
    ----------
    energy_kev : (E,) or (1,) array
        Energy of one electron.
    start : {"photoelectron", "isotropic"}
        Distribution of first directions.
    mean_kev : (E, T) array
        Energy times mean transfer function, summed over the group's electrons.
    power_kev2 : (E, T) array
        Mean squared modulus of the group's transform.
    """

    energy_kev: Array
    start: str
    mean_kev: Array
    power_kev2: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One exclusive way a collision ends, with the electrons and lines it makes.

    ``probability`` (E,) is per collision; ``first`` the photoelectron or recoil; ``others`` the
    Auger groups; ``lines`` indices of the lines sent out.
    """

    probability: Array
    first: Electrons
    others: tuple[Electrons, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeMaker:
    """Makes the outcomes of a table of collisions.

    Parameters
    ----------
    tracks : ElectronTracks
        The electron kernel.
    frequency_cy_per_um : (T,) array
        Tabulated frequencies.
    """

    tracks: ElectronTracks
    frequency_cy_per_um: Array

    def outcomes(
        self, table: Collisions, recoil_kev: Array, recoil_kev2: Array
    ) -> tuple[Outcome, ...]:
        """Return the ways a collision ends: photoelectric branches, then Compton last.

        Parameters
        ----------
        table : Collisions
            Rates at E energies.
        recoil_kev, recoil_kev2 : (E,) array
            Mean and mean square of the Compton electron's energy.
        """
        firsts = [self._single(s.photoelectron_kev, "photoelectron") for s in table.shells]
        softer: dict[float, tuple[Array, Array]] = {}
        found = [
            Outcome(
                probability=branch.rate_per_um / table.attenuation_per_um,
                first=firsts[branch.shell],
                others=tuple(
                    self._group(np.where(branch.rate_per_um > 0.0, total, 0.0), each, softer)
                    for total, each in branch.auger
                ),
                lines=branch.lines,
            )
            for branch in table.branches
        ]
        recoil = self._single(recoil_kev, "isotropic")
        spread = np.divide(
            recoil_kev2, recoil_kev**2, out=np.ones_like(recoil_kev), where=recoil_kev > 0.0
        )
        recoil = Electrons(
            energy_kev=recoil.energy_kev,
            start=recoil.start,
            mean_kev=recoil.mean_kev,
            power_kev2=recoil.power_kev2 * spread[:, None],
        )
        chance = table.compton_per_um / table.attenuation_per_um
        return (*found, Outcome(probability=chance, first=recoil, others=(), lines=()))

    def _single(self, energy_kev: Array, start: str) -> Electrons:
        """Return one electron per photon energy."""
        f = self.frequency_cy_per_um
        energy = energy_kev[:, None]
        return Electrons(
            energy_kev=energy_kev,
            start=start,
            mean_kev=energy * self.tracks.mean_transfer(energy_kev, f, start),
            power_kev2=energy**2 * self.tracks.event_power(energy_kev, f, start),
        )

    def _group(
        self, total_kev: Array, each_kev: float, known: dict[float, tuple[Array, Array]]
    ) -> Electrons:
        """Return isotropic electrons of one energy that share a total.

        n = total / each independent electrons: E|sum|^2 = n e^2 P + n (n - 1) e^2 M^2.
        """
        if each_kev not in known:
            one, f = np.array([each_kev]), self.frequency_cy_per_um
            known[each_kev] = (
                self.tracks.mean_transfer(one, f, "isotropic")[0],
                self.tracks.event_power(one, f, "isotropic")[0],
            )
        mean, power = known[each_kev]
        total = np.maximum(total_kev, 0.0)[:, None]
        alone = total * np.minimum(each_kev, total)
        return Electrons(
            energy_kev=np.array([each_kev]),
            start="isotropic",
            mean_kev=total_kev[:, None] * mean,
            power_kev2=alone * power + (total**2 - alone) * mean**2,
        )
