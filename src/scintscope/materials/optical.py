"""Refractive indices and internal transmittance of clear materials, lambda in um.

Formulas as collected by the refractiveindex.info database (CC0) from the sources named, unless
the source says otherwise. Beyond the range a formula was fitted to, it is extrapolated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scintscope.errors import InputError, check_range, nearest_hint


def _yag(l2: float) -> float:
    """Zelmon, Small, Page 1998, Appl. Opt. 37, 4933 (0.4-5 um)."""
    return 1.0 + 2.28200 * l2 / (l2 - 0.01185) + 3.27644 * l2 / (l2 - 282.734)


def _luag(l2: float) -> float:
    """Hrabovsky et al. 2021, Opt. Mater. Express 11 (0.19-1.69 um)."""
    return 2.077 + 1.237 * l2 / (l2 - 0.1376**2) - 0.0104 * l2


def _ggg(l2: float) -> float:
    """Sellmeier formula recalled from Wood and Nassau 1990 (Weber's handbook)."""
    return (
        1.0
        + 1.7727 * l2 / (l2 - 0.1567**2)
        + 0.9767 * l2 / (l2 - 0.01375**2)
        + 4.9668 * l2 / (l2 - 22.715**2)
    )


_CSI = (
    # strength, resonance in um
    (0.68689, 0.130),
    (0.26090, 0.147),
    (0.06256, 0.163),
    (0.06527, 0.177),
    (0.14991, 0.185),
    (0.51818, 0.206),
    (0.01918, 0.218),
    (3.38229, 161.29),
)


def _csi(l2: float) -> float:
    """Li 1976, J. Phys. Chem. Ref. Data 5, 329 (0.25-67 um)."""
    return 1.27587 + sum(strength * l2 / (l2 - pole**2) for strength, pole in _CSI)


def _lu2o3(l2: float) -> float:
    """Medenbach et al. 2001, J. Opt. A 3, 174 (0.435-0.644 um)."""
    return 1.0 + 2.609 * l2 / (l2 - 0.01722)


def _silica(l2: float) -> float:
    """Malitson 1965, J. Opt. Soc. Am. 55, 1205 (0.21-3.71 um)."""
    return (
        1.0
        + 0.6961663 * l2 / (l2 - 0.0684043**2)
        + 0.4079426 * l2 / (l2 - 0.1162414**2)
        + 0.8974794 * l2 / (l2 - 9.896161**2)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Index:
    """An index formula, n^2 of lambda^2, and where it comes from."""

    squared: Callable[[float], float]
    source: str


def _constant(index: float) -> Callable[[float], float]:
    return lambda l2: index**2


_BK7 = _Index(squared=_bk7, source="Schott data sheet of N-BK7")
_INDEX: dict[str, _Index] = {
    "YAG": _Index(squared=_yag, source="Zelmon, Small and Page 1998, Appl. Opt. 37, 4933"),
    "LuAG": _Index(
        squared=_luag, source="Hrabovsky et al. 2021, Opt. Mater. Express 11, 1218 (0.19-1.69 um)"
    ),
    "GGG": _Index(
        squared=_ggg,
        source="recalled from Wood and Nassau 1990 as in Weber's Handbook of Optical Materials, "
        "not seen in print; its n_D of 1.9702 agrees with GIA's 1.970",
    ),
    "GAGG": _Index(squared=_constant(1.90), source="recalled, 1.90; no formula found"),
    "LSO": _Index(
        squared=_constant(1.82), source="nominal 1.82 of vendors' tables for LYSO; no formula found"
    ),
    "Lu2O3": _Index(squared=_lu2o3, source="Medenbach et al. 2001, J. Opt. A 3, 174"),
    "CsI": _Index(squared=_csi, source="Li 1976, J. Phys. Chem. Ref. Data 5, 329"),
    "ZF7": _Index(squared=_zf7, source="CDGM data sheet, catalogue 2022-06"),
    "glass": _BK7,
    "N-BK7": _BK7,
    "fused silica": _Index(squared=_silica, source="Malitson 1965, J. Opt. Soc. Am. 55, 1205"),
}

INDEX_NAMES: tuple[str, ...] = tuple(_INDEX)
"""Clear materials whose refractive index is known."""

_EXTINCTION: dict[str, tuple[tuple[float, float], ...]] = {
    # um, extinction coefficient k: CDGM catalogue 2022-06 through refractiveindex.info (CC0)
    "ZF7": (
        (0.36, 6.8983e-06),
        (0.38, 1.4947e-06),
        (0.40, 5.5878e-07),
        (0.42, 2.5335e-07),
        (0.44, 1.3929e-07),
        (0.46, 8.8925e-08),
        (0.48, 6.1610e-08),
        (0.50, 3.9989e-08),
        (0.55, 2.6340e-08),
        (0.60, 2.3933e-08),
        (0.65, 2.5928e-08),
        (0.70, 2.2326e-08),
        (0.80, 1.9127e-08),
        (0.90, 1.4338e-08),
        (1.00, 1.5931e-08),
        (1.20, 1.9118e-08),
    ),
}


def _known_index(material: str) -> _Index:
    if material not in _INDEX:
        raise InputError(
            f"no refractive index is known for {material!r}."
            f"{nearest_hint(material, INDEX_NAMES)} Known: {', '.join(INDEX_NAMES)}."
        )
    return _INDEX[material]


def refractive_index(material: str, wavelength_um: float) -> float:
    """Return the refractive index of a clear material at a vacuum wavelength.

    Raises
    ------
    InputError
        If the material is unknown or the wavelength outside 0.35 to 1.2 um.
    """
    check_range("wavelength_um", wavelength_um, low=0.35, high=1.2, unit="um")
    return math.sqrt(_known_index(material).squared(wavelength_um**2))


def index_source(material: str) -> str:
    """Return where the refractive index of a clear material comes from.

    Raises
    ------
    InputError
        If the material is unknown.
    """
    return _known_index(material).source


def internal_transmittance(
    material: str, wavelength_um: float, thickness_um: float
) -> float | None:
    """Return the share of light that crosses a clear material, surfaces apart; None if unknown.

    exp(-4 pi k t / lambda) with the extinction coefficient k interpolated in log k.

    Raises
    ------
    RangeError
        If wavelength or thickness are out of range.
    """
    check_range("thickness_um", thickness_um, low=0.0, unit="um")
    if material not in _EXTINCTION:
        return None
    check_range("wavelength_um", wavelength_um, low=0.36, high=1.2, unit="um")
    table = np.array(_EXTINCTION[material])
    k = math.exp(float(np.interp(wavelength_um, table[:, 0], np.log(table[:, 1]))))
    return math.exp(-4.0 * math.pi * k * thickness_um / wavelength_um)
