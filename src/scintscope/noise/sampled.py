"""Noise power of sampled images: what lies beyond the camera's Nyquist frequency folds back.

On the camera's frequencies (u, v) the noise power is the sum over aliases of the correlated part,
each through the pixel's aperture, and the white part once:

    NPS_s(u, v) = sum_mn Q(f_mn) sinc(u_m a)^2 sinc(v_n a)^2 + M + A,   u_m = u + m / a

with a the pixel pitch (Giger, Doi and Metz 1984, Med. Phys. 11, 797).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scintscope.camera.parts import Camera
from scintscope.grids import Grid
from scintscope.noise.plate import SignalNoise, plate_moments, quantum_noise, signal_noise
from scintscope.response import DepthResponse, at_frequencies

Array = NDArray[np.float64]

_ANGLES = 32
"""Directions from 0 to 45 degrees (the square pixel repeats after that)."""


def camera_variance(camera: Camera, exposure_s: float) -> float:
    """Return the variance a camera adds to a pixel of a frame, electrons^2.

    Read noise, Poisson dark charge, and rounding to counts, step^2 / 12 (even over the step, good
    where the noise is wider than it). Fixed pattern is not noise.
    """
    return (
        camera.read_noise_electrons**2
        + camera.dark_electrons_per_s * exposure_s
        + camera.gain_electrons_per_adu**2 / 12.0
    )


def folded(
    row_cy_per_um: Array, column_cy_per_um: Array, table: Array, curve: Array, pixel_um: float
) -> Array:
    """Return sum over aliases of curve(f) sinc^2 sinc^2 at frequencies (u, v), any shape.

    Parameters
    ----------
    row_cy_per_um, column_cy_per_um : arrays of one shape
        u, v.
    table, curve : (F,) array
        Tabulated radial curve; zero beyond the last frequency.
    pixel_um : float
        Pitch and side of the pixel.
    """
    orders = range(-int(np.ceil(table[-1] * pixel_um + 0.5)), int(table[-1] * pixel_um + 0.5) + 2)
    total = np.zeros(np.shape(row_cy_per_um))
    for m in orders:
        u = row_cy_per_um + m / pixel_um
        for n in orders:
            v = column_cy_per_um + n / pixel_um
            f = np.hypot(u, v)
            if f.min() < table[-1]:
                aperture = np.sinc(u * pixel_um) ** 2 * np.sinc(v * pixel_um) ** 2
                total += at_frequencies(f, table, curve) * aperture
    return total


def sampled_nps(
    response: DepthResponse, shape: tuple[int, int], additive_electrons2: float = 0.0
) -> Array:
    """Return the noise power of flat frames at the frequencies of their real transform.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    shape : (int, int)
        Rows and columns of the frame.
    additive_electrons2 : float
        `camera_variance`.

    Returns
    -------
    (rows, columns // 2 + 1) array
        Electrons^2 per um2: a pixel's variance is its sum over all rows x columns elements over
        their number, times the pixel's area.
    """
    grid = Grid(shape=shape, pixel_um=response.pixel_um)
    u, v = np.meshgrid(grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um, indexing="ij")
    table = response.frequency_cy_per_um
    correlated = folded(u, v, table, quantum_noise(response), response.pixel_um)
    white = plate_moments(response).light_per_um2 + additive_electrons2 / response.pixel_um**2
    return np.asarray(correlated + white)


def sampled_signal_noise(
    response: DepthResponse, frequency_cy_per_um: Array, additive_electrons2: float = 0.0
) -> SignalNoise:
    """Return presampled MTF with the NPS of sampled frames, averaged over directions, and the DQE.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    frequency_cy_per_um : (F,) array
        Up to the camera's Nyquist frequency.
    additive_electrons2 : float
        `camera_variance`.
    """
    angle = 0.25 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    u = frequency_cy_per_um[:, None] * np.cos(angle)
    v = frequency_cy_per_um[:, None] * np.sin(angle)
    table = response.frequency_cy_per_um
    events = folded(u, v, table, quantum_noise(response), response.pixel_um).mean(axis=1)
    plain = signal_noise(response, frequency_cy_per_um, 0.0, 0.0)
    mean = plate_moments(response).light_per_um2
    nps = events + mean + additive_electrons2 / response.pixel_um**2
    incident = response.spectrum.total_photons_per_um2_s * response.plate.exposure_s
    return replace(
        plain,
        nps_electrons2_per_um2=nps,
        normalised_nps_um2=nps / mean**2,
        dqe=(plain.mtf * mean) ** 2 / (incident * nps),
    )
