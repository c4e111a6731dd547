"""Where X-rays leave their energy: photons of all orders and the electrons they set free."""

from scintscope.deposition.kernel import Deposition, EnergyBalance, deposition
from scintscope.deposition.physics import InteractionData, interaction_data

__all__ = ["Deposition", "EnergyBalance", "InteractionData", "deposition", "interaction_data"]
