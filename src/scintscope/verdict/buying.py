"""What is bought, for a finished run: theory for the plates, measurement for the restoration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scintscope.camera.parts import Camera
from scintscope.forward.simulate import Bench
from scintscope.materials import attenuation
from scintscope.metrics.ranks import rank_correlation
from scintscope.noise.plate import mean_electrons_per_um2
from scintscope.noise.sampled import camera_variance, sampled_nps, sampled_signal_noise
from scintscope.response import DepthResponse
from scintscope.restoration import Restoration, deconvolve
from scintscope.streams import stream
from scintscope.verdict.bought import Bought, Seen, SmallSignals, seen_sizes, small_signals
from scintscope.verdict.criterion import pixel_variance

if TYPE_CHECKING:
    from scintscope.verdict.judge import SampleVerdict

Array = NDArray[np.float64]

_BACKGROUND = 2.0
"""Images are divided by, or subtracted from, a background of as many frames: twice the noise."""

_FREQUENCIES = 64
_FLAT_PX = 192
_FLATS = 12
_WAVES = 24
_SIZES = 25
_SMALLEST_PX, _LARGEST_PX = 1.0, 64.0


def at_exposure(response: DepthResponse, exposure_s: float) -> DepthResponse:
    """Return the same plate exposed for another time."""
    return replace(response, plate=replace(response.plate, exposure_s=exposure_s))


def seen_of(
    response: DepthResponse, camera: Camera, frames: int, frequency: Array, contrast: float
) -> Seen:
    """Return how a plate's averaged images show weak detail, from theory."""
    added = camera_variance(camera, response.plate.exposure_s)
    curves = sampled_signal_noise(response, frequency, added)
    return Seen(
        frequency_cy_per_um=frequency,
        mtf=curves.mtf,
        nnps_um2=curves.normalised_nps_um2 * (_BACKGROUND / frames),
        contrast=contrast,
    )


def flats(response: DepthResponse, camera: Camera, frames: int, rng: np.random.Generator) -> Array:
    """Return flat images of mean 1 with the noise of an averaged, background-corrected stack."""
    shape = (_FLAT_PX, _FLAT_PX)
    area = response.pixel_um**2
    added = camera_variance(camera, response.plate.exposure_s)
    power = sampled_nps(response, shape, added) * area * (_BACKGROUND / frames)
    level = mean_electrons_per_um2(response) * area
    white = rng.standard_normal((_FLATS, *shape))
    noise = np.fft.irfft2(np.fft.rfft2(white) * np.sqrt(power), s=shape)
    return np.asarray(1.0 + noise / level)


def restored_seen(thick: Seen, restored: SmallSignals, plain: SmallSignals) -> Seen:
    """Return the thick plate's transfer and noise, changed as the same flats were.

    Measured ratios on one set of flats: what windows and rings do to a measured noise power drops
    out.
    """
    f = restored.frequency_cy_per_um
    gain = np.maximum(restored.gain, 0.0)
    return Seen(
        frequency_cy_per_um=f,
        mtf=np.interp(f, thick.frequency_cy_per_um, thick.mtf) * gain,
        nnps_um2=np.interp(f, thick.frequency_cy_per_um, thick.nnps_um2)
        * (restored.nnps_um2 / plain.nnps_um2),
        contrast=thick.contrast,
    )


def restored_signals(bench: Bench, restoration: Restoration) -> tuple[SmallSignals, SmallSignals]:
    """Return what the run's own deconvolution, and doing nothing, make of weak waves and noise."""
    instrument, acquisition = bench.experiment.instrument, bench.experiment.acquisition
    rng = stream(acquisition.seed, "small signals")
    images = flats(bench.responses["thick"], instrument.camera, acquisition.frames, rng)
    psf, config = restoration.psf.psf, restoration.config

    def process(image: Array) -> Array:
        positive = np.maximum(image, 0.0)
        return np.asarray(deconvolve(positive, psf, config).estimate, dtype=np.float64)

    pixel = bench.planes["thick"].pixel_um
    return (
        small_signals(process, images, pixel, _WAVES),
        small_signals(np.asarray, images, pixel, _WAVES),
    )


def contrast_on_thin(bench: Bench, sample: str) -> float:
    """Return a weak detail's contrast on the thin plate over that on the thick one.

    The ratio of the attenuation of the sample's absorber, weighted with the energy left; 1 where
    the sample names no material.
    """
    recipe: Any = bench.experiment.samples[sample]
    name = getattr(recipe, "material", getattr(recipe, "bone", None))
    if not isinstance(name, str) or name not in bench.experiment.absorbers:
        return 1.0
    mean = {}
    for plate in ("thin", "thick"):
        response = bench.responses[plate]
        mu = attenuation.total_per_um(
            bench.experiment.absorbers[name], response.spectrum.energy_kev
        )
        light = response.light_per_um(response.depth_um) @ response.depth_weight_um
        mean[plate] = float(mu @ light / light.sum())
    return mean["thin"] / mean["thick"]


def judge_bought(
    bench: Bench,
    samples: Mapping[str, SampleVerdict],
    signals: tuple[SmallSignals, SmallSignals],
) -> Bought:
    """Return what restoring bought in a run.

    Parameters
    ----------
    bench, samples
        The run's set-up, and the verdicts on its samples.
    signals : tuple of SmallSignals
        From `restored_signals`.
    """
    instrument, frames = bench.experiment.instrument, bench.experiment.acquisition.frames
    camera, pixel = instrument.camera, bench.planes["thick"].pixel_um
    thin, thick = bench.responses["thin"], bench.responses["thick"]
    equal = at_exposure(thin, thick.plate.exposure_s)
    nyquist = instrument.camera_nyquist_cy_per_um
    frequency = np.linspace(0.0, min(nyquist, thick.path.cutoff_cy_per_um), _FREQUENCIES)
    contrast = contrast_on_thin(bench, next(iter(samples)))
    seen = {
        "thin": seen_of(thin, camera, frames, frequency, contrast),
        "thin_equal": seen_of(equal, camera, frames, frequency, contrast),
        "thick": seen_of(thick, camera, frames, frequency, 1.0),
    }
    seen["restored"] = restored_seen(seen["thick"], *signals)
    size = np.geomspace(_SMALLEST_PX * pixel, _LARGEST_PX * pixel, _SIZES)
    ideal, plain = seen_sizes(seen, size, "disc")
    ideal_line, plain_line = seen_sizes(seen, size, "line")
    more_noise = _BACKGROUND / frames * (_relative(equal, bench) - _relative(thin, bench))
    return Bought(
        seen=seen,
        exposure_s={
            "thin": thin.plate.exposure_s * frames,
            "thin_equal": equal.plate.exposure_s * frames,
            "thick": thick.plate.exposure_s * frames,
            "restored": thick.plate.exposure_s * frames,
        },
        size_um=size,
        ideal=ideal,
        plain=plain,
        ideal_line=ideal_line,
        plain_line=plain_line,
        contrast_thin=contrast,
        rmse={name: _distances(sample, more_noise) for name, sample in samples.items()},
        bands={name: sample.bands for name, sample in samples.items()},
        piqe_correlation={name: piqe_correlation(sample) for name, sample in samples.items()},
    )


def _relative(response: DepthResponse, bench: Bench) -> float:
    """Return a pixel's variance over its squared level, one open-beam frame."""
    level = mean_electrons_per_um2(response) * response.pixel_um**2
    return pixel_variance(bench.experiment.instrument, response) / level**2


def _distances(sample: SampleVerdict, more_noise: float) -> dict[str, float]:
    """Return the distance from the thin truth of each image; more noise for the thin one."""
    found = {kind: comparison.rmse for kind, comparison in sample.against_thin.items()}
    spread = float(sample.truth.thin[sample.mask].std())
    gain = sample.against_thin["thin"].gain
    extra = gain**2 * more_noise / spread**2 if spread else 0.0
    found["thin_equal"] = float(np.sqrt(max(found["thin"] ** 2 + extra, 0.0)))
    return found


def piqe_correlation(sample: SampleVerdict) -> float | None:
    """Return the rank correlation of PIQE with the distance from the truth; None if undefined."""
    scores = list(sample.scored.values())
    errors = [sample.against_thin[k].rmse for k in sample.against_thin]
    errors += list(sample.other_kernels.values())
    if len(set(scores)) < 2 or len(set(errors)) < 2:
        return None
    return rank_correlation(scores, errors)
