"""Tables of a film at a few thicknesses, and what is interpolated between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explore_scenes import small_scenario, small_workshop
from scintscope.explore.engine import PlateView
from scintscope.explore.film import ROUGH_POINTS, Film, rough, rungs, sheet
from scintscope.explore.state import start_state
from scintscope.explore.workshop import Workshop

FINE, ROUGH = 2e-4, 1e-2
"""Of the largest value of a curve: what the page promises of rough tables, 1 %; fine ones are far
better than the 1e-3 of the design model (5e-5 was seen up to 245 um)."""


def viewed(known: dict[float, object], thickness_um: float) -> tuple[PlateView, bool]:
    """Return the thick plate from the tables of given thicknesses only."""
    made = small_workshop()
    workshop = Workshop(made.base, made.limit)
    workshop.tables = made.tables
    key, film = thick_film()
    start = start_state(small_scenario())
    state = replace(start, thick=replace(start.thick, thickness_um=thickness_um))
    kept = {**known, start.thin.thickness_um: film.sheets[start.thin.thickness_um]}
    try:
        made.tables.films[key] = replace(film, sheets=kept)
        view = workshop.view(state)
    finally:
        made.tables.films[key] = film
    return view.plates["thick"], view.fine


def thick_film() -> tuple[tuple[str, float, float], Film]:
    films = small_workshop().tables.films
    key = next(key for key, film in films.items() if film.material.name == "YAG:Ce")
    return key, films[key]


@pytest.mark.parametrize("fine", [True, False])
def test_between_thicknesses_curves_are_those_of_the_thickness_itself(fine: bool) -> None:
    """Curves from tables at other thicknesses agree with those from a table at this one."""
    _, film = thick_film()
    wanted, base = 44.0, small_scenario()
    ladder = film.ladder if fine else rough(film.ladder)
    seen, said = viewed({um: film.sheets[um] for um in ladder}, wanted)
    own = sheet(
        film.material,
        wanted,
        film.energy_kev,
        base.accuracy.effects,
        small_workshop().tables.cutoff_cy_per_um,
    )
    exact, _ = viewed({wanted: own}, wanted)
    assert said is fine
    for name in ("mtf", "dqe", "nps_per_um2"):
        expected = getattr(exact.curves, name)
        error = np.abs(getattr(seen.curves, name) - expected).max() / expected.max()
        assert error < (FINE if fine else ROUGH), name


def test_ladder_is_the_same_for_all_ranges() -> None:
    """Two overlapping ranges want the same thicknesses where they overlap, ends covered."""
    one, other = rungs(5.0, 260.0), rungs(12.0, 130.0)
    assert set(other) <= set(one)
    for low, high, ladder in ((5.0, 260.0, one), (12.0, 130.0, other)):
        assert ladder[0] < 1.05 * low  # a tenth of a rung, 3.5 %, may stick out
        assert ladder[-1] > 0.95 * high
    assert 20.0 in one


def test_too_few_tables_are_none() -> None:
    """A film without enough tables around a thickness has no stencil; its own table is enough."""
    _, film = thick_film()
    few = {um: film.sheets[um] for um in rough(film.ladder)[: ROUGH_POINTS - 1]}
    assert replace(film, sheets=few).stencil(33.0) is None
    one = replace(film, sheets={33.0: few[film.ladder[0]]}).stencil(33.0)
    assert one is not None
    assert one.weight == (1.0,)
