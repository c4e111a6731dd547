"""The fast light image against Eq. 1 plane by plane; see SOURCE.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scintscope.forward import Experiment, set_up
from scintscope.forward.planes import plane_by_plane
from scintscope.forward.render import light_image, noise_free_frame, xray_images
from scintscope.scenario import load_scenario
from scintscope.validate import Row, row

HERE = Path(__file__).parent
PAPER = HERE.parents[1] / "scenarios" / "paper.toml"
SIDE, PAPER_SIDE = 256, 2048
SMALL = ("camera.shape=[128,128]", "accuracy.energy_bin_kev=4.0")
"""For a comparison in seconds; `study.py` makes the whole one."""
NEARER = PAPER_SIDE / SIDE
SETS = (
    f"camera.shape=[{SIDE},{SIDE}]",
    f"geometry.source_to_scintillator_mm={100.0 / NEARER}",
    f"geometry.source_to_sample_mm={98.0 / NEARER}",
    f"lens.pupil_distance_mm={100.0 / NEARER}",
    "specimen.length_um=400.0",
)


def compare(sample: str, sets: tuple[str, ...] = ()) -> list[Row]:
    """Return the deviation of both forms for one sample on the thick plate."""
    scenario = load_scenario(PAPER, SETS + sets)
    experiment = Experiment(
        instrument=scenario.instrument(),
        acquisition=scenario.acquisition,
        samples={"target": scenario.target, "specimen": scenario.specimen},
        absorbers=scenario.absorbers,
    )
    bench = set_up(experiment)
    scene = bench.scene("thick", sample)
    light = light_image(scene, xray_images(scene))
    fast = noise_free_frame(light, scene.plane, 1.0)
    exact = plane_by_plane(scene)
    planes, energies = scene.response.depth_um.size, scene.response.spectrum.energy_kev.size
    return [
        row(
            f"image of the {sample}, {light.terms} transforms for {planes} planes and {energies} "
            "energies: rms error over contrast",
            float(np.sqrt(np.mean((fast - exact) ** 2)) / exact.std()),
            0.0,
            scenario.accuracy.error_target,
            reason="accuracy.error_target of the scenario",
            source="Eq. 1 of the paper, energy by energy and plane by plane in float64",
        )
    ]


def rows(quick: bool) -> list[Row]:
    """Return the comparison for the target on a small frame; it is not quick."""
    return [] if quick else compare("target", SMALL)
