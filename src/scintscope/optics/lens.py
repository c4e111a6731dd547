"""The objective as designed, as numbers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from scintscope.errors import InputError, check_choice, check_range
from scintscope.optics.aberrations import Aberrations
from scintscope.optics.field import FieldAberrations


@dataclass(frozen=True, kw_only=True, slots=True)
class GlassPlate:
    """A plane plate between scintillator and lens (radiation shield, window)."""

    material: str
    thickness_mm: float
    corrected_for_mm: float | None = None
    """Thickness the lens was corrected for; None means the thickness given."""

    def __post_init__(self) -> None:
        check_range(
            f"plate of {self.material}: thickness_mm", self.thickness_mm, low=0.0, unit="mm"
        )
        if self.corrected_for_mm is not None:
            check_range(
                f"plate of {self.material}: corrected_for_mm", self.corrected_for_mm, low=0.0
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Lens:
    """A microscope objective with its tube lens.

    Parameters
    ----------
    magnification, na : float
        Lateral magnification and numerical aperture in air.
    pupil_distance_mm : float
        From the focal plane to the entrance pupil; ``inf`` is telecentric.
    transmission : float
        Of lens, glass plates and mirror together at the emission, 0 to 1.
    corrected_for_um : float
        Depth below the exit face whose emitter is imaged without aberration as designed.
    working_distance_mm : float
        Free distance between scintillator and lens, which the glass plates must fit into.
    plates : tuple of GlassPlate
        Plane plates in that space.
    aberrations : Aberrations
        Departure of the lens from the perfect one, the same over the field.
    field : FieldAberrations
        What differs over the field, and tilt and bow of the plates against the focal plane.
    light_model : {"scalar", "vectorial"}
        How light is treated: scalar waves, or isotropic dipoles with polarisation and Fresnel
        amplitudes at the exit face (`optics.pupil`).
    camera_travel_mm : float
        Travel of the camera away from the lens against its designed place (back focal distance),
        image side; the stage is focused after it.
    axial_colour_um_per_nm : float
        How much further from the lens it focuses in air per nm of longer wavelength, um; seen
        only with ``accuracy.effects.emission_band``.
    """

    magnification: float = 5.0
    na: float = 0.4
    pupil_distance_mm: float = float("inf")
    transmission: float = 0.8
    corrected_for_um: float = 0.0
    working_distance_mm: float = 20.0
    plates: tuple[GlassPlate, ...] = ()
    aberrations: Aberrations = dataclasses.field(default_factory=Aberrations)
    field: FieldAberrations = dataclasses.field(default_factory=FieldAberrations)
    light_model: str = "scalar"
    camera_travel_mm: float = 0.0
    axial_colour_um_per_nm: float = 0.0

    def __post_init__(self) -> None:
        check_range("lens.magnification", self.magnification, low=0.1, high=500.0)
        check_range(
            "lens.na",
            self.na,
            low=0.01,
            high=1.0,
            high_open=True,
            remedy="An air objective has NA < 1.",
        )
        check_range(
            "lens.pupil_distance_mm",
            self.pupil_distance_mm,
            low=1.0,
            unit="mm",
            allow_inf=True,
        )
        check_range("lens.transmission", self.transmission, low=0.0, low_open=True, high=1.0)
        check_choice("lens.light_model", self.light_model, ("scalar", "vectorial"))
        check_range(
            "lens.camera_travel_mm", self.camera_travel_mm, low=-1000.0, high=1000.0, unit="mm"
        )
        check_range(
            "lens.axial_colour_um_per_nm", self.axial_colour_um_per_nm, low=-10.0, high=10.0
        )
        check_range("lens.corrected_for_um", self.corrected_for_um, low=0.0, high=5e3, unit="um")
        check_range(
            "lens.working_distance_mm",
            self.working_distance_mm,
            low=0.0,
            low_open=True,
            high=1000.0,
            unit="mm",
        )
        total_mm = sum(plate.thickness_mm for plate in self.plates)
        if total_mm > self.working_distance_mm:
            raise InputError(
                f"lens.plates are {total_mm:g} mm thick together and do not fit into "
                f"lens.working_distance_mm = {self.working_distance_mm:g}. Use thinner plates or "
                "a lens with a longer working distance."
            )
