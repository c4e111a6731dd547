"""Studies small enough for tests: 32 pixels, one energy, thin plates, a tenth of a second each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scintscope.dataset import Study, load_study

TINY = """
name = "tiny"
licence = "CC0-1.0"
seed = 7
samples = 8
samples_per_plate = 2
samples_per_instrument = 4
instruments = 1
shard_samples = 4
splits = { train = 0.5, validation = 0.25, test = 0.25 }

[base.source]
kind = "monochromatic"
energy_kev = 15.0
photons_per_um2_s = 200.0

[base.geometry]
source_to_scintillator_mm = 100.0
source_to_sample_mm = 98.0

[base.lens]
magnification = 5.0
na = 0.15

[base.camera]
shape = [32, 32]
pixel_um_sensor = 10.0

[base.thin]
material = "YAG:Ce"
thickness_um = 10.0
exposure_s = 20.0
[base.thin.defects]
dust_per_mm2 = 300.0

[base.thick]
material = "YAG:Ce"
thickness_um = 40.0
exposure_s = 10.0

[base.target]
kind = "slanted_edge"
thickness_um = 20.0

[base.acquisition]
frames = 2
dark_frames = 2
flat_frames = 2

[base.restoration]
psf_size_px = 8
iterations = 3

[base.accuracy]
depth_nodes = 6
oversampling = 2
error_target = 2e-2
alias_tolerance = 0.5
noise_sampler = "fast"

[base.accuracy.effects]
fluorescence = "local"
electrons = false
scattered_photons = false

[vary]
"thick.exposure_s" = { log_uniform = [10.0, 40.0], group = "dose" }
"thin.exposure_s" = { log_uniform = [20.0, 80.0], group = "dose" }
"acquisition.sample_drift_um" = { normal = [0.3, 0.1], low = 0.0 }
"thin.defects.contrast" = { uniform = [0.3, 0.7], per = "plate" }

[groups]
dose = 0.9

[[specimens]]
kind = "spheres"
width_um = 60.0
thickness_um = 80.0
diameter_um = { log_uniform = [15.0, 30.0] }
spread = 0.1

[[specimens]]
kind = "fibres"
weight = 0.5
width_um = 60.0
count = { uniform = [5, 12], whole = true }
"""


def tiny_file(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the study into a folder, one text in it replaced by another."""
    path = folder / "tiny.toml"
    if old and old not in TINY:
        raise AssertionError(old)
    path.write_text(TINY.replace(old, new) if old else TINY)
    return path


def tiny_study(folder: Path, *sets: str, **more: Any) -> Study:
    """Return the study, ``--set`` values laid over it."""
    return load_study(tiny_file(folder), sets, **more)
