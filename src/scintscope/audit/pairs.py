"""Many registered pairs of one instrument: rendered once, defects, drift and noise drawn by seed.

The X-ray images and their light do not depend on the seed. What does is drawn by the same functions
as in a run: defects, drift, quantum noise, camera; then the chain of `restoration` takes over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scintscope.camera.drift import draw_drift
from scintscope.camera.parts import Acquisition
from scintscope.camera.sensor import FixedPattern, dark_frame, flat_frame, make_fixed_pattern
from scintscope.errors import InputError
from scintscope.forward.acquire import Curves, StackJob, plate_optics, take_stack
from scintscope.forward.plane import Plane, make_plane
from scintscope.forward.quanta import QuantaGroups, draws_every_quantum
from scintscope.forward.render import LightImage, light_image, make_scene, xray_images
from scintscope.forward.simulate import BACKGROUND, PLATES, Frames
from scintscope.instrument import Instrument
from scintscope.noise.groups import quanta_groups
from scintscope.response import DepthResponse, check_sampling, depth_response
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.exposures import PlateFrames, correct_plate, prepare_corrections
from scintscope.restoration.records import AlignedPlate
from scintscope.restoration.steps import align_plate
from scintscope.sample.build import build_specimen
from scintscope.scenario import Scenario
from scintscope.scintillator.defects import (
    EmissionDefect,
    PlateDefects,
    make_defects,
    scratch_depth_um,
)
from scintscope.streams import stream
from scintscope.verdict.judge import TARGET


@dataclass(frozen=True, kw_only=True, slots=True)
class PairBench:
    """An instrument and a target, rendered once; `draw_pair` takes pictures with it.

    Parameters
    ----------
    instrument : Instrument
        Exposures are those of a whole stack (see `as_one_frame`).
    acquisition : Acquisition
        Drift, flicker, frames.
    config : RestorationConfig
        How frames are corrected and registered.
    responses, planes, quanta : dict of str
        By plate.
    light : dict of str to LightImage
        By ``plate_what``; the light of all depth ranges in which a defect may take emission.
    curves : dict of str to Curves
        By plate: transfer functions of defects, filled as they are met.
    """

    instrument: Instrument
    acquisition: Acquisition
    config: RestorationConfig
    responses: Mapping[str, DepthResponse]
    planes: Mapping[str, Plane]
    quanta: Mapping[str, QuantaGroups]
    light: Mapping[str, LightImage]
    curves: Mapping[str, Curves]

    @property
    def pixel_um(self) -> float:
        """Return the camera pixel in the object plane."""
        return self.instrument.pixel_um_object


def as_one_frame(
    instrument: Instrument, acquisition: Acquisition
) -> tuple[Instrument, Acquisition]:
    """Return the instrument and acquisition whose one frame is the mean of a stack of frames.

    N frames of exposure t hold the same photons as one of N t. With N times the gain, offset spread
    and full well, and sqrt(N) times the read noise, its counts have the mean and variance of the
    stack's mean. What is left out: drift within a stack (half of that between stacks at its end)
    and the averaging of the converter's rounding.
    """
    count = acquisition.frames
    if count == 1:
        return instrument, acquisition
    camera = instrument.camera
    merged = replace(
        camera,
        gain_electrons_per_adu=camera.gain_electrons_per_adu * count,
        full_well_electrons=camera.full_well_electrons * count,
        read_noise_electrons=camera.read_noise_electrons * count**0.5,
        dsnu_electrons=camera.dsnu_electrons * count,
        zingers_per_frame=camera.zingers_per_frame * count,
    )
    plates = {
        name: replace(
            getattr(instrument, name), exposure_s=getattr(instrument, name).exposure_s * count
        )
        for name in PLATES
    }
    single = replace(
        acquisition,
        frames=1,
        dark_frames=min(acquisition.dark_frames, 1),
        flat_frames=min(acquisition.flat_frames, 1),
        flat_electrons=acquisition.flat_electrons * count,
        source_flicker=acquisition.source_flicker / count**0.5,
    )
    return replace(instrument, camera=merged, **plates), single


def set_up_pairs(scenario: Scenario, *, merge_frames: bool = True) -> PairBench:
    """Return a scenario's instrument and target, rendered.

    Parameters
    ----------
    scenario : Scenario
        Specimen and deconvolution settings are not used.
    merge_frames : bool
        Take a stack as one long frame (`as_one_frame`).

    Raises
    ------
    InputError
        Where the scenario's noise can only be drawn quantum by quantum.
    SamplingError
        If the simulation grid would alias.
    """
    instrument, acquisition = scenario.instrument(), scenario.acquisition
    responses = {name: depth_response(instrument, getattr(instrument, name)) for name in PLATES}
    both = tuple(responses.values())
    oversampling = check_sampling(instrument, both)
    planes = {name: make_plane(instrument, both, responses[name], oversampling) for name in PLATES}
    quanta = {
        name: quanta_groups(responses[name], instrument.accuracy.noise_error) for name in PLATES
    }
    sampler = instrument.accuracy.noise_sampler
    if any(draws_every_quantum(sampler, groups) for groups in quanta.values()):
        raise InputError(
            "the audit draws quantum noise by filtered fields, which this scenario's few X-rays "
            'do not allow. Expose longer, or set accuracy.noise_sampler = "fast".'
        )
    light = {}
    for plate in PLATES:
        for what in (TARGET, BACKGROUND):
            specimen = None
            if what == TARGET:
                specimen = build_specimen(scenario.target, planes[plate].sample_grid)
            scene = make_scene(
                instrument, responses[plate], planes[plate], specimen, scenario.absorbers
            )
            xray = xray_images(scene, quanta_weights=quanta[plate].weights)
            template = _every_range(responses[plate].thickness_um, planes[plate])
            light[f"{plate}_{what}"] = light_image(scene, xray, template)
    bench = PairBench(
        instrument=instrument,
        acquisition=acquisition,
        config=scenario.restoration,
        responses=responses,
        planes=planes,
        quanta=quanta,
        light=light,
        curves={name: {} for name in PLATES},
    )
    return under(bench, scenario, merge_frames=merge_frames)


def under(bench: PairBench, scenario: Scenario, *, merge_frames: bool = True) -> PairBench:
    """Return a bench under a scenario's exposures, defects, drift, noise and restoration settings.

    The scenario may differ from the bench's own in these alone; nothing is rendered again.
    """
    instrument, acquisition = scenario.instrument(), scenario.acquisition
    if merge_frames:
        instrument, acquisition = as_one_frame(instrument, acquisition)
    return replace(
        bench,
        instrument=instrument,
        acquisition=acquisition,
        config=scenario.restoration,
        responses={
            name: replace(response, plate=getattr(instrument, name))
            for name, response in bench.responses.items()
        },
    )


def _every_range(thickness_um: float, plane: Plane) -> PlateDefects:
    """Return empty emission defects over every depth range that `make_defects` uses."""
    face = scratch_depth_um(thickness_um)
    nothing = np.zeros(plane.fine.shape, dtype=np.float32)
    ranges = ((0.0, face), (face, thickness_um - face), (thickness_um - face, thickness_um))
    return PlateDefects(
        emission=tuple(
            EmissionDefect(depth_low_um=low, depth_high_um=high, loss=nothing)
            for low, high in ranges
        )
    )


def _defects(bench: PairBench, plate: str, seed: int) -> PlateDefects:
    part = getattr(bench.instrument, plate)
    if not bench.instrument.accuracy.effects.defects:
        return PlateDefects()
    rng = stream(seed, "defects", plate)
    return make_defects(part.defects, bench.planes[plate].fine, part.thickness_um, rng)


def _with_losses(light: LightImage, defects: PlateDefects, thickness_um: float) -> LightImage:
    """Return a light image whose defect light is that of the defects at hand."""
    face = scratch_depth_um(thickness_um)
    order = {0.0: 0, face: 1, thickness_um - face: 2}
    chosen = tuple(
        replace(light.defect_light[order[group.depth_low_um]], loss=group.loss)
        for group in defects.emission
    )
    return replace(light, defect_light=chosen)


def draw_frames(
    bench: PairBench, seed: int
) -> tuple[dict[str, PlateFrames], dict[float, Frames], Frames | None]:
    """Return both plates' stacks of one seed, the darks by exposure and the camera flat."""
    acquisition: Acquisition = replace(bench.acquisition, seed=seed)
    camera = bench.instrument.camera
    names = [f"{plate}_{what}" for plate in PLATES for what in (TARGET, BACKGROUND)]
    drift = draw_drift(acquisition, stream(seed, "drift"), names)
    pattern = make_fixed_pattern(camera, stream(seed, "fixed pattern"))
    frames = {}
    for plate in PLATES:
        response, plane = bench.responses[plate], bench.planes[plate]
        defects = _defects(bench, plate, seed)
        optics = plate_optics(response, plane, defects, bench.quanta[plate], bench.curves[plate])
        stacks = {}
        for what in (TARGET, BACKGROUND):
            name = f"{plate}_{what}"
            job = StackJob(
                instrument=bench.instrument,
                response=response,
                plane=plane,
                optics=optics,
                light=_with_losses(bench.light[name], defects, response.thickness_um),
                drift=drift[name],
                pattern=pattern,
                uniform=what == BACKGROUND,
            )
            stacks[what] = take_stack(
                job, stream(seed, name, "quanta"), stream(seed, name, "camera")
            )
        frames[plate] = PlateFrames(
            sample=stacks[TARGET],
            background=stacks[BACKGROUND],
            exposure_s=response.plate.exposure_s,
        )
    darks, flat = _corrections(bench, seed, pattern)
    return frames, darks, flat


def _corrections(
    bench: PairBench, seed: int, pattern: FixedPattern
) -> tuple[dict[float, Frames], Frames | None]:
    """Return dark stacks by exposure, and the camera flat, as a run takes them."""
    acquisition, camera = bench.acquisition, bench.instrument.camera
    noise = bench.instrument.accuracy.effects.noise
    exposures = sorted({getattr(bench.instrument, name).exposure_s for name in PLATES})
    darks: dict[float, Frames] = {}
    for exposure_s in exposures if acquisition.dark_frames else []:
        rng = stream(seed, "dark", repr(exposure_s))
        frames = [
            dark_frame(exposure_s, camera, pattern, rng, noise)
            for _ in range(acquisition.dark_frames)
        ]
        darks[exposure_s] = np.stack(frames)
    if not acquisition.flat_frames:
        return darks, None
    rng, exposure_s = stream(seed, "camera flat"), bench.instrument.thick.exposure_s
    electrons = acquisition.flat_electrons
    flats = [
        flat_frame(electrons, exposure_s, camera, pattern, rng, noise)
        for _ in range(acquisition.flat_frames)
    ]
    return darks, np.stack(flats)


def draw_pair(bench: PairBench, seed: int) -> dict[str, AlignedPlate]:
    """Return both plates' corrected images of one seed, backgrounds moved onto the samples."""
    frames, darks, flat = draw_frames(bench, seed)
    config = bench.config
    corrections = prepare_corrections(darks or None, flat, frames["thick"].exposure_s, config)
    return {
        name: align_plate(correct_plate(plate, name, corrections, config), config)
        for name, plate in frames.items()
    }
