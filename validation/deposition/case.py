"""Deposited energy, its spread and its transfer function against PENELOPE; see SOURCE.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scintscope.accuracy import Effects
from scintscope.deposition import Deposition, InteractionData, deposition, interaction_data
from scintscope.materials import Absorber
from scintscope.materials.attenuation import absorption_edges_kev
from scintscope.source import Filter, TubeSource, beam_spectrum
from scintscope.validate import Row, read_table, relative_row, row, worst

HERE = Path(__file__).parent
FORMULAS = {"YAG": "Y3Al5O12", "LuAG": "Lu3Al5O12", "GGG": "Gd3Ga5O12", "CsI": "CsI"}
TRANSPORT = Effects(fluorescence="transport", electrons=True, scattered_photons=True)
YTTRIUM, YTTRIUM_K_YIELD = 39, 0.7155
ENERGY_SHARE, SPREAD_SHARE, TRANSFER, BEAM_SHARE = 0.03, 0.02, 0.03, 0.04
SOURCE = "PENELOPE physics, pyPenred 1.15.2.0 (penRed)"
HIGHEST_COMPARED_LP_MM, HIGHEST_COMPARED_KEV = 500.0, 40.0


def table(name: str) -> list[dict[str, Any]]:
    """Return a reference table of this folder."""
    return read_table(HERE / name)


def penelope_data(material: Absorber) -> InteractionData:
    """Return the material with PENELOPE's total attenuation and the yield of the task."""
    lines = [r for r in table("attenuation_penelope.csv") if r["material"] == material.name]
    return interaction_data(
        material,
        total_kev=np.array([r["energy_kev"] for r in lines]),
        total_cm2_g=np.array([r["mu_cm2_g"] for r in lines]),
        k_yields={YTTRIUM: YTTRIUM_K_YIELD},
    )


def histories(row: dict[str, Any]) -> float:
    """Return about how many histories of the reference left energy, from its standard error."""
    return row["fraction"] * (1.0 - row["fraction"]) / row["sigma"] ** 2 * row["collided_penelope"]


def place(line: dict[str, Any]) -> str:
    """Return where a number holds."""
    return f"{line['thickness_um']:g} um {line['material']}, {line['energy_kev']:g} keV"


def energy_row(line: dict[str, Any], ours: float) -> Row:
    """Return the comparison of the deposited share of the incident energy."""
    tolerance = max(ENERGY_SHARE, 3.0 * line["sigma"] / line["fraction"])
    return row(
        f"deposited energy share, {place(line)}",
        ours,
        line["fraction"],
        tolerance * line["fraction"],
        reason="3 % between photoelectric tables, or 3 standard errors",
        source=SOURCE,
    )


def spread_rows(line: dict[str, Any], plate: Deposition, weights: Any) -> list[Row]:
    """Return the comparison of the shares within 5 and 30 um and beyond 100 um."""
    beyond = plate.distant_share(weights, np.array([5.0, 30.0, 100.0]))
    ours = {"within_5_um": 1.0 - beyond[0], "within_30_um": 1.0 - beyond[1]}
    ours["beyond_100_um"] = beyond[2]
    found = []
    for name, value in ours.items():
        share = line[name]
        error = np.sqrt(share * (1.0 - share) / histories(line))
        found.append(
            row(
                f"energy {name.replace('_', ' ')}, {place(line)}",
                value,
                share,
                SPREAD_SHARE + 3.0 * error,
                reason="0.02 asked of the spread, plus 3 standard errors of the histories",
                source=SOURCE,
            )
        )
    return found


def transfer_rows(line: dict[str, Any], plate: Deposition, weights: Any) -> list[Row]:
    """Return the comparison of the transfer function where the reference's bins allow it."""
    key = (line["thickness_um"], line["energy_kev"])
    found = []
    for other in table("transfer_yag.csv"):
        if (other["thickness_um"], other["energy_kev"]) != key or key[1] > HIGHEST_COMPARED_KEV:
            continue
        names = [name for name in other if name.startswith("mtf_")]
        places = [float(n.removeprefix("mtf_").removesuffix("_lp_mm")) for n in names]
        transfer = plate.transfer_function(weights, np.array(places) / 1000.0)
        for name, lp_mm, ours in zip(names, places, transfer, strict=True):
            if lp_mm > HIGHEST_COMPARED_LP_MM:
                continue
            error = np.sqrt(max(1.0 - other[name] ** 2, 0.0) / (2.0 * histories(line)))
            found.append(
                row(
                    f"deposition MTF at {lp_mm:g} lp/mm, {place(line)}",
                    float(ours),
                    other[name],
                    TRANSFER + 3.0 * error,
                    reason="0.03 asked of the spread, plus 3 standard errors of the histories",
                    source=SOURCE,
                )
            )
    return found


def compare(material: str, thickness_um: float) -> list[Row]:
    """Return all comparisons for one plate: energies one by one, spread by its worst."""
    lines = [
        r
        for r in table("deposited_energy.csv")
        if r["material"] == material and r["thickness_um"] == thickness_um
    ]
    host = Absorber(
        name=material,
        formula=FORMULAS[material],
        density_g_cm3=lines[0]["density_g_cm3"],
    )
    energy = np.array([r["energy_kev"] for r in lines])
    plate = deposition(host, thickness_um, energy, TRANSPORT, data=penelope_data(host))
    ours = plate.balance().deposited
    found, spread, transfer = [], [], []
    for i, line in enumerate(lines):
        found.append(energy_row(line, float(ours[i])))
        if line["within_5_um"] is not None:
            weights = np.eye(energy.size)[i]
            spread += spread_rows(line, plate, weights)
            transfer += transfer_rows(line, plate, weights)
    name = f"{thickness_um:g} um {material}"
    if spread:
        found.append(worst(spread, f"shares of energy by radius, {name}"))
    if transfer:
        found.append(worst(transfer, f"deposition MTF, {name}"))
    return found


def beam_rows() -> list[Row]:
    """Return the share of a tube's energy that YAG keeps, our spectrum and attenuation."""
    host = Absorber(name="YAG", formula=FORMULAS["YAG"], density_g_cm3=4.55)
    edges = absorption_edges_kev(host, 5.0, 50.0)
    kept = {line["case"]: line for line in table("absorbed_energy.csv")}
    found = []
    for al_mm in (0.0, 0.2, 0.5, 1.0):
        filters = [Filter(material="Be", thickness_um=200.0)]
        if al_mm:
            filters.append(Filter(material="Al", thickness_um=1000.0 * al_mm))
        spectrum = beam_spectrum(TubeSource(filters=tuple(filters)), 200.0, 1.0, edges)
        energy, photons = spectrum.energy_kev, spectrum.photons_per_um2_s
        al = f"_Al{al_mm}" if al_mm else ""
        for thickness in (20, 200):
            share = deposition(host, float(thickness), energy, TRANSPORT).balance().deposited
            found.append(
                relative_row(
                    f"share of the beam's energy kept, {thickness} um YAG, {al_mm:g} mm Al",
                    float((photons * energy) @ share / (photons @ energy)),
                    kept[f"th20_casim_Be0.2{al}_air200"][f"eta_E_{thickness}um"],
                    BEAM_SHARE,
                    reason="3 % between photoelectric tables, 1 % of the spectra's bins",
                    source="SpekPy 2.5.4 spectra times PENELOPE shares at single energies",
                )
            )
    return found


def rows(quick: bool) -> list[Row]:
    """Return the comparisons for every plate and beams, or for 200 um of YAG alone."""
    plates = sorted({(r["material"], r["thickness_um"]) for r in table("deposited_energy.csv")})
    chosen = [("YAG", 200.0)] if quick else plates
    found = [item for plate in chosen for item in compare(*plate)]
    return found if quick else found + beam_rows()
