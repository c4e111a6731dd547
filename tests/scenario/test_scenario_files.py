"""Reading scenario files: merging, overriding, resolving, refusing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from scintscope.errors import ScenarioError
from scintscope.scenario import load_scenario
from scintscope.scenario.files import merge, parse_sets, read_tree

SHIPPED = Path(__file__).parents[2] / "scenarios"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_tables_merge_key_by_key_and_arrays_replace() -> None:
    """A child's key replaces only that key; an array replaces the whole array."""
    base = {"lens": {"na": 0.4, "plates": [1, 2]}, "x": 1}
    merged = merge(base, {"lens": {"plates": [3]}})
    assert merged == {"lens": {"na": 0.4, "plates": [3]}, "x": 1}
    assert base == {"lens": {"na": 0.4, "plates": [1, 2]}, "x": 1}


def test_table_of_another_kind_replaces_the_parents() -> None:
    """No key of the old kind survives when the kind changes; the same kind merges."""
    base = {"source": {"kind": "tube", "voltage_kv": 50.0}}
    mono = {"source": {"kind": "monochromatic", "energy_kev": 20.0}}
    assert merge(base, mono) == mono
    same = merge(base, {"source": {"kind": "tube", "power_w": 4.0}})
    assert same["source"] == {"kind": "tube", "voltage_kv": 50.0, "power_w": 4.0}


def test_extends_chain_takes_the_nearest_value(tmp_path: Path) -> None:
    """Of grandparent, parent and child, the nearest file that has a key decides."""
    write(tmp_path, "a.toml", "[lens]\nna = 0.1\nmagnification = 2.0\ntransmission = 0.5\n")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "b.toml", 'extends = "../a.toml"\n[lens]\nna = 0.2\ntransmission=0.6\n')
    child = write(tmp_path, "c.toml", 'extends = "sub/b.toml"\n[lens]\nna = 0.3\n')
    assert read_tree(child)["lens"] == {"na": 0.3, "magnification": 2.0, "transmission": 0.6}


def test_name_is_not_inherited(tmp_path: Path) -> None:
    """A variant is named after its own file, so that it gets its own output folder."""
    text = (SHIPPED / "paper.toml").read_text(encoding="utf-8")
    write(tmp_path, "base.toml", 'name = "original"\n' + text)
    variant = write(tmp_path, "variant.toml", 'extends = "base.toml"\n')
    assert load_scenario(tmp_path / "base.toml").name == "original"
    assert load_scenario(variant).name == "variant"


def test_extends_in_a_circle_is_refused(tmp_path: Path) -> None:
    """A file that extends itself through others is an error that shows the circle."""
    write(tmp_path, "a.toml", 'extends = "b.toml"\n')
    write(tmp_path, "b.toml", 'extends = "a.toml"\n')
    with pytest.raises(ScenarioError, match=r"circle: a\.toml -> b\.toml -> a\.toml"):
        read_tree(tmp_path / "a.toml")


def test_missing_base_is_refused(tmp_path: Path) -> None:
    """A base that is not there is named with the place it was looked for."""
    child = write(tmp_path, "a.toml", 'extends = "nowhere.toml"\n')
    with pytest.raises(ScenarioError, match=r"extends = 'nowhere.toml': no such file"):
        read_tree(child)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[lens]\nna = 0.4\nna = 0.5\n", r"line 3.*stands there twice"),
        ("[lens]\nna = 0.4\n[lens]\n", "stands there twice"),
        ("[lens]\nna = 0,4\n", "not valid TOML"),
        ("[lens]\nmaterial = YAG\n", "quotes"),
    ],
)
def test_broken_toml_says_where_and_what_to_do(tmp_path: Path, text: str, match: str) -> None:
    """Duplicate keys, decimal commas and missing quotes are errors with the line."""
    with pytest.raises(ScenarioError, match=match):
        read_tree(write(tmp_path, "broken.toml", text))


def test_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    """A misspelt file name is answered with the files that are there."""
    write(tmp_path, "paper.toml", "")
    with pytest.raises(ScenarioError, match=r"no such file.*paper\.toml"):
        read_tree(tmp_path / "papper.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thick.thickness_um=150", {"thick": {"thickness_um": 150}}),
        ("thick.material=YAG:Ce", {"thick": {"material": "YAG:Ce"}}),
        ("camera.shape=[256, 128]", {"camera": {"shape": [256, 128]}}),
        ("accuracy.effects.noise=false", {"accuracy": {"effects": {"noise": False}}}),
        ('target.material="Au"', {"target": {"material": "Au"}}),
        ("lens.pupil_distance_mm=inf", {"lens": {"pupil_distance_mm": float("inf")}}),
        ("description=a = b", {"description": "a = b"}),
        ('materials."My:X".formula=CsI', {"materials": {"My:X": {"formula": "CsI"}}}),
    ],
)
def test_set_values_are_toml_or_else_text(text: str, expected: dict[str, object]) -> None:
    """A value is read as TOML; what is not TOML is a text."""
    assert parse_sets([text]) == expected


@pytest.mark.parametrize("text", ["lens.na", "=3", "lens..na=3", "lens na=3"])
def test_malformed_set_is_refused(text: str) -> None:
    """A --set without '=' or with a key that is none is an error that quotes it."""
    with pytest.raises(ScenarioError, match="--set"):
        parse_sets([text])


def test_set_is_applied_last_and_checked() -> None:
    """--set wins over the file, a later one over an earlier one, and is checked like the file."""
    sets = ["thick.thickness_um=150", "lens.na=0.3", "thick.thickness_um=160"]
    scenario = load_scenario(SHIPPED / "quick.toml", sets)
    assert scenario.thick.thickness_um == 160.0
    assert scenario.lens.na == 0.3
    with pytest.raises(ScenarioError, match=r"lens\.na = 1\.5 is outside"):
        load_scenario(SHIPPED / "quick.toml", ["lens.na=1.5"])


def test_set_of_another_kind_replaces_the_table() -> None:
    """Changing a kind by --set drops the old kind's keys, whatever the order of the sets."""
    sets = ["target.angle_deg=3.5", "target.kind=slanted_edge"]
    target = load_scenario(SHIPPED / "quick.toml", sets).target
    assert (target.kind, getattr(target, "angle_deg")) == ("slanted_edge", 3.5)  # noqa: B009


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    """A base's image is found beside the base, however far the child is from it."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "bug.png").write_bytes(b"any")
    quick = SHIPPED / "quick.toml"
    text = f'extends = "{quick}"\n[specimen]\nkind = "image"\npath = "bug.png"\n'
    write(tmp_path / "base", "base.toml", text)
    child = write(tmp_path, "child.toml", 'extends = "base/base.toml"\n')
    specimen = load_scenario(child).specimen
    assert getattr(specimen, "path") == tmp_path / "base" / "bug.png"  # noqa: B009


def test_missing_image_is_refused(tmp_path: Path) -> None:
    """An image file that is not there is an error under its key."""
    quick = SHIPPED / "quick.toml"
    text = f'extends = "{quick}"\n[specimen]\nkind = "image"\npath = "bug.png"\n'
    with pytest.raises(ScenarioError, match=r"specimen\.path = .*bug\.png': no such file"):
        load_scenario(write(tmp_path, "a.toml", text))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda p: p.stem)
def test_every_number_of_a_shipped_scenario_has_its_source(path: Path) -> None:
    """Each line that gives a number carries a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for line in lines
        if "=" in line and not line.startswith("#") and "#" not in line and not_plain(line)
    ]
    assert bare == []


def not_plain(line: str) -> bool:
    """Say whether a line of TOML holds a number."""
    try:
        values = tomllib.loads(line).values()
    except tomllib.TOMLDecodeError:
        return False
    return not all(isinstance(value, str) for value in values)
