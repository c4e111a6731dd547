"""Enlarging an image about the optical axis by separable cubic splines.

Rescaling about the centre is separable: each output row is a combination of four input rows, each
column of four columns (Unser 1999, IEEE Signal Process. Mag. 16(6), 22). Type is preserved. With a
scale near one the four neighbours lie at one and the same distance over long stretches of an axis,
so that sums of shifted pieces do the work, on tiles of rows that stay in the cache. Tiles depend on
the shape only, never on the threads: neither do the bits.

Whoever transforms the enlarged image can leave out the spline's prefilter, which is a division by
b(f) = (2 + cos 2 pi f) / 3 along either axis before enlarging, and divide the transform by b(m f)
(`spline_transfer`): the same up to the aliases of the interpolation, a few per cent of what it
leaves at high frequencies, times m - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scintscope.sharing import share_pieces
from scintscope.threads import POOL_THREADS

FloatImage = NDArray[Any]

WORKERS = POOL_THREADS
_TILE_BYTES = 1 << 18
_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of output samples whose first neighbour lies at one distance.

    Parameters
    ----------
    first, last : int
        Output samples.
    neighbour : int
        Where the first of the four neighbours of ``first`` lies in the extended axis.
    """

    first: int
    last: int
    neighbour: int


@dataclass(frozen=True, slots=True)
class _Axis:
    """How one axis is scaled: four weights a sample, (4, count), stretches, mirrored margin."""

    weights: FloatImage
    stretches: tuple[_Stretch, ...]
    before: int
    after: int


def spline_coefficients(image: FloatImage) -> FloatImage:
    """Return the cubic B-spline coefficients of an image, mirrored at its edges."""
    result = np.empty_like(image)
    rows, columns = image.shape

    def along(axis: int, source: FloatImage, first: int, last: int) -> None:
        part = (slice(first, last), slice(None)) if axis else (slice(None), slice(first, last))
        ndimage.spline_filter1d(
            source[part], order=3, axis=axis, output=result[part], mode="mirror"
        )

    share_pieces(
        lambda first, last: along(0, image, first, last), columns, -(-columns // _BLOCKS), WORKERS
    )
    share_pieces(
        lambda first, last: along(1, result, first, last), rows, -(-rows // _BLOCKS), WORKERS
    )
    return result


def scale_about_centre(coefficients: FloatImage, scale: float) -> FloatImage:
    """Return the image enlarged ``scale`` times about its centre: out(x) = in(x / scale).

    Parameters
    ----------
    coefficients : (M, N) array
        From `spline_coefficients`; or the image itself, if the transform is corrected afterwards
        by `spline_transfer`.
    scale : float
        Close to 1; what comes from beyond the edges is mirrored.

    Returns
    -------
    (M, N) array
        Same type.
    """
    rows, columns = coefficients.shape
    down = _axis(rows, scale, coefficients.dtype)
    across = _axis(columns, scale, coefficients.dtype)
    result = np.empty_like(coefficients)
    step = max(4, _TILE_BYTES // (columns * coefficients.itemsize))
    extended = np.arange(-down.before, rows + down.after)
    place = _mirrored(extended, rows)

    def one(first: int, last: int) -> None:
        mixed = np.empty((last - first, columns), dtype=coefficients.dtype)
        for stretch in _within(down.stretches, first, last):
            at = down.before + stretch.neighbour
            need = place[at : at + stretch.last - stretch.first + 3]
            source = _rows_of(coefficients, need)
            weights = down.weights[:, stretch.first : stretch.last, None]
            target = mixed[stretch.first - first : stretch.last - first]
            _combine(target, weights, [source[k : k + len(target)] for k in range(4)])
        wide = _extend(mixed, across.before, across.after)
        for stretch in across.stretches:
            at = across.before + stretch.neighbour
            count = stretch.last - stretch.first
            weights = across.weights[:, None, stretch.first : stretch.last]
            target = result[first:last, stretch.first : stretch.last]
            _combine(target, weights, [wide[:, at + k : at + k + count] for k in range(4)])

    share_pieces(one, rows, step, WORKERS)
    return result


def spline_transfer(count: int, scale: float, half: bool) -> NDArray[np.float64]:
    """Return what enlarging without the prefilter leaves of each frequency of an axis.

    Parameters
    ----------
    count : int
        Samples along the axis.
    scale : float
        Of the enlargement.
    half : bool
        Frequencies of a real transform (the last axis), or all of them.
    """
    f = np.fft.rfftfreq(count) if half else np.fft.fftfreq(count)
    return np.asarray((2.0 + np.cos(2.0 * np.pi * np.minimum(np.abs(f) * scale, 0.5))) / 3.0)


def _combine(target: FloatImage, weights: FloatImage, neighbours: list[FloatImage]) -> None:
    """Fill ``target`` with the sum of four weighted neighbours."""
    np.multiply(weights[0], neighbours[0], out=target)
    room = np.empty_like(target)
    for weight, neighbour in zip(weights[1:], neighbours[1:], strict=True):
        np.multiply(weight, neighbour, out=room)
        target += room


def _axis(count: int, scale: float, dtype: Any) -> _Axis:
    """Return weights and neighbours of the spline at the scaled positions of an axis."""
    centre = 0.5 * (count - 1)
    position = (np.arange(count) - centre) / scale + centre
    base = np.floor(position).astype(np.int64)
    t = position - base
    weights = np.stack(
        [
            (1.0 - t) ** 3 / 6.0,
            (3.0 * t**3 - 6.0 * t**2 + 4.0) / 6.0,
            (-3.0 * t**3 + 3.0 * t**2 + 3.0 * t + 1.0) / 6.0,
            t**3 / 6.0,
        ]
    )
    distance = base - 1 - np.arange(count)
    edges = [0, *(np.flatnonzero(np.diff(distance)) + 1).tolist(), count]
    stretches = tuple(
        _Stretch(first, last, int(base[first]) - 1) for first, last in pairwise(edges)
    )
    before, after = max(0, 1 - int(base[0])), max(0, int(base[-1]) + 3 - count)
    return _Axis(weights.astype(dtype), stretches, before, after)


def _within(stretches: tuple[_Stretch, ...], first: int, last: int) -> list[_Stretch]:
    """Return the parts of the stretches that lie in ``range(first, last)``."""
    parts = []
    for stretch in stretches:
        start, stop = max(stretch.first, first), min(stretch.last, last)
        if start < stop:
            parts.append(_Stretch(start, stop, stretch.neighbour + start - stretch.first))
    return parts


def _mirrored(index: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return indices mirrored about the first and the last sample."""
    period = max(2 * (count - 1), 1)
    index = np.abs(index) % period
    return np.minimum(index, period - index)


def _rows_of(image: FloatImage, need: NDArray[np.int64]) -> FloatImage:
    """Return rows of an image: a view if they follow each other, else a copy."""
    if need[-1] - need[0] == need.size - 1 and bool((np.diff(need) == 1).all()):
        return image[need[0] : need[-1] + 1]
    return np.asarray(image[need])


def _extend(tile: FloatImage, before: int, after: int) -> FloatImage:
    """Return a tile with mirrored columns on both sides, if the positions reach there."""
    if before == 0 and after == 0:
        return tile
    columns = tile.shape[1]
    return np.asarray(tile[:, _mirrored(np.arange(-before, columns + after), columns)])
