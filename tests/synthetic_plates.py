"""Depositions with closed forms, in place of a real plate's."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class LocalDeposition:
    """All energy stays where the photon stopped; mean and mean square per event are given."""

    attenuation_per_um: np.ndarray
    mean_kev: np.ndarray
    mean_kev2: np.ndarray
    thickness_um: float

    def interacting_fraction(self):
        """Return 1 - exp(-mu t)."""
        return -np.expm1(-self.attenuation_per_um * self.thickness_um)

    def first_collisions(self, z_um, path=1.0):
        """Return mu exp(-mu z), per um."""
        mu = self.attenuation_per_um[:, None] * path
        return mu * np.exp(-mu * z_um)

    def mean_kev_per_um(self, z_um, path=1.0):
        """Return the mean energy left per um."""
        return self.mean_kev[:, None] * self.first_collisions(z_um, path)

    def mean_transfer(self, weights, z_um, frequency_cy_per_um, path=1.0):
        """Return the same at every frequency."""
        left = np.asarray(weights) @ self.mean_kev_per_um(z_um, path)
        return np.repeat(left[:, :, None], np.size(frequency_cy_per_um), axis=2)

    def event_power(self, weights, z_um, weight_um, transfer, frequency_cy_per_um):
        """Return mean square energy times T^2."""
        weights = np.asarray(weights)
        each = self.mean_kev2[:, None] * self.first_collisions(z_um)
        square = weights[:, None] * each if weights.ndim == 1 else weights @ each
        return square[:, :, None] * np.asarray(transfer) ** 2
