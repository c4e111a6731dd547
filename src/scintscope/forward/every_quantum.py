"""Frames of a scene with every quantum drawn (`forward.brute_force` on specimens and defects).

As in the fast model: the sample's shadow per energy, obliquity's fluence, the focal spot (each
X-ray displaced at random), enlargement with depth, drift, defects. Left out, being below 1e-3 of
the signal in any field this optics sees: the longer path of oblique X-rays inside the plate and the
growth of the penumbra with depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition import interaction_data
from scintscope.deposition.electron_paths import material_tracks, track_library
from scintscope.deposition.events import EventModel, event_model, follow
from scintscope.errors import InputError
from scintscope.forward.brute_force import (
    LightShare,
    LightTable,
    count_light,
    draw_points,
    light_table,
)
from scintscope.forward.plane import Plane, depth_scale, obliquity, penumbra_sigma_um
from scintscope.forward.render import Scene
from scintscope.response import DepthResponse
from scintscope.scintillator.defects import PlateDefects

Array = NDArray[np.float64]

_BATCH = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantumModel:
    """What following every quantum in a plate needs; made once per plate.

    Parameters
    ----------
    events : EventModel
        X-rays.
    light : LightTable
        Light.
    """

    events: EventModel
    light: LightTable


def quantum_model(response: DepthResponse, scene: Scene, rng: np.random.Generator) -> QuantumModel:
    """Return the model of a plate with the scenario's effects; ``rng`` runs electron tracks."""
    effects = scene.instrument.accuracy.effects
    material, energy = response.plate.scintillator, response.spectrum.energy_kev
    library = None
    if effects.electrons:
        library = track_library(material_tracks(material), float(energy.max()), rng)
    return QuantumModel(
        events=event_model(
            interaction_data(material), response.thickness_um, energy, effects, library
        ),
        light=light_table(response),
    )


def transmission_of(scene: Scene, index: int) -> NDArray[Any] | float:
    """Return the specimen's transmission at one energy on the fine grid, obliquity included."""
    excess, _ = obliquity(scene.plane, scene.instrument.accuracy.effects)
    fluence = 1.0 if excess is None else (1.0 + excess) ** -3
    if scene.specimen is None:
        return fluence
    path = 1.0 if excess is None else 1.0 + excess
    exponent = np.zeros(scene.plane.fine.shape)
    for name, thickness in scene.specimen.thickness_um.items():
        exponent += scene.mu_per_um[name][index] * thickness
    return np.asarray(np.exp(-exponent * path) * fluence)


def mean_transmission(scene: Scene) -> NDArray[Any]:
    """Return the light-weighted mean transmission: what each energy sees without hardening."""
    response = scene.response
    light = response.light_per_um(response.depth_um) @ response.depth_weight_um
    total = np.zeros(scene.plane.fine.shape)
    for index, share in enumerate(light / light.sum()):
        total += share * transmission_of(scene, index)
    return total


def drawn_electrons(
    scene: Scene,
    model: QuantumModel,
    exposure_s: float,
    rng: np.random.Generator,
    *,
    sample_um: tuple[float, float] = (0.0, 0.0),
    gain: float = 1.0,
    share: LightShare | None = None,
) -> NDArray[np.int64]:
    """Return the photo-electrons of one frame in the camera's pixels, every quantum drawn.

    Parameters
    ----------
    scene : Scene
        Instrument, plate, specimen.
    model : QuantumModel
        Of the plate.
    exposure_s : float
        Of the frame, flicker included.
    rng : numpy.random.Generator
        Stream.
    sample_um : (float, float)
        Displacement of the sample, row and column.
    gain : float
        Factor on the light.
    share : callable, optional
        Light that emission defects let pass.
    """
    response, plane = scene.response, scene.plane
    effects = scene.instrument.accuracy.effects
    sigma = float(penumbra_sigma_um(np.zeros(1), plane, scene.instrument)[0])
    rate = response.spectrum.photons_per_um2_s * (exposure_s * plane.fine.pixel_um**2)
    same = None if effects.sample_hardening else mean_transmission(scene)
    total = np.zeros(plane.padded_shape, dtype=np.int64)
    for index, energy in enumerate(response.spectrum.energy_kev):
        through = transmission_of(scene, index) if same is None else same
        mean = np.broadcast_to(rate[index] * np.asarray(through), plane.fine.shape)
        row, column, _ = draw_points(mean, plane.fine.pixel_um, rng)
        if scene.specimen is not None:
            row = row + sample_um[0] + sigma * rng.standard_normal(row.size)
            column = column + sample_um[1] + sigma * rng.standard_normal(row.size)
        for start in range(0, row.size, _BATCH):
            part = slice(start, start + _BATCH)
            left, _ = follow(model.events, np.full(row[part].size, float(energy)), rng)
            y, x = _enlarged(scene, row[part], column[part], left.event, left.z_um)
            # one entry per deposit now, so that each is enlarged by its own depth
            total += count_light(
                y,
                x,
                left.renumbered(),
                response.electrons_per_kev * gain,
                model.light,
                plane.padded_shape,
                plane.pixel_um,
                rng,
                share,
            )
    return _camera_part(total, plane)


def _enlarged(
    scene: Scene, row_um: Array, column_um: Array, event: NDArray[np.intp], z_um: Array
) -> tuple[Array, Array]:
    """Return where X-rays pass at their deposits' depths, enlarged about the axis."""
    if scene.specimen is None:
        return row_um[event], column_um[event]
    instrument, plane = scene.instrument, scene.plane
    scale = depth_scale(
        z_um,
        plane,
        scene.response,
        instrument.lens.pupil_distance_mm,
        instrument.accuracy.effects,
    )
    height, width = plane.fine.extent_um
    return (
        0.5 * height + scale * (row_um[event] - 0.5 * height),
        0.5 * width + scale * (column_um[event] - 0.5 * width),
    )


def _camera_part(image: NDArray[np.int64], plane: Plane) -> NDArray[np.int64]:
    r0, c0 = ((n - m) // 2 for n, m in zip(plane.padded_shape, plane.camera_shape, strict=True))
    rows, columns = plane.camera_shape
    return np.ascontiguousarray(image[r0 : r0 + rows, c0 : c0 + columns])


def emission_share(
    defects: PlateDefects, plane: Plane, plate_um: tuple[float, float]
) -> LightShare | None:
    """Return the share of light that emission defects leave, at any place in the plate."""
    if not defects.emission:
        return None
    rows, columns = plane.fine.shape

    def share(row_um: Array, column_um: Array, depth_um: Array) -> Array:
        r = np.floor((row_um - plate_um[0]) / plane.fine.pixel_um).astype(np.intp) % rows
        c = np.floor((column_um - plate_um[1]) / plane.fine.pixel_um).astype(np.intp) % columns
        kept = np.ones(row_um.shape)
        for group in defects.emission:
            inside = (depth_um >= group.depth_low_um) & (depth_um <= group.depth_high_um)
            kept = kept - np.where(inside, np.asarray(group.loss)[r, c], 0.0)
        return np.maximum(kept, 0.0)

    return share


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantumScene:
    """A scene whose frames are drawn quantum by quantum.

    Parameters
    ----------
    scene : Scene
        Instrument, plate, specimen.
    model : QuantumModel
        Of the plate.
    defects : PlateDefects
        Of the plate.
    """

    scene: Scene
    model: QuantumModel
    defects: PlateDefects


def quantum_scene(scene: Scene, defects: PlateDefects, rng: np.random.Generator) -> QuantumScene:
    """Return a scene made ready for drawing every quantum.

    Raises
    ------
    InputError
        If the plate has more than one layer that makes light.
    """
    if len(scene.response.deposition.layers) > 1:
        raise InputError(
            "accuracy.noise_sampler: every quantum is drawn in plates of one luminescent layer "
            'only; use "fast", or a substrate that does not glow.'
        )
    return QuantumScene(
        scene=scene, model=quantum_model(scene.response, scene, rng), defects=defects
    )


def counted_frame(
    quantum: QuantumScene,
    exposure_s: float,
    rng: np.random.Generator,
    *,
    plate_um: tuple[float, float],
    sample_um: tuple[float, float],
    factor: NDArray[Any] | None = None,
    glow: NDArray[Any] | None = None,
) -> NDArray[np.int64]:
    """Return the photo-electrons of one frame with defects, drawn, (rows, columns).

    Parameters
    ----------
    quantum : QuantumScene
        The scene.
    exposure_s : float
        Of the frame, flicker included.
    rng : numpy.random.Generator
        Stream.
    plate_um, sample_um : (float, float)
        Displacements of plate and sample.
    factor, glow : (rows, columns) array, optional
        What scattering defects and shading leave of the light; mean electrons of glowing spots.
    """
    gain = 1.0 if factor is None else max(1.0, float(factor.max()))
    counts = drawn_electrons(
        quantum.scene,
        quantum.model,
        exposure_s,
        rng,
        sample_um=sample_um,
        gain=gain,
        share=emission_share(quantum.defects, quantum.scene.plane, plate_um),
    )
    if glow is not None:
        counts = counts + rng.poisson(np.maximum(glow, 0.0) * gain)
    if factor is not None:
        counts = rng.binomial(counts, np.clip(factor / gain, 0.0, 1.0))
    return counts
