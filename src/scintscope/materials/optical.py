"""Refractive indices of clear materials, lambda in um.

Formulas as collected by the refractiveindex.info database (CC0) from the sources named.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scintscope.errors import InputError, check_range, nearest_hint


def _yag(l2: float) -> float:
    """Zelmon, Small, Page 1998, Appl. Opt. 37, 4933 (0.4-5 um)."""
    return 1.0 + 2.28200 * l2 / (l2 - 0.01185) + 3.27644 * l2 / (l2 - 282.734)


def _luag(l2: float) -> float:
    """Hrabovsky et al. 2021, Opt. Mater. Express 11 (0.19-1.69 um)."""
    return 2.077 + 1.237 * l2 / (l2 - 0.1376**2) - 0.0104 * l2


def _ggg(l2: float) -> float:
    """Wood and Nassau 1990 as quoted by Weber's handbook; n_D agrees with GIA's 1.970."""
    return (
        1.0
        + 1.7727 * l2 / (l2 - 0.1567**2)
        + 0.9767 * l2 / (l2 - 0.01375**2)
        + 4.9668 * l2 / (l2 - 22.715**2)
    )


def _zf7(l2: float) -> float:
    """CDGM data sheet of ZF7 (n_d = 1.806277, V_d = 25.38)."""
    return (
        3.1221966
        - 0.010649791 * l2
        + 0.042191871 / l2
        + 0.002893766 / l2**2
        - 1.6523594e-4 / l2**3
        + 2.329181e-5 / l2**4
    )


def _bk7(l2: float) -> float:
    """Schott data sheet of N-BK7 (n_d = 1.5168)."""
    return (
        1.0
        + 1.03961212 * l2 / (l2 - 0.00600069867)
        + 0.231792344 * l2 / (l2 - 0.0200179144)
        + 1.01046945 * l2 / (l2 - 103.560653)
    )


_SQUARED_INDEX: dict[str, Callable[[float], float]] = {
    "YAG": _yag,
    "LuAG": _luag,
    "GGG": _ggg,
    "ZF7": _zf7,
    "glass": _bk7,
    "N-BK7": _bk7,
}
_CONSTANT_INDEX = {
    "GAGG": 1.90,  # recalled, no formula found
    "CsI": 1.7945,  # Li 1976, J. Phys. Chem. Ref. Data 5, 329, at 550 nm
}


def refractive_index(material: str, wavelength_um: float) -> float:
    """Return the refractive index of a clear material at a vacuum wavelength.

    Raises
    ------
    InputError
        If the material is unknown or the wavelength outside 0.35 to 1.2 um.
    """
    check_range("wavelength_um", wavelength_um, low=0.35, high=1.2, unit="um")
    if material in _CONSTANT_INDEX:
        return _CONSTANT_INDEX[material]
    if material not in _SQUARED_INDEX:
        known = [*_SQUARED_INDEX, *_CONSTANT_INDEX]
        raise InputError(
            f"no refractive index is known for {material!r}.{nearest_hint(material, known)} "
            f"Known: {', '.join(known)}."
        )
    return math.sqrt(_SQUARED_INDEX[material](wavelength_um**2))
