"""Checks of the camera's and the acquisition's numbers."""

import pytest

from scintscope.camera.parts import Acquisition, Camera
from scintscope.errors import InputError


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"pixel_um_sensor": 0.0}, r"camera\.pixel_um_sensor = 0\.0"),
        ({"quantum_efficiency": 1.1}, r"camera\.quantum_efficiency = 1\.1"),
        ({"gain_electrons_per_adu": 0.0}, r"camera\.gain_electrons_per_adu"),
        ({"read_noise_electrons": -1.0}, r"camera\.read_noise_electrons"),
        ({"bits": 17}, r"camera\.bits = 17"),
        ({"bits": 12.5}, "whole number"),
        ({"prnu": 0.5}, r"camera\.prnu"),
        ({"shape": (8, 64)}, r"camera\.shape = \[8, 64\]"),
        ({"shape": (64,)}, r"camera\.shape"),
    ],
)
def test_impossible_cameras_are_refused(values: dict, match: str) -> None:
    """A camera that cannot exist is refused with its key and value."""
    with pytest.raises(InputError, match=match):
        Camera(**values)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"frames": 0}, r"acquisition\.frames = 0"),
        ({"frames": 2.5}, "whole number"),
        ({"plate_drift_um": -0.1}, r"acquisition\.plate_drift_um"),
        ({"source_flicker": 0.6}, r"acquisition\.source_flicker"),
        ({"seed": -1}, r"acquisition\.seed"),
    ],
)
def test_impossible_acquisitions_are_refused(values: dict, match: str) -> None:
    """An acquisition that cannot be done is refused with its key and value."""
    with pytest.raises(InputError, match=match):
        Acquisition(**values)
