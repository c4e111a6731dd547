"""Energy left in all layers of a plate that make light, as one deposition.

The film and, if it glows, its substrate: each layer has the deposition of its own material behind
the crystals upstream of it, and counts by the electrons a keV left in it gives relative to the
film. Fluorescence that passes from one layer into the other is not followed: it counts as escaped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.accuracy import Effects
from scintscope.deposition import Deposition, EnergyBalance, deposition
from scintscope.deposition.frequencies import tabulated_frequencies
from scintscope.scintillator.layers import EmittingLayer, emitting_layers, xray_transmission
from scintscope.scintillator.plate import Plate

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerDeposition:
    """One layer that makes light.

    Parameters
    ----------
    layer : EmittingLayer
        Where it lies and what X-rays cross before it.
    deposition : Deposition
        Of its material and thickness, depths from its own entrance face.
    relative_light : float
        Electrons per keV over the film's.
    """

    layer: EmittingLayer
    deposition: Deposition
    relative_light: float

    def arriving(self, path: float = 1.0) -> Array:
        """Return the share of the photons that reach the layer, (E,)."""
        return xray_transmission(self.layer, self.deposition.energy_kev, path)

    def holds(self, z_um: Array) -> NDArray[np.bool_]:
        """Return which depths lie in the layer, faces included, (D,)."""
        return np.asarray((z_um >= self.layer.entrance_um) & (z_um <= self.layer.exit_um))


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateDeposition:
    """Energy left in a plate, in the film's keV (what gives as much light); see `Deposition`.

    Parameters
    ----------
    layers : tuple of LayerDeposition
        The film first.
    """

    layers: tuple[LayerDeposition, ...]

    @property
    def film(self) -> Deposition:
        """Deposition of the film, or of the whole of a free-standing plate."""
        return self.layers[0].deposition

    @property
    def energy_kev(self) -> Array:
        """Photon energies, (E,)."""
        return self.film.energy_kev

    @property
    def attenuation_per_um(self) -> Array:
        """Total attenuation of the film, 1/um, (E,)."""
        return self.film.attenuation_per_um

    def interacting_fraction(self) -> Array:
        """Return the share of incident photons that interact in a layer that glows, (E,)."""
        return np.asarray(
            sum(
                part.arriving()
                * -np.expm1(-part.deposition.attenuation_per_um * part.layer.thickness_um)
                for part in self.layers
            )
        )

    def first_collisions(self, z_um: Array, path: float = 1.0) -> Array:
        """Return the density of first collisions per um of depth, (E, D)."""
        z = np.asarray(z_um, dtype=np.float64)
        result = np.zeros((self.energy_kev.size, z.size))
        for part, here in self._parts(z):
            local = z[here] - part.layer.entrance_um
            found = part.deposition.first_collisions(local, path)
            result[:, here] = found * part.arriving(path)[:, None]
        return result

    def mean_kev_per_um(self, z_um: Array, path: float = 1.0) -> Array:
        """Return the mean energy left per um of depth and incident photon, (E, D)."""
        z = np.asarray(z_um, dtype=np.float64)
        result = np.zeros((self.energy_kev.size, z.size))
        for part, here in self._parts(z):
            local = z[here] - part.layer.entrance_um
            found = part.deposition.mean_kev_per_um(local, path)
            result[:, here] = found * (part.arriving(path) * part.relative_light)[:, None]
        return result

    def mean_transfer(
        self, weights: Array, z_um: Array, frequency_cy_per_um: Array, path: float = 1.0
    ) -> Array:
        """Return the mean energy left per um with its radial transfer function, (G, D, F)."""
        z = np.asarray(z_um, dtype=np.float64)
        result = np.zeros((np.shape(weights)[0], z.size, np.size(frequency_cy_per_um)))
        for part, here in self._parts(z):
            result[:, here] = part.relative_light * part.deposition.mean_transfer(
                np.asarray(weights) * part.arriving(path),
                z[here] - part.layer.entrance_um,
                frequency_cy_per_um,
                path,
            )
        return result

    def transfer_by_energy(self, z_um: Array, path: float = 1.0) -> Array:
        """Return `mean_transfer` of each energy at the tabulated frequencies, (E, D, T)."""
        z = np.asarray(z_um, dtype=np.float64)
        result = np.zeros((self.energy_kev.size, z.size, tabulated_frequencies().size))
        for part, here in self._parts(z):
            found = part.deposition.transfer_by_energy(z[here] - part.layer.entrance_um, path)
            result[:, here] = found * (part.arriving(path) * part.relative_light)[:, None, None]
        return result

    def event_power(
        self,
        weights: Array,
        z_um: Array,
        weight_um: Array,
        transfer: Array,
        frequency_cy_per_um: Array,
    ) -> Array:
        """Return the mean square of an event's spectrum per um of first-collision depth.

        See `Deposition.event_power`; (G, D, F).
        """
        z = np.asarray(z_um, dtype=np.float64)
        result = np.zeros((np.shape(weights)[0], z.size, np.size(frequency_cy_per_um)))
        for part, here in self._parts(z):
            result[:, here] = part.relative_light**2 * part.deposition.event_power(
                np.asarray(weights) * part.arriving(),
                z[here] - part.layer.entrance_um,
                np.asarray(weight_um)[here],
                np.asarray(transfer)[here],
                frequency_cy_per_um,
            )
        return result

    def deposited_fraction(self) -> Array:
        """Return the share of the incident energy left in all layers that make light, (E,)."""
        return np.asarray(
            sum(part.arriving() * part.deposition.balance().deposited for part in self.layers)
        )

    def balance(self) -> EnergyBalance:
        """Return where the energy that reaches the film goes, per energy."""
        return self.film.balance()

    def fluorescence_share(self, weights: Array) -> float:
        """Return the re-absorbed share of the energy left in the film."""
        return self.film.fluorescence_share(np.asarray(weights) * self.layers[0].arriving())

    def distant_share(self, weights: Array, radius_um: Array) -> Array:
        """Return the share of the film's energy left beyond radii about the entry axis, (R,)."""
        return self.film.distant_share(np.asarray(weights) * self.layers[0].arriving(), radius_um)

    def _parts(self, z_um: Array) -> list[tuple[LayerDeposition, NDArray[np.bool_]]]:
        """Return each layer with the depths that are its own."""
        found, left = [], np.ones(z_um.shape, dtype=np.bool_)
        for part in self.layers:
            here = part.holds(z_um) & left
            left &= ~here
            if here.any():
                found.append((part, here))
        return found


def plate_deposition(
    plate: Plate, energy_kev: Array, effects: Effects, electrons_per_kev: tuple[float, ...]
) -> PlateDeposition:
    """Return the deposition of a plate's layers.

    Parameters
    ----------
    plate : Plate
        The plate.
    energy_kev : (E,) array
        Photon energies.
    effects : Effects
        Fluorescence, electrons, scattered photons.
    electrons_per_kev : tuple of float
        Of each emitting layer, the film first.
    """
    return PlateDeposition(
        layers=tuple(
            LayerDeposition(
                layer=layer,
                deposition=deposition(layer.medium, layer.thickness_um, energy_kev, effects),
                relative_light=gain / electrons_per_kev[0] if electrons_per_kev[0] else 1.0,
            )
            for layer, gain in zip(emitting_layers(plate), electrons_per_kev, strict=True)
        )
    )
