"""The forward model: from specimen to camera frames. It alone knows the order of the chain."""

from scintscope.forward.simulate import Bench, Experiment, Exposures, expose_all, set_up

__all__ = ["Bench", "Experiment", "Exposures", "expose_all", "set_up"]
