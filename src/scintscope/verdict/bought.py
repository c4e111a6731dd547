"""What restoring buys: who sees which detail, on thin, thick and restored images.

An image of mean level 1 whose transfer function is MTF and whose noise power over the squared level
is NNPS shows a weak detail of transmission change c and shape D (a disc or a line, D its transform)
with the detectability

    d'^2 = c^2 INT |D|^2 MTF^2 / NNPS d2f                            (ideal observer)
    d'^2 = c^2 [INT |D|^2 MTF^2 d2f]^2 / INT |D|^2 MTF^2 NNPS d2f    (not prewhitening)

(Wagner and Brown 1985, Phys. Med. Biol. 30, 489; ICRU Report 54, 1996). The ideal observer undoes
any blur by himself, so no shift-invariant restoration helps him; the other looks with the detail's
own expected image and is the nearer to a person. A detail counts as seen at d' = 5 (Rose 1948,
J. Opt. Soc. Am. 38, 196). Restoring by Richardson-Lucy is not linear: its transfer is taken from
weak waves laid on noisy flats, its noise power from the flats (`metrics.neq`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import j1

from scintscope.metrics import noise_power_from_frames, radial_power_spectrum
from scintscope.metrics.neq import noise_equivalent_quanta

Array = NDArray[np.float64]
Image = NDArray[Any]

SEEN = 5.0
_NODES = 600
_ANGLES = 24
_LINE_LENGTH = 10.0
_AMPLITUDE = 0.01
_LEAST_RUN = 2
_BANDS = 24
_COMPARED_PX = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """How one kind of image shows weak detail.

    Parameters
    ----------
    frequency_cy_per_um : (K,) array
        From near 0 to the camera's Nyquist frequency.
    mtf : (K,) array
        Transfer of a weak wave.
    nnps_um2 : (K,) array
        Noise power of the averaged stack over the squared level.
    contrast : float
        A detail's contrast in this plate over that in the thick plate (spectra differ).
    """

    frequency_cy_per_um: Array
    mtf: Array
    nnps_um2: Array
    contrast: float = 1.0

    @property
    def neq_per_um2(self) -> Array:
        """Noise-equivalent quanta of the averaged stack."""
        return noise_equivalent_quanta(self.mtf, self.nnps_um2)


def disc_transform(frequency_cy_per_um: Array, diameter_um: float) -> Array:
    """Return the transform of a disc, area times 2 J1(pi d f) / (pi d f), um2."""
    x = np.pi * diameter_um * np.maximum(frequency_cy_per_um, 1e-9)
    return np.asarray(0.25 * np.pi * diameter_um**2 * 2.0 * j1(x) / x)


def line_transform(across: Array, along: Array, width_um: float) -> Array:
    """Return the transform of a line ten times as long as wide, um2."""
    length = _LINE_LENGTH * width_um
    return np.asarray(width_um * length * np.sinc(across * width_um) * np.sinc(along * length))


def detectability(seen: Seen, size_um: float, shape: str = "disc") -> tuple[float, float]:
    """Return d' per unit contrast of ideal and of non-prewhitening observer.

    Parameters
    ----------
    seen : Seen
        The image.
    size_um : float
        Diameter of the disc, or width of the line.
    shape : {"disc", "line"}
        The detail.
    """
    f = np.linspace(0.0, seen.frequency_cy_per_um[-1], _NODES)[1:]
    angle = 0.5 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    if shape == "disc":
        power = disc_transform(f, size_um) ** 2
    else:
        across, along = f[:, None] * np.cos(angle), f[:, None] * np.sin(angle)
        power = (line_transform(across, along, size_um) ** 2).mean(axis=1)
    mtf2 = np.interp(f, seen.frequency_cy_per_um, seen.mtf) ** 2
    nnps = np.interp(f, seen.frequency_cy_per_um, seen.nnps_um2)
    area = 2.0 * np.pi * f * (f[1] - f[0]) * power * mtf2 * seen.contrast**2
    ideal = float(np.sqrt(np.sum(area / nnps)))
    plain = float(area.sum() / np.sqrt(np.sum(area * nnps)))
    return ideal, plain


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallSignals:
    """What a method makes of weak waves, and of noise, on flat frames.

    Parameters
    ----------
    frequency_cy_per_um, gain, nnps_um2 : (K,) array
        Waves; amplitude out over in at equal levels; noise power of a processed frame over its
        squared level.
    """

    frequency_cy_per_um: Array
    gain: Array
    nnps_um2: Array


def small_signals(
    process: Callable[[Image], Image], frames: Array, pixel_um: float, waves: int
) -> SmallSignals:
    """Return gain and noise power of a method, all waves at once.

    Parameters
    ----------
    process : callable
        Image to image of the same shape.
    frames : (F, N, N) array
        Three or more flat frames of mean 1.
    pixel_um : float
        Pixel.
    waves : int
        How many frequencies, along both axes; weak, so that they do not disturb each other.
    """
    count = frames.shape[2]
    cycles = np.unique(np.linspace(1, count // 2 - 1, waves).astype(int))
    position = np.arange(count) / count
    phase = 2.0 * np.pi * np.arange(cycles.size) ** 2 / cycles.size  # no common crest
    wave = np.cos(2.0 * np.pi * cycles[:, None] * position + phase[:, None]).sum(axis=0)
    wave = _AMPLITUDE / np.sqrt(cycles.size) * wave
    given = np.fft.fft(wave)[cycles]
    plain, gains = [], []
    for i, frame in enumerate(frames):
        along = wave[None, :] if i % 2 == 0 else wave[:, None]
        plain.append(process(frame))
        change = process(frame + along) - plain[-1]
        found = np.fft.fft(change.mean(axis=i % 2))[cycles]
        gains.append((found / given).real * frame.mean() / plain[-1].mean())
    stack = np.array(plain)
    power = noise_power_from_frames(stack, pixel_um=pixel_um, flat_level=float(stack.mean()))
    frequency = cycles / (count * pixel_um)
    nnps = len(stack) * np.interp(frequency, power.frequency_cy_per_um, power.power_um2)
    return SmallSignals(frequency_cy_per_um=frequency, gain=np.mean(gains, axis=0), nnps_um2=nnps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bands:
    """Distance from the truth by frequency.

    Parameters
    ----------
    frequency_cy_per_um : (K,) array
        Rings.
    error : dict of str to (K,) array
        Power of image minus truth over the power of the truth, by image; 1 is a flat image's.
    """

    frequency_cy_per_um: Array
    error: Mapping[str, Array]

    def helped(self) -> NDArray[np.bool_]:
        """Return where the restored image is nearer to the truth than the thick one."""
        return np.asarray(self.error["restored"] < self.error["thick"])

    def helped_sizes_um(self) -> tuple[float, float] | None:
        """Return smallest and largest detail (half a period) of the widest band that is helped."""
        best = _longest_run(self.helped())
        if best is None:
            return None
        f = self.frequency_cy_per_um
        return float(0.5 / f[best[1] - 1]), float(0.5 / f[best[0]])


def bands_of(
    images: Mapping[str, Image], truth: Image, mask: NDArray[np.bool_], pixel_um: float
) -> Bands:
    """Return the distance of fitted images from the truth by frequency.

    Parameters
    ----------
    images : dict of str to (M, N) array
        After the best gain and offset.
    truth : (M, N) array
        What they should be.
    mask : (M, N) bool array
        The middle of the rectangle around it is compared, at most `_COMPARED_PX` a side.
    pixel_um : float
        Pixel.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    part = tuple(_middle(int(x[0]), int(x[-1]) + 1) for x in (rows, columns))
    wanted = np.asarray(truth[part], dtype=np.float64)
    base = radial_power_spectrum(wanted, pixel_um=pixel_um)
    edges = np.linspace(0.0, 0.5 / pixel_um, _BANDS + 1)
    ring = np.digitize(base.frequency_cy_per_um, edges) - 1
    inside = (ring >= 0) & (ring < _BANDS)
    kept = np.unique(ring[inside])

    def binned(power: Array) -> Array:
        total = np.bincount(ring[inside], weights=(power * base.count)[inside], minlength=_BANDS)
        return np.asarray(total[kept])

    power = binned(base.power_um2)
    error = {}
    for kind, image in images.items():
        difference = np.where(mask[part], image[part] - wanted, 0.0)
        found = radial_power_spectrum(difference, pixel_um=pixel_um)
        error[kind] = binned(found.power_um2) / np.maximum(power, 1e-300)
    middle = 0.5 * (edges[1:] + edges[:-1])
    return Bands(frequency_cy_per_um=middle[kept], error=error)


def _middle(first: int, last: int) -> slice:
    """Return the middle of a range, at most `_COMPARED_PX` long."""
    cut = max(last - first - _COMPARED_PX, 0)
    return slice(first + cut // 2, last - (cut - cut // 2))


@dataclass(frozen=True, kw_only=True, slots=True)
class Bought:
    """Thin, thick and restored images side by side.

    Parameters
    ----------
    seen : dict of str to Seen
        ``thin`` (its own exposure), ``thin_equal`` (the thick plate's exposure), ``thick`` and
        ``restored``.
    exposure_s : dict of str to float
        Exposure of each, all frames together.
    size_um : (S,) array
        Sizes of details.
    ideal, plain : dict of str to (S,) array
        d' of a disc per unit contrast (in the thick plate), by image, of either observer.
    ideal_line, plain_line : dict of str to (S,) array
        The same of a line of that width.
    contrast_thin : float
        Contrast of a thin detail of the target's material on the thin plate over the thick one's.
    rmse : dict of str to dict
        By sample: distance from the thin truth of each of the images; ``thin_equal`` with the noise
        of the shorter exposure.
    bands : dict of str to Bands
        By sample: where restoring brings the image nearer to the truth.
    piqe_correlation : dict of str to float or None
        By sample: rank correlation of PIQE with the distance from the truth over the images at
        hand; 1 if the score follows the truth.
    """

    seen: Mapping[str, Seen]
    exposure_s: Mapping[str, float]
    size_um: Array
    ideal: Mapping[str, Array]
    plain: Mapping[str, Array]
    ideal_line: Mapping[str, Array]
    plain_line: Mapping[str, Array]
    contrast_thin: float
    rmse: Mapping[str, Mapping[str, float]]
    bands: Mapping[str, Bands]
    piqe_correlation: Mapping[str, float | None]


def seen_sizes(
    seen: Mapping[str, Seen], size_um: Array, shape: str
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return d' per unit contrast by image and size, of ideal and plain observer."""
    found = {k: np.array([detectability(v, d, shape) for d in size_um]) for k, v in seen.items()}
    return {k: v[:, 0] for k, v in found.items()}, {k: v[:, 1] for k, v in found.items()}


def smallest_seen_um(size_um: Array, per_contrast: Array, contrast: float) -> float | None:
    """Return the smallest detail of a contrast that is seen, d' >= 5; None if none is."""
    good = np.flatnonzero(contrast * per_contrast >= SEEN)
    return float(size_um[good[0]]) if good.size else None


def helped_um(size_um: Array, restored: Array, other: Array) -> tuple[float, float] | None:
    """Return the widest range of sizes at which the restored image shows details better."""
    run = _longest_run(restored > other)
    return None if run is None else (float(size_um[run[0]]), float(size_um[run[1] - 1]))


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Return first and one past last of the longest run of true values, two at least."""
    best, start = (0, 0), 0
    for k, flag in enumerate([*flags.tolist(), False]):
        if not flag:
            if k - start > best[1] - best[0]:
                best = (start, k)
            start = k + 1
    return best if best[1] - best[0] >= _LEAST_RUN else None
