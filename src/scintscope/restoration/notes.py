"""What a stage has to say about the data it saw: one sentence, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass

from scintscope.errors import check_choice

LEVELS = ("info", "warning")


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One sentence from one stage of the chain.

    Parameters
    ----------
    stage : str
        Where it arose, e.g. ``"thin.sample"`` or ``"psf"``.
    level : {"info", "warning"}
        ``warning``: the result may suffer; the sentence says how.
    sentence : str
        What was found and what was done.
    """

    stage: str
    level: str
    sentence: str

    def __post_init__(self) -> None:
        check_choice("level", self.level, LEVELS)

    def __str__(self) -> str:
        return f"{self.level}: {self.stage}: {self.sentence}"


def info(stage: str, sentence: str) -> Note:
    """Return a note for the record."""
    return Note(stage=stage, level="info", sentence=sentence)


def warning(stage: str, sentence: str) -> Note:
    """Return a note that the result may suffer."""
    return Note(stage=stage, level="warning", sentence=sentence)
