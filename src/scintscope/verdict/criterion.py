"""A rule of thumb for one generalized PSF, fitted to the validity map, beside the paper's.

The error of the geometry follows how far the plate's faces are displaced against each other at the
edge of the field, over the period that the plate still resolves:

    D = R t (1 / z0 + 1 / (n d2)),     x = D f50,     error of the geometry = a x

with R half the side of the field, t the plate's thickness, z0 and d2 the distances of source and
pupil, n the refractive index and f50 the frequency at which the plate's MTF is 0.5. The error of
hardening follows how the light's depth differs behind the sample (`MapPoint.depth_shift`), error =
b h. The paper compares two angles instead, that of the field seen from the source and that of the
lens; their ratio is D / (blur of the plate) if d2 is infinite, and knows of no hardening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.instrument import Instrument
from scintscope.noise.plate import mean_electrons_per_um2, quantum_noise
from scintscope.noise.sampled import camera_variance
from scintscope.response import DepthResponse, presampled_mtf
from scintscope.units import UM_PER_MM

Array = NDArray[np.float64]

PAPER_XRAY_DEG, PAPER_OPTICAL_DEG = 1.8, 31.0
"""Zhou et al. 2025, Imaging Principle."""

_CURVE = 4000
_ANGLES = 16
_LEAST_POINTS = 3
_FLOOR = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A law error = factor x measure.

    Parameters
    ----------
    factor : float or None
        Geometric mean of error over measure; None with fewer than three points.
    scatter : float or None
        Geometric standard deviation about it: 1.3 is 30 %.
    points : int
        Fitted.
    """

    factor: float | None
    scatter: float | None
    points: int

    def limit(self, tolerance: float) -> float | None:
        """Return the measure at which the error reaches a tolerance."""
        return None if not self.factor else tolerance / self.factor


def proportional_fit(measure: Array, error: Array) -> Fit:
    """Return the best factor of a proportional law, in the logarithm."""
    good = np.isfinite(measure) & np.isfinite(error) & (measure > 0.0) & (error > _FLOOR)
    count = int(good.sum())
    if count < _LEAST_POINTS:
        return Fit(factor=None, scatter=None, points=count)
    ratio = np.log(error[good] / measure[good])
    return Fit(factor=float(np.exp(ratio.mean())), scatter=float(np.exp(ratio.std())), points=count)


@dataclass(frozen=True, kw_only=True, slots=True)
class Criterion:
    """The fitted rule.

    Parameters
    ----------
    geometry : Fit
        Of D f50.
    angles : Fit
        Of the paper's ratio of angles, to the same errors.
    hardening : Fit
        Of `MapPoint.depth_shift`.
    """

    geometry: Fit
    angles: Fit
    hardening: Fit

    def predicted(self, measure: float, depth_shift: float) -> float:
        """Return the error that the rule gives, hypot(a x, b h)."""
        geometry = (self.geometry.factor or 0.0) * measure
        return float(np.hypot(geometry, (self.hardening.factor or 0.0) * depth_shift))


def fitted(points: Mapping[str, Array]) -> Criterion:
    """Return the rule fitted to columns of map points."""
    measure = points["spread_um"] / points["blur_um"]
    return Criterion(
        geometry=proportional_fit(measure, points["geometry"]),
        angles=proportional_fit(points["angles"], points["geometry"]),
        hardening=proportional_fit(points["depth_shift"], points["hardening"]),
    )


def spread_um(
    instrument: Instrument, response: DepthResponse, entrance_mm: float, half_um: float
) -> float:
    """Return R t (1 / z0 + 1 / (n d2)): how far the faces' images part at the field's edge, um."""
    effects, inverse = instrument.accuracy.effects, 0.0
    if effects.cone_magnification and np.isfinite(entrance_mm):
        inverse += 1.0 / entrance_mm
    pupil_mm = instrument.lens.pupil_distance_mm
    if effects.lens_perspective and np.isfinite(pupil_mm):
        inverse += 1.0 / (float(response.path.index) * pupil_mm)
    return half_um * response.thickness_um * inverse / UM_PER_MM


def blur_um(response: DepthResponse) -> float:
    """Return the period at which the plate's presampled MTF has fallen to a half, um."""
    f = np.linspace(0.0, response.path.cutoff_cy_per_um, _CURVE)
    below = np.flatnonzero(presampled_mtf(response, f) <= 0.5)
    return float(1.0 / f[below[0]])


def angle_ratio(field_mm: float, source_mm: float, na: float) -> float:
    """Return the field's full angle seen from the source over the lens's full angle in air."""
    seen = 2.0 * np.arctan(0.5 * field_mm / source_mm)
    return float(seen / (2.0 * np.arcsin(min(na, 1.0))))


def depth_shift(response: DepthResponse, transmissions: Array) -> float:
    """Return how much the light behind the sample differs in depth, as `MapPoint.depth_shift`.

    Parameters
    ----------
    response : DepthResponse
        The plate.
    transmissions : (S, E) array
        T_E of sampled pixels, open beam first.
    """
    light = response.light_per_um(response.depth_um) * response.depth_weight_um
    seen = transmissions @ light
    total = seen.sum(axis=1)
    darkest = int(np.argmin(total))
    missing = total[0] - total[darkest]
    if missing <= 0.0:
        return 0.0
    mean = seen @ response.depth_um / total
    photons = response.spectrum.photons_per_um2_s
    halo = [
        response.deposition.fluorescence_share(photons * t)
        for t in (transmissions[0], transmissions[darkest])
    ]
    shift = abs(mean[darkest] - mean[0]) / response.thickness_um + abs(halo[1] - halo[0])
    return float(shift * total[darkest] / missing)


def pixel_variance(instrument: Instrument, response: DepthResponse) -> float:
    """Return the variance of a pixel of one open-beam frame, electrons^2 (`noise.sampled`)."""
    f = np.linspace(0.0, response.path.cutoff_cy_per_um, _CURVE)
    angle = 0.25 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    p = response.pixel_um
    across, down = np.sinc(f[:, None] * p * np.cos(angle)), np.sinc(f[:, None] * p * np.sin(angle))
    aperture = ((across * down) ** 2).mean(axis=1)
    events = np.interp(f, response.frequency_cy_per_um, quantum_noise(response))
    correlated = float(np.trapezoid(2.0 * np.pi * f * events * aperture, f)) * p**4
    light = mean_electrons_per_um2(response) * p**2
    return correlated + light + camera_variance(instrument.camera, response.plate.exposure_s)


def columns(points: Any) -> dict[str, Array]:
    """Return the numbers of many points by name."""
    names = list(type(points[0]).__dataclass_fields__)
    return {name: np.array([getattr(p, name) for p in points]) for name in names}
