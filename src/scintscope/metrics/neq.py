"""Noise-equivalent quanta of images, raw or restored, from frames alone.

NEQ(f) = MTF(f)^2 / NNPS(f), NNPS the noise power over the squared mean level; DQE = NEQ / q0
(IEC 62220-1-1:2015). A shift-invariant linear filter without zeros changes MTF^2 and NNPS by the
same factor, so NEQ stays. A method that is not linear, such as Richardson-Lucy, has no transfer
function; what stands in for it is its small-signal gain: how much of a weak wave added to a noisy
frame comes out (Barrett and Myers 2004, Foundations of Image Science, section 15.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scintscope.errors import DataError, check_range
from scintscope.metrics.checks import Float64Array, check_pixel_um
from scintscope.metrics.psd import noise_power_from_frames

Process = Callable[[Float64Array], Float64Array]


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallSignal:
    """What a method does to weak waves on flat frames, and the NEQ it leaves.

    Parameters
    ----------
    frequency_cy_per_um : (K,) array
        Of the waves, along the rows.
    gain : (K,) array
        Amplitude out over amplitude in, times levels in over out.
    gain_error : (K,) array
        Standard error from frame to frame.
    normalised_nps_um2 : (K,) array
        Of a processed frame.
    neq_per_um2 : (K,) array
        (MTF gain)^2 / NNPS, with the MTF of the frames as given.
    """

    frequency_cy_per_um: Float64Array
    gain: Float64Array
    gain_error: Float64Array
    normalised_nps_um2: Float64Array
    neq_per_um2: Float64Array


def noise_equivalent_quanta(mtf: ArrayLike, nps_um2: ArrayLike, level: float = 1.0) -> Float64Array:
    """Return MTF^2 level^2 / NPS, 1/um2.

    Parameters
    ----------
    mtf : (K,) array
        Transfer function at the NPS's frequencies.
    nps_um2 : (K,) array
        Noise power of a frame, grey values squared times um2.
    level : float
        Mean grey value of the flat.
    """
    check_range("level", level, low=0.0, low_open=True)
    return np.asarray(np.asarray(mtf) ** 2 * level**2 / np.asarray(nps_um2))


def small_signal(
    process: Process,
    frames: Float64Array,
    *,
    pixel_um: float,
    cycles: tuple[int, ...],
    mtf: ArrayLike,
    amplitude: float = 0.01,
) -> SmallSignal:
    """Return small-signal gain, noise power and NEQ of a method on flat frames.

    Parameters
    ----------
    process : callable
        The method, image to image of the same shape.
    frames : (F, M, N) array
        At least three flat frames with independent noise.
    pixel_um : float
        Pixel pitch.
    cycles : tuple of int
        Whole periods across the columns, 1 to N // 2 - 1; one wave each.
    mtf : (K,) array
        Transfer function of the frames at these frequencies.
    amplitude : float
        Of the wave, over the mean level.

    Raises
    ------
    DataError
        Fewer than three frames, or a frequency the frames cannot hold.
    """
    stack = np.asarray(frames, dtype=np.float64)
    check_pixel_um(pixel_um)
    check_range("amplitude", amplitude, low=0.0, low_open=True, high=1.0)
    if stack.ndim != 3 or stack.shape[0] < 3:
        raise DataError(f"frames has shape {stack.shape}: give three or more (frame, row, column).")
    columns = stack.shape[2]
    if not cycles or min(cycles) < 1 or max(cycles) > columns // 2 - 1:
        raise DataError(f"cycles = {cycles}: give whole numbers from 1 to {columns // 2 - 1}.")
    plain = np.stack([process(frame) for frame in stack])
    level_in, level_out = float(stack.mean()), float(plain.mean())
    gains = np.empty((stack.shape[0], len(cycles)))
    position = np.arange(columns) / columns
    for k, count in enumerate(cycles):
        wave = np.cos(2.0 * np.pi * count * position)
        for i, frame in enumerate(stack):
            change = process(frame + amplitude * level_in * wave) - plain[i]
            gains[i, k] = 2.0 * float((change * wave).mean()) / (amplitude * level_out)
    frequency = np.array(cycles) / (columns * pixel_um)
    power = noise_power_from_frames(plain, pixel_um=pixel_um, flat_level=level_out)
    nnps = stack.shape[0] * np.interp(frequency, power.frequency_cy_per_um, power.power_um2)
    gain = gains.mean(axis=0)
    return SmallSignal(
        frequency_cy_per_um=frequency,
        gain=gain,
        gain_error=gains.std(axis=0, ddof=1) / np.sqrt(stack.shape[0]),
        normalised_nps_um2=nnps,
        neq_per_um2=noise_equivalent_quanta(np.asarray(mtf) * gain, nnps),
    )
