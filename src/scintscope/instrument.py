"""The instrument: the frozen parts put together, and the checks that need two of them."""

from __future__ import annotations

from dataclasses import dataclass

from scintscope.accuracy import Accuracy
from scintscope.camera.parts import Camera
from scintscope.errors import InputError, RangeError
from scintscope.geometry import Geometry
from scintscope.optics.lens import Lens
from scintscope.scintillator.plate import Plate
from scintscope.source.parts import Source
from scintscope.units import UM_PER_MM


@dataclass(frozen=True, kw_only=True, slots=True)
class Instrument:
    """Source, bench, plates, lens and camera.

    Parameters
    ----------
    source, geometry, thin, thick, lens, camera, accuracy
        The parts.
    edges_kev : tuple of float
        Absorption edges of what X-rays cross before the plates (filters, air, samples); bins of
        energy are cut there and at the plates' own.
    """

    source: Source
    geometry: Geometry
    thin: Plate
    thick: Plate
    lens: Lens
    camera: Camera
    accuracy: Accuracy
    edges_kev: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        free_um = self.lens.working_distance_mm * UM_PER_MM
        for name in ("thin", "thick"):
            thickness = getattr(self, name).stack_um
            if thickness > free_um:
                raise RangeError(
                    f"{name}.thickness_um",
                    thickness,
                    f"(0, {free_um:g}] um",
                    "With substrate and exit medium it exceeds lens.working_distance_mm: use a "
                    "thinner plate or another lens.",
                )
            if thickness >= 0.5 * self.lens.pupil_distance_mm * UM_PER_MM:
                raise RangeError(
                    "lens.pupil_distance_mm",
                    self.lens.pupil_distance_mm,
                    f"({2.0 * thickness / UM_PER_MM:g}, inf] mm",
                    f"It must exceed twice {name}.thickness_um = {thickness:g}.",
                )
        entrance_mm = self.geometry.entrance_distance_mm(
            self.thick.thickness_um, self.thin.thickness_um
        )
        if not self.geometry.is_parallel and entrance_mm <= self.geometry.source_to_sample_mm:
            raise InputError(
                f"thick.thickness_um = {self.thick.thickness_um:g} reaches to the sample at "
                f"geometry.source_to_sample_mm = {self.geometry.source_to_sample_mm:g}, since the "
                "exit face stays in place. Use a thinner plate, or move the sample."
            )

        self._check_light()

    def _check_light(self) -> None:
        """Refuse combinations of optical models that are not computed together."""
        lens = self.lens
        plain = lens.light_model == "scalar" and lens.aberrations.apodisation == "none"
        if not lens.field.is_none and not (plain and not self.accuracy.effects.emission_band):
            raise InputError(
                "lens.field is computed for scalar light of one wavelength and an even pupil: set "
                'lens.light_model = "scalar", lens.aberrations.apodisation = "none" and '
                "accuracy.effects.emission_band = false, or leave lens.field out."
            )

    @property
    def pixel_um_object(self) -> float:
        """Camera pixel in the scintillator plane, um."""
        return self.camera.pixel_um_sensor / self.lens.magnification

    @property
    def camera_nyquist_cy_per_um(self) -> float:
        """Nyquist frequency of the camera, object side, cycles/um."""
        return 0.5 / self.pixel_um_object
