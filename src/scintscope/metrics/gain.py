"""Gain in power spectral density of a restored image over the thick-plate image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scintscope.errors import DataError
from scintscope.metrics.checks import BoolArray, Float64Array, as_image_pair
from scintscope.metrics.psd import (
    PowerSpectrum2D,
    RadialSpectrum,
    power_spectrum_2d,
    radial_mean,
)

MAX_BAND = (0.1, 1.0)
"""Band of the largest gain, as fractions of the Nyquist frequency."""

HIGH_BAND = (0.5, 1.0)
"""Band of the mean gain, as fractions of the Nyquist frequency."""

FLOOR_FACTOR = 3.0
"""The thick image counts as resolved where its density exceeds this many noise floors."""

CORNER_FRACTION = 0.9
"""Without a noise density the floor is read where both frequencies exceed this x Nyquist."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BandGain:
    """Summary of a gain curve.

    Parameters
    ----------
    maximum : float or None
        Largest gain over 0.1-1.0 Nyquist on the resolved rings; None if there is none.
    maximum_frequency_cy_per_um : float or None
        Where, cycles/um.
    high_band : float or None
        Mean gain over 0.5-1.0 Nyquist (rings count equally).
    """

    maximum: float | None
    maximum_frequency_cy_per_um: float | None
    high_band: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PsdGain:
    """Power ratio restored / thick per ring, whole and split into signal and noise.

    Parameters
    ----------
    frequency_cy_per_um : (K,) float array
        Ring centres, cycles/um.
    gain : (K,) float array
        Restored over thick density; NaN where the thick density is zero (zero frequency).
    signal_gain : (K,) float array or None
        The same of the densities less the noise; NaN on rings that are not resolved. None
        without both noise densities.
    noise_gain : (K,) float array or None
        Ratio of the noise densities; None without both.
    thick_floor_um2 : (K,) float array
        Noise floor of the thick image.
    floor_source : str
        ``"noise"`` (a noise density was given) or ``"corner"`` (highest frequencies).
    resolved : (K,) bool array
        Thick density above three floors.
    total, signal, noise : BandGain
        Summaries; signal and noise are None without both noise densities. ``signal.high_band``
        is the mean over the resolved rings of the band; the others over all its rings, and
        ``noise.maximum`` is over all rings of its band.
    """

    frequency_cy_per_um: Float64Array
    gain: Float64Array
    signal_gain: Float64Array | None
    noise_gain: Float64Array | None
    thick_floor_um2: Float64Array
    floor_source: str
    resolved: BoolArray
    total: BandGain
    signal: BandGain | None
    noise: BandGain | None


def corner_floor_um2(spectrum: PowerSpectrum2D) -> float:
    """Return the mean density, um^2, where both frequencies exceed 0.9 Nyquist.

    The blur leaves least signal there, so this is the white part of the noise (light quanta,
    read-out). Noise that falls with frequency, such as blurred X-ray quanta, lies above it at
    lower frequencies: give a measured noise density where repeats exist.
    """
    grid = spectrum.grid
    limit = CORNER_FRACTION * grid.nyquist_cy_per_um
    rows = np.abs(grid.row_frequency_cy_per_um) >= limit
    columns = np.abs(grid.column_frequency_cy_per_um) >= limit
    corner = spectrum.power_um2[np.ix_(rows, columns)]
    weights = np.broadcast_to(spectrum.weights()[columns], corner.shape)
    return float(np.average(corner, weights=weights))


def psd_gain(
    restored: ArrayLike,
    thick: ArrayLike,
    *,
    pixel_um: float,
    flat_level: float = 1.0,
    restored_flat_level: float | None = None,
    restored_noise: RadialSpectrum | None = None,
    thick_noise: RadialSpectrum | None = None,
) -> PsdGain:
    """Return the gain in power spectral density of a restored image over the thick one.

    Parameters
    ----------
    restored, thick : (M, N) float arrays
        The images, same region.
    pixel_um : float
        Pixel pitch, um.
    flat_level : float
        Grey value of the unattenuated beam in ``thick``.
    restored_flat_level : float, optional
        The same in ``restored``; by default equal.
    restored_noise, thick_noise : RadialSpectrum, optional
        Densities of the noise alone in these very images, at the same pixel and divided by the
        same flat levels, e.g. `psd.noise_power_from_repeats`.

    Returns
    -------
    PsdGain

    Raises
    ------
    DataError
        Images that cannot be used or differ in shape; noise densities on other rings.

    Notes
    -----
    The gain is a ratio of powers; amplitudes gain its square root. A linear restoration raises
    signal and noise alike, so only the signal part says that detail was recovered, and only
    together with the noise part.
    """
    one, two = as_image_pair("restored", restored, "thick", thick, minimum_px=8)
    other_level = flat_level if restored_flat_level is None else restored_flat_level
    top = radial_mean(power_spectrum_2d(one, pixel_um=pixel_um, flat_level=other_level))
    plane = power_spectrum_2d(two, pixel_um=pixel_um, flat_level=flat_level)
    base = radial_mean(plane)
    for name, noise in (("restored_noise", restored_noise), ("thick_noise", thick_noise)):
        _check_rings(name, noise, base)
    if thick_noise is None:
        floor = np.full_like(base.power_um2, corner_floor_um2(plane))
    else:
        floor = thick_noise.power_um2
    return _assemble(top, base, floor, plane.grid.nyquist_cy_per_um, restored_noise, thick_noise)


def _check_rings(name: str, noise: RadialSpectrum | None, base: RadialSpectrum) -> None:
    """Refuse a noise density on other rings than the image's."""
    if noise is None:
        return
    same = noise.frequency_cy_per_um.shape == base.frequency_cy_per_um.shape and np.allclose(
        noise.frequency_cy_per_um, base.frequency_cy_per_um, rtol=1e-9, atol=0.0
    )
    if not same:
        raise DataError(
            f"{name} has {noise.frequency_cy_per_um.size} rings that are not the image's "
            f"{base.frequency_cy_per_um.size}: take it from images of the same shape and pixel."
        )


def _assemble(
    top: RadialSpectrum,
    base: RadialSpectrum,
    floor: Float64Array,
    nyquist_cy_per_um: float,
    restored_noise: RadialSpectrum | None,
    thick_noise: RadialSpectrum | None,
) -> PsdGain:
    """Return the record of gains from ring densities."""
    frequency = base.frequency_cy_per_um
    relative = frequency / nyquist_cy_per_um
    resolved = base.power_um2 > FLOOR_FACTOR * floor
    gain = _ratio(top.power_um2, base.power_um2)
    everywhere = np.ones_like(resolved)
    signal = noise = None
    signal_band = noise_band = None
    if restored_noise is not None and thick_noise is not None:
        signal = _ratio(
            top.power_um2 - restored_noise.power_um2, base.power_um2 - thick_noise.power_um2
        )
        signal = np.where(resolved, signal, np.nan)
        noise = _ratio(restored_noise.power_um2, thick_noise.power_um2)
        signal_band = _band(frequency, relative, signal, resolved)
        noise_band = _band(frequency, relative, noise, everywhere)
    return PsdGain(
        frequency_cy_per_um=frequency,
        gain=gain,
        signal_gain=signal,
        noise_gain=noise,
        thick_floor_um2=floor,
        floor_source="corner" if thick_noise is None else "noise",
        resolved=resolved,
        total=_band(frequency, relative, gain, resolved),
        signal=signal_band,
        noise=noise_band,
    )


def _ratio(above: Float64Array, below: Float64Array) -> Float64Array:
    """Return above / below, NaN where the denominator is not positive."""
    result = np.full_like(above, np.nan)
    np.divide(above, below, out=result, where=below > 0.0)
    return result


def _band(
    frequency: Float64Array, relative: Float64Array, gain: Float64Array, resolved: BoolArray
) -> BandGain:
    """Return the summary of a gain curve."""
    finite = np.isfinite(gain)
    inside = (relative >= MAX_BAND[0]) & (relative <= MAX_BAND[1]) & resolved & finite
    high = (relative >= HIGH_BAND[0]) & (relative <= HIGH_BAND[1]) & finite
    best = int(np.argmax(np.where(inside, gain, -np.inf)))
    some = bool(inside.any())
    return BandGain(
        maximum=float(gain[best]) if some else None,
        maximum_frequency_cy_per_um=float(frequency[best]) if some else None,
        high_band=float(gain[high].mean()) if high.any() else None,
    )


def gain_numbers(gain: PsdGain) -> dict[str, float | None]:
    """Return a gain as the keys of ``metrics.json``; parts that are not known are None."""
    numbers: dict[str, float | None] = {
        "psd_gain_max": gain.total.maximum,
        "psd_gain_high_band": gain.total.high_band,
    }
    for part in ("signal", "noise"):
        band = getattr(gain, part)
        numbers[f"psd_gain_max_{part}"] = None if band is None else band.maximum
        numbers[f"psd_gain_high_band_{part}"] = None if band is None else band.high_band
    return numbers
