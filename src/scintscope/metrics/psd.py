"""Power spectral densities of images and the gain of a restored image over the thick one.

The density is two-sided and has the normalisation of a noise power spectrum (IEC 62220-1-1):
with the image ``x`` divided by its flat level and freed of its mean, window ``w`` and pixel ``p``,

    PSD(f) = p^2 / (M N) |FFT{w x}|^2 / mean(w^2),

in um^2, so that its integral over the plane of frequencies is the (windowed) variance and white
noise of standard deviation sigma has the level sigma^2 p^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from scintscope.errors import DataError, check_choice, check_range
from scintscope.grids import Grid
from scintscope.metrics.checks import Float64Array, as_image, as_image_pair, check_pixel_um
from scintscope.threads import POOL_THREADS

WINDOWS = ("hann", "none")
_SMALLEST_PX = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerSpectrum2D:
    """Two-dimensional power spectral density of a real image.

    Parameters
    ----------
    power_um2 : (M, N // 2 + 1) float array
        Two-sided density, um^2, in the order of a real transform; the missing half mirrors it.
    shape : (int, int)
        Rows and columns of the image.
    pixel_um : float
        Pixel pitch, um.
    """

    power_um2: Float64Array
    shape: tuple[int, int]
    pixel_um: float

    @property
    def grid(self) -> Grid:
        """The image's grid; it names the frequencies of rows and columns."""
        return Grid(shape=self.shape, pixel_um=self.pixel_um)

    def weights(self) -> Float64Array:
        """Return how often each column of the half plane counts in the whole, (N // 2 + 1,)."""
        return mirror_weights(self.shape[1])

    def variance(self) -> float:
        """Return the integral of the density over the whole plane of frequencies."""
        area_um2 = self.shape[0] * self.shape[1] * self.pixel_um**2
        return float((self.power_um2 * self.weights()).sum() / area_um2)

    def centred_power_um2(self) -> Float64Array:
        """Return the whole (M, N) density with zero frequency at ``(M // 2, N // 2)``."""
        columns = self.shape[1]
        missing = columns - self.power_um2.shape[1]
        mirrored = np.roll(self.power_um2[::-1], 1, axis=0)[:, missing:0:-1]
        whole = np.concatenate([self.power_um2, mirrored], axis=1)
        return np.asarray(fft.fftshift(whole), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True)
class RadialSpectrum:
    """Radial mean of a two-dimensional density; see `radial_mean` for the binning rule.

    Parameters
    ----------
    frequency_cy_per_um : (K,) float array
        Centres of the rings, cycles/um, from 0 to the Nyquist frequency.
    power_um2 : (K,) float array
        Mean density on each ring, um^2.
    count : (K,) float array
        Elements of the whole plane on each ring.
    """

    frequency_cy_per_um: Float64Array
    power_um2: Float64Array
    count: Float64Array


@dataclass(frozen=True, kw_only=True, slots=True)
class RowSpectrum:
    """One-dimensional density along the rows, averaged over the rows.

    Parameters
    ----------
    frequency_cy_per_um : (N // 2 + 1,) float array
        Frequencies along a row, cycles/um.
    power_um : (N // 2 + 1,) float array
        Two-sided density, um.
    """

    frequency_cy_per_um: Float64Array
    power_um: Float64Array


def mirror_weights(columns: int) -> Float64Array:
    """Return the multiplicity of each column of a real transform in the whole plane."""
    weights = np.full(columns // 2 + 1, 2.0)
    weights[0] = 1.0
    if columns % 2 == 0:
        weights[-1] = 1.0
    return weights


def window_1d(count: int, window: str) -> Float64Array:
    """Return a Hann window sampled at the middles of its pixels, or ones, (count,).

    Raises
    ------
    InputError
        Another name than ``hann`` or ``none``.
    """
    check_choice("window", window, WINDOWS)
    if window == "none":
        return np.ones(count)
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(count) + 0.5) / count))


def power_spectrum_2d(
    image: ArrayLike,
    *,
    pixel_um: float,
    flat_level: float = 1.0,
    window: str = "hann",
    subtract_mean: bool = True,
) -> PowerSpectrum2D:
    """Return the power spectral density of an image.

    Parameters
    ----------
    image : (M, N) float array
        Grey values, in the unit of ``flat_level``.
    pixel_um : float
        Pixel pitch, um.
    flat_level : float
        Grey value of the unattenuated beam; the image is divided by it.
    window : {"hann", "none"}
        Window along both axes, normalised to unit mean power.
    subtract_mean : bool
        Take off the window-weighted mean, so that the density at zero frequency is zero and
        the constant does not leak into the next bins.

    Returns
    -------
    PowerSpectrum2D

    Raises
    ------
    DataError
        Not a finite two-dimensional image of at least 8 x 8 pixels.
    RangeError
        ``pixel_um`` or ``flat_level`` not positive.

    Notes
    -----
    Normalisation of the NPS in IEC 62220-1-1:2015, divided by the window's mean power
    (Welch 1967, IEEE Trans. Audio Electroacoust. 15, 70).
    """
    array = as_image("image", image, minimum_px=_SMALLEST_PX)
    check_pixel_um(pixel_um)
    check_range("flat_level", flat_level, low=0.0, low_open=True)
    rows, columns = array.shape
    weight = window_1d(rows, window)[:, None] * window_1d(columns, window)[None, :]
    mean = float((array * weight).sum() / weight.sum()) if subtract_mean else 0.0
    spectrum = fft.rfft2((array - mean) * weight, workers=POOL_THREADS)
    power = spectrum.real**2 + spectrum.imag**2
    if subtract_mean:
        power[0, 0] = 0.0  # exactly; the subtraction leaves rounding
    power *= pixel_um**2 / (array.size * float(np.mean(weight**2)) * flat_level**2)
    return PowerSpectrum2D(
        power_um2=np.asarray(power), shape=(rows, columns), pixel_um=float(pixel_um)
    )


@lru_cache(maxsize=2)
def ring_numbers(grid: Grid) -> tuple[NDArray[np.intp], int, float]:
    """Return the ring of each element of a real transform, the number of rings, their width.

    With ``df = 1 / (min(M, N) pixel_um)`` an element at radial frequency f belongs to ring
    ``floor(f / df + 1/2)``. Rings 0 ... ``min(M, N) // 2`` are kept: none is empty, and the last
    is centred at (even size) or half a ring below (odd size) the Nyquist frequency. Elements in
    the corners beyond carry the number of rings and belong to none.

    Returns
    -------
    ring : (M, N // 2 + 1) int array
        Read-only: the last two grids' are kept, since a run's images share one.
    rings : int
    width_cy_per_um : float
    """
    shortest = min(grid.shape)
    width = 1.0 / (shortest * grid.pixel_um)
    rings = shortest // 2 + 1
    ring = np.floor(grid.radial_frequency_cy_per_um() / width + 0.5).astype(np.intp)
    np.minimum(ring, rings, out=ring)
    ring.setflags(write=False)
    return ring, rings, width


def ring_sums(values: Float64Array, grid: Grid) -> Float64Array:
    """Return the sum of values over the rings of the whole plane (rule: `ring_numbers`).

    Parameters
    ----------
    values : (M, N // 2 + 1) float array
        A mirror-symmetric quantity in the order of a real transform.
    grid : Grid
        The image's grid.

    Returns
    -------
    (K,) float array
    """
    ring, rings, _ = ring_numbers(grid)
    weighted = values * mirror_weights(grid.shape[1])
    sums = np.bincount(ring.ravel(), weights=weighted.ravel(), minlength=rings + 1)
    return np.asarray(sums[:rings], dtype=np.float64)


def radial_mean(spectrum: PowerSpectrum2D) -> RadialSpectrum:
    """Return the mean of a density over rings of radial frequency.

    Ring k is centred at ``k df``, ``df = 1 / (min(M, N) pixel_um)``, and holds every element of
    the whole plane with ``(k - 1/2) df <= f < (k + 1/2) df``; the corners beyond the last ring
    are left out. The frequency given is the centre of the ring.
    """
    grid = spectrum.grid
    count = ring_sums(np.ones_like(spectrum.power_um2), grid)
    _, rings, width = ring_numbers(grid)
    return RadialSpectrum(
        frequency_cy_per_um=np.arange(rings, dtype=np.float64) * width,
        power_um2=ring_sums(spectrum.power_um2, grid) / count,
        count=count,
    )


def radial_power_spectrum(
    image: ArrayLike, *, pixel_um: float, flat_level: float = 1.0, window: str = "hann"
) -> RadialSpectrum:
    """Return `radial_mean` of `power_spectrum_2d`; parameters and errors are theirs."""
    return radial_mean(
        power_spectrum_2d(image, pixel_um=pixel_um, flat_level=flat_level, window=window)
    )


def row_power_spectrum(
    image: ArrayLike, *, pixel_um: float, flat_level: float = 1.0, window: str = "hann"
) -> RowSpectrum:
    """Return the density along the rows, averaged over all rows.

    ``p / N |FFT{w x}|^2 / mean(w^2)`` of each row freed of its own window-weighted mean; two-sided,
    um: white noise of standard deviation sigma has the level ``sigma^2 p``. Parameters and errors
    as `power_spectrum_2d`.
    """
    array = as_image("image", image, minimum_px=_SMALLEST_PX)
    check_pixel_um(pixel_um)
    check_range("flat_level", flat_level, low=0.0, low_open=True)
    columns = array.shape[1]
    weight = window_1d(columns, window)
    mean = array @ weight / weight.sum()
    spectrum = fft.rfft((array - mean[:, None]) * weight, axis=1, workers=POOL_THREADS)
    power = np.mean(spectrum.real**2 + spectrum.imag**2, axis=0)
    power *= pixel_um / (columns * float(np.mean(weight**2)) * flat_level**2)
    return RowSpectrum(
        frequency_cy_per_um=np.asarray(fft.rfftfreq(columns, pixel_um)), power_um=np.asarray(power)
    )


def noise_power_from_repeats(
    first: ArrayLike,
    second: ArrayLike,
    *,
    pixel_um: float,
    flat_level: float = 1.0,
    window: str = "hann",
) -> RadialSpectrum:
    """Return the noise density of one of two repeated images: half that of their difference.

    Parameters
    ----------
    first, second : (M, N) float arrays
        Two images of the same scene with independent noise (for a restored image: two
        restorations of independent data).
    pixel_um, flat_level, window
        As `power_spectrum_2d`.

    Raises
    ------
    DataError
        As `power_spectrum_2d`, or the shapes differ.
    """
    one, two = as_image_pair("first", first, "second", second, minimum_px=_SMALLEST_PX)
    spectrum = radial_power_spectrum(
        one - two, pixel_um=pixel_um, flat_level=flat_level, window=window
    )
    return RadialSpectrum(
        frequency_cy_per_um=spectrum.frequency_cy_per_um,
        power_um2=0.5 * spectrum.power_um2,
        count=spectrum.count,
    )


def noise_power_from_frames(
    frames: ArrayLike, *, pixel_um: float, flat_level: float = 1.0, window: str = "hann"
) -> RadialSpectrum:
    """Return the noise density of the *mean* of a stack of repeated frames.

    The densities of all differences of successive frames are averaged and divided by two (one
    frame) and by the number of frames (their mean). Successive differences keep slow drift out.

    Parameters
    ----------
    frames : (F, M, N) float array
        At least two frames of the same scene.
    pixel_um, flat_level, window
        As `power_spectrum_2d`.

    Raises
    ------
    DataError
        Not a stack of two or more finite images.
    """
    stack = np.asarray(frames)
    if stack.ndim != 3 or stack.shape[0] < 2:
        raise DataError(
            f"frames has shape {stack.shape}: give (frame, row, column) with two frames or more."
        )
    singles = [
        noise_power_from_repeats(
            stack[i], stack[i + 1], pixel_um=pixel_um, flat_level=flat_level, window=window
        )
        for i in range(stack.shape[0] - 1)
    ]
    power = np.mean([single.power_um2 for single in singles], axis=0) / stack.shape[0]
    return RadialSpectrum(
        frequency_cy_per_um=singles[0].frequency_cy_per_um, power_um2=power, count=singles[0].count
    )
