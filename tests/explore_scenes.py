"""A scenario whose page is ready in seconds: thin plates, small NA, no X-rays that travel on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from scintscope.explore.state import limits
from scintscope.explore.workshop import Workshop
from scintscope.scenario import Scenario, load_scenario

SCENARIOS = Path(__file__).parents[1] / "scenarios"
SMALL = (
    "lens.na=0.2",
    "source.kind=monochromatic",
    "source.energy_kev=17.5",
    "source.photons_per_um2_s=200.0",
    "thin.thickness_um=10.0",
    "thick.thickness_um=40.0",
    "accuracy.effects.fluorescence=escape",
    "accuracy.effects.scattered_photons=false",
)


@cache
def small_scenario() -> Scenario:
    """Return it: 17.5 keV, 10 and 40 um of YAG:Ce, NA 0.2."""
    return load_scenario(SCENARIOS / "synchrotron.toml", SMALL)


@cache
def small_workshop() -> Workshop:
    """Return its workshop with everything made."""
    base = small_scenario()
    workshop = Workshop(base, limits(base, ("YAG:Ce", "LuAG:Ce")))
    workshop.start()
    workshop.wait()
    return workshop
