"""Light budget and Swank factor against tables of other origin; see SOURCE.md. Takes seconds."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.camera.parts import Camera
from scintscope.materials import Scintillator, scintillator
from scintscope.materials.attenuation import total_per_um
from scintscope.optics.lens import Lens
from scintscope.outputs import versions, write_json
from scintscope.scenario import load_scenario
from scintscope.scintillator.light_budget import light_budget
from scintscope.scintillator.plate import Plate
from scintscope.scintillator.swank import pulse_moments

HERE = Path(__file__).parent
PAPER = HERE.parents[1] / "scenarios" / "paper.toml"
PIXEL_CM2, BIN_KEV, TUBE_MA = (1.3e-4) ** 2, 0.25, 4.0 / 50.0
BARE, FILTERED = "th20_casim_Be0.2_air200", "th20_casim_Be0.2_Al0.5_air200"
CHAIN = ((BARE, 200, 24.0), (BARE, 20, 6.5), (FILTERED, 200, 8.4), (FILTERED, 20, 1.3))


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a reference table."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain_plate(index: float, thickness_um: float = 50.0) -> Plate:
    """Return a plate of one wavelength and index that nothing is reflected behind."""
    medium = Scintillator(
        name="plain",
        formula="Y3Al5O12",
        density_g_cm3=4.55,
        refractive_index=index,
        emission_um=0.55,
        photons_per_kev=30.0,
    )
    return Plate(scintillator=medium, thickness_um=thickness_um, exposure_s=1.0, back_face="black")


def row(quantity: str, ours: float, reference: float, tolerance: float) -> dict[str, Any]:
    """Return one comparison; the tolerance is absolute."""
    return {
        "quantity": quantity,
        "ours": ours,
        "reference": reference,
        "difference": ours - reference,
        "tolerance": tolerance,
        "inside": bool(abs(ours - reference) <= tolerance),
    }


def collection_rows() -> list[dict[str, Any]]:
    """Compare the collected share of every index and aperture."""
    rows = []
    for line in table("collection.csv"):
        index, na = float(line["index"]), float(line["na"])
        budget = light_budget(plain_plate(index), Lens(na=na), Camera())
        name = f"collection, n = {index:g}, NA = {na:g}"
        rows.append(row(name, budget.collection_fraction, float(line["with_fresnel"]), 6e-7))
    return rows


def spectra() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the columns of the spectra and mu of YAG at their energies."""
    lines = table("spectra.csv")
    columns = {key: np.array([float(line[key]) for line in lines]) for key in lines[0]}
    return columns, total_per_um(scintillator("YAG:Ce"), columns["energy_kev"])


def swank_rows() -> list[dict[str, Any]]:
    """Compare absorbed share and spectral Swank factor of every spectrum and thickness."""
    columns, mu = spectra()
    energy = columns["energy_kev"][:, None]
    rows = []
    for line in table("swank.csv"):
        thickness, photons = float(line["thickness_um"]), columns[line["case"]]
        x, weight = np.polynomial.legendre.leggauss(96)
        density = mu[:, None] * np.exp(-mu[:, None] * 0.5 * thickness * (x + 1.0))
        found = pulse_moments(
            photons, density, density * energy, density * energy**2, 0.5 * thickness * weight
        )
        name = f"{line['case']}, {thickness:g} um"
        share = found.interacting / photons.sum()
        rows.append(row(f"absorbed share, {name}", share, float(line["eta_photon"]), 6e-5))
        rows.append(row(f"Swank factor, {name}", found.swank, float(line["A_spectral"]), 6e-5))
    return rows


def chain_rows() -> list[dict[str, Any]]:
    """Compare electrons per pixel and second, and per absorbed X-ray, of the signal chain."""
    columns, mu = spectra()
    kept = {line["case"]: line for line in table("absorbed_energy.csv")}
    rows = []
    for case, thickness, expected in CHAIN:
        photons = columns[case] * BIN_KEV * TUBE_MA * PIXEL_CM2
        deposited = photons @ columns["energy_kev"] * float(kept[case][f"eta_E_{thickness}um"])
        budget = light_budget(
            plain_plate(1.836, thickness),
            Lens(na=0.4, transmission=0.8),
            Camera(quantum_efficiency=0.55),
        )
        electrons = float(deposited * budget.electrons_per_kev)
        name = f"{case}, {thickness} um"
        rows.append(row(f"electrons per pixel and s, {name}", electrons, expected, 0.03 * expected))
        if expected == 24.0:
            absorbed = float(photons @ -np.expm1(-mu * thickness))
            rows.append(row(f"electrons per X-ray, {name}", electrons / absorbed, 1.7, 0.05))
    return rows


def paper_waterfalls() -> dict[str, Any]:
    """Return the light budget of both plates of the paper's scenario."""
    instrument = load_scenario(PAPER).instrument()
    found = {}
    for name in ("thin", "thick"):
        budget = light_budget(getattr(instrument, name), instrument.lens, instrument.camera)
        found[name] = {step.key: step.factor for step in budget.steps} | {
            "electrons_per_kev": budget.electrons_per_kev,
            "later_share": budget.later_share,
            "mean_wavelength_um": budget.mean_wavelength_um,
            "mean_index": budget.mean_index,
        }
    return found


def main() -> int:
    """Run the case, write result.json and return 1 if a row is outside its tolerance."""
    rows = collection_rows() + swank_rows() + chain_rows()
    paper = paper_waterfalls()
    write_json(HERE / "result.json", {"rows": rows, "paper": paper, "versions": versions()})
    for line in rows:
        print(
            f"{line['quantity']:62s} {line['ours']:10.6f} {line['reference']:10.6f} "
            f"{line['difference']:+.1e} ({line['tolerance']:.0e})"
            f"{'' if line['inside'] else '  OUTSIDE'}"
        )
    for name, steps in paper.items():
        print(name, {key: round(value, 5) for key, value in steps.items()})
    return int(any(not line["inside"] for line in rows))


if __name__ == "__main__":
    sys.exit(main())
