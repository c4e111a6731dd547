"""Scenarios: what is refused and how, round trip, hash, notes."""

from __future__ import annotations

import math
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scintscope.camera.presets import camera_preset
from scintscope.errors import ScenarioError
from scintscope.instrument import Instrument
from scintscope.materials import scintillator
from scintscope.scenario import load_restore_settings, load_scenario, scenario_from_tables
from scintscope.scenario.files import merge, read_tree

SHIPPED = Path(__file__).parents[2] / "scenarios"
QUICK = SHIPPED / "quick.toml"
ALL = sorted(SHIPPED.glob("*.toml"))

KEYS = [
    (section, key)
    for section, table in read_tree(SHIPPED / "paper.toml").items()
    if isinstance(table, dict)
    for key in table
    if key != "kind"
]


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_shipped_scenario_loads_and_survives_a_round_trip(path: Path) -> None:
    """A shipped file gives an instrument; its resolved TOML gives the same scenario again."""
    scenario = load_scenario(path)
    assert scenario.name == path.stem
    assert isinstance(scenario.instrument(), Instrument)
    again = scenario_from_tables(tomllib.loads(scenario.to_toml()), name="other")
    assert again == scenario
    assert again.hash() == scenario.hash()


def test_resolved_scenario_states_every_default() -> None:
    """The resolved TOML holds keys that the file left to their defaults and to the preset."""
    tables = tomllib.loads(load_scenario(QUICK).to_toml())
    assert tables["accuracy"]["effects"]["penumbra"] is True
    preset = camera_preset("scmos-6.5um")
    assert tables["camera"]["read_noise_electrons"] == preset["read_noise_electrons"]
    assert tables["camera"]["shape"] == [320, 320]  # the file's, not the preset's


def test_paper_scenario_has_the_papers_numbers() -> None:
    """The numbers that Zhou et al. 2025 print are those of paper.toml."""
    s = load_scenario(SHIPPED / "paper.toml")
    assert (s.lens.magnification, s.lens.na, s.camera.pixel_um_sensor) == (5.0, 0.4, 6.5)
    assert (s.thin.thickness_um, s.thick.thickness_um) == (20.0, 200.0)
    assert (s.thin.exposure_s, s.thick.exposure_s, s.acquisition.frames) == (10.0, 1.0, 10)
    assert (s.restoration.psf_iterations, s.restoration.psf_size_px) == (8, 60)
    # 6.5 um / 5 in exact decimal; float rounding only.
    assert math.isclose(s.instrument().pixel_um_object, 1.3, rel_tol=1e-15)


def test_synchrotron_is_parallel_and_telecentric() -> None:
    """The parallel beam keeps no key of the tube it replaces."""
    s = load_scenario(SHIPPED / "synchrotron.toml")
    assert s.geometry.is_parallel
    assert math.isinf(s.lens.pupil_distance_mm)
    assert set(s.document["source"]) == {f.name for f in fields(s.source)} | {"kind"}


def test_hash_knows_what_matters() -> None:
    """Name and notation do not change the hash; a number, a seed and an image's content do."""
    plain = load_scenario(QUICK).hash()
    assert load_scenario(QUICK, ["name=other", "thick.thickness_um=200"]).hash() == plain
    assert load_scenario(QUICK, ["acquisition.seed=99"]).hash() != plain
    assert load_scenario(QUICK, ["lens.na=0.41"]).hash() != plain


def test_hash_follows_the_content_of_an_image(tmp_path: Path) -> None:
    """Two copies of one image give one hash; another image under the same name another."""
    hashes = []
    for name, content in (("a.png", b"1"), ("b.png", b"1"), ("a.png", b"2")):
        (tmp_path / name).write_bytes(content)
        sets = ["specimen.kind=image", f"specimen.path={tmp_path / name}"]
        hashes.append(load_scenario(QUICK, sets).hash())
    assert hashes[0] == hashes[1] != hashes[2]


def test_all_problems_are_reported_at_once() -> None:
    """Every kind of mistake in one file comes in one error, a line each."""
    sets = [
        "lens.na=1.2",
        "lens.transmision=0.5",
        "thin.focus_um=bst",
        "thin.thickness_um=-3",
        "thin.back_face=blak",
        "thin.defects.contrast=2",
        "thick.exposure_s=one",
        "thick.material=YAGCe",
        "target.kind=resolution_targt",
        "source.voltage_kv=500",
        'source.filters=[{material="Bee", thickness_um=-1}]',
        "camera.preset=scmos",
        "acquisition.frames=2.5",
        "accuracy.effects.noise=yes",
        "restoration.psf_taper=hamn",
    ]
    with pytest.raises(ScenarioError) as caught:
        load_scenario(QUICK, sets)
    lines = str(caught.value).splitlines()[1:]
    expected = [text.partition("=")[0] for text in sets if "filters" not in text]
    expected += ["source.filters[0].material", "source.filters[0].thickness_um"]
    assert sorted(line.split()[0] for line in lines) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("lens.na=1.0", r"lens\.na = 1\.0 .* \[0\.01, 1\)\. An air objective has NA < 1"),
        ("lens.na=nan", r"lens\.na = nan is outside the allowed range"),
        ("lens.working_distance_mm=1", r"lens\.plates are 2 mm thick .* working distance"),
        ("geometry.source_to_sample_mm=150", r"behind the scintillator at 100 mm"),
        ("thin.thicknes_um=3", r"thin\.thicknes_um .*\[thin\]\. Did you mean 'thickness_um'"),
        ("thickness_um=3", r"Did you mean thin\.thickness_um or thick\.thickness_um"),
        ("lense.na=0.4", r"lense is not a known key\. Did you mean 'lens'"),
        ("extend=paper.toml", r"extend is not a known key\. Did you mean 'extends'"),
        ("source.filters=[5]", r"source\.filters\[0\] = 5 is not a table\. Write \{key"),
        ("lens=5", r"lens = 5 is not a table\. Write \[lens\]"),
        ("source.kind=tubes", r"source\.kind = 'tubes' is not one of .*Did you mean 'tube'"),
        ("source.kind=spectrum_file", r"source\.path is missing"),
        ("thin.exposure_s=true", r"thin\.exposure_s = true cannot be used\. Give a number"),
        ("camera.shape=[512]", r"camera\.shape = \[512\] cannot be used\. Give a list of 2"),
        ("camera.shape=[512, 8]", r"camera\.shape = \[512, 8\]: give \[rows, columns\]"),
        ("camera.bits=12.0", r"camera\.bits = 12\.0 .*a whole number, allowed range \[8, 16\]"),
        ("thick.emission_nm=55", r"thick\.emission_nm = 55\.0 .*\[200, 1200\] nm"),
        ("thick.refractive_index=0.5", r"thick\.refractive_index = 0\.5 .*\[1, 4\]"),
        ("target.material=Auu", r"target\.material = 'Auu' is not known\. Did you mean 'Au'"),
        ("thick.material=P43", "turbid"),
        ("name=a/b", r"name = 'a/b' cannot name a folder"),
        ("accuracy.effects.fluorescence=none", r"accuracy\.effects\.fluorescence .*local"),
        ("accuracy.depth_nodes=autp", r'accuracy\.depth_nodes .*a whole number or "auto"'),
        ('materials.x.formula="Xx2"', r"materials\.x\.density_g_cm3 is missing"),
    ],
)
def test_refusal_names_key_value_range_and_remedy(text: str, match: str) -> None:
    """Each kind of mistake is refused under its TOML key, with what to do."""
    with pytest.raises(ScenarioError, match=match):
        load_scenario(QUICK, [text])


@pytest.mark.parametrize("section", ["source", "geometry", "lens", "camera", "thin", "target"])
def test_missing_table_is_refused(section: str) -> None:
    """A table that no default can replace must be there."""
    tables = {k: v for k, v in read_tree(QUICK).items() if k != section}
    with pytest.raises(ScenarioError, match=rf"\[{section}\] is missing. Add the table"):
        scenario_from_tables(tables)


def test_plate_thicker_than_the_working_distance_is_refused() -> None:
    """The check that needs two parts names the plate and the lens."""
    sets = ["lens.plates=[]", "lens.working_distance_mm=0.1"]
    with pytest.raises(ScenarioError, match=r"thick\.thickness_um = 200.*working_distance_mm"):
        load_scenario(QUICK, sets)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_typo_always_yields_an_error_naming_the_key(data: st.DataObject) -> None:
    """Whatever letter of whatever key is changed, the error quotes the key as it stands."""
    section, key = data.draw(st.sampled_from(KEYS))
    place = data.draw(st.integers(0, len(key)))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_0123456789"))
    typo = key[:place] + letter + key[place + 1 :]
    tables = read_tree(SHIPPED / "paper.toml")
    value = tables[section].pop(key)
    assume(typo != key and typo not in tables[section])
    tables = merge(tables, {section: {typo: value}})
    try:
        scenario_from_tables(tables)
    except ScenarioError as error:
        assert f"{section}.{typo} is not a known key" in str(error)
    else:
        pytest.fail(f"{section}.{typo} was accepted")


@given(na=st.floats(allow_nan=True, allow_infinity=True))
@settings(max_examples=40, deadline=None)
def test_numerical_aperture_is_taken_exactly_inside_its_range(na: float) -> None:
    """An NA in [0.01, 1) arrives bit by bit; any other float is refused."""
    tables = merge(read_tree(QUICK), {"lens": {"na": na}})
    if 0.01 <= na < 1.0:
        assert scenario_from_tables(tables).lens.na == na
    else:
        with pytest.raises(ScenarioError, match=r"lens\.na = "):
            scenario_from_tables(tables)


def test_plate_overrides_replace_the_materials_numbers() -> None:
    """Index, emission and yield given for a plate replace its material's, and only there."""
    sets = ["thick.refractive_index=1.9", "thick.emission_nm=530", "thick.photons_per_kev=20"]
    scenario = load_scenario(QUICK, sets)
    thick = scenario.thick.scintillator
    assert (thick.refractive_index, thick.photons_per_kev) == (1.9, 20.0)
    assert math.isclose(thick.emission_um, 0.53, rel_tol=1e-15)  # float rounding
    assert scenario.thin.scintillator == scintillator("YAG:Ce")


def test_own_materials_serve_as_absorber_and_scintillator() -> None:
    """A material of the user's own is found by filters and by plates."""
    own = {"formula": "LaBr3", "density_g_cm3": 5.06}
    light = {"refractive_index": 1.9, "emission_nm": 380.0, "photons_per_kev": 63.0}
    over = {
        "materials": {"LaBr": own | light, "dull": own},
        "thick": {"material": "LaBr"},
        "source": {"filters": [{"material": "dull", "thickness_um": 5.0}]},
    }
    scenario = scenario_from_tables(merge(read_tree(QUICK), over))
    assert scenario.thick.scintillator.formula == "LaBr3"
    assert scenario.absorbers["dull"].density_g_cm3 == 5.06
    over["thick"] = {"material": "dull"}
    with pytest.raises(ScenarioError, match=r"thick\.material = 'dull' cannot be used as a scint"):
        scenario_from_tables(merge(read_tree(QUICK), over))
    del over["materials"]["LaBr"]["emission_nm"]
    with pytest.raises(ScenarioError, match=r"materials\.LaBr\.emission_nm is missing"):
        scenario_from_tables(merge(read_tree(QUICK), over))


def test_absorbers_hold_every_named_material() -> None:
    """Whatever filters, air path, target and specimen name can be looked up by name."""
    assert set(load_scenario(QUICK).absorbers) == {"Be", "air", "Au", "soft tissue", "bone"}


def test_instrument_knows_the_edges_of_what_is_before_the_plates() -> None:
    """Edges of filters, air, target and specimen reach the instrument; unused materials do not."""
    tables = read_tree(QUICK)
    tables["source"] = {**tables["source"], "filters": [{"material": "Cu", "thickness_um": 20.0}]}
    tables["materials"] = {
        "paint": {"formula": "BaSO4", "density_g_cm3": 4.5},
        "unused": {"formula": "U", "density_g_cm3": 19.0},
    }
    tables["target"] = {"kind": "slanted_edge", "material": "paint"}
    edges = scenario_from_tables(tables, name="edges").instrument().edges_kev
    assert list(edges) == sorted(edges)
    # Ca of bone, Ar of air, Cu, Ba L3 and K (Bearden and Burr 1967); U L3 is at 17.166
    for kev in (4.038, 3.203, 8.979, 5.247, 37.441):
        assert min(abs(e - kev) for e in edges) < 5e-3
    assert min(abs(e - 17.166) for e in edges) > 0.1


def test_notes_speak_of_legal_surprises() -> None:
    """A thick plate thinner than the thin one is noted; the shipped scenario needs no note."""
    assert load_scenario(SHIPPED / "paper.toml").notes() == []
    notes = load_scenario(QUICK, ["thick.thickness_um=10"]).notes()
    assert [note.split()[0] for note in notes] == ["thick.thickness_um"]


def test_restore_settings_come_from_file_and_command_line(tmp_path: Path) -> None:
    """[restoration] and [images] of a small file are read, --set wins, a scenario serves too."""
    path = tmp_path / "restore.toml"
    path.write_text(
        "[restoration]\npsf_iterations = 5\n[images]\nmagnification = 5.0\n", encoding="utf-8"
    )
    settings = load_restore_settings(path, ["images.pixel_um_sensor=6.5"])
    assert settings.restoration.psf_iterations == 5
    # 6.5 / 5 in float arithmetic; rounding only.
    assert settings.images.pixel_um_object == pytest.approx(1.3, rel=1e-15)
    assert load_restore_settings(QUICK).restoration.psf_iterations == 8
    assert load_restore_settings(None).images.pixel_um_object is None


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("restoration.psf_size=3", "Did you mean 'psf_size_px'"),
        ("restoration.psf_iterations=0", r"restoration\.psf_iterations = 0 is outside"),
        ("images.magnification=5", "belong together"),
        ("images.pixel_um_sensor=-1", r"images\.pixel_um_sensor = -1\.0 is outside"),
        ("restore.x=5", "restore is not a known key. Did you mean 'restoration'"),
    ],
)
def test_restore_settings_are_strict(text: str, match: str) -> None:
    """The settings of `restore` are refused like a scenario's."""
    with pytest.raises(ScenarioError, match=match):
        load_restore_settings(None, [text])
