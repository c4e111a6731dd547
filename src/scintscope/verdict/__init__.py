"""The verdict: exact against single PSF, estimated against true kernel, restored against truth."""

from scintscope.verdict.bought import Bought
from scintscope.verdict.budget import Budget, error_budget
from scintscope.verdict.judge import PsfVerdict, SampleVerdict, Verdict, judge
from scintscope.verdict.local import LocalBudget, local_budget
from scintscope.verdict.single_psf import SinglePsf, judge_single_psf
from scintscope.verdict.truth import Truth
from scintscope.verdict.validity import ValidityMap, validity_maps

__all__ = [
    "Bought",
    "Budget",
    "LocalBudget",
    "PsfVerdict",
    "SampleVerdict",
    "SinglePsf",
    "Truth",
    "ValidityMap",
    "Verdict",
    "error_budget",
    "judge",
    "judge_single_psf",
    "local_budget",
    "validity_maps",
]
