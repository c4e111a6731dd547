"""How plate, sample and source wander while stacks of frames are taken.

Defects follow the plate, the image follows the sample; the two move independently, so that a
registration on the plate's defects cannot see where the sample went.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scintscope.camera.parts import Acquisition
from scintscope.camera.poisson import SEED_WORDS
from scintscope.errors import InputError

FloatArray = npt.NDArray[np.float64]

WALK_END_RATIO = 0.5
"""Rms of a stack's last frame against its first, as a share of the rms between two stacks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StackDrift:
    """Where things were in each frame of one stack.

    Parameters
    ----------
    plate_um, sample_um : (F, 2) float array, um in the scintillator plane
        Displacement from the nominal place, (row, column), positive towards larger indices.
    source_factor : (F,) float array
        Source output relative to its mean; positive, expectation 1.
    """

    plate_um: FloatArray
    sample_um: FloatArray
    source_factor: FloatArray

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.source_factor.shape[0])

    def as_dict(self) -> dict[str, Any]:
        """Return plain lists, for a file of the truth."""
        return {
            "plate_um": self.plate_um.tolist(),
            "sample_um": self.sample_um.tolist(),
            "source_factor": self.source_factor.tolist(),
        }


def draw_path(frames: int, drift_um: float, rng: np.random.Generator) -> FloatArray:
    """Draw the displacements of one thing through one stack.

    Parameters
    ----------
    frames : int
        Frames F of the stack.
    drift_um : float
        Rms difference per axis between the first frames of two independently drawn stacks.
    rng : numpy.random.Generator
        Stream of this stack and this thing alone.

    Returns
    -------
    (F, 2) float array, um
        The first frame is Gaussian with standard deviation drift/sqrt(2) per axis, so that two
        stacks differ by drift rms. F - 1 equal Gaussian steps follow, whose sum has
        ``WALK_END_RATIO * drift`` rms. Exactly zero for zero drift. More frames use the same
        random numbers first.
    """
    if drift_um == 0.0:
        return np.zeros((frames, 2))
    normal = rng.standard_normal((frames, 2))
    step_um = WALK_END_RATIO * drift_um / math.sqrt(max(frames - 1, 1))
    scale_um = np.full((frames, 1), step_um)
    scale_um[0] = drift_um / math.sqrt(2.0)
    path: FloatArray = np.cumsum(normal * scale_um, axis=0)
    return path


def draw_source_factor(frames: int, flicker: float, rng: np.random.Generator) -> FloatArray:
    """Draw the source's output per frame relative to its mean.

    Parameters
    ----------
    frames : int
        Frames F.
    flicker : float
        Relative standard deviation from frame to frame.
    rng : numpy.random.Generator
        Stream of this stack's source alone.

    Returns
    -------
    (F,) float array
        Log-normal of mean 1 and standard deviation ``flicker``, hence never negative; exactly 1
        for zero flicker.
    """
    if flicker == 0.0:
        return np.ones(frames)
    variance = math.log1p(flicker**2)
    factor: FloatArray = np.exp(math.sqrt(variance) * rng.standard_normal(frames) - 0.5 * variance)
    return factor


def draw_drift(
    acquisition: Acquisition, rng: np.random.Generator, stacks: Sequence[str]
) -> dict[str, StackDrift]:
    """Draw the drift of plate and sample and the source's flicker for every stack.

    Parameters
    ----------
    acquisition : Acquisition
        Frames per stack, rms drifts (um, scintillator plane), flicker.
    rng : numpy.random.Generator
        Four words are drawn from it.
    stacks : sequence of str
        Names of the stacks, e.g. ``["thin.target", "thin.background"]``.

    Returns
    -------
    dict
        Name to `StackDrift`, in the order given. The streams are keyed by the stack's name and
        by what moves: another stack, another order, another number of frames or another size of
        one effect leaves the random numbers of all others as they were.

    Raises
    ------
    InputError
        If a name occurs twice or there is none.
    """
    if isinstance(stacks, str) or not stacks:
        raise InputError(f"stacks = {stacks!r}: give a list of at least one stack name.")
    twice = sorted({name for name in stacks if list(stacks).count(name) > 1})
    if twice:
        raise InputError(f"stacks names {', '.join(map(repr, twice))} twice: names must differ.")
    entropy = rng.integers(0, 2**32, size=SEED_WORDS, dtype=np.uint32).tolist()
    drift = {}
    for name in stacks:
        seeds = np.random.SeedSequence(entropy, spawn_key=(zlib.crc32(name.encode()),)).spawn(3)
        plate, sample, source = (np.random.Generator(np.random.PCG64(seed)) for seed in seeds)
        drift[name] = StackDrift(
            plate_um=draw_path(acquisition.frames, acquisition.plate_drift_um, plate),
            sample_um=draw_path(acquisition.frames, acquisition.sample_drift_um, sample),
            source_factor=draw_source_factor(
                acquisition.frames, acquisition.source_flicker, source
            ),
        )
    return drift
