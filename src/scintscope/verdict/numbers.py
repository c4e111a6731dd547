"""Verdicts as the keys of ``metrics.json``. A key whose physics is not computed is None."""

from __future__ import annotations

from typing import Any

from scintscope.metrics import TruthComparison, gain_numbers
from scintscope.verdict.judge import KINDS, SampleVerdict, Verdict
from scintscope.verdict.single_psf import SinglePsf

_MEASURES = ("rmse", "ssim", "psnr")


def single_psf_numbers(single: SinglePsf) -> dict[str, Any]:
    """Return ``single_psf``."""
    return {
        "rms_relative_error": single.rms_relative_error,
        "edge_relative_error": single.edge_relative_error,
        "rms_relative_error_entrance": single.rms_relative_error_entrance,
        "registered_scale": single.similarity.scale,
        "registered_shift_um": list(single.similarity.shift_um),
        "border_px": single.border_px,
        "budget": None,
    }


def verdict_numbers(verdict: Verdict) -> dict[str, Any]:
    """Return ``single_psf``, ``psf`` and ``restoration``."""
    psf = verdict.psf
    return {
        "single_psf": single_psf_numbers(verdict.single),
        "single_psf_thin": single_psf_numbers(verdict.single_thin),
        "psf": {
            "fwhm_true_um": psf.fwhm_true_um,
            "fwhm_estimated_um": psf.fwhm_estimated_um,
            "relative_error": psf.relative_error,
            "relative_error_converged": psf.relative_error_converged,
            "converged_iterations": psf.converged.iterations,
        },
        "restoration": {name: sample_numbers(s) for name, s in verdict.samples.items()},
    }


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
