"""Cameras by name."""

from dataclasses import fields

import pytest

from scintscope.camera import CAMERA_PRESETS, Camera, camera_preset
from scintscope.errors import InputError


@pytest.mark.parametrize("name", CAMERA_PRESETS)
def test_preset_is_a_whole_valid_camera(name: str) -> None:
    """A preset sets every field, and the camera accepts them all."""
    values = camera_preset(name)
    assert set(values) == {field.name for field in fields(Camera)}
    camera = Camera(**values)
    assert camera.pixel_um_sensor == 6.5
    assert camera.read_noise_electrons < 2.0  # the sCMOS consortium's promise at 30 frames/s


def test_orientation_of_the_wide_sensors() -> None:
    """The 5.5 megapixel sensors are 2560 wide and 2160 high: shape is (rows, columns)."""
    for name in ("pco.edge-5.5", "zyla-5.5"):
        assert camera_preset(name)["shape"] == (2160, 2560)


def test_published_numbers() -> None:
    """Numbers with an outside source are those of the source."""
    zyla = camera_preset("zyla-5.5")
    assert zyla["read_noise_electrons"] == 1.38  # Andor Zyla hardware manual v2.0 p. 22
    assert zyla["gain_electrons_per_adu"] == 0.45  # same, table 4
    orca = camera_preset("orca-flash4.0-v3")
    assert (orca["gain_electrons_per_adu"], orca["offset_adu"]) == (0.46, 100.0)
    assert camera_preset("pco.edge-5.5")["gain_electrons_per_adu"] == 0.46


def test_presets_cannot_be_changed_by_a_caller() -> None:
    """A caller's change stays with the caller."""
    camera_preset("zyla-5.5")["bits"] = 8
    assert camera_preset("zyla-5.5")["bits"] == 16


def test_unknown_camera_is_refused_with_the_nearest() -> None:
    """A misspelt name is refused, the nearest is named."""
    with pytest.raises(InputError, match=r"'zyla5.5' is not one of .* Did you mean 'zyla-5.5'"):
        camera_preset("zyla5.5")
