"""Limits of dose and field that no design of a study can keep, found before any work."""

from __future__ import annotations

from collections.abc import Callable

from scintscope.design.beam_numbers import water_dose_gy_per_s
from scintscope.design.study import Study, Value
from scintscope.errors import ScenarioError
from scintscope.instrument import Instrument
from scintscope.response import plate_spectrum
from scintscope.scintillator.plate import Plate

_ROUNDS = 2


def check_reach(study: Study) -> None:
    """Refuse limits of dose or field that the best values of the variables do not meet.

    Raises
    ------
    ScenarioError
        Naming limit, least value reached and where.
    """
    limits = study.constraints
    if limits.max_dose_gy < float("inf"):
        least, where = _least(study, _dose_gy)
        if least > limits.max_dose_gy * (1.0 + 1e-9):
            raise ScenarioError(
                f"constraints.max_dose_gy = {limits.max_dose_gy:g} cannot be met: the least dose "
                f"of a frame is {least:.3g} Gy, {where}. Raise the limit, or shorten the exposure."
            )
    if limits.min_field_um > 0.0:
        negative, where = _least(study, _minus_field_um)
        if -negative < limits.min_field_um * (1.0 - 1e-9):
            raise ScenarioError(
                f"constraints.min_field_um = {limits.min_field_um:g} cannot be met: the largest "
                f"field is {-negative:.4g} um, {where}. Lower the limit, or the magnification."
            )


def _dose_gy(instrument: Instrument, plate: Plate) -> float:
    return plate.exposure_s * water_dose_gy_per_s(plate_spectrum(instrument, plate))


def _minus_field_um(instrument: Instrument, plate: Plate) -> float:
    return -instrument.pixel_um_object * min(instrument.camera.shape)


def _least(study: Study, number: Callable[[Instrument, Plate], float]) -> tuple[float, str]:
    """Return the least value over the grid, and where it is.

    One variable after the other over all its values, twice: exact for numbers that are products of
    functions of one variable each, or that grow or fall with each, as dose and field do.
    """
    family = study.family(study.choices()[0])
    design: dict[str, Value] = {v.key: v.values[0] for v in study.variables}

    def at(key: str, value: Value) -> float:
        return number(*family.instrument({**design, key: value}))

    least = float("inf")
    for _ in range(_ROUNDS):
        for variable in study.variables:
            found = {value: at(variable.key, value) for value in variable.values}
            design[variable.key] = min(found, key=lambda value: found[value])
            least = found[design[variable.key]]
    places = [f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {v}" for k, v in design.items()]
    return least, "at " + ", ".join(places)
