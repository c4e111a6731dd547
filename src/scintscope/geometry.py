"""The bench: where source, sample and plates stand, and what that does to sizes and blur."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scintscope.errors import InputError, check_choice, check_range
from scintscope.units import UM_PER_MM


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """Distances along the beam.

    Parameters
    ----------
    source_to_scintillator_mm : float
        From the source to the entrance face of the thin plate, mm; ``inf`` is a parallel beam.
    source_to_sample_mm : float
        From the source to the sample, mm. With a parallel beam, give
        ``sample_to_scintillator_mm`` instead and leave this at ``inf``.
    sample_to_scintillator_mm : float or None
        From the sample to the entrance face of the thin plate, mm, >= 0; used only with a
        parallel beam, where None is contact.
    plate_reference : {"entrance", "exit"}
        Which face stays in place when the plates are swapped.
    """

    source_to_scintillator_mm: float = 100.0
    source_to_sample_mm: float = 98.0
    sample_to_scintillator_mm: float | None = None
    plate_reference: str = "entrance"

    def __post_init__(self) -> None:
        check_range(
            "geometry.source_to_scintillator_mm",
            self.source_to_scintillator_mm,
            low=1.0,
            high=1e6,
            unit="mm",
            allow_inf=True,
        )
        check_range(
            "geometry.source_to_sample_mm",
            self.source_to_sample_mm,
            low=0.1,
            high=1e6,
            unit="mm",
            allow_inf=True,
        )
        check_choice("geometry.plate_reference", self.plate_reference, ("entrance", "exit"))
        if self.is_parallel:
            if self.sample_to_scintillator_mm is not None:
                check_range(
                    "geometry.sample_to_scintillator_mm",
                    self.sample_to_scintillator_mm,
                    low=0.0,
                    high=1e6,
                    unit="mm",
                )
            return
        if self.sample_to_scintillator_mm is not None:
            raise InputError(
                "geometry.sample_to_scintillator_mm is for a parallel beam "
                "(source_to_scintillator_mm = inf). Give source_to_sample_mm instead."
            )
        if self.source_to_sample_mm >= self.source_to_scintillator_mm:
            raise InputError(
                f"geometry.source_to_sample_mm = {self.source_to_sample_mm:g} puts the sample "
                f"behind the scintillator at {self.source_to_scintillator_mm:g} mm. "
                "Give a value below geometry.source_to_scintillator_mm."
            )

    @property
    def is_parallel(self) -> bool:
        """Whether the source is at infinity."""
        return math.isinf(self.source_to_scintillator_mm)

    @property
    def sample_distance_mm(self) -> float:
        """From the sample to the entrance face of the thin plate, mm."""
        if self.is_parallel:
            return self.sample_to_scintillator_mm or 0.0
        return self.source_to_scintillator_mm - self.source_to_sample_mm

    def entrance_distance_mm(self, thickness_um: float, thin_thickness_um: float) -> float:
        """Return the distance from the source to the entrance face of a plate, mm.

        With ``plate_reference = "exit"`` a thicker plate starts nearer to the source.
        """
        if self.plate_reference == "entrance":
            return self.source_to_scintillator_mm
        return self.source_to_scintillator_mm - (thickness_um - thin_thickness_um) / UM_PER_MM

    def sample_magnification(self, entrance_mm: float) -> float:
        """Return how much larger the sample's shadow is on the entrance face than the sample."""
        return 1.0 if self.is_parallel else entrance_mm / self.source_to_sample_mm

    def effective_propagation_um(self) -> float:
        """Return z_eff = z12 / m, um, which sets the width of Fresnel fringes at the sample."""
        m = self.sample_magnification(self.source_to_scintillator_mm)
        return self.sample_distance_mm * UM_PER_MM / m


def cone_scale(z_um: float, entrance_mm: float) -> float:
    """Return the size of the X-ray image at depth z over that at the entrance face.

    (z0 + z) / z0, the alpha (z + z0) of Zhou et al. 2025, Eq. 1, with alpha = 1 / z0.
    """
    return 1.0 + z_um / (entrance_mm * UM_PER_MM)


def lens_scale(height_above_focus_um: float, index: float, pupil_distance_mm: float) -> float:
    """Return the lens magnification of a depth over that of the focal plane.

    An object nearer to the lens by h inside index n appears nearer by h / n; a lens whose
    entrance pupil lies d2 in front of the focal plane magnifies it d2 / (d2 - h / n) times
    (similar triangles through the pupil centre).
    """
    return 1.0 / (1.0 - height_above_focus_um / index / (pupil_distance_mm * UM_PER_MM))


def penumbra_fwhm_um(
    focal_spot_fwhm_um: float, source_to_sample_mm: float, sample_to_plane_mm: float
) -> float:
    """Return the width of the focal spot's image behind a sample edge, spot z12 / z01, um."""
    if math.isinf(source_to_sample_mm):
        return 0.0
    return focal_spot_fwhm_um * sample_to_plane_mm / source_to_sample_mm
