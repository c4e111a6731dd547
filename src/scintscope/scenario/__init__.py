"""Scenario files: TOML in, checked frozen parts out. Nothing else in the package knows TOML."""

from scintscope.scenario.files import SKIMAGE_PREFIX, merge, read_study_tree
from scintscope.scenario.load import load_scenario, scenario_from_tables
from scintscope.scenario.restore import ImageScale, RestoreSettings, load_restore_settings
from scintscope.scenario.scenario import Scenario
from scintscope.scenario.schema import json_schema

__all__ = [
    "SKIMAGE_PREFIX",
    "ImageScale",
    "RestoreSettings",
    "Scenario",
    "json_schema",
    "load_restore_settings",
    "load_scenario",
    "merge",
    "read_study_tree",
    "scenario_from_tables",
]
