"""Electron ranges and the spread they cause against PENELOPE; see SOURCE.md."""

from __future__ import annotations

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
from scintscope.validate import Row, read_table, relative_row, row, worst

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
MTF_TOLERANCE, SHARE_TOLERANCE, RANGE_SHARE = 0.03, 0.02, 0.05


def rows_of(name: str) -> list[dict[str, float]]:
    """Return a reference table."""
    return read_table(HERE / name)


def ranges() -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Return CSDA ranges, ours and PENELOPE's, um, for both choices of I."""
    reference = rows_of("csda_range.csv")
    energy = np.geomspace(0.05, 100.0, 400)
    wanted = np.log([line["E_keV"] for line in reference])
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
            theirs = np.array([line[name] for line in reference])
            out[name][label] = list(zip(ours.tolist(), theirs.tolist(), strict=True))
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
    for line in rows_of("spread_yag.csv"):
        energy = line["energy_kev"]
        if line["thickness_um"] != 20.0 or energy > 17.0:
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
            result[f"mtf_{key}_penelope"] = round(line[f"mtf_{key}"] / line[f"mtf_{PLATEAU}"], 4)
        result["share_within_1um"] = round(float(share[:5].sum()), 4)
        result["share_within_1um_penelope"] = line["share_within_1um"]
        radius = np.arange(share.size + 1) * BIN_UM
        result["r50_um"] = round(float(np.interp(0.5, np.append(0.0, share.cumsum()), radius)), 3)
        result["r50_um_penelope"] = line["r50_um"]
        out.append(result)
    return out


def range_rows() -> list[Row]:
    """Return the comparison of CSDA ranges from 5 keV on, both choices of the excitation energy."""
    energies = [line["E_keV"] for line in rows_of("csda_range.csv")]
    found = []
    for name, choices in ranges().items():
        for label, pairs in choices.items():
            group = [
                relative_row(
                    f"{energy:g} keV",
                    ours,
                    theirs,
                    RANGE_SHARE,
                    unit="um",
                    reason="mean excitation energy of a compound, uncertain by 13 %",
                    source="PENELOPE physics, pyPenred 1.15.2.0, materials.range()",
                )
                for energy, (ours, theirs) in zip(energies, pairs, strict=True)
                if energy >= 5.0
            ]
            found.append(worst(group, f"CSDA range in {name}, {label.replace('_', ' ')}"))
    return found


def spread_rows() -> list[Row]:
    """Return the comparison of MTF and energy within 1 um of photons below the Y K edge."""
    yag = electron_kernel(Absorber(name="YAG", formula="Y3Al5O12", density_g_cm3=4.55))
    told = {"source": "PENELOPE physics, pyPenred 1.15.2.0: 20 um of YAG"}
    accuracy = "accuracy asked of the whole deposition"
    found = []
    for line in spread(yag):
        name = f"YAG, {line['energy_kev']:g} keV"
        for key in CY_PER_UM:
            ours, theirs = line[f"mtf_{key}"], line[f"mtf_{key}_penelope"]
            at = f"electrons' MTF at {key.replace('_', '.')} lp/mm, {name}"
            found.append(row(at, ours, theirs, MTF_TOLERANCE, reason=accuracy, **told))
        ours, theirs = line["share_within_1um"], line["share_within_1um_penelope"]
        at = f"energy within 1 um, {name}"
        found.append(row(at, ours, theirs, SHARE_TOLERANCE, reason=accuracy, **told))
    return found


def rows(quick: bool) -> list[Row]:
    """Return all comparisons; they take seconds."""
    return range_rows() + spread_rows()
