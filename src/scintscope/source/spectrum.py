"""A spectrum as data: continuum bins and lines at the scintillator's entrance face, on axis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.source.bins import distinct_edges

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spectrum:
    """Photon fluence rate per energy group.

    Parameters
    ----------
    energy_kev : (E,) array
        Mean energy of each group, ascending.
    photons_per_um2_s : (E,) array
        Fluence rate of each group (integrated over its width), >= 0, on axis.
    width_kev : (E,) array
        Width of the group; 0 for a line.
    """

    energy_kev: Array
    photons_per_um2_s: Array
    width_kev: Array

    def __post_init__(self) -> None:
        shapes = {self.energy_kev.shape, self.photons_per_um2_s.shape, self.width_kev.shape}
        if len(shapes) != 1 or self.energy_kev.ndim != 1 or not self.energy_kev.size:
            raise InputError("a spectrum needs three 1-D arrays of one length, at least 1.")
        for name in ("energy_kev", "photons_per_um2_s", "width_kev"):
            values = getattr(self, name)
            if not np.isfinite(values).all() or (values < 0).any():
                raise InputError(f"spectrum.{name} must be finite and >= 0.")
        if not self.photons_per_um2_s.sum() > 0:
            raise InputError("the spectrum holds no photons.")

    @property
    def total_photons_per_um2_s(self) -> float:
        """Fluence rate over all energies."""
        return float(self.photons_per_um2_s.sum())

    @property
    def mean_energy_kev(self) -> float:
        """Fluence-weighted mean energy."""
        return float(np.average(self.energy_kev, weights=self.photons_per_um2_s))

    def fraction_between(self, low_kev: float, high_kev: float) -> float:
        """Return the share of photons between two energies; bins cut in proportion."""
        low_edge = self.energy_kev - 0.5 * self.width_kev
        high_edge = self.energy_kev + 0.5 * self.width_kev
        inside = np.clip(np.minimum(high_edge, high_kev) - np.maximum(low_edge, low_kev), 0.0, None)
        line = self.width_kev == 0.0
        share = np.where(
            line,
            (self.energy_kev >= low_kev) & (self.energy_kev <= high_kev),
            inside / np.where(line, 1.0, self.width_kev),
        )
        return float(np.average(share, weights=self.photons_per_um2_s))


def split_at_edges(spectrum: Spectrum, edges_kev: Array) -> Spectrum:
    """Return the spectrum with every bin that straddles an absorption edge cut there.

    Photons are shared in proportion to the widths, so their number is kept.
    """
    energy, photons, width = [], [], []
    edges = distinct_edges(edges_kev)
    for e, p, w in zip(
        spectrum.energy_kev, spectrum.photons_per_um2_s, spectrum.width_kev, strict=True
    ):
        low, high = e - 0.5 * w, e + 0.5 * w
        cuts = [low, *[x for x in edges if low < x < high], high]
        for a, b in pairwise(cuts):
            energy.append(0.5 * (a + b))
            width.append(b - a)
            photons.append(p * ((b - a) / w if w else 1.0))
    order = np.argsort(energy, kind="stable")
    return Spectrum(
        energy_kev=np.array(energy)[order],
        photons_per_um2_s=np.array(photons)[order],
        width_kev=np.array(width)[order],
    )


def drop_empty(*spectra: Spectrum, share: float = 1e-7) -> tuple[Spectrum, ...]:
    """Return spectra of the same groups without those below ``share`` of each one's fluence."""
    shares = [s.photons_per_um2_s / s.total_photons_per_um2_s for s in spectra]
    keep = np.max(shares, axis=0) > share
    return tuple(
        Spectrum(
            energy_kev=spectrum.energy_kev[keep],
            photons_per_um2_s=spectrum.photons_per_um2_s[keep],
            width_kev=spectrum.width_kev[keep],
        )
        for spectrum in spectra
    )
