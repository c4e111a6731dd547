"""Verdicts in sentences a reader can act on; every number in them is measured in the run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scintscope.verdict.answers import CONTRAST, Answers, answers
from scintscope.verdict.bought import SEEN, Bought
from scintscope.verdict.budget import Budget
from scintscope.verdict.criterion import PAPER_OPTICAL_DEG, PAPER_XRAY_DEG
from scintscope.verdict.effects import WORDS
from scintscope.verdict.judge import SampleVerdict, Verdict
from scintscope.verdict.local import LocalBudget
from scintscope.verdict.places import AXES
from scintscope.verdict.validity import ValidityMap, criterion_of

SMALL_ERROR = 0.01
"""One generalized PSF is called good enough below one per cent of the image's contrast."""


def sentences(verdict: Verdict) -> list[str]:
    """Return the verdict in words."""
    lines = [booking_sentence(verdict.bought, verdict.single.rms_relative_error)]
    lines += [single_psf_sentence(verdict), budget_sentence(verdict.budget), psf_sentence(verdict)]
    lines += bought_sentences(verdict.bought)
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
    text = (
        f"{name}: spectral power nowhere stood clear of the thick image's noise, so no largest "
        "gain is given"
        if gain.total.maximum is None
        else f"{name}: spectral power rose up to {_times(gain.total.maximum)}"
    )
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


def booking_sentence(bought: Bought, single_error: float) -> str:
    """Say whether the method is worth beam time on this instrument."""
    found = answers(bought)
    helped = [name for name, yes in found.nearer.items() if yes]
    beaten = [name for name, yes in found.nearer_than_thin_equal.items() if yes]
    if not helped:
        text = "Do not book beam time for the method as set: restoring brings no image nearer to "
        text += "the truth"
    elif not beaten:
        text = f"Book beam time for {' and '.join(helped)} only if the thick plate is needed for "
        text += "its light: restoring helps, but the thin plate at equal exposure is nearer to the "
        text += "truth"
    else:
        text = f"Book beam time for {' and '.join(sorted(set(helped) & set(beaten)) or helped)}: "
        text += "restoring brings the thick plate's image nearer to the truth"
        text += " than the thin plate's at equal exposure" if set(helped) & set(beaten) else ""
    numbers = "; ".join(
        f"{name}: thick {v['thick']:.3f}, restored {v['restored']:.3f}, thin {v['thin']:.3f}, thin "
        f"at equal exposure {v['thin_equal']:.3f}"
        for name, v in bought.rmse.items()
    )
    limit = "is not" if single_error <= SMALL_ERROR else "is"
    return (
        f"{text} ({numbers}; distances from the perfect thin image over its standard deviation). "
        f"The single-PSF model {limit} a limit at {SMALL_ERROR:.0%}."
    )


def budget_sentence(budget: LocalBudget | Budget) -> str:
    """Say which effects make the error of the single PSF."""
    parts = budget.rms if isinstance(budget, LocalBudget) else {
        effect: part.rms for effect, part in budget.parts.items()
    }  # fmt: skip
    total = budget.total if isinstance(budget, LocalBudget) else budget.total.rms
    rest = budget.interaction if isinstance(budget, LocalBudget) else budget.interaction.rms
    known = sorted(((v, e) for e, v in parts.items() if v), reverse=True)
    if not known:
        return "Error budget of the single PSF: no effect that parts Eq. 1 from Eq. 2 is present."
    listed = ", ".join(f"{WORDS[effect]} {value:.2%}" for value, effect in known[:4])
    return (
        f"Error budget of the single PSF, each effect alone: {listed}; all together {total:.2%}, "
        f"of which the parts do not explain {rest:.2%}. A PSF of the optics alone, without the "
        f"halo of the deposited energy, would be off by {budget.optics_only:.2%}."
    )


def bought_sentences(bought: Bought) -> list[str]:
    """Say what restoring buys: for which details, which observer, against which image."""
    found = answers(bought)
    return [
        helps_sentence(found),
        observer_sentence(found, bought),
        *(nearer_sentence(name, found) for name in bought.bands),
        *(piqe_sentence(name, value) for name, value in bought.piqe_correlation.items()),
    ]


def helps_sentence(found: Answers) -> str:
    """Say for which details restoring helps."""
    sizes = found.helps_um
    if sizes is None:
        text = "For this instrument restoring does not help to see details of any size"
    else:
        text = f"For this instrument restoring helps to see details {_range(found, sizes)}"
        text += ", and no others"
    against = [
        f"{'nowhere' if sizes is None else _range(found, sizes)} better than the thin plate's at "
        f"{name}"
        for sizes, name in (
            (found.beats_thin_um, "its own exposure"),
            (found.beats_thin_equal_um, "equal exposure"),
        )
    ]
    return (
        f"{text} (discs; an observer who does not undo the blur himself). The restored image shows "
        f"them {against[0]}, {against[1]}."
    )


def _range(found: Answers, sizes: tuple[float, float]) -> str:
    """Return a range of sizes in words."""
    if sizes[0] <= found.smallest_looked_at_um:
        return f"smaller than {sizes[1]:.1f} um"
    return f"of {sizes[0]:.1f} to {sizes[1]:.1f} um"


def observer_sentence(found: Answers, bought: Bought) -> str:
    """Say what an observer who can undo the blur gains, and the smallest visible disc."""
    change = "adds no information" if found.neq_ratio <= 1.05 else "seems to add information"
    smallest = ", ".join(
        f"{kind.replace('_equal', ' at equal exposure')} {_um(size)}"
        for kind, size in found.smallest_um["not_prewhitening"].items()
    )
    return (
        f"Restoring {change}: the noise-equivalent quanta of the restored image are "
        f"{found.neq_ratio:.2f} of the thick one's. Smallest disc of {CONTRAST:.0%} contrast seen "
        f"(d' = {SEEN:g}, {bought.exposure_s['thick']:g} s on the thick plate): {smallest}."
    )


def nearer_sentence(name: str, found: Answers) -> str:
    """Say which details came nearer to the truth in the run's own images."""
    sizes = found.nearer_um[name]
    if sizes is None:
        return f"{name}: at no size did restoring bring details nearer to the perfect thin image."
    return (
        f"{name}: restoring brought details of {sizes[0]:.1f} to {sizes[1]:.1f} um nearer to the "
        "perfect thin image."
    )


def piqe_sentence(name: str, value: float | None) -> str:
    """Say whether PIQE follows the truth."""
    if value is None:
        return f"{name}: PIQE gives all images one score, so that it says nothing here."
    follows = "follows" if value >= 0.8 else "does not follow"
    return (
        f"{name}: PIQE {follows} the truth: its rank correlation with the distance from "
        f"the perfect thin image is {value:+.2f} over five images (thin, thick, "
        "restored with three PSFs)."
    )


def map_sentences(maps: Sequence[ValidityMap], tolerance: float = SMALL_ERROR) -> list[str]:
    """Return the validity map in words: the boundary, the rule, the paper's criterion."""
    lines = [boundary_sentence(grid, tolerance) for grid in maps]
    rule = criterion_of(maps)
    limit = rule.geometry.limit(tolerance)
    if limit is not None and rule.geometry.factor and rule.geometry.scatter:
        lines.append(
            f"By hand: geometry costs {rule.geometry.factor:.2g} x, x = R t (1/z0 + 1/(n d2)) f50, "
            f"within a factor {rule.geometry.scatter:.2f} over {rule.geometry.points} points: keep "
            f"x below {limit:.2g} for an error of {tolerance:.0%}."
        )
    if rule.angles.factor and rule.angles.scatter:
        paper = PAPER_XRAY_DEG / PAPER_OPTICAL_DEG
        lines.append(
            f"The paper's criterion, ratio of the angles (its {PAPER_XRAY_DEG:g} to "
            f"{PAPER_OPTICAL_DEG:g} degrees: {paper:.3f}), follows the same errors within a factor "
            f"{rule.angles.scatter:.2f}, would allow {tolerance / rule.angles.factor:.2g}, leaves "
            "out the lens's perspective and knows of no hardening."
        )
    share = perspective_share(maps)
    if share is not None:
        lines.append(
            f"The lens's perspective, which the paper neglects, makes {share:.0%} of the geometric "
            "error (median over the maps)."
        )
    hard = rule.hardening.limit(tolerance)
    if hard is not None and rule.hardening.factor and rule.hardening.scatter:
        lines.append(
            f"Hardening costs {rule.hardening.factor:.2g} h (h: shift of the light's mean depth "
            "behind the absorber over the thickness, and of its halo, times light left over light "
            f"lost; within a factor {rule.hardening.scatter:.2f}): keep h below {hard:.2g}."
        )
    return lines


def perspective_share(maps: Sequence[ValidityMap]) -> float | None:
    """Return the median of the perspective's error over that of all geometry."""
    pairs = np.array([(p.perspective, p.geometry) for grid in maps for p in grid.points])
    good = np.isfinite(pairs).all(axis=1) & (pairs[:, 1] > 0.0)
    return float(np.median(pairs[good, 0] / pairs[good, 1])) if good.any() else None


def boundary_sentence(grid: ValidityMap, tolerance: float) -> str:
    """Say how much of a map one PSF serves."""
    error, noise = grid.values("error"), grid.values("noise")
    known = np.isfinite(error)
    names = " and ".join(AXES[axis][0] for axis in grid.axes)
    served = int((error[known] <= tolerance).sum())
    hidden = int((error[known] <= noise[known]).sum())
    return (
        f"Over {names}: one PSF is within {tolerance:.0%} at {served} of {int(known.sum())} points "
        f"and below the noise of a pixel at {hidden} (errors from {error[known].min():.2%} to "
        f"{error[known].max():.2%})."
    )


def _um(value: float | None) -> str:
    return "not measurable" if value is None else f"{value:.2f} um"


def _times(value: float | None) -> str:
    return "not resolved" if value is None else f"{value:.2f}x"
