r"""Pupil-FFT engine: the PSF and OTF of any pupil, scalar and vectorial.

.. math:: U(x) = \iint A(p)\, e^{i k [W(p) + p \cdot x]}\, d^2p,\qquad
          h = \frac{\sum_c w_c |U_c|^2}{\lambda^2 \sum_c w_c \iint |A_c|^2 d^2p}

(Goodman 2005, Introduction to Fourier Optics, Eq. 6-20, 6-28). The pupil is taken at quadrature
nodes in polar coordinates, so that its edge costs no accuracy, and spread onto an N x N grid with a
step of lambda / (N dx) for one FFT. The image has samples dx <= lambda / (4 NA), which hold the
intensity without aliasing; square pixels come by the factor sinc sinc of its transform. Positive W
is a longer path: see `aberrations` for signs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.errors import check_range
from scintscope.optics.psf_kernels import require_nyquist
from scintscope.optics.pupil import SCALAR, Pupil
from scintscope.optics.pupil_grid import (
    check_size,
    node_counts,
    pupil_amplitudes,
    pupil_path_um,
    pupil_points,
    ray_reach_um,
    spread,
    spread_correction,
)
from scintscope.optics.radial_nodes import check_aperture, plain_path
from scintscope.optics.wavefront import OpticalPath
from scintscope.threads import POOL_THREADS

Array = NDArray[np.float64]

_WORKERS = POOL_THREADS
_MARGIN = 32
"""Samples around the window, for the mean over pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """One kernel on the camera's pixels.

    Parameters
    ----------
    kernel : (rows, columns) array
        Share of the emitter's light in each pixel; its axis at [rows // 2, columns // 2].
    energy_outside : float
        1 - sum of the kernel, never renormalised.
    size : int
        Samples of the grid along an axis.
    """

    kernel: Array
    energy_outside: float
    size: int


def psf_fft(
    depth_below_exit_um: float,
    travel_um: float,
    path: OpticalPath,
    *,
    pixel_um: float,
    shape: tuple[int, int] = (255, 255),
    aperture_um: float | None = None,
    pupil: Pupil = SCALAR,
    field_point: tuple[float, float] = (0.0, 0.0),
    size: int | None = None,
) -> Kernel:
    """Return the kernel of one emitter through any pupil (module equation).

    Parameters
    ----------
    depth_below_exit_um, travel_um : float
        Emitter and stage.
    path : OpticalPath
        Lens and layers.
    pixel_um : float
        Pitch, object side.
    shape : (int, int)
        Rows and columns of the kernel.
    aperture_um : float, optional
        Side of the light-sensitive square; None: the pitch; 0: point samples times pitch^2.
    pupil : Pupil
        Model, aberrations of any kind, stop.
    field_point : (float, float)
        Row and column of the field point over the field's edge, for Seidel terms.
    size : int, optional
        Samples along an axis of the grid; by default as many as are needed.

    Returns
    -------
    Kernel

    Raises
    ------
    SamplingError
        A grid beyond 4096 x 4096 needed, a given ``size`` too small, or point samples on a pitch
        above lambda / (4 NA).
    """
    check_range("pixel_um", pixel_um, low=0.0, low_open=True, unit="um")
    side = pixel_um if aperture_um is None else aperture_um
    check_range("aperture_um", side, low=0.0, high=pixel_um, unit="um")
    path = plain_path(path)
    check_aperture(path, pupil.aberrations.decentre)
    if side == 0.0:
        require_nyquist(pixel_um, path)
    finer = int(np.ceil(pixel_um * 2.0 * path.cutoff_cy_per_um * (1.0 - 1e-12)))
    step = pixel_um / finer
    window = max(shape) * finer + 2 * _MARGIN
    count = check_size(size, 2 * window)
    reach = ray_reach_um(depth_below_exit_um, travel_um, path, pupil.aberrations, field_point)
    slope = 2.0 * np.pi * path.na / path.wavelength_um * np.sqrt(2.0)
    nodes = node_counts(slope * (0.5 * window * step + reach), pupil.aberrations)
    dense = _intensity(depth_below_exit_um, travel_um, path, pupil, field_point, step, count, nodes)
    if side:
        dense = _mean_over_squares(dense, step, side)
    centre = dense.shape[0] // 2
    rows, columns = (centre + (np.arange(n) - n // 2) * finer for n in shape)
    kernel = dense[np.ix_(rows, columns)] * pixel_um**2
    return Kernel(kernel=kernel, energy_outside=float(1.0 - kernel.sum()), size=count)


def _mean_over_squares(values: Array, step_um: float, side_um: float) -> Array:
    """Return the mean over squares, exact for what the grid holds, padded against its wrapping."""
    size = int(fft.next_fast_len(values.shape[0] + _MARGIN, real=True))
    sinc = np.sinc(fft.fftfreq(size, step_um) * side_um)
    half = np.sinc(fft.rfftfreq(size, step_um) * side_um)
    spectrum = fft.rfft2(values, s=(size, size), workers=_WORKERS) * sinc[:, None] * half[None, :]
    mean = fft.irfft2(spectrum, s=(size, size), workers=_WORKERS)
    return np.asarray(mean[: values.shape[0], : values.shape[1]])


def _intensity(
    depth_um: float,
    travel_um: float,
    path: OpticalPath,
    pupil: Pupil,
    field_point: tuple[float, float],
    step_um: float,
    size: int,
    nodes: tuple[int, int],
) -> Array:
    """Return h, 1/um^2, on the inner half of the grid; the axis at its [size // 4, size // 4]."""
    points = pupil_points(*nodes, pupil.aberrations)
    w = pupil_path_um(points.x, points.y, depth_um, travel_um, path, pupil.aberrations, field_point)
    wave = points.weight * np.exp(2j * np.pi / path.wavelength_um * w)
    inner = np.arange(2 * (size // 4)) - size // 4
    correction = 1.0 / spread_correction(size)[inner]
    total, energy = np.zeros((inner.size, inner.size)), 0.0
    for weight, amplitude in pupil_amplitudes(points, path, pupil):
        radius_cells = path.na * size * step_um / path.wavelength_um
        grid = spread(points, radius_cells, amplitude * wave, size)
        field = fft.ifft2(grid, norm="forward", overwrite_x=True, workers=_WORKERS)
        field = field[np.ix_(inner, inner)] * correction[:, None] * correction[None, :]
        total += weight * (field.real**2 + field.imag**2)
        energy += weight * float(np.sum(points.weight * amplitude**2))
    return np.asarray(total * (path.na**2 / (path.wavelength_um**2 * energy)))
