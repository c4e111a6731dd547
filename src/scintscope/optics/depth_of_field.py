"""Depth of field by each usual definition, in air and inside the plate, side by side.

All are whole depths, both sides of the focus together, of a lens without aberration at the focus;
`range_in_plate_um` is the depth a real plate keeps under a lens corrected for another one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from scintscope.optics.defocus import (
    first_crossing_um,
    geometric_disc_um,
    rayleigh_half_depth_um,
    strehl_half_depth_um,
)
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath, focus_for_travel_um

Array = NDArray[np.float64]

MTF_LEVEL = 0.3
STREHL = 0.8
_DISC_ZERO = 3.831705970207512
"""First zero of J1."""
_STEPS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthOfField:
    """Whole depth of field in one medium, um; None where a definition has no answer.

    Parameters
    ----------
    quarter_wave : float
        Path difference of lambda / 4 between pupil centre and edge (Rayleigh):
        lambda / (2 (n - sqrt(n^2 - NA^2))).
    quarter_wave_paraxial : float
        The same for small apertures, n lambda / NA^2.
    strehl : float
        Peak of the PSF at 0.8 of the perfect one, exactly.
    contrast_zero : float or None
        H(f) falls to zero at the frequency asked for.
    mtf30 : float or None
        H(f) falls to 0.3 there.
    berek : float
        n (lambda / NA^2 + e / (M NA)), e the camera's pixel (Berek 1927, Sitzungsber. Ges. Befoerd.
        Naturw. Marburg 62, 189).
    half_more : float
        n (lambda / NA^2) (1 + 1 / (2 M)), the form in use at APS beamline 2-BM.
    geometric : float
        The disc of rays is as wide as a pixel: e / (M tan(theta)).
    """

    quarter_wave: float
    quarter_wave_paraxial: float
    strehl: float
    contrast_zero: float | None
    mtf30: float | None
    berek: float
    half_more: float
    geometric: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the values by name."""
        return asdict(self)


def depth_of_field(
    na: float,
    wavelength_um: float,
    index: float,
    frequency_cy_per_um: float,
    magnification: float,
    pixel_um_sensor: float,
) -> DepthOfField:
    """Return the depth of field in a medium by each definition.

    Parameters
    ----------
    na, wavelength_um : float
        Aperture in air, vacuum wavelength.
    index : float
        Of the medium the defocus is measured in; 1 is air.
    frequency_cy_per_um : float
        Object side; for the definitions by contrast.
    magnification, pixel_um_sensor : float
        For the definitions by pixel.
    """

    def both(half_um: float | None) -> float | None:
        return None if half_um is None else 2.0 * half_um

    where = (frequency_cy_per_um, na, wavelength_um, index)
    paraxial = wavelength_um / na**2
    pixel_um = pixel_um_sensor / magnification
    return DepthOfField(
        quarter_wave=2.0 * rayleigh_half_depth_um(na, wavelength_um, index),
        quarter_wave_paraxial=index * paraxial,
        strehl=2.0 * strehl_half_depth_um(na, wavelength_um, index, STREHL),
        contrast_zero=both(first_crossing_um(0.0, *where)),
        mtf30=both(first_crossing_um(MTF_LEVEL, *where)),
        berek=index * (paraxial + pixel_um / na),
        half_more=index * paraxial * (1.0 + 0.5 / magnification),
        geometric=2.0 * pixel_um / geometric_disc_um(1.0, na, index),
    )


def range_in_plate_um(
    path: OpticalPath, travel_um: float, frequency_cy_per_um: float, level: float
) -> tuple[float, float] | None:
    """Return the depths below the exit face between which H(f) stays above a level.

    Parameters
    ----------
    path : OpticalPath
        Lens and layers; what the lens is not corrected for is included.
    travel_um : float
        Stage travel.
    frequency_cy_per_um : float
        Object side.
    level : float
        Least contrast.

    Returns
    -------
    (shallowest, deepest) or None
        Around the depth of greatest contrast near the focus; None where none exceeds the level.
    """
    focus = float(focus_for_travel_um(travel_um, path))
    step = 0.05 * float(path.wavelength_um) / (path.index - np.sqrt(path.index**2 - path.na**2))
    depths = focus + step * np.arange(-_STEPS, _STEPS + 1)

    def contrast(depth_um: Array) -> Array:
        f = np.array([frequency_cy_per_um])
        return np.asarray(otf(f, depth_um, travel_um, path)[:, 0])

    values = contrast(depths)
    best = int(np.argmax(values))
    if values[best] <= level or frequency_cy_per_um >= path.cutoff_cy_per_um:
        return None
    ends = []
    for side in (-1, 1):
        i = best
        while 0 < i < depths.size - 1 and values[i] > level:
            i += side
        if values[i] > level:
            ends.append(float(depths[i]))
            continue
        found = brentq(
            lambda d: float(contrast(np.array([d]))[0]) - level, depths[i - side], depths[i],
            xtol=1e-6,
        )  # fmt: skip
        ends.append(float(found))
    return ends[0], ends[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class BlurDisc:
    """Width of the blur of a defocused point, three ways, um.

    Parameters
    ----------
    geometric_air : float
        2 z tan(theta) with the angle in air: s of Zhou et al. 2025.
    geometric : float
        The same with the refracted angle, sin(theta') = NA / n.
    diffraction : float
        Diameter of the even disc whose transfer function vanishes first at the frequency where
        the exact one does: 3.8317 / (pi f0).
    first_zero_cy_per_um : float
        f0.
    """

    geometric_air: float
    geometric: float
    diffraction: float
    first_zero_cy_per_um: float


def blur_disc(
    defocus_um: float, na: float, wavelength_um: float, index: float = 1.0
) -> BlurDisc | None:
    """Return how wide a point appears at a defocus; None where the contrast never dies.

    Parameters
    ----------
    defocus_um : float
        In the medium.
    na, wavelength_um : float
        Aperture in air, vacuum wavelength.
    index : float
        Of the medium.
    """
    path = OpticalPath(na=na, index=index, wavelength_um=wavelength_um)
    geometric = geometric_disc_um(defocus_um, na, index)
    expected = _DISC_ZERO / (np.pi * geometric) if geometric > 0.0 else np.inf
    top = min(6.0 * expected, 0.999 * path.cutoff_cy_per_um)
    frequency = np.linspace(0.0, top, _STEPS)[1:]
    depth = np.array([defocus_um])

    def contrast(f: Array) -> Array:
        return np.asarray(otf(f, depth, 0.0, path)[0])

    negative = np.flatnonzero(contrast(frequency) <= 0.0)
    if not negative.size or negative[0] == 0:
        return None
    i = int(negative[0])
    zero = float(
        brentq(
            lambda f: float(contrast(np.array([f]))[0]), frequency[i - 1], frequency[i], xtol=1e-9
        )
    )
    return BlurDisc(
        geometric_air=geometric_disc_um(defocus_um, na),
        geometric=geometric,
        diffraction=_DISC_ZERO / (np.pi * zero),
        first_zero_cy_per_um=zero,
    )
