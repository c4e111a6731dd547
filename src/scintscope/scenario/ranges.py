"""What the parts say about their own fields: docstring, unit, allowed range.

The range is asked of the part by giving it a NaN, which every range check refuses with the range
in its message. So ranges are stated once, in the parts.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from scintscope.errors import InputError, RangeError
from scintscope.materials import scintillator

_UNITS = (
    ("_g_cm3", "g/cm3"),
    ("_per_mm2", "1/mm2"),
    ("_per_um2_s", "1/(um2 s)"),
    ("_electrons_per_adu", "electrons/ADU"),
    ("_electrons_per_s", "electrons/s"),
    ("_per_kev", "1/keV"),
    ("_per_frame", "1/frame"),
    ("_um_sensor", "um on the sensor"),
    ("_um", "um"),
    ("_mm", "mm"),
    ("_nm", "nm"),
    ("_ns", "ns"),
    ("_kev", "keV"),
    ("_kv", "kV"),
    ("_w", "W"),
    ("_deg", "deg"),
    ("_electrons", "electrons"),
    ("_adu", "ADU"),
    ("_px", "camera pixels"),
    ("_s", "s"),
)

_INTERVAL = re.compile(r"([\[(])([-+.\w]+), ([-+.\w]+)([\])])")


def unit_of(name: str) -> str:
    """Return the unit that a name ends in, or nothing."""
    return next((unit for suffix, unit in _UNITS if name.endswith(suffix)), "")


@cache
def field_docs(part: type) -> dict[str, tuple[str, str]]:
    """Return {field: (type in words, description)} from the numpy-style docstring of a class."""
    docs: dict[str, tuple[str, str]] = {}
    names: list[str] = []
    kind = ""
    lines: list[str] = []
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)",
        inspect.cleandoc(part.__doc__ or ""),
        re.S | re.M,
    )
    for line in [*(section.group(1).splitlines() if section else []), "end"]:
        if line and not line.startswith(" "):
            docs |= {name: (kind, " ".join(lines)) for name in names}
            heading, _, kind = line.partition(" : ")
            names, lines = [name.strip() for name in heading.split(",")], []
        elif line.strip():
            lines.append(line.strip())
    return docs


def choices_of(part: type, name: str) -> tuple[str, ...]:
    """Return the words a text field may take, where its docstring lists them in braces."""
    kind, _ = field_docs(part).get(name, ("", ""))
    return tuple(re.findall(r'"([^"]+)"', kind)) if kind.startswith("{") else ()


def _stand_in(annotation: Any) -> Any:
    """Return a harmless value for a required field."""
    if annotation is float or annotation is int:
        return 1
    return Path(__file__) if annotation is Path else "x"


def _required(part: type) -> dict[str, Any]:
    hints = get_type_hints(part)
    needed = [f.name for f in fields(part) if f.default is MISSING and f.default_factory is MISSING]
    return {
        name: scintillator("YAG:Ce") if name == "scintillator" else _stand_in(hints[name])
        for name in needed
    }


def _refusal(part: type, name: str, value: Any) -> RangeError | None:
    try:
        part(**(_required(part) | {name: value}))
    except RangeError as error:
        return error if error.name.endswith(name) else None
    except (InputError, TypeError, ValueError):
        return None
    return None


@cache
def allowed_range(part: type, name: str) -> str:
    """Return the allowed range of a numeric field in words, or nothing where there is none."""
    annotation = get_type_hints(part)[name]
    if not {float, int} & {annotation, *get_args(annotation)} or get_origin(annotation) is tuple:
        return ""
    error = _refusal(part, name, float("nan"))
    return error.allowed if error else ""


@cache
def bounds(part: type, name: str) -> dict[str, float]:
    """Return the range of a numeric field as JSON-Schema keywords.

    A field that admits infinity besides a finite range has no ``maximum``.
    """
    found = _INTERVAL.match(allowed_range(part, name))
    if found is None:
        return {}
    left, low, high, right = found.groups()
    limits: dict[str, float] = {}
    if low != "-inf":
        limits["minimum" if left == "[" else "exclusiveMinimum"] = float(low)
    if high != "inf" and _refusal(part, name, float("inf")) is not None:
        limits["maximum" if right == "]" else "exclusiveMaximum"] = float(high)
    return limits
