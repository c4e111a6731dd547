"""Noise power of sampled flats against the analytic one; see SOURCE.md. About four minutes."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.accuracy import Effects
from scintscope.deposition import interaction_data
from scintscope.deposition.electron_paths import material_tracks, track_library
from scintscope.deposition.events import event_model, follow
from scintscope.forward.brute_force import draw_frame, light_table
from scintscope.forward.plane import Plane, camera_pixels
from scintscope.forward.quanta import noise_kernels, quanta_groups, quantum_noise_spectrum
from scintscope.grids import Grid
from scintscope.metrics.psd import ring_sums
from scintscope.noise import mean_electrons_per_um2, quantum_noise
from scintscope.noise.sampled import folded
from scintscope.outputs import versions, write_json
from scintscope.plate_deposition import plate_deposition
from scintscope.response import depth_response
from scintscope.scenario import load_scenario
from scintscope.source import Spectrum

HERE = Path(__file__).parent
PAPER = HERE.parents[1] / "scenarios" / "paper.toml"
SHAPE, FLATS = (128, 128), 1000
ENERGY_KEV = np.array([12.0, 20.0, 30.0])
MIX = np.array([0.4, 0.35, 0.25])
PHOTONS_PER_UM2 = {"thin": 0.4, "thick": 0.12}
FAST_TIMES = {"thin": 100.0, "thick": 60.0}
ON = Effects(fluorescence="transport", electrons=True, scattered_photons=True)
SIGMAS, AVERAGE = 5.0, 0.02


class Lit:
    """A plate's response under three energies, its deposition with all transport."""

    def __init__(self, response: Any, photons_per_um2: float) -> None:
        self._response = response
        self.plate = replace(response.plate, exposure_s=1.0)
        self.spectrum = Spectrum(
            energy_kev=ENERGY_KEV,
            photons_per_um2_s=photons_per_um2 * MIX,
            width_kev=np.zeros(ENERGY_KEV.size),
        )
        gain = (response.electrons_per_kev,)
        self.deposition = plate_deposition(response.plate, ENERGY_KEV, ON, gain)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def light_per_um(self, z_um: np.ndarray) -> np.ndarray:
        """Return electrons per um2, s and um of depth, (E, D)."""
        photons = self.spectrum.photons_per_um2_s[:, None] * self.electrons_per_kev
        return photons * self.deposition.mean_kev_per_um(z_um)


def theory(lit: Lit) -> np.ndarray:
    """Return the sampled NPS in rings 1, 2, ... without camera noise."""
    grid = Grid(shape=SHAPE, pixel_um=lit.pixel_um)
    u, v = np.meshgrid(grid.row_frequency_cy_per_um, grid.column_frequency_cy_per_um, indexing="ij")
    power = folded(u, v, lit.frequency_cy_per_um, quantum_noise(lit), lit.pixel_um)
    return ring_means(power + mean_electrons_per_um2(lit), grid)[0]


def ring_means(power: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return means over the rings beyond zero frequency, and their numbers of elements."""
    ones = np.ones(power.shape)
    ones[0, 0] = 0.0
    cells = ring_sums(ones, grid)[1:]
    return ring_sums(power * ones, grid)[1:] / cells, cells


def brute(lit: Lit, rng: np.random.Generator):
    """Yield flats with every quantum drawn."""
    scintillator, thickness = lit.plate.scintillator, lit.plate.thickness_um
    library = track_library(material_tracks(scintillator), float(ENERGY_KEV.max()), rng)
    model = event_model(interaction_data(scintillator), thickness, ENERGY_KEV, ON, library)
    table = light_table(lit)
    mean = lit.spectrum.photons_per_um2_s * lit.pixel_um**2
    for _ in range(FLATS):
        yield draw_frame(
            lambda e: np.full(SHAPE, mean[e]),
            ENERGY_KEV,
            lambda energy, stream: follow(model, energy, stream)[0],
            lit.electrons_per_kev,
            table,
            lit.pixel_um,
            SHAPE,
            lit.pixel_um,
            rng,
        )


def fast(lit: Lit, rng: np.random.Generator):
    """Yield flats of the fast sampler with Poisson light."""
    fine = Grid(shape=(2 * SHAPE[0], 2 * SHAPE[1]), pixel_um=0.5 * lit.pixel_um)
    plane = Plane(
        fine=fine,
        camera_shape=SHAPE,
        padded_shape=SHAPE,
        oversampling=2,
        entrance_mm=np.inf,
        sample_magnification=1.0,
    )
    groups = quanta_groups(lit)
    kernels = noise_kernels(groups, plane)
    images = np.ones((len(groups.weights), *plane.padded_shape), dtype=np.float32)
    images *= groups.rate_per_um2_s.astype(np.float32)[:, None, None]
    mean = mean_electrons_per_um2(lit) * lit.pixel_um**2
    for _ in range(FLATS):
        noise = quantum_noise_spectrum(images, kernels, plane, 1.0, rng)
        yield rng.poisson(np.maximum(mean + camera_pixels(noise, plane), 0.0))


def compare(name: str, sampler: str, lit: Lit) -> dict[str, Any]:
    """Return how the noise power of flats of one sampler deviates from theory."""
    start, total, level = time.perf_counter(), 0.0, 0.0
    rng = np.random.default_rng(11)
    for frame in (brute if sampler == "every_quantum" else fast)(lit, rng):
        spectrum = np.fft.rfft2(frame - frame.mean())
        total = total + spectrum.real**2 + spectrum.imag**2
        level += float(frame.mean()) / FLATS
    scale = SHAPE[0] * SHAPE[1] * lit.pixel_um**2 * FLATS
    found, cells = ring_means(total / scale, Grid(shape=SHAPE, pixel_um=lit.pixel_um))
    wanted = theory(lit)
    deviation = found / wanted - 1.0
    sigma = deviation * np.sqrt(0.5 * cells * FLATS)
    row = {
        "plate": name,
        "sampler": sampler,
        "flats": FLATS,
        "photons_per_um2": float(lit.spectrum.photons_per_um2_s.sum()),
        "electrons_per_pixel": level,
        "electrons_per_pixel_theory": mean_electrons_per_um2(lit) * lit.pixel_um**2,
        "quanta_per_psf": quanta_groups(lit).quanta_per_psf,
        "nps_first_over_last_ring": float(wanted[0] / wanted[-1]),
        "mean_deviation": float(deviation.mean()),
        "largest_deviation_sigma": float(np.abs(sigma).max()),
        "rms_deviation_sigma": float(np.sqrt(np.mean(sigma**2))),
        "seconds": time.perf_counter() - start,
        "within": bool(np.abs(sigma).max() < SIGMAS and abs(deviation.mean()) < AVERAGE),
        "nps_found": found.tolist(),
        "nps_theory": wanted.tolist(),
    }
    print({k: v for k, v in row.items() if not k.startswith("nps_f") and k != "nps_theory"})
    sys.stdout.flush()
    return row


def main() -> int:
    """Run the case, write result.json and return 1 if a ring is outside its tolerance."""
    instrument = load_scenario(PAPER, ("accuracy.energy_bin_kev=2.0",)).instrument()
    rows = []
    for name, fluence in PHOTONS_PER_UM2.items():
        response = depth_response(instrument, getattr(instrument, name))
        rows.append(compare(name, "fast", Lit(response, fluence * FAST_TIMES[name])))
        rows.append(compare(name, "every_quantum", Lit(response, fluence)))
    write_json(HERE / "result.json", {"rows": rows, "versions": versions()})
    return int(not all(row["within"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
