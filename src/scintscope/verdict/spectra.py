"""Power spectra of a sample's transmissions: all that local errors need to know of it.

T_E(x), the transmission at every energy, is interpolated from a few energies,
T_E(x) = sum_j a_jE Y_j(x) (interpolative decomposition: Cheng et al. 2005, SIAM J. Sci. Comput. 26,
1389). What a linear blur does to any weighting of energies then follows from the cross-spectra of
the Y_j, summed over rings of frequency: fast ones from tapered tiles, each at its place, slow
ones, which a tile cannot hold, from the field as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.linalg import interpolative

from scintscope.forward.plane import Plane
from scintscope.forward.terms import sample_transmissions
from scintscope.grids import Grid, bin_mean
from scintscope.metrics import windows
from scintscope.sample.specimen import Specimen
from scintscope.sample.transmission import group_images
from scintscope.sharing import share
from scintscope.threads import POOL_THREADS

Array = NDArray[np.float64]

_TOLERANCE = 5e-4
_MOST_IMAGES = 6
_TILE = 512
"""Largest side of a tile, fine samples: the halo reaches over a few hundred micrometres."""
_TILES_A_SIDE = 3
_SLOW_PERIODS = 3.0
"""Waves with fewer periods in a tile than this are taken from the field as a whole."""
_WHOLE_SIDE = 512
_TAPER = 0.2
"""Share of the field's sides that is faded out; tiles overlap by half and fade all over."""
_POOLED = 8
_FIELD_LINE = 60
_RINGS = 64
_RING_POWER = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleSpectra:
    """Second-order statistics of a sample over the field.

    Parameters
    ----------
    frequency_cy_per_um : (K,) array
        Rings of frequency, the power's mean in each.
    radius_um, share : (B,) array
        Distance of places from the axis, and what share of the field each stands for.
    cross : (B, J, J, K) array
        Covariance of Y_i and Y_j by ring as the camera's square pixel sees them; the sum over
        all rings is the covariance over the field.
    transmissions : (S, J) array
        Y_j of sampled pixels.
    sampled : Specimen
        The sample, for other energies (`loadings`).
    """

    frequency_cy_per_um: Array
    radius_um: Array
    share: Array
    cross: Array
    transmissions: Array
    sampled: Specimen

    def loadings(self, mu_per_um: Mapping[str, Array]) -> Array:
        """Return a_jE of T_E = sum_j a_jE Y_j at any energies, by least squares, (J, E)."""
        wanted = sample_transmissions(self.sampled, mu_per_um)
        return np.asarray(np.linalg.lstsq(self.transmissions, wanted, rcond=1e-6)[0])


def sample_spectra(
    specimen: Specimen, mu_per_um: Mapping[str, Array], plane: Plane, *, thinned: int = 1
) -> SampleSpectra:
    """Return the spectra of a specimen over the camera's field.

    Parameters
    ----------
    specimen : Specimen
        On the plane's sample grid.
    mu_per_um : dict of str to (E,) array
        Attenuation of its materials.
    plane : Plane
        The simulation plane.
    thinned : int
        Every how manieth tile is used.
    """
    sampled = sample_transmissions(specimen, mu_per_um)
    size = np.linalg.norm(sampled, axis=0)
    rank, order, _ = interpolative.interp_decomp(sampled / size, _TOLERANCE, rand=False)
    chosen = np.sort(order[: min(rank, _MOST_IMAGES)])
    one_each = np.zeros((chosen.size, size.size))
    one_each[np.arange(chosen.size), chosen] = 1.0
    field = _field_of(specimen, plane)
    images = group_images(field, mu_per_um, one_each, workers=POOL_THREADS)
    corners, tile = _tiles(images.shape[1:], thinned)
    pitch = plane.fine.pixel_um
    rings = _Rings(Grid(shape=(tile, tile), pixel_um=pitch), plane.pixel_um, 0.5 / pitch, 1.0)
    whole = _whole_field(images, pitch, 0.5 / pitch)
    centre = 0.5 * (np.array(images.shape[1:]) - tile)
    radius = [pitch * float(np.hypot(r - centre[0], c - centre[1])) for r, c in corners]

    def at(corner: tuple[int, int]) -> Array:
        row, column = corner
        return rings.covariance(images[:, row : row + tile, column : column + tile])

    cross = share(at, corners)
    frequency = rings.frequency_cy_per_um
    slow = rings.edges < _SLOW_PERIODS / (tile * pitch)
    binned = _by_radius(np.array(radius), np.where(slow, whole.covariance_all, np.array(cross)))
    return SampleSpectra(
        frequency_cy_per_um=np.where(slow, whole.frequency_cy_per_um, frequency),
        radius_um=binned[0],
        share=binned[1],
        cross=binned[2],
        transmissions=sampled[:, chosen],
        sampled=specimen,
    )


def _by_radius(radius: Array, cross: Array) -> tuple[Array, Array, Array]:
    """Return tiles pooled in a few rings of as many tiles: rms radius, share, mean spectrum."""
    groups = np.array_split(np.argsort(radius, kind="stable"), min(_POOLED, radius.size))
    return (
        np.array([np.sqrt(np.mean(radius[g] ** 2)) for g in groups]),
        np.array([g.size / radius.size for g in groups]),
        np.array([cross[g].mean(axis=0) for g in groups]),
    )


def spread_over_field(spectra: SampleSpectra, half_side_um: float, places: int) -> SampleSpectra:
    """Return the same sample all over a square field: its mean spectrum at ``places`` radii."""
    line = (np.arange(_FIELD_LINE) + 0.5) / _FIELD_LINE
    every = half_side_um * np.hypot(line[:, None], line[None, :]).ravel()
    mean = np.tensordot(spectra.share, spectra.cross, axes=1)
    groups = np.array_split(np.sort(every), places)
    radius = np.array([np.sqrt(np.mean(g**2)) for g in groups])
    share = np.array([g.size / every.size for g in groups])
    return SampleSpectra(
        frequency_cy_per_um=spectra.frequency_cy_per_um,
        radius_um=radius,
        share=share,
        cross=np.broadcast_to(mean, (radius.size, *mean.shape)),
        transmissions=spectra.transmissions,
        sampled=spectra.sampled,
    )


def _field_of(specimen: Specimen, plane: Plane) -> Specimen:
    """Return the part of a specimen that the camera's field shows."""
    cuts = []
    for have, want in zip(plane.fine.shape, plane.camera_shape, strict=True):
        first = (have - want * plane.oversampling) // 2
        cuts.append(slice(first, first + want * plane.oversampling))
    maps = {name: t[cuts[0], cuts[1]] for name, t in specimen.thickness_um.items()}
    return Specimen(thickness_um=maps, pixel_um=specimen.pixel_um)


def _tiles(shape: tuple[int, ...], thinned: int) -> tuple[list[tuple[int, int]], int]:
    """Return corners of tiles that cover a field, and their side; every ``thinned``-th kept."""
    tile = min(_TILE, -(-min(shape) // _TILES_A_SIDE))
    starts = [np.linspace(0, n - tile, 2 * -(-n // tile) - 1).astype(int) for n in shape]
    corners = [(int(r), int(c)) for r in starts[0] for c in starts[1]]
    return corners[thinned // 2 :: thinned], tile


class _Rings:
    """Windowed covariance of a few images by ring of frequency."""

    def __init__(self, grid: Grid, pixel_um: float, top_cy_per_um: float, taper: float) -> None:
        self._window = np.outer(*(windows.tukey(n, taper) for n in grid.shape))
        self._window2 = self._window.ravel() ** 2
        norm = float(np.sum(self._window2) * np.prod(grid.shape))
        f = grid.radial_frequency_cy_per_um()
        rows, columns = grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um
        aperture = [np.sinc(v * pixel_um) / np.sinc(v * grid.pixel_um) for v in (rows, columns)]
        twice = np.full(columns.size, 2.0)
        twice[0] = 1.0
        if grid.shape[1] % 2 == 0:
            twice[-1] = 1.0
        weight = np.outer(aperture[0], aperture[1]) ** 2 * twice / norm
        edges = np.sqrt(2.0) * top_cy_per_um * np.linspace(0.0, 1.0, _RINGS + 1) ** _RING_POWER
        ring = np.clip(np.digitize(f.ravel(), edges) - 1, 0, _RINGS - 1)
        count = np.bincount(ring, minlength=_RINGS)
        mean = np.bincount(ring, weights=f.ravel(), minlength=_RINGS) / np.maximum(count, 1)
        self.edges = edges[1:]
        self.frequency_cy_per_um = np.where(count > 0, mean, 0.5 * (edges[1:] + edges[:-1]))
        self._order = np.argsort(ring, kind="stable")
        self._root = np.sqrt(weight.ravel()[self._order])
        self._ends = np.concatenate([[0], 2 * np.cumsum(count)])

    def covariance(self, images: NDArray[Any]) -> Array:
        """Return (J, J, K) covariance by ring, images' windowed means taken off.

        A ring's covariance is the product of its spectra with themselves, real and imaginary
        parts side by side.
        """
        part = images.astype(np.float64)
        flat = part.reshape(part.shape[0], -1)
        mean = flat @ self._window2 / self._window2.sum()
        part -= mean[:, None, None]
        part *= self._window
        spectra = fft.rfft2(part, workers=1).reshape(part.shape[0], -1)
        rings = np.take(spectra, self._order, axis=1)
        rings *= self._root
        parts = rings.view(np.float64)
        result = np.empty((part.shape[0], part.shape[0], _RINGS))
        for k, (first, last) in enumerate(pairwise(self._ends)):
            ring = parts[:, first:last]
            result[:, :, k] = ring @ ring.T
        return result


@dataclass(frozen=True, slots=True)
class _Whole:
    """Rings of the field as a whole."""

    frequency_cy_per_um: Array
    covariance_all: Array


def _whole_field(images: NDArray[Any], pitch_um: float, top_cy_per_um: float) -> _Whole:
    """Return the covariance by ring of images binned to a few hundred samples a side."""
    factor = max(1, max(images.shape[1:]) // _WHOLE_SIDE)
    rows, columns = (n // factor * factor for n in images.shape[1:])
    binned = bin_mean(images[:, :rows, :columns], factor)
    grid = Grid(shape=binned.shape[1:], pixel_um=pitch_um * factor)
    rings = _Rings(grid, grid.pixel_um, top_cy_per_um, _TAPER)
    return _Whole(rings.frequency_cy_per_um, rings.covariance(binned))
