"""Verdicts in sentences a reader can act on; every number in them is measured in the run."""

from __future__ import annotations

from scintscope.verdict.judge import SampleVerdict, Verdict

SMALL_ERROR = 0.01
"""One generalized PSF is called good enough below one per cent of the image's contrast."""


def sentences(verdict: Verdict) -> list[str]:
    """Return the verdict in words."""
    lines = [single_psf_sentence(verdict), psf_sentence(verdict)]
    for name, sample in verdict.samples.items():
        lines += [aim_sentence(name, sample), xray_sentence(name, sample)]
        lines += [gain_sentence(name, sample), iterations_sentence(name, sample)]
    return lines


def single_psf_sentence(verdict: Verdict) -> str:
    """Say whether one generalized PSF stands for all depths."""
    single = verdict.single
    enough = "is enough" if single.rms_relative_error <= SMALL_ERROR else "is not enough"
    return (
        f"One generalized PSF {enough} on the thick plate: once registered it is off by "
        f"{single.rms_relative_error:.2%} of the image's standard deviation "
        f"({single.edge_relative_error:.2%} at the field's edge; "
        f"{single.rms_relative_error_entrance:.2%} before registration; judged against "
        f"{SMALL_ERROR:.0%})."
    )


def psf_sentence(verdict: Verdict) -> str:
    """Say how the estimated kernel compares with the true one."""
    psf = verdict.psf
    return (
        f"The estimated kernel is {_um(psf.fwhm_estimated_um)} wide (FWHM), the true one "
        f"{_um(psf.fwhm_true_um)}; they differ by {psf.relative_error:.0%} of the true kernel's "
        f"norm, by {psf.relative_error_converged:.0%} after {psf.converged.iterations} iterations."
    )


def aim_sentence(name: str, sample: SampleVerdict) -> str:
    """Say whether restoration brought the thick image nearer to the perfect thin image."""
    before, after = sample.against_thin["thick"].rmse, sample.against_thin["restored"].rmse
    thin = sample.against_thin["thin"].rmse
    moved = "nearer to" if after < before else "away from"
    return (
        f"{name}: restoration moved the thick image {moved} the perfect thin image: error "
        f"{before:.3f} before, {after:.3f} after (share of the truth's standard deviation, after "
        f"best gain and offset); the measured thin image is at {thin:.3f}."
    )


def xray_sentence(name: str, sample: SampleVerdict) -> str:
    """Say the same against the X-ray image, and how the plates' contrasts differ."""
    errors = [sample.against_xray[kind].rmse for kind in ("thin", "thick", "restored")]
    contrast = sample.against_thin["restored"].gain
    return (
        f"{name}: against the X-ray image itself thin, thick and restored are at {errors[0]:.3f}, "
        f"{errors[1]:.3f} and {errors[2]:.3f}. The plates weight the spectrum differently: the "
        f"restored image's contrast must be multiplied by {contrast:.2f} to meet the thin one's."
    )


def gain_sentence(name: str, sample: SampleVerdict) -> str:
    """Say the gain in spectral power, and how much of it is noise."""
    gain = sample.gain
    text = f"{name}: spectral power rose up to {_times(gain.total.maximum)}"
    if gain.signal is not None and gain.noise is not None:
        text += (
            f"; in the upper half of the band {_times(gain.total.high_band)} in all, signal "
            f"{_times(gain.signal.high_band)}, noise {_times(gain.noise.high_band)}"
        )
    return text + ". The paper's 8.45 counts signal and noise together."


def iterations_sentence(name: str, sample: SampleVerdict) -> str:
    """Say what the number of PSF iterations costs."""
    return (
        f"{name}: with a converged PSF the restored image would be at "
        f"{sample.other_kernels['converged_psf']:.3f}, with the true kernel at "
        f"{sample.other_kernels['true_psf']:.3f} (chosen settings: "
        f"{sample.against_thin['restored'].rmse:.3f})."
    )


def _um(value: float | None) -> str:
    return "not measurable" if value is None else f"{value:.2f} um"


def _times(value: float | None) -> str:
    return "not resolved" if value is None else f"{value:.2f}x"
