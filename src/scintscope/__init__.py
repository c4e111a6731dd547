"""Simulator of lens-coupled X-ray scintillator microscopes and of the restoration of their images."""

__version__ = "0.1.0"
