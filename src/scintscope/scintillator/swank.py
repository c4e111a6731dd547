"""Swank factor of a plate: what the spread of pulse heights costs of the X-rays' information.

With M_n = sum_E phi_E int <(b e)^n> dz over the X-rays that interact (e energy an X-ray leaves, b
relative collection of light from its depth) the factor is

    A = M_1^2 / (M_0 M_2)

(Swank 1973, J. Appl. Phys. 44, 4199). Light that is Poisson with c electrons per keV adds its own
spread: M_1 becomes c M_1 and M_2 becomes c^2 M_2 + c M_1. At f = 0 DQE is the absorbed share of
the X-rays times A.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scintscope.errors import DataError, check_range

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class PulseMoments:
    """Moments of the pulse heights of the X-rays that interact.

    Parameters
    ----------
    interacting : float
        M_0, X-rays that interact.
    first, second : float
        M_1 and M_2, in keV and keV^2 or in electrons and their square.
    """

    interacting: float
    first: float
    second: float

    def __post_init__(self) -> None:
        for name in ("interacting", "first", "second"):
            check_range(name, getattr(self, name), low=0.0, low_open=True)

    @property
    def swank(self) -> float:
        """A = M_1^2 / (M_0 M_2)."""
        return self.first**2 / (self.interacting * self.second)

    @property
    def mean(self) -> float:
        """Mean pulse height, M_1 / M_0."""
        return self.first / self.interacting

    def with_light(self, electrons_per_kev: float) -> PulseMoments:
        """Return the moments of the photo-electrons, Poisson with a mean of c per keV.

        Raises
        ------
        RangeError
            If ``electrons_per_kev`` is not positive.
        """
        check_range("electrons_per_kev", electrons_per_kev, low=0.0, low_open=True)
        light = electrons_per_kev * self.first
        return PulseMoments(
            interacting=self.interacting,
            first=light,
            second=electrons_per_kev**2 * self.second + light,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SwankFactors:
    """Swank factor of a plate, its causes added one by one.

    Parameters
    ----------
    spectral : float
        By the spread of the energies that X-rays leave.
    with_depth : float
        And by the different collection of light from different depths.
    with_light : float
        And by the Poisson statistics of the light.
    """

    spectral: float
    with_depth: float
    with_light: float


def pulse_moments(
    photons: ArrayLike,
    interactions_per_um: ArrayLike,
    first_kev_per_um: ArrayLike,
    second_kev2_per_um: ArrayLike,
    depth_weight_um: ArrayLike,
    collection: ArrayLike = 1.0,
) -> PulseMoments:
    """Return the moments of pulse heights over energy and depth (module equation).

    Parameters
    ----------
    photons : (E,) array
        X-rays that arrive, per energy, in any unit.
    interactions_per_um : (E, D) array
        First interactions of one of them per um of depth.
    first_kev_per_um, second_kev2_per_um : (E, D) array
        Mean, and mean square over events, of the energy they leave, times that density. An event
        that leaves energy in several places counts once, at the depth where it began.
    depth_weight_um : (D,) array
        Quadrature weights.
    collection : (D,) array or float
        Light collected from each depth, relative.

    Raises
    ------
    DataError
        If the shapes do not fit together.
    RangeError
        If nothing interacts or leaves energy.
    """
    spectrum, weight = np.asarray(photons, float), np.asarray(depth_weight_um, float)
    tables = [
        np.asarray(table, float)
        for table in (interactions_per_um, first_kev_per_um, second_kev2_per_um)
    ]
    shape = (spectrum.size, weight.size)
    share = np.asarray(collection, float)
    if any(table.shape != shape for table in tables) or share.shape not in ((), weight.shape):
        raise DataError(
            f"moments of shapes {[table.shape for table in tables]} and collection of shape "
            f"{share.shape} do not fit {shape[0]} energies and {shape[1]} depths."
        )
    zeroth, first, second = (
        float(spectrum @ table @ (weight * share**power)) for power, table in enumerate(tables)
    )
    return PulseMoments(interacting=zeroth, first=first, second=second)


def swank_factors(
    photons: ArrayLike,
    interactions_per_um: ArrayLike,
    first_kev_per_um: ArrayLike,
    second_kev2_per_um: ArrayLike,
    depth_weight_um: ArrayLike,
    electrons_per_kev: ArrayLike,
) -> SwankFactors:
    """Return the Swank factor with its causes added one by one.

    Parameters
    ----------
    photons, interactions_per_um, first_kev_per_um, second_kev2_per_um, depth_weight_um
        As in `pulse_moments`.
    electrons_per_kev : (D,) array or float
        Photo-electrons per keV left at each depth.

    Raises
    ------
    DataError, RangeError
        As `pulse_moments`; also if there is no light.
    """
    tables = (photons, interactions_per_um, first_kev_per_um, second_kev2_per_um, depth_weight_um)
    electrons = np.asarray(electrons_per_kev, float)
    check_range("electrons_per_kev", float(electrons.max()), low=0.0, low_open=True)
    detected = pulse_moments(*tables, collection=electrons)
    return SwankFactors(
        spectral=pulse_moments(*tables).swank,
        with_depth=detected.swank,
        with_light=detected.with_light(1.0).swank,
    )
