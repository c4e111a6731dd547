"""Sub-pixel refinement of a motion by least squares on grey levels.

Gauss-Newton on the model fixed(x) = a moving(T(x)) + b (Lucas and Kanade 1981, Proc. IJCAI, 674;
compositional form of Baker and Matthews 2004, Int. J. Comput. Vis. 56, 221), with Tukey's biweight
so that defects seen by one image only do not pull.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.restoration.features import blurred, robust_spread
from scintscope.restoration.transform import (
    Transform,
    image_centre,
    sample_grid,
    spline_of,
    valid_mask,
)

Image = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

MOST_SAMPLES = 1_000_000
TUKEY = 4.685
"""Tukey's constant: 95 % efficient on Gaussian residuals."""

MOST_STEPS = 30
STEP_TOLERANCE_PX = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class Refinement:
    """Outcome of the refinement.

    Parameters
    ----------
    transform : Transform
    correlation : float
        Normalised correlation of the fixed and the warped image over the region used, in [-1, 1].
    steps : int
        Gauss-Newton steps taken.
    converged : bool
        Whether the last step moved the image by less than 1e-3 px.
    """

    transform: Transform
    correlation: float
    steps: int
    converged: bool


def sampling_step(shape: tuple[int, int]) -> int:
    """Return every how many pixels a frame is sampled, so that at most a million remain."""
    step = 1
    while (shape[0] // step) * (shape[1] // step) > MOST_SAMPLES:
        step += 1
    return step


def correlation(fixed: Image, moving: Image, transform: Transform, mask: Mask | None) -> float:
    """Return the normalised correlation of two images under a motion, inside a region."""
    step = sampling_step((fixed.shape[0], fixed.shape[1]))
    warped = sample_grid(moving, transform, step=step, order=1)
    use = _region((fixed.shape[0], fixed.shape[1]), transform, mask, step, margin=0)
    if use.sum() < 16:
        return 0.0
    return _normalised(fixed[::step, ::step][use], warped[use])


def match_blur(
    fixed: Image, moving: Image, transform: Transform, sigmas_px: tuple[float, ...]
) -> tuple[Image, Image, float]:
    """Return the pair with its sharper image blurred to the other's sharpness.

    Images of unequal blur differ at every edge, where a refinement looks. Gaussians of growing
    width are tried on one image, then on the other, as long as the correlation rises.

    Returns
    -------
    fixed, moving : (M, N) arrays
    sigma_px : float
        Blur given to the moving image; negative: to the fixed one; 0: none helped.
    """
    best = (correlation(fixed, moving, transform, None), fixed, moving, 0.0)
    for which in (1, -1):
        for sigma in sigmas_px:
            source = moving if which == 1 else fixed
            soft = blurred(np.ascontiguousarray(source, dtype=np.float32), sigma, 3.0)
            pair = (fixed, soft) if which == 1 else (soft, moving)
            score = correlation(pair[0], pair[1], transform, None)
            if score <= best[0]:
                break
            best = (score, *pair, which * sigma)
        if best[3] > 0:
            break
    return best[1], best[2], best[3]


def _normalised(first: Image, second: Image) -> float:
    a, b = first - first.mean(dtype=np.float64), second - second.mean(dtype=np.float64)
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def _region(
    shape: tuple[int, int], transform: Transform, mask: Mask | None, step: int, margin: int
) -> Mask:
    use = valid_mask(shape, transform)
    if margin:
        use[:margin] = use[-margin:] = False
        use[:, :margin] = use[:, -margin:] = False
    return (use if mask is None else use & mask)[::step, ::step]


def refine_transform(
    fixed: Image,
    moving: Image,
    start: Transform,
    *,
    model: str,
    mask: Mask | None = None,
    spread_share: float = 1.0,
) -> Refinement:
    """Return the motion refined to a small part of a pixel.

    Parameters
    ----------
    fixed, moving : (M, N) float32 arrays
        Band-passed images (see `features.band_pass`) of one shape.
    start : Transform
        Right to about two pixels.
    model : {"translation", "similarity"}
        What may change.
    mask : (M, N) bool array or None
        Pixels of the fixed image to look at.
    spread_share : float
        Smallest scale of Tukey's biweight, as a share of the residuals' standard deviation. 1
        discards gross outliers only: images of unequal blur differ at every edge, and
        weighting edges down would pull the motion. Small values (0.2) suit images of equal blur.

    Returns
    -------
    Refinement
        Its transform is ``start`` where too few pixels remain to say anything.
    """
    shape = (fixed.shape[0], fixed.shape[1])
    step = sampling_step(shape)
    grid = fixed[::step, ::step]
    lever = image_centre(shape) if model == "similarity" else None
    transform, value, converged, taken = start, 0.0, False, 0
    spline = spline_of(moving)
    for taken in range(1, MOST_STEPS + 1):
        warped = sample_grid(moving, transform, step=step, spline=spline)
        use = _region(shape, transform, mask, step, margin=8)
        use &= np.isfinite(warped)
        if use.sum() < 64:
            return Refinement(transform=start, correlation=0.0, steps=taken, converged=False)
        value = _normalised(grid[use], warped[use])
        update = _gauss_newton(grid, warped, use, step, lever, spread_share)
        if update is None:
            break
        transform = update.then(transform)
        if update.largest_motion_px(shape) < STEP_TOLERANCE_PX:
            converged = True
            break
    return Refinement(transform=transform, correlation=value, steps=taken, converged=converged)


def _gauss_newton(
    fixed: Image,
    warped: Image,
    use: Mask,
    step: int,
    lever: NDArray[np.float64] | None,
    spread_share: float,
) -> Transform | None:
    """Return the small motion that best explains what is left between two images.

    ``lever`` is the image centre, needed for scale and rotation; None: shift only.
    """
    grad_row, grad_column = (np.asarray(g)[use] / step for g in np.gradient(warped))
    target = fixed[use].astype(np.float64)
    current = warped[use].astype(np.float64)
    columns = [current, np.ones_like(current), grad_row, grad_column]
    if lever is not None:
        centre = lever
        rows_at, columns_at = np.nonzero(use)
        row, column = rows_at * step - centre[0], columns_at * step - centre[1]
        columns += [grad_row * row + grad_column * column, grad_column * row - grad_row * column]
    design = np.stack(columns)
    gain, offset = _line(current, target)
    weight = _tukey(target - gain * current - offset, spread_share)
    weighted = design * weight
    normal, right = weighted @ design.T, weighted @ target
    size = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    try:
        solution = np.linalg.solve(normal / np.outer(size, size), right / size) / size
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(solution).all() or abs(solution[0]) < 1e-12:
        return None
    motion = solution[2:] / solution[0]
    motion[:2] = np.clip(motion[:2], -2.0, 2.0)
    grow, turn = (motion[2], motion[3]) if lever is not None else (0.0, 0.0)
    return Transform(
        shift_row_px=float(motion[0]),
        shift_column_px=float(motion[1]),
        scale=float(1.0 + np.clip(grow, -0.05, 0.05)),
        angle_rad=float(np.clip(turn, -0.05, 0.05)),
    )


def _line(x: Image, y: Image) -> tuple[float, float]:
    """Return gain and offset of the least-squares line y = gain x + offset."""
    dx = x - x.mean()
    gain = float((dx * (y - y.mean())).sum() / max(float((dx * dx).sum()), 1e-300))
    return gain, float(y.mean() - gain * x.mean())


def _tukey(residual: Image, spread_share: float) -> Image:
    """Return Tukey's biweight of residuals, their scale from the median absolute deviation."""
    scale = max(robust_spread(residual), spread_share * float(residual.std()), 1e-30)
    ratio = np.clip(np.abs(residual) / (TUKEY * scale), 0.0, 1.0)
    return np.asarray((1.0 - ratio**2) ** 2)
