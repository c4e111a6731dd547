r"""The wavefront of an emitter inside the plate.

With p = NA rho (rho the pupil radius, 0 to 1) an emitter a depth s below the exit face has

.. math:: W(p) = (s - s_c) \sqrt{n^2 - p^2} + \sum_j (t_j - t_{cj}) \sqrt{n_j^2 - p^2}
          - a \sqrt{n_i^2 - p^2} + b \sqrt{1 - p^2 / M^2} + \sum_{j \ge 1} c_j \rho^{2j}

piston removed: every plane layer contributes its thickness times the longitudinal direction
cosine times its index (Gibson and Lanni 1992, J. Opt. Soc. Am. A 9, 154, Eq. 1-5). s_c is the
depth the lens was corrected for, t_cj the plate thicknesses it was corrected for, a the travel of
the stage towards the lens, n_i the index of what the lens is immersed in (air: 1), b the travel of
the camera away from the lens, M the magnification, c_j axially symmetric terms of any other origin.
W is an optical path length: an emitter further from the lens has the larger W. Phase is
2 pi W / lambda. Pure functions in ``jax.numpy``.

Moving the camera is not the same as moving the stage. An aplanatic lens keeps Abbe's sine
condition, p = M p' with p' = sin(theta') at the image, so that the camera sees the path
b sqrt(1 - p'^2): almost exactly -b p^2 / (2 M^2), a parabola in p, where the stage gives
-a sqrt(n_i^2 - p^2) with all its higher orders. Only Herschel's condition would make the two equal
(Botcherby, Juskaitis, Booth and Wilson 2008, Opt. Commun. 281, 880, section 2). What one cannot
undo of the other is 1.1 % of the rms of the defocus in air at NA 0.4, 10 % at NA 0.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scintscope.jax64 import namespace

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_RHO2 = 0.5 * (1.0 + _NODES)
_PUPIL_WEIGHT = 0.5 * _WEIGHTS


@dataclass(frozen=True, kw_only=True, slots=True)
class OpticalPath:
    """What lies between emitter and lens, other than the emitter's own depth.

    Parameters
    ----------
    na, index, wavelength_um : float
        Aperture in air, index of the plate, vacuum wavelength.
    corrected_for_um : float
        s_c.
    excess_um : tuple of float
        t_j - t_cj of each glass plate.
    excess_index : tuple of float
        n_j of each glass plate.
    immersion_index : float
        n_i, index of the medium in front of the lens, in which the stage moves.
    corrected_index : float, optional
        Index of the plate that the lens was corrected for; None means ``index``. Another value
        at another wavelength is the dispersion of the plate.
    camera_travel_um : float
        b, travel of the camera away from the lens, on the image side.
    magnification : float
        M, which ``camera_travel_um`` is seen through.
    radial_um : tuple of float
        c_1, c_2, ...: coefficients of rho^2, rho^4, ...; um.
    """

    na: Any
    index: Any
    wavelength_um: Any
    corrected_for_um: Any = 0.0
    excess_um: tuple[Any, ...] = ()
    excess_index: tuple[Any, ...] = ()
    immersion_index: Any = 1.0
    corrected_index: Any = None
    camera_travel_um: Any = 0.0
    magnification: Any = 5.0
    radial_um: tuple[Any, ...] = ()

    @property
    def cutoff_cy_per_um(self) -> float:
        """Incoherent cut-off 2 NA / lambda, cycles/um, object side."""
        return float(2.0 * self.na / self.wavelength_um)


def slab_path(p2: Any, index: Any) -> Any:
    """Return sqrt(n^2 - p^2) - n: path per length of a layer, piston removed.

    Written as -p^2 / (sqrt(n^2 - p^2) + n), which keeps its digits at small p.
    """
    return -p2 / (namespace(p2, index).sqrt(index**2 - p2) + index)


def glass_wavefront_um(p2: Any, path: OpticalPath) -> Any:
    """Return the wavefront of glass plates other than the lens was corrected for, um."""
    total = 0.0 * p2
    for excess, index in zip(path.excess_um, path.excess_index, strict=True):
        total = total + excess * slab_path(p2, index)
    return total


def fixed_wavefront_um(p2: Any, path: OpticalPath) -> Any:
    """Return what neither depth nor stage changes: glass, camera travel, radial terms, um.

    Also the dispersion of the corrected depth, s_c (sqrt(n^2 - p^2) - sqrt(n_c^2 - p^2)), where
    the lens was corrected for another index than the plate has.
    """
    total = glass_wavefront_um(p2, path)
    if path.corrected_index is not None:
        change = slab_path(p2, path.index) - slab_path(p2, path.corrected_index)
        total = total + path.corrected_for_um * change
    total = total + path.camera_travel_um * slab_path(p2 / path.magnification**2, 1.0)
    rho2 = p2 / path.na**2
    for order, coefficient in enumerate(path.radial_um, start=1):
        total = total + coefficient * rho2**order
    return total


def wavefront_um(p2: Any, depth_below_exit_um: Any, travel_um: Any, path: OpticalPath) -> Any:
    """Return W(p), um, piston removed (module equation).

    Parameters
    ----------
    p2 : array
        Squared pupil coordinate p^2, 0 to NA^2.
    depth_below_exit_um : array, broadcast with p2
        s of the emitter.
    travel_um : float
        a.
    path : OpticalPath
        The rest.
    """
    return (
        (depth_below_exit_um - path.corrected_for_um) * slab_path(p2, path.index)
        + fixed_wavefront_um(p2, path)
        - travel_um * slab_path(p2, path.immersion_index)
    )


def _pupil_mean(values: Any) -> Any:
    return (_PUPIL_WEIGHT * values).sum()


def _covariance(a: Any, b: Any) -> Any:
    return _pupil_mean(a * b) - _pupil_mean(a) * _pupil_mean(b)


def travel_for_focus_um(focus_below_exit_um: Any, path: OpticalPath) -> Any:
    """Return the stage travel a at which the given depth is the one in focus.

    A depth is in focus when its rms W is the least of all depths, so cov(W, A) = 0 with
    A = sqrt(n^2 - p^2); W is linear in a, hence a = cov(W at a = 0, A) / cov(B, A) with
    B = sqrt(n_i^2 - p^2). Without residual aberration this is also the best a for that depth.
    """
    p2 = path.na**2 * _RHO2
    base = wavefront_um(p2, focus_below_exit_um, 0.0, path)
    slab = slab_path(p2, path.index)
    return _covariance(base, slab) / _covariance(slab_path(p2, path.immersion_index), slab)


def focus_for_travel_um(travel_um: Any, path: OpticalPath) -> Any:
    """Return the depth below the exit face that a given travel focuses: least rms W over s.

    The depth whose image has the least rms W at that a (W is linear in s as well).
    """
    p2 = path.na**2 * _RHO2
    base = wavefront_um(p2, path.corrected_for_um, travel_um, path)
    slab = slab_path(p2, path.index)
    return path.corrected_for_um - _covariance(base, slab) / _covariance(slab, slab)


def rms_waves(depth_below_exit_um: Any, travel_um: Any, path: OpticalPath) -> Any:
    """Return the rms wavefront error over the pupil, waves, piston removed.

    Its derivative where the wavefront is flat, which the root does not have, is given as 0.
    """
    w = wavefront_um(path.na**2 * _RHO2, depth_below_exit_um, travel_um, path)
    xp = namespace(w)
    variance = _covariance(w, w)
    some = variance > 0.0
    return xp.where(some, xp.sqrt(xp.where(some, variance, 1.0)), 0.0) / path.wavelength_um
