"""Images of other packages against ours, conventions matched; see SOURCE.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.optics.aberrations import Aberrations
from scintscope.optics.psf_fft import psf_fft
from scintscope.optics.psf_kernels import psf_stack
from scintscope.optics.pupil import Pupil
from scintscope.optics.wavefront import OpticalPath
from scintscope.validate import Row, read_table, row, worst

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
    """Return the cases."""
    return read_table(REFERENCE / "index.csv")


def rows(quick: bool) -> list[Row]:
    """Return the worst image of every code and aperture; they take seconds."""
    found: dict[str, list[Row]] = {}
    for line in read_index():
        result = compare(line)
        key = f"{line['code']} images, NA {line['na']:g}"
        found.setdefault(key, []).append(
            row(
                f"{line['case']}, rms difference over rms",
                result["rms_over_rms"],
                0.0,
                result["tolerance"],
                reason="1 % at NA 0.4, 2 % at NA 0.9: the other code's own pupil sampling",
                source=f"{line['code']}, recorded by generate.py",
            )
        )
    return [worst(group, key) for key, group in found.items()]
