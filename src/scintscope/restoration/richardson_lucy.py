"""Deconvolution by Richardson-Lucy, plain and with total variation, and its record.

Richardson-Lucy: Richardson 1972, J. Opt. Soc. Am. 62, 55; Lucy 1974, Astron. J. 79, 745. Total
variation: Dey et al. 2006, Microsc. Res. Tech. 69, 260, eq. 11. Edges without wrap-around or
darkening: the unknown extends beyond the frame and is normalised by what the frame sees of it
(Bertero and Boccacci 2005, Astron. Astrophys. 437, 369).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.convolve import Convolver, reflect_pad
from scintscope.errors import DataError, check_choice, check_range
from scintscope.restoration.config import CHOICES
from scintscope.restoration.iteration import TINY, Iterated, iteration
from scintscope.restoration.total_variation import TotalVariation
from scintscope.tiled_fft import TiledFilter

Image = NDArray[np.floating[Any]]

SMALLEST_VIEW = 1e-2
"""Outside the frame, object samples seen with less than this share of the kernel stay as they are:
dividing by less would let a few border pixels invent bright specks."""


class DeconvolutionStatus(Enum):
    """How a deconvolution ended; the value is the sentence for the report."""

    CONVERGED = "the estimate changed by less than the tolerance and the iteration was stopped."
    ITERATION_LIMIT = (
        "all iterations asked for were done; the count is the regularisation, not convergence."
    )
    DIRECT = "the method is a single linear step; nothing iterates."
    DIVERGED = "the misfit rose instead of falling; lower tv_weight or the iteration count."


@dataclass(frozen=True, kw_only=True, slots=True)
class DeconvolutionResult:
    """A restored image and how it came about.

    Parameters
    ----------
    estimate : (M, N) float array
        The restored image.
    history : tuple of float
        Misfit of the estimate *entering* each iteration: Csiszar's I-divergence of the data from
        the model, mean per pixel (the negative Poisson log-likelihood up to a constant). Where
        iterations are extrapolated, of the extrapolated estimate.
    change : tuple of float
        Change of the estimate in each iteration over its norm after it.
    iterations : int
    status : DeconvolutionStatus
    noise_to_signal : float
        What the Wiener filter used; NaN otherwise.
    """

    estimate: Image
    history: tuple[float, ...]
    change: tuple[float, ...]
    iterations: int
    status: DeconvolutionStatus
    noise_to_signal: float = float("nan")


def i_divergence(data: Image, model: Image) -> float:
    """Return mean(d log(d / m) - d + m), Csiszar's I-divergence; zero only for d = m."""
    d = data.astype(np.float64, copy=False)
    m = np.maximum(model, TINY).astype(np.float64, copy=False)
    positive = np.maximum(d, TINY)
    return float((d * np.log(positive / m) - d + m).mean())


def check_image_and_kernel(image: Image, kernel: Image, *, non_negative: bool) -> None:
    """Raise `DataError` unless image and kernel can enter a deconvolution."""
    for name, array in (("image", image), ("kernel", kernel)):
        if array.ndim != 2 or array.size == 0:
            raise DataError(f"{name} of shape {array.shape}: give a two-dimensional image.")
        if not np.isfinite(array).all():
            raise DataError(f"{name} holds NaN or infinite values: repair or mask them first.")
    if not float(kernel.sum()) > 0:
        raise DataError("the kernel's sum is not positive: it cannot be a PSF.")
    if any(k > n for k, n in zip(kernel.shape, image.shape, strict=True)):
        raise DataError(
            f"the kernel {kernel.shape} is larger than the image {image.shape}: lower psf_size_px."
        )
    if non_negative and (float(image.min()) < 0 or float(kernel.min()) < 0):
        raise DataError(
            "Richardson-Lucy needs non-negative data and kernel; the image's smallest value is "
            f"{float(image.min()):g}, the kernel's {float(kernel.min()):g}. Clip or shift them."
        )


def richardson_lucy(
    image: Image,
    kernel: Image,
    *,
    iterations: int = 20,
    boundary: str = "edge_aware",
    start: float | None = None,
    normalise: bool = True,
    tolerance: float = 0.0,
    tv_weight: float = 0.0,
    acceleration: str = "none",
    precision: str = "float32",
    engine: str = "scipy",
) -> DeconvolutionResult:
    """Return the Richardson-Lucy estimate of what the kernel blurred into an image.

    u <- u / (K'w) * K'(d / Ku), with K the convolution, K' its adjoint, w one in the frame. With
    ``tv_weight`` the step is divided by 1 - weight * div(grad u / abs(grad u)) (Dey et al. 2006).
    The estimate never turns negative; with a periodic boundary and a unit-sum kernel each plain
    iteration keeps the image's sum. Four real transforms an iteration.

    Parameters
    ----------
    image : (M, N) float array, >= 0
    kernel : (m, n) float array, >= 0
        Centre at ``n // 2``; smaller than the image.
    iterations : int
    boundary : {"edge_aware", "reflect", "zero", "periodic"}
        ``edge_aware``: the object beyond the frame is unknown too. ``reflect``: mirrored image.
        ``zero``: nothing beyond.
    start : float or None
        Constant first estimate; None takes the image's mean.
    normalise : bool
        Divide by K'w. False, with ``boundary="zero"`` and ``start=0.5``, gives
        ``skimage.restoration.richardson_lucy(..., clip=False)``.
    tolerance : float
        Stop when the estimate changes by less than this share of its norm; 0 never does.
    tv_weight : float
        Weight of total variation, dimensionless; 0 is plain Richardson-Lucy.
    acceleration : {"none", "biggs_andrews"}
        Extrapolate between iterations (Biggs and Andrews 1997): the same likelihood in a third of
        the iterations, at no transform more.
    precision : {"float32", "float64"}
    engine : {"scipy", "jax"}
        Transforms of scipy on tiles that stay in the processor's cache, the same bits for any
        number of threads; or JAX, on a GPU where there is one, equal within rounding.

    Returns
    -------
    DeconvolutionResult

    Raises
    ------
    DataError
        Negative, NaN or wrongly shaped data, or a kernel that cannot be a PSF.
    """
    return richardson_lucy_frames(
        [image],
        kernel,
        iterations=iterations,
        boundary=boundary,
        start=start,
        normalise=normalise,
        tolerance=tolerance,
        tv_weight=tv_weight,
        acceleration=acceleration,
        precision=precision,
        engine=engine,
    )[0]


def richardson_lucy_frames(
    frames: Iterable[Image],
    kernel: Image,
    *,
    iterations: int = 20,
    boundary: str = "edge_aware",
    start: float | None = None,
    normalise: bool = True,
    tolerance: float = 0.0,
    tv_weight: float = 0.0,
    acceleration: str = "none",
    precision: str = "float32",
    engine: str = "scipy",
) -> tuple[DeconvolutionResult, ...]:
    """Return `richardson_lucy` of each frame; transfer function and K'w are computed once.

    Parameters
    ----------
    frames : (F, M, N) array or iterable of (M, N) arrays, >= 0
        Of one shape. Taken one after the other: memory holds one frame's iteration.
    kernel, iterations, boundary, start, normalise, tolerance, tv_weight, acceleration
        See `richardson_lucy`.
    precision, engine
        See `richardson_lucy`.

    Returns
    -------
    tuple of DeconvolutionResult
        In the frames' order; to the bit what each frame gives alone.

    Raises
    ------
    DataError
        As `richardson_lucy`; or frames of unequal shapes.
    """
    check_choice("boundary", boundary, CHOICES["boundary"])
    check_choice("acceleration", acceleration, CHOICES["acceleration"])
    check_choice("engine", engine, CHOICES["engine"])
    check_range("iterations", iterations, low=1, high=1_000_000)
    blur: Convolver | None = None
    tiles: TiledFilter | None = None
    view: Image | None = None
    results = []
    for frame in frames:
        check_image_and_kernel(frame, kernel, non_negative=True)
        data, margin = _padded(frame, kernel, boundary, np.dtype(precision))
        if blur is None:
            rule = {"edge_aware": "valid", "reflect": "zero"}.get(boundary, boundary)
            shape = (data.shape[0], data.shape[1])
            blur = Convolver(np.asarray(kernel, dtype=data.dtype), shape, rule)
            view = _inverse_view(blur, data) if normalise else None
            tiles = blur.tiles.pack() if engine == "scipy" else blur.tiles
        if tiles is None or data.shape != blur.image_shape:
            raise DataError(
                f"a frame of shape {frame.shape} among others of another: give frames of one shape."
            )
        work = iteration(
            engine,
            tiles,
            data,
            inverse_view=view,
            divisor=TotalVariation(tv_weight) if tv_weight > 0 else None,
            accelerate=acceleration == "biggs_andrews",
        )
        level = float(data.mean(dtype=np.float64)) if start is None else start
        first = np.full(blur.object_shape, max(level, TINY), dtype=data.dtype)
        found = work.run(first, iterations, tolerance=tolerance)
        inside = blur.frame(found.estimate)[margin[0] :, margin[1] :]
        results.append(_result(found, inside[: frame.shape[0], : frame.shape[1]]))
    return tuple(results)


def _padded(
    frame: Image, kernel: Image, boundary: str, dtype: np.dtype[Any]
) -> tuple[Image, tuple[int, int]]:
    """Return a frame in the precision asked for, mirrored all around if so wished; the margin."""
    data = np.asarray(frame, dtype=dtype)
    if boundary != "reflect":
        return data, (0, 0)
    margin = (kernel.shape[0], kernel.shape[1])
    return reflect_pad(data, margin), margin


def _result(found: Iterated, inside: Image) -> DeconvolutionResult:
    """Return the record of an iteration."""
    status = DeconvolutionStatus.ITERATION_LIMIT
    if found.converged:
        status = DeconvolutionStatus.CONVERGED
    elif found.broken or found.history[-1] > 1.001 * found.history[0]:
        status = DeconvolutionStatus.DIVERGED
    return DeconvolutionResult(
        estimate=np.ascontiguousarray(inside),
        history=tuple(found.history),
        change=tuple(found.change),
        iterations=len(found.change),
        status=status,
    )


def _inverse_view(blur: Convolver, data: Image) -> Image:
    """Return 1 / K'w over the object; zero where the frame hardly sees it (no step there)."""
    view = blur.adjoint(np.ones_like(data))
    seen = view > SMALLEST_VIEW * float(blur.kernel.sum())
    return np.where(seen, 1.0 / np.where(seen, view, 1.0), 0.0).astype(data.dtype)
