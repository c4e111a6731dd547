"""Swank factors, Lubberts ratios and DQE against closed forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from scintscope.noise.theory import (
    Moments,
    local_moments,
    lubberts_ratio,
    noise_curves,
    swank_factor,
)
from scintscope.quadrature import interval_nodes
from scintscope.validate import Row, read_table, row

HERE = Path(__file__).parent
SHARE = 1e-6


def slab(
    transfer: Callable[[np.ndarray], np.ndarray],
    *,
    mu_per_um: float = 1e-9,
    length_um: float = 100.0,
    gain: float = 1.0,
    variance: float | None = None,
    detected: Callable[[np.ndarray], np.ndarray] = np.ones_like,
) -> Moments:
    """Return moments at f = 0 and one frequency of exponential absorption, one X-ray absorbed."""
    z, weight = interval_nodes(0.0, length_um, 80)
    density = np.exp(-mu_per_um * z)
    density /= weight @ density
    table = np.stack([np.ones(z.size), transfer(z)], axis=1)
    return local_moments(
        1.0, 1.0, density, weight, table, gain, gain if variance is None else variance, detected(z)
    )


def plenty(moments: Moments) -> float:
    """Return S^2 / Q at f = 0: the Swank factor without light noise."""
    return float(moments.signal_per_um2[0] ** 2 / moments.events_per_um2[0])


def light_starved() -> list[tuple[str, float, float]]:
    """Return the DQE of one transfer function from little to much light, and its form."""
    found = []
    for line in read_table(HERE / "closed_forms.csv"):
        if line["name"] == "dqe_poisson_depth_independent":
            gain = float(line["parameters"].split("b*g=")[1].split()[0])
            curves = noise_curves(slab(lambda z: 0.5 + 0.0 * z, gain=gain))
            name = f"DQE where T = 0.5, {gain:g} electrons an X-ray"
            found.append((name, float(curves.dqe[1]), line["value"]))
    return found


def ours() -> dict[str, float]:
    """Return our number for each named closed form."""
    e, ek, share = 20.0, 14.96, 0.4
    faded = slab(np.ones_like, mu_per_um=0.0145, length_um=200.0, gain=50.0,
                 detected=lambda z: np.exp(-0.005 * z))  # fmt: skip
    kappa, f = 0.2, 0.02
    gauss = slab(lambda z: np.exp(-2.0 * (np.pi * kappa * z * f) ** 2))
    decay = 2.0 * np.pi * 0.02 * 0.225
    exponential = slab(lambda z: np.exp(-decay * z), mu_per_um=0.0145, length_um=200.0)
    thick = slab(lambda z: np.exp(-0.0283 * z), mu_per_um=0.0145, length_um=1800.0)
    poisson = noise_curves(slab(np.ones_like, gain=10.0)).dqe[0]
    return {
        "swank_poisson_monoenergetic": float(poisson),
        "swank_exponential_pulse_height": plenty(slab(np.ones_like, gain=10.0, variance=110.0)),
        "swank_two_peak_escape": swank_factor(
            1.0, e - share * ek, (1.0 - share) * e**2 + share * (e - ek) ** 2
        ),
        "swank_depth_exponential": plenty(faded),
        "lubberts_gauss_uniform": float(lubberts_ratio(gauss)[1]),
        "lubberts_exp_exp": float(lubberts_ratio(exponential)[1]),
        "lubberts_exp_exp_thick_lowf": float(lubberts_ratio(thick)[1]),
    }


def rows(quick: bool) -> list[Row]:
    """Return the comparisons; they take no time."""
    table = {line["name"]: line["value"] for line in read_table(HERE / "closed_forms.csv")}
    pairs = [(name.replace("_", " "), value, table[name]) for name, value in ours().items()]
    return [
        row(name, value, expected, SHARE * expected, kind="closed form",
            reason="eight printed digits; depth sums converge to rounding",
            source="closed form, checked by quadrature or Monte Carlo, see SOURCE.md")
        for name, value, expected in [*pairs, *light_starved()]
    ]  # fmt: skip
