"""Bias audit of the measured-PSF method: estimated against true kernel, over many seeds."""
