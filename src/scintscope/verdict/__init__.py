"""The verdict: exact against single PSF, estimated against true kernel, restored against truth."""

from scintscope.verdict.judge import PsfVerdict, SampleVerdict, Verdict, judge
from scintscope.verdict.single_psf import SinglePsf, judge_single_psf
from scintscope.verdict.truth import Truth

__all__ = [
    "PsfVerdict",
    "SampleVerdict",
    "SinglePsf",
    "Truth",
    "Verdict",
    "judge",
    "judge_single_psf",
]
