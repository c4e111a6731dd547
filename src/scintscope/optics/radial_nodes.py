r"""How many pupil nodes a radial integral needs, with a bound of its error.

With t = rho^2 the integrand of the radial engine, A exp(i k W) J_m(k NA r sqrt t), is analytic in t
save for branch points at t_b = n_j^2 / NA^2. If |f| <= M inside the Bernstein ellipse of parameter
g around [t0, 1], Gauss-Legendre with N nodes errs by at most

.. math:: |E_N| \le \frac{1 - t_0}{2}\, \frac{64}{15}\, \frac{M g^{-2N}}{1 - g^{-2}}

(Rabinowitz 1969, Commun. ACM 12, 268; Trefethen 2013, Approximation Theory and Practice, Thm.
19.3). M is taken on the ellipse, where |J_m(z)| <= exp|Im z| and |exp(ikW)| = exp(-k Im W), and the
bound minimised over g. The error falls geometrically in N once N exceeds about a quarter of the
phase (radians) across the pupil.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError, SamplingError
from scintscope.optics.pupil import Pupil, components
from scintscope.optics.wavefront import OpticalPath, wavefront_um

Array = NDArray[np.float64]

NODE_STEPS = np.unique(
    np.concatenate([np.arange(8, 128, 8), np.arange(128, 512, 16), np.arange(512, 4097, 128)])
)
"""Node counts in use."""

TOLERANCE = 1e-9
"""Default error of the amplitude, over that of the perfect focus."""

_ELLIPSES, _ANGLES = 24, 96


def plain_path(path: OpticalPath) -> OpticalPath:
    """Return a path of Python floats; refuses values that are being traced by JAX.

    Raises
    ------
    InputError
        If a value is traced: nodes cannot be chosen then.
    """
    try:
        numbers: dict[str, Any] = {
            name: float(getattr(path, name))
            for name in (
                *("na", "index", "wavelength_um", "corrected_for_um"),
                *("immersion_index", "camera_travel_um", "magnification"),
            )
        }
        tuples: dict[str, Any] = {
            name: tuple(float(v) for v in getattr(path, name))
            for name in ("excess_um", "excess_index", "radial_um")
        }
        design = None if path.corrected_index is None else float(path.corrected_index)
    except TypeError as error:  # jax.errors.ConcretizationTypeError
        raise InputError(
            "the number of nodes cannot be chosen from traced values: give nodes=... (from "
            "radial_nodes on plain numbers) when differentiating or compiling."
        ) from error
    return replace(path, corrected_index=design, **numbers, **tuples)


def check_aperture(path: OpticalPath, decentre: tuple[float, float] = (0.0, 0.0)) -> None:
    """Refuse an aperture that some layer cannot carry: NA must be below every index.

    A decentred stop reaches NA (1 + |decentre|).

    Raises
    ------
    InputError
        Naming the layer's index.
    """
    for index in (path.index, path.immersion_index, *path.excess_index):
        reach = path.na * (1.0 + float(np.hypot(*decentre)))
        if not 0.0 < reach < index:
            raise InputError(
                f"na = {path.na:g} (reaching {reach:g} with the stop's decentre) is not between 0 "
                f"and the index {index:g} of a layer: its outermost rays do not exist there. "
                "Use a smaller NA or a denser immersion."
            )


def _nearest_branch(path: OpticalPath) -> float:
    indices = [path.index, path.immersion_index, *path.excess_index]
    if path.corrected_index is not None:
        indices.append(path.corrected_index)
    if path.camera_travel_um:
        indices.append(path.magnification)
    return float(min(indices) / path.na) ** 2


def _log_moduli(
    t: NDArray[np.complex128],
    r_max_um: float,
    depth_um: Array,
    travel_um: Array,
    path: OpticalPath,
    pupil: Pupil,
) -> Array:
    """Return log of the largest |integrand| at complex t, over all emitters and components."""
    wave_number = 2.0 * np.pi / path.wavelength_um
    p2 = path.na**2 * t
    growth = np.full(t.shape, -np.inf)
    for depth, travel in zip(depth_um, travel_um, strict=True):
        imaginary = np.imag(wavefront_um(p2, depth, travel, path))
        growth = np.maximum(growth, -wave_number * imaginary)
    amplitude = np.max([np.abs(a) for _, _, a in components(p2, path, pupil)], axis=0)
    bessel = wave_number * path.na * r_max_um * np.abs(np.imag(np.sqrt(t)))
    return np.asarray(growth + bessel + np.log(amplitude + 1e-300))


def error_bounds(
    counts: NDArray[np.int64],
    r_max_um: float,
    depth_um: Array,
    travel_um: Array,
    path: OpticalPath,
    pupil: Pupil,
) -> Array:
    """Return the bound of the amplitude's error (module equation) for several node counts.

    Relative to the amplitude of the perfect focus, A dt integrated over the pupil.

    Parameters
    ----------
    counts : (K,) int array
        N.
    r_max_um : float
        Largest radius.
    depth_um, travel_um : (D,) array
        Emitters and their stage travels.
    path : OpticalPath
        Plain numbers.
    pupil : Pupil
        Model.
    """
    low = pupil.aberrations.obstruction**2
    half, middle = 0.5 * (1.0 - low), 0.5 * (1.0 + low)
    edge = (_nearest_branch(path) - middle) / half
    largest = min(edge + np.sqrt(edge**2 - 1.0), 1e4)
    g = np.exp(np.log(largest) * np.linspace(0.02, 0.98, _ELLIPSES))[:, None]
    turn = np.exp(2j * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES)[None, :]
    t = middle + half * 0.5 * (g * turn + 1.0 / (g * turn))
    ends = _extremes(depth_um, travel_um)
    log_m = _log_moduli(t, r_max_um, *ends, path, pupil).max(axis=1)
    log_g = np.log(g[:, 0])
    logs = log_m[None, :] - 2.0 * counts[:, None] * log_g[None, :] - np.log1p(-(g[:, 0] ** -2))
    nodes, weights = np.polynomial.legendre.leggauss(48)
    p2 = path.na**2 * (middle + half * nodes)
    focus = max(float(half * weights @ np.abs(a)) for _, _, a in components(p2, path, pupil))
    return np.asarray(half * 64.0 / 15.0 * np.exp(np.minimum(logs.min(axis=1), 300.0)) / focus)


def _extremes(depth_um: Array, travel_um: Array) -> tuple[Array, Array]:
    """Return the corners of the range of (depth, travel): W is linear in both."""
    depths = np.array([depth_um.min(), depth_um.max()])
    travels = np.array([travel_um.min(), travel_um.max()])
    if np.ptp(travels) == 0.0:
        return depths, travels
    if depth_um.size <= 16:
        return depth_um, travel_um
    return np.repeat(depths, 2), np.tile(travels, 2)


def radial_nodes(
    r_max_um: float,
    depth_below_exit_um: Any,
    travel_um: Any,
    path: OpticalPath,
    pupil: Pupil,
    tolerance: float = TOLERANCE,
) -> tuple[int, float]:
    """Return the pupil nodes that meet a tolerance, and the bound they are assured of.

    Parameters
    ----------
    r_max_um : float
        Largest radius.
    depth_below_exit_um, travel_um : (D,) array or float
        Emitters and stage travels.
    path : OpticalPath
        Lens and layers, axially symmetric aberrations included (`pupil.with_aberrations`).
    pupil : Pupil
        Model.
    tolerance : float
        Largest error of the amplitude, over that of the perfect focus.

    Returns
    -------
    nodes : int
        One of `NODE_STEPS`.
    bound : float
        Of the relative error of the amplitude.

    Raises
    ------
    SamplingError
        If more nodes than the largest step were needed.
    """
    plain = plain_path(path)
    check_aperture(plain)
    depths, travels = np.broadcast_arrays(
        np.atleast_1d(np.asarray(depth_below_exit_um, dtype=np.float64)),
        np.asarray(travel_um, dtype=np.float64),
    )
    bounds = error_bounds(NODE_STEPS, r_max_um, depths, travels, plain, pupil)
    enough = np.flatnonzero(bounds <= tolerance)
    if not enough.size:
        raise SamplingError(
            f"{NODE_STEPS[-1]} pupil nodes leave an error of {bounds[-1]:.1e} > {tolerance:.0e} at "
            f"radii up to {r_max_um:g} um: use smaller radii, less defocus or a smaller NA."
        )
    return int(NODE_STEPS[enough[0]]), float(bounds[enough[0]])
