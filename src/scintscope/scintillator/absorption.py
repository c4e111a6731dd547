"""Where photons stop in the plate and what energy they leave: k(z) per energy.

Pure functions in ``jax.numpy``. Symbols: z depth below the entrance face, mu total attenuation,
E photon energy. Arrays are (energy, depth).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import check_choice
from scintscope.jax64 import namespace
from scintscope.materials import Scintillator
from scintscope.materials import attenuation as cross

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interaction:
    """What one photon of each energy does in a scintillator, per um of path.

    Parameters
    ----------
    attenuation_per_um : (E,) array
        mu, Rayleigh included.
    deposit_kev_per_um : (E,) array
        Mean energy left at the place of interaction.
    deposit_kev2_per_um : (E,) array
        Mean square of that energy (per event), which carries the spread between events.
    """

    attenuation_per_um: Array
    deposit_kev_per_um: Array
    deposit_kev2_per_um: Array


def interaction(scintillator: Scintillator, energy_kev: Array, fluorescence: str) -> Interaction:
    """Return the interaction coefficients of a scintillator.

    Photoelectric absorption leaves E, less the K photon where ``fluorescence = "escape"``;
    Compton scattering leaves the recoil's energy; Rayleigh scattering leaves nothing. The
    scattered photon is taken to leave the plate. Shell cross-sections, yields and branching
    from xraylib; energy balance as in the definition of mu_en (Hubbell and Seltzer 1995).

    Parameters
    ----------
    scintillator : Scintillator
        Host formula and density.
    energy_kev : (E,) array
        Photon energies.
    fluorescence : {"local", "escape"}
        Whether K photons stay or leave. What happens where they travel in the plate is the
        business of `scintscope.deposition`, of which this is the limit.
    """
    check_choice("fluorescence", fluorescence, ("local", "escape"), "See scintscope.deposition.")
    photo = cross.photoelectric_per_um(scintillator, energy_kev)
    compton = cross.compton_per_um(scintillator, energy_kev)
    recoil_kev = cross.mean_compton_fraction(energy_kev) * energy_kev
    mean = photo * energy_kev + compton * recoil_kev
    square = photo * energy_kev**2 + compton * recoil_kev**2
    if fluorescence == "escape":
        for line in cross.fluorescence_lines(scintillator, energy_kev, ("K",)):
            kept_kev = energy_kev - line.line_kev
            mean = mean - line.rate_per_um * line.line_kev
            square = square - line.rate_per_um * (energy_kev**2 - kept_kev**2)
    return Interaction(
        attenuation_per_um=cross.total_per_um(scintillator, energy_kev),
        deposit_kev_per_um=np.asarray(mean),
        deposit_kev2_per_um=np.asarray(square),
    )


def survival(z_um: Any, attenuation_per_um: Any, path: Any = 1.0) -> Any:
    """Return the fraction of photons that reach depth z: exp(-mu z path) (Beer-Lambert).

    Parameters
    ----------
    z_um : (D,) array
        Depths.
    attenuation_per_um : (E,) array
        mu.
    path : float
        Path per depth, 1/cos of the angle of incidence.

    Returns
    -------
    (E, D) array
    """
    return namespace(attenuation_per_um, z_um, path).exp(
        -attenuation_per_um[:, None] * z_um[None, :] * path
    )


def per_depth(coefficient_per_um: Any, z_um: Any, attenuation_per_um: Any, path: Any = 1.0) -> Any:
    """Return a first-collision density over depth, coefficient * path * exp(-mu z path).

    With the coefficient mu it is the density of interactions; with a deposit coefficient the
    energy left per um of depth and per incident photon, the k(z) of Zhou et al. 2025, Eq. 1,
    before weighting with the spectrum.

    Returns
    -------
    (E, D) array
    """
    return coefficient_per_um[:, None] * path * survival(z_um, attenuation_per_um, path)


def absorbed_fraction(attenuation_per_um: Any, thickness_um: Any) -> Any:
    """Return the fraction of photons that interact in the plate, 1 - exp(-mu t), per energy."""
    return -namespace(attenuation_per_um, thickness_um).expm1(-attenuation_per_um * thickness_um)
