r"""Transfer function of any unobstructed pupil by quadrature over the overlap, no grid.

.. math:: H(f) = \frac{1}{E} \iint_{\rm overlap} G\, e^{i k [W(p_+) - W(p_-)]}\, d^2p,\qquad
          p_\pm = p \pm \lambda f / 2

(Hopkins 1955, Proc. R. Soc. A 231, 91), G the amplitudes' product (`otf.pair_weight`), E its value
at f = 0. The order of the difference makes H the transform int h(x) exp(-2 pi i f x) dx of the
image that `psf_fft` gives. With the shear along u, the half overlap beyond the line between the
centres is u = cos t - h, v = y sin t, 0 <= t <= acos h, -1 <= y <= 1: smooth, so that
Gauss-Legendre nodes converge exponentially, H(0) = 1 to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.optics.aberrations import amplitude_map
from scintscope.optics.pupil import SCALAR, Pupil, scalar_amplitude
from scintscope.optics.pupil_grid import pupil_path_um
from scintscope.optics.radial_nodes import check_aperture, plain_path
from scintscope.optics.shear import nodes_for, pair_weight
from scintscope.optics.wavefront import OpticalPath

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_PROBE = 48


def otf_2d(
    frequency_row_cy_per_um: Any,
    frequency_column_cy_per_um: Any,
    depth_below_exit_um: float,
    travel_um: float,
    path: OpticalPath,
    *,
    pupil: Pupil = SCALAR,
    field_point: tuple[float, float] = (0.0, 0.0),
) -> Complex:
    """Return H of one emitter at 2-D frequencies (module equation).

    Parameters
    ----------
    frequency_row_cy_per_um, frequency_column_cy_per_um : (F,) array
        Components of the frequencies along rows' and columns' index, object side.
    depth_below_exit_um, travel_um : float
        Emitter and stage.
    path : OpticalPath
        Lens and layers.
    pupil : Pupil
        Model and aberrations. A decentred stop is allowed in the scalar model.
    field_point : (float, float)
        Row and column of the field point over the field's edge, for Seidel terms.

    Returns
    -------
    (F,) complex array
        0 from the cut-off on.

    Raises
    ------
    InputError
        Central obstruction, or a decentred stop in the vectorial model.
    SamplingError
        A phase of thousands of waves.
    """
    path = plain_path(path)
    check_aperture(path, pupil.aberrations.decentre)
    lens = pupil.aberrations
    if lens.obstruction:
        raise InputError("an obstructed pupil has no smooth overlap: use psf_fft for its image.")
    if pupil.model == "vectorial" and any(lens.decentre):
        raise InputError("otf_2d takes a decentred stop in the scalar model only: use psf_fft.")

    def waves(x: Any, y: Any) -> Array:
        w = pupil_path_um(x, y, depth_below_exit_um, travel_um, path, lens, field_point)
        return np.asarray(w / path.wavelength_um)

    rows, columns = np.broadcast_arrays(
        np.atleast_1d(np.asarray(frequency_row_cy_per_um, dtype=np.float64)),
        np.atleast_1d(np.asarray(frequency_column_cy_per_um, dtype=np.float64)),
    )
    found = [
        _at(float(row), float(column), waves, path, pupil)
        for row, column in zip(rows, columns, strict=True)
    ]
    return np.asarray(found, dtype=np.complex128)


def _at(row: float, column: float, waves: Any, path: OpticalPath, pupil: Pupil) -> complex:
    f = float(np.hypot(row, column))
    h = 0.5 * f * path.wavelength_um / path.na
    if h >= 1.0:
        return 0.0
    turn = (column / f, row / f) if f else (1.0, 0.0)
    probe = _phase(h, turn, waves, pupil, (_PROBE, _PROBE))[0]
    counts = nodes_for(2.0 * np.pi * np.array([np.ptp(probe, axis=a).max() for a in (0, 1)]))
    along, across = (int(max(n, 32)) for n in counts)
    difference, plus, minus, weight = _phase(h, turn, waves, pupil, (along, across))
    pair = _pair(plus, minus, h, path, pupil)
    _, plus_0, minus_0, weight_0 = _phase(0.0, turn, waves, pupil, (64, 64))
    energy = np.sum(weight_0 * _pair(plus_0, minus_0, 0.0, path, pupil))
    total: complex = np.sum(weight * pair * np.exp(2j * np.pi * difference)) / energy
    return total


def _phase(
    h: float, turn: tuple[float, float], waves: Any, pupil: Pupil, counts: tuple[int, int]
) -> tuple[Array, tuple[Array, Array], tuple[Array, Array], Array]:
    """Return W(+) - W(-) in waves, both points from the axis, and area, over the whole overlap."""
    cosine, sine = turn
    nodes_t, weights_t = np.polynomial.legendre.leggauss(counts[0])
    v_unit, weights_v = np.polynomial.legendre.leggauss(counts[1])
    top = np.arccos(h)
    t = 0.5 * top * (1.0 + nodes_t)[:, None]
    v = np.sin(t) * v_unit[None, :]
    area = np.sin(t) ** 2 * (0.5 * top * weights_t)[:, None] * weights_v[None, :]
    u = np.cos(t) - h + 0.0 * v
    u, v = np.concatenate([-u[::-1], u]), np.concatenate([v[::-1], v])
    row, column = pupil.aberrations.decentre

    def point(shift: float) -> tuple[Array, Array]:
        return column + cosine * (u + shift) - sine * v, row + sine * (u + shift) + cosine * v

    plus, minus = point(h), point(-h)
    return waves(*plus) - waves(*minus), plus, minus, np.concatenate([area[::-1], area])


def _pair(
    plus: tuple[Array, Array],
    minus: tuple[Array, Array],
    h: float,
    path: OpticalPath,
    pupil: Pupil,
) -> Array:
    rho2 = [x * x + y * y for x, y in (plus, minus)]
    first, second = (amplitude_map(*point, pupil.aberrations) for point in (plus, minus))
    shade = first * second
    if pupil.model == "scalar":
        first, second = (scalar_amplitude(path.na**2 * r, path, pupil.aberrations) for r in rho2)
        return np.asarray(shade * first * second)
    return np.asarray(shade * pair_weight(rho2[0], rho2[1], h, path, pupil))
