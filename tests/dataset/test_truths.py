"""What a sample says is true; and what saves time changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset_studies import tiny_study
from scintscope.dataset import draw, scenario_of
from scintscope.dataset.instruments import InstrumentShelf, optical_part
from scintscope.dataset.make import make_sample
from scintscope.dataset.truths import depth_profile, generalized_psf, image_scale
from scintscope.forward.simulate import apparatus, rendered, set_up
from scintscope.pipeline import experiment
from scintscope.verdict.single_psf import judge_light


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory):
    """Return study, scenario and apparatus of a sample with a cone that enlarges a lot."""
    study = tiny_study(
        tmp_path_factory.mktemp("study"),
        "base.geometry.source_to_scintillator_mm=10.0",
        "base.geometry.source_to_sample_mm=9.0",
        "base.camera.shape=[64,64]",
    )
    scenario = scenario_of(study, draw(study, 0))
    return study, scenario, apparatus(scenario.instrument())


def test_enlargement_is_what_a_registration_finds(scene) -> None:
    """The depth-weighted scale is the best similarity's, to a hundredth of a pixel at the rim."""
    _, scenario, made = scene
    bench = set_up(experiment(scenario), made)
    for plate in ("thin", "thick"):
        light = rendered(bench, plate, "target")
        found = judge_light(light, made.responses[plate], made.planes[plate]).similarity.scale
        scale = image_scale(made.responses[plate], made.planes[plate], scenario.instrument())
        # The weights are those of a 1/f image, a slanted edge is one; its registration settles to
        # a thousandth of a pixel.
        assert abs(found - scale) * 32 < 0.01, plate
    assert image_scale(made.responses["thick"], made.planes["thick"], scenario.instrument()) > 1.001


def test_k_integrates_to_one(scene) -> None:
    """The depth profile's mean times the thickness is the whole of the light."""
    response = scene[2].responses["thick"]
    depth, share = depth_profile(response)
    # Midpoint rule on exp(-mu z), mu = 40 per mm or less, 64 parts of 0.6 um: below (mu h)^2 / 24.
    assert share.mean() * response.thickness_um == pytest.approx(1.0, abs=1e-4)
    assert depth[0] > 0.0 and depth[-1] < response.thickness_um


def test_generalized_psf_is_a_kernel(scene) -> None:
    """It is symmetric about its centre, peaks there, and nearly all of it lies in the window."""
    psf = generalized_psf(scene[2].responses["thick"], 16)
    assert psf.shape == (16, 16) and np.unravel_index(psf.argmax(), psf.shape) == (8, 8)
    inner = psf[1:, 1:]
    # Even in rows and columns by construction; a transform's rounding is left.
    assert np.allclose(inner, inner[::-1, ::-1], atol=1e-12) and np.allclose(psf, psf.T, atol=1e-12)
    assert 0.9 < psf.sum() <= 1.0 + 1e-9


def test_kept_apparatus_changes_no_bit(tmp_path: Path) -> None:
    """A sample is the same whether its instrument was at hand, and whatever was made before."""
    study = tiny_study(tmp_path)
    shelf = InstrumentShelf()
    first, after = (make_sample(study, i, shelf).sha256 for i in (3, 1))
    assert after == make_sample(study, 1, InstrumentShelf()).sha256 != first


def test_remembered_response_is_the_response(scene) -> None:
    """Sums over energies kept apart are those computed at once, to rounding."""
    _, scenario, made = scene
    kept = InstrumentShelf().apparatus(scenario.instrument()).responses["thick"]
    plain = made.responses["thick"]
    z, f = plain.depth_um, plain.frequency_cy_per_um
    weights = np.arange(1.0, 2.0 * plain.spectrum.energy_kev.size + 1.0).reshape(2, -1)
    one, two = (r.deposition.mean_transfer(weights, z, f) for r in (kept, plain))
    assert np.allclose(one, two, rtol=1e-12)
    assert kept.plate == plain.plate
    assert np.array_equal(kept.otf_at(z), plain.otf_at(z))


def test_shelf_is_small_and_knows_what_optics_depend_on(scene) -> None:
    """Exposure, defects and noise need no new optics; thickness does; few instruments are kept."""
    instrument = scene[1].instrument()
    noisier = replace(
        instrument,
        thick=replace(instrument.thick, exposure_s=3.0),
        camera=replace(instrument.camera, read_noise_electrons=9.0),
    )
    thicker = replace(instrument, thick=replace(instrument.thick, thickness_um=41.0))
    assert optical_part(noisier) == optical_part(instrument) != optical_part(thicker)
    shelf = InstrumentShelf(size=1)
    quanta = [shelf.apparatus(i).quanta["thick"].quanta_per_psf for i in (instrument, noisier)]
    # X-rays under a spread function are proportional to the exposure.
    assert quanta[1] / quanta[0] == pytest.approx(3.0 / instrument.thick.exposure_s, rel=1e-12)
    shelf.apparatus(thicker)
    assert len(shelf) == 1


def test_truth_fits_the_input(tmp_path: Path) -> None:
    """With plenty of light and no defects the input is the truth but for the thick plate's blur."""
    study = tiny_study(
        tmp_path,
        "base.source.photons_per_um2_s=20000.0",
        "base.camera.full_well_electrons=1e9",
        "base.camera.gain_electrons_per_adu=100.0",
        "base.thick.thickness_um=11.0",
        "base.accuracy.effects.defects=false",
    )
    sample = make_sample(study, 1, InstrumentShelf())
    # Plates of nearly one thickness: what is left is registration, drift within a stack and noise,
    # some per cent of the contrast.
    assert sample.scores["target_input_rmse"] < 0.1
    assert sample.scores["specimen_input_rmse"] < 0.3
    truth, electrons = sample.arrays["thick_target_xray"], sample.arrays["thick_target_electrons"]
    assert np.corrcoef(truth.ravel(), electrons.ravel())[0, 1] > 0.99
