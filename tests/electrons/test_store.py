"""Shipped and kept tables: used only if made from the same inputs."""

import numpy as np
import pytest

from scintscope.cache import VARIABLE
from scintscope.electrons import store
from scintscope.errors import PhysicsWarning
from scintscope.materials import SCINTILLATORS


@pytest.mark.parametrize("formula", store.BUILT_IN)
def test_shipped_tables_fit_the_code(formula):
    """Every shipped table is intact, small and made from today's inputs."""
    arrays = store.read_shipped(formula)
    assert arrays is not None, "run python -m scintscope.electrons.generate"
    assert {"mean", "power", "kept", "quantile"} <= set(arrays)
    assert store.shipped_path(formula).stat().st_size < 300_000


def test_every_scintillator_has_a_shipped_table():
    """No named scintillator waits for a Monte Carlo."""
    assert {material.formula for material in SCINTILLATORS.values()} <= set(store.BUILT_IN)


def test_tables_of_other_physics_are_refused(monkeypatch):
    """A table made by another algorithm or with other constants is not used."""
    monkeypatch.setattr(store, "ALGORITHM", store.ALGORITHM + 1)
    assert store.read_shipped("CsI") is None
    monkeypatch.undo()
    monkeypatch.setattr(store.medium, "CUTOFF_KEV", 0.25)
    assert store.read_shipped("CsI") is None


def test_the_key_knows_the_compound_not_its_spelling():
    """The key holds the composition: different compounds differ, the same one does not."""
    one, two, other = (store.table_inputs(f) for f in ("CsI", "ICs", "NaI"))
    assert sorted(map(str, one["elements"])) == sorted(map(str, two["elements"]))
    assert one != other


def test_damaged_tables_are_made_again(monkeypatch, tmp_path):
    """A broken file in the cache is reported and computed anew; an intact one is read."""
    calls = []

    def fake(formula):
        calls.append(formula)
        return {"mean": np.arange(3.0, dtype=np.float32)}

    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(store, "compute_tables", fake)
    store.tables.cache_clear()
    store.tables("NaI")
    store.tables.cache_clear()
    store.tables("NaI")
    assert calls == ["NaI"]
    (kept,) = (tmp_path / "electrons").glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:-40])
    store.tables.cache_clear()
    with pytest.warns(PhysicsWarning, match="made again"):
        store.tables("NaI")
    assert calls == ["NaI", "NaI"]
    store.tables.cache_clear()
