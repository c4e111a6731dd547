"""A specimen as material maps on a grid, and the recipes a scenario can name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError, check_range
from scintscope.sample.packings import Fibres, Foam, Spheres


@dataclass(frozen=True, kw_only=True, slots=True)
class Specimen:
    """Thickness maps of named materials in the sample plane.

    Parameters
    ----------
    thickness_um : dict of str to (M, N) float32 array
        Thickness along the beam of each material, um.
    pixel_um : float
        Pitch of the maps in the sample plane, um.
    """

    thickness_um: dict[str, NDArray[np.float32]]
    pixel_um: float

    def __post_init__(self) -> None:
        if len({a.shape for a in self.thickness_um.values()}) > 1:
            raise InputError("all material maps of a specimen must have one shape.")
        for name, values in self.thickness_um.items():
            if not np.isfinite(values).all() or values.min() < 0:
                raise InputError(f"the thickness map of {name!r} must be finite and >= 0.")


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolutionTarget:
    """Line-pair groups, Siemens star, slanted edges and points in one absorbing film.

    Parameters
    ----------
    material, thickness_um : str, float
        The absorbing film.
    line_widths_um : tuple of float
        Width of one line (half a pair) of each group.
    lines_per_group : int
        Lines in a group; each group is drawn with horizontal and vertical lines.
    siemens_spokes, edge_angle_deg, point_diameter_um
        Number of spoke pairs of the star, tilt of the slanted edge, size of the points.
    """

    kind: str = "resolution_target"
    material: str = "Au"
    thickness_um: float = 5.0
    line_widths_um: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 25.0)
    lines_per_group: int = 5
    siemens_spokes: int = 36
    edge_angle_deg: float = 5.0
    point_diameter_um: float = 4.0

    def __post_init__(self) -> None:
        check_range("target.thickness_um", self.thickness_um, low=0.0, high=1e6, unit="um")
        if not self.line_widths_um:
            raise InputError("target.line_widths_um is empty: give at least one width in um.")
        for width in self.line_widths_um:
            check_range("target.line_widths_um", width, low=0.0, low_open=True, high=1e5, unit="um")
        check_range("target.lines_per_group", self.lines_per_group, low=1, high=100)
        check_range("target.siemens_spokes", self.siemens_spokes, low=2, high=1000)
        check_range("target.edge_angle_deg", self.edge_angle_deg, low=-45.0, high=45.0, unit="deg")
        check_range("target.point_diameter_um", self.point_diameter_um, low=0.0, low_open=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class SlantedEdge:
    """One half-plane of an absorbing film, its edge tilted against the columns."""

    kind: str = "slanted_edge"
    material: str = "Au"
    thickness_um: float = 5.0
    angle_deg: float = 5.0

    def __post_init__(self) -> None:
        check_range("target.thickness_um", self.thickness_um, low=0.0, high=1e6, unit="um")
        check_range("target.angle_deg", self.angle_deg, low=-45.0, high=45.0, unit="deg")


@dataclass(frozen=True, kw_only=True, slots=True)
class SiemensStar:
    """A Siemens star of an absorbing film, centred in the field."""

    kind: str = "siemens_star"
    material: str = "Au"
    thickness_um: float = 5.0
    spokes: int = 36
    radius_um: float = 400.0

    def __post_init__(self) -> None:
        check_range("target.thickness_um", self.thickness_um, low=0.0, high=1e6, unit="um")
        check_range("target.spokes", self.spokes, low=2, high=1000)
        check_range("target.radius_um", self.radius_um, low=0.0, low_open=True, unit="um")


@dataclass(frozen=True, kw_only=True, slots=True)
class PointGrid:
    """Absorbing discs on a square grid (for shifts, magnification, field dependence)."""

    kind: str = "point_grid"
    material: str = "Au"
    thickness_um: float = 5.0
    diameter_um: float = 4.0
    pitch_um: float = 60.0

    def __post_init__(self) -> None:
        check_range("target.thickness_um", self.thickness_um, low=0.0, high=1e6, unit="um")
        check_range("target.diameter_um", self.diameter_um, low=0.0, low_open=True, unit="um")
        check_range(
            "target.pitch_um",
            self.pitch_um,
            low=self.diameter_um,
            unit="um",
            remedy="Discs must not overlap: give a pitch of at least target.diameter_um.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fish:
    """A fish-like body: soft tissue with bones, scales and fins.

    Parameters
    ----------
    length_um : float
        From nose to tail fin.
    body_thickness_um, bone_thickness_um, scale_relief_um, fin_thickness_um : float
        Nominal thickness of the body (eye and muscle add up to a fifth) and of its bones;
        height of the scales of both flanks together; thickness that scales the fins' skin.
    tissue, bone : str
        Materials.
    seed : int
        Seed of the individual.
    """

    kind: str = "fish"
    length_um: float = 2200.0
    body_thickness_um: float = 400.0
    bone_thickness_um: float = 40.0
    scale_relief_um: float = 12.0
    fin_thickness_um: float = 25.0
    tissue: str = "soft tissue"
    bone: str = "bone"
    seed: int = 1

    def __post_init__(self) -> None:
        for name in (
            "length_um",
            "body_thickness_um",
            "bone_thickness_um",
            "scale_relief_um",
            "fin_thickness_um",
        ):
            check_range(f"specimen.{name}", getattr(self, name), low=0.0, high=1e5, unit="um")
        check_range("specimen.length_um", self.length_um, low=1.0, high=1e5, unit="um")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSpecimen:
    """Any image as a thickness map of one material.

    Parameters
    ----------
    path : Path
        TIFF, PNG, JPEG or NPY; or ``skimage:NAME`` for an image that scikit-image carries.
    material, max_thickness_um : str, float
        Material, and the thickness of the brightest (``invert``: darkest) grey value in the
        image; the opposite one has none, what is between goes linearly.
    pixel_um : float
        Pitch of the image in the sample plane. The image is centred; outside it is empty.
    invert : bool
        Dark means thick.
    """

    kind: str = "image"
    path: Path = field(default_factory=lambda: Path("skimage:coins"))
    material: str = "PMMA"
    max_thickness_um: float = 100.0
    pixel_um: float = 1.3
    invert: bool = False

    def __post_init__(self) -> None:
        check_range("specimen.max_thickness_um", self.max_thickness_um, low=0.0, unit="um")
        check_range("specimen.pixel_um", self.pixel_um, low=0.0, low_open=True, unit="um")


SpecimenRecipe = (
    ResolutionTarget
    | SlantedEdge
    | SiemensStar
    | PointGrid
    | Fish
    | ImageSpecimen
    | Foam
    | Spheres
    | Fibres
)
