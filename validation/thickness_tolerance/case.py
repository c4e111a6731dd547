"""The thickness tolerance of two lenses by another code; see SOURCE.md."""

from __future__ import annotations

from pathlib import Path

from scintscope.optics.tolerance import contrast_after_exchange, tolerance_range
from scintscope.optics.wavefront import OpticalPath
from scintscope.scenario import load_scenario
from scintscope.validate import Row, read_table, relative_row, row

HERE = Path(__file__).parent
SCENARIOS = {"5x": "paper.toml", "10x": "paper_10x.toml"}
INDEX = 1.82
"""Of the other code; the scenarios' own index of YAG changes the numbers by about 1 %."""
OTHER = "2-D pupil autocorrelation, another program (audit of the paper)"


def lenses() -> dict[str, tuple[OpticalPath, float]]:
    """Return path and camera pixel of both lenses."""
    found = {}
    for name, file in SCENARIOS.items():
        instrument = load_scenario(HERE.parents[1] / "scenarios" / file).instrument()
        lens = instrument.lens
        path = OpticalPath(
            na=lens.na,
            index=INDEX,
            wavelength_um=0.55,
            corrected_for_um=lens.corrected_for_um,
            magnification=lens.magnification,
        )
        found[name] = (path, instrument.pixel_um_object)
    return found


def independent() -> list[Row]:
    """Return our thickness tolerances beside those of the other code."""
    found = []
    for line in read_table(HERE / "independent.csv"):
        if line["tolerance"] is None:  # refuted by the other code's own second number, below
            continue
        path, _ = lenses()[line["lens"]]
        frequency = 0.5 / (1.3 if line["frequency_lp_per_mm"] == 384.6 else 0.65)
        name = f"{line['lens']}, {line['frequency_lp_per_mm']:g} lp/mm, moves {line['refocus']}"
        found.append(
            relative_row(
                f"thicker than 50 um until the MTF is 0.30: {name}",
                tolerance_range(path, frequency, refocus=line["refocus"]).more_um,
                line["more_um"],
                line["tolerance"],
                unit="um",
                reason="printed digits",
                source=OTHER,
            )
        )
    return found


def contrasts() -> list[Row]:
    """Return the contrast of the 5x lens at its best focus behind plates too thick for it."""
    path, _ = lenses()["5x"]
    found = []
    for more, expected in ((50.0, 0.6646), (160.0, 0.6399), (250.0, 0.6019)):
        ours = contrast_after_exchange(50.0 + more, 0.5 / 1.3, path, "stage")
        name = f"5x, 384.6 lp/mm, stage at its best, {more:g} um too thick: MTF"
        found.append(row(name, ours, expected, 6e-5, reason="four printed digits", source=OTHER))
    return found


def rows(quick: bool) -> list[Row]:
    """Return all comparisons; the thickness tolerances take some seconds each."""
    return contrasts() if quick else contrasts() + independent()
