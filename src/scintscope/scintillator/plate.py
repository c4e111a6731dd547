"""A scintillator plate and its recipe of defects, as numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from scintscope.errors import InputError, check_choice, check_range
from scintscope.materials import Scintillator


@dataclass(frozen=True, kw_only=True, slots=True)
class DefectRecipe:
    """How many defects of each kind a plate carries; the generator draws the rest.

    Densities are per mm2 of plate. Depth ranges are drawn inside the plate. Zero densities make a
    perfect plate.

    Parameters
    ----------
    scratches_per_mm2, bubbles_per_mm2, inclusions_per_mm2, dust_per_mm2, glow_per_mm2 : float
        Mean numbers (Poisson) per area. Scratches lie in a face, bubbles and inclusions in the
        bulk, dust on a face; glowing spots are bright.
    contrast : float
        Largest local loss of emission or transmission, 0 to 1.
    scratch_width_um, scratch_length_um, spot_diameter_um : float
        Typical sizes.
    shading : float
        Amplitude of a slow variation of the plate's light yield over the field.
    seed : int or None
        Own seed of this plate; None derives it from the scenario's.
    """

    scratches_per_mm2: float = 0.0
    bubbles_per_mm2: float = 0.0
    inclusions_per_mm2: float = 0.0
    dust_per_mm2: float = 0.0
    glow_per_mm2: float = 0.0
    contrast: float = 0.5
    scratch_width_um: float = 2.5
    scratch_length_um: float = 150.0
    spot_diameter_um: float = 6.0
    shading: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("scratches", "bubbles", "inclusions", "dust", "glow"):
            key = f"{name}_per_mm2"
            check_range(f"defects.{key}", getattr(self, key), low=0.0, high=1e4, unit="1/mm2")
        check_range("defects.contrast", self.contrast, low=0.0, high=1.0)
        for key in ("scratch_width_um", "scratch_length_um", "spot_diameter_um"):
            check_range(
                f"defects.{key}", getattr(self, key), low=0.0, low_open=True, high=1e4, unit="um"
            )
        check_range("defects.shading", self.shading, low=0.0, high=0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plate:
    """One scintillator plate as it is used: material, thickness, exposure, focus, back face.

    Parameters
    ----------
    scintillator : Scintillator
        Material with its optical numbers.
    thickness_um : float
        From entrance (z = 0) to exit face.
    exposure_s : float
        Exposure of one frame.
    focus_um : float or "best"
        Depth in focus; "best" maximises the focus merit. May lie outside the plate.
    back_face : {"bare", "black", "reflective"}
        The entrance face as the light sees it: Fresnel reflection, none, or all.
    defects : DefectRecipe
        Recipe of this plate's defects.
    """

    scintillator: Scintillator
    thickness_um: float
    exposure_s: float
    focus_um: float | str = "best"
    back_face: str = "bare"
    defects: DefectRecipe = field(default_factory=DefectRecipe)

    def __post_init__(self) -> None:
        check_range(
            "plate.thickness_um",
            self.thickness_um,
            low=0.0,
            low_open=True,
            high=5000.0,
            unit="um",
        )
        check_range("plate.exposure_s", self.exposure_s, low=0.0, low_open=True, high=1e5, unit="s")
        check_choice("plate.back_face", self.back_face, ("bare", "black", "reflective"))
        if isinstance(self.focus_um, str):
            if self.focus_um != "best":
                raise InputError(
                    f'plate.focus_um = {self.focus_um!r}: give a depth in um, or "best".'
                )
        else:
            check_range("plate.focus_um", self.focus_um, low=-5000.0, high=5000.0, unit="um")
