"""Small scenes that the tests of the forward model and of the verdict share."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from benches import LOCAL, instrument, yag_plate
from scintscope.accuracy import Accuracy
from scintscope.camera.parts import Camera
from scintscope.forward.plane import make_plane
from scintscope.forward.render import light_image, make_scene, noise_free_frame, xray_images
from scintscope.geometry import Geometry
from scintscope.materials import ABSORBERS
from scintscope.optics.lens import Lens
from scintscope.response import depth_response
from scintscope.sample.build import build_specimen
from scintscope.sample.specimen import Specimen

INF = float("inf")
PARALLEL = Geometry(source_to_scintillator_mm=INF, source_to_sample_mm=INF)
LENS = Lens(corrected_for_um=10.0)
FEW_NODES = 16  # depths; the same for the form under test and its reference


def small(**changes):
    """Return a parallel, telecentric bench with 20 um and 100 um plates and a 40 x 49 camera."""
    parts = {
        "geometry": PARALLEL,
        "lens": LENS,
        "thin": yag_plate(20.0, exposure_s=10.0, focus_um=12.0),
        "thick": yag_plate(100.0, focus_um=70.0),
        "camera": Camera(shape=(40, 49)),
        "accuracy": accuracy(),
    }
    return instrument(**(parts | changes))


def converging(distance_mm, **changes):
    """Return `small` with source and pupil at a distance, the sample a tenth of it upstream."""
    return small(
        geometry=Geometry(
            source_to_scintillator_mm=distance_mm, source_to_sample_mm=0.9 * distance_mm
        ),
        lens=replace(LENS, pupil_distance_mm=distance_mm),
        **changes,
    )


def accuracy(error_target=1e-3, **effects):
    """Return the accuracy of `small` with another target and effects switched; deposition local."""
    return Accuracy(
        depth_nodes=FEW_NODES,
        energy_bin_kev=2.0,
        error_target=error_target,
        effects=replace(LOCAL, **effects),
    )


@lru_cache(maxsize=64)
def response_of(bench, plate="thick"):
    """Return the response of a plate; computed once per bench."""
    return depth_response(bench, getattr(bench, plate))


def scene_of(bench, response, sample=None, oversampling=2):
    """Return a scene of a recipe, of a function of the sample grid, or of nothing."""
    plane = make_plane(bench, (response,), response, oversampling)
    if sample is None:
        specimen = None
    elif callable(sample):
        grid = plane.sample_grid
        thickness = np.asarray(sample(grid), dtype=np.float32)
        specimen = Specimen(thickness_um={"Au": thickness}, pixel_um=grid.pixel_um)
    else:
        specimen = build_specimen(sample, plane.sample_grid)
    return make_scene(bench, response, plane, specimen, ABSORBERS)


def rendered(scene, dtype=np.float64):
    """Return the noise-free image per second, electrons per pixel."""
    light = light_image(scene, xray_images(scene, dtype), dtype=dtype)
    return noise_free_frame(light, scene.plane, 1.0)


def blob(row_um, column_um, sigma_um=2.0, thickness_um=0.05):
    """Return a Gaussian film of gold, thin enough to attenuate by per cents."""

    def draw(grid):
        down = np.exp(-0.5 * ((grid.row_um - row_um) / sigma_um) ** 2)
        across = np.exp(-0.5 * ((grid.column_um - column_um) / sigma_um) ** 2)
        return thickness_um * down[:, None] * across[None, :]

    return draw


def centroid(image, row, column, half):
    """Return the centre of mass (row, column) of a window around a pixel."""
    rows = np.arange(row - half, row + half + 1)
    columns = np.arange(column - half, column + half + 1)
    part = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    total = part.sum()
    return (part.sum(axis=1) @ rows) / total, (part.sum(axis=0) @ columns) / total


def rms(values):
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))
