"""Transfer functions of many depths on plain numbers.

At one frequency H(f, s) = Re sum_i w_i exp i k (a_i + s b_i), with a_i the phase at the middle
depth and b_i its slope: band-limited in s, its highest frequency k max|b_i|. Few depths are summed
as they stand. For many, H is computed on equidistant depths, three times as dense as its band
asks for, and read between them by a Kaiser-windowed sinc. There exp(i k s b) of a grid of n1 n2
depths is a product of n1 and n2 factors, so that the sum is a matrix product and two exponentials
per pupil node are taken, whatever the number of depths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.optics.pupil import Pupil
from scintscope.optics.shear import nodes_for, phase_ranges_rad, shear_phases, shear_weights
from scintscope.optics.wavefront import OpticalPath
from scintscope.sharing import share
from scintscope.threads import POOL_THREADS

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_THREADS = POOL_THREADS
_BLOCK_NODES = 1 << 13
"""Pupil nodes of all frequencies worked on together: their factors stay in the cache."""

_OVERSAMPLING = 3.0
_HALF_WIDTH = 15
_KAISER = float(np.pi * _HALF_WIDTH * (1.0 - 1.0 / _OVERSAMPLING))
"""exp(-this) = 2e-14 is what the window leaves of the aliases."""


def otf_of_numbers(
    frequency_cy_per_um: Array,
    depth_below_exit_um: Array,
    travel_um: float,
    path: OpticalPath,
    pupil: Pupil,
) -> Array:
    """Return H(f) of emitters at several depths, (D, F); see `otf.otf`.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Object-side frequencies.
    depth_below_exit_um : (D,) array
        s of the emitters.
    travel_um : float
        Stage travel.
    path : OpticalPath
        Lens and layers, aberrations included.
    pupil : Pupil
        Scalar or vectorial, apodisation.
    """
    depths = np.atleast_1d(depth_below_exit_um)
    h = np.atleast_1d(frequency_cy_per_um) * path.wavelength_um / (2.0 * path.na)
    along, across = phase_ranges_rad(h, depths, travel_um, path)
    along_nodes, across_nodes = nodes_for(along), nodes_for(across)
    result = np.zeros((depths.size, h.size))
    jobs: list[tuple[NDArray[np.intp], tuple[int, int], _DepthGrid | None]] = []
    for high in np.unique(along_nodes):
        chosen = np.flatnonzero((along_nodes == high) & (h < 1.0))
        if not chosen.size:
            continue
        counts = (int(high), int(across_nodes[chosen].max()))
        grid = _depth_grid(depths, h[chosen], path)
        step = max(1, _BLOCK_NODES // (counts[0] * counts[1]))
        jobs += [(chosen[i : i + step], counts, grid) for i in range(0, chosen.size, step)]

    def block(job: tuple[NDArray[np.intp], tuple[int, int], _DepthGrid | None]) -> None:
        part, counts, grid = job
        result[:, part] = _block(h[part], depths, travel_um, path, counts, pupil, grid)

    share(block, jobs, _THREADS)
    return result


@dataclass(frozen=True, slots=True)
class _DepthGrid:
    """Equidistant depths, coarse steps times fine ones, and how other depths are read from them."""

    start: float
    spacing: float
    coarse: int
    fine: int
    reading: Array


def _depth_grid(depths: Array, h: Array, path: OpticalPath) -> _DepthGrid | None:
    """Return the grid that serves some frequencies; None where there are too few depths.

    The phase's slope in depth is at most k NA^2 4 h (1 - h) over twice the least sqrt(n^2 - p^2).
    """
    na, k = float(path.na), 2.0 * np.pi / float(path.wavelength_um)
    least = float(np.sqrt(path.index**2 - na**2))
    band = k * na**2 * float((4.0 * h * (1.0 - h)).max()) / (2.0 * least)
    low, high = float(depths.min()), float(depths.max())
    spacing = np.pi / (_OVERSAMPLING * band) if band > 0.0 else high - low + 1.0
    count = int(np.ceil((high - low) / spacing)) + 2 * _HALF_WIDTH + 1
    fine = int(np.ceil(np.sqrt(count)))
    coarse = -(-count // fine)
    if depths.size <= coarse + fine:
        return None
    start = low - _HALF_WIDTH * spacing
    return _DepthGrid(start, spacing, coarse, fine, _reading(depths, start, spacing, coarse * fine))


def _block(
    h: Array,
    depths: Array,
    travel_um: float,
    path: OpticalPath,
    counts: tuple[int, int],
    pupil: Pupil,
    grid: _DepthGrid | None = None,
) -> Array:
    """Return H of frequencies that take the same nodes, (D, B)."""
    k = 2.0 * np.pi / float(path.wavelength_um)
    fixed, slope, weight = shear_phases(h, travel_um, path, counts)
    if pupil.model != "scalar" or pupil.aberrations.apodisation != "none":
        energy = shear_weights(np.zeros(()), path, counts, pupil).sum()
        weight = shear_weights(h, path, counts, pupil) / energy
    if grid is None:
        phase = k * fixed
        return np.stack(
            [np.einsum("bn,bn->b", np.cos(phase + (k * s) * slope), weight) for s in depths]
        )
    turn = np.exp(1j * (k * grid.spacing) * slope)
    fine = _powers(np.ones_like(turn), turn, grid.fine)
    start = weight * np.exp(1j * k * (fixed + grid.start * slope))
    coarse = _powers(start, fine[:, -1] * turn, grid.coarse)
    # Re(x y) of complex factors as one real product: (Re x, -Im x) and (Re y, Im y) side by side
    np.conj(coarse, out=coarse)
    left, right = (x.view(np.float64) for x in (coarse, fine))
    values = np.matmul(left, right.transpose(0, 2, 1)).reshape(h.size, -1)
    return np.asarray(grid.reading @ values.T)


def _powers(first: Complex, turn: Complex, count: int) -> Complex:
    """Return first * turn**j, j = 0 ..., (B, count, nodes), by repeated products."""
    result = np.empty((turn.shape[0], count, turn.shape[1]), dtype=complex)
    result[:, 0] = first
    for j in range(1, count):
        np.multiply(result[:, j - 1], turn, out=result[:, j])
    return result


def _reading(depths: Array, start: float, spacing: float, count: int) -> Array:
    """Return the matrix that takes values on the grid to depths, (D, grid)."""
    away = (depths[:, None] - start) / spacing - np.arange(count)
    inside = np.clip(1.0 - (away / _HALF_WIDTH) ** 2, 0.0, None)
    window = np.i0(_KAISER * np.sqrt(inside)) / np.i0(_KAISER)
    weights = np.where(inside > 0.0, np.sinc(away) * window, 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))  # what is level stays so
