"""Camera and acquisition: from mean photo-electrons to stacks of counts."""

from scintscope.camera.drift import StackDrift, draw_drift
from scintscope.camera.parts import Acquisition, Camera
from scintscope.camera.poisson import parallel_poisson
from scintscope.camera.presets import CAMERA_PRESETS, camera_preset
from scintscope.camera.sensor import (
    FixedPattern,
    dark_frame,
    expose,
    flat_frame,
    make_fixed_pattern,
    saturated_fraction,
    saturation_level_adu,
)

__all__ = [
    "CAMERA_PRESETS",
    "Acquisition",
    "Camera",
    "FixedPattern",
    "StackDrift",
    "camera_preset",
    "dark_frame",
    "draw_drift",
    "expose",
    "flat_frame",
    "make_fixed_pattern",
    "parallel_poisson",
    "saturated_fraction",
    "saturation_level_adu",
]
