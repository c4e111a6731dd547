"""Checks every metric makes on the images it is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scintscope.errors import DataError, check_range

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def as_image(name: str, image: ArrayLike, *, minimum_px: int = 1) -> Float64Array:
    """Return a two-dimensional finite image as float64.

    Parameters
    ----------
    name : str
        What to call it in a message.
    image : (M, N) array of numbers
        Any real dtype.
    minimum_px : int
        Smallest permitted number of rows and of columns.

    Returns
    -------
    (M, N) float64 array
        The same values; the argument itself when it is float64 already.

    Raises
    ------
    DataError
        Not two-dimensional, too small, complex or not numeric, NaN or infinite.
    """
    array = np.asarray(image)
    if array.ndim != 2:
        raise DataError(
            f"{name} has shape {array.shape}: give one (row, column) image; average a stack first."
        )
    if min(array.shape) < minimum_px:
        raise DataError(
            f"{name} has shape {array.shape}: at least {minimum_px} rows and columns are needed."
        )
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} has dtype {array.dtype}: give real numbers.")
    array = array.astype(np.float64, copy=False)
    bad = int(array.size - np.count_nonzero(np.isfinite(array)))
    if bad:
        raise DataError(
            f"{name} has {bad} of {array.size} values that are NaN or infinite: "
            "cut the region out or repair those pixels first."
        )
    return array


def as_image_pair(
    first_name: str,
    first: ArrayLike,
    second_name: str,
    second: ArrayLike,
    *,
    minimum_px: int = 1,
) -> tuple[Float64Array, Float64Array]:
    """Return two checked images of one shape (see `as_image`).

    Raises
    ------
    DataError
        As `as_image`, or the shapes differ.
    """
    one = as_image(first_name, first, minimum_px=minimum_px)
    two = as_image(second_name, second, minimum_px=minimum_px)
    if one.shape != two.shape:
        raise DataError(
            f"{first_name} has shape {one.shape} but {second_name} has {two.shape}: "
            "cut both to their common region first."
        )
    return one, two


def as_mask(mask: ArrayLike | None, shape: tuple[int, int]) -> BoolArray:
    """Return a boolean mask of the given shape; None selects everything.

    Raises
    ------
    DataError
        Not boolean, of another shape, or empty.
    """
    if mask is None:
        return np.ones(shape, dtype=np.bool_)
    array = np.asarray(mask)
    if array.dtype != np.bool_ or array.shape != shape:
        raise DataError(
            f"mask has dtype {array.dtype} and shape {array.shape}: give booleans of shape {shape}."
        )
    if not array.any():
        raise DataError("mask selects no pixel: give at least one True.")
    return array


def check_pixel_um(pixel_um: float) -> float:
    """Return the pixel pitch, um, if it is positive and finite, else raise `RangeError`."""
    return check_range("pixel_um", pixel_um, low=0.0, low_open=True, unit="um")
