"""Images of other packages against ours, conventions matched; see SOURCE.md. A few seconds."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.optics.aberrations import Aberrations
from scintscope.optics.psf_fft import psf_fft
from scintscope.optics.psf_kernels import psf_stack
from scintscope.optics.pupil import Pupil
from scintscope.optics.wavefront import OpticalPath
from scintscope.outputs import versions, write_json

HERE = Path(__file__).parent
REFERENCE = HERE / "reference"
WAVELENGTH_UM = 0.55
TOLERANCE = {0.4: 0.01, 0.9: 0.02}
"""RMS of the difference over RMS of the image."""
ABERRATIONS = ((2, 0.08), (4, 0.05), (6, 0.07), (7, -0.06), (8, 0.1), (11, 0.05))  # Noll, waves rms

Array = NDArray[np.float64]


def ours(row: dict[str, Any], shape: tuple[int, int]) -> Array:
    """Return our image of a case on the other code's pixels."""
    immersion = row["index"] if row["code"] == "pyotf" else 1.0
    path = OpticalPath(
        na=row["na"], index=row["index"], wavelength_um=WAVELENGTH_UM, immersion_index=immersion
    )
    aperture = row["pixel_um"] * row["aperture"]
    options: dict[str, Any] = {"pixel_um": row["pixel_um"], "shape": shape, "aperture_um": aperture}
    if row["code"] == "prysm":
        waves = np.zeros(max(j for j, _ in ABERRATIONS))
        for j, value in ABERRATIONS:
            waves[j - 1] = value
        lens = Aberrations(zernike_noll=tuple(waves.tolist()))
        return psf_fft(0.0, 0.0, path, pupil=Pupil(aberrations=lens), **options).kernel
    faces = (1.5, 1.0) if row["code"] == "psfmodels" and row["model"] == "vectorial" else ()
    pupil = Pupil(model=row["model"], outer_indices=faces)
    stack = psf_stack([row["depth_um"]], row["travel_um"], path, pupil=pupil, **options)
    return np.asarray(stack.kernels[0])


def compare(row: dict[str, Any]) -> dict[str, Any]:
    """Return the deviations of one case."""
    other = np.loadtxt(REFERENCE / f"{row['case']}.csv", delimiter=",")
    own = ours(row, other.shape)
    if row["code"] == "prysm":
        own = own[::-1, ::-1]  # its image has the sign exp(-i k p x): turned by half a turn
    own = own / own.sum()
    return {
        "case": row["case"],
        "rms_over_rms": float(np.sqrt(np.mean((own - other) ** 2) / np.mean(other**2))),
        "largest_over_peak": float(np.abs(own - other).max() / other.max()),
        "tolerance": TOLERANCE[row["na"]],
    }


def read_index() -> list[dict[str, Any]]:
    """Return the cases, numbers as floats."""
    with (REFERENCE / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    text = ("case", "code", "model")
    return [{k: v if k in text else float(v) for k, v in row.items()} for row in rows]


def main() -> int:
    """Run all cases, write result.json and return 1 if one is outside its tolerance."""
    results = [compare(row) for row in read_index()]
    for r in results:
        print(
            f"{r['case']:34s} rms {r['rms_over_rms']:.2e} of the image's (tolerance "
            f"{r['tolerance']:.0e}), largest {r['largest_over_peak']:.2e} of the peak"
        )
    write_json(HERE / "result.json", {"rows": results, "versions": versions()})
    return int(any(r["rms_over_rms"] > r["tolerance"] for r in results))


if __name__ == "__main__":
    sys.exit(main())
