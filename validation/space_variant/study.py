"""Space-variant blur at 2048 x 2048 against dense brute force on a subsample; see SOURCE.md.

Takes about three minutes. Writes result.json; returns 1 if an error exceeds 1e-3 of the image's
standard deviation.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import jv

from scintscope.forward.field_blur import (
    FieldOptics,
    field_products,
    harmonic_frequencies,
    harmonic_table,
    radial_power,
    ring_power,
    slow_power,
    spread_um,
    tabulated,
)
from scintscope.forward.kernels import radial_kernel
from scintscope.forward.space_variant import fewest, frequency_table
from scintscope.grids import Grid
from scintscope.optics.defocus import first_crossing_um, rayleigh_half_depth_um
from scintscope.optics.field import FieldAberrations
from scintscope.optics.field_otf import DepthSum, field_harmonics
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from scintscope.outputs import versions, write_json
from scintscope.quadrature import interval_nodes
from scintscope.sample.build import build_specimen
from scintscope.scenario import load_scenario

HERE = Path(__file__).parent
PAPER = HERE.parents[1] / "scenarios" / "paper.toml"
SIDE, PITCH_UM = 2048, 0.65
NA, INDEX, WAVELENGTH_UM = 0.4, 1.82, 0.55
TILT_MRAD, WAVES = 5.0, 0.1
TARGET, TOLERANCE = 9e-4, 1e-3
PIXELS = 100
"""Output pixels compared; a fifth of them behind the thick plate, whose blur is wide."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A plate, the curvature's depth of field, and what is looked at."""

    plate_um: float
    curvature: str
    image: str


CASES = (
    Case(0.0, "quarter wave", "target"),
    Case(0.0, "contrast zero", "target"),
    Case(20.0, "quarter wave", "target"),
    Case(20.0, "contrast zero", "target"),
    Case(200.0, "contrast zero", "target"),
    Case(20.0, "quarter wave", "1/f noise"),
    Case(20.0, "quarter wave", "white noise"),
)


def curvature_um(name: str) -> float:
    """Return one whole depth of field in air."""
    if name == "quarter wave":
        return 2.0 * rayleigh_half_depth_um(NA, WAVELENGTH_UM, 1.0)
    return 2.0 * float(first_crossing_um(0.0, 0.5 / 1.3, NA, WAVELENGTH_UM, 1.0) or 0.0)


def picture(name: str, grid: Grid) -> NDArray[np.float32]:
    """Return the light that is to be blurred."""
    rng = np.random.default_rng(1)
    if name == "target":
        specimen = build_specimen(load_scenario(PAPER).target, grid)
        gold = next(iter(specimen.thickness_um.values()))
        return (1.0 - 0.5 * gold / gold.max()).astype(np.float32)
    white = rng.standard_normal(grid.shape)
    if name == "white noise":
        return white.astype(np.float32)
    frequency = grid.radial_frequency_cy_per_um()
    frequency[0, 0] = frequency[0, 1]
    return fft.irfft2(fft.rfft2(white) / frequency, s=grid.shape).astype(np.float32)


def round_pixel(frequency: Array, grid: Grid) -> Array:
    """Return a round aperture that ends at the Nyquist frequency, as the pixel's nearly does.

    Round, so that the brute force can be done by Hankel transforms.
    """
    top = grid.nyquist_cy_per_um
    return np.where(frequency < top, (1.0 - np.minimum(frequency / top, 1.0) ** 2) ** 2, 0.0)


def set_up(case: Case, grid: Grid) -> tuple[FieldOptics, DepthSum]:
    """Return lens, field and depths of a case."""
    path = OpticalPath(na=NA, index=INDEX, wavelength_um=WAVELENGTH_UM, corrected_for_um=50.0)
    if case.plate_um:
        z, weight = interval_nodes(0.0, case.plate_um, 16 if case.plate_um < 100.0 else 64)
        light = weight * np.exp((z - case.plate_um) / 100.0)  # more near the entrance face
        focus = 0.5 * case.plate_um
    else:
        z, light, focus = np.zeros(1), np.ones(1), 0.0
    field = FieldAberrations(
        field_curvature_um=curvature_um(case.curvature),
        tilt_rows_mrad=TILT_MRAD,
        coma_waves=WAVES,
        astigmatism_waves=WAVES,
    )
    optics = FieldOptics(
        field=field,
        corner_um=0.5 * float(np.hypot(*grid.extent_um)),
        path=path,
        travel_um=float(travel_for_focus_um(focus, path)),
        grid=grid,
    )
    return optics, DepthSum(depth_below_exit_um=z, weight=(light / light.sum())[None, :, None])


def expanded(optics: FieldOptics, depths: DepthSum, image: Any) -> Any:
    """Return the kernel as the forward model makes it."""
    grid, reach = optics.grid, spread_um(optics, depths.depth_below_exit_um)
    table = harmonic_table(optics, [(depths, optics.path)], harmonic_frequencies(optics, reach))
    power, f = radial_power(image, grid), table.frequency_cy_per_um
    ring = ring_power(f, power, 0.0) * round_pixel(f, grid) ** 2
    variance = float(ring @ table.axis[0] ** 2) + slow_power(f, power, optics.corner_um)
    found = field_products(table, 0, optics, ring / variance, 0.1 * TARGET)
    frequencies = frequency_table(grid, reach, optics.path.cutoff_cy_per_um)
    return tabulated(fewest((found,), TARGET)[0], table, optics, frequencies)


def brute_force(
    optics: FieldOptics, depths: DepthSum, image: Any, places: NDArray[np.int64]
) -> Array:
    """Return, at output pixels, the sum over all sources of light times their own point spread.

    Less the point spread on the axis, which is the same everywhere and exact in any method. The
    point spreads are Hankel transforms of the harmonics of the local transfer function.
    """
    grid = optics.grid
    reach = 1.8 * spread_um(optics, depths.depth_below_exit_um)
    window = int(np.ceil(reach / grid.pixel_um))
    offset = np.arange(-window, window + 1)
    down, across = (v.ravel() for v in np.meshgrid(offset, offset, indexing="ij"))
    inside = down**2 + across**2 <= window**2
    down, across = down[inside], across[inside]
    square, which = np.unique(down**2 + across**2, return_inverse=True)
    shifts, radii, profiles = point_spreads(optics, depths, np.sqrt(square) * grid.pixel_um, reach)
    towards = np.arctan2(-down, -across)  # from the source to the output pixel
    result = []
    for row, column in places:
        y, x = grid.row_um[row + down], grid.column_um[column + across]
        by_shift = lagrange(shifts, optics.shift_um(y, x))
        by_radius = lagrange(radii, np.hypot(y, x) / optics.corner_um)
        light = image[row + down, column + across] * grid.pixel_um**2
        angle = towards - np.arctan2(y, x)
        total = 0.0
        for j, profile in enumerate(profiles):
            local = np.einsum("nsp,ns,np->n", profile[which], by_shift, by_radius, optimize=True)
            total += float(np.sum(light * local * np.cos(j * angle)))
        result.append(total)
    return np.array(result)


def point_spreads(
    optics: FieldOptics, depths: DepthSum, radius_um: Array, reach_um: float
) -> tuple[Array, Array, list[Array]]:
    """Return shifts, field radii and, per harmonic, point spreads less the axis' (r, S, P)."""
    grid = optics.grid
    count = int(np.ceil(8.0 * reach_um * grid.nyquist_cy_per_um))
    f = np.linspace(0.0, grid.nyquist_cy_per_um, count)
    low, high = optics.shift_range_um
    shifts = chebyshev(low, high, 16 + int(optics.radians_per_um * (high - low)))
    radii = chebyshev(0.0, 1.0, 10)
    rest = (optics.travel_um, optics.path, optics.field)
    values = field_harmonics(f, depths, *rest, shifts, radii, 8)[0]
    values[:, 0] -= field_harmonics(f, depths, *rest, np.zeros(1), np.zeros(1), 1)[0, :, 0]
    weight = 2.0 * np.pi * f * f[1] * round_pixel(f, grid)
    profiles = []
    for j in range(values.shape[1]):
        bessel = jv(j, 2.0 * np.pi * radius_um[:, None] * f) * weight
        profiles.append((-1.0) ** ((j + 1) // 2) * np.tensordot(bessel, values[:, j], axes=1))
    return shifts, radii, profiles


def chebyshev(low: float, high: float, count: int) -> Array:
    """Return Chebyshev points: other nodes than the expansion's."""
    angle = np.pi * (np.arange(count) + 0.5) / count
    return 0.5 * (low + high) + 0.5 * (high - low) * np.cos(angle)


def lagrange(nodes: Array, points: Array) -> Array:
    """Return the interpolation matrix of Chebyshev points (Berrut and Trefethen 2004, Eq. 5.3)."""
    angle = np.pi * (np.arange(nodes.size) + 0.5) / nodes.size
    weight = (-1.0) ** np.arange(nodes.size) * np.sin(angle)
    gap = points[:, None] - nodes[None, :]
    share = weight / np.where(gap == 0.0, 1e-300, gap)
    return share / share.sum(axis=1, keepdims=True)


def run(case: Case) -> dict[str, Any]:
    """Return terms, times and error of a case."""
    grid = Grid(shape=(SIDE, SIDE), pixel_um=PITCH_UM)
    optics, depths = set_up(case, grid)
    image = picture(case.image, grid)
    start = time.perf_counter()
    kernel = expanded(optics, depths, image)
    built = time.perf_counter() - start
    aperture = round_pixel(grid.radial_frequency_cy_per_um(), grid).astype(np.float32)
    f = np.linspace(0.0, optics.path.cutoff_cy_per_um, 1200)
    rest = (optics.travel_um, optics.path, optics.field)
    axis = field_harmonics(f, depths, *rest, np.zeros(1), np.zeros(1), 1)[0, :, 0, 0, 0]
    plain_kernel = radial_kernel(grid, f, axis) * aperture
    plain_s = min(timed(lambda: convolved(image, plain_kernel))[0] for _ in range(3))
    transformed = fft.rfft2(image, workers=2)
    times = [timed(lambda: kernel.added(image, transformed)) for _ in range(3)]
    added = fft.irfft2(times[0][1] * aperture, s=grid.shape, workers=2)
    total = convolved(image, plain_kernel) + added
    margin = int(2.0 * spread_um(optics, depths.depth_below_exit_um) / PITCH_UM)
    count = PIXELS if case.plate_um < 100.0 else PIXELS // 5
    places = np.random.default_rng(2).integers(margin, SIDE - margin, size=(count, 2))
    wanted = brute_force(optics, depths, image, places)
    deviation = float(total[margin:-margin, margin:-margin].std())
    error = (added[places[:, 0], places[:, 1]] - wanted) / deviation
    added_s = min(t for t, _ in times)
    return {
        "plate_um": case.plate_um,
        "curvature_um": round(optics.field.field_curvature_um, 3),
        "curvature_is_depth_of_field_by": case.curvature,
        "image": case.image,
        "terms": kernel.terms,
        "pixels_compared": count,
        "estimated_error": kernel.error,
        "rms_error_over_std": float(np.sqrt(np.mean(error**2))),
        "largest_error_over_std": float(np.abs(error).max()),
        "rms_effect_over_std": float(np.sqrt(np.mean((wanted / deviation) ** 2))),
        "cost_in_plain_convolutions": round(added_s / plain_s, 1),
        "transforms": kernel.terms + 2,
        "seconds": {
            "build": round(built, 2),
            "apply": round(added_s, 3),
            "plain": round(plain_s, 3),
        },
    }


def convolved(image: Any, kernel: Any) -> Any:
    """Return the plain convolution that the cost is measured in: two transforms."""
    return fft.irfft2(fft.rfft2(image, workers=2) * kernel, s=image.shape, workers=2)


def timed(work: Any) -> tuple[float, Any]:
    """Return seconds and result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> int:
    """Run all cases."""
    rows = []
    for case in CASES:
        row = run(case)
        rows.append(row)
        print(row, flush=True)
    write_json(HERE / "result.json", {"rows": rows, "tolerance": TOLERANCE, "versions": versions()})
    return int(any(row["rms_error_over_std"] > TOLERANCE for row in rows))


if __name__ == "__main__":
    sys.exit(main())
