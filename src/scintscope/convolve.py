"""Convolution of an image by a small kernel, and its exact adjoint, by real FFTs.

A kernel of ``n`` samples has its centre at index ``n // 2``, odd or even: a kernel that is one at
``n // 2`` and zero elsewhere leaves every image where it is. Boundary rules:

- ``"zero"``: what lies outside the frame is zero; the result is cut to the frame.
- ``"periodic"``: the frame repeats without end; the only rule that keeps the sum of every image.
- ``"valid"``: nothing is assumed. The object is larger than the frame by kernel size minus one,
  and each pixel of the frame sees all the object it needs.
- ``"reflect"`` is a matter of padding the image first; see `reflect_pad`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.errors import DataError, check_choice
from scintscope.tiled_fft import WORKERS, TiledFilter, Window

RealArray = NDArray[np.floating[Any]]
BOUNDARIES = ("zero", "periodic", "valid")


def working_dtype(*arrays: RealArray) -> np.dtype[Any]:
    """Return float32 if no array needs more, float64 if one does."""
    kinds = [a.dtype for a in arrays if a.dtype.kind == "f"]
    return np.dtype(np.float64) if np.dtype(np.float64) in kinds else np.dtype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Convolver:
    """Convolution of objects by one kernel, its transfer function computed once.

    Parameters
    ----------
    kernel : (m, n) float array
        Centre at ``(m // 2, n // 2)``. Its dtype (float32 or float64) is that of the work.
    image_shape : (int, int)
        Rows and columns of the frame.
    boundary : {"zero", "periodic", "valid"}
        What lies outside the frame; see the module's first lines.

    Raises
    ------
    DataError
        A kernel that is empty, not two-dimensional, not finite, or larger than a periodic frame.
    """

    kernel: RealArray
    image_shape: tuple[int, int]
    boundary: str = "zero"
    before: tuple[int, int] = field(init=False)
    object_shape: tuple[int, int] = field(init=False)
    fft_shape: tuple[int, int] = field(init=False)
    otf: NDArray[np.complexfloating[Any, Any]] = field(init=False)

    def __post_init__(self) -> None:
        check_choice("boundary", self.boundary, BOUNDARIES)
        kernel = np.asarray(self.kernel)
        if kernel.ndim != 2 or kernel.size == 0 or not np.isfinite(kernel).all():
            raise DataError(
                f"kernel of shape {kernel.shape}: give a finite two-dimensional kernel, not empty."
            )
        kernel = kernel.astype(working_dtype(kernel), copy=False)
        layout = [
            _axis_layout(k, m, self.boundary)
            for k, m in zip(kernel.shape, self.image_shape, strict=True)
        ]
        before, objects, ffts = (tuple(v) for v in zip(*layout, strict=True))
        padded = np.zeros(ffts, dtype=kernel.dtype)
        padded[: kernel.shape[0], : kernel.shape[1]] = kernel
        padded = np.roll(padded, (-(kernel.shape[0] // 2), -(kernel.shape[1] // 2)), axis=(0, 1))
        for name, value in (
            ("kernel", kernel),
            ("before", before),
            ("object_shape", objects),
            ("fft_shape", ffts),
            ("otf", fft.rfft2(padded, workers=WORKERS)),
        ):
            object.__setattr__(self, name, value)

    @property
    def tiles(self) -> TiledFilter:
        """The convolution as a filter between windows of the transform's periodic grid."""
        return TiledFilter(
            otf=self.otf,
            grid_shape=self.fft_shape,
            source=Window(start=(0, 0), shape=self.object_shape),
            target=Window(start=self.before, shape=self.image_shape),
        )

    def forward(self, item: RealArray) -> RealArray:
        """Return the kernel's convolution of an object, ``object_shape`` -> ``image_shape``."""
        self._check(item, self.object_shape, "object")
        return self.tiles.apply(item)

    def adjoint(self, image: RealArray) -> RealArray:
        """Return the transpose of `forward` applied to an image, shape ``object_shape``."""
        self._check(image, self.image_shape, "image")
        return self.tiles.apply_adjoint(image)

    def frame(self, item: RealArray) -> RealArray:
        """Return the part of an object that lies inside the frame."""
        rows, columns = self.image_shape
        return item[..., self.before[0] :, self.before[1] :][..., :rows, :columns]

    @staticmethod
    def _check(item: RealArray, shape: tuple[int, int], what: str) -> None:
        if item.shape != shape:
            raise DataError(f"{what} of shape {item.shape} where {shape} is needed.")


def _axis_layout(kernel: int, image: int, boundary: str) -> tuple[int, int, int]:
    """Return (margin before the frame, object length, transform length) of one axis.

    Output ``o`` reads objects ``o - (n - 1 - c)`` to ``o + c`` with ``c = n // 2``: the transform
    must only be long enough that none of these, wrapped, falls on a sample that is not zero.
    """
    centre = kernel // 2
    after = kernel - 1 - centre
    if boundary == "periodic":
        if kernel > image:
            raise DataError(
                f"kernel of {kernel} samples on a periodic frame of {image}: cut the kernel or "
                "use another boundary."
            )
        return 0, image, image
    if boundary == "zero":
        return 0, image, int(fft.next_fast_len(image + max(centre, after), real=True))
    length = image + kernel - 1
    return after, length, int(fft.next_fast_len(length, real=True))


def reflect_pad(image: RealArray, margin: tuple[int, int]) -> RealArray:
    """Return the image continued as in a mirror, ``margin`` samples on each side of an axis."""
    rows, columns = margin
    return np.pad(image, ((rows, rows), (columns, columns)), mode="symmetric")


def unit_impulse(shape: tuple[int, int], dtype: Any = np.float64) -> RealArray:
    """Return the kernel that leaves every image unchanged: one at ``n // 2``, zero elsewhere."""
    kernel: RealArray = np.zeros(shape, dtype=dtype)
    kernel[shape[0] // 2, shape[1] // 2] = 1.0
    return kernel
