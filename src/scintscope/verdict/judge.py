"""The judge: has the truth, and says what the restoration is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.forward.simulate import Bench, Exposures, rendered, sample_position_um
from scintscope.metrics import (
    PsdGain,
    SlantedEdge,
    TruthComparison,
    compare_to_truth,
    eight_bit_limits,
    kernel_relative_error,
    piqe,
    psd_gain,
    psf_widths,
    radial_power_spectrum,
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
from scintscope.verdict.single_psf import SinglePsf, judge_single_psf
from scintscope.verdict.truth import Truth, relative_scale, thin_truth, true_kernel, xray_truth

Image = NDArray[Any]

TARGET, SPECIMEN, THIN_SPECIMEN = "target", "specimen", "specimen_on_thin"
CONVERGED_ITERATIONS = 64
KINDS = ("thin", "thick", "restored")


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
        transmission), and ``restored_converged_psf``, ``restored_true_psf``.
    truth : Truth
        As transmissions.
    against_thin, against_xray : dict of str to TruthComparison
        By image.
    mask : (M, N) bool array
        The common region.
    edges : dict of str to SlantedEdge or None
        Slanted-edge measurements where the sample has an edge.
    piqe : dict of str to float
        Same 8-bit mapping for all.
    gain : PsdGain
        PSD of restored over thick.
    """

    images: Mapping[str, Image]
    truth: Truth
    against_thin: Mapping[str, TruthComparison]
    against_xray: Mapping[str, TruthComparison]
    mask: NDArray[np.bool_]
    edges: Mapping[str, SlantedEdge | None]
    piqe: Mapping[str, float]
    gain: PsdGain


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """All judgements of a run."""

    single: SinglePsf
    single_thin: SinglePsf
    psf: PsfVerdict
    samples: Mapping[str, SampleVerdict]


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
    """Return all judgements of a run (see the classes)."""
    thick_scene, thick_xray = rendered(bench, "thick", TARGET)
    single = judge_single_psf(thick_scene, thick_xray)
    thin_scene, thin_xray = rendered(bench, "thin", TARGET)
    single_thin = judge_single_psf(thin_scene, thin_xray)
    scale = relative_scale(
        bench.planes["thick"], single.similarity, bench.planes["thin"], single_thin.similarity
    )
    shift = sample_position_um(exposures, f"thick_{TARGET}")
    truth = Truth(
        thin=thin_truth(thin_scene, thin_xray, scale, shift),
        xray=xray_truth(thick_scene, thick_xray, single.similarity.scale, shift),
    )
    del thick_scene, thick_xray, thin_scene, thin_xray
    psf = judge_psf(bench, restoration)
    samples = {TARGET: _judge_target(bench, exposures, restoration, psf, truth, single)}
    if SPECIMEN in restoration.specimens:
        samples[SPECIMEN] = _judge_specimen(bench, exposures, restoration, psf, scale, single)
    return Verdict(single=single, single_thin=single_thin, psf=psf, samples=samples)


def _judge_target(
    bench: Bench,
    exposures: Exposures,
    restoration: Restoration,
    psf: PsfVerdict,
    truth: Truth,
    single: SinglePsf,
) -> SampleVerdict:
    images = {
        "thin": restoration.thin_target,
        "thick": restoration.thick_target,
        "restored": restoration.restored_target,
    }
    images |= _with_other_kernels(images["thick"], psf, restoration)
    noise = frame_noise(exposures, "thick_target") / float(restoration.thick.background.mean())
    mask = common_region(restoration.thin_valid, _border(restoration, single))
    signal = Truth(thin=1.0 - truth.thin, xray=1.0 - truth.xray)
    edges = _edges(bench, images, single, sample_position_um(exposures, f"thick_{TARGET}"))
    return _judged(images, signal, truth, mask, edges, noise, restoration, bench, flat=1.0)


def _judge_specimen(
    bench: Bench,
    exposures: Exposures,
    restoration: Restoration,
    psf: PsfVerdict,
    scale: float,
    single: SinglePsf,
) -> SampleVerdict:
    shift = sample_position_um(exposures, f"thick_{SPECIMEN}")
    thin_scene, thin_xray = rendered(bench, "thin", SPECIMEN)
    thin = thin_truth(thin_scene, thin_xray, scale, shift)
    del thin_scene, thin_xray
    thick_scene, thick_xray = rendered(bench, "thick", SPECIMEN)
    truth = Truth(
        thin=thin, xray=xray_truth(thick_scene, thick_xray, single.similarity.scale, shift)
    )
    del thick_scene, thick_xray
    item = restoration.specimens[SPECIMEN]
    on_thin, valid = _thin_in_thick_frame(
        restoration.specimens[THIN_SPECIMEN].image, item.image, restoration
    )
    images = {"thin": on_thin, "thick": item.image, "restored": item.restored}
    images |= _with_other_kernels(item.image, psf, restoration)
    divided = restoration.config.specimen_background == "divide"
    noise = frame_noise(exposures, f"thick_{SPECIMEN}") / item.plate.background
    mask = common_region(valid, _border(restoration, single))
    wanted = truth if divided else Truth(thin=1.0 - truth.thin, xray=1.0 - truth.xray)
    return _judged(images, wanted, truth, mask, {}, noise, restoration, bench, flat=1.0)


def _thin_in_thick_frame(
    thin: Image, thick: Image, restoration: Restoration
) -> tuple[Image, NDArray[np.bool_]]:
    """Return the thin plate's specimen image laid on the thick plate's, and where it is real.

    Falls back on the target's motion where a weak specimen gives no trusted one.
    """
    report = register_pair(1.0 - thick, 1.0 - thin, model=restoration.config.pair_model)
    transform = report.transform if report.status.trusted else restoration.pair.transform
    moved, valid = warp(thin, transform)
    return moved, valid


def _with_other_kernels(
    thick: Image, psf: PsfVerdict, restoration: Restoration
) -> dict[str, Image]:
    """Return the thick image restored with the converged estimate and with the true kernel."""
    kernels = {"restored_converged_psf": psf.converged.psf, "restored_true_psf": psf.true}
    data = np.maximum(thick, 0.0)
    return {
        name: deconvolve(
            data, np.maximum(kernel, 0.0) / np.maximum(kernel, 0.0).sum(), restoration.config
        ).estimate
        for name, kernel in kernels.items()
    }


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


def _border(restoration: Restoration, single: SinglePsf) -> int:
    """Return the border of judgements: one kernel radius or half the PSF's window."""
    wanted = max(single.border_px, restoration.psf.psf.shape[0] // 2)
    return int(min(wanted, min(restoration.thick_target.shape) // 4))


def _edges(
    bench: Bench,
    images: Mapping[str, Image],
    single: SinglePsf,
    shift_um: tuple[float, float],
) -> dict[str, SlantedEdge | None]:
    """Return the slanted-edge measurement of the target's first edge on each image."""
    plane = bench.planes["thick"]
    edges = target_layout(bench.experiment.samples[TARGET], plane.sample_grid).edges
    if not edges:
        return {}
    box = edges[0].box.shrunk(2.0 * plane.pixel_um)
    scale = plane.sample_magnification * single.similarity.scale
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
    images: dict[str, Image],
    wanted: Truth,
    truth: Truth,
    mask: NDArray[np.bool_],
    edges: Mapping[str, SlantedEdge | None],
    noise: Image,
    restoration: Restoration,
    bench: Bench,
    flat: float,
) -> SampleVerdict:
    low, high = eight_bit_limits(images["thick"])
    pixel = bench.planes["thick"].pixel_um
    return SampleVerdict(
        images=images,
        truth=truth,
        against_thin={k: compare_to_truth(v, wanted.thin, mask) for k, v in images.items()},
        against_xray={k: compare_to_truth(v, wanted.xray, mask) for k, v in images.items()},
        mask=mask,
        edges=edges,
        piqe={
            k: piqe(to_eight_bit(images[k], low, high), rescale_to_peak=False).score for k in KINDS
        },
        gain=_gain(images, noise, restoration, pixel, flat),
    )


def _gain(
    images: Mapping[str, Image],
    noise: Image,
    restoration: Restoration,
    pixel_um: float,
    flat: float,
) -> PsdGain:
    """Return the PSD gain, its noise part by passing one more noise through the restoration."""
    if not noise.any():
        return psd_gain(images["restored"], images["thick"], pixel_um=pixel_um, flat_level=flat)
    disturbed = deconvolve(
        np.maximum(images["thick"] + noise, 0.0),
        restoration.psf.psf,
        restoration.config,
    ).estimate
    clean = deconvolve(
        np.maximum(images["thick"], 0.0), restoration.psf.psf, restoration.config
    ).estimate
    return psd_gain(
        images["restored"],
        images["thick"],
        pixel_um=pixel_um,
        flat_level=flat,
        restored_noise=radial_power_spectrum(disturbed - clean, pixel_um=pixel_um),
        thick_noise=radial_power_spectrum(noise, pixel_um=pixel_um),
    )
