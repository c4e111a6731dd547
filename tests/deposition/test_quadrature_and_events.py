"""Quadrature against photons followed one by one: two codes that share the cross-sections only."""

import numpy as np
import pytest

from scintscope.accuracy import Effects
from scintscope.deposition import deposition, interaction_data
from scintscope.deposition.events import event_model, follow
from scintscope.materials import scintillator
from scintscope.quadrature import interval_nodes

PHOTONS_ONLY = Effects(fluorescence="transport", electrons=False, scattered_photons=True)
FREQUENCY = np.array([0.0, 0.004, 0.05])


@pytest.mark.parametrize(
    ("name", "thickness", "energy"), [("YAG:Ce", 150.0, 20.0), ("GGG:Tb", 100.0, 60.0)]
)
def test_mean_and_power_agree_within_five_sigma(name, thickness, energy, monkeypatch):
    """Deposited energy, its transform and the mean square of the transform of single events."""
    monkeypatch.setenv("SCINTSCOPE_CACHE", "off")
    material, one, count = scintillator(name), np.array([energy]), 30_000
    kernel = deposition(material, thickness, one, PHOTONS_ONLY)
    z, weight = interval_nodes(0.0, thickness, 40)
    flat = np.ones((40, FREQUENCY.size))
    power = weight @ kernel.event_power(np.ones((1, 1)), z, weight, flat, FREQUENCY)[0]
    mean = weight @ kernel.mean_transfer(np.ones((1, 1)), z, FREQUENCY)[0]
    model = event_model(interaction_data(material), thickness, one, PHOTONS_ONLY, None)
    left, _ = follow(model, np.full(count, energy), np.random.default_rng(5))
    phases = np.exp(-2j * np.pi * FREQUENCY[:, None] * left.x_um) * left.energy_kev
    sums = np.zeros((FREQUENCY.size, count), dtype=complex)
    for i, row in enumerate(phases):
        np.add.at(sums[i], left.event, row)
    for drawn, ours in ((sums.real, mean), (np.abs(sums) ** 2, power)):
        error = drawn.std(axis=1) / np.sqrt(count)
        assert np.all(np.abs(drawn.mean(axis=1) - ours) < 5.0 * error)
