"""The judge: has the truth, and says what the restoration is worth."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.forward.simulate import BACKGROUND, Bench, Exposures, sample_position_um
from scintscope.metrics import (
    PsdGain,
    SlantedEdge,
    TruthComparison,
    compare_to_truths,
    eight_bit_limits,
    gain_offset_fit,
    kernel_relative_error,
    piqe,
    psd_gain,
    psf_widths,
    radial_power_spectrum,
    rmse,
    slanted_edge,
    to_eight_bit,
)
from scintscope.restoration import (
    PsfEstimate,
    Restoration,
    deconvolve,
    estimate_psf,
    register_pair,
    warp,
)
from scintscope.sample.layout import target_layout
from scintscope.sharing import share
from scintscope.verdict.bought import Bands, Bought, bands_of
from scintscope.verdict.buying import judge_bought, restored_signals
from scintscope.verdict.local import LocalBudget, local_budget
from scintscope.verdict.single_psf import Similarity, SinglePsf, judge_light
from scintscope.verdict.truth import Truth, relative_scale, thin_truth, true_kernel, xray_truth

Image = NDArray[Any]

TARGET, SPECIMEN, THIN_SPECIMEN = "target", "specimen", "specimen_on_thin"
CONVERGED_ITERATIONS = 64
KINDS = ("thin", "thick", "restored")
_SCORED_PX = 768


@dataclass(frozen=True, kw_only=True, slots=True)
class PsfVerdict:
    """The estimated kernel against the true one.

    Parameters
    ----------
    true : (n, n) array
        True PSF_20-200 in the estimate's window.
    fwhm_true_um, fwhm_estimated_um : float or None
        Full widths of the radial means.
    relative_error, relative_error_converged : float
        ||estimate - true|| / ||true|| with the chosen iterations and with many.
    converged : PsfEstimate
        The estimate after `CONVERGED_ITERATIONS`.
    """

    true: Image
    fwhm_true_um: float | None
    fwhm_estimated_um: float | None
    relative_error: float
    relative_error_converged: float
    converged: PsfEstimate


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleVerdict:
    """Thin, thick and restored image of one sample against both truths.

    Parameters
    ----------
    images : dict of str to (M, N) array
        ``thin`` (in the thick frame), ``thick``, ``restored``, as measured (signal or
        transmission).
    truth : Truth
        As transmissions.
    against_thin, against_xray : dict of str to TruthComparison
        By image.
    other_kernels : dict of str to float
        Error against the thin truth (rmse after gain and offset) of the thick image restored with
        the ``converged_psf`` and the ``true_psf``.
    mask : (M, N) bool array
        The common region.
    edges : dict of str to SlantedEdge or None
        Slanted-edge measurements where the sample has an edge.
    piqe : dict of str to float
        Same 8-bit mapping for all.
    gain : PsdGain
        PSD of restored over thick.
    bands : Bands
        Distance from the thin truth by frequency.
    scored : dict of str to float
        PIQE of the middle of the images in ``against_thin``, then of those in ``other_kernels``.
    """

    images: Mapping[str, Image]
    truth: Truth
    against_thin: Mapping[str, TruthComparison]
    against_xray: Mapping[str, TruthComparison]
    other_kernels: Mapping[str, float]
    mask: NDArray[np.bool_]
    edges: Mapping[str, SlantedEdge | None]
    piqe: Mapping[str, float]
    gain: PsdGain
    bands: Bands
    scored: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """All judgements of a run."""

    single: SinglePsf
    single_thin: SinglePsf
    psf: PsfVerdict
    samples: Mapping[str, SampleVerdict]
    budget: LocalBudget
    bought: Bought


def judge_psf(bench: Bench, restoration: Restoration) -> PsfVerdict:
    """Return the estimated kernel against the true one, and against a converged estimate."""
    pixel = bench.planes["thick"].pixel_um
    truth = true_kernel(bench.responses["thin"], bench.responses["thick"])
    size = restoration.psf.psf.shape[0]
    start = truth.shape[0] // 2 - size // 2
    window = truth[start : start + size, start : start + size]
    config = replace(restoration.config, psf_iterations=CONVERGED_ITERATIONS)
    converged = estimate_psf(
        np.maximum(restoration.thin_target, 0.0),
        np.maximum(restoration.thick_target, 0.0),
        config,
        valid=restoration.thin_valid,
    )
    return PsfVerdict(
        true=window / window.sum(),
        fwhm_true_um=psf_widths(window, pixel_um=pixel).radial_fwhm_um,
        fwhm_estimated_um=psf_widths(restoration.psf.psf, pixel_um=pixel).radial_fwhm_um,
        relative_error=kernel_relative_error(restoration.psf.psf, window),
        relative_error_converged=kernel_relative_error(converged.psf, window),
        converged=converged,
    )


def judge(bench: Bench, exposures: Exposures, restoration: Restoration) -> Verdict:
    """Return all judgements of a run (see the classes).

    What asks for nothing found here is computed beside the rest: the thin plate's specimen in the
    thick one's frame, the error budget, what restoring makes of weak waves.
    """
    with ThreadPoolExecutor(1) as beside:
        on_thin = None
        if SPECIMEN in restoration.specimens:
            on_thin = beside.submit(_thin_in_thick_frame, restoration)
        budget = beside.submit(local_budget, bench, TARGET)
        signals = beside.submit(restored_signals, bench, restoration)
        single, psf, samples = _judge_images(bench, exposures, restoration, on_thin)
        return Verdict(
            single=single["thick"],
            single_thin=single["thin"],
            psf=psf,
            samples=samples,
            bought=judge_bought(bench, samples, signals.result()),
            budget=budget.result(),
        )


def _judge_images(
    bench: Bench,
    exposures: Exposures,
    restoration: Restoration,
    on_thin: Future[tuple[Image, NDArray[np.bool_]]] | None,
) -> tuple[dict[str, SinglePsf], PsfVerdict, dict[str, SampleVerdict]]:
    """Return what is judged on a run's images: one PSF by plate, the estimate, the samples."""
    single = {
        plate: judge_light(
            exposures.truth[f"{plate}_{TARGET}"], bench.responses[plate], bench.planes[plate]
        )
        for plate in ("thin", "thick")
    }
    psf = judge_psf(bench, restoration)
    case = _Case(
        bench=bench,
        exposures=exposures,
        restoration=restoration,
        psf=psf,
        similarity={plate: found.similarity for plate, found in single.items()},
        border_px=single["thick"].border_px,
    )
    samples = {TARGET: _judge_target(case)}
    if on_thin is not None:
        samples[SPECIMEN] = _judge_specimen(case, *on_thin.result())
    return single, psf, samples


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """What the judgement of one sample needs."""

    bench: Bench
    exposures: Exposures
    restoration: Restoration
    psf: PsfVerdict
    similarity: Mapping[str, Similarity]
    border_px: int


def _truth(case: _Case, sample: str) -> Truth:
    """Return both truths of a sample, where the thick plate's stack saw it."""
    planes, responses = case.bench.planes, case.bench.responses
    shift = sample_position_um(case.exposures, f"thick_{sample}")
    scale = relative_scale(
        planes["thick"], case.similarity["thick"], planes["thin"], case.similarity["thin"]
    )
    light = case.exposures.truth
    return Truth(
        thin=thin_truth(light[f"thin_{sample}"], responses["thin"], planes["thin"], scale, shift),
        xray=xray_truth(
            light[f"thick_{sample}"],
            responses["thick"],
            planes["thick"],
            case.similarity["thick"].scale,
            shift,
        ),
    )


def _judge_target(case: _Case) -> SampleVerdict:
    restoration = case.restoration
    images = {
        "thin": restoration.thin_target,
        "thick": restoration.thick_target,
        "restored": restoration.restored_target,
    }
    level = float(restoration.thick.background.mean())
    noise = frame_noise(case.exposures, f"thick_{TARGET}")
    noise = (noise - frame_noise(case.exposures, f"thick_{BACKGROUND}")) / level
    return _judged(case, TARGET, images, restoration.thin_valid, noise, _edges(case, images))


def _judge_specimen(case: _Case, on_thin: Image, valid: NDArray[np.bool_]) -> SampleVerdict:
    item = case.restoration.specimens[SPECIMEN]
    images = {"thin": on_thin, "thick": item.image, "restored": item.restored}
    noise = frame_noise(case.exposures, f"thick_{SPECIMEN}")
    noise = noise - item.image * frame_noise(case.exposures, f"thick_{BACKGROUND}")
    noise = noise / item.plate.background
    return _judged(case, SPECIMEN, images, valid, noise, {})


def _as_measured(truth: Truth, sample: str, restoration: Restoration) -> Truth:
    """Return the truth as the images are: transmissions, or signals 1 - transmission."""
    config = restoration.config
    if sample == SPECIMEN and config.specimen_background == "divide":
        return truth
    sign = 1.0 if config.target_sign == "absorbing" else -1.0
    return Truth(thin=sign * (1.0 - truth.thin), xray=sign * (1.0 - truth.xray))


def _thin_in_thick_frame(restoration: Restoration) -> tuple[Image, NDArray[np.bool_]]:
    """Return the thin plate's specimen image laid on the thick plate's, and where it is real.

    Falls back on the target's motion where a weak specimen gives no trusted one.
    """
    thin, thick = (restoration.specimens[name].image for name in (THIN_SPECIMEN, SPECIMEN))
    report = register_pair(1.0 - thick, 1.0 - thin, model=restoration.config.pair_model)
    transform = report.transform if report.status.trusted else restoration.pair.transform
    moved, valid = warp(thin, transform)
    return moved, valid


def _other_kernels(thick: Image, case: _Case) -> dict[str, Image]:
    """Return the thick image restored with the converged and with the true kernel."""
    kernels = {"converged_psf": case.psf.converged.psf, "true_psf": case.psf.true}
    data = np.maximum(thick, 0.0)
    images = {}
    for name, kernel in kernels.items():
        positive = np.maximum(kernel, 0.0)
        config = case.restoration.config
        images[name] = deconvolve(data, positive / positive.sum(), config).estimate
    return images


def _fitted_error(image: Image, wanted: Image, mask: NDArray[np.bool_]) -> float:
    """Return an image's rmse after the best gain and offset."""
    fit = gain_offset_fit(image, wanted, mask)
    return rmse(fit.gain * image + fit.offset, wanted, mask)


def _middle(image: Image) -> Image:
    """Return the middle of an image, at most `_SCORED_PX` a side."""
    rows, columns = (min(n, _SCORED_PX) for n in image.shape)
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    return image[top : top + rows, left : left + columns]


def frame_noise(exposures: Exposures, name: str) -> Image:
    """Return an image with the noise of a stack's mean: half the difference of its halves, ADU.

    Zero for a single frame.
    """
    frames = exposures.stacks[name]
    even = frames.shape[0] // 2 * 2
    if even == 0:
        return np.zeros(frames.shape[1:])
    halves = [frames[start:even:2].mean(axis=0, dtype=np.float64) for start in (0, 1)]
    return np.asarray(0.5 * (halves[0] - halves[1]) * np.sqrt(even / frames.shape[0]))


def common_region(valid: NDArray[np.bool_], border: int) -> NDArray[np.bool_]:
    """Return where all images are real, a border left out."""
    mask = valid.copy()
    mask[:border] = mask[-border:] = False
    mask[:, :border] = mask[:, -border:] = False
    return mask


def _border(case: _Case) -> int:
    """Return the border of judgements: one kernel radius or half the PSF's window."""
    wanted = max(case.border_px, case.restoration.psf.psf.shape[0] // 2)
    return int(min(wanted, min(case.restoration.thick_target.shape) // 4))


def _edges(case: _Case, images: Mapping[str, Image]) -> dict[str, SlantedEdge | None]:
    """Return the slanted-edge measurement of the target's first edge on each image."""
    plane = case.bench.planes["thick"]
    shift_um = sample_position_um(case.exposures, f"thick_{TARGET}")
    edges = target_layout(case.bench.experiment.samples[TARGET], plane.sample_grid).edges
    if not edges:
        return {}
    box = edges[0].box.shrunk(2.0 * plane.pixel_um)
    scale = plane.sample_magnification * case.similarity["thick"].scale
    shape = plane.camera_shape
    rows = _span(box.row_low_um, box.row_high_um, scale, shift_um[0], shape[0], plane.pixel_um)
    columns = _span(
        box.column_low_um, box.column_high_um, scale, shift_um[1], shape[1], plane.pixel_um
    )
    found: dict[str, SlantedEdge | None] = {}
    for name, image in images.items():
        try:
            found[name] = slanted_edge(
                image[rows, columns], pixel_um=plane.pixel_um, orientation=edges[0].orientation
            )
        except InputError:  # the edge lies outside the field, or is lost in noise and blur
            found[name] = None
    return found


def _span(
    low_um: float, high_um: float, scale: float, shift_um: float, count: int, pixel_um: float
) -> slice:
    centre = 0.5 * (count - 1)
    low, high = ((x * scale + shift_um) / pixel_um + centre for x in (low_um, high_um))
    return slice(max(int(np.ceil(low)), 0), min(int(np.floor(high)) + 1, count))


def _judged(
    case: _Case,
    sample: str,
    images: dict[str, Image],
    valid: NDArray[np.bool_],
    noise: Image,
    edges: Mapping[str, SlantedEdge | None],
) -> SampleVerdict:
    truth = _truth(case, sample)
    wanted = _as_measured(truth, sample, case.restoration)
    mask = common_region(valid, _border(case))
    low, high = eight_bit_limits(images["thick"])
    pixel = case.bench.planes["thick"].pixel_um
    found = compare_to_truths(images, {"thin": wanted.thin, "xray": wanted.xray}, mask)
    thin, xray = found["thin"], found["xray"]
    others = _other_kernels(images["thick"], case)

    def score(image: Image) -> float:
        return piqe(to_eight_bit(image, low, high), rescale_to_peak=False).score

    whole = dict(zip(images, share(score, images.values()), strict=True))
    small = max(mask.shape) <= _SCORED_PX  # the middle is the whole
    middle = [_middle(v) for v in (others if small else images | others).values()]
    scored = dict(zip(others if small else images | others, share(score, middle), strict=True))
    return SampleVerdict(
        images=images,
        truth=truth,
        against_thin=thin,
        against_xray=xray,
        other_kernels={k: _fitted_error(v, wanted.thin, mask) for k, v in others.items()},
        mask=mask,
        edges=edges,
        piqe=whole,
        gain=_gain(images, noise, case.restoration, pixel),
        bands=bands_of(
            {k: thin[k].gain * v + thin[k].offset for k, v in images.items()},
            wanted.thin,
            mask,
            pixel,
        ),
        scored=whole | scored if small else scored,
    )


def _gain(
    images: Mapping[str, Image], noise: Image, restoration: Restoration, pixel_um: float
) -> PsdGain:
    """Return the PSD gain; its noise part by passing one more noise through the restoration."""
    thick, restored = images["thick"], images["restored"]
    if not noise.any():
        return psd_gain(restored, thick, pixel_um=pixel_um)
    psf, config = restoration.psf.psf, restoration.config
    disturbed = deconvolve(np.maximum(thick + noise, 0.0), psf, config).estimate
    clean = restored
    if config.subtract_offset == "shift":
        clean = deconvolve(np.maximum(thick, 0.0), psf, config).estimate
    return psd_gain(
        restored,
        thick,
        pixel_um=pixel_um,
        restored_noise=radial_power_spectrum(disturbed - clean, pixel_um=pixel_um),
        thick_noise=radial_power_spectrum(noise, pixel_um=pixel_um),
    )
