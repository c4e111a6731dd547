"""Cameras by name: values of the fields of `Camera`, each with its source.

"Recalled" marks a number remembered from the maker's data sheet and not read again; "assumed" a
number of plausible size that no source was found for. Measure your own camera where it matters:
gain and read noise by a photon transfer curve, dark current and offsets from dark frames. No
published curve of quantum efficiency over wavelength was found in numbers, so the presets have one
value for all wavelengths; give ``quantum_efficiency_curve`` where you have one.
"""

from __future__ import annotations

from typing import Any

from scintscope.errors import check_choice

_PRESETS: dict[str, dict[str, Any]] = {
    "scmos-6.5um": {
        # A generic front-illuminated sCMOS camera of the 2010s.
        "pixel_um_sensor": 6.5,  # CIS2521F sensor, sCMOS consortium, vision-systems.com article
        "shape": (2048, 2048),  # as ORCA-Flash4.0; Zhou et al. 2025 do not name their camera
        "quantum_efficiency": 0.72,  # at 550 nm; SMLMData documentation quoting Hamamatsu
        "gain_electrons_per_adu": 0.46,  # same; pycis gives the same for pco.edge 5.5
        "offset_adu": 100.0,  # same SMLMData documentation
        "read_noise_electrons": 1.6,  # rms, same; the consortium says < 2 at 30 frames/s
        "dark_electrons_per_s": 0.06,  # recalled: ORCA-Flash4.0 data sheet, air cooled, -10 C
        "full_well_electrons": 30000.0,  # Andor Zyla hardware manual v2.0, table 4
        "bits": 16,  # SMLMData documentation
        "prnu": 0.005,  # assumed: makers' typical limit of 0.5 %
        "dsnu_electrons": 0.5,  # assumed: what factory offset correction leaves
        "hot_pixel_fraction": 1.0e-4,  # assumed: some 400 of 4 million pixels
        "hot_pixel_electrons_per_s": 50.0,  # assumed
        "zingers_per_frame": 0.0,  # lead glass and a folding mirror are assumed to stop all
        "quantum_efficiency_curve": None,  # not found in numbers
    },
    "orca-flash4.0-v3": {
        "pixel_um_sensor": 6.5,  # SMLMData documentation quoting Hamamatsu's specification
        "shape": (2048, 2048),  # same
        "quantum_efficiency": 0.72,  # same, at 550 nm; recalled: the V3 data sheet has 0.82 peak
        "gain_electrons_per_adu": 0.46,  # same
        "offset_adu": 100.0,  # same
        "read_noise_electrons": 1.6,  # rms, same
        "dark_electrons_per_s": 0.06,  # recalled: data sheet, air cooled, -10 C (water: 0.006)
        "full_well_electrons": 30000.0,  # recalled: data sheet
        "bits": 16,  # SMLMData documentation
        "prnu": 0.003,  # recalled: data sheet, 0.3 % rms at half full well
        "dsnu_electrons": 0.3,  # recalled: data sheet, rms
        "hot_pixel_fraction": 1.0e-4,  # assumed; the camera's own correction is taken as off
        "hot_pixel_electrons_per_s": 50.0,  # assumed
        "zingers_per_frame": 0.0,  # assumed: the mirror and lens shield the sensor
        "quantum_efficiency_curve": None,  # not found in numbers
    },
    "pco.edge-5.5": {
        "pixel_um_sensor": 6.5,  # pco.edge manual; pycis source code
        "shape": (2160, 2560),  # rows, columns: same
        "quantum_efficiency": 0.60,  # recalled: data sheet, peak; 0.58-0.60 at 550 nm
        "gain_electrons_per_adu": 0.46,  # pycis source code
        "offset_adu": 100.0,  # assumed
        "read_noise_electrons": 1.5,  # recalled: data sheet, rms (median 1.1)
        "dark_electrons_per_s": 0.5,  # recalled: data sheet, +5 C
        "full_well_electrons": 30000.0,  # public code citing the pco.edge 5.5 data sheet
        "bits": 16,  # pco.edge manual; pycis source code
        "prnu": 0.005,  # recalled: data sheet, below 0.5 %
        "dsnu_electrons": 1.0,  # recalled: data sheet, about 1 rms
        "hot_pixel_fraction": 1.0e-4,  # assumed
        "hot_pixel_electrons_per_s": 50.0,  # assumed
        "zingers_per_frame": 0.0,  # assumed: the mirror and lens shield the sensor
        "quantum_efficiency_curve": None,  # not found in numbers
    },
    "zyla-5.5": {
        "pixel_um_sensor": 6.5,  # CIS2521F sensor, sCMOS consortium, vision-systems.com article
        "shape": (2160, 2560),  # rows, columns: same
        "quantum_efficiency": 0.60,  # recalled: data sheet, peak
        "gain_electrons_per_adu": 0.45,  # Andor Zyla hardware manual v2.0, table 4, 16 bit
        "offset_adu": 100.0,  # recalled: Andor's usual base level
        "read_noise_electrons": 1.38,  # median at 560 MHz, Andor Zyla hardware manual v2.0 p. 22
        "dark_electrons_per_s": 0.10,  # recalled: data sheet, 0 C
        "full_well_electrons": 30000.0,  # effective, 16 bit, same manual, table 4
        "bits": 16,  # same manual, table 4, dual gain mode
        "prnu": 0.005,  # recalled: data sheet, below 0.5 %
        "dsnu_electrons": 0.5,  # assumed
        "hot_pixel_fraction": 1.0e-4,  # assumed
        "hot_pixel_electrons_per_s": 50.0,  # assumed
        "zingers_per_frame": 0.0,  # assumed: the mirror and lens shield the sensor
        "quantum_efficiency_curve": None,  # not found in numbers
    },
}

CAMERA_PRESETS: tuple[str, ...] = tuple(_PRESETS)
"""Names that `camera_preset` knows."""


def camera_preset(name: str) -> dict[str, Any]:
    """Return the values of all fields of `Camera` for a camera by name.

    Parameters
    ----------
    name : str
        One of `CAMERA_PRESETS`.

    Returns
    -------
    dict
        Keyword arguments of `Camera`; a fresh copy, so ``camera_preset(name) | {...}`` overrides.

    Raises
    ------
    InputError
        If the name is unknown; the message names the nearest known one.
    """
    check_choice("camera.preset", name, CAMERA_PRESETS)
    return dict(_PRESETS[name])
