"""Errors from local transfer functions: the images' own numbers, and limits."""

from dataclasses import replace

import numpy as np
import pytest

from benches import TUBE
from forward_scenes import LENS, accuracy, small
from scintscope.camera.parts import Acquisition, Camera
from scintscope.forward.simulate import Experiment, set_up
from scintscope.geometry import Geometry
from scintscope.materials import ABSORBERS
from scintscope.sample.specimen import PointGrid
from scintscope.verdict.budget import error_budget
from scintscope.verdict.local import local_budget, local_model
from scintscope.verdict.spectra import _tiles, spread_over_field

POINTS = PointGrid(pitch_um=12.0, diameter_um=5.0, thickness_um=2.0)

# tiles see a sample that is the same all over the field; the border and the corners differ
AGREEMENT = 0.15


@pytest.fixture(scope="module")
def bench():
    """Return a strongly converging bench with a hardening target, halo off."""
    instrument = small(
        geometry=Geometry(source_to_scintillator_mm=10.0, source_to_sample_mm=9.9),
        lens=replace(LENS, pupil_distance_mm=15.0),
        source=TUBE,
        camera=Camera(shape=(120, 120)),
        accuracy=accuracy(fluorescence="local"),
    )
    experiment = Experiment(
        instrument=instrument,
        acquisition=Acquisition(),
        samples={"target": POINTS},
        absorbers=ABSORBERS,
    )
    return set_up(experiment)


def test_agrees_with_images(bench):
    """Parts, total and interaction agree with those of rendered images."""
    images, local = error_budget(bench, "target"), local_budget(bench, "target")
    for effect in ("cone_magnification", "lens_perspective", "sample_hardening"):
        assert local.rms[effect] == pytest.approx(images.parts[effect].rms, rel=AGREEMENT)
    assert local.total == pytest.approx(images.total.rms, rel=AGREEMENT)
    assert local.contrast_gain == pytest.approx(images.contrast_gain, rel=0.02)
    # edges of the sheet are null where the instrument has no such effect
    assert local.rms["field_aberration"] == 0.0


def test_all_off_is_exact(bench):
    """Without any effect the single PSF is exact to rounding."""
    assert local_model(bench, "target").error(()).rms < 1e-9


def test_displacement_grows_with_radius(bench):
    """The error of the cone alone grows in proportion to the distance from the axis."""
    model = local_model(bench, "target")
    model._spectra = spread_over_field(model._spectra, 20.0, 6)
    found = model.error(("cone_magnification",))
    ratio = found.by_radius / found.radius_um
    # sin(u) against u with u = 2 pi f x (m_z - m), below 0.3 here
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=0.03)


def test_spread_over_a_square():
    """Rings stand for a square field: mean square radius 2 R^2 / 3, shares sum to one."""
    from scintscope.verdict.spectra import SampleSpectra

    spectra = SampleSpectra(
        frequency_cy_per_um=np.arange(3.0),
        radius_um=np.zeros(1),
        share=np.ones(1),
        cross=np.ones((1, 1, 1, 3)),
        transmissions=np.ones((2, 1)),
        sampled=None,
    )
    found = spread_over_field(spectra, 100.0, 7)
    assert found.share.sum() == pytest.approx(1.0)
    # midpoints of 60 cells a side: off by (1 / 60)^2 / 4
    assert found.share @ found.radius_um**2 == pytest.approx(2.0e4 / 3.0, rel=1e-3)


def test_power_is_the_images_variance(bench):
    """The cross-spectra add up to the variance of what the camera's pixels see of the target."""
    from scintscope.grids import bin_mean, crop_centre
    from scintscope.sample.transmission import transmission
    from scintscope.verdict.spectra import sample_spectra

    scene = bench.scene("thick", "target")
    plane = bench.planes["thick"]
    spectra = sample_spectra(scene.specimen, scene.mu_per_um, plane)
    full = transmission(scene.specimen, scene.mu_per_um)
    energy = int(np.argmax(full.std(axis=(1, 2))))
    seen = crop_centre(bin_mean(full[energy], plane.oversampling), plane.camera_shape)
    loading = spectra.loadings(scene.mu_per_um)[:, energy]
    total = np.tensordot(spectra.share, spectra.cross, axes=1).sum(axis=2)
    # a window of a few periods sees more or less of a disc
    assert loading @ total @ loading == pytest.approx(seen.var(), rel=0.1)


@pytest.mark.parametrize("side", [17, 60, 340, 1024, 1535, 1537, 4096])
def test_tiles_cover_the_field(side):
    """Tiles reach every sample, overlap by half, and span a small field three times, not four."""
    corners, tile = _tiles((side, side), 1)
    starts = sorted({row for row, _ in corners})
    assert starts[0] == 0
    assert starts[-1] + tile == side
    assert tile <= 512
    assert len(starts) == max(5, 2 * -(-side // 512) - 1)
    assert max(np.diff(starts)) <= 0.5 * tile + 1
