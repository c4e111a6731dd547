"""Centring, cutting, tapering and normalising an estimated kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, check_choice
from scintscope.restoration.config import CHOICES

Image = NDArray[np.floating[Any]]

CORE = 0.1
"""The centroid is taken over values above this share of the peak."""

COSINE_SHARE = 0.25
"""``taper="cosine"`` falls over this outer share of the half-width."""

STILL_PX = 0.02
"""A sub-pixel offset below this is not worth an interpolation."""


def centre_of(full: Image, rule: str, size_px: int) -> tuple[float, float]:
    """Return where a kernel's centre is, (row, column) in pixels of its array.

    ``"peak"``: the largest value after 3 x 3 smoothing, whole pixels. ``"centroid"``: the centroid
    of all above a tenth of the peak that hangs together with it, within a quarter of ``size_px``
    of it; defects far away do not pull. ``"none"``: zero lag, ``n // 2``.
    """
    from scipy import ndimage

    check_choice("psf_centre", rule, CHOICES["psf_centre"])
    middle = (full.shape[0] // 2, full.shape[1] // 2)
    if rule == "none":
        return float(middle[0]), float(middle[1])
    row, column = _peak(full, middle, size_px)
    if rule == "peak":
        return float(row), float(column)
    reach = max(size_px // 4, 2)
    rows = slice(max(row - reach, 0), row + reach + 1)
    columns = slice(max(column - reach, 0), column + reach + 1)
    near = np.asarray(full[rows, columns], dtype=np.float64)
    labels, _ = ndimage.label(near > CORE * near.max(), structure=np.ones((3, 3)))
    core = np.where(labels == labels[row - rows.start, column - columns.start], near, 0.0)
    offset = ndimage.center_of_mass(core)
    return rows.start + float(offset[0]), columns.start + float(offset[1])


def _peak(full: Image, middle: tuple[int, int], size_px: int) -> tuple[int, int]:
    """Return the smoothed kernel's largest pixel, looked for within ``size_px`` of zero lag."""
    from scipy import ndimage

    rows, columns = (slice(max(m - size_px, 0), m + size_px + 1) for m in middle)
    near = ndimage.uniform_filter(np.asarray(full[rows, columns], dtype=np.float64), 3)
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    return rows.start + int(row), columns.start + int(column)


def cut_window(
    full: Image, centre: tuple[float, float], size_px: int, taper: str = "none"
) -> tuple[NDArray[np.float64], float, float]:
    """Return the square about a kernel's centre, tapered, unit sum, and the shares lost.

    Parameters
    ----------
    full : (M, N) float array, >= 0
        The kernel.
    centre : (float, float)
        Its centre, (row, column); comes to lie at ``size_px // 2``. Fractions of a pixel are moved
        by a cubic spline, whose rare negative values are set to zero.
    size_px : int
        Side of the square, odd or even. Beyond the array the kernel is zero.
    taper : {"none", "cosine", "hann"}

    Returns
    -------
    psf : (size_px, size_px) float64 array
        Unit sum.
    truncated_share : float
        Share of the kernel's sum that lies outside the square.
    tapered_share : float
        Share of the square's sum that the taper took.

    Raises
    ------
    DataError
        Nothing positive inside the square.
    """
    from scipy import ndimage

    check_choice("psf_taper", taper, CHOICES["psf_taper"])
    source = np.asarray(full, dtype=np.float64)
    whole = [round(c) for c in centre]
    if any(abs(c - w) > STILL_PX for c, w in zip(centre, whole, strict=True)):
        fraction = [w - c for c, w in zip(centre, whole, strict=True)]
        source = np.maximum(ndimage.shift(source, fraction, order=3, mode="constant"), 0.0)
    window = _cut(source, whole, size_px)
    total, inside = float(source.sum()), float(window.sum())
    if not inside > 0:
        raise DataError("the estimated PSF has no positive value in its square.")
    profile = taper_profile(size_px, taper)
    psf = window * profile[:, None] * profile[None, :]
    kept = float(psf.sum())
    return psf / kept, 1.0 - inside / total, 1.0 - kept / inside


def _cut(source: Image, centre: list[int], size_px: int) -> NDArray[np.float64]:
    window = np.zeros((size_px, size_px))
    starts = [c - size_px // 2 for c in centre]
    inside = [
        slice(max(s, 0), min(s + size_px, n)) for s, n in zip(starts, source.shape, strict=True)
    ]
    to = [slice(i.start - s, i.stop - s) for i, s in zip(inside, starts, strict=True)]
    if all(i.stop > i.start for i in inside):
        window[to[0], to[1]] = source[inside[0], inside[1]]
    return window


def taper_profile(size_px: int, taper: str) -> NDArray[np.float64]:
    """Return the 1-D taper of a square's side, one at ``size_px // 2``.

    The half-width is ``size_px / 2``. ``cosine``: one, then a raised cosine over the outer quarter
    of the half-width. ``hann``: raised cosine over all of it. Symmetric about the centre sample.
    """
    if taper == "none":
        return np.ones(size_px)
    distance = np.abs(np.arange(size_px) - size_px // 2) / (0.5 * size_px + 0.5)
    share = COSINE_SHARE if taper == "cosine" else 1.0
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip((distance - 1.0 + share) / share, 0, 1)))
