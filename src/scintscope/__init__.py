"""Lens-coupled X-ray scintillator microscopes, simulated; their image restoration, judged."""

__version__ = "0.1.0"
