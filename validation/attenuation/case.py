"""Attenuation, edges, K lines and mu_en against tables of other origin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scintscope.materials import Absorber, attenuation, scintillator
from scintscope.units import UM_PER_CM
from scintscope.validate import Row, read_table, relative_row, row, worst

HERE = Path(__file__).parent
HOSTS = {
    "yag": ("Y3Al5O12", 4.55),
    "luag": ("Lu3Al5O12", 6.73),
    "ggg": ("Gd3Ga5O12", 7.10),
    "gagg": ("Gd3Al2Ga3O12", 6.63),
    "csi": ("CsI", 4.51),
    "gos": ("Gd2O2S", 7.34),
    "lso": ("Lu2SiO5", 7.40),
    "lu2o3": ("Lu2O3", 9.42),
}
TABLES = {"penelope_cm2_g": "PENELOPE 2018 tables shipped with SpekPy 2.5.4",
          "chantler_cm2_g": "Chantler tables, xraydb 4.5.8"}  # fmt: skip
SPREAD = "documented spread between tabulations: 5 % below a K edge, 6 % around 5 keV"
LARGEST_SPREAD, TYPICAL_SPREAD = 0.06, 0.03
SHOWN = {"luag": "LuAG", "csi": "CsI", "gos": "Gd2O2S", "lu2o3": "Lu2O3"}
AT_EDGE_KEV = 0.3
TABLE_SHARE, YIELD_SHARE = 0.05, 0.04
CRYTUR = ((10.0, 37.03), (20.0, 31.78), (30.0, 10.51), (40.0, 4.838), (50.0, 2.638), (100.0, 0.475))


def shown(name: str) -> str:
    """Return a crystal's name as it is written."""
    return SHOWN.get(name, name.upper())


def host(name: str) -> Absorber:
    """Return a host crystal."""
    formula, density = HOSTS[name]
    return Absorber(name=name, formula=formula, density_g_cm3=density)


def mass_coefficient(material: Absorber, per_um: np.ndarray) -> np.ndarray:
    """Return 1/um as cm2/g."""
    return per_um * UM_PER_CM / material.density_g_cm3


def total_rows(name: str) -> list[Row]:
    """Return the comparison of one material's attenuation with each table.

    Tables disagree without bound at an edge, where one of them interpolates across it: points
    within 0.3 keV of one are left out.
    """
    lines = [line for line in read_table(HERE / "attenuation.csv") if line["material"] == name]
    material = host(name)
    edges = attenuation.absorption_edges_kev(material, 4.0, 110.0)
    lines = [x for x in lines if np.abs(edges - x["energy_kev"]).min(initial=9.0) > AT_EDGE_KEV]
    energy = np.array([line["energy_kev"] for line in lines])
    ours = mass_coefficient(material, attenuation.total_per_um(material, energy))
    found = []
    for column, source in TABLES.items():
        theirs = np.array([line[column] for line in lines])
        group = [
            relative_row(f"{e:g} keV", mu, other, LARGEST_SPREAD, unit="cm2/g", reason=SPREAD,
                         source=source)
            for e, mu, other in zip(energy, ours, theirs, strict=True)
        ]  # fmt: skip
        what = f"attenuation of {shown(name)}, {source.split()[0]}"
        median = float(np.median(ours / theirs))
        found += [
            worst(group, what),
            row(f"{what}: median ratio", median, 1.0, TYPICAL_SPREAD, source=source,
                reason="documented spread between tabulations, 1 to 3 %"),
        ]  # fmt: skip
    return found


def yag_rows() -> list[Row]:
    """Return the comparison of YAG with PENELOPE at energies of the beam, and a vendor's."""
    lines = [line for line in read_table(HERE / "attenuation.csv") if line["material"] == "yag"]
    yag = host("yag")
    found = []
    for line in lines:
        if line["energy_kev"] in (10.0, 17.1, 20.0, 30.0, 50.0):
            energy = np.array([line["energy_kev"]])
            ours = float(mass_coefficient(yag, attenuation.total_per_um(yag, energy))[0])
            found.append(
                relative_row(f"attenuation of YAG at {energy[0]:g} keV", ours,
                             line["penelope_cm2_g"], 0.042, unit="cm2/g", reason=SPREAD,
                             source=TABLES["penelope_cm2_g"])
            )  # fmt: skip
    for value, expected in CRYTUR:
        energy = np.array([value])
        without = attenuation.total_per_um(yag, energy) - attenuation.rayleigh_per_um(yag, energy)
        found.append(
            relative_row(f"YAG without coherent scattering at {value:g} keV",
                         float(mass_coefficient(yag, without)[0]), expected, 0.035, unit="cm2/g",
                         kind="measurement", source="Crytur, table of scintillation materials",
                         reason="its source is not stated: 1.5 % between tables, 3 % at 100 keV")
        )  # fmt: skip
    return found


def kept_and_shining(material: Absorber, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mu_en, energy left per photon energy and um, and the same that lines carry away."""
    photo = attenuation.photoelectric_per_um(material, energy) * energy
    recoil = attenuation.mean_compton_fraction(energy) * energy
    whole = photo + attenuation.compton_per_um(material, energy) * recoil
    lines = attenuation.fluorescence_lines(material, energy, ("K", "L"))
    shining = sum((line.rate_per_um * line.line_kev for line in lines), np.zeros(energy.size))
    return (whole - shining) / energy, shining / energy


def balance_row(name: str) -> Row:
    """Return the comparison of our energy balance with PENELOPE's mu_en.

    What a table of yields is uncertain by, 4 %, counts by the energy the lines carry over the
    energy that stays: just above the K edge of a heavy element that is more than one.
    """
    table = read_table(HERE / "energy_absorption.csv")
    lines = [line for line in table if line["material"] == name]
    material = host(name)
    energy = np.array([line["energy_kev"] for line in lines])
    kept, shining = kept_and_shining(material, energy)
    share = np.hypot(TABLE_SHARE, YIELD_SHARE * shining / kept)
    group = [
        relative_row(f"{line['energy_kev']:g} keV", mu, line["penelope_cm2_g"], limit, unit="cm2/g",
                     reason="PENELOPE over NIST is 0.962 to 1.057, yields differ by 4 %",
                     source="PENELOPE Monte Carlo (mutren), pyPenred 1.15.2.0")
        for line, mu, limit in zip(lines, mass_coefficient(material, kept), share, strict=True)
    ]  # fmt: skip
    return worst(group, f"mu_en of {shown(name)} from shells, yields and lines")


def shell_rows(line: dict[str, Any]) -> list[Row]:
    """Return the comparison of an element's K edge and of its K photons per photoelectric event."""
    element = line["element"]
    pure = Absorber(name=element, formula=element, density_g_cm3=5.0)
    edge = line["edge_kev_xraydb"]
    energy = np.array([1.02 * edge])
    lines = attenuation.fluorescence_lines(pure, energy)
    rate = sum(float(found.rate_per_um[0]) for found in lines)
    ours = rate / float(attenuation.photoelectric_per_um(pure, energy)[0])
    expected = (1.0 - 1.0 / line["jump_xraydb"]) * line["yield_xraydb"]
    edges = attenuation.absorption_edges_kev(pure, edge - 0.5, edge + 0.5)
    elam = "Elam, Ravel and Sieber 2002, xraydb 4.5.8"
    return [
        relative_row(f"K photons per photoelectric event of {element}", ours, expected, 0.07,
                     reason="two compilations of the yield differ by 4 %, of the jump by 2 %",
                     source=elam),
        row(f"K edge of {element}", float(edges[np.abs(edges - edge).argmin()]), edge, 1e-3,
            unit="keV", reason="three printed digits after the point", source=elam),
    ]  # fmt: skip


def rows(quick: bool) -> list[Row]:
    """Return the comparisons, or those of YAG."""
    names = ("yag",) if quick else tuple(HOSTS)
    found = yag_rows()
    for name in names:
        found += [*total_rows(name), balance_row(name)]
    for line in read_table(HERE / "k_shells.csv"):
        if not quick or line["element"] == "Y":
            found += shell_rows(line)
    density = scintillator("YAG:Ce").density_g_cm3
    found.append(
        relative_row("density of YAG:Ce", density, 4.57, 0.01, unit="g/cm3", kind="measurement",
                     reason="vendors quote 4.55 to 4.57", source="Crytur data table")
    )  # fmt: skip
    return found
