"""Pupils sampled in two dimensions: nodes, sampling limits, amplitudes, gridding for the FFT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import SamplingError
from scintscope.optics.aberrations import Aberrations, aberration_um, amplitude_map, load_map
from scintscope.optics.pupil import Pupil, dipole_factors, scalar_amplitude
from scintscope.optics.wavefront import OpticalPath, wavefront_um
from scintscope.quadrature import unit_nodes

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

MAX_SIZE = 4096
"""Largest grid along an axis."""

MAX_NODES = 4_000_000
"""Most nodes over the pupil."""

_PROBE = 193
_WIDTH = 9
"""Cells over which the gridding kernel spreads a node; its error is about 10^(1 - width)."""
_BETA = 2.30 * _WIDTH


@dataclass(frozen=True, kw_only=True, slots=True)
class PupilPoints:
    """Quadrature nodes over the open part of the stop.

    Parameters
    ----------
    x, y : (P,) array
        Column and row coordinate from the axis, pupil radii.
    weight : (P,) array
        Area per node, pupil radii squared; sums to pi (1 - obstruction^2).
    """

    x: Array
    y: Array
    weight: Array


def pupil_points(radial: int, azimuthal: int, aberrations: Aberrations) -> PupilPoints:
    """Return Gauss-Legendre nodes in rho^2 times equal angles about the centre of the stop.

    Both converge geometrically for smooth pupils; the edge of the stop is no discontinuity here.

    Parameters
    ----------
    radial, azimuthal : int
        Nodes.
    aberrations : Aberrations
        Obstruction and decentre.
    """
    low = aberrations.obstruction**2
    unit, share = unit_nodes(radial)
    rho = np.sqrt(low + (1.0 - low) * unit)
    phi = 2.0 * np.pi * (np.arange(azimuthal) + 0.5) / azimuthal
    row, column = aberrations.decentre
    area = np.repeat(np.pi * (1.0 - low) * share / azimuthal, azimuthal)
    return PupilPoints(
        x=(column + rho[:, None] * np.cos(phi)).ravel(),
        y=(row + rho[:, None] * np.sin(phi)).ravel(),
        weight=area,
    )


def node_counts(phase_rad: float, aberrations: Aberrations) -> tuple[int, int]:
    """Return radial and azimuthal nodes for a phase slope of so many radians per pupil radius.

    J_n(x) and the Gauss-Legendre error of exp(i x rho) fall faster than geometrically once n
    exceeds x, and N a quarter of it; a measured map has at least its own samples.

    Raises
    ------
    SamplingError
        If more than `MAX_NODES` would be needed.
    """
    radial = int(np.ceil(0.3 * phase_rad + 4.0 * np.cbrt(phase_rad))) + 16
    azimuthal = int(np.ceil(1.05 * phase_rad + 8.0 * np.cbrt(phase_rad))) + 24
    for file in (aberrations.map_file, aberrations.amplitude_file):
        if file:
            side = max(load_map(file).shape)
            radial, azimuthal = max(radial, side), max(azimuthal, 4 * side)
    if radial * azimuthal > MAX_NODES:
        raise SamplingError(
            f"this pupil needs {radial} x {azimuthal} nodes, more than {MAX_NODES}: use the radial "
            "engine (psf_radial) if the system is axially symmetric, a smaller window, less "
            "defocus or a smaller NA."
        )
    return radial, azimuthal


def pupil_path_um(
    x: Any,
    y: Any,
    depth_um: float,
    travel_um: float,
    path: OpticalPath,
    aberrations: Aberrations,
    field_point: tuple[float, float] = (0.0, 0.0),
) -> Array:
    """Return W of layers, stage and lens together on pupil points (column x, row y), um."""
    layers = wavefront_um(path.na**2 * (x * x + y * y), depth_um, travel_um, path)
    lens = aberration_um(x, y, aberrations, path.wavelength_um, field_point)
    return np.asarray(layers + lens)


def pupil_amplitudes(
    points: PupilPoints, path: OpticalPath, pupil: Pupil
) -> tuple[tuple[float, Array], ...]:
    """Return (weight, amplitude) of the incoherent, coherent-by-itself fields on the points.

    Scalar: one. Vectorial: the five distinct ones of three dipoles (x: Ex, Ey; y: Ey, its Ex is
    x's Ey; z: Ex, Ey), in the notation of `pupil`.
    """
    rho2 = points.x**2 + points.y**2
    p2 = path.na**2 * rho2
    shade = amplitude_map(points.x, points.y, pupil.aberrations)
    if pupil.model == "scalar":
        return ((1.0, np.asarray(shade * scalar_amplitude(p2, path, pupil.aberrations))),)
    s, across, along = (shade * factor for factor in dipole_factors(p2, path, pupil))
    radius = np.sqrt(np.where(rho2 > 0.0, rho2, 1.0))
    cosine, sine = points.x / radius, points.y / radius
    cosine = np.where(rho2 > 0.0, cosine, 1.0)
    return (
        (1.0, across * cosine**2 + s * sine**2),
        (1.0, across * sine**2 + s * cosine**2),
        (2.0, (across - s) * sine * cosine),
        (1.0, along * cosine),
        (1.0, along * sine),
    )


def ray_reach_um(
    depth_um: float,
    travel_um: float,
    path: OpticalPath,
    aberrations: Aberrations,
    field_point: tuple[float, float] = (0.0, 0.0),
) -> float:
    """Return how far rays land from the axis along row or column, max |dW/dp|, um."""
    axis = np.linspace(-1.0, 1.0, _PROBE)
    row, column = aberrations.decentre
    y, x = np.meshgrid(axis + row, axis + column, indexing="ij")
    blocked = np.hypot(x - column, y - row) > 1.0
    w = pupil_path_um(
        np.where(blocked, column, x),
        np.where(blocked, row, y),
        depth_um,
        travel_um,
        path,
        aberrations,
        field_point,
    )
    w = np.where(blocked, np.nan, w)
    step = path.na * (axis[1] - axis[0])
    return float(max(np.nanmax(np.abs(np.diff(w, axis=a))) for a in (0, 1)) / step)


def check_size(size: int | None, needed: int) -> int:
    """Return the grid size to use, the given one or the next fast one.

    Raises
    ------
    SamplingError
        If the given one is too small, or more than `MAX_SIZE` is needed.
    """
    from scipy.fft import next_fast_len

    if needed > MAX_SIZE:
        raise SamplingError(
            f"this window needs a grid of {needed} x {needed}, more than {MAX_SIZE} x {MAX_SIZE}: "
            "use the radial engine (psf_radial) if the system is axially symmetric, or a smaller "
            "window."
        )
    if size is None:
        return min(int(next_fast_len(needed)), MAX_SIZE)
    if size < needed:
        raise SamplingError(
            f"size = {size} undersamples the pupil: this window needs at least {needed}. Leave "
            "size out to have it chosen."
        )
    if size > MAX_SIZE:
        raise SamplingError(f"size = {size} exceeds {MAX_SIZE}.")
    return size


def spread(points: PupilPoints, radius_cells: float, values: Complex, size: int) -> Complex:
    """Return values at pupil nodes spread onto a periodic grid, for a non-uniform FFT.

    The kernel exp(beta (sqrt(1 - z^2) - 1)) of Barnett, Magland and af Klinteberg 2019, SIAM J.
    Sci. Comput. 41, C479, Eq. 1.8; `spread_correction` undoes it in the image.

    Parameters
    ----------
    points : PupilPoints
        Nodes.
    radius_cells : float
        Pupil radius in cells.
    values : (P,) array
        Complex.
    size : int
        Cells along an axis; the axis of the pupil is at [0, 0].
    """
    row, row_share = _shares(points.y * radius_cells)
    column, column_share = _shares(points.x * radius_cells)
    real, imaginary = np.zeros(size * size), np.zeros(size * size)
    for i in range(_WIDTH):
        start = ((row + i) % size) * size
        for j in range(_WIDTH):
            place = start + (column + j) % size
            both = row_share[i] * column_share[j] * values
            real += np.bincount(place, both.real, size * size)
            imaginary += np.bincount(place, both.imag, size * size)
    return (real + 1j * imaginary).reshape(size, size)


def _shares(position: Array) -> tuple[NDArray[np.int64], Array]:
    first = np.ceil(position - 0.5 * _WIDTH).astype(np.int64)
    z = (first[None, :] + np.arange(_WIDTH)[:, None] - position[None, :]) * (2.0 / _WIDTH)
    return first, _kernel(z)


def _kernel(z: Array) -> Array:
    inside = np.abs(z) < 1.0
    root = np.sqrt(np.where(inside, 1.0 - z**2, 0.0))
    return np.where(inside, np.exp(_BETA * (root - 1.0)), 0.0)


@lru_cache(maxsize=8)
def spread_correction(size: int) -> Array:
    """Return the transform of the gridding kernel at image samples, FFT order.

    Reliable for the inner half of the image only, |sample| <= size / 4.
    """
    nodes, weights = np.polynomial.legendre.leggauss(64)
    frequency = np.fft.fftfreq(size)
    phase = np.pi * _WIDTH * frequency[:, None] * nodes[None, :]
    return np.asarray(np.cos(phase) @ (weights * _kernel(nodes)) * (0.5 * _WIDTH))
