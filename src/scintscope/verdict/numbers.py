"""Verdicts as the keys of ``metrics.json``. A key whose physics is not computed is None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from scintscope.metrics import TruthComparison, gain_numbers
from scintscope.verdict.answers import CONTRAST, answers
from scintscope.verdict.bought import Bought
from scintscope.verdict.budget import Budget
from scintscope.verdict.judge import KINDS, SampleVerdict, Verdict
from scintscope.verdict.local import LocalBudget
from scintscope.verdict.single_psf import SinglePsf
from scintscope.verdict.validity import ValidityMap, criterion_of

_MEASURES = ("rmse", "ssim", "psnr")


def single_psf_numbers(
    single: SinglePsf, budget: LocalBudget | Budget | None = None
) -> dict[str, Any]:
    """Return ``single_psf``; without a budget its keys are None.

    ``budget`` has the RMS of each effect alone, ``budget_total`` the plates' spectra on top of
    ``rms_relative_error``'s effects, ``optics_only_relative_error`` a PSF without the halo.
    ``budget_method`` is "images", or "local" where local transfer functions gave the numbers.
    """
    return {
        "rms_relative_error": single.rms_relative_error,
        "edge_relative_error": single.edge_relative_error,
        "rms_relative_error_entrance": single.rms_relative_error_entrance,
        "registered_scale": single.similarity.scale,
        "registered_shift_um": list(single.similarity.shift_um),
        "border_px": single.border_px,
    } | budget_numbers(budget)


def budget_numbers(budget: LocalBudget | Budget | None) -> dict[str, Any]:
    """Return the keys of ``single_psf`` that a budget fills."""
    names = ("budget", "budget_edge", "budget_interaction", "budget_total", "budget_method",
             "optics_only_relative_error", "plate_contrast_gain")  # fmt: skip
    if budget is None:
        return dict.fromkeys(names)
    if isinstance(budget, Budget):
        values: tuple[Any, ...] = (
            {effect: part.rms for effect, part in budget.parts.items()},
            {effect: part.edge for effect, part in budget.parts.items()},
            budget.interaction.rms,
            budget.total.rms,
            "images",
        )
    else:
        values = (
            dict(budget.rms), dict(budget.edge), budget.interaction, budget.total, "local",
        )  # fmt: skip
    values += (budget.optics_only, budget.contrast_gain)
    return dict(zip(names, values, strict=True))


def verdict_numbers(verdict: Verdict) -> dict[str, Any]:
    """Return ``single_psf``, ``psf`` and ``restoration``."""
    psf = verdict.psf
    return {
        "single_psf": single_psf_numbers(verdict.single, verdict.budget),
        "single_psf_thin": single_psf_numbers(verdict.single_thin),
        "psf": {
            "fwhm_true_um": psf.fwhm_true_um,
            "fwhm_estimated_um": psf.fwhm_estimated_um,
            "relative_error": psf.relative_error,
            "relative_error_converged": psf.relative_error_converged,
            "converged_iterations": psf.converged.iterations,
        },
        "restoration": {name: sample_numbers(s) for name, s in verdict.samples.items()},
        "bought": bought_numbers(verdict.bought),
    }


def bought_numbers(bought: Bought) -> dict[str, Any]:
    """Return ``bought``: detail that is seen, NEQ, distances at equal and at own exposures."""
    answer = answers(bought)
    return {
        "exposure_s": dict(bought.exposure_s),
        "contrast_thin_over_thick": bought.contrast_thin,
        "size_um": bought.size_um.tolist(),
        "detectability": {
            shape: {
                "ideal": {k: v.tolist() for k, v in ideal.items()},
                "not_prewhitening": {k: v.tolist() for k, v in plain.items()},
            }
            for shape, ideal, plain in (
                ("disc", bought.ideal, bought.plain),
                ("line", bought.ideal_line, bought.plain_line),
            )
        },
        "curves": {
            kind: {
                "frequency_cy_per_um": seen.frequency_cy_per_um.tolist(),
                "mtf": seen.mtf.tolist(),
                "nnps_um2": seen.nnps_um2.tolist(),
                "neq_per_um2": seen.neq_per_um2.tolist(),
            }
            for kind, seen in bought.seen.items()
        },
        "contrast": CONTRAST,
        "smallest_disc_um": answer.smallest_um,
        "helps_um": _pair(answer.helps_um),
        "beats_thin_um": _pair(answer.beats_thin_um),
        "beats_thin_equal_um": _pair(answer.beats_thin_equal_um),
        "neq_restored_over_thick": answer.neq_ratio,
        "rmse": {name: dict(values) for name, values in bought.rmse.items()},
        "nearer_to_truth_um": {name: _pair(sizes) for name, sizes in answer.nearer_um.items()},
        "piqe_rank_correlation": dict(bought.piqe_correlation),
    }


def _pair(sizes: tuple[float, float] | None) -> list[float] | None:
    return None if sizes is None else list(sizes)


def sample_numbers(sample: SampleVerdict) -> dict[str, Any]:
    """Return ``restoration.<sample>``: against both truths, raw and fitted; MTF50, PIQE, PSD."""
    numbers: dict[str, Any] = {}
    for kind in KINDS:
        numbers |= _against(sample.against_thin[kind], kind, "")
        numbers |= _against(sample.against_xray[kind], kind, "_vs_xray")
        numbers[f"contrast_gain_{kind}"] = sample.against_thin[kind].gain
        edge = sample.edges.get(kind)
        numbers[f"mtf50_{kind}_cy_per_um"] = None if edge is None else edge.mtf50_cy_per_um
        numbers[f"piqe_{kind}"] = sample.piqe[kind]
    for kernel, error in sample.other_kernels.items():
        numbers[f"rmse_restored_{kernel}"] = error
    return numbers | gain_numbers(sample.gain)


def _against(comparison: TruthComparison, kind: str, truth: str) -> dict[str, float]:
    result = {}
    for measure in _MEASURES:
        result[f"{measure}_{kind}{truth}"] = getattr(comparison, measure)
        result[f"{measure}_{kind}{truth}_raw"] = getattr(comparison, f"{measure}_raw")
    return result


def map_numbers(maps: Sequence[ValidityMap], tolerance: float) -> dict[str, Any]:
    """Return ``validity``: axes and points of each map, and the fitted rule."""
    rule = criterion_of(maps)
    fits = {
        name: {
            "factor": fit.factor,
            "scatter": fit.scatter,
            "points": fit.points,
            "limit": fit.limit(tolerance),
        }
        for name, fit in (
            ("displacement", rule.geometry),
            ("paper_angles", rule.angles),
            ("hardening", rule.hardening),
        )
    }
    return {
        "tolerance": tolerance,
        "criterion": fits,
        "maps": [
            {
                "axes": {name: list(values) for name, values in grid.axes.items()},
                "points": [
                    {k: (v if np.isfinite(v) else None) for k, v in asdict(point).items()}
                    for point in grid.points
                ],
            }
            for grid in maps
        ],
    }
