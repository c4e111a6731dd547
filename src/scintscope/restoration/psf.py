"""The kernel that turns the thin plate's image into the thick plate's: thick = thin * h.

Zhou et al. 2025 get h by deconvolving the thick image by the thin one, that is by
F{h} = F{PSF200} / F{PSF20}. Their Eq. 4 as printed has the ratio the other way up, which is the
inverse of the kernel their text describes and uses; here it is thick over thin.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.errors import DataError
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.iteration import iteration
from scintscope.restoration.psf_radial import estimate_radial, fading_window
from scintscope.restoration.psf_window import centre_of, cut_window
from scintscope.tiled_fft import WORKERS, TiledFilter, Window

Image = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Progress = Callable[[float], None]

RISE_TOLERANCE = 1e-3


class PsfStatus(Enum):
    """How the PSF estimate ended; the value is the sentence for the report."""

    CONVERGED = "the PSF changed by less than the tolerance and the iteration was stopped."
    ITERATION_LIMIT = (
        "all iterations asked for were done; the PSF was still changing by the share reported."
    )
    DIRECT = "the PSF is a regularised ratio of transforms; nothing iterates."
    FITTED = "the PSF is a radially symmetric mixture fitted to both images' spectra."
    DIVERGED = "the misfit rose instead of falling: thin and thick image do not fit together."


@dataclass(frozen=True, kw_only=True, slots=True)
class PsfEstimate:
    """An estimated kernel and what it rests on.

    Parameters
    ----------
    psf : (n, n) float64 array
        Non-negative, unit sum, centre at ``(n // 2, n // 2)``.
    full_psf : (M, N) float32 array
        The estimate before centring, cut and taper, in its own units (sum = gain); zero lag at
        ``(M // 2, N // 2)``.
    history : tuple of float
        I-divergence per used pixel of the estimate entering each iteration.
    change : tuple of float
        Change of the estimate in each iteration over its norm.
    iterations : int
    status : PsfStatus
    centre_offset_px : (float, float)
        Where the kernel's centre was found, row and column from zero lag: what registration left.
    truncated_share : float
        Share of the full estimate's sum outside the square.
    tapered_share : float
        Share of the square's sum that the taper took.
    negative_share : float
        Sum of negative values set to zero over the sum kept (ratio estimate only).
    gain : float
        Sum of the full estimate: thick signal per thin signal.
    """

    psf: NDArray[np.float64]
    full_psf: NDArray[np.float32]
    history: tuple[float, ...]
    change: tuple[float, ...]
    iterations: int
    status: PsfStatus
    centre_offset_px: tuple[float, float]
    truncated_share: float
    tapered_share: float
    negative_share: float
    gain: float


def estimate_psf(
    thin: Image,
    thick: Image,
    config: RestorationConfig,
    *,
    valid: Mask | None = None,
    progress: Progress | None = None,
) -> PsfEstimate:
    """Return the kernel h of thick = thin * h.

    Parameters
    ----------
    thin, thick : (M, N) float arrays, >= 0
        Signals of one target in one frame, in comparable units, registered.
    config : RestorationConfig
        The ``psf_*`` settings.
    valid : (M, N) bool array or None
        Where the thin image is real. A pixel of the thick image is compared only where the thin
        one is known all around it, half a PSF square far.
    progress : callable or None
        Called with the share done, in [0, 1].

    Returns
    -------
    PsfEstimate

    Raises
    ------
    DataError
        Shapes differ, negative or NaN values, no signal, a frame too small for the square, or an
        estimate without positive values.
    """
    _check_signals(thin, thick, config.psf_size_px)
    weight = _data_weight((thin.shape[0], thin.shape[1]), valid, config.psf_size_px)
    if not float((thick * weight).sum()) > 0:
        raise DataError("the thick target has no signal where thin and thick overlap.")
    history: tuple[float, ...] = ()
    change: tuple[float, ...] = ()
    if config.psf_method == "fourier_ratio":
        full, negative = _fourier_ratio(thin, thick, valid, config.psf_regularisation)
        status = PsfStatus.DIRECT
    elif config.psf_method == "radial":
        full, negative, status = estimate_radial(thin, thick, valid), 0.0, PsfStatus.FITTED
    else:
        full, history, change, status = _richardson_lucy_kernel(
            thin, thick, weight, config, progress
        )
        negative = 0.0
    centre = centre_of(full, config.psf_centre, config.psf_size_px)
    psf, truncated, tapered = cut_window(full, centre, config.psf_size_px, config.psf_taper)
    return PsfEstimate(
        psf=psf,
        full_psf=full.astype(np.float32),
        history=history,
        change=change,
        iterations=len(history),
        status=status,
        centre_offset_px=(centre[0] - full.shape[0] // 2, centre[1] - full.shape[1] // 2),
        truncated_share=truncated,
        tapered_share=tapered,
        negative_share=negative,
        gain=float(full.sum(dtype=np.float64)),
    )


def kernel_snapshots(
    thin: Image,
    thick: Image,
    config: RestorationConfig,
    iterations: Collection[int],
    *,
    valid: Mask | None = None,
) -> dict[int, NDArray[np.float32]]:
    """Return `estimate_psf`'s ``full_psf`` by Richardson-Lucy after each of several iterations.

    One pass up to the largest; each is to the bit what ``psf_iterations`` alone would give.
    """
    _check_signals(thin, thick, config.psf_size_px)
    weight = _data_weight((thin.shape[0], thin.shape[1]), valid, config.psf_size_px)
    kept: dict[int, NDArray[np.float32]] = {}

    def keep(done: int, estimate: Image) -> None:
        if done in iterations:
            kept[done] = estimate.astype(np.float32)

    most = replace(config, psf_iterations=max(iterations), psf_tolerance=0.0)
    _richardson_lucy_kernel(thin, thick, weight, most, None, keep)
    return kept


def _check_signals(thin: Image, thick: Image, size_px: int) -> None:
    if thin.shape != thick.shape or thin.ndim != 2:
        raise DataError(
            f"thin is {thin.shape} and thick is {thick.shape}: give two images of one shape."
        )
    for name, image in (("thin", thin), ("thick", thick)):
        if not np.isfinite(image).all() or float(image.min()) < 0:
            raise DataError(f"the {name} signal must be finite and non-negative.")
        if not float(image.max()) > 0:
            raise DataError(f"the {name} target has no signal: every pixel is zero.")
    if 2 * size_px > min(thin.shape):
        raise DataError(
            f"psf_size_px = {size_px} is too large for images of {thin.shape}: at most half of "
            f"the smaller side, {min(thin.shape) // 2}."
        )


def _data_weight(shape: tuple[int, int], valid: Mask | None, size_px: int) -> NDArray[np.float32]:
    """Return one where a thick pixel is compared: half a square away from unknown thin pixels."""
    from scipy import ndimage

    known = np.ones(shape, dtype=bool) if valid is None else valid
    outside = np.pad(~known, 1, constant_values=True).astype(np.uint8)
    reach = 2 * (size_px // 2) + 1
    near = ndimage.maximum_filter(outside, size=reach, mode="constant", cval=1)[1:-1, 1:-1]
    weight: NDArray[np.float32] = (near == 0).astype(np.float32)
    if weight.sum() < size_px * size_px:
        raise DataError("thin and thick image overlap too little to estimate a PSF.")
    return weight


@dataclass(frozen=True, slots=True, eq=False)
class ThinOperator:
    """The linear map h -> thin * h on the frame, for lags up to ``lags`` on each axis.

    The transforms are long enough that no lag wraps into another: frame plus the farthest lag.
    """

    thin: Image
    lags: tuple[int, int]
    fft_shape: tuple[int, int]
    spectrum: NDArray[Any]

    @classmethod
    def build(cls, thin: Image, lags: tuple[int, int]) -> ThinOperator:
        """Return the operator of an image for kernels of ``lags`` samples, centre ``n // 2``."""
        lengths = [
            int(fft.next_fast_len(n + k // 2 + 1, real=True))
            for n, k in zip(thin.shape, lags, strict=True)
        ]
        shape = (lengths[0], lengths[1])
        return cls(thin, lags, shape, fft.rfft2(thin, s=shape, workers=WORKERS))

    @property
    def tiles(self) -> TiledFilter:
        """The map as a filter on the transform's grid; lag zero lies at its origin."""
        before = (-(self.lags[0] // 2), -(self.lags[1] // 2))
        return TiledFilter(
            otf=self.spectrum,
            grid_shape=self.fft_shape,
            source=Window(start=before, shape=self.lags),
            target=Window(start=(0, 0), shape=(self.thin.shape[0], self.thin.shape[1])),
        )

    def forward(self, kernel: Image) -> Image:
        """Return thin * kernel on the frame."""
        return self.tiles.apply(kernel)

    def adjoint(self, image: Image) -> Image:
        """Return the correlation of an image with thin, at each lag of the kernel."""
        return self.tiles.apply_adjoint(image)


def _richardson_lucy_kernel(
    thin: Image,
    thick: Image,
    weight: NDArray[np.float32],
    config: RestorationConfig,
    progress: Progress | None,
    observe: Callable[[int, Image], None] | None = None,
) -> tuple[Image, tuple[float, ...], tuple[float, ...], PsfStatus]:
    """Return the full kernel by Richardson-Lucy, h <- h / (A'w) * A'(w d / Ah)."""
    dtype = np.dtype(config.precision)
    data, weight_of_data = np.asarray(thick, dtype=dtype), weight.astype(dtype, copy=False)
    size = config.psf_size_px
    lags = (size, size) if config.psf_start == "window" else (thin.shape[0], thin.shape[1])
    operator = ThinOperator.build(np.asarray(thin, dtype=dtype), lags)
    view = operator.adjoint(weight_of_data)
    seen = view > 1e-3 * float(view.max())
    total = float((data * weight_of_data).sum(dtype=np.float64))
    gain = total / float((operator.thin * weight_of_data).sum(dtype=np.float64))
    work = iteration(
        config.engine,
        operator.tiles,
        data,
        weight=weight_of_data,
        inverse_view=np.where(seen, 1.0 / np.where(seen, view, 1.0), 0.0).astype(dtype),
        accelerate=config.psf_acceleration == "biggs_andrews",
    )
    first = (gain * _first_kernel(seen, config)).astype(dtype)
    found = work.run(
        first,
        config.psf_iterations,
        tolerance=config.psf_tolerance,
        progress=progress,
        observe=observe,
    )
    status = PsfStatus.CONVERGED if found.converged else PsfStatus.ITERATION_LIMIT
    if found.broken or found.history[-1] > (1.0 + RISE_TOLERANCE) * found.history[0]:
        status = PsfStatus.DIVERGED
    return found.estimate, tuple(found.history), tuple(found.change), status


def _first_kernel(seen: Mask, config: RestorationConfig) -> NDArray[np.float64]:
    """Return the unit-sum first estimate: flat or peaked, zero at lags the frame does not see."""
    first = np.ones(seen.shape)
    if config.psf_start == "peaked":
        width = max(config.psf_size_px / 20.0, 0.5)
        row, column = (np.arange(n) - n // 2 for n in seen.shape)
        first = (1.0 + (row[:, None] ** 2 + column[None, :] ** 2) / width**2) ** -1.5
    first = np.where(seen, first, 0.0)
    return np.asarray(first / first.sum())


def _fourier_ratio(
    thin: Image, thick: Image, valid: Mask | None, regularisation: float
) -> tuple[Image, float]:
    """Return the kernel conj(F20) F200 / (abs(F20)^2 + r mean abs(F20)^2), and its negative share.

    Both images lose their mean and fade to zero at the frame's border first. Negative values are
    set to zero; their sum over the sum kept is returned.
    """
    window = fading_window((thin.shape[0], thin.shape[1]), valid)
    shape = tuple(int(fft.next_fast_len(2 * n, real=True)) for n in thin.shape)
    spectra = []
    for image in (thin, thick):
        mean = float((window * image).sum() / window.sum())
        spectra.append(fft.rfft2(window * (image - mean), s=shape, workers=WORKERS))
    power = np.abs(spectra[0]) ** 2
    ratio = np.conj(spectra[0]) * spectra[1] / (power + regularisation * float(power.mean()))
    lags = fft.irfft2(ratio, s=shape, workers=WORKERS)
    rows, columns = thin.shape
    turned = np.roll(lags, (rows // 2, columns // 2), axis=(0, 1))[:rows, :columns]
    kept = np.maximum(turned, 0.0)
    if not float(kept.sum()) > 0:
        raise DataError("the ratio of transforms has no positive part: the images do not match.")
    return kept, float(-np.minimum(turned, 0.0).sum() / kept.sum())
