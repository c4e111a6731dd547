"""What is known of a material, in lines for people."""

from __future__ import annotations

from scintscope.materials.composition import Absorber
from scintscope.materials.library import ALIASES, absorber_source
from scintscope.materials.optical import INDEX_NAMES, index_source, refractive_index
from scintscope.materials.scintillators import Scintillator
from scintscope.units import NM_PER_UM

_SHOWN_NM = (450.0, 550.0, 650.0)


def summary(entry: Absorber | Scintillator) -> str:
    """Return one material in a line."""
    line = f"{entry.name:<12} {entry.density_g_cm3:>9.5g} g/cm3  {entry.formula}"
    if isinstance(entry, Absorber):
        also = [alias for alias, name in ALIASES.items() if name == entry.name]
        return f"{line} (also {', '.join(also)})" if also else line
    return (
        f"{line}; scintillator: index {entry.refractive_index:.3f} at {entry.emission_um:g} um, "
        f"{entry.photons_per_kev:g} photons/keV"
    )


def details(entry: Absorber | Scintillator) -> list[str]:
    """Return every number of a material, each followed by a line with its source."""
    rows = _absorber_rows(entry) if isinstance(entry, Absorber) else _scintillator_rows(entry)
    width = max(len(name) for name, _, _ in rows)
    lines = [entry.name]
    for name, text, source in rows:
        lines += [f"  {name:<{width}}  {text}", f"  {'':<{width}}    source: {source}"]
    return lines


def _absorber_rows(entry: Absorber) -> list[tuple[str, str, str]]:
    source = absorber_source(entry.name)
    rows = [
        ("formula", entry.formula, source),
        ("density", f"{entry.density_g_cm3:g} g/cm3", source),
    ]
    if entry.name in INDEX_NAMES:
        rows.append(("refractive index", _index_text(entry.name), index_source(entry.name)))
    return rows


def _scintillator_rows(entry: Scintillator) -> list[tuple[str, str, str]]:
    emission_nm = entry.emission_um * NM_PER_UM
    decay = "unknown" if entry.decay_ns is None else f"{entry.decay_ns:g} ns"
    glow = "unknown" if entry.afterglow is None else f"{entry.afterglow:.2g} after 6 ms"
    return [
        ("formula", entry.formula, entry.source("formula")),
        ("density", f"{entry.density_g_cm3:g} g/cm3", entry.source("density_g_cm3")),
        (
            "refractive index",
            f"{entry.refractive_index:.4f} at {emission_nm:g} nm",
            entry.source("refractive_index"),
        ),
        ("dispersion", _dispersion_text(entry), entry.source("refractive_index")),
        ("emission", f"{emission_nm:g} nm stands for the band", entry.source("emission_um")),
        ("emission band", _band_text(entry), entry.source("emission_band")),
        ("light yield", f"{entry.photons_per_kev:g} photons/keV", entry.source("photons_per_kev")),
        (
            "yield uncertainty",
            f"{entry.yield_uncertainty:.0%} (one standard deviation)",
            entry.source("yield_uncertainty"),
        ),
        ("decay", decay, entry.source("decay_ns")),
        ("afterglow", glow, entry.source("afterglow")),
    ]


def _dispersion_text(entry: Scintillator) -> str:
    """Return the index at a few wavelengths."""
    if entry.dispersion is None:
        return "constant"
    if isinstance(entry.dispersion, str):
        return _index_text(entry.dispersion)
    return ", ".join(f"{index:.4f} ({nm:g} nm)" for nm, index in entry.dispersion)


def _index_text(formula: str) -> str:
    values = [refractive_index(formula, nm / NM_PER_UM) for nm in _SHOWN_NM]
    if len(set(values)) == 1:
        return f"{values[0]:g} at all wavelengths"
    return ", ".join(f"{n:.4f} ({nm:g} nm)" for n, nm in zip(values, _SHOWN_NM, strict=True))


def _band_text(entry: Scintillator) -> str:
    """Return an emission band in numbers: its lines, or mean and width."""
    band = entry.band
    if len(band.weight) <= 8:
        lines = zip(band.wavelength_nm, band.weight, strict=True)
        return ", ".join(f"{nm:g} nm ({share:.0%})" for nm, share in lines)
    return f"mean {band.mean_nm:.0f} nm, standard deviation {band.rms_width_nm:.0f} nm"
