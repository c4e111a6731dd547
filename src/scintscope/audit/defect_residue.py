"""What the thin plate's defects leave in the kernel, against Eq. 7 of Zhou et al. 2025.

With F20 = F M20 + G20 and F200 = F M200 (their Eq. 5 and 6, the thick plate's defects left out) the
measured ratio is M200 / M20 (1 + G20 / (F M20))^-1, in first order M200 / M20 (1 - G20 / (F M20)).
Pairs without noise and drift are drawn with and without defects. G20 is the difference of the two
thin signals, so it never enters the ratio that is compared with it. Zeros of the target's spectrum
need a regularisation, conj(a) b / (|a|^2 + r); "first order" is Eq. 7 carried through it, the
derivative of that ratio along G20, which is -G20/(F M20) times the ratio where |F M20|^2 >> r.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.audit.axes import DEFECT_KINDS, NO_NOISE, STILL, UNREGISTERED, Load, density
from scintscope.audit.pairs import PairBench, draw_pair, under
from scintscope.audit.study import bench_and_truth
from scintscope.progress import Progress
from scintscope.restoration.psf_radial import fading_window
from scintscope.restoration.records import AlignedPlate
from scintscope.restoration.steps import target_signal

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

CLEAN_THICK = tuple(f"thick.defects.{kind}_per_mm2=0.0" for kind in DEFECT_KINDS)
CLEAN_THIN = tuple(f"thin.defects.{kind}_per_mm2=0.0" for kind in DEFECT_KINDS)
QUIET = (*NO_NOISE, *STILL, *UNREGISTERED, *CLEAN_THICK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Residue:
    """Power of what defects leave in the kernel, of one seed and density.

    Parameters
    ----------
    background : {"subtract", "divide"}
        How it was taken off.
    regularisation : float
        r over the mean of abs(F M20)^2.
    factor : float
        Density over the scenario's.
    seed : int
    relative_power : float
        Of G20 over that of F M20.
    measured, first_order, as_printed : float
        Sum over lags of the squared residue: found; in first order; by 1 - G20/(F M20) with the
        regularised ratio of G20 and F M20.
    in_window : float
        Share of the measured power in the paper's 60 x 60 pixels.
    """

    background: str
    regularisation: float
    factor: float
    seed: int
    relative_power: float
    measured: float
    first_order: float
    as_printed: float
    in_window: float


def residues(
    load: Load,
    factors: Sequence[float],
    seeds: Sequence[int],
    regularisations: Sequence[float],
    progress: Progress,
    *,
    backgrounds: Sequence[str] = ("subtract", "divide"),
    window_px: int = 60,
) -> list[Residue]:
    """Return the residue of each density and seed; pairs are drawn once for all divisions.

    Parameters
    ----------
    load : callable
        See `axes.Load`.
    factors : sequence of float
        Multiples of the scenario's density of defects on the thin plate.
    seeds : sequence of int
    regularisations : sequence of float
        See `Residue.regularisation`.
    progress : callable
        See `scintscope.progress`.
    backgrounds : sequence of {"subtract", "divide"}
    window_px : int
        Side of the square for `Residue.in_window`.
    """
    scenario = load(QUIET)
    bench = bench_and_truth(scenario)[0]
    perfect = draw_pair(under(bench, load((*QUIET, *CLEAN_THIN))), seeds[0])
    clean = {name: _signals(perfect, bench, name) for name in backgrounds}
    rows = []
    with progress("defect residue", len(factors) * len(seeds)) as advance:
        for factor in factors:
            dirty = under(bench, load((*QUIET, *density(scenario, factor))))
            for seed in seeds:
                plates = draw_pair(dirty, seed)
                for name in backgrounds:
                    thin = _signals(plates, bench, name)[0]
                    for share in regularisations:
                        level = share * float((np.abs(clean[name][0]) ** 2).mean())
                        found = _residue(clean[name], thin, level, window_px)
                        rows.append(
                            Residue(
                                background=name,
                                regularisation=share,
                                factor=factor,
                                seed=seed,
                                **found,
                            )
                        )
                advance(1)
    return rows


def _signals(
    plates: Mapping[str, AlignedPlate], bench: PairBench, background: str
) -> tuple[Spectrum, Spectrum]:
    """Return the spectra of both plates' target signals, faded at the border."""
    config = replace(bench.config, target_background=background)
    spectra = []
    for name in ("thin", "thick"):
        signal = target_signal(plates[name], name, config)[0]
        window = fading_window((signal.shape[0], signal.shape[1]), None)
        mean = float((window * signal).sum() / window.sum())
        spectra.append(fft.fft2(window * (signal - mean)))
    return spectra[0], spectra[1]


def _residue(
    clean: tuple[Spectrum, Spectrum], thin: Spectrum, level: float, window_px: int
) -> dict[str, Any]:
    """Return what one thin signal with defects leaves in the ratio."""
    without, thick = clean
    defects = thin - without
    true = _ratio(without, thick, level)
    measured = fft.ifft2(_ratio(thin, thick, level) - true).real
    size = np.abs(without) ** 2 + level
    along = np.conj(defects) * thick - true * 2.0 * (np.conj(without) * defects).real
    first = fft.ifft2(along / size).real
    printed = fft.ifft2(-true * _ratio(without, defects, level)).real
    power = float((measured**2).sum())
    reach = window_px // 2
    lags = np.arange(-reach, window_px - reach)
    return {
        "relative_power": float((np.abs(defects) ** 2).sum() / (np.abs(without) ** 2).sum()),
        "measured": power,
        "first_order": float((first**2).sum()),
        "as_printed": float((printed**2).sum()),
        "in_window": float((measured[np.ix_(lags, lags)] ** 2).sum() / power),
    }


def _ratio(a: Spectrum, b: Spectrum, level: float) -> Spectrum:
    """Return conj(a) b / (|a|^2 + level)."""
    return np.asarray(np.conj(a) * b / (np.abs(a) ** 2 + level))


def slope(rows: Sequence[Residue], name: str = "measured") -> float:
    """Return d log(power) / d log(density) of the means over seeds."""
    factors = sorted({row.factor for row in rows})
    powers = [np.mean([getattr(r, name) for r in rows if r.factor == f]) for f in factors]
    return float(np.polyfit(np.log(factors), np.log(powers), 1)[0])
