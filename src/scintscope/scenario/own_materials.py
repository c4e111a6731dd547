"""From a table under [materials] to a scintillator or a clear crystal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scintscope.errors import check_range
from scintscope.materials import EmissionBand, Scintillator
from scintscope.materials.emission_bands import gaussian_band, line_band, tabulated_band
from scintscope.materials.scintillators import check_dispersion, dispersed_index
from scintscope.scenario.ranges import unit_of
from scintscope.units import nm_to_um

SCINTILLATES = "refractive_index (or dispersion), emission_nm (or a band), photons_per_kev"
"""What a material needs to serve as a scintillator, in words."""

_INDEX_KEYS = ("refractive_index", "dispersion")
_BAND_KEYS = ("emission_fwhm_nm", "emission_band", "emission_lines")
_WHERE_KEYS = ("emission_nm", "emission_band", "emission_lines")
_LIGHT_KEYS = ("photons_per_kev", "yield_uncertainty", "decay_ns", "afterglow")
_OWN = "the scenario"
_FIELD_OF_KEY = {
    "emission_nm": "emission_um",
    "emission_fwhm_nm": "emission_band",
    "emission_lines": "emission_band",
}
"""Keys that are not named like the field of the scintillator they fill."""
_INERT_UM = 0.55
"""Wavelength at which the index of a crystal that makes no light is taken."""


def _given(values: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if values.get(key) is not None]


def is_clear(values: Mapping[str, Any]) -> bool:
    """Return whether a table describes more than an absorber."""
    return bool(_given(values, (*_INDEX_KEYS, *_WHERE_KEYS, *_BAND_KEYS, *_LIGHT_KEYS)))


def missing_key(values: Mapping[str, Any]) -> str:
    """Return the first key that a clear material lacks, or nothing."""
    if not _given(values, _INDEX_KEYS):
        return "refractive_index"
    if _given(values, (*_WHERE_KEYS, *_BAND_KEYS, *_LIGHT_KEYS)):
        if not _given(values, _WHERE_KEYS):
            return "emission_nm"
        if values.get("photons_per_kev") is None:
            return "photons_per_kev"
    return ""


def doubled_keys(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return two keys that say the same thing in two ways, if there are any."""
    for keys in (_INDEX_KEYS, _BAND_KEYS):
        given = _given(values, keys)
        if len(given) > 1:
            return given[0], given[1]
    return None


def own_scintillator(name: str, values: Mapping[str, Any]) -> Scintillator:
    """Return the scintillator, or clear crystal of no yield, that a complete table stands for.

    Parameters
    ----------
    name : str
        The user's name for it.
    values : mapping
        Keys of the table; what is not given is None or absent.

    Raises
    ------
    InputError
        If a number is out of range; the key is named.
    """
    band = _band(values)
    emission_nm = values.get("emission_nm")
    if emission_nm is not None:
        check_range("emission_nm", emission_nm, low=200.0, high=1200.0, unit="nm")
        emission_um = nm_to_um(emission_nm)
    else:
        emission_um = _INERT_UM if band is None else nm_to_um(band.mean_nm)
    dispersion = values.get("dispersion")
    if dispersion is not None:
        check_dispersion("dispersion", dispersion, emission_um)
        index = dispersed_index(dispersion, emission_um)
    else:
        index = values["refractive_index"]
    optional = {
        key: values[key]
        for key in ("yield_uncertainty", "decay_ns", "afterglow")
        if values.get(key) is not None
    }
    return Scintillator(
        name=name,
        formula=values["formula"],
        density_g_cm3=values["density_g_cm3"],
        refractive_index=index,
        emission_um=emission_um,
        photons_per_kev=values.get("photons_per_kev") or 0.0,
        emission_band=band,
        dispersion=dispersion,
        sources=tuple((_FIELD_OF_KEY.get(key, key), _OWN) for key in _given(values, tuple(values))),
        **optional,
    )


def _band(values: Mapping[str, Any]) -> EmissionBand | None:
    """Return the emission band of a table, by whichever key gives it."""
    if values.get("emission_lines") is not None:
        return line_band(values["emission_lines"])
    if values.get("emission_band") is not None:
        return tabulated_band(values["emission_band"])
    if values.get("emission_fwhm_nm") is not None:
        return gaussian_band(values["emission_nm"], values["emission_fwhm_nm"])
    return None


def with_optical(base: Scintillator, key: str, value: float) -> Scintillator:
    """Return a scintillator with one of its optical numbers replaced.

    An emission replaces the whole band by light of that wavelength, at which the index follows
    from the dispersion; an index replaces the dispersion.

    Raises
    ------
    RangeError
        If the number is out of range.
    """
    others = tuple(pair for pair in base.sources if pair[0] != _FIELD_OF_KEY.get(key, key))
    base = replace(base, sources=(*others, (_FIELD_OF_KEY.get(key, key), _OWN)))
    if key == "emission_nm":
        check_range("emission_nm", value, low=200.0, high=1200.0, unit=unit_of(key))
        emission_um = nm_to_um(value)
        index = base.index_at(emission_um)
        return replace(base, emission_um=emission_um, emission_band=None, refractive_index=index)
    if key == "refractive_index":
        return replace(base, refractive_index=value, dispersion=None)
    return replace(base, photons_per_kev=value)
