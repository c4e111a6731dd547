"""One condition changed at a time: what each does to the kernel error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scintscope.audit.settings import Setting
from scintscope.audit.study import Errors, run_study
from scintscope.progress import Progress
from scintscope.scenario import Scenario

Load = Callable[[Sequence[str]], Scenario]
"""Reads a scenario with ``--set`` texts laid over it."""

DEFECT_KINDS = ("scratches", "bubbles", "inclusions", "dust", "glow")


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A scenario's conditions under a name.

    Parameters
    ----------
    axis, label : str
        What is changed, and to what.
    sets : tuple of str
        ``KEY=VALUE`` texts laid over the scenario.
    """

    axis: str
    label: str
    sets: tuple[str, ...] = ()


NO_DEFECTS = ("accuracy.effects.defects=false",)
NO_NOISE = ("accuracy.effects.noise=false",)
STILL = (
    "acquisition.plate_drift_um=0.0",
    "acquisition.sample_drift_um=0.0",
    "acquisition.source_flicker=0.0",
)
UNREGISTERED = ("restoration.registration=none",)
AS_IS = Condition(axis="as is", label="")


def part_conditions() -> list[Condition]:
    """Return the parts switched off one at a time, and all of them."""
    off = {
        "defects": NO_DEFECTS,
        "noise": NO_NOISE,
        "drift": STILL,
        "all three": (*NO_DEFECTS, *NO_NOISE, *STILL),
        "all three, and registration": (*NO_DEFECTS, *NO_NOISE, *STILL, *UNREGISTERED),
    }
    return [Condition(axis="switched off", label=label, sets=sets) for label, sets in off.items()]


def axis_conditions(scenario: Scenario) -> list[Condition]:
    """Return the values that are tried of each condition, the scenario's own left out.

    Densities and exposures are multiples of the scenario's; drifts are in um.
    """
    exposures = {
        factor: tuple(
            f"{plate}.exposure_s={getattr(scenario, plate).exposure_s * factor!r}"
            for plate in ("thin", "thick")
        )
        for factor in (0.1, 10.0)
    }
    values: dict[str, dict[str, tuple[str, ...]]] = {
        "thin defect density": {f"x {f:g}": density(scenario, f) for f in (0.3, 3.0)},
        "thin defect contrast": {f"{c:g}": (f"thin.defects.contrast={c}",) for c in (0.2, 0.9)},
        "exposure of both plates": {f"x {f:g}": sets for f, sets in exposures.items()},
        "drift": {"plate 5 um, sample 2 um": _drift(5.0, 2.0)},
        "registration off, plate and sample moved": {
            f"{d:g} um": (*UNREGISTERED, *_drift(d, d)) for d in (0.2, 1.0)
        },
        "target": {
            "lines of 4 um and wider": ("target.line_widths_um=[4.0, 6.0, 8.0, 12.0]",),
            "1 um thick": ("target.thickness_um=1.0",),
        },
        "thin plate": {f"{t:g} um": (f"thin.thickness_um={t}",) for t in (5.0, 50.0)},
    }
    return [
        Condition(axis=axis, label=label, sets=sets)
        for axis, tried in values.items()
        for label, sets in tried.items()
    ]


def _drift(plate_um: float, sample_um: float) -> tuple[str, ...]:
    """Return sets of the drift between stacks."""
    return (
        f"acquisition.plate_drift_um={plate_um}",
        f"acquisition.sample_drift_um={sample_um}",
    )


def density(scenario: Scenario, factor: float) -> tuple[str, ...]:
    """Return sets that multiply the density of all kinds of the thin plate's defects."""
    recipe = scenario.thin.defects
    return tuple(
        f"thin.defects.{kind}_per_mm2={getattr(recipe, f'{kind}_per_mm2') * factor!r}"
        for kind in DEFECT_KINDS
    )


def run_axes(
    load: Load,
    conditions: Sequence[Condition],
    settings: Sequence[Setting],
    seeds: Sequence[int],
    folder: Path,
    progress: Progress,
    *,
    workers: int = 1,
    merge_frames: bool = True,
) -> list[tuple[Condition, Errors]]:
    """Return the errors of settings under each condition; see `study.run_study`."""
    return [
        (
            condition,
            run_study(
                load(condition.sets),
                settings,
                seeds,
                folder,
                progress,
                workers=workers,
                merge_frames=merge_frames,
            ),
        )
        for condition in conditions
    ]


def axis_rows(found: Sequence[tuple[Condition, Errors]]) -> list[Mapping[str, Any]]:
    """Return a row for each condition: axis, label, number of seeds, mean error by setting."""
    return [
        {
            "axis": condition.axis,
            "label": condition.label,
            "sets": list(condition.sets),
            "seeds": len(errors.seeds),
            "mean": errors.mean(),
            "standard_error": errors.standard_error(),
        }
        for condition, errors in found
    ]
