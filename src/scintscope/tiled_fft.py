"""Convolution on a periodic grid, cut into tiles that stay in the processor's cache.

A two-dimensional transform is one-dimensional transforms of all rows, then of all columns. Done
array by array, every step of a convolution carries the whole array through main memory. Here a
tile of columns is transformed, multiplied by the transfer function and transformed back before the
next tile is touched, and what a caller does with the rows of the result happens on a tile of rows
between its inverse and its next forward transform. Rows of zeros are never transformed.

Tiles depend on the shapes only and threads only decide who works on which tile, so that results
are the same to the bit for any number of threads. All transforms go through `scipy.fft`, hence
through the backend set there (``scipy.fft.set_global_backend``, which, unlike ``set_backend``,
threads see).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.errors import DataError
from scintscope.sharing import share_pieces
from scintscope.threads import POOL_THREADS

RealArray = NDArray[np.floating[Any]]
Spectrum = NDArray[np.complexfloating[Any, Any]]
RowWork = Callable[[int, int, RealArray], Any]

WORKERS = POOL_THREADS
TILE_BYTES = 1 << 20
"""Of a tile's complex values; with half or twice of it a pass takes 5 to 10 % longer."""

TILE_STEP = 16
"""Tiles are whole 64-byte lines wide and fill the vector registers of the transforms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A rectangle of a periodic grid; it may reach over the end and go on at the beginning.

    Parameters
    ----------
    start : (int, int)
        First row and column.
    shape : (int, int)
        Rows and columns, at most the grid's.
    """

    start: tuple[int, int]
    shape: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TiledFilter:
    """The linear map from one window of a periodic grid to another by a transfer function.

    Values outside the source window are zero; of the convolution, the target window is kept.

    Parameters
    ----------
    otf : (M, N // 2 + 1) complex array
        Transfer function on the grid, as ``rfft2`` orders it. Its precision is that of the work.
    grid_shape : (int, int)
        Rows and columns of the periodic grid, M and N.
    source, target : Window
        Where the input lies and where the output is read.
    threads : int
        Tiles worked on at the same time; no result depends on it.
    packed : tuple of arrays
        The transfer function's column tiles, each in one piece (`pack`); empty: read from ``otf``.

    Raises
    ------
    DataError
        A transfer function that does not belong to the grid, or a window larger than it.
    """

    otf: Spectrum
    grid_shape: tuple[int, int]
    source: Window
    target: Window
    threads: int = WORKERS
    packed: tuple[Spectrum, ...] = ()

    def __post_init__(self) -> None:
        rows, columns = self.grid_shape
        if self.otf.shape != (rows, columns // 2 + 1):
            raise DataError(
                f"a transfer function of shape {self.otf.shape} does not belong to a grid of "
                f"{self.grid_shape}: give {(rows, columns // 2 + 1)}, as rfft2 does."
            )
        for name, window in (("source", self.source), ("target", self.target)):
            if any(n > m for n, m in zip(window.shape, self.grid_shape, strict=True)):
                raise DataError(
                    f"{name} window of {window.shape} is larger than the grid {self.grid_shape}."
                )

    def pack(self) -> TiledFilter:
        """Return the filter with a copy of each column tile: worth it where it is used often."""
        if self.packed:
            return self
        step, columns = self._columns_at_once(), self.otf.shape[1]
        edges = [slice(first, first + step) for first in range(0, columns, step)]
        return replace(self, packed=tuple(np.ascontiguousarray(self.otf[:, e]) for e in edges))

    def workspace(self) -> Spectrum:
        """Return room for the rows' transforms; one per convolution under way."""
        rows = max(self.source.shape[0], self.target.shape[0])
        return np.empty((rows, self.otf.shape[1]), dtype=self.otf.dtype)

    def apply(self, item: RealArray) -> RealArray:
        """Return the filtered item, source shape -> target shape."""
        return self._convolve(item, self.source, self.target, self.forward)

    def apply_adjoint(self, image: RealArray) -> RealArray:
        """Return the transpose of `apply`, target shape -> source shape."""
        return self._convolve(image, self.target, self.source, self.adjoint)

    def _convolve(
        self, item: RealArray, start: Window, end: Window, columns: Callable[[Spectrum], None]
    ) -> RealArray:
        spectrum = self.workspace()
        result: RealArray = np.empty(end.shape, dtype=spectrum.real.dtype)

        def give(first: int, last: int, tile: RealArray) -> None:
            tile[...] = item[first:last]

        def take(first: int, last: int, tile: RealArray) -> None:
            result[first:last] = tile

        self.rows(spectrum, start, give, read=False)
        columns(spectrum)
        self.rows(spectrum, end, take, write=False)
        return result

    def forward(self, spectrum: Spectrum) -> None:
        """Turn the transforms of the source's rows into those of the target's, in place."""
        self._columns(spectrum, self.source, self.target, conjugate=False)

    def adjoint(self, spectrum: Spectrum) -> None:
        """Turn the transforms of the target's rows into those of the source's, in place."""
        self._columns(spectrum, self.target, self.source, conjugate=True)

    def rows(
        self,
        spectrum: Spectrum,
        window: Window,
        work: RowWork,
        *,
        read: bool = True,
        write: bool = True,
    ) -> list[Any]:
        """Call ``work(first, last, tile)`` on each tile of rows; return what it returned, in order.

        Parameters
        ----------
        spectrum : array
            Workspace with the transforms of the window's rows.
        window : Window
            Which rows and columns these are.
        work : callable
            Gets the rows ``first`` to ``last`` of the window, real values (undefined if not
            ``read``), and may overwrite them. Tiles are worked on at the same time.
        read, write : bool
            Whether rows are transformed back before and forward after ``work``.
        """
        columns = self.grid_shape[1]
        dtype = spectrum.real.dtype

        def one(first: int, last: int) -> Any:
            if read:
                full = fft.irfft(spectrum[first:last], n=columns, axis=1)
            else:
                full = np.zeros((last - first, columns), dtype=dtype)
            tile = _view(full, window)
            result = work(first, last, tile)
            if write:
                spectrum[first:last] = fft.rfft(_alone(full, tile, window), axis=1)
            return result

        step = _tile_size(window.shape[0], self.otf.shape[1] * self.otf.itemsize)
        return share_pieces(one, window.shape[0], step, self.threads)

    def _columns(self, spectrum: Spectrum, start: Window, end: Window, *, conjugate: bool) -> None:
        rows, step = self.grid_shape[0], self._columns_at_once()

        def one(first: int, last: int) -> None:
            tile = np.zeros((rows, last - first), dtype=spectrum.dtype)
            for there, here in _pieces(start.start[0], start.shape[0], rows):
                tile[there] = spectrum[here, first:last]
            tile = fft.fft(tile, axis=0, overwrite_x=True)
            transfer = self.packed[first // step] if self.packed else self.otf[:, first:last]
            tile *= np.conj(transfer) if conjugate else transfer
            tile = fft.ifft(tile, axis=0, overwrite_x=True)
            for there, here in _pieces(end.start[0], end.shape[0], rows):
                spectrum[here, first:last] = tile[there]

        share_pieces(one, self.otf.shape[1], step, self.threads)

    def _columns_at_once(self) -> int:
        return _tile_size(self.otf.shape[1], self.grid_shape[0] * self.otf.itemsize)


@cache
def _tile_size(length: int, line_bytes: int) -> int:
    """Return how many of ``length`` lines a tile has: about `TILE_BYTES`, at least half of it.

    Of the sizes allowed the one with which two threads, each taking the next tile when it has done
    one, end soonest; a property of the shapes, whatever the number of threads.
    """
    largest = max(round(TILE_BYTES / (line_bytes * TILE_STEP)), 1)
    sizes = [TILE_STEP * n for n in range(largest, largest // 2, -1)]

    def longest(size: int) -> int:
        loads = [0, 0]
        for first in range(0, length, size):
            loads[loads[1] < loads[0]] += min(size, length - first)
        return max(loads)

    return min(sizes, key=longest)


def _pieces(start: int, length: int, period: int) -> list[tuple[slice, slice]]:
    """Return a window's one or two pieces on a periodic axis: (in the grid, in the window)."""
    start %= period
    first = min(length, period - start)
    pieces = [(slice(start, start + first), slice(0, first))]
    if first < length:
        pieces.append((slice(0, length - first), slice(first, length)))
    return pieces


def _view(full: RealArray, window: Window) -> RealArray:
    """Return the window's columns of whole rows: a view, or a copy where the window wraps."""
    pieces = _pieces(window.start[1], window.shape[1], full.shape[1])
    if len(pieces) == 1:
        return full[:, pieces[0][0]]
    return np.concatenate([full[:, there] for there, _ in pieces], axis=1)


def _alone(full: RealArray, tile: RealArray, window: Window) -> RealArray:
    """Return whole rows that hold the tile in the window's columns and zero elsewhere."""
    pieces = _pieces(window.start[1], window.shape[1], full.shape[1])
    if len(pieces) == 1:
        there = pieces[0][0]
        full[:, : there.start] = 0.0
        full[:, there.stop :] = 0.0
        return full
    full[...] = 0.0
    for there, here in pieces:
        full[:, there] = tile[:, here]
    return full
