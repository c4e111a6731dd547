r"""What a lens adds to the wavefront of the layers: aberrations, stop and apodisation.

Signs: W is an optical path length as in `wavefront`. A point at x0 has W = -p . x0, hence a term
with the gradient dW/dp moves the image to x = -dW/dp: 0.1 waves rms of Noll's Z2, W = 0.2 lambda
rho cos(phi), move it by -0.2 lambda / NA along the columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import DataError, InputError, check_choice, check_range
from scintscope.optics.seidel import Seidel, seidel_waves
from scintscope.optics.zernike import ansi_to_nm, noll_to_nm, norm, radial_coefficients, zernike

Array = NDArray[np.float64]

MAX_TERMS = 231
"""Zernike terms up to n = 20."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Aberrations:
    """Departure of a lens from the perfect one; the default is perfect.

    Parameters
    ----------
    zernike_noll : tuple of float
        Coefficients of Noll's Z1, Z2, ... in waves rms; any number of them.
    zernike_ansi : tuple of float
        Coefficients of the ANSI/OSA terms 0, 1, ... in waves rms. Given with ``zernike_noll``,
        both are added.
    seidel : Seidel
        Primary aberrations in waves peak.
    map_file : str
        Measured wavefront, a ``.npy`` array of waves over the square around the pupil: its edge
        samples lie at x = -1 and +1. Empty: none.
    map_order : {1, 3}
        Maps are read bilinearly or by cubic splines.
    amplitude_file : str
        Apodising pupil of any shape, a ``.npy`` array of amplitudes (roots of transmission) over
        the same square; multiplies ``apodisation``. Its scale does not matter. Empty: none.
    reference_wavelength_um : float, optional
        Wavelength at which the waves above are counted; the path stays the same at others. None:
        they are waves of whatever wavelength is used.
    obstruction : float
        Radius of a central disc that lets no light pass, over the pupil's, 0 to 0.95.
    apodisation : {"none", "aplanatic", "gaussian"}
        Amplitude over the pupil of the scalar model: 1; (1 - p^2 / n^2)^(-1/4), energy conserved
        from an isotropic emitter in the index n to a lens that keeps the sine condition; or
        exp(-rho^2 / w^2). The vectorial model has the aplanatic factor by itself.
    gaussian_radius : float
        w in pupil radii.
    decentre : (float, float)
        Row and column shift of the stop against the axis of the wavefront, in pupil radii.
    """

    zernike_noll: tuple[float, ...] = ()
    zernike_ansi: tuple[float, ...] = ()
    seidel: Seidel = field(default_factory=Seidel)
    map_file: str = ""
    map_order: int = 3
    amplitude_file: str = ""
    reference_wavelength_um: float | None = None
    obstruction: float = 0.0
    apodisation: str = "none"
    gaussian_radius: float = 1.0
    decentre: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("zernike_noll", "zernike_ansi"):
            values = getattr(self, name)
            if len(values) > MAX_TERMS:
                raise InputError(
                    f"aberrations.{name} has {len(values)} terms; at most {MAX_TERMS} (n <= 20)."
                )
            for value in values:
                check_range(f"aberrations.{name}", value, low=-1e3, high=1e3, unit="waves rms")
        check_choice("aberrations.apodisation", self.apodisation, ("none", "aplanatic", "gaussian"))
        check_range("aberrations.obstruction", self.obstruction, low=0.0, high=0.95)
        check_range("aberrations.gaussian_radius", self.gaussian_radius, low=0.1, high=100.0)
        if self.map_order not in (1, 3):
            raise InputError(
                f"aberrations.map_order = {self.map_order!r} is neither 1 (bilinear) nor 3 (cubic)."
            )
        if self.reference_wavelength_um is not None:
            check_range(
                "aberrations.reference_wavelength_um",
                self.reference_wavelength_um,
                low=0.1,
                high=20.0,
                unit="um",
            )
        for value in self.decentre:
            check_range("aberrations.decentre", value, low=-0.5, high=0.5, unit="pupil radii")

    def zernike_terms(self) -> Iterator[tuple[int, int, float]]:
        """Yield (n, m, waves rms) of both lists, zeros left out."""
        for index, waves in enumerate(self.zernike_noll, start=1):
            if waves:
                yield (*noll_to_nm(index), waves)
        for index, waves in enumerate(self.zernike_ansi):
            if waves:
                yield (*ansi_to_nm(index), waves)

    def is_symmetric(self, field_point: tuple[float, float] = (0.0, 0.0)) -> bool:
        """Return whether the pupil is axially symmetric for a field point, so 1-D engines serve."""
        off_axis = any(field_point) and any(
            (
                self.seidel.coma,
                self.seidel.astigmatism,
                self.seidel.distortion,
            )
        )
        turned = any(m for _, m, _ in self.zernike_terms())
        files = self.map_file or self.amplitude_file
        return not (off_axis or turned or files or any(self.decentre))

    def waves_to_um(self, wavelength_um: Any) -> Any:
        """Return the length of the waves in which the coefficients count."""
        reference = self.reference_wavelength_um
        return wavelength_um if reference is None else reference


PERFECT = Aberrations()


def radial_terms_um(
    aberrations: Aberrations, wavelength_um: Any, field_point: tuple[float, float] = (0.0, 0.0)
) -> tuple[Any, ...]:
    """Return the coefficients of rho^2, rho^4, ... of a symmetric aberration, um.

    For `OpticalPath.radial_um`, through which the 1-D engines and `otf` see them.

    Raises
    ------
    InputError
        If the aberration is not axially symmetric.
    """
    if not aberrations.is_symmetric(field_point):
        raise InputError(
            "these aberrations are not axially symmetric: use the 2-D engine (psf_fft, otf_fft)."
        )
    seidel = aberrations.seidel
    h2 = field_point[0] ** 2 + field_point[1] ** 2
    total = {1: seidel.defocus + seidel.field_curvature * h2, 2: seidel.spherical}
    for n, m, waves in aberrations.zernike_terms():
        for k, coefficient in enumerate(radial_coefficients(n, m)):
            power = n // 2 - k
            total[power] = total.get(power, 0.0) + waves * norm(n, m) * coefficient
    total.pop(0, None)  # piston
    top = max((power for power, value in total.items() if value), default=0)
    unit = aberrations.waves_to_um(wavelength_um)
    return tuple(total.get(power, 0.0) * unit for power in range(1, top + 1))


def aberration_um(
    x: Any,
    y: Any,
    aberrations: Aberrations,
    wavelength_um: Any,
    field_point: tuple[float, float] = (0.0, 0.0),
) -> Any:
    """Return the path added by Zernike, Seidel and map terms on pupil points, um.

    Parameters
    ----------
    x, y : array
        Column and row coordinate in pupil radii.
    aberrations : Aberrations
        The terms.
    wavelength_um : float
        In use.
    field_point : (float, float)
        Row and column of the field point over the field's edge, for the Seidel terms.
    """
    total = seidel_waves(x, y, aberrations.seidel, field_point)
    for n, m, waves in aberrations.zernike_terms():
        total = total + waves * zernike(n, m, x, y)
    if aberrations.map_file:
        total = total + map_waves(load_map(aberrations.map_file), x, y, aberrations.map_order)
    return total * aberrations.waves_to_um(wavelength_um)


def amplitude_map(x: Any, y: Any, aberrations: Aberrations) -> Any:
    """Return the amplitude of ``amplitude_file`` on pupil points; 1 without one.

    Raises
    ------
    DataError
        If it is negative somewhere in the pupil, or zero throughout.
    """
    if not aberrations.amplitude_file:
        return 1.0
    values = map_waves(load_map(aberrations.amplitude_file), x, y, aberrations.map_order)
    if values.max() <= 0.0 or values.min() < -1e-3 * values.max():
        raise DataError(
            f"amplitude map {aberrations.amplitude_file}: amplitudes in the pupil run from "
            f"{values.min():g} to {values.max():g}; they are not negative and not all zero. With "
            "hard steps use map_order = 1, cubic splines overshoot."
        )
    return values


@lru_cache(maxsize=8)
def load_map(map_file: str) -> Array:
    """Return a map of the pupil, (row, column), from a ``.npy`` file.

    Raises
    ------
    DataError
        If it is not a 2-D array of at least 4 x 4 numbers, or not finite inside the pupil.
    """
    data = np.load(Path(map_file), allow_pickle=False)
    if data.ndim != 2 or min(data.shape) < 4 or not np.issubdtype(data.dtype, np.floating):
        raise DataError(
            f"pupil map {map_file}: a 2-D array of at least 4 x 4 floats is needed, "
            f"found shape {data.shape} of {data.dtype}."
        )
    return _filled(np.asarray(data, dtype=np.float64), map_file)


def _filled(data: Array, name: str) -> Array:
    """Replace NaN outside the pupil by the nearest value inside, which interpolation may touch."""
    from scipy.ndimage import distance_transform_edt

    bad = ~np.isfinite(data)
    if not bad.any():
        return data
    y, x = (np.linspace(-1.0, 1.0, n) for n in data.shape)
    if bad[y[:, None] ** 2 + x[None, :] ** 2 <= 1.0].any():
        raise DataError(f"pupil map {name} has values inside the pupil that are not finite.")
    nearest = distance_transform_edt(bad, return_distances=False, return_indices=True)
    return np.asarray(data[tuple(nearest)])


def map_waves(data: Array, x: Any, y: Any, order: int = 3) -> Array:
    """Return a map at pupil points: bilinear (order 1) or cubic B-spline (order 3).

    Parameters
    ----------
    data : (rows, columns) array
        Waves; the edge samples lie at -1 and +1.
    x, y : array
        Column and row coordinate in pupil radii.
    order : {1, 3}
        Of the spline.
    """
    from scipy.ndimage import map_coordinates

    rows, columns = data.shape
    place = [
        0.5 * (np.asarray(y) + 1.0) * (rows - 1),
        0.5 * (np.asarray(x) + 1.0) * (columns - 1),
    ]
    return np.asarray(map_coordinates(data, place, order=order, mode="nearest"))
