"""Draws: decided by study and index alone; nothing shared between splits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dataset_studies import tiny_study
from scintscope.dataset import draw, scenario_of
from scintscope.dataset.splits import checked_shares, least_count, split_of
from scintscope.dataset.study import study_from_document


def test_a_draw_depends_on_study_and_index_alone(tmp_path: Path) -> None:
    """In any order, with any number of samples, after a round trip through JSON: the same."""
    study = tiny_study(tmp_path)
    more = tiny_study(tmp_path, samples=1000)
    again = study_from_document(json.loads(json.dumps(study.document())))
    forwards = [draw(study, i) for i in range(8)]
    assert forwards == [draw(more, i) for i in reversed(range(8))][::-1]
    assert forwards == [draw(again, i) for i in range(8)]
    assert again.hash() == study.hash() == more.hash()
    assert draw(tiny_study(tmp_path, "seed=8"), 0).values != forwards[0].values


def test_another_key_leaves_the_others_alone(tmp_path: Path) -> None:
    """A key more in the study changes no value of the others."""
    more = tiny_study(tmp_path, 'vary."camera.dark_electrons_per_s"={uniform=[0.0,1.0]}')
    for index in range(4):
        one, two = draw(tiny_study(tmp_path), index).values, draw(more, index).values
        assert {k: two[k] for k in one} == one and len(two) == len(one) + 1


def test_no_plate_and_no_specimen_is_in_two_splits(tmp_path: Path) -> None:
    """Over a thousand samples, defect seeds and specimens of two splits never meet."""
    study = tiny_study(tmp_path)
    plates: dict[int, set[str]] = {}
    specimens: dict[str, set[str]] = {}
    for index in range(1000):
        drawn = draw(study, index)
        for plate in ("thin", "thick"):
            plates.setdefault(drawn.values[f"{plate}.defects.seed"], set()).add(drawn.split)
        table = {k: v for k, v in drawn.values.items() if k.startswith("specimen.")}
        specimens.setdefault(json.dumps(table, sort_keys=True), set()).add(drawn.split)
    assert all(len(splits) == 1 for splits in plates.values()) and len(plates) == 1000
    assert all(len(splits) == 1 for splits in specimens.values()) and len(specimens) == 1000


def test_images_belong_to_one_split_each(tmp_path: Path) -> None:
    """Files of an image family are dealt out to the splits; every split has some of its own."""
    for i in range(6):
        np.save(tmp_path / f"{i}.npy", np.eye(8))
    text = ", ".join(f'"{i}.npy"' for i in range(6))
    study = tiny_study(tmp_path, f'specimens=[{{kind="image", paths=[{text}]}}]')
    found: dict[str, set[str]] = {}
    for index in range(200):
        drawn = draw(study, index)
        found.setdefault(drawn.values["specimen.path"], set()).add(drawn.split)
    assert len(found) == 6 and all(len(splits) == 1 for splits in found.values())
    assert set.union(*found.values()) == {"train", "validation", "test"}


def test_shares_of_the_splits_are_kept() -> None:
    """After any number of plates each split has its share of them to within one."""
    shares = checked_shares([("train", 0.75), ("validation", 0.125), ("test", 0.125)])
    counts = dict.fromkeys((name for name, _ in shares), 0)
    for number in range(500):
        counts[split_of(shares, number)] += 1
        for name, share in shares:
            assert abs(counts[name] - share * (number + 1)) <= 1.0
    assert least_count(shares) <= 16


def test_groups_are_correlated_as_asked_for(tmp_path: Path) -> None:
    """Normal scores of a group's keys correlate with its number; others do not."""
    study = tiny_study(tmp_path)
    rows = [draw(study, i).values for i in range(3000)]
    names = ("thick.exposure_s", "thin.exposure_s", "acquisition.sample_drift_um")
    ranks = [np.argsort(np.argsort([row[n] for row in rows])) / 3000 for n in names]
    # Rank correlation of a Gaussian copula is (6 / pi) asin(rho / 2); its standard error at 0.9 is
    # about (1 - 0.9^2) / sqrt(3000) = 0.0035, at 0 it is 1 / sqrt(3000) = 0.018: five of each.
    wanted = 6.0 / np.pi * np.arcsin(0.45)
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] == pytest.approx(wanted, abs=0.02)
    assert abs(np.corrcoef(ranks[0], ranks[2])[0, 1]) < 0.09


def test_a_drawn_scenario_is_what_was_drawn(tmp_path: Path) -> None:
    """Values land under their keys, and everything else is the base's."""
    study = tiny_study(tmp_path)
    drawn = draw(study, 3)
    scenario = scenario_of(study, drawn)
    assert scenario.thick.exposure_s == drawn.values["thick.exposure_s"]
    assert scenario.thin.defects.seed == drawn.values["thin.defects.seed"] == 2 * drawn.plate + 1
    assert scenario.specimen is not None and scenario.specimen.kind in ("spheres", "fibres")
    assert (scenario.lens, scenario.target) == (study.base.lens, study.base.target)
