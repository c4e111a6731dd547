"""The paper's thick plate with a fish before it, on a grid and with counts that the bench sets."""

from __future__ import annotations

import tempfile
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import tomli_w

from scintscope.forward.plane import Plane, make_plane
from scintscope.forward.render import Scene, make_scene
from scintscope.instrument import Instrument
from scintscope.response import (
    DepthResponse,
    _layer_nodes,
    depth_response,
    plate_spectrum,
    with_depth_nodes,
)
from scintscope.sample import build_specimen
from scintscope.scenario import Scenario, load_scenario
from scintscope.threads import fix_threads

fix_threads()

PAPER = Path(__file__).parents[2] / "scenarios" / "paper.toml"
OVERSAMPLING = 2
FIELD_UM = 2662.4
"""The paper's field: 2048 pixels of 1.3 um."""

DISTANCES_MM = {
    "geometry.source_to_scintillator_mm": 100.0,
    "geometry.source_to_sample_mm": 98.0,
    "lens.pupil_distance_mm": 100.0,
}
"""The paper's."""


@cache
def scene(side: int, planes: int, energies: int, as_wide_as: int = 0) -> Scene:
    """Return the paper's bench with a fish (tissue and bone) on a simulation grid of a side.

    The camera has as many pixels as leave room for the margin that the blur needs; the specimen
    fills the field. Counts are met as nearly as layers and absorption edges allow. With
    ``as_wide_as``, source and pupil are nearer, so that the field's corner is seen at the angle it
    has on a grid of that side.
    """
    instrument, response = _plate(energies, 1.0)
    plane = _plane(instrument, response, side)
    if as_wide_as:
        wide = _plane(instrument, response, as_wide_as)
        nearer = wide.camera_shape[0] / plane.camera_shape[0]
        instrument, response = _plate(energies, nearer)
        plane = _plane(instrument, response, side)
    length_um = 0.9 * FIELD_UM * plane.camera_shape[0] / 2048
    scenario = _scenario((f"specimen.length_um={length_um:.1f}",), energies <= 1)
    return make_scene(
        replace(instrument, camera=replace(instrument.camera, shape=plane.camera_shape)),
        _with_planes(response, planes),
        plane,
        build_specimen(scenario.specimen, plane.sample_grid),
        scenario.absorbers,
    )


@cache
def _plate(energies: int, nearer: float) -> tuple[Instrument, DepthResponse]:
    """Return instrument and thick plate's response with a number of energies, any depth nodes."""
    distances = [f"{key}={value / nearer}" for key, value in DISTANCES_MM.items()]
    made = []
    width, low, high = 73.0 / max(energies, 1), 0.05, 5.0  # bin width times bins, about
    for _ in range(12):
        width = min(max(width, 0.05), 5.0)
        sets = (*distances, "accuracy.depth_nodes=8", f"accuracy.energy_bin_kev={width:.4f}")
        instrument = _scenario(sets, energies <= 1).instrument()
        count = plate_spectrum(instrument, instrument.thick).energy_kev.size
        made.append((abs(count - energies), width, instrument))
        if count == energies or energies <= 1:
            break
        low, high = (width, high) if count > energies else (low, width)
        width = 0.5 * (low + high)
    instrument = min(made, key=lambda item: item[:2])[2]
    return instrument, depth_response(instrument, instrument.thick)


def _with_planes(response: DepthResponse, planes: int) -> DepthResponse:
    """Return the response with the number of depth nodes nearest to ``planes``."""
    counts = {nodes: _layer_nodes(response, nodes)[0].size for nodes in range(1, planes + 1)}
    nearest = min(counts, key=lambda nodes: abs(counts[nodes] - planes))
    return with_depth_nodes(response, nearest)


def _plane(instrument: Instrument, response: DepthResponse, side: int) -> Plane:
    """Return the plane with the largest square camera whose simulation grid has the side."""
    for camera in range(side // OVERSAMPLING // 2 * 2, 0, -2):
        sized = replace(instrument, camera=replace(instrument.camera, shape=(camera, camera)))
        plane = make_plane(sized, (response,), response, OVERSAMPLING)
        if plane.fine.shape[0] <= side:
            return plane
    raise ValueError(f"a grid of {side} has no room for the blur's margin: take a larger side.")


@cache
def _scenario(sets: tuple[str, ...], one_energy: bool) -> Scenario:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.toml"
        document = tomllib.loads(PAPER.read_text(encoding="utf-8"))
        if one_energy:
            source = {"kind": "monochromatic", "energy_kev": 20.0, "focal_spot_fwhm_um": 5.0}
            document["source"] = source
        path.write_text(tomli_w.dumps(document), encoding="utf-8")
        return load_scenario(path, [f"accuracy.oversampling={OVERSAMPLING}", *sets])
