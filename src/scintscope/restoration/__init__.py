"""Restoration of thick-scintillator images from measured or simulated camera counts.

Imports no forward physics: it sees images and exposure times only.
"""

from scintscope.restoration.chain import restore
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.deconvolve import deconvolve
from scintscope.restoration.exposures import PlateFrames
from scintscope.restoration.notes import Note
from scintscope.restoration.psf import PsfEstimate, PsfStatus, estimate_psf
from scintscope.restoration.records import AlignedPlate, Restoration, RestoredSpecimen
from scintscope.restoration.registration import (
    RegistrationReport,
    RegistrationStatus,
    register_background,
    register_pair,
)
from scintscope.restoration.richardson_lucy import (
    DeconvolutionResult,
    DeconvolutionStatus,
    richardson_lucy,
    richardson_lucy_frames,
)
from scintscope.restoration.transform import Transform, warp
from scintscope.restoration.wiener import wiener

__all__ = [
    "AlignedPlate",
    "DeconvolutionResult",
    "DeconvolutionStatus",
    "Note",
    "PlateFrames",
    "PsfEstimate",
    "PsfStatus",
    "RegistrationReport",
    "RegistrationStatus",
    "Restoration",
    "RestorationConfig",
    "RestoredSpecimen",
    "Transform",
    "deconvolve",
    "estimate_psf",
    "register_background",
    "register_pair",
    "restore",
    "richardson_lucy",
    "richardson_lucy_frames",
    "warp",
    "wiener",
]
