"""The validity map: axes, refusals, the rule fitted to it, and the words."""

from dataclasses import replace

import numpy as np
import pytest

from benches import MONO
from forward_scenes import LENS, accuracy, small
from scintscope.camera.parts import Acquisition
from scintscope.errors import InputError
from scintscope.forward.simulate import Experiment
from scintscope.geometry import Geometry
from scintscope.materials import ABSORBERS
from scintscope.sample.specimen import Fish, PointGrid
from scintscope.verdict import validity
from scintscope.verdict.criterion import angle_ratio, fitted, proportional_fit
from scintscope.verdict.places import Places
from scintscope.verdict.validity import MapPoint, ValidityMap, criterion_of, validity_maps
from scintscope.verdict.words import boundary_sentence, map_sentences

POINTS = PointGrid(pitch_um=12.0, diameter_um=5.0, thickness_um=2.0)
FAR = Geometry(source_to_scintillator_mm=100.0, source_to_sample_mm=99.5)


def experiment(sample=POINTS, **changes):
    """Return an experiment on a cheap instrument: one energy, local deposition."""
    parts = {"geometry": FAR, "accuracy": accuracy(fluorescence="local")}
    instrument = small(**(parts | changes))
    return Experiment(
        instrument=instrument,
        acquisition=Acquisition(),
        samples={"target": sample},
        absorbers=ABSORBERS,
    )


@pytest.fixture(scope="module")
def maps():
    """Return a map over distance and field, perspective included."""
    lens = replace(LENS, pupil_distance_mm=100.0)
    wanted = "source_distance=20:100:1000,field=0.5:2"
    return validity_maps(experiment(lens=lens), "target", wanted)


def test_error_follows_distance_and_field(maps):
    """Errors fall with distance and rise with the field; the perspective is left at 1 km."""
    (grid,) = maps
    error = grid.values("error")
    assert error.shape == (3, 2)
    assert (np.diff(error, axis=0) < 0.0).all() and (np.diff(error, axis=1) > 0.0).all()
    np.testing.assert_allclose(grid.values("hardening"), 0.0, atol=1e-9)  # one energy
    assert (grid.values("perspective") > 0.0).all()
    assert (grid.values("noise") > 0.0).all() and (grid.values("edge") >= error).all()


def test_rule_of_thumb_beats_the_angles(maps):
    """The fitted rule scatters less than the paper's, which leaves out the perspective."""
    rule = criterion_of(maps)
    assert rule.geometry.factor > 0.0
    assert 1.0 <= rule.geometry.scatter < rule.angles.scatter
    text = " ".join(map_sentences(maps))
    assert "By hand" in text and "paper's criterion" in text and "perspective" in text


def test_a_second_map_costs_nothing(maps, monkeypatch, tmp_path):
    """Points are kept: a map made again computes none."""
    monkeypatch.setenv("SCINTSCOPE_CACHE", str(tmp_path))
    first = validity_maps(experiment(), "target", "field=0.5")

    def never(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(validity.MapMaker, "_evaluated", never)
    again = validity_maps(experiment(), "target", "field=0.5")
    assert again[0].points == first[0].points


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ("depth", "is not one of"),
        ("thickness=abc", "numbers > 0"),
        ("field=-1", "numbers > 0"),
        ("na=3", "lens.na"),
        ("source_distance,field,thickness,contrast", "is the most"),
    ],
)
def test_bad_axes_are_refused(axes, message):
    """What cannot be had is refused before anything is computed, with the way out."""
    with pytest.raises(InputError, match=message):
        validity_maps(experiment(), "target", axes)


def test_a_fish_has_no_contrast_axis():
    """A specimen without one absorber's thickness refuses the axis and names those it has."""
    with pytest.raises(InputError, match="It has: source_distance"):
        validity_maps(experiment(Fish()), "target", "contrast")


def test_own_place_changes_nothing():
    """At the scenario's own place the instrument's physics is the scenario's."""
    places = Places(experiment().instrument, POINTS)
    found, base = places.instrument(places.own()), experiment().instrument
    assert found.geometry == base.geometry and found.source == base.source == MONO
    assert found.thick == base.thick and found.lens.na == base.lens.na
    nearer = places.instrument(places.own() | {"source_distance": 50.0}).geometry
    assert nearer.source_to_scintillator_mm == 50.0
    assert nearer.sample_distance_mm == pytest.approx(FAR.sample_distance_mm)


def test_fit_of_a_known_law():
    """A factor and its scatter are found again; two points are too few."""
    x = np.geomspace(0.01, 1.0, 20)
    noise = np.exp(0.1 * np.random.default_rng(0).standard_normal(20))
    fit = proportional_fit(x, 0.3 * x * noise)
    assert fit.factor == pytest.approx(0.3, rel=0.08)  # 3 sigma of 0.1 / sqrt(20)
    assert fit.scatter == pytest.approx(np.exp(0.1), rel=0.06)
    assert fit.limit(0.01) == pytest.approx(0.01 / fit.factor)
    assert proportional_fit(x[:2], x[:2]).factor is None


def point(error, noise):
    """Return a map point of a given error and noise."""
    values = dict.fromkeys(MapPoint.__dataclass_fields__, 1.0)
    return MapPoint(**(values | {"error": error, "noise": noise}))


def test_both_outcomes_are_told():
    """Points within the tolerance and points hidden by noise are counted, none or all."""
    good = ValidityMap(axes={"na": (0.2, 0.4)}, points=(point(0.001, 0.1), point(0.002, 0.1)))
    bad = ValidityMap(axes={"na": (0.2, 0.4)}, points=(point(0.3, 0.1), point(0.2, 0.1)))
    assert "within 1% at 2 of 2" in boundary_sentence(good, 0.01)
    assert "noise of a pixel at 2" in boundary_sentence(good, 0.01)
    assert "within 1% at 0 of 2" in boundary_sentence(bad, 0.01)
    assert "noise of a pixel at 0" in boundary_sentence(bad, 0.01)


def test_papers_angles():
    """A 2.66 mm field at 10 cm and NA 0.4: 1.52 against 47.2 degrees."""
    assert angle_ratio(2.66, 100.0, 0.4) == pytest.approx(1.524 / 47.156, rel=1e-3)
    columns = {
        name: np.full(4, 2.0)
        for name in ("spread_um", "blur_um", "geometry", "angles", "depth_shift", "hardening")
    }
    assert fitted(columns).predicted(0.0, 3.0) == pytest.approx(3.0)
