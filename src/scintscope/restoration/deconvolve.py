"""Deconvolution by the method the settings name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.richardson_lucy import DeconvolutionResult, richardson_lucy
from scintscope.restoration.wiener import wiener

Image = NDArray[np.floating[Any]]


def deconvolve(image: Image, psf: Image, config: RestorationConfig) -> DeconvolutionResult:
    """Return the image restored by the method the settings name.

    Parameters
    ----------
    image : (M, N) float array
        Non-negative for the iterative methods.
    psf : (m, n) float array
        Unit sum, centre at ``n // 2``.
    config : RestorationConfig
    """
    if config.deconvolution == "wiener":
        return wiener(
            image,
            psf,
            noise_to_signal=config.wiener_noise_to_signal,
            precision=config.precision,
        )
    return richardson_lucy(
        image,
        psf,
        iterations=config.iterations,
        boundary=config.boundary,
        tv_weight=config.tv_weight if config.deconvolution == "tv" else 0.0,
        acceleration=config.acceleration,
        precision=config.precision,
        engine=config.engine,
    )
