"""Noise: theory on plain arrays, a plate's curves, their sampled form, groups of events."""

from scintscope.noise.groups import QuantaGroups, quanta_groups
from scintscope.noise.plate import (
    SignalNoise,
    collision_power,
    mean_electrons_per_um2,
    plate_moments,
    quantum_noise,
    signal_noise,
)
from scintscope.noise.sampled import camera_variance, sampled_nps, sampled_signal_noise
from scintscope.noise.theory import (
    Moments,
    NoiseCurves,
    local_moments,
    lubberts_ratio,
    noise_curves,
    swank_factor,
)

__all__ = [
    "Moments",
    "NoiseCurves",
    "QuantaGroups",
    "SignalNoise",
    "camera_variance",
    "collision_power",
    "local_moments",
    "lubberts_ratio",
    "mean_electrons_per_um2",
    "noise_curves",
    "plate_moments",
    "quanta_groups",
    "quantum_noise",
    "sampled_nps",
    "sampled_signal_noise",
    "signal_noise",
    "swank_factor",
]
