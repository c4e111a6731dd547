"""Above which frequency the thin plate's DQE beats the thick one's; see SOURCE.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scintscope.accuracy import Effects
from scintscope.deposition import Deposition, deposition
from scintscope.noise.theory import Moments, noise_curves
from scintscope.optics.wavefront import travel_for_focus_um
from scintscope.plate_transfer import optical_path, plate_otf
from scintscope.quadrature import interval_nodes
from scintscope.response import depth_response, plate_spectrum
from scintscope.scenario import load_scenario
from scintscope.scintillator.emission import back_reflectance
from scintscope.validate import Row, relative_row

HERE = Path(__file__).parent
PAPER = HERE.parents[1] / "scenarios" / "paper.toml"
SETS = ("accuracy.energy_bin_kev=1.0",)
FREQUENCY = np.linspace(0.0, 0.25, 101)
DEPTHS = {"thin": 24, "thick": 96}
FOCI = {"entrance": 0.0, "20 um": 20.0, "quarter": 50.0, "middle": 100.0, "best": "best"}
TOLERANCE = 0.1
"""Of the quick estimate, two digits made with other bins, light and camera."""

QUICK = {"middle": 30.0, "quarter": 58.0, "20 um": 86.0}
"""The quick estimate without transport that is put to the test, lp/mm."""

OFF = Effects(fluorescence="escape", electrons=False, scattered_photons=False)
ON = Effects(fluorescence="transport", electrons=True, scattered_photons=True)
LIGHT = {"x0.5": 0.5, "-15 %": 0.85, "as is": 1.0, "+15 %": 1.15, "x2": 2.0}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A plate without its light gain: integrals over depth in keV."""

    exposure_s: float
    photons_per_um2_s: np.ndarray
    signal_kev: np.ndarray
    events_kev2: np.ndarray


def parts_of(instrument, plate, name, travel_um, kernel: Deposition) -> Parts:
    """Return S and Q of a plate per electron per keV."""
    z, weight = interval_nodes(0.0, plate.thickness_um, DEPTHS[name])
    path = optical_path(instrument, plate)
    transfer = plate_otf(FREQUENCY, z, plate, path, travel_um)
    photons = plate_spectrum(instrument, plate).photons_per_um2_s
    mean = kernel.mean_transfer(photons[None, :], z, FREQUENCY)[0]
    power = kernel.event_power(photons[None, :], z, weight, transfer, FREQUENCY)[0]
    return Parts(
        exposure_s=plate.exposure_s,
        photons_per_um2_s=photons,
        signal_kev=weight @ (mean * transfer),
        events_kev2=weight @ power,
    )


def dqe(parts: Parts, camera, gain: float, pixel_um: float) -> np.ndarray:
    """Return the presampled DQE of one frame, camera noise included."""
    tau = parts.exposure_s
    moments = Moments(
        incident_per_um2=tau * float(parts.photons_per_um2_s.sum()),
        signal_per_um2=tau * gain * parts.signal_kev,
        events_per_um2=tau * gain**2 * parts.events_kev2,
        light_per_um2=tau * gain * float(parts.signal_kev[0]),
    )
    added = camera.read_noise_electrons**2 + camera.dark_electrons_per_s * tau
    added = (added + camera.gain_electrons_per_adu**2 / 12.0) / pixel_um**2
    return noise_curves(moments, np.sinc(FREQUENCY * pixel_um), added).dqe


def crossing_lp_mm(thin: np.ndarray, thick: np.ndarray) -> float | None:
    """Return the lowest frequency above which the thin plate stays ahead, lp/mm."""
    ahead = thin > thick
    if not ahead[-1]:
        return None
    behind = np.flatnonzero(~ahead)
    if not behind.size:
        return 0.0
    i = int(behind[-1])
    gap = np.log(thin[i : i + 2] / thick[i : i + 2])
    f = FREQUENCY[i] + (FREQUENCY[i + 1] - FREQUENCY[i]) * gap[0] / (gap[0] - gap[1])
    return float(f * 1000.0)


def study(instrument, effects: Effects, back_faces) -> dict:
    """Return crossings by back face, focus and light."""
    kernels, rows = {}, {}
    for back in back_faces:
        best = {n: replace(getattr(instrument, n), back_face=back) for n in ("thin", "thick")}
        solved = {n: depth_response(instrument, plate) for n, plate in best.items()}
        for n, plate in best.items():
            if n not in kernels:
                energy = solved[n].spectrum.energy_kev
                kernels[n] = deposition(plate.scintillator, plate.thickness_um, energy, effects)
        gain = {n: r.electrons_per_kev for n, r in solved.items()}
        pixel, camera = instrument.pixel_um_object, instrument.camera
        thin = parts_of(instrument, best["thin"], "thin", solved["thin"].travel_um, kernels["thin"])
        found = {}
        for focus, depth in FOCI.items():
            if depth == "best":
                travel = solved["thick"].travel_um
            else:
                below = best["thick"].thickness_um - depth
                travel = float(travel_for_focus_um(below, solved["thick"].path))
            thick = parts_of(instrument, best["thick"], "thick", travel, kernels["thick"])
            light = {
                name: crossing_lp_mm(
                    dqe(thin, camera, gain["thin"] * factor, pixel),
                    dqe(thick, camera, gain["thick"] * factor, pixel),
                )
                for name, factor in LIGHT.items()
            }
            at_zero = [
                dqe(p, camera, gain[n], pixel)[0] for n, p in (("thin", thin), ("thick", thick))
            ]
            found[focus] = {"crossing_lp_mm_by_light": light, "dqe0_thin_thick": at_zero}
        found["best_focus_um"] = solved["thick"].focus_um
        found["electrons_per_kev"] = gain["thick"]
        found["reflectance"] = back_reflectance(back, best["thick"].scintillator.refractive_index)
        rows[back] = found
    return rows


def rows(quick: bool) -> list[Row]:
    """Return the crossing without transport, bare face, beside the estimate; it is not quick."""
    if quick:
        return []
    instrument = load_scenario(PAPER, SETS).instrument()
    found = study(instrument, OFF, ("bare",))["bare"]
    return [
        relative_row(
            f"the thin plate's DQE overtakes, thick plate's focus at {focus}",
            found[focus]["crossing_lp_mm_by_light"]["as is"] or np.nan,
            estimate,
            TOLERANCE,
            unit="lp/mm",
            reason="an estimate of two digits with other bins, light and camera",
            source="quick estimate without transport, made outside the package",
        )
        for focus, estimate in QUICK.items()
    ]
