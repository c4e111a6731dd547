"""Deposited energy, its spread and its transfer function against PENELOPE; see SOURCE.md."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.accuracy import Effects
from scintscope.deposition import Deposition, InteractionData, deposition, interaction_data
from scintscope.materials import Absorber
from scintscope.outputs import versions, write_json

HERE = Path(__file__).parent
FORMULAS = {"YAG": "Y3Al5O12", "LuAG": "Lu3Al5O12", "GGG": "Gd3Ga5O12", "CsI": "CsI"}
TRANSPORT = Effects(fluorescence="transport", electrons=True, scattered_photons=True)
YTTRIUM, YTTRIUM_K_YIELD = 39, 0.7155
ENERGY_SHARE, SPREAD_SHARE, TRANSFER = 0.03, 0.02, 0.03
HIGHEST_COMPARED_LP_MM, HIGHEST_COMPARED_KEV = 500.0, 40.0


def rows(name: str) -> list[dict[str, Any]]:
    """Return a table's rows; numbers as floats, blanks as None."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [{k: number(v) for k, v in row.items()} for row in csv.DictReader(file)]


def number(text: str) -> float | str | None:
    """Return a cell as a number if it is one, None if it is blank."""
    try:
        return float(text)
    except ValueError:
        return text or None


def penelope_data(material: Absorber) -> InteractionData:
    """Return the material with PENELOPE's total attenuation and the yield of the task."""
    table = [r for r in rows("attenuation_penelope.csv") if r["material"] == material.name]
    return interaction_data(
        material,
        total_kev=np.array([r["energy_kev"] for r in table]),
        total_cm2_g=np.array([r["mu_cm2_g"] for r in table]),
        k_yields={YTTRIUM: YTTRIUM_K_YIELD},
    )


def histories(row: dict[str, Any]) -> float:
    """Return about how many histories of the reference left energy, from its standard error."""
    return row["fraction"] * (1.0 - row["fraction"]) / row["sigma"] ** 2 * row["collided_penelope"]


def energy_row(row: dict[str, Any], ours: float, tabulated: float) -> dict[str, Any]:
    """Return the comparison of the deposited share of the incident energy."""
    tolerance = max(ENERGY_SHARE, 3.0 * row["sigma"] / row["fraction"])
    return {
        "quantity": "deposited energy, relative deviation",
        "material": row["material"],
        "thickness_um": row["thickness_um"],
        "energy_kev": row["energy_kev"],
        "reference": row["fraction"],
        "deviation": ours / row["fraction"] - 1.0,
        "deviation_with_xraylib": tabulated / row["fraction"] - 1.0,
        "tolerance": tolerance,
    }


def spread_rows(row: dict[str, Any], plate: Deposition, weights: Any) -> list[dict[str, Any]]:
    """Return the comparison of the shares within 5 and 30 um and beyond 100 um."""
    beyond = plate.distant_share(weights, np.array([5.0, 30.0, 100.0]))
    ours = {"within_5_um": 1.0 - beyond[0], "within_30_um": 1.0 - beyond[1]}
    ours["beyond_100_um"] = beyond[2]
    found = []
    for name, value in ours.items():
        share = row[name]
        error = np.sqrt(share * (1.0 - share) / histories(row))
        found.append(
            {
                "quantity": name,
                "material": row["material"],
                "thickness_um": row["thickness_um"],
                "energy_kev": row["energy_kev"],
                "reference": share,
                "deviation": float(value - share),
                "tolerance": float(SPREAD_SHARE + 3.0 * error),
            }
        )
    return found


def transfer_rows(row: dict[str, Any], plate: Deposition, weights: Any) -> list[dict[str, Any]]:
    """Return the comparison of the transfer function; reported only where no tolerance is set."""
    table = rows("transfer_yag.csv")
    key = (row["thickness_um"], row["energy_kev"])
    match = [r for r in table if (r["thickness_um"], r["energy_kev"]) == key]
    found = []
    for line in match:
        names = [name for name in line if name.startswith("mtf_")]
        places = [float(n.removeprefix("mtf_").removesuffix("_lp_mm")) for n in names]
        transfer = plate.transfer_function(weights, np.array(places) / 1000.0)
        for name, lp_mm, ours in zip(names, places, transfer, strict=True):
            value = line[name]
            error = np.sqrt(max(1.0 - value**2, 0.0) / (2.0 * histories(row)))
            judged = lp_mm <= HIGHEST_COMPARED_LP_MM and key[1] <= HIGHEST_COMPARED_KEV
            found.append(
                {
                    "quantity": f"transfer function at {lp_mm:g} lp/mm",
                    "material": row["material"],
                    "thickness_um": key[0],
                    "energy_kev": key[1],
                    "reference": value,
                    "deviation": float(ours) - value,
                    "tolerance": float(TRANSFER + 3.0 * error) if judged else None,
                }
            )
    return found


def compare(material: str, thickness_um: float) -> list[dict[str, Any]]:
    """Return all comparisons for one plate."""
    table = [
        r
        for r in rows("deposited_energy.csv")
        if r["material"] == material and r["thickness_um"] == thickness_um
    ]
    host = Absorber(
        name=material,
        formula=FORMULAS[material],
        density_g_cm3=table[0]["density_g_cm3"],
    )
    energy = np.array([r["energy_kev"] for r in table])
    plate = deposition(host, thickness_um, energy, TRANSPORT, data=penelope_data(host))
    ours = plate.balance().deposited
    tabulated = deposition(host, thickness_um, energy, TRANSPORT).balance().deposited
    found = []
    for i, row in enumerate(table):
        found.append(energy_row(row, float(ours[i]), float(tabulated[i])))
        if row["within_5_um"] is not None:
            weights = np.eye(energy.size)[i]
            found += spread_rows(row, plate, weights) + transfer_rows(row, plate, weights)
    return found


def passed(row: dict[str, Any]) -> bool:
    """Return whether a row is inside its tolerance, or has none."""
    return row["tolerance"] is None or abs(row["deviation"]) <= row["tolerance"]


def main() -> int:
    """Run the case, write result.json and return 1 if a row is outside its tolerance."""
    plates = sorted({(r["material"], r["thickness_um"]) for r in rows("deposited_energy.csv")})
    found = [row for plate in plates for row in compare(*plate)]
    write_json(HERE / "result.json", {"rows": found, "versions": versions()})
    bad = [row for row in found if not passed(row)]
    for row in bad:
        print("outside:", row)
    for name in sorted({row["quantity"] for row in found}):
        deviations = [abs(row["deviation"]) for row in found if row["quantity"] == name]
        print(f"{name:40s} {len(deviations):3d} rows, largest {max(deviations):.4f}")
    print(f"{len(found) - len(bad)} of {len(found)} rows inside their tolerance or without one")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
