"""Sampling grids: where the samples are, which frequencies they hold, how one becomes another.

Images are ``(row, column)`` = ``(y, x)``. Coordinates are centred on the optical axis, which
passes through the middle of the array: sample ``i`` of ``n`` lies at ``(i - (n - 1) / 2) * pitch``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.errors import InputError, check_range

FloatArray = NDArray[np.floating]

_SUMMED_ONE_BY_ONE = 7
"""Values up to which numpy adds in their order; more it adds in pairs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A regular grid of square samples centred on the optical axis.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    pixel_um : float
        Pitch of the samples, um, in the plane the grid is used for.
    """

    shape: tuple[int, int]
    pixel_um: float

    def __post_init__(self) -> None:
        if len(self.shape) != 2 or any(int(n) != n or n < 1 for n in self.shape):
            raise InputError(f"shape = {self.shape!r}: give two positive whole numbers.")
        check_range("pixel_um", self.pixel_um, low=0.0, low_open=True, unit="um")

    @property
    def row_um(self) -> NDArray[np.float64]:
        """Coordinates of the rows, um, shape (rows,)."""
        return centred_coordinates(self.shape[0], self.pixel_um)

    @property
    def column_um(self) -> NDArray[np.float64]:
        """Coordinates of the columns, um, shape (columns,)."""
        return centred_coordinates(self.shape[1], self.pixel_um)

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the field, um, pixel edges included."""
        return self.shape[0] * self.pixel_um, self.shape[1] * self.pixel_um

    @property
    def nyquist_cy_per_um(self) -> float:
        """Nyquist frequency along an axis, cycles/um."""
        return 0.5 / self.pixel_um

    @property
    def row_frequency_cy_per_um(self) -> NDArray[np.float64]:
        """Frequencies of the rows of a 2-D real transform, cycles/um, shape (rows,)."""
        return np.asarray(fft.fftfreq(self.shape[0], self.pixel_um))

    @property
    def column_frequency_cy_per_um(self) -> NDArray[np.float64]:
        """Frequencies of the columns of a 2-D real transform, cycles/um, (columns // 2 + 1,)."""
        return np.asarray(fft.rfftfreq(self.shape[1], self.pixel_um))

    def radial_frequency_cy_per_um(self) -> NDArray[np.float64]:
        """Radial frequency of each element of a 2-D real transform, cycles/um."""
        rows, columns = self.row_frequency_cy_per_um, self.column_frequency_cy_per_um
        return np.asarray(np.hypot(rows[:, None], columns[None, :]), dtype=np.float64)


def centred_coordinates(count: int, pitch_um: float) -> NDArray[np.float64]:
    """Return ``count`` coordinates with the given pitch, symmetric about zero."""
    return np.asarray((np.arange(count) - 0.5 * (count - 1)) * pitch_um, dtype=np.float64)


def crop_centre(image: NDArray[np.generic], shape: tuple[int, int]) -> NDArray[np.generic]:
    """Return the central part of the last two axes; the excess must be even on both axes."""
    offsets = []
    for have, want in zip(image.shape[-2:], shape, strict=True):
        if want > have or (have - want) % 2:
            raise InputError(f"cannot crop {image.shape[-2:]} centrally to {shape}.")
        offsets.append((have - want) // 2)
    row, column = offsets
    return image[..., row : row + shape[0], column : column + shape[1]]


def bin_mean(image: FloatArray, factor: int) -> FloatArray:
    """Return the mean over ``factor`` x ``factor`` blocks of the last two axes."""
    rows, columns = image.shape[-2:]
    if rows % factor or columns % factor:
        raise InputError(f"an image of {rows} x {columns} cannot be binned by {factor}.")
    blocks = image.reshape(*image.shape[:-2], rows // factor, factor, columns // factor, factor)
    if image.dtype.kind != "f" or factor > _SUMMED_ONE_BY_ONE:
        return np.asarray(blocks.mean(axis=(-3, -1)))
    total = np.zeros((*image.shape[:-2], rows // factor, columns // factor), dtype=image.dtype)
    for i in range(factor):  # numpy's own order, without its loop over so short an axis
        row = blocks[..., i, :, 0].copy()
        for j in range(1, factor):
            row += blocks[..., i, :, j]
        total += row
    total /= image.dtype.type(factor * factor)
    return total


def padded_count(count: int, margin: int, multiple: int) -> int:
    """Return a length >= count + 2 margin that transforms fast, a multiple of ``multiple``.

    The excess over ``count`` is kept even, so that the field stays centred.

    Raises
    ------
    InputError
        If ``multiple`` is even and ``count`` odd, which no length can serve.
    """
    if multiple % 2 == 0 and count % 2:
        raise InputError(
            f"a field of {count} samples cannot be centred in a multiple of {multiple}."
        )
    blocks = -(-(count + 2 * margin) // multiple)
    while True:
        blocks = int(fft.next_fast_len(blocks, real=True))
        total = blocks * multiple
        if (total - count) % 2 == 0:
            return total
        blocks += 1
