"""Where the numbers of Zhou et al. 2025 do and do not come out of this run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scintscope.optics.defocus import geometric_disc_um
from scintscope.report.records import FinishedRun, Table
from scintscope.report.tables import NONE, number
from scintscope.scenario import Scenario
from scintscope.source import TubeSource
from scintscope.units import UM_PER_MM

_CLOSE = 0.05
"""Within five per cent of the printed, rounded number counts as reproduced."""

YES, NO = "reproduces", "does not reproduce"

_Cells = tuple[str, str, str, str, str]


def is_papers_instrument(scenario: Scenario) -> bool:
    """Return whether a scenario is the paper's 5x instrument (50 kV, NA 0.4, 20 and 200 um)."""
    source = scenario.source
    return (
        isinstance(source, TubeSource)
        and source.voltage_kv == 50.0
        and scenario.lens.na == 0.4
        and scenario.lens.magnification == 5.0
        and scenario.camera.pixel_um_sensor == 6.5
        and scenario.thin.thickness_um == 20.0
        and scenario.thick.thickness_um == 200.0
    )


def paper_table(run: FinishedRun) -> Table:
    """Return paper's number, this run's, and whether they agree; see `is_papers_instrument`."""
    rows = [*_optics_rows(run), *_beam_rows(run), *_image_rows(run.metrics)]
    return Table(
        title="Where the paper's numbers do and do not reproduce",
        head=["quantity", "paper", "this run", "verdict", "why"],
        rows=rows,
        note="Agreement: within 5 % of the printed number. Zhou et al. 2025, An approach to "
        "overcome the resolution-efficiency trade-off in X-ray scintillator imaging.",
    )


def _verdict(ours: float | None, printed: float) -> str:
    if ours is None:
        return "not measured"
    return YES if abs(ours - printed) <= _CLOSE * abs(printed) else NO


def _optics_rows(run: FinishedRun) -> list[_Cells]:
    instrument = run.bench.experiment.instrument
    lens, response = run.sheet["lens"], run.bench.responses["thick"]
    na, index = response.path.na, response.path.index
    air = lens["first_zero_defocus_um"]["air"]
    inside = lens["first_zero_defocus_um"]["scintillator"]
    nyquist = instrument.camera_nyquist_cy_per_um * UM_PER_MM
    half = 0.5 * response.thickness_um
    disc, refracted = geometric_disc_um(half, na), geometric_disc_um(half, na, index)
    sensor, pixel = instrument.camera.pixel_um_sensor, instrument.pixel_um_object
    return [
        (
            "Nyquist frequency, object", "384 lp/mm", f"{nyquist:.1f} lp/mm",
            _verdict(nyquist, 384.0), "",
        ),
        (
            "defocus of zero contrast at Nyquist", "5.5 um",
            f"{number(air, '.2f')} um in air, {number(inside, '.2f')} um in the plate",
            f"{_verdict(air, 5.5)} in air only",
            f"the light is made inside the plate, index {index:.2f}",
        ),
        (
            "depth of field", "11 um",
            f"{number(_twice(air), '.1f')} um in air, {number(_twice(inside), '.1f')} um inside",
            f"{_verdict(_twice(air), 11.0)} in air only",
            "inside, the 20 um plate about fits the depth of field",
        ),
        (
            "blur disc of 100 um defocus, s", "86 um",
            f"{disc:.1f} um in air, {refracted:.1f} um in the plate",
            f"{_verdict(disc, 86.0)} in air only", "refraction narrows the cone",
        ),
        (
            "the same in pixels", "13 px",
            f"{disc / sensor:.1f}; on the object's pixels {disc / pixel:.0f} in air, "
            f"{refracted / pixel:.0f} in the plate",
            NO, "the printed 13 divides a length at the object by a pixel at the sensor",
        ),
    ]  # fmt: skip


def _twice(value: float | None) -> float | None:
    return None if value is None else 2.0 * value


def _beam_rows(run: FinishedRun) -> list[_Cells]:
    scenario, sheet = run.scenario, run.sheet
    rates = {
        name: sheet[name]["electrons_per_pixel"] / getattr(scenario, name).exposure_s
        for name in ("thin", "thick")
    }
    ratio = rates["thick"] / rates["thin"]
    share = sheet["spectrum"]["fraction_10_30_kev"]
    response = run.bench.responses["thick"]
    energy = response.spectrum.energy_kev
    inside = (energy >= 10.0) & (energy <= 30.0)
    reach = 1.0 / np.asarray(response.deposition.attenuation_per_um)[inside]
    return [
        (
            "exposures 10 s (thin), 1 s (thick)", "ratio 10", f"light ratio {ratio:.2f}",
            _verdict(ratio, 10.0), "absorption alone gives less; equal signal needs no 10 s",
        ),
        (
            "photons between 10 and 30 keV", "predominant", f"{share:.0%}",
            YES if share > 0.5 else NO,
            "depends on the window: tungsten L lines at 8-12 keV pass thin beryllium",
        ),
        (
            "depth reached by 10-30 keV photons", "100-200 um",
            f"1/attenuation {reach.min():.0f} to {reach.max():.0f} um",
            NO if reach.min() < 95.0 or reach.max() > 210.0 else YES,
            "the yttrium K edge at 17.04 keV makes it rise and fall",
        ),
    ]  # fmt: skip


def _image_rows(metrics: Mapping[str, Any]) -> list[_Cells]:
    target = metrics["restoration"]["target"]
    gain = target["psd_gain_max"]
    rows = [
        (
            "largest gain of the power spectrum", "8.45",
            f"{number(gain, '.2f')} (signal {number(target['psd_gain_max_signal'], '.2f')}, "
            f"noise {number(target['psd_gain_max_noise'], '.2f')})",
            _verdict(gain, 8.45), "the paper's number counts signal and noise together",
        ),
        _piqe_row("target", target, {"thick": 63.2, "restored": 48.9, "thin": 75.4}),
    ]  # fmt: skip
    specimen = metrics["restoration"].get("specimen")
    if specimen is not None:
        rows.append(_piqe_row("specimen", specimen, {"thick": 14.0, "restored": 9.13}))
    return rows


def _piqe_row(name: str, numbers: Mapping[str, Any], printed: Mapping[str, float]) -> _Cells:
    """Compare the order of the scores: absolute values hang on content and grey-level mapping."""
    ours = {kind: numbers[f"piqe_{kind}"] for kind in printed}
    known = all(value is not None for value in ours.values())
    same = known and sorted(ours, key=lambda k: ours[k]) == sorted(
        printed, key=lambda k: printed[k]
    )
    return (
        f"PIQE, {name}: {', '.join(printed)}",
        ", ".join(f"{value:g}" for value in printed.values()),
        ", ".join(number(value, ".1f") for value in ours.values()),
        f"order {YES}" if same else f"order {NO}" if known else NONE,
        "a blind score: it does not know the truth, and noise moves it",
    )
