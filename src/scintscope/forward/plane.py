"""The simulation plane: fine grid, camera sampling, and what places a depth in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scintscope.accuracy import Effects
from scintscope.errors import SamplingError
from scintscope.geometry import cone_scale, lens_scale, penumbra_fwhm_um
from scintscope.grids import Grid, padded_count
from scintscope.instrument import Instrument
from scintscope.response import DepthResponse
from scintscope.threads import POOL_THREADS
from scintscope.units import UM_PER_MM, sigma_from_fwhm

Array = NDArray[np.float64]
Spectrum2D = NDArray[Any]

_MARGIN_UM = 24.0
"""Added to the blur radius: diffraction tails beyond carry less than 1e-3 of the light."""

_MAX_SAMPLES = 3.0e8
_WORKERS = POOL_THREADS


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """The simulation plane of one plate in one instrument.

    Parameters
    ----------
    fine : Grid
        Simulation grid in the scintillator plane, field and margin.
    camera_shape, padded_shape : (int, int)
        Camera pixels; camera pixels with margin (the fine grid over ``oversampling``).
    oversampling : int
        Fine samples per camera pixel.
    entrance_mm : float
        Source to entrance face of this plate.
    sample_magnification : float
        Size of the sample's shadow on the entrance face over the sample.
    """

    fine: Grid
    camera_shape: tuple[int, int]
    padded_shape: tuple[int, int]
    oversampling: int
    entrance_mm: float
    sample_magnification: float

    @property
    def pixel_um(self) -> float:
        """Camera pixel, object side."""
        return self.fine.pixel_um * self.oversampling

    @property
    def sample_grid(self) -> Grid:
        """The fine grid as it lies in the sample plane."""
        return Grid(shape=self.fine.shape, pixel_um=self.fine.pixel_um / self.sample_magnification)


def make_plane(
    instrument: Instrument,
    responses: tuple[DepthResponse, ...],
    response: DepthResponse,
    oversampling: int,
) -> Plane:
    """Return the plane of a plate; all plates of an instrument share one fine grid.

    The margin holds the widest geometric blur of any plate, so that nothing wraps around.

    Raises
    ------
    SamplingError
        If the grid would not fit into memory.
    """
    pixel = instrument.pixel_um_object
    margin_um = max(blur_radius_um(r) for r in responses) + _MARGIN_UM
    margin = int(np.ceil(margin_um / pixel))
    rows, columns = (padded_count(n, margin, 1) for n in instrument.camera.shape)
    samples = float(rows * columns * oversampling**2)
    if samples > _MAX_SAMPLES:
        raise SamplingError(
            f"camera.shape {list(instrument.camera.shape)} with accuracy.oversampling = "
            f"{oversampling} needs a grid of {samples:.1e} samples; {_MAX_SAMPLES:.0e} is the "
            "most. Use fewer pixels or less oversampling."
        )
    entrance = instrument.geometry.entrance_distance_mm(
        response.thickness_um, instrument.thin.thickness_um
    )
    return Plane(
        fine=Grid(
            shape=(rows * oversampling, columns * oversampling), pixel_um=pixel / oversampling
        ),
        camera_shape=instrument.camera.shape,
        padded_shape=(rows, columns),
        oversampling=oversampling,
        entrance_mm=entrance,
        sample_magnification=instrument.geometry.sample_magnification(entrance),
    )


def blur_radius_um(response: DepthResponse) -> float:
    """Return the geometric blur radius of the depth farthest from focus, in the plate."""
    sine = response.path.na / response.path.index
    farthest = max(abs(response.focus_um), abs(response.thickness_um - response.focus_um))
    return float(farthest * sine / np.sqrt(1.0 - sine**2))


def depth_scale(
    z_um: Array, plane: Plane, response: DepthResponse, pupil_distance_mm: float, effects: Effects
) -> Array:
    """Return the size of the X-ray image at depth z, as the camera sees it, over the entrance's.

    Product of cone magnification and lens perspective (relative to the focal plane).
    """
    z = np.asarray(z_um, dtype=np.float64)
    scale = np.ones(z.shape)
    if effects.cone_magnification and np.isfinite(plane.entrance_mm):
        scale = scale * cone_scale(z, plane.entrance_mm)  # type: ignore[arg-type]
    if effects.lens_perspective and np.isfinite(pupil_distance_mm):
        height = z - response.focus_um
        scale = scale * lens_scale(height, response.path.index, pupil_distance_mm)  # type: ignore[arg-type]
    return scale


def penumbra_sigma_um(z_um: Array, plane: Plane, instrument: Instrument) -> Array:
    """Return the standard deviation of the focal spot's image at depth z, um."""
    effects, geometry = instrument.accuracy.effects, instrument.geometry
    z = np.asarray(z_um, dtype=np.float64)
    if not effects.penumbra or geometry.is_parallel:
        return np.zeros(z.shape)
    sample_mm = geometry.source_to_sample_mm
    depth_mm = z / UM_PER_MM if effects.penumbra_depth else np.zeros(z.shape)
    distance = plane.entrance_mm - sample_mm + depth_mm
    spot = instrument.source.focal_spot_fwhm_um
    return np.asarray(
        [
            sigma_from_fwhm(penumbra_fwhm_um(spot, sample_mm, float(d)))
            for d in np.atleast_1d(distance)
        ]
    ).reshape(z.shape)


def penumbra_transfer(sigma_um: Any, frequency_cy_per_um: Array) -> Array:
    """Return the transfer of a Gaussian blur, exp(-2 pi^2 sigma^2 f^2), radial."""
    return np.asarray(np.exp(-2.0 * (np.pi * sigma_um * frequency_cy_per_um) ** 2))


def obliquity(plane: Plane, effects: Effects) -> tuple[NDArray[np.float32] | None, float]:
    """Return 1/cos - 1 of the beam over the fine grid, and its largest value.

    None where the beam is parallel or the effect is off.
    """
    if not effects.obliquity or not np.isfinite(plane.entrance_mm):
        return None, 0.0
    distance = plane.entrance_mm * UM_PER_MM
    row2 = (plane.fine.row_um / distance) ** 2
    column2 = (plane.fine.column_um / distance) ** 2
    tan2 = row2.astype(np.float32)[:, None] + column2.astype(np.float32)
    excess = np.sqrt(1.0 + tan2)
    excess += 1.0
    np.divide(tan2, excess, out=excess)  # sqrt(1 + t) - 1 = t / (sqrt(1 + t) + 1)
    greatest = float(np.sqrt(1.0 + row2.max() + column2.max()) - 1.0)
    return excess, greatest


def transform(image: NDArray[Any]) -> Spectrum2D:
    """Return the 2-D real transform, type kept (float32 in, complex64 out)."""
    return np.asarray(fft.rfft2(image, workers=_WORKERS))


def inverse(spectrum: Spectrum2D, shape: tuple[int, int]) -> NDArray[Any]:
    """Return the image of a 2-D real transform."""
    return np.asarray(fft.irfft2(spectrum, s=shape, workers=_WORKERS))


def shifted(spectrum: Spectrum2D, grid: Grid, shift_um: tuple[float, float]) -> Spectrum2D:
    """Return the spectrum of the image moved by (row, column) um."""
    if shift_um[0] == 0.0 and shift_um[1] == 0.0:
        return spectrum
    row = np.exp(-2j * np.pi * grid.row_frequency_cy_per_um * shift_um[0])
    column = np.exp(-2j * np.pi * grid.column_frequency_cy_per_um * shift_um[1])
    kind = spectrum.dtype
    moved = np.asarray(spectrum * row.astype(kind)[:, None])
    moved *= column.astype(kind)
    return moved


def camera_spectrum(
    spectrum: Spectrum2D, plane: Plane, shift_um: tuple[float, float] = (0.0, 0.0)
) -> Spectrum2D:
    """Return the spectrum of the image at the centres of the camera's pixels, margin included.

    The spectrum already holds the pixel's aperture; sampling it folds what lies beyond the
    camera's Nyquist frequency, as a camera does. Rows and columns are folded before anything is
    transformed back; what lies beyond the middle of the columns is X(r, c) = conj X(-r, N - c).

    Parameters
    ----------
    spectrum : (rows, columns // 2 + 1) complex array
        On the fine grid.
    plane : Plane
        The plane.
    shift_um : (float, float)
        Further displacement of the image, (row, column).

    Returns
    -------
    (padded rows, padded columns // 2 + 1) complex array
    """
    o, (rows, columns) = plane.oversampling, plane.padded_shape
    half = 0.5 * (o - 1) * plane.fine.pixel_um
    turn = [
        np.exp(-2j * np.pi * f * (d - half)).astype(spectrum.dtype)
        for f, d in zip(
            (plane.fine.row_frequency_cy_per_um, plane.fine.column_frequency_cy_per_um),
            shift_um,
            strict=True,
        )
    ]
    folded = spectrum[:rows] * turn[0][:rows, None]
    part = np.empty_like(folded)
    for j in range(1, o):
        band = slice(j * rows, (j + 1) * rows)
        folded += np.multiply(spectrum[band], turn[0][band, None], out=part)
    folded *= turn[1] / np.float32(o * o)
    return _fold_columns(folded, o, columns)


def _fold_columns(folded: Spectrum2D, oversampling: int, columns: int) -> Spectrum2D:
    """Return a half spectrum folded along its columns to a grid of ``columns``."""
    wide, kept = columns * oversampling, columns // 2 + 1
    result = folded[:, :kept].copy()
    opposite = -np.arange(folded.shape[0]) % folded.shape[0]
    for j in range(1, oversampling):
        index = np.arange(kept) + j * columns
        direct = index[index <= wide // 2]
        result[:, : direct.size] += folded[:, direct]
        mirrored = wide - index[direct.size :]
        result[:, direct.size :] += folded[np.ix_(opposite, mirrored)].conj()
    return result


def fold_power(power: NDArray[Any], plane: Plane) -> NDArray[Any]:
    """Return a power spectrum on the fine grid's frequencies summed over the camera's aliases.

    (padded rows, padded columns // 2 + 1); real, no phase.
    """
    o, (rows, columns) = plane.oversampling, plane.padded_shape
    return _fold_columns(power.reshape(o, rows, -1).sum(axis=0), o, columns)


def camera_image(spectrum: Spectrum2D, plane: Plane) -> NDArray[Any]:
    """Return the image at the centres of the camera's pixels, margin cut off.

    See `camera_spectrum`.
    """
    return camera_pixels(camera_spectrum(spectrum, plane), plane)


def camera_pixels(folded: Spectrum2D, plane: Plane) -> NDArray[Any]:
    """Return the camera's image, margin cut off, from a spectrum on its own grid."""
    image = fft.irfft2(folded, s=plane.padded_shape, workers=_WORKERS, overwrite_x=True)
    r0, c0 = ((n - m) // 2 for n, m in zip(plane.padded_shape, plane.camera_shape, strict=True))
    return np.ascontiguousarray(
        image[r0 : r0 + plane.camera_shape[0], c0 : c0 + plane.camera_shape[1]]
    )


def pixel_transfer(plane: Plane, area_means: bool = True) -> tuple[Array, Array]:
    """Return the transfer of the square pixel along rows and columns.

    Acting on a continuous image it is sinc(f pixel). Images drawn as means over the fine samples'
    squares already hold sinc(f pitch); what is left of the pixel is the mean over the samples it
    covers, sinc(f pixel) / sinc(f pitch) = sin(pi f o pitch) / (o sin(pi f pitch)).

    Parameters
    ----------
    plane : Plane
        Pitch and oversampling o.
    area_means : bool
        Whether the image holds area means (drawn maps) or points (single X-rays).
    """
    fine = plane.fine
    frequencies = (fine.row_frequency_cy_per_um, fine.column_frequency_cy_per_um)
    row, column = (
        np.sinc(f * plane.pixel_um) / (np.sinc(f * fine.pixel_um) if area_means else 1.0)
        for f in frequencies
    )
    return row, column
