"""From mean photo-electrons to camera counts: fixed pattern, noise, saturation, digitisation.

The order in the pixel is light and dark charge, direct X-ray hits, full well, read noise and
offset, conversion, rounding, converter range (the linear model of EMVA Standard 1288, with the full
well and the direct hits added).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scintscope.camera.parts import Camera
from scintscope.camera.poisson import BLOCKS, CHUNK, check_means, child_streams, run_blocks
from scintscope.errors import DataError, check_range
from scintscope.threads import POOL_THREADS

FloatMap = npt.NDArray[np.float32]
Frame = npt.NDArray[np.uint16]

SILICON_EV_PER_PAIR = 3.65
"""Energy per electron-hole pair in silicon at room temperature, eV (Janesick 2001; 3.6-3.7)."""

ZINGER_LOW_KEV, ZINGER_HIGH_KEV = 5.0, 50.0
"""Energies of X-rays that hit the sensor, taken as uniform between these.

5 keV is what air and the lens's first glass let through at all, 50 keV the tube's usual limit.
"""

SATURATION_SIGMAS = 5.0
"""A pixel this many standard deviations of the read-out below full well counts as saturated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedPattern:
    """What differs from pixel to pixel of one camera and stays from frame to frame.

    Parameters
    ----------
    sensitivity : (M, N) float32 array
        Photo-electrons relative to the mean pixel (PRNU); expectation 1, positive.
    offset_electrons : (M, N) float32 array
        Offset from the camera's pedestal (DSNU); expectation 0.
    dark_electrons_per_s : (M, N) float32 array
        Dark current, hot pixels included.
    """

    sensitivity: FloatMap
    offset_electrons: FloatMap
    dark_electrons_per_s: FloatMap

    def __post_init__(self) -> None:
        shapes = [self.sensitivity.shape, self.offset_electrons.shape]
        if any(s != self.dark_electrons_per_s.shape or len(s) != 2 for s in shapes):
            raise DataError(
                f"fixed-pattern maps have shapes {shapes[0]}, {shapes[1]}, "
                f"{self.dark_electrons_per_s.shape}: give three maps of one (rows, columns)."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.sensitivity.shape
        return rows, columns


def make_fixed_pattern(camera: Camera, rng: np.random.Generator) -> FixedPattern:
    """Draw the fixed pattern of a camera, once in its life.

    Parameters
    ----------
    camera : Camera
        Shape, PRNU, DSNU, dark current and hot pixels.
    rng : numpy.random.Generator
        Each map has its own child stream: switching one effect on leaves the other maps as
        they were.

    Returns
    -------
    FixedPattern
        Maps of the camera's shape. Sensitivity is log-normal of mean 1 and relative standard
        deviation ``prnu`` (a Gaussian for small ``prnu``, never negative); offsets are Gaussian;
        hot pixels add an exponentially distributed dark current.
    """
    gain_rng, offset_rng, hot_rng = child_streams(rng, 3)
    sensitivity = np.ones(camera.shape, dtype=np.float32)
    if camera.prnu > 0.0:
        sigma = np.float32(np.sqrt(np.log1p(camera.prnu**2)))
        normal = gain_rng.standard_normal(camera.shape, dtype=np.float32)
        sensitivity = np.exp(sigma * normal - np.float32(0.5) * sigma**2)
    offsets = np.zeros(camera.shape, dtype=np.float32)
    if camera.dsnu_electrons > 0.0:
        offsets = offset_rng.standard_normal(camera.shape, dtype=np.float32)
        offsets *= np.float32(camera.dsnu_electrons)
    dark = np.full(camera.shape, camera.dark_electrons_per_s, dtype=np.float32)
    if camera.hot_pixel_fraction > 0.0:
        hot = hot_rng.random(camera.shape, dtype=np.float32) < camera.hot_pixel_fraction
        extra = hot_rng.exponential(camera.hot_pixel_electrons_per_s, size=int(hot.sum()))
        dark[hot] += extra.astype(np.float32)
    return FixedPattern(
        sensitivity=sensitivity, offset_electrons=offsets, dark_electrons_per_s=dark
    )


def zinger_electrons(camera: Camera, rng: np.random.Generator) -> FloatMap | None:
    """Draw the charge of direct X-ray hits in one frame.

    Parameters
    ----------
    camera : Camera
        Shape and mean number of hits.
    rng : numpy.random.Generator
        Stream of the hits.

    Returns
    -------
    (M, N) float32 array or None
        Electrons per pixel, or None where there is no hit.

    Notes
    -----
    Hits are Poisson in number and even over the sensor. Each frees E / 3.65 eV electrons, E
    uniform from `ZINGER_LOW_KEV` to `ZINGER_HIGH_KEV`, in a square cloud one pixel wide that up to
    four adjacent pixels share by area; charge that falls beyond the sensor's edge is lost.
    """
    count = int(rng.poisson(camera.zingers_per_frame))
    if count == 0:
        return None
    rows, columns = camera.shape
    charge = rng.uniform(ZINGER_LOW_KEV, ZINGER_HIGH_KEV, count) * 1000.0 / SILICON_EV_PER_PAIR
    row_px, column_px = rng.uniform(0.0, rows, count), rng.uniform(0.0, columns, count)
    top, left = np.floor(row_px - 0.5).astype(int), np.floor(column_px - 0.5).astype(int)
    down, right = row_px - 0.5 - top, column_px - 0.5 - left
    padded = np.zeros((rows + 2, columns + 2), dtype=np.float32)
    for row_step, row_share in ((0, 1.0 - down), (1, down)):
        for column_step, column_share in ((0, 1.0 - right), (1, right)):
            where = (top + 1 + row_step, left + 1 + column_step)
            np.add.at(padded, where, (charge * row_share * column_share).astype(np.float32))
    return padded[1:-1, 1:-1]


def expose(
    photo_electrons: npt.NDArray[Any],
    exposure_s: float,
    camera: Camera,
    pattern: FixedPattern,
    rng: np.random.Generator,
    noise: bool = True,
    *,
    threads: int = POOL_THREADS,
    counted: bool = False,
) -> Frame:
    """Take one frame.

    Parameters
    ----------
    photo_electrons : (M, N) float array, electrons per pixel in this frame
        Mean of the light's photo-electrons (quantum efficiency applied), before the pixels'
        sensitivity. Float32 is enough and fastest.
    exposure_s : float
        Exposure, for the dark charge.
    camera, pattern : Camera, FixedPattern
        The camera, and its fixed pattern of the same shape.
    rng : numpy.random.Generator
        Four words are drawn from it, with or without noise.
    noise : bool
        False gives the expected charge, digitised: fixed pattern and mean dark charge stay,
        Poisson spread, read noise and direct hits go.
    threads : int
        Threads; the result does not depend on it.
    counted : bool
        Whether the photo-electrons are already drawn, not a mean: their Poisson spread is then
        not drawn again, and sensitivity acts as a gain.

    Returns
    -------
    (M, N) uint16 array, ADU
        Saturation is physical here: charge stops at the full well, counts stop at 0 and at
        2^bits - 1; `saturated_fraction` tells how much of a frame did.

    Raises
    ------
    DataError
        If the image does not fit the pattern, or holds NaN, infinity or negative values.
    RangeError
        If the exposure is negative or not finite.

    Notes
    -----
    ADU = round((min(Poisson(s L + d t) + X, W) + r n + o) / g + b) with sensitivity s, light L,
    dark current d, exposure t, hits X, full well W, read noise r (n standard normal), offsets o,
    gain g in electrons per ADU and pedestal b (linear model of EMVA
    Standard 1288). Light and dark share one draw because sums of Poisson numbers are Poisson
    numbers.
    """
    light = np.asarray(photo_electrons)
    check_range("exposure_s", exposure_s, low=0.0, unit="s")
    if light.shape != pattern.shape or pattern.shape != tuple(camera.shape):
        raise DataError(
            f"photo_electrons has shape {light.shape}, the fixed pattern {pattern.shape}, the "
            f"camera {tuple(camera.shape)}: give one shape (rows, columns) throughout."
        )
    check_means("photo_electrons", light, "electrons")
    *streams, hit_stream = child_streams(rng, BLOCKS + 1)
    hits = zinger_electrons(camera, hit_stream) if noise else None
    frame = np.empty(light.shape, dtype=np.uint16)
    rows_at_once = max(1, CHUNK // light.shape[1])

    def fill(block: int, start: int, stop: int) -> None:
        for low in range(start, stop, rows_at_once):
            part = slice(low, min(low + rows_at_once, stop))
            charge = light[part] * pattern.sensitivity[part]
            dark = pattern.dark_electrons_per_s[part] * np.float32(exposure_s)
            if noise and counted:
                charge = (charge + streams[block].poisson(dark)).astype(np.float32)
            elif noise:
                charge = streams[block].poisson(charge + dark).astype(np.float32)
            else:
                charge = charge + dark
            if hits is not None:
                charge += hits[part]
            np.minimum(charge, camera.full_well_electrons, out=charge)
            if noise and camera.read_noise_electrons > 0.0:
                spread = streams[block].standard_normal(charge.shape, dtype=np.float32)
                charge += spread * np.float32(camera.read_noise_electrons)
            charge += pattern.offset_electrons[part]
            frame[part] = _digitise(charge, camera)

    run_blocks(light.shape[0], fill, threads)
    return frame


def _digitise(charge_electrons: npt.NDArray[Any], camera: Camera) -> Frame:
    """Return counts of a charge: gain, pedestal, rounding, the converter's range."""
    counts = charge_electrons / charge_electrons.dtype.type(camera.gain_electrons_per_adu)
    counts += charge_electrons.dtype.type(camera.offset_adu)
    np.rint(counts, out=counts)
    np.clip(counts, 0, 2**camera.bits - 1, out=counts)
    frame: Frame = counts.astype(np.uint16)
    return frame


def dark_frame(
    exposure_s: float,
    camera: Camera,
    pattern: FixedPattern,
    rng: np.random.Generator,
    noise: bool = True,
) -> Frame:
    """Take one frame without light; arguments and errors as in `expose`."""
    no_light = np.zeros(camera.shape, dtype=np.float32)
    return expose(no_light, exposure_s, camera, pattern, rng, noise)


def flat_frame(
    electrons: float,
    exposure_s: float,
    camera: Camera,
    pattern: FixedPattern,
    rng: np.random.Generator,
    noise: bool = True,
) -> Frame:
    """Take one frame of perfectly even light, no scintillator: the camera flat.

    Parameters
    ----------
    electrons : float
        Mean photo-electrons per pixel in the frame.
    exposure_s, camera, pattern, rng, noise
        As in `expose`.

    Returns
    -------
    (M, N) uint16 array, ADU

    Raises
    ------
    RangeError
        If the light is negative or would fill the well.
    """
    check_range(
        "flat_electrons",
        electrons,
        low=0.0,
        high=camera.full_well_electrons,
        high_open=True,
        unit="electrons",
        remedy="A flat must not saturate: give less light.",
    )
    even_light = np.full(camera.shape, electrons, dtype=np.float32)
    return expose(even_light, exposure_s, camera, pattern, rng, noise)


def saturation_level_adu(camera: Camera) -> int:
    """Return the counts from which a pixel counts as saturated.

    The lower of the converter's last code and the full well less `SATURATION_SIGMAS` standard
    deviations of read noise and offsets, since a full pixel still reads out with noise.
    """
    spread = np.hypot(camera.read_noise_electrons, camera.dsnu_electrons)
    full = camera.full_well_electrons - SATURATION_SIGMAS * float(spread)
    level = camera.offset_adu + full / camera.gain_electrons_per_adu
    return int(np.clip(np.floor(level), 1, 2**camera.bits - 1))


def saturated_fraction(frames: npt.NDArray[Any], camera: Camera) -> float:
    """Return the share of pixels at or above `saturation_level_adu`.

    Parameters
    ----------
    frames : (M, N) or (F, M, N) array, ADU
        One frame or a stack.
    camera : Camera
        The camera that took them.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    DataError
        If there is no pixel.
    """
    if frames.size == 0:
        raise DataError(f"frames has shape {frames.shape}: there is no pixel to look at.")
    return int(np.count_nonzero(frames >= saturation_level_adu(camera))) / frames.size
