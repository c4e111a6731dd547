"""Where one generalized PSF stops being enough: its error over distance, field, thickness, NA, ...

Each point is the local error (module `local`) of the target on the thick plate of a changed
instrument (module `places`), the target spread all over the field. Every plate and lens is
refocused if the scenario says ``focus_um = "best"``. Numbers are for the X-ray image of the plate
itself: what the two plates' spectra do (`effects.PLATE_SPECTRA`) is left to the budget, as is the
lens's field. Points are kept in the cache: a map that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.cache import cached_arrays
from scintscope.errors import InputError, SamplingError
from scintscope.forward.plane import Plane, make_plane
from scintscope.forward.simulate import Experiment
from scintscope.forward.terms import sample_transmissions
from scintscope.instrument import Instrument
from scintscope.materials import attenuation
from scintscope.outputs import versions
from scintscope.progress import Progress, silent
from scintscope.response import DepthResponse, check_sampling, depth_response, plate_spectrum
from scintscope.sample.build import build_specimen
from scintscope.source import Spectrum
from scintscope.units import UM_PER_MM
from scintscope.verdict.criterion import (
    Criterion,
    angle_ratio,
    blur_um,
    columns,
    depth_shift,
    fitted,
    pixel_variance,
    spread_um,
)
from scintscope.verdict.effects import PLATE_SPECTRA, with_deposition
from scintscope.verdict.local import LocalModel
from scintscope.verdict.places import AXES, PAIRS, Places
from scintscope.verdict.spectra import SampleSpectra, sample_spectra, spread_over_field

Array = NDArray[np.float64]

_VERSION = 1
_PLACES = 6
_GEOMETRY = ("cone_magnification", "lens_perspective", "penumbra_depth", "obliquity")
_HARDENING = ("sample_hardening", "halo")
MOST_POINTS = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class MapPoint:
    """One point of a map; NaN where the camera's pixel would alias too much to be simulated.

    Parameters
    ----------
    source_distance, field, thickness, na, contrast, hardness : float
        Where (`AXES`).
    error, edge : float
        RMS error over std(exact), over the field and at its edge.
    geometry, hardening : float
        RMS of the geometric effects alone, and of hardening with halo.
    perspective : float
        RMS of the lens's perspective alone.
    noise : float
        Noise of the averaged stack over std(exact), per pixel.
    spread_um : float
        Displacement at the field's edge between the plate's faces, R t (1 / z0 + 1 / (n d2)).
    blur_um : float
        1 / MTF50 of the thick plate, pixel included.
    angles : float
        The paper's measure: angle of the field seen from the source over the lens's, in air.
    depth_shift : float
        Shift of the light's mean depth behind the strongest absorber, over the thickness, times
        the light there over the light missing there; with the same of the re-absorbed share.
    """

    source_distance: float
    field: float
    thickness: float
    na: float
    contrast: float
    hardness: float
    error: float
    edge: float
    geometry: float
    hardening: float
    perspective: float
    noise: float
    spread_um: float
    blur_um: float
    angles: float
    depth_shift: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidityMap:
    """A grid of points over a few axes.

    Parameters
    ----------
    axes : dict of str to tuple of float
        Values of each axis, in order.
    points : tuple of MapPoint
        In the order of `itertools.product` over the axes.
    """

    axes: Mapping[str, tuple[float, ...]]
    points: tuple[MapPoint, ...]

    def values(self, name: str) -> Array:
        """Return one number of all points, in the grid's shape."""
        found = np.array([getattr(point, name) for point in self.points])
        return found.reshape([len(v) for v in self.axes.values()])


class MapMaker:
    """Evaluates points about one experiment; what several points share is computed once."""

    def __init__(self, experiment: Experiment, sample: str) -> None:
        self.places = Places(experiment.instrument, experiment.samples[sample])
        self._absorbers, self._frames = experiment.absorbers, experiment.acquisition.frames
        self._responses: dict[str, DepthResponse] = {}
        self._spectra: dict[Any, SampleSpectra] = {}

    def point(self, place: Mapping[str, float]) -> MapPoint:
        """Return a point, from the cache where it was computed before."""
        own = self.places.own() | dict(place)
        full = {axis: float(own.get(axis, np.nan)) for axis in AXES}
        inputs = {
            "version": _VERSION,
            "packages": versions(),
            "instrument": repr(self.places.base),
            "sample": repr(self.places.recipe),
            "absorbers": repr(dict(self._absorbers)),
            "frames": self._frames,
            "place": full,
        }
        names = [f.name for f in fields(MapPoint)]

        def make() -> dict[str, NDArray[Any]]:
            return {"row": np.array([self._evaluated(full)[name] for name in names])}

        row = cached_arrays("validity", inputs, make)["row"]
        return MapPoint(**dict(zip(names, row.tolist(), strict=True)))

    def _evaluated(self, place: Mapping[str, float]) -> dict[str, float]:
        """Return the numbers of a point; NaN where the grid would alias."""
        instrument = self.places.instrument(place)
        try:
            response = self._response(instrument)
            oversampling = check_sampling(instrument, (response,))
        except SamplingError:
            return dict.fromkeys((f.name for f in fields(MapPoint)), float("nan")) | dict(place)
        plane = make_plane(instrument, (response,), response, oversampling)
        half_um = 0.5 * place["field"] * UM_PER_MM
        own, mu = self._own_spectra(plane, response, place["contrast"])
        spectra = spread_over_field(own, half_um, _PLACES)
        model = LocalModel(
            instrument, {"thick": response}, plane, spectra, {"thick": mu}, half_side_um=half_um
        )
        has = [e for e in model.present() if e != PLATE_SPECTRA]
        total = model.error(has)
        signal = total.spread * plane.pixel_um**2 * response.plate.exposure_s
        variance = pixel_variance(instrument, response) / self._frames

        def alone(wanted: Sequence[str]) -> float:
            kept = [e for e in wanted if e in has]
            return model.error(kept).rms if kept else 0.0

        point = MapPoint(
            **{axis: place[axis] for axis in AXES},
            error=total.rms,
            edge=total.edge,
            geometry=alone(_GEOMETRY),
            hardening=alone(_HARDENING),
            perspective=alone(("lens_perspective",)),
            noise=float(np.sqrt(variance)) / signal if signal else float("nan"),
            spread_um=spread_um(instrument, response, plane.entrance_mm, half_um),
            blur_um=blur_um(response),
            angles=angle_ratio(place["field"], plane.entrance_mm, instrument.lens.na),
            depth_shift=depth_shift(response, sample_transmissions(spectra.sampled, mu)),
        )
        return asdict(point)

    def _response(self, instrument: Instrument) -> DepthResponse:
        """Return the thick plate's response; transfer functions are made once a plate and lens."""
        own = repr(instrument)
        if own in self._responses:
            return self._responses[own]
        optics = repr((instrument.thick, instrument.lens, instrument.accuracy.depth_nodes))
        if optics not in self._responses:
            self._responses[optics] = depth_response(instrument, instrument.thick)
        known = self._responses[optics]
        spectrum = plate_spectrum(instrument, instrument.thick)
        if not _same(spectrum, known.spectrum):
            changed = replace(known, spectrum=spectrum)
            known = with_deposition(changed, instrument.accuracy.effects)
        self._responses[own] = known
        return known

    def _own_spectra(
        self, plane: Plane, response: DepthResponse, contrast: float
    ) -> tuple[SampleSpectra, dict[str, Array]]:
        """Return the spectra of the target on a small field, and its materials' attenuation."""
        energy = response.spectrum.energy_kev
        key = (plane.fine, plane.sample_magnification, contrast, energy.tobytes())
        if key not in self._spectra:
            specimen = build_specimen(self.places.at(contrast), plane.sample_grid)
            mu = self._attenuation(specimen.thickness_um, energy)
            self._spectra[key] = sample_spectra(specimen, mu, plane)
        found = self._spectra[key]
        return found, self._attenuation(found.sampled.thickness_um, energy)

    def _attenuation(self, materials: Mapping[str, Any], energy_kev: Array) -> dict[str, Array]:
        return {m: attenuation.total_per_um(self._absorbers[m], energy_kev) for m in materials}


def _same(one: Spectrum, other: Spectrum) -> bool:
    """Return whether two spectra are equal to rounding."""
    parts = [(s.energy_kev, s.photons_per_um2_s) for s in (one, other)]
    return all(
        a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-12))
        for a, b in zip(*parts, strict=True)
    )


def parse_axes(text: str, places: Places) -> list[dict[str, tuple[float, ...]]]:
    """Return the axes of each map asked for.

    Parameters
    ----------
    text : str
        ``all``; or names of axes, separated by commas, each alone (default values about the
        scenario's own) or with its values, ``thickness=50:100:200``.
    places : Places
        The scenario.

    Raises
    ------
    InputError
        For an axis or a value that cannot be had, or too many points.
    """
    if text == "all":
        has = places.own()
        wanted = [[a for a in pair if a in has] for pair in PAIRS]
        return [{a: places.values(a) for a in pair} for pair in wanted if pair]
    axes: dict[str, tuple[float, ...]] = {}
    for item in text.split(","):
        name, _, given = item.strip().partition("=")
        places.check(name)
        axes[name] = tuple(_number(name, v) for v in given.split(":")) if given else ()
        axes[name] = axes[name] or places.values(name)
    count = int(np.prod([len(v) for v in axes.values()]))
    if count > MOST_POINTS:
        raise InputError(
            f"--map {text} asks for {count} points; {MOST_POINTS} is the most. Give fewer axes, "
            "or fewer values: NAME=v1:v2:v3."
        )
    return [axes]


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value) or value <= 0.0:
        raise InputError(f"--map {name}={text}: give numbers > 0, separated by colons.")
    return value


def checked_axes(
    experiment: Experiment, sample: str, axes: str
) -> list[dict[str, tuple[float, ...]]]:
    """Return the axes of each map (`parse_axes`); refuse what cannot be built, at no cost."""
    places = Places(experiment.instrument, experiment.samples[sample])
    grids = parse_axes(axes, places)
    for grid in grids:
        for values in product(*grid.values()):
            place = places.own() | dict(zip(grid, values, strict=True))
            places.instrument({"hardness": float("nan")} | place)
    return grids


def validity_maps(
    experiment: Experiment, sample: str, axes: str = "all", progress: Progress = silent
) -> list[ValidityMap]:
    """Return the maps asked for.

    Parameters
    ----------
    experiment : Experiment
        What the scenario asks for.
    sample : str
        Which sample.
    axes : str
        See `parse_axes`.
    progress : callable
        See `scintscope.progress`.
    """
    maker = MapMaker(experiment, sample)
    grids = checked_axes(experiment, sample, axes)
    total = sum(int(np.prod([len(v) for v in grid.values()])) for grid in grids)
    maps = []
    with progress("validity map", total) as advance:
        for grid in grids:
            points = []
            for values in product(*grid.values()):
                points.append(maker.point(dict(zip(grid, values, strict=True))))
                advance(1)
            maps.append(ValidityMap(axes=grid, points=tuple(points)))
    return maps


def criterion_of(maps: Sequence[ValidityMap]) -> Criterion:
    """Return the rule of thumb fitted to all points of some maps."""
    return fitted(columns([point for grid in maps for point in grid.points]))
