"""Errors that say what is wrong and what to do, and the checks that raise them.

Which one when:

- `InputError`: anything a user gave that cannot be used. Subclasses `ValueError`.
- `RangeError`: a number outside its allowed range; carries name, value, low, high, remedy.
- `SamplingError`: a grid too coarse or too large for what it must hold.
- `ScenarioError`: a scenario or study file that does not hold together (see ``scenario``).
- `DataError`: images that cannot be processed (shape, dtype, NaN, empty).
- `PhysicsWarning`: legal input whose neglected physics may matter.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from difflib import get_close_matches


class ScintscopeError(Exception):
    """Base class of all errors raised by scintscope on purpose."""


class InputError(ScintscopeError, ValueError):
    """Something the user gave cannot be used."""


class RangeError(InputError):
    """A number lies outside its allowed range.

    Parameters
    ----------
    name, value
        What was given.
    allowed : str
        The allowed range in words.
    remedy : str
        What to do about it.
    """

    def __init__(self, name: str, value: object, allowed: str, remedy: str = "") -> None:
        self.name, self.value, self.allowed, self.remedy = name, value, allowed, remedy
        hint = f" {remedy}" if remedy else ""
        super().__init__(f"{name} = {value!r} is outside the allowed range {allowed}.{hint}")


class SamplingError(InputError):
    """A grid is too coarse or too large for what it must hold."""


class ScenarioError(InputError):
    """A scenario or study file does not hold together."""


class DataError(InputError):
    """Images cannot be processed: wrong shape, dtype, NaN, empty, mismatched."""


class PhysicsWarning(UserWarning):
    """Legal input whose neglected physics may matter."""


def range_text(
    low: float, high: float, *, low_open: bool = False, high_open: bool = False, unit: str = ""
) -> str:
    """Return an interval in words, e.g. ``(0, 1] um``."""
    left = "(" if low_open or math.isinf(low) else "["
    right = ")" if high_open or math.isinf(high) else "]"
    text = f"{left}{low:g}, {high:g}{right}"
    return f"{text} {unit}" if unit else text


def check_range(
    name: str,
    value: float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    low_open: bool = False,
    high_open: bool = False,
    unit: str = "",
    remedy: str = "",
    allow_inf: bool = False,
) -> float:
    """Return ``value`` if it is a finite number inside the interval, else raise `RangeError`.

    ``allow_inf`` admits plus infinity (a parallel beam, a telecentric lens).
    """
    allowed = range_text(low, high, low_open=low_open, high_open=high_open, unit=unit)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RangeError(name, value, allowed, remedy or "Give a number.")
    if allow_inf and value == math.inf:
        return value
    inside = (value > low if low_open else value >= low) and (
        value < high if high_open else value <= high
    )
    if math.isnan(value) or not inside or math.isinf(value):
        raise RangeError(name, value, allowed, remedy)
    return value


def check_choice(name: str, value: str, choices: Iterable[str], remedy: str = "") -> str:
    """Return ``value`` if it is one of ``choices``, else raise `InputError` naming the nearest."""
    options = list(choices)
    if value in options:
        return value
    hint = nearest_hint(value, options)
    raise InputError(
        f"{name} = {value!r} is not one of {', '.join(map(repr, options))}.{hint}"
        + (f" {remedy}" if remedy else "")
    )


def nearest_hint(value: str, options: Collection[str]) -> str:
    """Return a sentence naming the nearest valid option, or nothing."""
    close = get_close_matches(str(value), list(options), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""
