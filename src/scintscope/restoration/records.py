"""What the restoration chain hands on: images, reports and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.restoration.average import AverageReport
from scintscope.restoration.background import BackgroundReport
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.notes import Note
from scintscope.restoration.psf import PsfEstimate
from scintscope.restoration.registration import RegistrationReport
from scintscope.restoration.richardson_lucy import DeconvolutionResult

Image = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignedPlate:
    """A plate's corrected images, the background moved onto the sample.

    Parameters
    ----------
    sample, background : (M, N) float64 array
        Counts above dark, in the sample's frame.
    registration : RegistrationReport
        Sample (fixed) to background (moving).
    """

    sample: Image
    background: Image
    registration: RegistrationReport


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoredSpecimen:
    """A specimen's images on the thick plate.

    Parameters
    ----------
    plate : AlignedPlate
        Corrected sample and background.
    image : (M, N) float32 array
        Background taken off: a transmission (divided) or a signal (subtracted).
    restored : (M, N) float32 array
        The same, deconvolved.
    background_report : BackgroundReport
    clipped_fraction : float
        Share of pixels set to zero because an iterative method needs non-negative data.
    deconvolution : DeconvolutionResult
    """

    plate: AlignedPlate
    image: Image
    restored: Image
    background_report: BackgroundReport
    clipped_fraction: float
    deconvolution: DeconvolutionResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Restoration:
    """All that the chain made, for reports, metrics and verdicts.

    Parameters
    ----------
    config : RestorationConfig
    thin, thick : AlignedPlate
        Corrected images, each plate in its own frame.
    thin_target : (M, N) float32 array
        Target signal of the thin plate, warped into the thick plate's frame.
    thin_valid : (M, N) bool array
        Where ``thin_target`` is real.
    thick_target, restored_target : (M, N) float32 array
        Target signal of the thick plate, and deconvolved.
    psf : PsfEstimate
    deconvolution : DeconvolutionResult
        Of the target.
    specimens : dict of str to RestoredSpecimen
    pair : RegistrationReport
        Thick (fixed) to thin (moving).
    registrations : dict of str to RegistrationReport
        ``"pair"``, ``"thin.background"``, ``"thick.background"``, ``"<specimen>.background"``.
    backgrounds : dict of str to BackgroundReport
        ``"thin"``, ``"thick"`` and the specimens' names.
    averages : dict of str to AverageReport
        ``"thin.sample"`` and so on.
    notes : tuple of Note
        Everything worth saying, in the order of the chain.
    """

    config: RestorationConfig
    thin: AlignedPlate
    thick: AlignedPlate
    thin_target: Image
    thin_valid: NDArray[np.bool_]
    thick_target: Image
    restored_target: Image
    psf: PsfEstimate
    deconvolution: DeconvolutionResult
    specimens: dict[str, RestoredSpecimen]
    pair: RegistrationReport
    registrations: dict[str, RegistrationReport]
    backgrounds: dict[str, BackgroundReport]
    averages: dict[str, AverageReport]
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """Signals of the target in the thick frame, non-negative, and how they came about.

    Parameters
    ----------
    thin, thick : (M, N) float64 array
        What enters the PSF estimate; ``lift`` included.
    valid : (M, N) bool array
        Where ``thin`` is real.
    lift : float
        Constant both signals were lifted by.
    pair : RegistrationReport
    backgrounds : dict of str to BackgroundReport
    notes : tuple of Note
    """

    thin: Image
    thick: Image
    valid: NDArray[np.bool_]
    lift: float
    pair: RegistrationReport
    backgrounds: dict[str, BackgroundReport]
    notes: tuple[Note, ...]
