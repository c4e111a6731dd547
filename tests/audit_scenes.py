"""A small instrument for the audit's tests: one X-ray energy, little depth, few pixels."""

from __future__ import annotations

from pathlib import Path

from scintscope.scenario import Scenario, load_scenario

QUICK = Path(__file__).parents[1] / "scenarios" / "quick.toml"
SETS = (
    "source.kind=monochromatic",
    "source.energy_kev=18.0",
    "source.photons_per_um2_s=60.0",
    "accuracy.effects.fluorescence=local",
    "accuracy.effects.electrons=false",
    "accuracy.effects.scattered_photons=false",
    "accuracy.noise_sampler=fast",
    "lens.na=0.25",
    "thick.thickness_um=80.0",
    "camera.shape=[208,192]",
    "target.line_widths_um=[2.0,4.0]",
    "acquisition.frames=2",
)


def small_scenario(*sets: str) -> Scenario:
    """Return the scenario, further settings laid over it."""
    return load_scenario(QUICK, (*SETS, *sets))
