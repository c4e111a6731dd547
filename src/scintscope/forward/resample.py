"""Enlarging an image about the optical axis by separable cubic splines.

Rescaling about the centre is separable: each output row is a combination of four input rows, each
column of four columns (Unser 1999, IEEE Signal Process. Mag. 16(6), 22). Type is preserved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

FloatImage = NDArray[Any]


def spline_coefficients(image: FloatImage) -> FloatImage:
    """Return the cubic B-spline coefficients of an image, mirrored at its edges."""
    return np.asarray(ndimage.spline_filter(image, order=3, output=image.dtype, mode="mirror"))


def scale_about_centre(coefficients: FloatImage, scale: float) -> FloatImage:
    """Return the image enlarged ``scale`` times about its centre: out(x) = in(x / scale).

    Parameters
    ----------
    coefficients : (M, N) array
        From `spline_coefficients`.
    scale : float
        Close to 1; what comes from beyond the edges is mirrored.

    Returns
    -------
    (M, N) array
        Same type.
    """
    rows, columns = coefficients.shape
    down = _operator(rows, scale, coefficients.dtype)
    across = _operator(columns, scale, coefficients.dtype)
    return np.ascontiguousarray((across @ (down @ coefficients).T).T)


def _operator(count: int, scale: float, dtype: Any) -> sparse.csr_array:
    """Return the (count, count) matrix that evaluates the spline at the scaled positions."""
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
        ],
        axis=1,
    )
    index = base[:, None] + np.arange(-1, 3)[None, :]
    period = max(2 * (count - 1), 1)
    index = np.abs(index) % period
    index = np.minimum(index, period - index)
    row = np.repeat(np.arange(count), 4)
    values = (weights.ravel(), (row, index.ravel()))
    return sparse.csr_array(values, shape=(count, count), dtype=dtype)
