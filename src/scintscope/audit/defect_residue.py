"""What the thin plate's defects leave in the kernel, against Eq. 7 of Zhou et al. 2025.

With F20 = F M20 + G20 and F200 = F M200 (their Eq. 5 and 6, the thick plate's defects left out) the
measured ratio is M200 / M20 (1 + G20 / (F M20))^-1, in first order M200 / M20 (1 - G20 / (F M20)).
Pairs without noise and drift are drawn with and without defects. G20 is the difference of the two
thin signals, so it never enters the ratio that is compared with it. Zeros of the target's spectrum
need a regularisation, conj(a) b / (|a|^2 + r); "first order" is Eq. 7 carried through it, the
derivative of that ratio along G20, which is -G20/(F M20) times the ratio where |F M20|^2 >> r.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.audit.axes import DEFECT_KINDS, NO_NOISE, STILL, UNREGISTERED, Load, density
from scintscope.audit.pairs import PairBench, draw_pair, set_up_pairs, under
from scintscope.progress import Progress
from scintscope.restoration.psf_radial import fading_window
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
    regularisation: float,
    progress: Progress,
    *,
    background: str = "subtract",
    window_px: int = 60,
) -> list[Residue]:
    """Return the residue of each density and seed.

    Parameters
    ----------
    load : callable
        See `axes.Load`.
    factors : sequence of float
        Multiples of the scenario's density of defects on the thin plate.
    seeds : sequence of int
    regularisation : float
        r over the mean of abs(F M20)^2.
    background : {"subtract", "divide"}
    window_px : int
        Side of the square for `Residue.in_window`.
    """
    still = (*QUIET, f"restoration.target_background={background}")
    scenario = load(still)
    bench = set_up_pairs(scenario)
    clean = _signals(under(bench, load((*still, *CLEAN_THIN))), seeds[0])
    level = regularisation * float((np.abs(clean[0]) ** 2).mean())
    rows = []
    with progress("defect residue", len(factors) * len(seeds)) as advance:
        for factor in factors:
            dirty = under(bench, load((*still, *density(scenario, factor))))
            for seed in seeds:
                found = _residue(clean, _signals(dirty, seed)[0], level, window_px)
                rows.append(Residue(factor=factor, seed=seed, **found))
                advance(1)
    return rows


def _signals(bench: PairBench, seed: int) -> tuple[Spectrum, Spectrum]:
    """Return the spectra of both plates' target signals, faded at the border."""
    plates = draw_pair(bench, seed)
    thin, thick = (target_signal(plates[n], n, bench.config)[0] for n in ("thin", "thick"))
    window = fading_window((thin.shape[0], thin.shape[1]), None)
    mean = float((window * thin).sum() / window.sum())
    other = float((window * thick).sum() / window.sum())
    return fft.fft2(window * (thin - mean)), fft.fft2(window * (thick - other))


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
