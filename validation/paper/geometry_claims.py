"""Claims about distances, angles, pixels and the size of the blur."""

from __future__ import annotations

import math

from scintscope.geometry import cone_scale, lens_scale, penumbra_fwhm_um
from scintscope.optics.defocus import geometric_disc_um
from scintscope.units import UM_PER_MM

from .claim import Claim, instrument

DELTA_UM, FIELD_RADIUS_UM, DISTANCE_MM = 100.0, 1000.0, 100.0
SENSOR_PIXEL_UM = 6.5


def index() -> float:
    """Return the index of YAG at 550 nm."""
    return float(instrument().thick.scintillator.index_at(0.55))


def blur() -> list[Claim]:
    """Return the claims about the blur of a point off focus."""
    na, pixel = instrument().lens.na, instrument().pixel_um_object
    air, inside = (geometric_disc_um(DELTA_UM, na, n) for n in (1.0, index()))
    face = geometric_disc_um(2.0 * DELTA_UM, na, index())
    refracted = (
        f"The formula has the angle in air. Inside YAG rays are refracted towards the axis, "
        f"sin(theta) = NA / n, and the spot is {inside:.1f} um wide."
    )
    planes = (
        f"13 is 86 um of the object divided by {SENSOR_PIXEL_UM} um of the sensor. In one plane, "
        "pixels "
        f"of {pixel:g} um, the spot is {inside / pixel:.0f} px wide with refraction and "
        f"{air / pixel:.0f} px without."
    )
    return [
        Claim(
            slug="blur-disc",
            ours=air,
            ours_is="the formula as printed",
            tolerance=1.5,
            reason="tan(theta) rounded to two digits, 0.43",
        ),
        Claim(
            slug="blur-disc-inside",
            ours=inside,
            ours_is="geometric disc inside YAG",
            tolerance=1.5,
            reason="the rounding of the printed formula",
            repairs=(("without refraction", air),),
            why=refracted,
        ),
        Claim(
            slug="blur-in-pixels",
            ours=inside / pixel,
            ours_is="disc inside YAG in camera pixels",
            tolerance=0.5,
            reason="two printed digits",
            readings=(("without refraction", air / pixel),),
            repairs=(("object um over sensor um", air / SENSOR_PIXEL_UM),),
            why=planes,
        ),
        Claim(
            slug="blur-on-thick-plate",
            ours=inside / pixel,
            ours_is="disc of the farthest point, focus at the plate's middle",
            tolerance=2.0,
            reason="'about', two digits",
            readings=(("focus at a face", face / pixel),),
            why=planes,
        ),
        Claim(
            slug="window-holds-blur",
            ours=face / pixel,
            ours_is="disc of the farthest point, focus at a face",
            tolerance=0.0,
            relation="at most",
            reason="the window's own size",
            readings=(("focus at the plate's middle", inside / pixel),),
            why=f"With the focus at the plate's middle the widest spot, {inside / pixel:.0f} px, "
            "fits; "
            f"with the focus at a face it is {face / pixel:.0f} px wide. The window is not much "
            "larger "
            "than the blur, and the halo of re-absorbed fluorescence lies outside it in any case.",
        ),
    ]


def shifts() -> list[Claim]:
    """Return the claims about image shifts with depth."""
    m = instrument().lens.magnification
    cone = m * FIELD_RADIUS_UM * (cone_scale(DELTA_UM, DISTANCE_MM) - 1.0)
    far = m * FIELD_RADIUS_UM * (cone_scale(DELTA_UM, 2.0 * DISTANCE_MM) - 1.0)
    lens = m * FIELD_RADIUS_UM * (1.0 - lens_scale(-DELTA_UM, 1.0, DISTANCE_MM))
    crystal = m * FIELD_RADIUS_UM * (1.0 - lens_scale(-DELTA_UM, index(), DISTANCE_MM))
    return [
        Claim(
            slug="shift-by-cone",
            ours=cone,
            ours_is="the formula with d1 = 10 cm",
            tolerance=0.05,
            reason="printed digits",
            repairs=(("d1 + d2 = 20 cm in place of d1", far),),
            why="With d1 = 10 cm the shift is twice the printed one; 2.5 um follow if the source "
            "is "
            "20 cm from the plate.",
        ),
        Claim(
            slug="shift-by-lens",
            ours=lens,
            ours_is="the formula with d2 = 10 cm",
            tolerance=0.05,
            reason="printed digits",
            readings=(("inside YAG, Delta / n", crystal),),
            repairs=(("sum of both shifts, source at 20 cm", far + lens),),
            why="7.5 um is the sum of both shifts (2.5 + 5.0), not the second. A lens telecentric "
            "on "
            "the object side has none, and inside the crystal Delta / n counts.",
        ),
        Claim(
            slug="shift-in-pixels",
            ours=(cone + crystal) / SENSOR_PIXEL_UM,
            ours_is="both shifts, refraction included, source and pupil at 10 cm",
            tolerance=0.5,
            reason="'about one pixel'",
            why="For the whole 200 um plate the shift is twice that.",
        ),
    ]


def angles() -> list[Claim]:
    """Return the claims about angles."""
    na, width = instrument().lens.na, 2.0 * FIELD_RADIUS_UM / UM_PER_MM
    sensor = 2048 * instrument().pixel_um_object / UM_PER_MM

    def full(width_mm: float, distance_mm: float) -> float:
        return 2.0 * math.degrees(math.atan(0.5 * width_mm / distance_mm))

    def half(sine: float) -> float:
        return math.degrees(math.asin(sine))

    return [
        Claim(
            slug="cone-angle",
            ours=full(width, DISTANCE_MM),
            ours_is="full angle of the field of 2 mm at 10 cm",
            tolerance=0.05,
            reason="printed digits",
            readings=(
                ("at 20 cm", full(width, 2.0 * DISTANCE_MM)),
                ("camera field of 2048 pixels at 10 cm", full(sensor, DISTANCE_MM)),
                ("its diagonal at 10 cm", full(math.sqrt(2.0) * sensor, DISTANCE_MM)),
            ),
            repairs=(("0.01 rad times 180, without 1/pi", 1.8),
                     ("field of 3.14 mm at 10 cm", full(math.pi, DISTANCE_MM))),
            why="No field or distance of the paper gives 1.8 degrees; the inequality it is used "
            "for, "
            "X-ray angle much smaller than the lens's, holds in every reading.",
        ),
        Claim(
            slug="lens-angle",
            ours=half(na),
            ours_is="half angle of NA 0.4 in air",
            tolerance=0.5,
            reason="printed digits",
            readings=(
                ("full angle in air", 2.0 * half(na)),
                ("half angle in YAG", half(na / index())),
                ("full angle in YAG", 2.0 * half(na / index())),
            ),
            repairs=(("full angle in glass of n = 1.5", 2.0 * half(na / 1.5)),
                     ("half angle of NA 0.9 in YAG", half(0.9 / index()))),
            why="Neither the half nor the full angle of this lens is 31 degrees, in air or in YAG.",
        ),
    ]  # fmt: skip


def pixels() -> list[Claim]:
    """Return the claims about pixels and the focal spot."""
    near, far = instrument(), instrument("paper_far.toml")
    ten = instrument("paper_10x.toml")
    blurs = [
        penumbra_fwhm_um(
            i.source.focal_spot_fwhm_um,
            i.geometry.source_to_sample_mm,
            i.geometry.source_to_scintillator_mm - i.geometry.source_to_sample_mm,
        )
        for i in (near, far)
    ]
    printed = "printed digits"
    return [
        Claim(slug="pixel-5x", ours=near.pixel_um_object, ours_is="sensor pixel / magnification",
              tolerance=0.05, reason=printed),
        Claim(slug="nyquist-5x", ours=500.0 / near.pixel_um_object,
              ours_is="Nyquist frequency of the object plane", tolerance=1.0, reason=printed),
        Claim(slug="nyquist-10x", ours=500.0 / ten.pixel_um_object,
              ours_is="Nyquist frequency of the object plane", tolerance=1.0, reason=printed),
        Claim(
            slug="penumbra",
            ours=blurs[1],
            ours_is="penumbra with the sample half-way (d1 source to sample, d2 sample to plate)",
            tolerance=0.0,
            relation="at most",
            reason="a pixel",
            readings=(("sample 2 mm in front of the plate, 10 cm from the source", blurs[0]),),
            why="The paper does not say where the sample stands. Half-way, the focal spot's "
            "penumbra "
            f"of {blurs[1]:.1f} um is {blurs[1] / near.pixel_um_object:.1f} pixels (halved at the "
            "sample, which is magnified twice) and limits the image; close to the plate it does "
            "not.",
        ),
    ]  # fmt: skip


def claims() -> list[Claim]:
    """Return all claims of this module."""
    return [*blur(), *shifts(), *angles(), *pixels()]
