r"""Incoherent transfer functions of a defocused, aberrated circular pupil.

The optical transfer function is the autocorrelation of the pupil (Hopkins 1955, Proc. R. Soc.
A 231, 91):

.. math:: H(f) = \frac{1}{\pi} \iint_{\rm overlap} \exp\{i k [W(+) - W(-)]\}\, dx\, dy

over the overlap of two unit circles whose centres are 2 h apart, h = f lambda / (2 NA). For an
axially symmetric wavefront it is real and one quarter of the overlap suffices. With the shear along
x and x + h = cos t the quarter is 0 <= t <= acos h, 0 <= y <= sin t and the integrand is smooth, so
that Gauss-Legendre nodes converge exponentially. Defocus makes the phase run along x only, up to
terms beyond the paraxial ones, so that few nodes serve along y. Pure functions in ``jax.numpy``.

Apodised and vectorial pupils weight each pair of points with the product of their amplitudes; for
isotropic dipoles, summed over orientations, in the notation of `pupil` with Delta the angle between
the two points as seen from the axis,

.. math:: G = \tfrac12 A_0 A_0' + \tfrac12 A_2 A_2' \cos 2\Delta + A_1 A_1' \cos\Delta
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError, SamplingError
from scintscope.jax64 import jax, jnp
from scintscope.optics.pupil import SCALAR, Pupil, components, with_aberrations
from scintscope.optics.wavefront import OpticalPath, slab_path, wavefront_um
from scintscope.threads import POOL_THREADS

Array = NDArray[np.float64]

_BLOCK = 32
_THREADS = POOL_THREADS
_BASE_NODES = 12
_NODES_PER_RADIAN = 0.45
"""Gauss-Legendre nodes per radian of phase across the overlap; 0.25 is where convergence starts."""


def diffraction_limited_mtf(normalised_frequency: Any) -> Any:
    """Return (2/pi) (acos v - v sqrt(1 - v^2)), v = f / cut-off (Goodman 2005, Eq. 6-31)."""
    v = jnp.clip(normalised_frequency, 0.0, 1.0)
    return 2.0 / jnp.pi * (jnp.arccos(v) - v * jnp.sqrt(1.0 - v**2))


def shear_nodes(h: Any, count_x: int, count_y: int) -> tuple[Any, Any, Any]:
    """Return quadrature nodes over a quarter of the sheared pupils' overlap.

    Parameters
    ----------
    h : float
        Half the shear in pupil radii, f lambda / (2 NA), 0 <= h <= 1.
    count_x, count_y : int
        Nodes along and across the shear.

    Returns
    -------
    rho2_plus, rho2_minus : (count_x, count_y) array
        Squared pupil radius at the two ends of the shear.
    weight : (count_x, count_y) array
        Sums to H(f) of the perfect pupil.
    """
    nodes_x, weights_x = np.polynomial.legendre.leggauss(count_x)
    nodes_y, weights_y = np.polynomial.legendre.leggauss(count_y)
    inside = h < 1.0
    safe = jnp.where(inside, h, 0.5)
    top = jnp.arccos(safe)
    t = top * 0.5 * (1.0 + nodes_x)[:, None]
    y2 = (jnp.sin(t) * 0.5 * (1.0 + nodes_y)[None, :]) ** 2
    plus = jnp.cos(t)
    area = jnp.sin(t) ** 2 * top * (0.5 * weights_x)[:, None] * (0.5 * weights_y)[None, :]
    return (
        plus**2 + y2,
        (plus - 2.0 * safe) ** 2 + y2,
        jnp.where(inside, 4.0 / jnp.pi * area, 0.0),
    )


def pair_weight(
    rho2_plus: Any, rho2_minus: Any, shear: Any, path: OpticalPath, pupil: Pupil
) -> Any:
    """Return G of pairs of pupil points a distance 2 ``shear`` apart (module equation).

    A_1 goes as rho and A_2 as rho^2, which takes the angle's 1 / rho with it. Not normalised.
    """
    plus, minus = (components(path.na**2 * rho2, path, pupil) for rho2 in (rho2_plus, rho2_minus))
    dot = 0.5 * (rho2_plus + rho2_minus - 4.0 * shear**2)  # rho rho' cos(Delta)
    product = rho2_plus * rho2_minus
    total = 0.0
    for (order, share, a), (_, _, b) in zip(plus, minus, strict=True):
        angle = {0: 1.0, 1: dot / jnp.sqrt(product), 2: 2.0 * dot**2 / product - 1.0}[order]
        total = total + share * a * b * angle
    return total


@partial(jax.jit, static_argnames=("counts", "pupil"))
def _otf_block(
    h: Any,
    depths_um: Any,
    travel_um: Any,
    path_values: Any,
    counts: tuple[int, int],
    pupil: Pupil = SCALAR,
) -> Any:
    path = OpticalPath(**path_values)
    scale = 2.0 * jnp.pi / path.wavelength_um

    uniform = pupil.model == "scalar" and pupil.aberrations.apodisation == "none"
    energy = 1.0 if uniform else _shear_weights(0.0, path, counts, pupil).sum()

    def one(shear: Any) -> Any:
        fixed, slope, weight = _shear_phases(shear, travel_um, path, counts)
        if not uniform:
            weight = _shear_weights(shear, path, counts, pupil) / energy
        phase = scale * (fixed[None, :] + depths_um[:, None] * slope[None, :])
        return jnp.cos(phase) @ weight

    return jax.lax.map(one, h)


def _shear_weights(shear: Any, path: OpticalPath, counts: tuple[int, int], pupil: Pupil) -> Any:
    plus, minus, weight = (x.ravel() for x in shear_nodes(shear, *counts))
    return weight * pair_weight(plus, minus, shear, path, pupil)


def _otf_in_blocks(
    h: Array,
    depths_um: Array,
    travel_um: float,
    path: OpticalPath,
    counts: tuple[int, int],
    pupil: Pupil,
) -> Array:
    """Evaluate in blocks of one shape, so that each pair of node counts is compiled once."""
    padded_h = np.concatenate([h, np.zeros(-h.size % _BLOCK)])
    padded_z = np.concatenate([depths_um, np.zeros(-depths_um.size % _BLOCK)])
    result = np.empty((padded_h.size, padded_z.size))
    values = {key: jnp.asarray(value) for key, value in _values(path).items()}
    travel = jnp.asarray(travel_um, dtype=jnp.float64)

    def block(corner: tuple[int, int]) -> None:
        i, j = corner
        result[i : i + _BLOCK, j : j + _BLOCK] = _otf_block(
            padded_h[i : i + _BLOCK], padded_z[j : j + _BLOCK], travel, values, counts, pupil
        )

    corners = product(range(0, padded_h.size, _BLOCK), range(0, padded_z.size, _BLOCK))
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(block, corners))
    return result[: h.size, : depths_um.size]


def _shear_phases(
    shear: Any, travel_um: Any, path: OpticalPath, counts: tuple[int, int]
) -> tuple[Any, Any, Any]:
    """Return W(+) - W(-) at depth 0 and its slope in depth (both um), and the weights, flat."""
    plus, minus, weight = shear_nodes(shear, *counts)
    p2_plus, p2_minus = path.na**2 * plus.ravel(), path.na**2 * minus.ravel()
    fixed = wavefront_um(p2_plus, 0.0, travel_um, path) - wavefront_um(
        p2_minus, 0.0, travel_um, path
    )
    slope = slab_path(p2_plus, path.index) - slab_path(p2_minus, path.index)
    return fixed, slope, weight.ravel()


def _values(path: OpticalPath) -> dict[str, Any]:
    return {
        "na": path.na,
        "index": path.index,
        "wavelength_um": path.wavelength_um,
        "corrected_for_um": path.corrected_for_um,
        "excess_um": jnp.asarray(path.excess_um, dtype=jnp.float64),
        "excess_index": jnp.asarray(path.excess_index, dtype=jnp.float64),
        "immersion_index": path.immersion_index,
        "corrected_index": path.index if path.corrected_index is None else path.corrected_index,
        "camera_travel_um": path.camera_travel_um,
        "magnification": path.magnification,
        "radial_um": jnp.asarray(path.radial_um, dtype=jnp.float64),
    }


def phase_ranges_rad(
    h: Array, depths_um: Array, travel_um: float, path: OpticalPath
) -> tuple[Array, Array]:
    """Return the phase to be resolved along and across the shear, per frequency, over all depths.

    Parameters
    ----------
    h : (F,) array
        Half shears in pupil radii.
    depths_um : (D,) array
        Depths of the emitters; the phase is linear in depth, so the extremes suffice.
    travel_um : float
        Stage travel.
    path : OpticalPath
        Lens and layers.

    Returns
    -------
    along, across : (F,) array
        Radians.
    """
    scale = 2.0 * np.pi / float(path.wavelength_um)
    shear = np.minimum(h, 1.0)[:, None, None]
    t = np.arccos(shear) * np.linspace(0.0, 1.0, 15)[None, :, None]
    y2 = (np.sin(t) * np.linspace(0.0, 1.0, 6)[None, None, :]) ** 2
    plus, minus = np.cos(t) ** 2 + y2, (np.cos(t) - 2.0 * shear) ** 2 + y2
    along, across = np.zeros(h.shape), np.zeros(h.shape)
    for depth in (float(depths_um.min()), float(depths_um.max())):
        w_plus, w_minus = (
            np.asarray(wavefront_um(path.na**2 * rho2, depth, travel_um, path))
            for rho2 in (plus, minus)
        )
        phase = scale * (w_plus - w_minus)
        along = np.maximum(along, np.ptp(phase, axis=1).max(axis=1))
        across = np.maximum(across, np.ptp(phase, axis=2).max(axis=1))
    return along, across


_NODE_STEPS = np.array([16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072])
"""Node counts in use: few, since each pair is compiled once."""


def nodes_for(phase_rad: Array) -> NDArray[np.int64]:
    """Return the Gauss-Legendre nodes that resolve a phase range, rounded up to a few steps.

    Raises
    ------
    SamplingError
        If more nodes than the largest step would be needed (defocus of thousands of waves).
    """
    wanted = _BASE_NODES + _NODES_PER_RADIAN * np.asarray(phase_rad)
    if wanted.size and wanted.max() > _NODE_STEPS[-1]:
        raise SamplingError(
            f"the wavefront spans {float(np.max(phase_rad)) / (2 * np.pi):.0f} waves across the "
            f"pupil; at most {int((_NODE_STEPS[-1] - _BASE_NODES) / _NODES_PER_RADIAN / 6.2832)} "
            "can be resolved. Use a thinner plate, a smaller NA or a focus nearer to the plate."
        )
    return _NODE_STEPS[np.searchsorted(_NODE_STEPS, wanted)]


def otf(
    frequency_cy_per_um: Any,
    depth_below_exit_um: Any,
    travel_um: Any,
    path: OpticalPath,
    counts: tuple[int, int] | None = None,
    pupil: Pupil = SCALAR,
) -> Any:
    """Return H(f) of emitters at several depths.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Object-side frequencies; H = 0 from the cut-off on.
    depth_below_exit_um : (D,) array
        s of the emitters.
    travel_um : float
        Stage travel a.
    path : OpticalPath
        Lens and layers.
    counts : (int, int), optional
        Nodes along and across the shear, for every frequency. By default chosen per frequency
        from the phase to be resolved, on plain numbers: give them when differentiating.
    pupil : Pupil
        Scalar or vectorial, apodisation, axially symmetric aberrations; no obstruction.

    Returns
    -------
    (D, F) array
        Real, H(0) = 1.

    Raises
    ------
    InputError
        Central obstruction, or aberrations without axial symmetry: `pupil_otf.otf_2d`, `psf_fft`.

    References
    ----------
    Hopkins 1955, Proc. R. Soc. A 231, 91 (module equation).
    """
    if pupil.aberrations.obstruction:
        raise InputError(
            "an obstructed pupil has no smooth overlap: use psf_fft or radial_psf for its image."
        )
    path = with_aberrations(path, pupil)
    frequency = jnp.asarray(frequency_cy_per_um, dtype=jnp.float64)
    depths = jnp.asarray(depth_below_exit_um, dtype=jnp.float64)
    h = frequency * path.wavelength_um / (2.0 * path.na)
    if counts is not None:
        return _otf_block(h, depths, travel_um, _values(path), counts, pupil).T
    plain, plain_depths = np.asarray(h), np.asarray(depths)
    along, across = phase_ranges_rad(plain, plain_depths, float(travel_um), path)
    along_nodes, across_nodes = nodes_for(along), nodes_for(across)
    result = np.empty((depths.size, plain.size))
    for high in np.unique(along_nodes):
        chosen = np.flatnonzero(along_nodes == high)
        counts = (int(high), max(int(across_nodes[chosen].max()), int(high) // 4))
        values = _otf_in_blocks(plain[chosen], plain_depths, float(travel_um), path, counts, pupil)
        result[:, chosen] = values.T
    return jnp.asarray(result)
