"""Data sets: many randomised thin/thick pairs with the truth attached."""

from scintscope.dataset.draw import Drawn, draw, scenario_of
from scintscope.dataset.study import Study, load_study

__all__ = ["Drawn", "Study", "draw", "load_study", "scenario_of"]
