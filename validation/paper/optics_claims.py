"""Claims about contrast, depth of field and plate thickness."""

from __future__ import annotations

import numpy as np

from scintscope.optics.defocus import first_crossing_um
from scintscope.optics.otf import diffraction_limited_mtf
from scintscope.optics.tolerance import contrast_after_exchange, tolerance_range
from scintscope.optics.wavefront import OpticalPath

from .claim import WAVELENGTH_UM, Claim, instrument
from .geometry_claims import index

SMALL = 1e-4
"""Scale of NA at which the exact wavefront is the paraxial one."""
NOMINAL_INDEX = 1.82
"""Of the audit; the tolerance claims are compared with another code at this index."""
LENSES = {"5x": "paper.toml", "10x": "paper_10x.toml"}


def nyquist_cy_per_um(lens: str) -> float:
    """Return the camera's Nyquist frequency behind a lens."""
    return 0.5 / float(instrument(LENSES[lens]).pixel_um_object)


def zero_um(lens: str, n: float, frequency: float, scale: float = 1.0) -> float:
    """Return the defocus at which contrast first vanishes; NaN if it does not."""
    na = instrument(LENSES[lens]).lens.na
    found = first_crossing_um(0.0, frequency * scale, na * scale, WAVELENGTH_UM, n)
    return np.nan if found is None else found * scale**2


def contrast() -> list[Claim]:
    """Return the claims about the lenses' MTF."""
    found = []
    for lens in LENSES:
        i, f = instrument(LENSES[lens]), nyquist_cy_per_um(lens)
        limit = float(diffraction_limited_mtf(np.array([f * WAVELENGTH_UM / (2.0 * i.lens.na)]))[0])
        found.append(
            Claim(
                slug=f"mtf-{lens}",
                ours=limit * float(np.sinc(f * i.pixel_um_object)),
                ours_is="perfect lens at 550 nm, square pixel included",
                tolerance=0.0,
                relation="at least",
                reason="a limit",
                readings=(("the lens alone", limit),),
                why="Possible: it lies below the diffraction limit, in the object plane. Whether "
                "the "
                "lenses as built reach it cannot be computed.",
            )
        )
    return found


def depths() -> list[Claim]:
    """Return the claims about depth of field."""
    f, n = nyquist_cy_per_um("5x"), index()
    half = {
        "inside": zero_um("5x", n, f),
        "air": zero_um("5x", 1.0, f),
        "paraxial": zero_um("5x", 1.0, f, SMALL),
    }
    ten = {
        "inside": 2.0 * zero_um("10x", n, f),
        "air": 2.0 * zero_um("10x", 1.0, f),
        "paraxial": 2.0 * zero_um("10x", 1.0, f, SMALL),
    }
    geometric = 2.0 * 3.831706 / (2.0 * np.pi * f * 0.9)
    crystal = (
        "Right in air. The light comes from inside the crystal, where refraction deepens the focus "
        f"by about n: contrast vanishes {half['inside']:.1f} um off focus, and the depth of field "
        "is "
        f"{2.0 * half['inside']:.1f} um, as much as the 20 um plate, not half of it."
    )
    return [
        Claim(
            slug="zero-5x",
            ours=half["inside"],
            ours_is="first zero at 384.6 lp/mm inside YAG",
            tolerance=0.15,
            reason="two printed digits; 500 to 600 nm give 0.2",
            readings=(("in air", half["air"]), ("in air, paraxial", half["paraxial"])),
            why=crystal,
        ),
        Claim(
            slug="dof-5x",
            ours=2.0 * half["inside"],
            ours_is="twice the first zero inside YAG",
            tolerance=0.5,
            reason="two printed digits",
            readings=(
                ("in air", 2.0 * half["air"]),
                ("in air, paraxial", 2.0 * half["paraxial"]),
            ),
            why=crystal,
        ),
        Claim(
            slug="dof-10x",
            ours=ten["inside"],
            ours_is="twice the first zero at 384.6 lp/mm inside YAG",
            tolerance=0.05,
            reason="two printed digits",
            readings=(
                ("in air", ten["air"]),
                ("in air, paraxial", ten["paraxial"]),
                ("in air, geometric with sin(theta)", geometric),
                ("inside YAG, if 3.5 um is a half range", 0.5 * ten["inside"]),
            ),
            why="At NA 0.9 paraxial and exact defocus differ by up to 60 %. 3.5 um is the "
            "geometric "
            "blur with the sine of the angle in air, or half the range inside the crystal.",
        ),
    ]


def lens_path(lens: str) -> OpticalPath:
    """Return the path of a perfect lens corrected for 50 um of plate."""
    i = instrument(LENSES[lens])
    return OpticalPath(
        na=i.lens.na,
        index=NOMINAL_INDEX,
        wavelength_um=WAVELENGTH_UM,
        corrected_for_um=i.lens.corrected_for_um,
        magnification=i.lens.magnification,
    )


def more_um(lens: str, frequency: float, refocus: str, falls: bool = False) -> float:
    """Return how much thicker than 50 um a plate may be."""
    level = 0.75 if falls else 0.3
    path = lens_path(lens)
    return tolerance_range(path, frequency, level=level, relative=falls, refocus=refocus).more_um


def fixed_focus() -> list[Claim]:
    """Return the claims about plate thickness at fixed back focus."""
    same = nyquist_cy_per_um("5x")
    found = []
    for lens in LENSES:
        own = nyquist_cy_per_um(lens)
        still = more_um(lens, own, "none")
        found.append(
            Claim(
                slug=f"tolerance-{lens}",
                ours=more_um(lens, own, "paraxial"),
                ours_is="the stage refocuses to the paraxial focus, MTF 0.30 at the camera's "
                "Nyquist "
                "frequency",
                tolerance=0.2 * {"5x": 160.0, "10x": 5.0}[lens],
                reason="20 %: frequency, aberrations and merit are not stated",
                readings=(
                    ("the same, MTF falls by 30/40 at 384.6 lp/mm",
                     more_um(lens, same, "paraxial", falls=True)),
                    ("nothing moves", still),
                ),
                why="The number is one of spherical aberration: the stage is refocused, the "
                "conjugates "
                f"stay. If nothing moved, {still:.1f} um would be too much. The paper's two "
                "numbers have "
                "the ratio 32, spherical aberration gives (0.9 / 0.4)^4 = 26, defocus 5. All "
                "readings "
                "are in `validation/thickness_tolerance`.",
            )
        )  # fmt: skip
    return found


def adjustable_focus() -> list[Claim]:
    """Return the claims about plate thickness at adjustable back focus."""
    same, own = nyquist_cy_per_um("5x"), nyquist_cy_per_um("10x")
    five = more_um("5x", same, "stage")
    left = contrast_after_exchange(300.0, same, lens_path("5x"), "stage")
    return [
        Claim(
            slug="tolerance-10x-refocused",
            ours=more_um("10x", same, "stage"),
            ours_is="best focus, MTF 0.30 at 384.6 lp/mm",
            tolerance=5.0,
            reason="printed to tens",
            readings=(("at 769.2 lp/mm", more_um("10x", own, "stage")),),
        ),
        Claim(
            slug="tolerance-5x-refocused",
            ours=five,
            ours_is="best focus, MTF 0.30 at 384.6 lp/mm",
            tolerance=25.0,
            reason="printed to tens; 10 %",
            readings=(("MTF falls by 30/40", more_um("5x", same, "stage", falls=True)),),
            why=f"A plane plate alone would allow {five:.0f} um more; at the paper's 300 um the "
            "contrast "
            f"is still {left:.2f}. What stops the real lens earlier are its own aberrations off "
            "its "
            "conjugates, which are not published. The claim is on the safe side.",
        ),
    ]


def claims() -> list[Claim]:
    """Return all claims of this module."""
    return [*contrast(), *depths(), *fixed_focus(), *adjustable_focus()]
