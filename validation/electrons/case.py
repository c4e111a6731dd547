"""Electron ranges and the spread they cause against PENELOPE; see SOURCE.md. Takes a minute."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import xraylib
from scipy.special import j0

from scintscope.electrons import ElectronKernel, electron_kernel
from scintscope.electrons.atoms import atom
from scintscope.electrons.medium import csda_range_um
from scintscope.electrons.stopping import stopping_power_kev_cm2_g
from scintscope.materials import Absorber
from scintscope.materials.composition import mass_fractions
from scintscope.materials.shells import moles_per_gram
from scintscope.outputs import versions, write_json

HERE = Path(__file__).parent
HOSTS = {
    "YAG": ("Y3Al5O12", 4.55),
    "LuAG": ("Lu3Al5O12", 6.73),
    "GGG": ("Gd3Ga5O12", 7.10),
    "GAGG": ("Gd3Al2Ga3O12", 6.63),
    "CsI": ("CsI", 4.51),
}
BIN_UM, TRACKS = 0.2, 3000
CY_PER_UM = {"100": 0.1, "200": 0.2, "384_6": 0.3846, "500": 0.5}
PLATEAU = "20"
MTF_TOLERANCE, SHARE_TOLERANCE, RANGE_PER_CENT = 0.03, 0.02, 5.0


def rows_of(name: str) -> list[dict[str, float]]:
    """Return a reference table."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def ranges() -> dict[str, dict[str, list[float]]]:
    """Return CSDA ranges minus PENELOPE's, per cent, for both choices of I."""
    reference = rows_of("csda_range.csv")
    energy = np.geomspace(0.05, 100.0, 400)
    wanted = np.log([row["E_keV"] for row in reference])
    out = {}
    for name, (formula, density) in HOSTS.items():
        atoms = moles_per_gram(formula)
        weight = np.array([z * n for z, n in atoms])
        log_i = np.log([atom(z).excitation_kev for z, _ in atoms])
        out[name] = {}
        for label, i_kev in (
            ("atoms_in_solids", None),
            ("free_elements", float(np.exp(weight @ log_i / weight.sum()))),
        ):
            s = stopping_power_kev_cm2_g(formula, density, energy, i_kev) * density * 1e-4
            ours = np.exp(np.interp(wanted, np.log(energy), np.log(csda_range_um(energy, s))))
            theirs = np.array([row[name] for row in reference])
            out[name][label] = [round(float(x), 2) for x in 100.0 * (ours / theirs - 1.0)]
    return out


def photoelectrons(energy_kev: float) -> list[tuple[float, float]]:
    """Return (share of the photo-effect, binding energy) of YAG's subshells."""
    found = []
    for z, fraction in mass_fractions("Y3Al5O12"):
        for shell in range(xraylib.K_SHELL, xraylib.O1_SHELL):
            try:
                section = xraylib.CS_Photo_Partial(z, shell, energy_kev)
                found.append((fraction * section, xraylib.EdgeEnergy(z, shell)))
            except ValueError:
                continue
    total = sum(section for section, _ in found)
    return [(section / total, edge) for section, edge in found if section > 1e-3 * total]


def binned_share(kernel: ElectronKernel, energy_kev: float) -> np.ndarray:
    """Return the energy per radial bin of one photon's electrons, sum 1."""
    rng = np.random.default_rng(7)
    edges = np.append(np.arange(0.0, 12.0, BIN_UM), np.inf)
    total = np.zeros(edges.size - 1)
    for share, binding in photoelectrons(energy_kev):
        auger = 0.8 * binding if binding > 1.0 else 0.0
        for electron, start in ((energy_kev - binding, "photoelectron"), (auger, "isotropic")):
            if electron > 0.0:
                tracks = kernel.tracks(electron, start, TRACKS, rng)
                radius = np.hypot(tracks.position_um[..., 0], tracks.position_um[..., 1])
                counts = np.histogram(radius, edges, weights=tracks.share / TRACKS)[0]
                total += share * electron * counts
        total[0] += share * (binding - auger)
    return total / total.sum()


def spread(kernel: ElectronKernel) -> list[dict[str, float]]:
    """Return MTF over its plateau, share within 1 um and median radius, ours and PENELOPE's."""
    out = []
    for row in rows_of("spread_yag.csv"):
        energy = row["energy_kev"]
        if row["thickness_um"] != 20.0 or energy > 17.0:
            continue
        share = binned_share(kernel, energy)
        middle = (np.arange(share.size * 20) + 0.5) * BIN_UM / 20
        ring = middle.reshape(share.size, 20)
        ring_weight = ring / ring.sum(1, keepdims=True)
        result = {"energy_kev": energy}
        for key, f in CY_PER_UM.items():
            by_bin = (j0(2.0 * np.pi * f * ring) * ring_weight).sum(1)
            flat = (j0(2.0 * np.pi * 0.02 * ring) * ring_weight).sum(1)
            result[f"mtf_{key}"] = round(float(share @ by_bin / (share @ flat)), 4)
            result[f"mtf_{key}_penelope"] = round(row[f"mtf_{key}"] / row[f"mtf_{PLATEAU}"], 4)
        result["share_within_1um"] = round(float(share[:5].sum()), 4)
        result["share_within_1um_penelope"] = row["share_within_1um"]
        radius = np.arange(share.size + 1) * BIN_UM
        result["r50_um"] = round(float(np.interp(0.5, np.append(0.0, share.cumsum()), radius)), 3)
        result["r50_um_penelope"] = row["r50_um"]
        out.append(result)
    return out


def main() -> int:
    """Run the case, write result.json and return 1 if it is outside its tolerances."""
    csda = ranges()
    yag = electron_kernel(Absorber(name="YAG", formula="Y3Al5O12", density_g_cm3=4.55))
    rows = spread(yag)
    mtf = max(abs(r[f"mtf_{k}"] - r[f"mtf_{k}_penelope"]) for r in rows for k in CY_PER_UM)
    share = max(abs(r["share_within_1um"] - r["share_within_1um_penelope"]) for r in rows)
    worst = max(abs(x) for host in csda.values() for x in host["atoms_in_solids"][2:])
    write_json(
        HERE / "result.json",
        {
            "csda_range_difference_per_cent": csda,
            "energies_kev": [row["E_keV"] for row in rows_of("csda_range.csv")],
            "spread": rows,
            "largest_mtf_difference": mtf,
            "largest_share_difference": share,
            "largest_range_difference_per_cent_from_5_kev": worst,
            "versions": versions(),
        },
    )
    print(f"MTF: largest difference {mtf:.4f} (tolerance {MTF_TOLERANCE})")
    print(f"share within 1 um: {share:.4f} (tolerance {SHARE_TOLERANCE})")
    print(f"CSDA range from 5 keV: {worst:.1f} % (tolerance {RANGE_PER_CENT} %)")
    inside = mtf <= MTF_TOLERANCE and share <= SHARE_TOLERANCE and worst <= RANGE_PER_CENT
    return int(not inside)


if __name__ == "__main__":
    sys.exit(main())
