"""Refractive indices and emission against published measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scintscope.materials import scintillator
from scintscope.materials.optical import internal_transmittance, refractive_index
from scintscope.validate import Row, read_table, row, worst

HERE = Path(__file__).parent
DATABASE = "refractiveindex.info (CC0, commit ff11b589): {}"
COLUMNS = {
    "YAG_Zelmon1998": "YAG",
    "LuAG_Hrabovsky2021": "LuAG",
    "CsI_Li1976": "CsI",
    "Lu2O3_Medenbach2001": "Lu2O3",
    "ZF7_CDGM": "ZF7",
}
SPOT = (
    ("YAG", 0.50, 1.8450, 0.004, "Bond 1965, refractiveindex.info", "tables differ by 0.003"),
    ("YAG", 0.60, 1.8347, 0.004, "Bond 1965, refractiveindex.info", "tables differ by 0.003"),
    ("YAG", 0.55, 1.82, 0.02, "Crytur, nominal", "two printed digits and growth conditions"),
    ("LuAG", 0.55, 1.84, 0.005, "Crytur, nominal", "two printed digits"),
    ("CsI", 0.55, 1.78, 0.02, "vendor, nominal", "two printed digits and no wavelength"),
    ("GGG", 0.5893, 1.970, 5e-4, "GIA, gem reference", "three printed digits"),
    ("fused silica", 0.5875618, 1.45846, 1e-5, "Malitson 1965", "five printed digits"),
    ("ZF7", 0.5875618, 1.806277, 2e-5, "CDGM data sheet, n_d", "six printed digits, fit of 1e-5"),
)


def formula_rows() -> list[Row]:
    """Return dispersion formulas beside the database's."""
    table = read_table(HERE / "refractive_index.csv")
    found = []
    for column, material in COLUMNS.items():
        group = [
            row(f"{line['lambda_um']:g} um", refractive_index(material, line["lambda_um"]),
                line[column], 6e-6, reason="five printed digits", kind="measurement",
                source=DATABASE.format(column))
            for line in table
            if line[column] is not None
        ]  # fmt: skip
        found.append(worst(group, f"dispersion of {material}"))
    group = [
        row(f"{line['lambda_um']:g} um", refractive_index("YAG", line["lambda_um"]),
            line["YAG_Hrabovsky2021"], 1e-3, kind="measurement",
            reason="crystals of two makers, about 1e-3", source=DATABASE.format("Hrabovsky 2021"))
        for line in table
    ]  # fmt: skip
    return [*found, worst(group, "YAG beside a second measurement")]


def spot_rows() -> list[Row]:
    """Return single published indices, and the transmission of the lead glass."""
    found = [
        row(f"index of {material} at {1000.0 * wavelength:g} nm, {source.split(',')[0]}",
            refractive_index(material, wavelength), value, tolerance, reason=reason,
            source=source, kind="measurement")
        for material, wavelength, value, tolerance, source, reason in SPOT
    ]  # fmt: skip
    glass = internal_transmittance("ZF7", 0.55, 2000.0)
    found.append(
        row("internal transmission of 2 mm of ZF7 at 550 nm", np.nan if glass is None else glass,
            0.9988, 5e-5, reason="four printed digits", source="CDGM data sheet",
            kind="measurement")
    )  # fmt: skip
    return found


def emission_rows() -> list[Row]:
    """Return centroids of the emission and light yields beside published ones."""
    found = []
    for name, centroid, other_yield in (("YAG:Ce", 569.2, 32.6), ("LuAG:Ce", 548.8, 18.1)):
        material = scintillator(name)
        band = material.band
        ours = float(np.asarray(band.wavelength_nm) @ np.asarray(band.weight))
        found += [
            row(f"centroid of the emission of {name}", ours, centroid, 3.0, unit="nm",
                kind="measurement", reason="digitised from a plot to 3 nm",
                source="APS beamline 2-BM, plot of radioluminescence"),
            row(f"light yield of {name}", material.photons_per_kev, other_yield,
                0.15 * other_yield, unit="photons/keV", kind="measurement",
                source="662 keV, Prog. Appl. Sci. Technol. 9 (2019); ours is a vendor's",
                reason="15 %: published yields of one material spread by 7 (YAG) to 30 % (LuAG)"),
        ]  # fmt: skip
    return found


def rows(quick: bool) -> list[Row]:
    """Return the comparisons; they take no time."""
    return formula_rows() + spot_rows() + emission_rows()
