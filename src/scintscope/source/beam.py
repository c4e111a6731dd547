"""From any source to the spectrum at the scintillator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.source.parts import MonochromaticSource, Source, SpectrumFileSource, TubeSource
from scintscope.source.spectrum import Spectrum, drop_empty, split_at_edges

Array = NDArray[np.float64]


def beam_spectrum(
    source: Source, distance_mm: float, bin_kev: float, edges_kev: Array | None = None
) -> Spectrum:
    """Return the open-beam spectrum at the scintillator's entrance face, on axis.

    Parameters
    ----------
    source : Source
        Tube, monochromatic beam or measured spectrum.
    distance_mm : float
        From source to scintillator (a tube's fluence falls with its square).
    bin_kev : float
        Width of the continuum's bins of a tube.
    edges_kev : (K,) array, optional
        Absorption edges at which bins are cut.
    """
    return beam_spectra(source, (distance_mm,), bin_kev, edges_kev)[0]


def beam_spectra(
    source: Source,
    distances_mm: tuple[float, ...],
    bin_kev: float,
    edges_kev: Array | None = None,
) -> tuple[Spectrum, ...]:
    """Return `beam_spectrum` at several distances, all on the same energies.

    Groups are left out where they are empty at every distance (`spectrum.drop_empty`).
    """
    if isinstance(source, MonochromaticSource):
        line = Spectrum(
            energy_kev=np.array([source.energy_kev]),
            photons_per_um2_s=np.array([source.photons_per_um2_s]),
            width_kev=np.zeros(1),
        )
        return (line,) * len(distances_mm)
    if isinstance(source, TubeSource):
        from scintscope.source.tube import tube_spectrum

        return drop_empty(*(tube_spectrum(source, d, bin_kev, edges_kev) for d in distances_mm))
    measured = read_spectrum(source)
    cut = measured if edges_kev is None else split_at_edges(measured, edges_kev)
    return drop_empty(cut) * len(distances_mm)


def read_spectrum(source: SpectrumFileSource) -> Spectrum:
    """Return a measured spectrum, scaled to the stated fluence rate.

    The file is CSV with two columns, energy in keV (ascending) and photons per keV; lines that
    start with ``#`` and one header line are skipped. Bins reach half-way to their neighbours.

    Raises
    ------
    InputError
        If the file is not such a table.
    """
    try:
        text = [
            line
            for line in source.path.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith("#")
        ]
        start = 0 if _is_number(text[0].split(",")[0]) else 1
        table = np.array([[float(x) for x in line.split(",")[:2]] for line in text[start:]])
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise InputError(
            f"source.path = {str(source.path)!r} is not a table of energy_kev, photons_per_kev "
            f"({error})."
        ) from error
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 2:
        raise InputError(f"source.path = {str(source.path)!r}: give at least two rows.")
    energy, density = table[:, 0], table[:, 1]
    if (np.diff(energy) <= 0).any():
        raise InputError(f"source.path = {str(source.path)!r}: energies must ascend.")
    middle = 0.5 * (energy[1:] + energy[:-1])
    low = np.concatenate([[1.5 * energy[0] - 0.5 * energy[1]], middle])
    high = np.concatenate([middle, [1.5 * energy[-1] - 0.5 * energy[-2]]])
    photons = density * (high - low)
    if not np.isfinite(photons).all() or (photons < 0).any() or not photons.sum() > 0:
        raise InputError(f"source.path = {str(source.path)!r}: photons must be >= 0, some > 0.")
    return Spectrum(
        energy_kev=0.5 * (low + high),
        photons_per_um2_s=photons / photons.sum() * source.photons_per_um2_s,
        width_kev=high - low,
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def half_value_layer_mm_al(
    spectrum: Spectrum, attenuation_per_mm: Array, air_energy_absorption: Array
) -> float:
    """Return the aluminium thickness that halves the air kerma of a spectrum, mm.

    Solves sum phi E mu_en,air exp(-mu_Al t) = half its value at t = 0 by bisection.

    Parameters
    ----------
    spectrum : Spectrum
        The beam.
    attenuation_per_mm, air_energy_absorption : (E,) array
        mu of aluminium, 1/mm, and mu_en of air (any unit) at the spectrum's energies.
    """
    kerma = spectrum.photons_per_um2_s * spectrum.energy_kev * air_energy_absorption
    low, high = 0.0, 1.0
    while (kerma * np.exp(-attenuation_per_mm * high)).sum() > 0.5 * kerma.sum():
        high *= 2.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        above = (kerma * np.exp(-attenuation_per_mm * middle)).sum() > 0.5 * kerma.sum()
        low, high = (middle, high) if above else (low, middle)
    return 0.5 * (low + high)
