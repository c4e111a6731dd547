"""What a report is written from, and what its sections are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from scintscope.forward.simulate import Bench, Exposures
from scintscope.restoration import Restoration
from scintscope.scenario import Scenario
from scintscope.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTERIM: tuple[str, ...] = ()
"""Models that stand in for better ones; the report says so in a box of its own."""


class FinishedRun(Protocol):
    """A run as `scintscope.pipeline.Run` holds it; the report needs no more than this."""

    @property
    def scenario(self) -> Scenario:
        """What was asked for."""

    @property
    def bench(self) -> Bench:
        """Responses, planes, defects."""

    @property
    def exposures(self) -> Exposures:
        """Frames and drift."""

    @property
    def restoration(self) -> Restoration:
        """What the chain made of the frames."""

    @property
    def verdict(self) -> Verdict:
        """Judgements with the truth in hand."""

    @property
    def sheet(self) -> Mapping[str, Any]:
        """The instrument's data sheet."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Content of ``metrics.json``."""

    @property
    def sentences(self) -> list[str]:
        """The verdict in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A figure that is yet to be drawn, perhaps by another process.

    Parameters
    ----------
    name, title, caption : str
        As of `Illustration`.
    draw : callable
        A function of a module, so that another process finds it; returns the figure.
    arguments : tuple
        What it needs, small: it is copied to that process.
    """

    name: str
    title: str
    caption: str
    draw: Callable[..., Figure]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Illustration:
    """A figure as it stands in the page.

    Parameters
    ----------
    name : str
        Short name, the anchor in the page.
    title, caption : str
        Heading, and one sentence that says what to see.
    png : bytes
        The picture.
    """

    name: str
    title: str
    caption: str
    png: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table of texts.

    Parameters
    ----------
    title, note : str
        Heading, and a sentence below the table.
    head : sequence of str
        Column headings.
    rows : sequence of sequences of str
        Cells; the first of each row names it.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
