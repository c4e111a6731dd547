"""Electrons: how far from a photon's interaction its energy is left."""

from scintscope.electrons.kernel import ElectronKernel, Tracks, electron_kernel

__all__ = ["ElectronKernel", "Tracks", "electron_kernel"]
