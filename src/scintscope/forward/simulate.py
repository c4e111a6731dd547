"""From a scenario's parts to stacks of frames and their truth: the order of the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.camera.drift import StackDrift, draw_drift
from scintscope.camera.parts import Acquisition
from scintscope.camera.sensor import FixedPattern, dark_frame, flat_frame, make_fixed_pattern
from scintscope.forward.acquire import PlateOptics, StackJob, plate_optics, take_stack
from scintscope.forward.every_quantum import QuantumScene, quantum_scene
from scintscope.forward.plane import Plane, make_plane
from scintscope.forward.quanta import draws_every_quantum
from scintscope.forward.render import (
    LightImage,
    Scene,
    light_image,
    make_scene,
    warn_of_diffraction,
    xray_images,
)
from scintscope.instrument import Instrument
from scintscope.materials import Absorber
from scintscope.noise.groups import QuantaGroups, quanta_groups
from scintscope.progress import Progress
from scintscope.response import DepthResponse, check_sampling, depth_response
from scintscope.sample.build import build_specimen
from scintscope.sample.specimen import SpecimenRecipe
from scintscope.scintillator.defects import PlateDefects, make_defects
from scintscope.sharing import share
from scintscope.streams import stream
from scintscope.threads import POOL_THREADS

Frames = NDArray[np.uint16]

PLATES = ("thin", "thick")
BACKGROUND = "background"

SIDE_BY_SIDE_PIXELS = 1 << 21
"""On simulation grids up to this both plates' frames are taken at the same time: threads that share
the passes over so small an image are idle half the time. Larger ones would need the memory twice.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """An instrument, what is put into it and how frames are taken.

    Parameters
    ----------
    instrument : Instrument
        The instrument.
    acquisition : Acquisition
        Frames, drift, seed.
    samples : dict of str to SpecimenRecipe
        What is imaged, by name (``target`` and, if any, ``specimen``).
    absorbers : dict of str to Absorber
        Their materials.
    """

    instrument: Instrument
    acquisition: Acquisition
    samples: Mapping[str, SpecimenRecipe]
    absorbers: Mapping[str, Absorber]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """An experiment set up: responses, planes, defects. Nothing random but the defects.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.
    responses, planes, defects : dict of str
        By plate, ``thin`` and ``thick``.
    quanta : dict of str to QuantaGroups
        By plate: how its X-ray noise is drawn.
    """

    experiment: Experiment
    responses: Mapping[str, DepthResponse]
    planes: Mapping[str, Plane]
    defects: Mapping[str, PlateDefects]
    quanta: Mapping[str, QuantaGroups]

    def scene(self, plate: str, sample: str | None) -> Scene:
        """Return the scene of a named sample (None: open beam) in front of a plate."""
        plane = self.planes[plate]
        recipe = None if sample is None else self.experiment.samples[sample]
        return make_scene(
            self.experiment.instrument,
            self.responses[plate],
            plane,
            None if recipe is None else build_specimen(recipe, plane.sample_grid),
            self.experiment.absorbers,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedLight:
    """The noise-free, defect-free light of a sample on a plate; the judge's truth.

    Parameters
    ----------
    spectrum : complex array
        `LightImage.spectrum`.
    sharp : (M, N) array
        `LightImage.sharp`.
    terms, error : int, float
        Transforms the depth sum took, and its estimated error.
    """

    spectrum: NDArray[Any]
    sharp: NDArray[Any]
    terms: int
    error: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposures:
    """What the laboratory sees, and beside it what only the judge may see.

    Parameters
    ----------
    stacks : dict of str to (frames, rows, columns) uint16 array
        ``thin_target``, ``thin_background``, ``thick_target`` ...
    darks : dict of float to stack
        By exposure, s.
    flat : stack or None
        Camera flat.
    flat_exposure_s : float
        Its exposure.
    drift : dict of str to StackDrift
        Truth: positions per stack.
    truth : dict of str to RenderedLight
        Truth: noise-free light of each plate and sample.
    """

    stacks: Mapping[str, Frames]
    darks: Mapping[float, Frames]
    flat: Frames | None
    flat_exposure_s: float
    drift: Mapping[str, StackDrift]
    truth: Mapping[str, RenderedLight]


@dataclass(frozen=True, kw_only=True, slots=True)
class Apparatus:
    """What of a bench depends on the instrument alone and takes seconds to compute.

    Parameters
    ----------
    responses, planes, quanta : dict of str
        By plate; see `Bench`.
    """

    responses: Mapping[str, DepthResponse]
    planes: Mapping[str, Plane]
    quanta: Mapping[str, QuantaGroups]


def apparatus(instrument: Instrument) -> Apparatus:
    """Return the apparatus of an instrument; see `set_up` for what it raises and warns of."""

    def response(name: str) -> DepthResponse:
        return depth_response(instrument, getattr(instrument, name))

    both = tuple(share(response, PLATES))
    responses = dict(zip(PLATES, both, strict=True))
    oversampling = check_sampling(instrument, both)
    warn_of_diffraction(instrument, responses["thick"])

    def grouped(found: DepthResponse) -> QuantaGroups:
        return quanta_groups(found, instrument.accuracy.noise_error)

    return Apparatus(
        responses=responses,
        planes={
            name: make_plane(instrument, both, responses[name], oversampling) for name in PLATES
        },
        quanta=dict(zip(PLATES, share(grouped, both), strict=True)),
    )


def set_up(experiment: Experiment, ready: Apparatus | None = None) -> Bench:
    """Return the bench of an experiment.

    Parameters
    ----------
    experiment : Experiment
        What is asked for.
    ready : Apparatus or None
        Of the experiment's instrument, if it was made before.

    Raises
    ------
    SamplingError
        If the simulation grid would alias or not fit into memory.

    Warns
    -----
    PhysicsWarning
        For a focus outside a plate, or visible edge diffraction.
    """
    found = apparatus(experiment.instrument) if ready is None else ready

    def defects(name: str) -> PlateDefects:
        return _plate_defects(experiment, name, found.planes[name])

    return Bench(
        experiment=experiment,
        responses=found.responses,
        planes=found.planes,
        defects=dict(zip(PLATES, share(defects, PLATES), strict=True)),
        quanta=found.quanta,
    )


def _plate_defects(experiment: Experiment, name: str, plane: Plane) -> PlateDefects:
    """Return a plate's defects: independent between plates, the same in all its stacks."""
    plate = getattr(experiment.instrument, name)
    if not experiment.instrument.accuracy.effects.defects:
        return PlateDefects()
    rng = stream(experiment.acquisition.seed, "defects", name)
    return make_defects(plate.defects, plane.fine, plate.thickness_um, rng)


def stack_names(experiment: Experiment) -> list[str]:
    """Return the names of all stacks: each plate with each sample and without."""
    return [f"{plate}_{what}" for plate in PLATES for what in (*experiment.samples, BACKGROUND)]


def expose_all(bench: Bench, progress: Progress) -> Exposures:
    """Return all stacks of an experiment.

    Parameters
    ----------
    bench : Bench
        From `set_up`.
    progress : callable
        See `scintscope.progress`.
    """
    experiment = bench.experiment
    acquisition, camera = experiment.acquisition, experiment.instrument.camera
    names = stack_names(experiment)
    drift = draw_drift(acquisition, stream(acquisition.seed, "drift"), names)
    pattern = make_fixed_pattern(camera, stream(acquisition.seed, "fixed pattern"))
    with progress("frames", len(names) * acquisition.frames) as advance:

        def taken(plate: str) -> list[tuple[str, Frames, RenderedLight | None]]:
            return list(_stacks_of(bench, plate, drift, pattern, lambda: advance(1)))

        small = max(plane.fine.shape[0] * plane.fine.shape[1] for plane in bench.planes.values())
        threads = POOL_THREADS if small <= SIDE_BY_SIDE_PIXELS else 1
        found = [item for items in share(taken, PLATES, threads) for item in items]
    flat_exposure_s = experiment.instrument.thick.exposure_s
    return Exposures(
        stacks={name: stack for name, stack, _ in found},
        darks=_darks(experiment, pattern),
        flat=_flat(experiment, pattern, flat_exposure_s),
        flat_exposure_s=flat_exposure_s,
        drift=drift,
        truth={name: light for name, _, light in found if light is not None},
    )


def _stacks_of(
    bench: Bench,
    plate: str,
    drift: Mapping[str, StackDrift],
    pattern: FixedPattern,
    advance: Callable[[], None],
) -> Iterator[tuple[str, Frames, RenderedLight | None]]:
    """Yield name, frames and truth (none for the open beam) of each of a plate's stacks."""
    experiment = bench.experiment
    seed = experiment.acquisition.seed
    optics = plate_optics(
        bench.responses[plate], bench.planes[plate], bench.defects[plate], bench.quanta[plate]
    )
    for what in (*experiment.samples, BACKGROUND):
        name = f"{plate}_{what}"
        sample = None if what == BACKGROUND else what
        light = _light(bench, plate, sample)
        job = _job(bench, plate, optics, light, drift[name], pattern, sample)
        stack = take_stack(job, stream(seed, name, "quanta"), stream(seed, name, "camera"), advance)
        yield name, stack, None if sample is None else truth_of(light)


def truth_of(light: LightImage) -> RenderedLight:
    """Return what the judge needs of a light image."""
    return RenderedLight(
        spectrum=light.spectrum, sharp=light.sharp, terms=light.terms, error=light.error
    )


def _light(bench: Bench, plate: str, sample: str | None) -> LightImage:
    scene = bench.scene(plate, sample)
    xray = xray_images(scene, quanta_weights=bench.quanta[plate].weights)
    return light_image(scene, xray, bench.defects[plate])


def _job(
    bench: Bench,
    plate: str,
    optics: PlateOptics,
    light: LightImage,
    drift: StackDrift,
    pattern: FixedPattern,
    sample: str | None,
) -> StackJob:
    return StackJob(
        instrument=bench.experiment.instrument,
        response=bench.responses[plate],
        plane=bench.planes[plate],
        optics=optics,
        light=light,
        drift=drift,
        pattern=pattern,
        uniform=sample is None,
        quantum=_quantum(bench, plate, sample),
    )


def _quantum(bench: Bench, plate: str, sample: str | None) -> QuantumScene | None:
    """Return what drawing every quantum needs, where that is asked for."""
    experiment = bench.experiment
    sampler = experiment.instrument.accuracy.noise_sampler
    if not draws_every_quantum(sampler, bench.quanta[plate]):
        return None
    rng = stream(experiment.acquisition.seed, "electron tracks", plate)
    return quantum_scene(bench.scene(plate, sample), bench.defects[plate], rng)


def _darks(experiment: Experiment, pattern: FixedPattern) -> dict[float, Frames]:
    """Return a dark stack for each exposure in use."""
    count = experiment.acquisition.dark_frames
    if not count:
        return {}
    camera, noise = experiment.instrument.camera, experiment.instrument.accuracy.effects.noise
    result = {}
    for exposure_s in sorted({getattr(experiment.instrument, p).exposure_s for p in PLATES}):
        rng = stream(experiment.acquisition.seed, "dark", repr(exposure_s))
        result[exposure_s] = np.stack(
            [dark_frame(exposure_s, camera, pattern, rng, noise) for _ in range(count)]
        )
    return result


def _flat(experiment: Experiment, pattern: FixedPattern, exposure_s: float) -> Frames | None:
    """Return the camera flat: even light, no scintillator."""
    acquisition = experiment.acquisition
    if not acquisition.flat_frames:
        return None
    camera, noise = experiment.instrument.camera, experiment.instrument.accuracy.effects.noise
    rng = stream(acquisition.seed, "camera flat")
    frames = [
        flat_frame(acquisition.flat_electrons, exposure_s, camera, pattern, rng, noise)
        for _ in range(acquisition.flat_frames)
    ]
    return np.stack(frames)


def sample_position_um(exposures: Exposures, name: str) -> tuple[float, float]:
    """Return the mean position of the sample over a stack, (row, column) um."""
    row, column = exposures.drift[name].sample_um.mean(axis=0)
    return float(row), float(column)


def rendered(bench: Bench, plate: str, sample: str) -> RenderedLight:
    """Return the noise-free light of a sample on a plate, for judges without frames."""
    return truth_of(_light(bench, plate, sample))


def as_arrays(exposures: Exposures) -> dict[str, Any]:
    """Return the drift as plain lists, for the truth file."""
    return {name: drift.as_dict() for name, drift in exposures.drift.items()}
