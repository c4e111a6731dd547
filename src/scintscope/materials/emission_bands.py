"""Emission bands of scintillators: wavelengths with the share of the photons each stands for.

A band is a discrete measure: sum_i w_i F(lambda_i) is the mean of F over the emitted photons.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError, check_range
from scintscope.units import NM_PER_UM, sigma_from_fwhm

Array = NDArray[np.float64]
Pairs = Sequence[Sequence[float]]

SHORTEST_NM, LONGEST_NM = 200.0, 1200.0

_STEP_NM = 5.0
_GAUSSIAN_SAMPLES = 41
_GAUSSIAN_REACH_SIGMA = 2.5
"""Where a Gaussian band is cut: 1.2 % of its light would lie beyond."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmissionBand:
    """Wavelengths and shares of the emitted photons.

    Parameters
    ----------
    wavelength_nm : tuple of float
        Rising, vacuum.
    weight : tuple of float
        Share of the photons at each wavelength, not negative; the sum is 1.

    Raises
    ------
    InputError
        If the two do not make a distribution.
    """

    wavelength_nm: tuple[float, ...]
    weight: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.wavelength_nm) != len(self.weight) or not self.weight:
            raise InputError(
                f"emission band: {len(self.wavelength_nm)} wavelengths and {len(self.weight)} "
                "weights. Give as many of both, at least one."
            )
        for value in self.wavelength_nm:
            check_range("emission band: nm", value, low=SHORTEST_NM, high=LONGEST_NM, unit="nm")
        if any(b <= a for a, b in itertools.pairwise(self.wavelength_nm)):
            raise InputError("emission band: the wavelengths must rise from one to the next.")
        for value in self.weight:
            check_range("emission band: weight", value, low=0.0)
        # rounding of a sum of a few hundred shares
        if not math.isclose(sum(self.weight), 1.0, rel_tol=1e-9):
            raise InputError(f"emission band: the shares sum to {sum(self.weight)!r}, not 1.")

    @property
    def wavelength_um(self) -> Array:
        """Wavelengths in um, (W,)."""
        return np.asarray(self.wavelength_nm) / NM_PER_UM

    @property
    def share(self) -> Array:
        """Shares of the photons, (W,)."""
        return np.asarray(self.weight)

    @property
    def mean_nm(self) -> float:
        """Mean wavelength of the photons."""
        return self.mean(np.asarray(self.wavelength_nm))

    @property
    def rms_width_nm(self) -> float:
        """Standard deviation of the photons' wavelengths."""
        spread = np.asarray(self.wavelength_nm) - self.mean_nm
        return math.sqrt(max(self.mean(spread**2), 0.0))

    def mean(self, values: Array) -> float:
        """Return the mean over the emitted photons of a quantity given at each wavelength."""
        return float(self.share @ np.asarray(values))

    def weighted(self, photons: Array) -> EmissionBand:
        """Return the band at the same wavelengths with other shares, (W,) relative photons."""
        return _band(np.asarray(self.wavelength_nm), np.asarray(photons, dtype=np.float64))

    def reduced(self, count: int) -> EmissionBand:
        """Return a band of at most ``count`` wavelengths with the same low moments.

        Gauss quadrature of the discrete measure: moments up to 2 count - 1 are kept, so that
        averages of smooth functions over the band need few evaluations (Golub and Welsch 1969,
        Math. Comput. 23, 221; recurrence by the Lanczos process).

        Raises
        ------
        RangeError
            If ``count`` is below 1.
        """
        check_range("count", count, low=1)
        present = self.share > 0.0
        x, w = np.asarray(self.wavelength_nm)[present], self.share[present]
        if x.size <= count:
            return _band(x, w)
        scale = float(np.ptp(x))
        diagonal, off = _lanczos((x - x[0]) / scale, w, count)
        nodes, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
        return _band(x[0] + scale * nodes, vectors[0] ** 2)


def _lanczos(x: Array, weight: Array, count: int) -> tuple[Array, Array]:
    """Return the Jacobi matrix of a discrete measure: its diagonal and off-diagonal."""
    vectors = [np.sqrt(weight / weight.sum())]
    diagonal, off = np.zeros(count), np.zeros(count - 1)
    for k in range(count):
        image = x * vectors[k]
        diagonal[k] = vectors[k] @ image
        if k == count - 1:
            break
        for earlier in vectors:  # full orthogonalisation, as rounding would spoil it
            image = image - (earlier @ image) * earlier
        off[k] = float(np.linalg.norm(image))
        vectors.append(image / off[k])
    return diagonal, off


def _band(wavelength_nm: Array, weight: Array) -> EmissionBand:
    return EmissionBand(
        wavelength_nm=tuple(float(x) for x in wavelength_nm),
        weight=tuple(float(w) for w in weight / weight.sum()),
    )


def single_line(wavelength_nm: float) -> EmissionBand:
    """Return the band of light of one wavelength."""
    return EmissionBand(wavelength_nm=(float(wavelength_nm),), weight=(1.0,))


def _checked_pairs(name: str, pairs: Pairs, least: int) -> tuple[Array, Array]:
    """Return the columns of a list of pairs; refuse what is no table of values."""
    if len(pairs) < least or any(len(pair) != 2 for pair in pairs):
        raise InputError(
            f"{name} = {[list(p) for p in pairs]!r}: give at least {least} pairs [nm, value]."
        )
    table = np.asarray(pairs, dtype=np.float64)
    for value in table.ravel():
        check_range(name, float(value), low=0.0)
    if np.any(np.diff(table[:, 0]) <= 0.0):
        raise InputError(f"{name}: the wavelengths must rise from one pair to the next.")
    if table[:, 1].sum() <= 0.0:
        raise InputError(f"{name}: at least one weight must be positive.")
    return table[:, 0], table[:, 1]


def line_band(lines: Pairs) -> EmissionBand:
    """Return the band of narrow lines, from pairs (wavelength in nm, relative photons).

    Raises
    ------
    InputError
        If there is none, or the wavelengths do not rise.
    """
    return _band(*_checked_pairs("emission_lines", lines, 1))


def tabulated_band(table: Pairs) -> EmissionBand:
    """Return the band of a continuous spectrum, from pairs (wavelength in nm, relative density).

    The density is taken as linear between the pairs and zero beyond them, and sampled at steps of
    5 nm or less; each wavelength gets the share of a trapezoidal rule.

    Raises
    ------
    InputError
        If there are fewer than two pairs, or the wavelengths do not rise.
    """
    given_nm, given = _checked_pairs("emission_band", table, 2)
    parts = np.maximum(np.ceil(np.diff(given_nm) / _STEP_NM), 1.0).astype(int)
    x = np.interp(
        np.concatenate([i + np.arange(n) / n for i, n in enumerate(parts)] + [[parts.size]]),
        np.arange(given_nm.size),
        given_nm,
    )
    density = np.interp(x, given_nm, given)
    step = np.diff(x)
    weight = 0.5 * density * (np.append(step, 0.0) + np.append(0.0, step))
    return _band(x, weight)


def gaussian_band(peak_nm: float, fwhm_nm: float) -> EmissionBand:
    """Return a Gaussian band over wavelength, cut at 2.5 standard deviations.

    Raises
    ------
    RangeError
        If peak or width are out of range.
    """
    check_range("emission_nm", peak_nm, low=SHORTEST_NM, high=LONGEST_NM, unit="nm")
    check_range("emission_fwhm_nm", fwhm_nm, low=0.0, low_open=True, high=300.0, unit="nm")
    reach = np.linspace(-_GAUSSIAN_REACH_SIGMA, _GAUSSIAN_REACH_SIGMA, _GAUSSIAN_SAMPLES)
    table = np.stack([peak_nm + sigma_from_fwhm(fwhm_nm) * reach, np.exp(-0.5 * reach**2)], axis=1)
    return tabulated_band([(float(nm), float(density)) for nm, density in table])


@lru_cache(maxsize=8)
def digitised_band(material: str) -> EmissionBand:
    """Return the measured band of ``"YAG:Ce"`` or ``"LuAG:Ce"`` (see ``data/SOURCE.md``).

    Raises
    ------
    InputError
        If there is no measured band of that material.
    """
    path = resources.files("scintscope.materials") / "data" / "emission_spectra.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    known = [name for name in rows[0] if name != "wavelength_nm"]
    if material not in known:
        raise InputError(
            f"no measured emission band of {material!r} is at hand. Known: {', '.join(known)}."
        )
    return tabulated_band([(float(r["wavelength_nm"]), float(r[material])) for r in rows])
