r"""Incoherent transfer functions of a defocused, aberrated circular pupil.

The optical transfer function is the autocorrelation of the pupil (Hopkins 1955, Proc. R. Soc.
A 231, 91):

.. math:: H(f) = \frac{1}{\pi} \iint_{\rm overlap} \exp\{i k [W(+) - W(-)]\}\, dx\, dy

over the overlap of two unit circles whose centres are 2 h apart, h = f lambda / (2 NA). For an
axially symmetric wavefront it is real and one quarter of the overlap suffices. With the shear along
x and x + h = cos t the quarter is 0 <= t <= acos h, 0 <= y <= sin t and the integrand is smooth, so
that Gauss-Legendre nodes converge exponentially. Defocus makes the phase run along x only, up to
terms beyond the paraxial ones, so that few nodes serve along y. Plain numbers are computed in numpy
(`otf_numbers`), differentiable in ``jax.numpy`` where node counts are given.

Apodised and vectorial pupils weight each pair of points with the product of their amplitudes; for
isotropic dipoles, summed over orientations, in the notation of `pupil` with Delta the angle between
the two points as seen from the axis,

.. math:: G = \tfrac12 A_0 A_0' + \tfrac12 A_2 A_2' \cos 2\Delta + A_1 A_1' \cos\Delta
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.jax64 import namespace
from scintscope.optics.otf_numbers import otf_of_numbers
from scintscope.optics.pupil import SCALAR, Pupil, with_aberrations
from scintscope.optics.shear import (
    nodes_for,
    pair_weight,
    phase_ranges_rad,
    shear_nodes,
    shear_phases,
    shear_weights,
)
from scintscope.optics.wavefront import OpticalPath

Array = NDArray[np.float64]

__all__ = [
    "diffraction_limited_mtf",
    "nodes_for",
    "otf",
    "pair_weight",
    "phase_ranges_rad",
    "shear_nodes",
]


def diffraction_limited_mtf(normalised_frequency: Any) -> Any:
    """Return (2/pi) (acos v - v sqrt(1 - v^2)), v = f / cut-off (Goodman 2005, Eq. 6-31)."""
    xp = namespace(normalised_frequency)
    v = xp.clip(normalised_frequency, 0.0, 1.0)
    return 2.0 / np.pi * (xp.arccos(v) - v * xp.sqrt(1.0 - v**2))


def _otf_block(
    h: Any,
    depths_um: Any,
    travel_um: Any,
    path_values: Any,
    counts: tuple[int, int],
    pupil: Pupil = SCALAR,
) -> Any:
    from scintscope.jax64 import jax, jnp

    path = OpticalPath(**path_values)
    scale = 2.0 * jnp.pi / path.wavelength_um

    uniform = pupil.model == "scalar" and pupil.aberrations.apodisation == "none"
    energy = 1.0 if uniform else shear_weights(jnp.zeros(()), path, counts, pupil).sum()

    def one(shear: Any) -> Any:
        fixed, slope, weight = shear_phases(shear, travel_um, path, counts)
        if not uniform:
            weight = shear_weights(shear, path, counts, pupil) / energy
        phase = scale * (fixed[None, :] + depths_um[:, None] * slope[None, :])
        return jnp.cos(phase) @ weight

    return jax.lax.map(one, h)


@lru_cache(maxsize=1)
def _compiled() -> Any:
    from scintscope.jax64 import jax

    return jax.jit(_otf_block, static_argnames=("counts", "pupil"))


def _values(path: OpticalPath) -> dict[str, Any]:
    from scintscope.jax64 import jnp

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
    if counts is None:
        return otf_of_numbers(
            np.asarray(frequency_cy_per_um, dtype=np.float64),
            np.asarray(depth_below_exit_um, dtype=np.float64),
            float(travel_um),
            path,
            pupil,
        )
    from scintscope.jax64 import jnp

    frequency = jnp.asarray(frequency_cy_per_um, dtype=jnp.float64)
    depths = jnp.asarray(depth_below_exit_um, dtype=jnp.float64)
    h = frequency * path.wavelength_um / (2.0 * path.na)
    return _compiled()(h, depths, travel_um, _values(path), counts, pupil).T
