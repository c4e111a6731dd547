"""Small instruments that the tests share; every number stated, none taken from a scenario."""

from scintscope.accuracy import Accuracy, Effects
from scintscope.camera.parts import Camera
from scintscope.geometry import Geometry
from scintscope.instrument import Instrument
from scintscope.materials import scintillator
from scintscope.optics.lens import Lens
from scintscope.scintillator.plate import Plate
from scintscope.source import Filter, MonochromaticSource, TubeSource

MONO = MonochromaticSource(energy_kev=20.0, photons_per_um2_s=10.0)
TUBE = TubeSource(filters=(Filter(material="Be", thickness_um=200.0),))

LOCAL = Effects(fluorescence="escape", electrons=False, scattered_photons=False)
"""Energy stays where the photon stopped, less the K photons: closed forms hold, and quickly."""


def yag_plate(thickness_um, **changes):
    """Return a plate of YAG:Ce; keywords change any of its fields."""
    fields = {"scintillator": scintillator("YAG:Ce"), "exposure_s": 1.0} | changes
    return Plate(thickness_um=thickness_um, **fields)


def instrument(**changes):
    """Return a 5x, NA 0.4 instrument with 20 um and 200 um of YAG:Ce; keywords change parts.

    Deposition is local (`LOCAL`) unless an accuracy is given.
    """
    parts = {
        "source": MONO,
        "geometry": Geometry(),
        "thin": yag_plate(20.0, exposure_s=10.0),
        "thick": yag_plate(200.0),
        "lens": Lens(corrected_for_um=10.0),
        "camera": Camera(),
        "accuracy": Accuracy(effects=LOCAL),
    }
    return Instrument(**(parts | changes))
