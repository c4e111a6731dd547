r"""Seidel's primary aberrations, in waves at the edge of pupil and field.

.. math:: W = W_d \rho^2 + W_{040} \rho^4 + W_{131} h \rho^3 \cos\psi + W_{222} h^2 \rho^2
          \cos^2\psi + W_{220} h^2 \rho^2 + W_{311} h^3 \rho \cos\psi

(Hopkins 1950, Wave Theory of Aberrations, ch. 4; Welford 1986, Aberrations of Optical Systems,
Eq. 8.10). rho is the pupil radius, h the distance of the field point from the axis over that of the
field's edge, psi the angle between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from scintscope.errors import check_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Seidel:
    """Primary aberrations, waves peak: their values at rho = 1, h = 1, psi = 0.

    Parameters
    ----------
    defocus, spherical : float
        W_d, W_040: the same over the field.
    coma, astigmatism, field_curvature, distortion : float
        W_131, W_222, W_220, W_311: growing with the field as h, h^2, h^2, h^3.
    """

    defocus: float = 0.0
    spherical: float = 0.0
    coma: float = 0.0
    astigmatism: float = 0.0
    field_curvature: float = 0.0
    distortion: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            check_range(
                f"seidel.{item.name}", getattr(self, item.name), low=-1e3, high=1e3, unit="waves"
            )


def seidel_waves(x: Any, y: Any, terms: Seidel, field: tuple[float, float] = (0.0, 0.0)) -> Any:
    """Return W on pupil points, waves (module equation).

    Parameters
    ----------
    x, y : array
        Column and row coordinate in pupil radii.
    terms : Seidel
        The aberrations.
    field : (float, float)
        Row and column coordinate of the field point, in units of the field's edge.
    """
    rho2 = x * x + y * y
    field_row, field_column = field
    along = field_column * x + field_row * y  # h rho cos(psi)
    h2 = field_row**2 + field_column**2
    return (
        (terms.defocus + terms.field_curvature * h2) * rho2
        + terms.spherical * rho2**2
        + terms.coma * along * rho2
        + terms.astigmatism * along**2
        + terms.distortion * h2 * along
    )
