"""The small TOML that goes with measured images: ``[restoration]`` and ``[images]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from scintscope.errors import InputError, RangeError, ScenarioError, check_range
from scintscope.restoration.config import RestorationConfig
from scintscope.scenario.build import Workshop
from scintscope.scenario.files import parse_sets, read_tree
from scintscope.scenario.models import tables_model
from scintscope.scenario.problems import explain

SMALLEST_EDGE_PX = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageScale:
    """How large a pixel of measured images is, and where they hold an edge.

    Parameters
    ----------
    pixel_um_sensor : float or None
        Pixel pitch on the sensor; None if unknown: results are then in pixels.
    magnification : float or None
        Of the lens.
    edge : (int, int, int, int) or None
        First row, row after the last, first column, column after the last of a region of the thick
        image that holds one straight slanted edge; its MTF is then measured.
    """

    pixel_um_sensor: float | None = None
    magnification: float | None = None
    edge: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        for name, high, unit in (("pixel_um_sensor", 1000.0, "um"), ("magnification", 500.0, "")):
            value = getattr(self, name)
            if value is not None:
                check_range(f"images.{name}", value, low=0.0, low_open=True, high=high, unit=unit)
        if (self.pixel_um_sensor is None) != (self.magnification is None):
            raise InputError(
                "images.pixel_um_sensor and images.magnification belong together: give both, "
                "or neither (results are then in pixels)."
            )
        if self.edge is not None:
            self._check_edge(self.edge)

    @staticmethod
    def _check_edge(edge: tuple[int, int, int, int]) -> None:
        """Refuse a region that is reversed, negative, or too small for a slanted edge."""
        for low, high, name in ((edge[0], edge[1], "rows"), (edge[2], edge[3], "columns")):
            if low < 0 or high - low < SMALLEST_EDGE_PX:
                raise RangeError(
                    "images.edge",
                    list(edge),
                    f"of at least {SMALLEST_EDGE_PX} x {SMALLEST_EDGE_PX} pixels, from 0",
                    f"Its {name} run from {low} to {high}; order: row0, row1, column0, column1.",
                )

    @property
    def pixel_um_object(self) -> float | None:
        """Camera pixel in the scintillator plane, um, if known."""
        if self.pixel_um_sensor is None or self.magnification is None:
            return None
        return self.pixel_um_sensor / self.magnification


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreSettings:
    """What `scintscope restore` is told besides the images.

    Parameters
    ----------
    restoration : RestorationConfig
        Settings of the chain.
    images : ImageScale
        Size of a pixel, region of an edge.
    """

    restoration: RestorationConfig
    images: ImageScale


_PARTS: tuple[tuple[str, type], ...] = (
    ("restoration", RestorationConfig),
    ("images", ImageScale),
)


def load_restore_settings(path: Path | str | None, sets: Sequence[str] = ()) -> RestoreSettings:
    """Return the settings of a TOML file with ``[restoration]`` and ``[images]``.

    Parameters
    ----------
    path : Path, str or None
        The file; None takes defaults. A scenario file serves too: its other tables are ignored.
    sets : sequence of str
        ``KEY=VALUE`` laid over it.

    Raises
    ------
    ScenarioError
        If anything is wrong; its text has one line for each problem.
    """
    tables = parse_sets(sets) if path is None else read_tree(Path(path), sets)
    if "source" in tables:
        tables = {key: value for key, value in tables.items() if key in dict(_PARTS)}
    root = tables_model(_PARTS)
    shop = Workshop()
    try:
        given = root.model_validate(tables).model_dump()
    except ValidationError as error:
        lines = [p.text for p in explain(error.errors(include_url=False), root)]
    else:
        made = {name: shop.part(part, given[name], (name,)) for name, part in _PARTS}
        lines = [problem.text for problem in shop.problems]
    if lines:
        joined = lines[0] if len(lines) == 1 else "\n  ".join(["", *lines])
        raise ScenarioError(f"{path or 'settings'}: {joined}")
    return RestoreSettings(**made)
