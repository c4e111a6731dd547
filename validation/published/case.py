"""Published numbers of lens-coupled detectors, recomputed."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from scintscope.optics.depth_of_field import depth_of_field
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath
from scintscope.quadrature import interval_nodes
from scintscope.validate import Row, relative_row, row

WAVELENGTH_UM = 0.55
KOCH_P_UM, KOCH_Q = 0.18, 0.075
KOCH = "Koch et al. 1998, J. Opt. Soc. Am. A 15, 1940: R^2 = (p/NA)^2 + (q z NA)^2; p, q recalled"
OTHER = "line-spread widths by another program, same definition"
APS = (
    (2.0, 0.055, 227.3),
    (5.0, 0.14, 30.87),
    (5.0, 0.21, 13.72),
    (10.0, 0.28, 7.37),
    (10.0, 0.42, 3.27),
    (20.0, 0.28, 7.19),
    (20.0, 0.42, 3.20),
)
"""Magnification, NA, depth of field in um at 550 nm, as that beamline's calculator prints them."""


def mean_otf(f: np.ndarray, na: float, index: float, thickness_um: float) -> np.ndarray:
    """Return the mean transfer function of an evenly glowing slab in focus at its centre."""
    path = OpticalPath(na=na, index=index, wavelength_um=WAVELENGTH_UM)
    if thickness_um == 0.0:
        return np.asarray(otf(f, np.array([0.0]), 0.0, path))[0]
    z, weight = interval_nodes(-0.5 * thickness_um, 0.5 * thickness_um, 200)
    return weight @ np.asarray(otf(f, z, 0.0, path)) / thickness_um


def full_width_um(share: float, na: float, index: float = 1.0, thickness_um: float = 0.0) -> float:
    """Return the full width that holds a share of the line-spread function.

    The share within w is 2 int H(f) sin(pi f w) / (pi f) df.
    """
    cutoff = 2.0 * na / WAVELENGTH_UM
    f, weight = interval_nodes(0.0, cutoff, 400)
    transfer = mean_otf(f, na, index, thickness_um)

    def within(w: float) -> float:
        return float(weight @ (transfer * 2.0 * w * np.sinc(f * w)))

    return float(brentq(lambda w: within(w) - share, 0.01 / na, 3.0 / na + thickness_um * na))


def koch_rows(quick: bool) -> list[Row]:
    """Return Koch's two terms by "full width holding half of the line-spread function"."""
    na, z = 0.4, 50.0
    p = full_width_um(0.5, na) * na
    wide = full_width_um(0.9, na) * na
    found = [
        row("width of half the line spread in focus, um NA", p, 0.177, 5e-4, unit="um",
            reason="three printed digits", source=OTHER),
        row("width of 90 % of the line spread in focus, um NA", wide, 0.744, 4e-3, unit="um",
            reason="three printed digits of a slowly falling tail", source=OTHER),
        relative_row("Koch's p", p, KOCH_P_UM, 0.02, unit="um", source=KOCH, kind="measurement",
                     reason="two printed digits; definition read from the numbers"),
    ]  # fmt: skip
    if quick:
        return found
    for index, printed in ((1.95, 0.082), (1.84, 0.087)):
        q = full_width_um(0.5, na, index, z) / (z * na)
        found.append(
            row(f"width of half the line spread of 50 um, n = {index:g}, over z NA", q, printed,
                1e-3, reason="two printed digits", source=OTHER)
        )  # fmt: skip
    for thickness in (5.0, 25.0, 100.0):
        ours = full_width_um(0.5, na, 1.95, thickness)
        theirs = float(np.hypot(KOCH_P_UM / na, KOCH_Q * thickness * na))
        found.append(
            relative_row(f"Koch's resolution, NA 0.4, {thickness:g} um, n = 1.95", ours, theirs,
                         0.15, unit="um", source=KOCH, kind="measurement",
                         reason="q recalled and its index unknown: 9 to 16 % (n = 1.95 to 1.84)")
        )  # fmt: skip
    return found


def rows(quick: bool) -> list[Row]:
    """Return the comparisons."""
    found = [
        row(f"depth of field of {m:g}x/{na:g}",
            depth_of_field(na, WAVELENGTH_UM, 1.0, 0.1, m, 6.5).half_more, value,
            0.05 if value > 100.0 else 0.005 if value < 100.0 else 0.0, unit="um",
            kind="measurement", reason="printed digits",
            source="APS beamline 2-BM lens calculator, 550 nm")
        for m, na, value in APS
    ]  # fmt: skip
    return [*found, *koch_rows(quick)]
