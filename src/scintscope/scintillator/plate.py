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
class Substrate:
    """The crystal that carries an active film.

    Parameters
    ----------
    medium : Scintillator
        Its material; one without light yield is an inert substrate.
    thickness_um : float
        Thickness along the beam.
    side : {"exit", "entrance"}
        On the film's exit side the film's light crosses the substrate on its way to the lens; on
        the entrance side X-rays cross it before they reach the film.
    """

    medium: Scintillator
    thickness_um: float
    side: str = "exit"

    def __post_init__(self) -> None:
        check_range(
            "substrate.thickness_um",
            self.thickness_um,
            low=0.0,
            low_open=True,
            high=5000.0,
            unit="um",
        )
        check_choice("substrate.side", self.side, ("exit", "entrance"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plate:
    """One scintillator plate as it is used: material, layers, exposure, focus, faces.

    Parameters
    ----------
    scintillator : Scintillator
        Material of the active film (or of the whole plate) with its optical numbers.
    thickness_um : float
        Of the active film, from its entrance (z = 0) to its exit face.
    exposure_s : float
        Exposure of one frame.
    focus_um : float or "best"
        Depth in focus; "best" maximises the focus merit. May lie outside the plate.
    back_face : {"bare", "black", "reflective"}
        The face where X-rays enter as the light sees it: Fresnel reflection, none, or all. With a
        substrate on the entrance side it is the substrate's outer face.
    defects : DefectRecipe
        Recipe of this plate's defects.
    substrate : Substrate or None
        The crystal under an active film; None is a free-standing plate.
    back_reflectance : float or None
        Measured reflectance of the back face, or of the surface behind ``back_gap_um``; replaces
        what ``back_face`` stands for.
    back_gap_um : float
        Air between the back face and a black or reflecting surface behind it; 0 is a coating.
    exit_medium_index : float
        Index of what touches the exit face: 1 is an air gap, about 1.5 optical cement or
        immersion up to the next glass.
    exit_medium_um : float
        Thickness of that layer; counts in the optical path unless it is air, which refocusing
        makes up for.
    haze_fraction : float
        Share of the collected light that was trapped by total reflection and came out elsewhere;
        no measured value was found, so 0.
    haze_length_um : float
        Decay length of that exponential halo.
    """

    scintillator: Scintillator
    thickness_um: float
    exposure_s: float
    focus_um: float | str = "best"
    back_face: str = "bare"
    defects: DefectRecipe = field(default_factory=DefectRecipe)
    substrate: Substrate | None = None
    back_reflectance: float | None = None
    back_gap_um: float = 0.0
    exit_medium_index: float = 1.0
    exit_medium_um: float = 0.0
    haze_fraction: float = 0.0
    haze_length_um: float = 0.0

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
        self._check_faces()
        if isinstance(self.focus_um, str):
            if self.focus_um != "best":
                raise InputError(
                    f'plate.focus_um = {self.focus_um!r}: give a depth in um, or "best".'
                )
        else:
            check_range("plate.focus_um", self.focus_um, low=-5000.0, high=5000.0, unit="um")

    @property
    def stack_um(self) -> float:
        """Thickness of film, substrate and exit medium together."""
        under = 0.0 if self.substrate is None else self.substrate.thickness_um
        return self.thickness_um + under + self.exit_medium_um

    def _check_faces(self) -> None:
        """Refuse faces, gaps and haze that are out of range or contradict each other."""
        if self.back_reflectance is not None:
            check_range("plate.back_reflectance", self.back_reflectance, low=0.0, high=1.0)
        check_range("plate.back_gap_um", self.back_gap_um, low=0.0, high=1e5, unit="um")
        if self.back_gap_um > 0.0 and self.back_face == "bare":
            raise InputError(
                f"plate.back_gap_um = {self.back_gap_um:g} needs a surface behind the gap: set "
                'plate.back_face = "reflective" or "black", or leave the gap out.'
            )
        check_range("plate.exit_medium_index", self.exit_medium_index, low=1.0, high=2.5)
        check_range("plate.exit_medium_um", self.exit_medium_um, low=0.0, high=1e5, unit="um")
        check_range("plate.haze_fraction", self.haze_fraction, low=0.0, high=0.9)
        check_range("plate.haze_length_um", self.haze_length_um, low=0.0, high=1e5, unit="um")
        if self.haze_fraction > 0.0 and self.haze_length_um == 0.0:
            raise InputError(
                f"plate.haze_fraction = {self.haze_fraction:g} needs plate.haze_length_um: give "
                "the decay length of the halo, or a fraction of 0."
            )
