"""Deconvolution by Richardson-Lucy, plain and with total variation, and its record.

Richardson-Lucy: Richardson 1972, J. Opt. Soc. Am. 62, 55; Lucy 1974, Astron. J. 79, 745. Total
variation: Dey et al. 2006, Microsc. Res. Tech. 69, 260, eq. 11. Edges without wrap-around or
darkening: the unknown extends beyond the frame and is normalised by what the frame sees of it
(Bertero and Boccacci 2005, Astron. Astrophys. 437, 369).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.convolve import Convolver, reflect_pad
from scintscope.errors import DataError, check_choice, check_range
from scintscope.restoration.config import CHOICES

Image = NDArray[np.floating[Any]]

TINY = 1e-12
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
        the model, mean per pixel (the negative Poisson log-likelihood up to a constant).
    change : tuple of float
        Change of the estimate in each iteration over its norm.
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
    precision: str = "float32",
) -> DeconvolutionResult:
    """Return the Richardson-Lucy estimate of what the kernel blurred into an image.

    u <- u / (K'w) * K'(d / Ku), with K the convolution, K' its adjoint, w one in the frame. With
    ``tv_weight`` the step is divided by 1 - weight * div(grad u / abs(grad u)) (Dey et al. 2006).
    The estimate never turns negative; with a periodic boundary and a unit-sum kernel each
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
    precision : {"float32", "float64"}

    Returns
    -------
    DeconvolutionResult

    Raises
    ------
    DataError
        Negative, NaN or wrongly shaped data, or a kernel that cannot be a PSF.
    """
    check_choice("boundary", boundary, CHOICES["boundary"])
    check_range("iterations", iterations, low=1, high=1_000_000)
    check_image_and_kernel(image, kernel, non_negative=True)
    dtype = np.dtype(precision)
    data = np.asarray(image, dtype=dtype)
    kernel = np.asarray(kernel, dtype=dtype)
    margin = (kernel.shape[0], kernel.shape[1]) if boundary == "reflect" else (0, 0)
    data = reflect_pad(data, margin) if boundary == "reflect" else data
    rule = {"edge_aware": "valid", "reflect": "zero"}.get(boundary, boundary)
    blur = Convolver(kernel, (data.shape[0], data.shape[1]), rule)
    level = float(data.mean(dtype=np.float64)) if start is None else start
    first = np.full(blur.object_shape, max(level, TINY), dtype=dtype)
    estimate, history, change, status = _iterate(
        blur, data, first, iterations, normalise, tolerance, tv_weight
    )
    inside = blur.frame(estimate)
    rows, columns = image.shape
    inside = inside[margin[0] :, margin[1] :][:rows, :columns]
    return DeconvolutionResult(
        estimate=np.ascontiguousarray(inside),
        history=tuple(history),
        change=tuple(change),
        iterations=len(history),
        status=status,
    )


def _iterate(
    blur: Convolver,
    data: Image,
    estimate: Image,
    iterations: int,
    normalise: bool,
    tolerance: float,
    tv_weight: float,
) -> tuple[Image, list[float], list[float], DeconvolutionStatus]:
    """Return the estimate after the iterations, its history, changes and status; in place."""
    inverse_view = _inverse_view(blur, data) if normalise else None
    floor = data.dtype.type(TINY)
    history: list[float] = []
    change: list[float] = []
    for _ in range(iterations):
        model = np.maximum(blur.forward(estimate), floor)
        history.append(_fast_divergence(data, model))
        step = blur.adjoint(np.divide(data, model, out=model))
        np.maximum(step, 0.0, out=step)
        if inverse_view is not None:
            step *= inverse_view
        if tv_weight > 0:
            step /= _tv_divisor(estimate, tv_weight)
        norm, moved = _update(estimate, step, keep=inverse_view)
        change.append(moved / max(norm, TINY))
        if change[-1] < tolerance:
            return estimate, history, change, DeconvolutionStatus.CONVERGED
    if len(history) > 1 and history[-1] > 1.001 * history[0]:
        return estimate, history, change, DeconvolutionStatus.DIVERGED
    return estimate, history, change, DeconvolutionStatus.ITERATION_LIMIT


def _fast_divergence(data: Image, model: Image) -> float:
    """Return `i_divergence` in the data's own precision but for the sum."""
    ratio = np.maximum(data, data.dtype.type(TINY))
    ratio /= model
    np.log(ratio, out=ratio)
    ratio *= data
    ratio -= data
    ratio += model
    return float(ratio.mean(dtype=np.float64))


def _inverse_view(blur: Convolver, data: Image) -> Image:
    """Return 1 / K'w over the object; zero where the frame hardly sees it (no step there)."""
    view = blur.adjoint(np.ones_like(data))
    seen = view > SMALLEST_VIEW * float(blur.kernel.sum())
    return np.where(seen, 1.0 / np.where(seen, view, 1.0), 0.0).astype(data.dtype)


def _update(estimate: Image, step: Image, keep: Image | None) -> tuple[float, float]:
    """Multiply the estimate by the step in place; return its old norm and the change's norm."""
    if keep is not None:
        step[keep == 0.0] = 1.0
    norm = float(np.sqrt(np.vdot(estimate, estimate)))
    step *= estimate
    estimate -= step
    moved = float(np.sqrt(np.vdot(estimate, estimate)))
    np.copyto(estimate, step)
    return norm, moved


def _tv_divisor(estimate: Image, weight: float) -> Image:
    """Return 1 - weight * div(grad u / |grad u|), kept away from zero.

    Forward differences for the gradient, backward for the divergence (minus its adjoint); the
    modulus is smoothed by 8 ``weight`` of the image's mean, at least a thousandth: less, and a
    checkerboard would grow on flat ground (its divergence is 8 u over the smoothing, and one
    iteration must change it by less than 2 u).
    """
    smooth = (max(1e-3, 8.0 * weight) * float(estimate.mean(dtype=np.float64)) + TINY) ** 2
    down = np.diff(estimate, axis=0, append=estimate[-1:])
    right = np.diff(estimate, axis=1, append=estimate[:, -1:])
    size = np.sqrt(down * down + right * right + estimate.dtype.type(smooth))
    down /= size
    right /= size
    divergence = down + right
    divergence[1:] -= down[:-1]
    divergence[:, 1:] -= right[:, :-1]
    return np.maximum(1.0 - weight * divergence, 0.1).astype(estimate.dtype)
