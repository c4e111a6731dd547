"""Light budget and Swank factor against tables of other origin; see SOURCE.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scintscope.camera.parts import Camera
from scintscope.materials import Scintillator, scintillator
from scintscope.materials.attenuation import total_per_um
from scintscope.optics.lens import Lens
from scintscope.scintillator.light_budget import light_budget
from scintscope.scintillator.plate import Plate
from scintscope.scintillator.swank import pulse_moments
from scintscope.validate import Row, read_table, relative_row, row, worst

HERE = Path(__file__).parent
PIXEL_CM2, BIN_KEV, TUBE_MA = (1.3e-4) ** 2, 0.25, 4.0 / 50.0
BARE, FILTERED = "th20_casim_Be0.2_air200", "th20_casim_Be0.2_Al0.5_air200"
CHAIN = ((BARE, 200, 24.0), (BARE, 20, 6.5), (FILTERED, 200, 8.4), (FILTERED, 20, 1.3))


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


def collection_rows() -> list[Row]:
    """Compare the collected share of every index and aperture."""
    found = []
    for line in read_table(HERE / "collection.csv"):
        index, na = line["index"], line["na"]
        budget = light_budget(plain_plate(index), Lens(na=na), Camera())
        found.append(
            row(
                f"collected share, n = {index:g}, NA = {na:g}",
                budget.collection_fraction,
                line["with_fresnel"],
                6e-7,
                reason="six printed digits after the point",
                source="adaptive quadrature of Fresnel's transmission over the cone (SciPy)",
            )
        )
    by_index = dict.fromkeys(line["index"] for line in read_table(HERE / "collection.csv"))
    return [
        worst([r for r in found if f"n = {n:g}," in r.name], f"light through a face of n = {n:g}")
        for n in by_index
    ]


def spectra() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the columns of the spectra and mu of YAG at their energies."""
    lines = read_table(HERE / "spectra.csv")
    columns = {key: np.array([line[key] for line in lines]) for key in lines[0]}
    return columns, total_per_um(scintillator("YAG:Ce"), columns["energy_kev"])


def swank_rows() -> list[Row]:
    """Compare absorbed share and spectral Swank factor of every spectrum and thickness."""
    columns, mu = spectra()
    energy = columns["energy_kev"][:, None]
    shares, swanks = [], []
    told = {
        "reason": "four printed digits",
        "source": "sums over SpekPy 2.5.4 spectra, xraylib 4.3.0 attenuation, outside the package",
    }
    for line in read_table(HERE / "swank.csv"):
        thickness, photons = line["thickness_um"], columns[line["case"]]
        x, weight = np.polynomial.legendre.leggauss(96)
        density = mu[:, None] * np.exp(-mu[:, None] * 0.5 * thickness * (x + 1.0))
        found = pulse_moments(
            photons, density, density * energy, density * energy**2, 0.5 * thickness * weight
        )
        name = f"{line['case']}, {thickness:g} um"
        share = found.interacting / photons.sum()
        shares.append(row(name, share, line["eta_photon"], 6e-5, **told))
        swanks.append(row(name, found.swank, line["A_spectral"], 6e-5, **told))
    return [worst(shares, "absorbed share of photons"), worst(swanks, "spectral Swank factor")]


def chain_rows() -> list[Row]:
    """Compare electrons per pixel and second, and per absorbed X-ray, of the signal chain."""
    columns, mu = spectra()
    kept = {line["case"]: line for line in read_table(HERE / "absorbed_energy.csv")}
    found = []
    for case, thickness, expected in CHAIN:
        photons = columns[case] * BIN_KEV * TUBE_MA * PIXEL_CM2
        deposited = photons @ columns["energy_kev"] * float(kept[case][f"eta_E_{thickness}um"])
        budget = light_budget(
            plain_plate(1.836, thickness),
            Lens(na=0.4, transmission=0.8),
            Camera(quantum_efficiency=0.55),
        )
        electrons = float(deposited * budget.electrons_per_kev)
        told = {"reason": "printed to two digits", "source": "hand calculation, see SOURCE.md"}
        name = f"electrons per pixel and s, {case}, {thickness} um"
        found.append(relative_row(name, electrons, expected, 0.03, **told))
        if expected == 24.0:
            absorbed = float(photons @ -np.expm1(-mu * thickness))
            name = "electrons per absorbed X-ray, 200 um"
            found.append(row(name, electrons / absorbed, 1.7, 0.05, **told))
    return found


def rows(quick: bool) -> list[Row]:
    """Return all comparisons; they take a second."""
    return collection_rows() + swank_rows() + chain_rows()
