"""Motions between two images, and warping by them.

A transform maps positions of the *fixed* image to positions of the *moving* one,

    x_moving = c + scale * R(angle) (x_fixed - c) + shift,      c = ((M - 1) / 2, (N - 1) / 2),

positions being (row, column) in pixels. So a positive ``shift_row_px`` means that what the fixed
image shows at row r lies at row r + shift in the moving one, and `warp` brings it back.
R(angle) turns the row axis towards the column axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.sharing import share

Image = NDArray[np.floating[Any]]

STILL_PX = 1e-3
"""A motion that moves no pixel by more than this is not worth an interpolation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transform:
    """A similarity of the image plane about its centre.

    Parameters
    ----------
    shift_row_px, shift_column_px : float
        Shift, pixels.
    scale : float
        Magnification of the moving image over the fixed one.
    angle_rad : float
        Rotation from the row towards the column axis.
    """

    shift_row_px: float = 0.0
    shift_column_px: float = 0.0
    scale: float = 1.0
    angle_rad: float = 0.0

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The 2 x 2 linear part, scale * R(angle), acting on (row, column)."""
        c, s = math.cos(self.angle_rad), math.sin(self.angle_rad)
        return self.scale * np.array([[c, -s], [s, c]])

    @property
    def shift_px(self) -> NDArray[np.float64]:
        """The shift (row, column), pixels."""
        return np.array([self.shift_row_px, self.shift_column_px])

    def map(self, points: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return positions in the moving image of positions (..., 2) in a fixed image of shape."""
        centre = image_centre(shape)
        return np.asarray((points - centre) @ self.matrix.T + centre + self.shift_px)

    def largest_motion_px(self, shape: tuple[int, int]) -> float:
        """Return the largest distance a corner of the image is moved, pixels."""
        rows, columns = shape[0] - 1, shape[1] - 1
        corners = np.array([[0, 0], [0, columns], [rows, 0], [rows, columns]], dtype=float)
        return float(np.linalg.norm(self.map(corners, shape) - corners, axis=1).max())

    def then(self, other: Transform) -> Transform:
        """Return the motion that maps by ``self`` first and by ``other`` next."""
        shift = other.matrix @ self.shift_px + other.shift_px
        return Transform(
            shift_row_px=float(shift[0]),
            shift_column_px=float(shift[1]),
            scale=self.scale * other.scale,
            angle_rad=self.angle_rad + other.angle_rad,
        )

    def inverse(self) -> Transform:
        """Return the motion that undoes this one."""
        shift = -np.linalg.solve(self.matrix, self.shift_px)
        return Transform(
            shift_row_px=float(shift[0]),
            shift_column_px=float(shift[1]),
            scale=1.0 / self.scale,
            angle_rad=-self.angle_rad,
        )


IDENTITY = Transform()


def image_centre(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the position (row, column) of an image's middle."""
    return 0.5 * (np.array(shape, dtype=np.float64) - 1.0)


_BLOCK_ROWS = 128
"""Rows interpolated at a time, whatever the number of threads."""

SPLINE_PAD = 12
"""Edge samples repeated around an image before its spline filter, as `scipy.ndimage` does."""


def spline_of(image: Image) -> NDArray[np.float64]:
    """Return what `sample_grid` interpolates in: cubic spline coefficients, edge values repeated.

    Computed once for an image that is sampled many times.
    """
    from scipy import ndimage

    padded = np.pad(image, SPLINE_PAD, mode="edge")
    return np.asarray(ndimage.spline_filter(padded, order=3, output=np.float64, mode="nearest"))


def sample_grid(
    image: Image,
    transform: Transform,
    *,
    step: int = 1,
    order: int = 3,
    spline: NDArray[np.float64] | None = None,
) -> Image:
    """Return the moving image at the mapped positions of every ``step``-th fixed pixel.

    Spline interpolation; beyond the frame the nearest value. Integer steps start at (0, 0).
    ``spline`` is `spline_of` the image, if at hand; ``order`` is then 3.
    """
    from scipy import ndimage

    rows, columns = (-(-n // step) for n in image.shape)
    centre = image_centre((image.shape[0], image.shape[1]))
    matrix = transform.matrix
    offset = centre + transform.shift_px - matrix @ centre
    if spline is None and order > 1:
        spline = spline_of(image)
    if spline is not None:
        offset = offset + SPLINE_PAD
    result: Image = np.empty((rows, columns), dtype=image.dtype)

    def block(first: int) -> None:
        part = result[first : first + _BLOCK_ROWS]
        ndimage.affine_transform(
            image if spline is None else spline,
            # without rotation the axes are looked up one by one, which is faster
            (matrix if transform.angle_rad else np.diag(matrix)) * step,
            offset=offset + matrix[:, 0] * (step * first),
            output_shape=part.shape,
            order=order,
            mode="nearest",
            output=part,
            prefilter=False,
        )

    share(block, range(0, rows, _BLOCK_ROWS))
    return result


def warp(image: Image, transform: Transform) -> tuple[Image, NDArray[np.bool_]]:
    """Return the moving image brought into the fixed frame, and where it is real.

    Parameters
    ----------
    image : (M, N) float array
        The moving image.
    transform : Transform
        Fixed to moving positions, as registration returns it.

    Returns
    -------
    warped : (M, N) float array
        Cubic spline (order 3); beyond the frame the nearest edge value continues.
    valid : (M, N) bool array
        True where the value was interpolated inside the moving frame.
    """
    shape = (image.shape[0], image.shape[1])
    if transform.largest_motion_px(shape) < STILL_PX:
        return np.array(image), np.ones(shape, dtype=bool)
    return sample_grid(image, transform), valid_mask(shape, transform)


def valid_mask(shape: tuple[int, int], transform: Transform) -> NDArray[np.bool_]:
    """Return where the mapped position of a fixed pixel lies inside the moving frame."""
    matrix = transform.matrix
    centre = image_centre(shape)
    rows = (np.arange(shape[0]) - centre[0])[:, None]
    columns = (np.arange(shape[1]) - centre[1])[None, :]
    mapped_row = matrix[0, 0] * rows + matrix[0, 1] * columns + centre[0] + transform.shift_row_px
    mapped_column = (
        matrix[1, 0] * rows + matrix[1, 1] * columns + centre[1] + transform.shift_column_px
    )
    tolerance = STILL_PX
    return np.asarray(
        (mapped_row >= -tolerance)
        & (mapped_row <= shape[0] - 1 + tolerance)
        & (mapped_column >= -tolerance)
        & (mapped_column <= shape[1] - 1 + tolerance)
    )
