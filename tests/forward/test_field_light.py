"""The lens's field in the light image of a scene."""

from dataclasses import replace

import numpy as np
import pytest

from forward_scenes import INF, LENS, converging, response_of, scene_of, small
from scintscope.forward.field_light import corner_um, distorted
from scintscope.forward.plane import camera_image
from scintscope.forward.planes import plane_by_plane
from scintscope.forward.render import light_image, noise_free_frame, xray_images
from scintscope.grids import Grid
from scintscope.optics.field import FieldAberrations
from scintscope.response import with_depth_nodes

ROW, COLUMN = 31, -25  # of a dot, in fine samples from the centre


def with_field(bench, **values):
    """Return a bench whose lens has a field."""
    return replace(bench, lens=replace(bench.lens, field=FieldAberrations(**values)))


def dot(grid):
    """Return a gold dot off the axis."""
    thickness = np.zeros(grid.shape)
    thickness[grid.shape[0] // 2 + ROW, grid.shape[1] // 2 + COLUMN] = 50.0
    return thickness


def fast(scene):
    """Return the light image of the forward model in float64."""
    light = light_image(scene, xray_images(scene, np.float64), dtype=np.float64)
    return camera_image(light.spectrum, scene.plane)


@pytest.mark.parametrize(("plate", "bench"), [("thick", small()), ("thin", small()),
                                              ("thin", converging(40.0))])  # fmt: skip
def test_a_dot_is_blurred_by_the_focus_of_its_place(plate, bench):
    """The shadow of a dot on a tilted plate is that of a level plate at the local focus."""
    tilted = with_field(bench, tilt_rows_mrad=80.0, tilt_columns_mrad=-60.0)
    response = response_of(tilted, plate)
    scene = scene_of(tilted, response, dot)
    bare = scene_of(tilted, response, lambda grid: np.zeros(grid.shape))
    found = fast(scene) - open_under_the_same(scene, bare)
    row = scene.plane.fine.row_um[scene.plane.fine.shape[0] // 2 + ROW]
    column = scene.plane.fine.column_um[scene.plane.fine.shape[1] // 2 + COLUMN]
    shift = 1e-3 * (80.0 * row - 60.0 * column)
    moved = with_depth_nodes(
        replace(response, travel_um=response.travel_um + shift),
        response.depth_um.size,
        response.frequency_cy_per_um,
    )
    wanted = plane_by_plane(replace(scene, response=moved))
    wanted = wanted - plane_by_plane(replace(bare, response=moved))
    level = plane_by_plane(scene) - plane_by_plane(bare)
    effect = np.sqrt(np.mean((level - wanted) ** 2)) / wanted.std()
    error = np.sqrt(np.mean((found - wanted) ** 2)) / wanted.std()
    assert effect > 0.02
    # accuracy.error_target is 1e-3 of the image's standard deviation; a dot is whiter than most
    # images, and in a converging beam is displaced with depth
    assert error < 5e-3
    assert error < 0.15 * effect


def open_under_the_same(scene, bare):
    """Return the open beam with the maps and kernels of the scene's own image.

    Uniform light on a strongly tilted plate is not quite level, since its blur changes within its
    width; with and without the dot that is the same.
    """
    from scintscope.forward.plane import transform
    from scintscope.forward.render import _scaled_images, scene_field, scene_kernels

    xray, flat = xray_images(scene, np.float64), xray_images(bare, np.float64)
    kernels = scene_kernels(scene, xray.basis)
    field = scene_field(scene, xray, kernels)
    light = xray.images.max(axis=(1, 2))[:, None, None] * np.ones_like(xray.images)
    total = 0.0
    for r, q, image in _scaled_images(replace(flat, images=light), kernels):
        total = total + field.added(image, transform(image), r, q)
    plain = replace(bare, instrument=with_field(bare.instrument))
    return camera_image(total, scene.plane) + fast(plain)


def test_no_field_changes_nothing():
    """A field of zeros, even with a corner named, gives the plain light image to the bit."""
    bench = small()
    response = response_of(bench, "thin")
    plain = fast(scene_of(bench, response, dot))
    zero = with_field(bench, corner_um=100.0)
    np.testing.assert_array_equal(fast(scene_of(zero, response, dot)), plain)


def test_field_kernels_conserve_light():
    """Blur that differs over the field moves light about and makes none."""
    corner = {"corner_um": 90.0}  # of all that is rendered, margin included
    field = {"field_curvature_um": 3.0, "coma_waves": 0.05, "astigmatism_waves": 0.05}
    bench = with_field(small(), **corner, **field)
    response = response_of(bench, "thin")
    scene = scene_of(bench, response, dot)
    light = light_image(scene, xray_images(scene, np.float64), dtype=np.float64)
    plain = replace(scene, instrument=with_field(bench))
    wanted = light_image(plain, xray_images(plain, np.float64), dtype=np.float64)
    # splines through the table of kernels at f = 0
    assert light.spectrum[0, 0].real == pytest.approx(wanted.spectrum[0, 0].real, rel=1e-6)
    assert light.terms > wanted.terms
    assert light.error < 1e-3


def test_vignetting_of_the_open_beam():
    """The open beam is as bright as the field's illumination, and centred."""
    bench = with_field(small(), relative_illumination=0.6)
    response = response_of(bench, "thin")
    scene = scene_of(bench, response)
    light = light_image(scene, xray_images(scene))
    frame = noise_free_frame(light, scene.plane, 1.0)
    rows, columns = frame.shape
    radius2 = np.add.outer(
        (np.arange(rows) - 0.5 * (rows - 1)) ** 2, (np.arange(columns) - 0.5 * (columns - 1)) ** 2
    )
    corner2 = 0.25 * (rows**2 + columns**2)
    wanted = 1.0 - 0.4 * radius2 / corner2
    shown = frame / frame[rows // 2, columns // 2] * wanted[rows // 2, columns // 2]
    # the blur of the plate (a few pixels) rounds the parabola: 0.4 (w / R)^2 = 1e-2 at the middle,
    # and the margin's own light is darker still
    np.testing.assert_allclose(shown, wanted, atol=1.5e-2)


def test_corner_is_the_cameras_unless_named():
    """The values hold at the camera's corner, or where the lens says."""
    bench = small()
    scene = scene_of(bench, response_of(bench, "thin"))
    assert corner_um(FieldAberrations(), scene.plane) == pytest.approx(0.5 * 1.3 * np.hypot(40, 49))
    assert corner_um(FieldAberrations(corner_um=77.0), scene.plane) == 77.0


@pytest.mark.parametrize("distortion", [0.02, -0.02])
def test_distortion_displaces_by_its_law(distortion):
    """A spot at rho appears at rho (1 + D (rho / R)^2), and keeps its light."""
    grid = Grid(shape=(121, 160), pixel_um=1.0)
    row, column = 35.0, -48.0
    image = np.exp(
        -((grid.row_um[:, None] - row) ** 2 + (grid.column_um[None, :] - column) ** 2) / 18.0
    )
    corner = 90.0
    found = distorted(image, grid, distortion, corner)
    factor = 1.0 + distortion * (row**2 + column**2) / corner**2
    total = found.sum()
    # the displacement is not linear over the spot of 3 um: 3 D sigma^2 / R^2 of rho, 1e-3 um
    assert (found * grid.row_um[:, None]).sum() / total == pytest.approx(row * factor, abs=0.01)
    assert (found * grid.column_um).sum() / total == pytest.approx(column * factor, abs=0.01)
    # the Jacobian is exact, the sum over samples of a smooth spot as well, to the spline's 1e-4
    assert total == pytest.approx(image.sum(), rel=2e-4)


def test_telecentric_lens_of_the_scenes():
    """The scenes of this file have no perspective that could be taken for distortion."""
    assert LENS.pupil_distance_mm == INF
