"""The fast light image against Eq. 1 plane by plane; see SOURCE.md. Takes several minutes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from scintscope.forward import Experiment, set_up
from scintscope.forward.planes import plane_by_plane
from scintscope.forward.render import light_image, noise_free_frame, xray_images
from scintscope.outputs import versions, write_json
from scintscope.scenario import load_scenario

HERE = Path(__file__).parent
PAPER = HERE.parents[1] / "scenarios" / "paper.toml"
SIDE, PAPER_SIDE = 256, 2048
NEARER = PAPER_SIDE / SIDE
SETS = (
    f"camera.shape=[{SIDE},{SIDE}]",
    f"geometry.source_to_scintillator_mm={100.0 / NEARER}",
    f"geometry.source_to_sample_mm={98.0 / NEARER}",
    f"lens.pupil_distance_mm={100.0 / NEARER}",
    "specimen.length_um=400.0",
)


def compare(sample: str) -> dict[str, float]:
    """Return the deviation of both forms for one sample on the thick plate."""
    scenario = load_scenario(PAPER, SETS)
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
    return {
        "rms_error_over_std": float(np.sqrt(np.mean((fast - exact) ** 2)) / exact.std()),
        "largest_error_over_std": float(np.abs(fast - exact).max() / exact.std()),
        "estimated_error": light.error,
        "transforms": light.terms,
        "planes": scene.response.depth_um.size,
        "energies": scene.response.spectrum.energy_kev.size,
        "tolerance": scenario.accuracy.error_target,
    }


def main() -> int:
    """Run the case, write result.json and return 1 if it is outside its tolerance."""
    rows = {sample: compare(sample) for sample in ("target", "specimen")}
    write_json(HERE / "result.json", {"rows": rows, "versions": versions()})
    for sample, row in rows.items():
        print(
            f"{sample:9s} rms {row['rms_error_over_std']:.2e} (tolerance {row['tolerance']:.0e}), "
            f"largest {row['largest_error_over_std']:.2e}; {row['transforms']} transforms for "
            f"{row['planes']} planes and {row['energies']} energies"
        )
    return int(any(row["rms_error_over_std"] > row["tolerance"] for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
