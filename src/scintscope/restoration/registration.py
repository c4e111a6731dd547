"""Registration of two images to a small part of a pixel, with a report and no silent failure.

Several motions are proposed (SIFT with RANSAC, cross-correlation, no motion at all); the one under
which the images correlate best is refined on grey levels. Two jobs:

- `register_pair`: thin to thick image on the target, by a similarity (the plates' swap can
  magnify). Thick pixels are the fixed frame and are never resampled.
- `register_background`: a background to its sample on the plate's *defects*, by a translation. The
  sample's own image, present in one of the two only, must not steer it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, check_choice
from scintscope.restoration.defects import (
    despeckle,
    dilate,
    find_defects,
    logarithm,
    readable_tiles,
    shifted_mask,
)
from scintscope.restoration.features import (
    FeatureMatch,
    band_pass,
    correlate_shift,
    match_features,
)
from scintscope.restoration.refine import Refinement, correlation, match_blur, refine_transform
from scintscope.restoration.transform import IDENTITY, Transform

Image = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

FINE_PX, COARSE_PX = 1.5, 24.0
DEFECT_FINE_PX, DEFECT_COARSE_PX = 1.2, 6.0
FEWEST_DEFECTS = 3
DEFECT_REACH_PX = 6
DRIFT_PX = 16.0
"""Cross-correlation looks for drifts up to this; larger ones need features that agree, since the
sample's own lines correlate with a few defects somewhere in a large field."""

BLURS_PX = (0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
PAIR_SPREAD, DEFECT_SPREAD = 1.0, 0.2
WEAK_CORRELATION = 0.1
SETTLE_PX = 3.0
DEFECT_SLACK = 0.1
"""Correlation a refinement on defects may lose: the sample's lines among them add as much by
chance, and the refinement, unlike the correlation, discards them."""

PREFERENCE = 0.02
"""Correlation by which another proposal must beat SIFT's to replace it."""


class RegistrationStatus(Enum):
    """How a registration ended; the value is the sentence for the report."""

    FEATURES = "SIFT features agree on one motion, refined on grey levels."
    CORRELATION = (
        "SIFT found no motion the images agree with; cross-correlation did, refined on grey levels."
    )
    UNREFINED = "a coarse motion was found, but refining it did not settle; the coarse one is used."
    NO_DEFECTS = "no plate defects stand out of the noise; the frames are taken as aligned."
    COVERED = (
        "plate defects were found, but the sample covers them; the frames are taken as aligned."
    )
    FAILED = "no motion makes the images alike; they are taken as aligned."
    DISABLED = "registration is switched off; the frames are taken as aligned."

    @property
    def trusted(self) -> bool:
        """Whether the motion was measured and settled."""
        return self in (RegistrationStatus.FEATURES, RegistrationStatus.CORRELATION)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistrationReport:
    """A motion and what it rests on.

    Parameters
    ----------
    transform : Transform
        Fixed to moving positions.
    status : RegistrationStatus
    matches, inliers : int
        SIFT pairs after the ratio test; those that agree with SIFT's motion.
    rms_px : float
        Root mean square distance of the inliers from SIFT's motion, pixels; NaN without.
    correlation : float
        Normalised correlation after registration over the region used; NaN if not measured.
    correlation_before : float
        The same without any motion.
    defects : int
        Defects found to register on; 0 for a pair.
    """

    transform: Transform
    status: RegistrationStatus
    matches: int = 0
    inliers: int = 0
    rms_px: float = math.nan
    correlation: float = math.nan
    correlation_before: float = math.nan
    defects: int = 0

    @property
    def sentence(self) -> str:
        """The status in words, with the motion."""
        t = self.transform
        motion = (
            f"shift ({t.shift_row_px:+.3f}, {t.shift_column_px:+.3f}) px, scale {t.scale:.6f}, "
            f"rotation {math.degrees(t.angle_rad):+.4f} deg"
        )
        return f"{self.status.value} {motion}; {self.inliers} of {self.matches} matches agree."


DISABLED = RegistrationReport(transform=IDENTITY, status=RegistrationStatus.DISABLED)


def register_pair(
    fixed: Image,
    moving: Image,
    *,
    model: str = "similarity",
    threshold_px: float = 1.5,
    max_shift_fraction: float = 0.25,
) -> RegistrationReport:
    """Return the motion from the thick (fixed) to the thin (moving) image of one target.

    Parameters
    ----------
    fixed, moving : (M, N) float arrays
        Two images of one object; blur, gain, offset and noise may differ.
    model : {"similarity", "translation"}
    threshold_px : float
        RANSAC threshold.
    max_shift_fraction : float
        Largest shift looked for, as a share of the frame's smaller side.

    Raises
    ------
    DataError
        Shapes differ.
    """
    _check_same(fixed, moving)
    check_choice("model", model, ("similarity", "translation"))
    first, second = (band_pass(despeckle(im), FINE_PX, COARSE_PX) for im in (fixed, moving))
    reach = max_shift_fraction * min(fixed.shape)
    found = match_features(
        first, second, model=model, threshold_px=threshold_px, largest_shift_px=reach
    )
    return _decide_pair(first, second, found, model, reach)


def register_background(
    sample: Image,
    background: Image,
    *,
    model: str = "translation",
    threshold_px: float = 1.5,
    max_shift_fraction: float = 0.25,
) -> RegistrationReport:
    """Return the motion from a sample frame (fixed) to its background frame (moving).

    Works on the plate's defects: both images are band-passed in the logarithm, where a defect's
    multiplied contrast is the same in both, clipped to the defects' range, so that strong edges of
    the sample weigh no more than a defect, and compared around the background's defects only.

    Parameters
    ----------
    sample, background : (M, N) float arrays
        Corrected counts of one plate.
    model, threshold_px, max_shift_fraction
        As for `register_pair`.

    Returns
    -------
    RegistrationReport
        ``NO_DEFECTS`` and no motion where fewer than three defects stand out.
    """
    _check_same(sample, background)
    check_choice("model", model, ("similarity", "translation"))
    first, second = (
        band_pass(despeckle(logarithm(im)), DEFECT_FINE_PX, DEFECT_COARSE_PX)
        for im in (sample, background)
    )
    marks, defects = find_defects(second)
    if defects < FEWEST_DEFECTS:
        return RegistrationReport(
            transform=IDENTITY, status=RegistrationStatus.NO_DEFECTS, defects=defects
        )
    limit = float(np.percentile(np.abs(second[marks]), 90.0))
    first, second = (np.clip(im, -limit, limit) for im in (first, second))
    reach = max_shift_fraction * min(sample.shape)
    found = _match_defects(first, second, marks, model, threshold_px, reach)
    masked = np.where(dilate(marks, DEFECT_REACH_PX), second, 0.0).astype(np.float32)
    coarse = correlate_shift(first, masked, min(reach, DRIFT_PX))
    proposal = _better(first, second, [found.transform or IDENTITY, IDENTITY, coarse], marks)
    near = shifted_mask(dilate(marks, DEFECT_REACH_PX), proposal)
    return _decide_background(first, second, found, proposal, near, model, reach, defects)


def _match_defects(
    sample: Image, background: Image, marks: Mask, model: str, threshold_px: float, reach: float
) -> FeatureMatch:
    """Return SIFT's motion from sample to background, its features taken from the defects."""
    found = match_features(
        background,
        sample,
        model=model,
        threshold_px=threshold_px,
        largest_shift_px=reach,
        fixed_mask=dilate(marks, DEFECT_REACH_PX),
    )
    if found.transform is None:
        return found
    return FeatureMatch(
        transform=found.transform.inverse(),
        matches=found.matches,
        inliers=found.inliers,
        rms_px=found.rms_px,
    )


def _better(first: Image, second: Image, proposals: list[Transform], marks: Mask) -> Transform:
    """Return the proposal under which most tiles with defects are alike; the first at a tie."""
    near = dilate(marks, DEFECT_REACH_PX)
    tiles = [readable_tiles(first, second, shifted_mask(near, t), t)[1] for t in proposals]
    return proposals[int(np.argmax(tiles))]


def _decide_pair(
    first: Image, second: Image, found: FeatureMatch, model: str, reach: float
) -> RegistrationReport:
    """Return the report on the best proposal for a pair, refined at matched blur."""
    coarse = correlate_shift(first, second, reach)
    before = correlation(first, second, IDENTITY, None)
    options = [(before, IDENTITY), (correlation(first, second, coarse, None), coarse)]
    score, start = max(options, key=lambda option: option[0])
    status = RegistrationStatus.CORRELATION
    if found.transform is not None:
        by_sift = correlation(first, second, found.transform, None)
        if by_sift >= score - PREFERENCE:
            start, status = found.transform, RegistrationStatus.FEATURES
    first, second, _ = match_blur(first, second, start, BLURS_PX)
    score = correlation(first, second, start, None)
    refined = refine_transform(first, second, start, model=model, spread_share=PAIR_SPREAD)
    outcome = _verdict(status, start, (score, PREFERENCE), refined, reach)
    return _report(found, outcome, before, 0)


def _decide_background(
    first: Image,
    second: Image,
    found: FeatureMatch,
    start: Transform,
    mask: Mask,
    model: str,
    reach: float,
    defects: int,
) -> RegistrationReport:
    """Return the report on a proposal for a background, refined on the readable defects."""
    before = correlation(first, second, IDENTITY, mask)
    status = RegistrationStatus.CORRELATION
    if found.transform is not None and start == found.transform:
        status = RegistrationStatus.FEATURES
    start, mask, enough = _settle_on_defects(first, second, start, model, mask)
    if not enough:
        return _report(found, (RegistrationStatus.COVERED, IDENTITY, before), before, defects)
    score = correlation(first, second, start, mask)
    refined = refine_transform(
        first, second, start, model=model, mask=mask, spread_share=DEFECT_SPREAD
    )
    outcome = _verdict(status, start, (score, DEFECT_SLACK), refined, reach)
    return _report(found, outcome, before, defects)


def _report(
    found: FeatureMatch,
    outcome: tuple[RegistrationStatus, Transform, float],
    before: float,
    defects: int,
) -> RegistrationReport:
    status, transform, final = outcome
    return RegistrationReport(
        transform=transform,
        status=status,
        matches=found.matches,
        inliers=found.inliers,
        rms_px=found.rms_px,
        correlation=final,
        correlation_before=before,
        defects=defects,
    )


def _settle_on_defects(
    first: Image, second: Image, start: Transform, model: str, mask: Mask
) -> tuple[Transform, Mask, bool]:
    """Return a motion refined on the defects both images show, these, and if they suffice."""
    readable, _, enough = readable_tiles(first, second, mask, start)
    if not enough:
        return start, readable, enough
    rough = refine_transform(
        first, second, start, model=model, mask=readable, spread_share=PAIR_SPREAD
    )
    moved = float(np.abs(rough.transform.shift_px - start.shift_px).max())
    if moved <= SETTLE_PX and rough.correlation > 0:
        start = rough.transform
    readable, _, enough = readable_tiles(first, second, mask, start)
    return start, readable, enough


def _verdict(
    status: RegistrationStatus,
    start: Transform,
    scored: tuple[float, float],
    refined: Refinement,
    reach: float,
) -> tuple[RegistrationStatus, Transform, float]:
    """Return status, motion and correlation.

    ``scored`` is the start's correlation and how much of it a good refinement may lose.
    """
    score, slack = scored
    drift = float(np.abs(refined.transform.shift_px - start.shift_px).max())
    good = (
        refined.converged
        and refined.correlation >= score - slack
        and drift <= max(4.0, 0.02 * reach)
        and abs(refined.transform.scale - 1.0) < 0.25
    )
    if max(score, refined.correlation if good else 0.0) < WEAK_CORRELATION:
        return RegistrationStatus.FAILED, IDENTITY, score
    if not good:
        return RegistrationStatus.UNREFINED, start, score
    return status, refined.transform, refined.correlation


def _check_same(first: Image, second: Image) -> None:
    if first.shape != second.shape or first.ndim != 2:
        raise DataError(
            f"cannot register images of shapes {first.shape} and {second.shape}: give two "
            "two-dimensional images of one shape."
        )
