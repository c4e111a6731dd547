"""The commands' work end to end on a tiny camera: frames, truth, and nothing half-written."""

import json

import numpy as np
import pytest

from scintscope import pipeline
from scintscope.errors import InputError
from scintscope.forward import simulate
from scintscope.forward.simulate import expose_all, set_up
from scintscope.progress import silent
from scintscope.scenario import load_scenario
from scintscope.tiff import read_stack

TINY = [
    "camera.shape=[40,48]",
    "acquisition.frames=2",
    "acquisition.dark_frames=1",
    "acquisition.flat_frames=1",
    "target.line_widths_um=[2.0]",
    "specimen.length_um=45.0",
    "accuracy.energy_bin_kev=5.0",
    "thin.focus_um=10.0",
    "thick.focus_um=60.0",
    "thick.thickness_um=80.0",
    "accuracy.depth_nodes=12",
]


def scenario(root, *more):
    return load_scenario(root / "scenarios" / "quick.toml", [*TINY, *more])


@pytest.fixture(scope="module")
def root(request):
    return request.config.rootpath


@pytest.fixture(scope="module")
def bench(root):
    return set_up(pipeline.experiment(scenario(root)))


@pytest.fixture(scope="module")
def exposures(bench):
    return expose_all(bench, silent)


def test_every_stack_is_there(exposures):
    """Each plate with target, specimen and background; darks per exposure; a flat."""
    names = {f"{p}_{w}" for p in ("thin", "thick") for w in ("target", "specimen", "background")}
    assert set(exposures.stacks) == names
    assert all(stack.shape == (2, 40, 48) for stack in exposures.stacks.values())
    assert all(stack.dtype == np.uint16 for stack in exposures.stacks.values())
    assert sorted(exposures.darks) == [1.0, 10.0]
    assert exposures.flat.shape == (1, 40, 48)


def test_same_seed_same_bits(root, exposures):
    """A second experiment of the same seed gives the same bits; another seed other noise."""
    again = expose_all(set_up(pipeline.experiment(scenario(root))), silent)
    other = expose_all(set_up(pipeline.experiment(scenario(root, "acquisition.seed=77"))), silent)
    for name, stack in exposures.stacks.items():
        np.testing.assert_array_equal(stack, again.stacks[name])
        assert (stack != other.stacks[name]).mean() > 0.5


def test_plates_side_by_side_or_one_by_one_have_the_same_bits(bench, exposures, monkeypatch):
    """On large grids plates are taken one after the other: that changes no bit and no order."""
    monkeypatch.setattr(simulate, "SIDE_BY_SIDE_PIXELS", 0)
    one_by_one = expose_all(bench, silent)
    assert list(one_by_one.stacks) == list(exposures.stacks)
    assert list(one_by_one.truth) == list(exposures.truth)
    for name, stack in exposures.stacks.items():
        np.testing.assert_array_equal(stack, one_by_one.stacks[name])


def test_a_specimen_changes_no_other_stack(bench, exposures):
    """Without the specimen target, backgrounds, darks and flat keep their bits."""
    from dataclasses import replace

    samples = {"target": bench.experiment.samples["target"]}
    alone = replace(bench, experiment=replace(bench.experiment, samples=samples))
    fewer = expose_all(alone, silent)
    assert len(fewer.stacks) == 4
    for name, stack in fewer.stacks.items():
        np.testing.assert_array_equal(stack, exposures.stacks[name])
    np.testing.assert_array_equal(fewer.flat, exposures.flat)


def test_plates_have_defects_of_their_own(root):
    """Plates differ in their objects; effects.defects = false removes them all."""
    dense = [f"{p}.defects.dust_per_mm2=5000.0" for p in ("thin", "thick")]
    full = set_up(pipeline.experiment(scenario(root, *dense)))
    places = [{(o.row_um, o.column_um) for o in full.defects[p].catalogue} for p in full.defects]
    assert all(places)
    assert not places[0] & places[1]
    clean = set_up(pipeline.experiment(scenario(root, *dense, "accuracy.effects.defects=false")))
    assert all(not d.catalogue and not d.transmission for d in clean.defects.values())


def test_simulate_writes_readable_stacks_and_truth(root, tmp_path):
    """`simulate` leaves frames that read back with their pitch, truth and records."""
    out = tmp_path / "run"
    outcome = pipeline.simulate(scenario(root), out, silent)
    json.dumps(outcome.document)
    for name in outcome.document["stacks"]:
        stack = read_stack(out / f"{name}.tif")
        frames = getattr(stack, "frames", stack)
        assert np.asarray(frames).shape[1:] == (40, 48)
    truth = json.loads((out / "truth" / "truth.json").read_text())
    assert len(truth["drift"]["thick_target"]["plate_um"]) == 2
    assert (out / "truth" / "psf_true.tif").is_file()
    assert json.loads((out / "provenance.json").read_text())["interim"] == []
    assert (out / "scenario.toml").is_file()


@pytest.mark.parametrize("command", ["run", "simulate"])
@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_killed_command_leaves_nothing(root, tmp_path, monkeypatch, command, failure):
    """An exception or an interrupt while frames are taken leaves no folder, whole or partial."""

    def stop(*_, **__):
        raise failure("stopped")

    monkeypatch.setattr(pipeline, "expose_all", stop)
    with pytest.raises(failure, match="stopped"):
        getattr(pipeline, command)(scenario(root), tmp_path / "out", silent)
    assert list(tmp_path.iterdir()) == []


def test_verify_writes_budget_and_map(root, tmp_path):
    """`verify --map`: images of the parts add up; table, page and JSON hold the map."""
    cheap = 'accuracy.effects={fluorescence="local",electrons=false,scattered_photons=false}'
    out = tmp_path / "verified"
    outcome = pipeline.verify(scenario(root, cheap), out, silent, "source_distance=20:200")
    numbers = json.loads((out / "metrics.json").read_text())
    assert numbers == json.loads(json.dumps(outcome.document))
    single = numbers["single_psf"]
    assert single["budget"]["sample_hardening"] > 0.0
    assert single["budget"]["halo"] == single["budget"]["plate_tilt"] == 0.0
    images = {
        path.stem.removeprefix("budget_"): read_stack(path).frames[0]
        for path in (out / "images").glob("budget_*.tif")
    }
    total = images.pop("total")
    # stored as float32, errors of the order of 0.1
    np.testing.assert_allclose(sum(images.values()), total, atol=1e-6)
    assert np.sqrt(np.mean(total**2)) == pytest.approx(single["budget_total"], rel=1e-5)
    (grid,) = numbers["validity"]["maps"]
    near, far = (p["geometry"] for p in grid["points"])
    assert near > far > 0.0
    assert len((out / "validity.csv").read_text().splitlines()) == 3
    page = (out / "report.html").read_text()
    assert 'id="budget"' in page and 'id="validity"' in page


def test_verify_refuses_a_bad_map_first(root, tmp_path):
    """A map that cannot be had is refused before anything is computed or written."""
    with pytest.raises(InputError, match="thickness"):
        pipeline.verify(scenario(root), tmp_path / "out", silent, "thicknes")
    assert list(tmp_path.iterdir()) == []
