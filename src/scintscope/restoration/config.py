"""The settings of the restoration chain: the keys of ``[restoration]`` in a scenario file."""

from __future__ import annotations

from dataclasses import dataclass

from scintscope.errors import RangeError, check_choice, check_range

CHOICES: dict[str, tuple[str, ...]] = {
    "psf_method": ("richardson_lucy", "fourier_ratio", "radial"),
    "psf_acceleration": ("biggs_andrews", "none"),
    "psf_start": ("peaked", "full", "window"),
    "psf_centre": ("centroid", "peak", "none"),
    "psf_taper": ("none", "cosine", "hann"),
    "target_sign": ("absorbing", "emitting"),
    "target_background": ("subtract", "divide"),
    "specimen_background": ("divide", "subtract"),
    "subtract_offset": ("clip", "shift"),
    "deconvolution": ("richardson_lucy", "wiener", "tv"),
    "acceleration": ("none", "biggs_andrews"),
    "boundary": ("edge_aware", "reflect", "zero", "periodic"),
    "precision": ("float32", "float64"),
    "engine": ("scipy", "jax"),
    "registration": ("sift", "none"),
    "pair_model": ("similarity", "translation"),
    "background_model": ("translation", "similarity"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RestorationConfig:
    """How a pair of plates is turned into a PSF and the thick plate's images are restored.

    Parameters
    ----------
    psf_method : {"richardson_lucy", "fourier_ratio", "radial"}
        Iterative estimate (the paper's), a regularised ratio of transforms, or a radially symmetric
        kernel fitted to the spectra of both images (`psf_radial`): the nearest to the truth where
        the lens is the same in all directions. ``psf_iterations``, ``psf_start`` and the like are
        Richardson-Lucy's alone.
    psf_iterations : int
        Richardson-Lucy iterations of the PSF (paper: 8).
    psf_acceleration : {"biggs_andrews", "none"}
        Extrapolation between iterations (Biggs and Andrews 1997), as in MATLAB's ``deconvlucy``,
        the likely tool of the paper: eight such iterations are worth several dozen plain ones.
    psf_tolerance : float
        Stop earlier when the PSF changes by less than this share of itself; 0 never does.
    psf_size_px : int
        Side of the square the PSF is cut to, pixels (paper: 60). The centre of a side of ``n``
        is at index ``n // 2``, for odd and even ``n``.
    psf_start : {"peaked", "full", "window"}
        ``full``: the unknown covers the whole frame and is cut afterwards, as in the paper.
        ``window``: the unknown covers only the final square. Both start flat. ``peaked``: whole
        frame, started from a peak with long tails, (1 + r^2/s^2)^(-3/2), s = a twentieth of
        ``psf_size_px``: nearer to a real kernel, so the same iterations get further.
    psf_centre : {"centroid", "peak", "none"}
        What is moved to the centre of the square; ``centroid`` is sub-pixel, ``peak`` whole pixel.
    psf_taper : {"none", "cosine", "hann"}
        Edge of the cut: hard, raised cosine over the outer quarter, or over the whole square.
    psf_regularisation : float
        Regularisation of the ratio, as a share of the thin image's mean spectral power.
    target_sign : {"absorbing", "emitting"}
        ``absorbing``: signal = background - sample. ``emitting``: sample - background.
    target_background : {"subtract", "divide"}
        ``divide`` takes 1 - sample / background, which removes shading too.
    specimen_background : {"divide", "subtract"}
        How specimens lose the plate's shading and defects.
    subtract_offset : {"clip", "shift"}
        Negative values of a subtracted image: set to zero, or lifted by one constant that is
        taken off again after restoration. Either way the numbers are reported.
    deconvolution : {"richardson_lucy", "wiener", "tv"}
        Method that restores the images.
    iterations : int
        Iterations of the iterative methods.
    acceleration : {"none", "biggs_andrews"}
        Extrapolation between the iterations of ``deconvolution``: a third of the iterations reach
        the same likelihood, and the same noise.
    wiener_noise_to_signal : float or "auto"
        Noise power over signal power; "auto" measures both on the image.
    tv_weight : float
        Weight of total variation in ``tv``, dimensionless.
    boundary : {"edge_aware", "reflect", "zero", "periodic"}
        What the deconvolution assumes outside the frame; ``edge_aware`` assumes nothing.
    precision : {"float32", "float64"}
        Floating-point type of the deconvolution.
    engine : {"scipy", "jax"}
        What Richardson-Lucy computes with: ``scipy``'s transforms on the processor, or ``jax``, on
        a GPU where there is one. Equal within rounding.
    registration : {"sift", "none"}
        ``none`` trusts the frames to be aligned.
    pair_model, background_model : {"similarity", "translation"}
        Motion permitted between thin and thick image, and between a sample and its background.
    ransac_threshold_px : float
        Largest distance at which two matched features agree with a motion.
    max_shift_fraction : float
        Largest shift looked for, as a share of the frame's smaller side.
    zinger_sigma : float
        Reject values this many standard deviations above a pixel's median over frames; 0 keeps all.
    saturation_adu : float or None
        Level at and above which a value counts as saturated; None: the largest integer of the
        frames' type (255 of 8 bits, 65535 of 16), nothing for floating-point frames.
    """

    psf_method: str = "richardson_lucy"
    psf_iterations: int = 8
    psf_acceleration: str = "biggs_andrews"
    psf_tolerance: float = 0.0
    psf_size_px: int = 60
    psf_start: str = "peaked"
    psf_centre: str = "centroid"
    psf_taper: str = "none"
    psf_regularisation: float = 1e-3
    target_sign: str = "absorbing"
    target_background: str = "subtract"
    specimen_background: str = "divide"
    subtract_offset: str = "clip"
    deconvolution: str = "richardson_lucy"
    iterations: int = 20
    acceleration: str = "none"
    wiener_noise_to_signal: float | str = "auto"
    tv_weight: float = 0.002
    boundary: str = "edge_aware"
    precision: str = "float32"
    engine: str = "scipy"
    registration: str = "sift"
    pair_model: str = "similarity"
    background_model: str = "translation"
    ransac_threshold_px: float = 1.5
    max_shift_fraction: float = 0.25
    zinger_sigma: float = 0.0
    saturation_adu: float | None = None

    def __post_init__(self) -> None:
        for name, options in CHOICES.items():
            check_choice(f"restoration.{name}", getattr(self, name), options)
        _check_whole("psf_iterations", self.psf_iterations, 1, 10000)
        _check_whole("psf_size_px", self.psf_size_px, 3, 4096)
        _check_whole("iterations", self.iterations, 1, 100000)
        check_range("restoration.psf_tolerance", self.psf_tolerance, low=0.0, high=1.0)
        check_range("restoration.psf_regularisation", self.psf_regularisation, low=1e-12, high=1e3)
        if self.wiener_noise_to_signal != "auto":
            check_range(
                "restoration.wiener_noise_to_signal",
                self.wiener_noise_to_signal,  # type: ignore[arg-type]
                low=1e-12,
                high=1e6,
                remedy='Or say "auto".',
            )
        check_range("restoration.tv_weight", self.tv_weight, low=0.0, high=0.2)
        check_range(
            "restoration.ransac_threshold_px",
            self.ransac_threshold_px,
            low=0.1,
            high=20.0,
            unit="px",
        )
        check_range("restoration.max_shift_fraction", self.max_shift_fraction, low=0.0, high=0.5)
        check_range("restoration.zinger_sigma", self.zinger_sigma, low=0.0, high=1e3)
        if self.saturation_adu is not None:
            check_range("restoration.saturation_adu", self.saturation_adu, low=0.0, low_open=True)


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    """Raise `RangeError` unless the value is a whole number in [low, high]."""
    check_range(f"restoration.{name}", value, low=low, high=high)
    if not isinstance(value, int):
        raise RangeError(f"restoration.{name}", value, f"[{low}, {high}]", "Give a whole number.")
