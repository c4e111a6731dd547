"""Tiled convolution: the whole-array transform's result, adjoint, wrapped windows, same bits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from scintscope import tiled_fft
from scintscope.errors import DataError
from scintscope.tiled_fft import TiledFilter, Window

WINDOWS = [
    (Window(start=(0, 0), shape=(9, 11)), Window(start=(2, 3), shape=(7, 6))),
    (Window(start=(-4, -3), shape=(8, 9)), Window(start=(0, 0), shape=(15, 14))),
    (Window(start=(12, 20), shape=(15, 20)), Window(start=(-1, 5), shape=(3, 20))),
]


def filtered(
    grid: tuple[int, int], source: Window, target: Window, threads: int = 2
) -> tuple[TiledFilter, np.ndarray]:
    """Return a filter by random values on a grid, and these values."""
    kernel = np.random.default_rng(1).random(grid)
    return TiledFilter(
        otf=fft.rfft2(kernel), grid_shape=grid, source=source, target=target, threads=threads
    ), kernel


def placed(window: Window, item: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return a grid that holds the item in a window, wrapped."""
    whole = np.zeros(grid)
    whole[: window.shape[0], : window.shape[1]] = item
    return np.roll(whole, window.start, axis=(0, 1))


def cut(window: Window, whole: np.ndarray) -> np.ndarray:
    """Return a window of a grid, wrapped."""
    turned = np.roll(whole, [-s for s in window.start], axis=(0, 1))
    return turned[: window.shape[0], : window.shape[1]]


@pytest.mark.parametrize("grid", [(15, 20), (16, 21)])
@pytest.mark.parametrize(("source", "target"), WINDOWS)
def test_equals_whole_array_transform(grid: tuple[int, int], source: Window, target: Window):
    """Windows, also wrapped ones, see what rfft2, product and irfft2 of the whole grid give."""
    tiles, kernel = filtered(grid, source, target)
    item = np.random.default_rng(2).random(source.shape)
    spectrum = fft.rfft2(placed(source, item, grid)) * fft.rfft2(kernel)
    expected = cut(target, fft.irfft2(spectrum, s=grid))
    np.testing.assert_allclose(tiles.apply(item), expected, rtol=1e-12)  # FFT rounding


@pytest.mark.parametrize(("source", "target"), WINDOWS)
def test_adjoint_dot_product(source: Window, target: Window):
    """<Ax, y> = <x, A'y> for windows of unequal shapes, wrapped or not."""
    tiles, _ = filtered((15, 20), source, target)
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal(source.shape), rng.standard_normal(target.shape)
    left, right = np.vdot(tiles.apply(x), y), np.vdot(x, tiles.apply_adjoint(y))
    # sums of some hundred float64 products in different order
    assert left == pytest.approx(right, abs=1e-11)


def test_same_bits_for_any_threads(monkeypatch: pytest.MonkeyPatch):
    """One thread or three, many tiles or one thread's order: the bits do not change."""
    monkeypatch.setattr(tiled_fft, "_tile_size", lambda length, line_bytes: 7)  # many tiles
    window = Window(start=(0, 0), shape=(60, 70))
    item = np.random.default_rng(4).random(window.shape)
    one, *others = (
        filtered((64, 75), window, window, threads)[0].apply(item) for threads in (1, 2, 3)
    )
    for other in others:
        np.testing.assert_array_equal(one, other)


def test_packed_filter_has_the_same_bits(monkeypatch: pytest.MonkeyPatch):
    """A filter with a copy of each tile of its transfer function computes what it does without."""
    monkeypatch.setattr(tiled_fft, "_tile_size", lambda length, line_bytes: 32)
    window = Window(start=(-5, 3), shape=(60, 70))
    tiles, _ = filtered((64, 301), window, window)
    item = np.random.default_rng(5).random(window.shape)
    packed = tiles.pack()
    assert len(packed.packed) > 1
    np.testing.assert_array_equal(tiles.apply(item), packed.apply(item))
    np.testing.assert_array_equal(tiles.apply_adjoint(item), packed.apply_adjoint(item))


@pytest.mark.parametrize("length", [1, 16, 500, 1081, 2048, 4096])
def test_tiles_share_evenly(length: int):
    """Two threads end within one tile's 16 lines of each other where there is enough to share."""
    size = tiled_fft._tile_size(length, 1081 * 8)
    sizes = [min(size, length - first) for first in range(0, length, size)]
    loads = [0, 0]
    for lines in sizes:
        loads[loads[1] < loads[0]] += lines
    assert sum(loads) == length
    if length >= 1000:
        assert abs(loads[0] - loads[1]) <= max(16, size // 2)


def test_refusals():
    """A transfer function of another grid and a window larger than the grid are refused."""
    small = Window(start=(0, 0), shape=(4, 4))
    with pytest.raises(DataError, match="does not belong"):
        TiledFilter(otf=np.ones((8, 8), complex), grid_shape=(8, 8), source=small, target=small)
    with pytest.raises(DataError, match="larger than the grid"):
        filtered((3, 9), small, small)
