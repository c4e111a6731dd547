"""What a lens does off its axis: aberrations of the field, and how they grow from axis to corner.

A point of the field stands at (row, column) um from the axis, at the radius rho and the azimuth phi
(tan phi = row / column). All values are those at the corner radius R of the field; the third-order
laws of growth are used (Welford 1986, Aberrations of Optical Systems, ch. 6-8):
field curvature, bow, astigmatism and vignetting with (rho / R)^2, coma and lateral colour with
rho / R, distortion as displacement rho (rho / R)^2.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import check_range

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldAberrations:
    """Aberrations of the field of a lens, and tilt and bow of the plates against its focal plane.

    Zero means none. Lengths are at the object; focus shifts are path in air, as the travel of the
    stage is: a shift of d um focuses about n d um deeper in the plate.

    Parameters
    ----------
    corner_um : float or None
        Field radius at which the values hold; None is the corner of the camera's field.
    field_curvature_um : float
        Focus shift at the corner against the axis; positive focuses farther from the lens, deeper
        in the plate.
    tilt_rows_mrad, tilt_columns_mrad : float
        Tilt of the plate: its faces come nearer to the lens by this many nm per um of row (of
        column), which shifts the focus there deeper into the plate.
    bow_um : float
        Bow of the plate: its faces lie nearer to the lens at the corner than on the axis.
    coma_waves : float
        Rms of the coma at the corner (Zernike form, sqrt(8) (3 r^3 - 2 r) cos of the angle to the
        field's azimuth); positive throws the tail outwards.
    astigmatism_waves : float
        Rms of the astigmatism at the corner, sqrt(6) r^2 cos of twice that angle.
    distortion : float
        Displacement at the corner over the corner's radius; positive is pincushion.
    lateral_colour_um : float
        Radial spread at the corner over the emission band, taken as evenly lit.
    relative_illumination : float
        At the corner over the axis, all causes together; 1 is no vignetting.
    """

    corner_um: float | None = None
    field_curvature_um: float = 0.0
    tilt_rows_mrad: float = 0.0
    tilt_columns_mrad: float = 0.0
    bow_um: float = 0.0
    coma_waves: float = 0.0
    astigmatism_waves: float = 0.0
    distortion: float = 0.0
    lateral_colour_um: float = 0.0
    relative_illumination: float = 1.0

    def __post_init__(self) -> None:
        if self.corner_um is not None:
            check_range("lens.field.corner_um", self.corner_um, low=1.0, high=1e6, unit="um")
        for name, limit, unit in (
            ("field_curvature_um", 1000.0, "um"),
            ("tilt_rows_mrad", 100.0, "mrad"),
            ("tilt_columns_mrad", 100.0, "mrad"),
            ("bow_um", 1000.0, "um"),
            ("coma_waves", 2.0, ""),
            ("astigmatism_waves", 2.0, ""),
            ("distortion", 0.1, ""),
        ):
            value = getattr(self, name)
            check_range(f"lens.field.{name}", value, low=-limit, high=limit, unit=unit)
        check_range(
            "lens.field.lateral_colour_um", self.lateral_colour_um, low=0.0, high=50.0, unit="um"
        )
        check_range(
            "lens.field.relative_illumination",
            self.relative_illumination,
            low=0.0,
            low_open=True,
            high=2.0,
        )

    @property
    def shifts_focus(self) -> bool:
        """Whether the focus differs over the field."""
        return any((self.field_curvature_um, self.tilt_rows_mrad, self.tilt_columns_mrad,
                    self.bow_um))  # fmt: skip

    @property
    def blurs_by_azimuth(self) -> bool:
        """Whether the blur depends on the field's azimuth."""
        return any((self.coma_waves, self.astigmatism_waves, self.lateral_colour_um))

    @property
    def varies_blur(self) -> bool:
        """Whether the PSF (its light included) differs over the field."""
        return self.shifts_focus or self.blurs_by_azimuth or self.relative_illumination != 1.0

    @property
    def is_none(self) -> bool:
        """Whether nothing differs over the field."""
        return all(
            getattr(self, f.name) == f.default for f in fields(self) if f.name != "corner_um"
        )


def focus_shift_um(field: FieldAberrations, row_um: Any, column_um: Any, corner_um: float) -> Array:
    """Return the focus shift at places of the field, um of air, added to the stage's travel.

    Parameters
    ----------
    field : FieldAberrations
        Curvature, tilt and bow.
    row_um, column_um : arrays that broadcast
        Place in the field.
    corner_um : float
        R.
    """
    rows, columns = np.asarray(row_um, dtype=float), np.asarray(column_um, dtype=float)
    round_part = (field.field_curvature_um + field.bow_um) * (rows**2 + columns**2) / corner_um**2
    tilt = field.tilt_rows_mrad * rows + field.tilt_columns_mrad * columns
    return np.asarray(round_part + 1e-3 * tilt)


def illumination(field: FieldAberrations, row_um: Any, column_um: Any, corner_um: float) -> Array:
    """Return the light at places of the field over that on the axis, 1 - v (rho / R)^2, >= 0."""
    rows, columns = np.asarray(row_um, dtype=float), np.asarray(column_um, dtype=float)
    loss = (1.0 - field.relative_illumination) * (rows**2 + columns**2) / corner_um**2
    return np.asarray(np.maximum(1.0 - loss, 0.0))


def azimuthal_phase_waves(
    field: FieldAberrations, pupil_x: Any, pupil_y: Any, radius_fraction: Any
) -> tuple[Any, Any]:
    """Return astigmatism and coma of the pupil, waves; x points along the field's azimuth.

    Parameters
    ----------
    field : FieldAberrations
        Coma and astigmatism at the corner.
    pupil_x, pupil_y : array
        Pupil coordinates, 0 to 1, along and across the field's azimuth.
    radius_fraction : float or array
        rho / R, broadcast with the pupil.

    Returns
    -------
    even, odd : array
        Even and odd under inversion of the pupil: astigmatism sqrt(6) r^2 cos 2 theta and coma
        -sqrt(8) (3 r^3 - 2 r) cos theta (Zernike terms, rms 1: Noll 1976, J. Opt. Soc. Am. 66,
        207, Table I), signs of a path length as in `aberrations`: the image moves by -dW/dp.
    """
    x2, y2 = pupil_x**2, pupil_y**2
    even = field.astigmatism_waves * np.sqrt(6.0) * (x2 - y2) * radius_fraction**2
    odd = -field.coma_waves * np.sqrt(8.0) * (3.0 * (x2 + y2) - 2.0) * pupil_x * radius_fraction
    return even, odd
