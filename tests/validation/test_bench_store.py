"""The bench's bookkeeping: finished cases survive a stop, ratios are taken round by round."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "validation" / "speed"


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch):
    """Return a function that imports a module of the bench, as the bench does."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_finished_cases_survive_for_the_same_code_only(speed, tmp_path: Path) -> None:
    """What is kept under one key is found again under it, and not under another."""
    store = speed("store")
    path = tmp_path / "bench.partial"
    store.Store(path, {"code": "a"}).keep("psf", {"seconds": 1.0})
    assert store.Store(path, {"code": "a"}).cases == {"psf": {"seconds": 1.0}}
    assert store.Store(path, {"code": "b"}).cases == {}
    path.write_text("half a fi")
    assert store.Store(path, {"code": "a"}).cases == {}
    assert [p.name for p in tmp_path.iterdir()] == ["bench.partial"]


def test_ratios_are_taken_round_by_round(speed) -> None:
    """A slow round in which both are slow leaves the median ratio alone; a missing peer is None."""
    rounds = speed("rounds")

    def samples(*seconds: float):
        return rounds.Samples(
            samples=[{"seconds": s, "cpu_s": 1.0, "returned": None} for s in seconds]
        )

    found = rounds.ratio(samples(2.0, 20.0, 3.0), samples(1.0, 10.0, 1.0))
    assert found == {"median": 2.0, "least": 2.0, "most": 3.0, "cpu": 1.0}
    assert rounds.ratio(samples(6.0), samples(1.0, 2.0), 2.0)["most"] == 12.0
    assert rounds.ratio(samples(), samples(1.0)) is None


def test_table_says_what_is_met_and_what_is_not(speed) -> None:
    """The Markdown marks a missed aim, a run that failed and a machine that was not quiet."""
    ratios = {"rl_over_fft_floor": 1.7, "rl_speedup_vs_skimage": 3.0, "forward_rms_error": None}
    record = {
        "machine": {"processors": 2}, "threads": {}, "versions": {"ours": {"numpy": "2"}},
        "load": {"quiet": False, "clean_runs": 0, "runs": 1}, "seconds": 3.0, "ratios": ratios,
        "cpu_ratios": {"rl_over_fft_floor": 1.2},
        "spread": {k: v and [v, v] for k, v in ratios.items()},
        "cases": {
            "psf_stack": {
                "given": {"side": 3}, "seconds": 3.0, "ratios": {}, "runs": {"x": {"error": "no"}}
            }
        },
    }  # fmt: skip
    text = speed("table_text").markdown(json.loads(json.dumps(record)))
    assert "| rl_over_fft_floor | 1.7 | 1.7 to 1.7 | 1.2 | <= 1.6 | **no** |" in text
    assert "| rl_speedup_vs_skimage | 3 | 3 to 3 | - | >= 2.2 | yes |" in text
    assert "| x | not run | | | | | no |" in text
    assert "not quiet" in text
