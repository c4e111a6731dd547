r"""Fast radial engine: the PSF of an axially symmetric system as one matrix product.

.. math:: U_m(r; s) = \tfrac12 \int_{t_0}^1 A_m(t)\, e^{i k W(t; s)} J_m(k\,NA\,r \sqrt t)\, dt,
          \quad h(r; s) = \frac{(k\,NA)^2}{2\pi} \frac{\sum_m w_m |U_m|^2}{\sum_m w_m
          \frac12 \int |A_m|^2 dt}

(Gibson and Lanni 1992, J. Opt. Soc. Am. A 9, 154, Eq. 9; parts m of `pupil`). By Parseval's theorem
of the Hankel transform h has unit integral over the plane at every depth, without being normalised
numerically. The Bessel table is shared by all depths, which leaves a product (radii x nodes) times
(nodes x depths). Nodes come from `radial_nodes` with an error bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scintscope.errors import InputError
from scintscope.jax64 import namespace
from scintscope.optics.bessel import bessel_j
from scintscope.optics.pupil import SCALAR, Pupil, components, with_aberrations
from scintscope.optics.radial_nodes import TOLERANCE, check_aperture, plain_path, radial_nodes
from scintscope.optics.wavefront import OpticalPath, wavefront_um
from scintscope.quadrature import unit_nodes


def radial_psf(
    r_um: Any,
    depth_below_exit_um: Any,
    travel_um: Any,
    path: OpticalPath,
    *,
    pupil: Pupil = SCALAR,
    nodes: int | None = None,
    tolerance: float = TOLERANCE,
) -> Any:
    """Return the point spread function of emitters at several depths (module equation).

    Differentiable in JAX with respect to radius, depth, travel and every number of the path;
    arrays of JAX in, arrays of JAX out.

    Parameters
    ----------
    r_um : (R,) array
        Radii >= 0, object side.
    depth_below_exit_um : (D,) array
        s of the emitters.
    travel_um : float or (D,) array
        Stage travel a.
    path : OpticalPath
        Lens and layers.
    pupil : Pupil
        Scalar or vectorial, aberrations (axially symmetric ones).
    nodes : int, optional
        Pupil nodes; needed when values are traced. By default from `radial_nodes`.
    tolerance : float
        Of the amplitude, over that of the perfect focus, when nodes are chosen.

    Returns
    -------
    (D, R) array
        1/um^2, unit integral over the plane.

    Raises
    ------
    InputError
        NA not below every index, aberrations without symmetry, traced values without ``nodes``.
    SamplingError
        More nodes needed than there are.
    """
    path = with_aberrations(path, pupil)
    if nodes is None:
        top = float(np.max(np.asarray(r_um)))
        nodes, _ = radial_nodes(top, depth_below_exit_um, travel_um, path, pupil, tolerance)
    xp = namespace(r_um, depth_below_exit_um, travel_um, *_numbers(path))
    if xp is np:
        check_aperture(plain_path(path))
    depths = xp.atleast_1d(xp.asarray(depth_below_exit_um, dtype=np.float64))
    travels = xp.broadcast_to(xp.asarray(travel_um, dtype=np.float64), depths.shape)
    return _intensity(xp.atleast_1d(xp.asarray(r_um)), depths, travels, path, pupil, nodes)


def _numbers(path: OpticalPath) -> tuple[Any, ...]:
    return (
        *(path.na, path.index, path.wavelength_um, path.corrected_for_um, path.immersion_index),
        *(path.corrected_index, path.camera_travel_um, path.magnification),
        *path.excess_um,
        *path.excess_index,
        *path.radial_um,
    )


def _intensity(
    r_um: Any, depths_um: Any, travels_um: Any, path: OpticalPath, pupil: Pupil, nodes: int
) -> Any:
    xp = namespace(r_um, depths_um, *_numbers(path))
    low = pupil.aberrations.obstruction**2
    unit, share = unit_nodes(nodes)
    t, weight = low + (1.0 - low) * unit, 0.5 * (1.0 - low) * share
    wave_number = 2.0 * np.pi / path.wavelength_um
    p2 = path.na**2 * t
    w = wavefront_um(p2[:, None], depths_um[None, :], travels_um[None, :], path)
    real, imaginary = xp.cos(wave_number * w), xp.sin(wave_number * w)
    wave = xp.concatenate([real, imaginary], axis=1)
    argument = wave_number * path.na * r_um[:, None] * np.sqrt(t)[None, :]
    total, energy = 0.0, 0.0
    for order, share_of, amplitude in components(p2, path, pupil):
        table = bessel_j(order, argument) * (weight * amplitude)[None, :]
        field = table @ wave
        count = depths_um.shape[0]
        total = total + share_of * (field[:, :count] ** 2 + field[:, count:] ** 2)
        energy = energy + share_of * xp.sum(weight * amplitude**2)
    return ((wave_number * path.na) ** 2 / (2.0 * np.pi * energy) * total).T


def radial_otf_from_psf(
    frequency_cy_per_um: Any, r_um: Any, psf_per_um2: Any, weight_um: Any
) -> Any:
    """Return the Hankel transform 2 pi int h(r) J_0(2 pi f r) r dr of tabulated radii.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Frequencies.
    r_um, weight_um : (R,) array
        Radii of a quadrature and their weights.
    psf_per_um2 : (D, R) array
        h.

    Returns
    -------
    (D, F) array
        What the radii cover: at f = 0 the energy inside the largest of them, not 1.
    """
    if psf_per_um2.shape[-1] != np.shape(r_um)[0]:
        raise InputError("psf_per_um2 must be tabulated on r_um: (D, R) values for R radii.")
    xp = namespace(frequency_cy_per_um, psf_per_um2)
    table = bessel_j(0, 2.0 * np.pi * xp.asarray(frequency_cy_per_um)[:, None] * r_um[None, :])
    return psf_per_um2 @ (2.0 * np.pi * table * (r_um * weight_um)[None, :]).T
