"""Lenses by name: values of fields of `Lens`, each with its source.

"Recalled" marks a number remembered from the maker's catalogue and not read again; "assumed" a
number of plausible size that no source was found for. Commercial objectives are for a tube lens of
200 mm; another tube lens of f mm gives f / 200 of the magnification. They are corrected for no
cover glass and no plate (0 um): every micrometre of scintillator leaves its aberration.
"""

from __future__ import annotations

from typing import Any

from scintscope.errors import check_choice

_PRESETS: dict[str, dict[str, Any]] = {
    "zhou2025-5x": {
        # Zhou et al. 2025, An approach to overcome the resolution-efficiency trade-off in X-ray
        # scintillator imaging, Optical System Design.
        "magnification": 5.0,  # there
        "na": 0.4,  # there
        "pupil_distance_mm": 100.0,  # Imaging Principle: d2 = 10 cm, read as lens distance
        "transmission": 0.8,  # assumed: objective, lead glass and one mirror
        "corrected_for_um": 50.0,  # there: optimised for a 50 um scintillator
        "working_distance_mm": 20.0,  # assumed: "long working distance", conjugates 500 mm apart
        "plates": [{"material": "ZF7", "thickness_mm": 2.0}],  # there: designed with it
    },
    "zhou2025-10x": {
        # Same.
        "magnification": 10.0,  # there
        "na": 0.9,  # there
        "pupil_distance_mm": 100.0,  # Imaging Principle: d2 = 10 cm, read as lens distance
        "transmission": 0.8,  # assumed: objective, lead glass and one mirror
        "corrected_for_um": 50.0,  # there: optimised for a 50 um scintillator
        "working_distance_mm": 5.0,  # assumed: must hold the 2 mm of ZF7 that the paper puts there
        "plates": [{"material": "ZF7", "thickness_mm": 2.0}],  # there: designed with it
    },
    "mitutoyo-m-plan-apo-5x": {
        "magnification": 5.0,  # APS beamline 2-BM's list of objectives: 5x / 0.14
        "na": 0.14,  # same
        "transmission": 0.8,  # assumed: objective, tube lens and one mirror
        "corrected_for_um": 0.0,  # a metallurgical objective, no cover glass
        "working_distance_mm": 34.0,  # recalled: Mitutoyo catalogue
    },
    "mitutoyo-m-plan-apo-10x": {
        "magnification": 10.0,  # APS beamline 2-BM's list of objectives: 10x / 0.28
        "na": 0.28,  # same
        "transmission": 0.8,  # assumed: objective, tube lens and one mirror
        "corrected_for_um": 0.0,  # a metallurgical objective, no cover glass
        "working_distance_mm": 33.5,  # recalled: Mitutoyo catalogue; 34.0 in newer editions
    },
    "mitutoyo-m-plan-apo-20x": {
        "magnification": 20.0,  # hellberg.photo, table of the objective: 20x / 0.42, WD 20 mm
        "na": 0.42,  # same
        "transmission": 0.8,  # assumed: objective, tube lens and one mirror
        "corrected_for_um": 0.0,  # a metallurgical objective, no cover glass
        "working_distance_mm": 20.0,  # same; photomacrography.net, thread 12064
    },
    "nikon-lu-plan-20x": {
        "magnification": 20.0,  # photomacrography.net, thread 12064: LU Plan EPI 20X/0.45
        "na": 0.45,  # same
        "transmission": 0.8,  # assumed: objective, tube lens and one mirror
        "corrected_for_um": 0.0,  # a metallurgical objective, no cover glass
        "working_distance_mm": 4.5,  # same
    },
}

LENS_PRESETS: tuple[str, ...] = tuple(_PRESETS)
"""Names that `lens_preset` knows."""


def lens_preset(name: str) -> dict[str, Any]:
    """Return values of fields of `Lens` for a lens by name, as a scenario file would give them.

    Parameters
    ----------
    name : str
        One of `LENS_PRESETS`.

    Returns
    -------
    dict
        A fresh copy; ``plates`` is a list of tables.

    Raises
    ------
    InputError
        If the name is unknown; the message names the nearest known one.
    """
    check_choice("lens.preset", name, LENS_PRESETS)
    return {
        key: [dict(item) for item in value] if isinstance(value, list) else value
        for key, value in _PRESETS[name].items()
    }
