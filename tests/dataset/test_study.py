"""Studies: what is wrong is said before any work, with key, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_studies import TINY, tiny_file, tiny_study
from scintscope.dataset import load_study
from scintscope.errors import ScenarioError

SHIPPED = Path(__file__).parents[2] / "scenarios" / "datasets"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_studies_are_sound(path: Path) -> None:
    """Every study that comes with the package loads, and its ends can be simulated."""
    study = load_study(path)
    assert study.name == path.stem and study.families


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("samples = 8", "sampels = 8", r"sampels is not a key of a study.* 'samples'"),
        ("samples = 8", "samples = 0", r"samples = 0: give a whole number from 1"),
        ("samples_per_plate = 2", "samples_per_plate = 3", r"not a multiple"),
        ("test = 0.25", "test = 0.5", r"sum to 1.25: they must sum to 1"),
        ('"thick.exposure_s"', '"thick.exposures_s"', r"thick.exposures_s is not a known key"),
        ('"thick.exposure_s"', '"camera.shape"', r"this key cannot vary"),
        ("[10.0, 40.0]", "[-1.0, 40.0]", r"0 < low <= high"),
        ("uniform = [0.3, 0.7]", "uniform = [0.3, 1.7]", r"may draw 1.7.*allowed range"),
        ('kind = "spheres"', 'kind = "sphere"', r"Did you mean 'spheres'"),
        ("weight = 0.5", "weight = -1", r"give a number above 0"),
        ("dose = 0.9", "dosis = 0.9", r"no key of \[vary\] belongs to this group"),
        ("spread = 0.1", "seed = 3", r"one individual for all splits"),
        ("na = 0.15", "na = 7.0", r"lens.na = 7.0 is outside"),
        ("seed = 7", 'contents = ["frame"]', r"Did you mean 'frames'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, match: str) -> None:
    """Each mistake is refused with a sentence that says where and what to do."""
    with pytest.raises(ScenarioError, match=match):
        load_study(tiny_file(tmp_path, old, new))


def test_specimens_that_would_repeat_are_refused(tmp_path: Path) -> None:
    """A family without seed and without anything drawn would be in all splits alike."""
    with pytest.raises(ScenarioError, match="every specimen of kind 'siemens_star' would be"):
        tiny_study(tmp_path, 'specimens=[{kind="siemens_star"}]')
    with pytest.raises(ScenarioError, match=r"2 different files; \d are needed"):
        tiny_study(tmp_path, 'specimens=[{kind="image", paths=["a.png", "b.png"]}]')


def test_keys_of_one_group_are_drawn_for_one_thing(tmp_path: Path) -> None:
    """A key drawn per plate cannot be correlated with one drawn per sample."""
    old = '"thin.exposure_s" = { log_uniform = [20.0, 80.0], group = "dose" }'
    new = '"thin.exposure_s" = { log_uniform = [20.0, 80.0], group = "dose", per = "plate" }'
    with pytest.raises(ScenarioError, match="must all be drawn per sample"):
        load_study(tiny_file(tmp_path, old, new))


def test_hash_is_of_what_decides_the_samples(tmp_path: Path) -> None:
    """Names, licence and the number of samples do not count; seed, keys and layout do."""
    study = tiny_study(tmp_path)
    same = tiny_study(tmp_path, "name=other", "licence=MIT", "base.description=x", samples=99)
    assert same.hash() == study.hash()
    for change in ("seed=8", "base.lens.na=0.16", "shard_samples=2", 'contents=["frames"]'):
        assert tiny_study(tmp_path, change).hash() != study.hash(), change


def test_base_may_be_a_file_of_its_own(tmp_path: Path) -> None:
    """``base.extends`` is relative to the study, and the study's own keys win."""
    lines = TINY.split("[vary]")[0].split("[base.source]")
    inner = "[base.source]" + lines[1]
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "set_up.toml").write_text(inner.replace("[base.", "["))
    head = lines[0] + '[base]\nextends = "scenarios/set_up.toml"\n[base.lens]\nna = 0.12\n'
    (tmp_path / "study.toml").write_text(head + "[vary]" + TINY.split("[vary]")[1])
    study = load_study(tmp_path / "study.toml")
    assert (study.base.lens.na, study.base.lens.magnification) == (0.12, 5.0)
    with pytest.raises(ScenarioError, match=r"base.extends = 'gone.toml': no such file"):
        load_study(tmp_path / "study.toml", ["base.extends=gone.toml"])
