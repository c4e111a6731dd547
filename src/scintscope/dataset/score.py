"""Per-sample numbers: how far input and baseline are from both truths, and how the chain went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.dataset.contents import PLATES, objects
from scintscope.errors import InputError
from scintscope.metrics import compare_to_truth, kernel_relative_error
from scintscope.verdict.single_psf import border_px

if TYPE_CHECKING:
    from scintscope.dataset.make import Case

Arrays = Mapping[str, NDArray[Any]]

MEASURES = ("rmse", "ssim", "psnr")
RESTORED = "restored"


def scores(case: Case, arrays: Arrays) -> dict[str, Any]:
    """Return the numbers of a sample; None where a number does not exist.

    Parameters
    ----------
    case : Case
        The sample while it is made.
    arrays : dict of str to array
        Its arrays.
    """
    numbers: dict[str, Any] = {}
    for plate in PLATES:
        counts = case.exposures.stacks[f"{plate}_background"]
        numbers[f"{plate}_background_mean_adu"] = float(counts.mean(dtype=np.float64))
        numbers[f"{plate}_background_max_adu"] = int(counts.max())
        numbers[f"{plate}_x_rays_per_psf"] = float(case.bench.quanta[plate].quanta_per_psf)
    if "restored" not in case.study.contents:
        return numbers
    numbers["restoration_trouble"] = case.trouble
    found = case.restoration
    numbers["registered"] = None if found is None else bool(found.pair.status.trusted)
    if {"truth", "restored"} <= set(case.study.contents):
        for what in objects(case.study):
            numbers |= _against_truth(case, arrays, what)
    if "psf" in case.study.contents:
        numbers["psf_relative_error"] = None
        if found is not None:
            numbers["psf_relative_error"] = float(
                kernel_relative_error(arrays["psf_estimated"], arrays["psf_thin_to_thick"])
            )
    return numbers


def _against_truth(case: Case, arrays: Arrays, what: str) -> dict[str, Any]:
    """Return distances of input and baseline from both truths, after gain and offset and raw."""
    numbers: dict[str, Any] = {}
    size = case.study.base.restoration.psf_size_px
    shape = arrays[f"{what}_truth"].shape
    reach = border_px(case.bench.responses["thick"], case.bench.planes["thick"], shape)
    border = min(max(reach, size // 2), min(shape) // 4)
    for truth_name, end in ((f"{what}_truth", ""), (f"{what}_truth_xray", "_vs_xray")):
        truth = as_measured(arrays[truth_name], case, what)
        for kind in ("input", RESTORED):
            found = scored(arrays[f"{what}_{kind}"], truth, border)
            for measure in MEASURES:
                numbers[f"{what}_{kind}_{measure}{end}"] = found.get(measure)
                numbers[f"{what}_{kind}_{measure}{end}_raw"] = found.get(f"{measure}_raw")
    return numbers


def as_measured(truth: NDArray[Any], case: Case, what: str) -> NDArray[Any]:
    """Return a true transmission as the images are: a transmission, or a signal 1 - it."""
    config = case.scenario.restoration
    if what == "specimen" and config.specimen_background == "divide":
        return truth
    return (1.0 if config.target_sign == "absorbing" else -1.0) * (1.0 - truth)


def scored(image: NDArray[Any], truth: NDArray[Any], border: int) -> dict[str, float]:
    """Return rmse, ssim and psnr inside a border, fitted and raw; empty if they do not exist."""
    rows, columns = truth.shape
    inner = (slice(border, rows - border), slice(border, columns - border))
    try:
        found = compare_to_truth(image[inner], truth[inner])
    except InputError:  # no image (a failed baseline) or a truth without contrast
        return {}
    return {
        f"{measure}{end}": float(getattr(found, f"{measure}{end}"))
        for measure in MEASURES
        for end in ("", "_raw")
    }
