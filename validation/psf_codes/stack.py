"""Time and error of 128 kernels of 255 x 255 pixels against psfmodels, in one run.

``python stack.py PYTHON`` with PYTHON an interpreter that has psfmodels; writes stack.json.
`stack_record` is what other benchmarks may call.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.optics.psf_kernels import KernelStack, psf_stack
from scintscope.optics.psf_radial import radial_psf
from scintscope.optics.wavefront import OpticalPath
from scintscope.outputs import versions, write_json

HERE = Path(__file__).parent
PATH = OpticalPath(na=0.4, index=1.82, wavelength_um=0.55)
TRAVEL_UM = 40.0 / 1.82
PIXEL_UM, SIDE = 0.325, 255
DEPTHS_UM = np.linspace(0.0, 100.0, 128)
CHECKED = (0, 20, 51, 90, 127)
"""Planes compared with psfmodels at high oversampling and with the quadrature."""
PIXELS = ((0, 0), (0, 1), (1, 1), (2, 5), (7, 3), (11, 30), (40, 20), (0, 60), (90, 90), (127, 127))


def kernels(aperture_um: float | None = None) -> KernelStack:
    """Return our stack; aperture 0 for those who apply it in the transfer function."""
    return psf_stack(DEPTHS_UM, TRAVEL_UM, PATH, pixel_um=PIXEL_UM, aperture_um=aperture_um)


def quadrature(plane: int) -> np.ndarray:
    """Return converged means over the chosen pixels: 1024 pupil nodes, 24 x 24 points a pixel."""
    t, w = np.polynomial.legendre.leggauss(24)
    share = 0.25 * np.outer(w, w).ravel()
    values = []
    for row, column in PIXELS:
        y, x = row + 0.5 * t[:, None], column + 0.5 * t[None, :]
        r = PIXEL_UM * np.hypot(x, y).ravel()
        values.append(radial_psf(r, DEPTHS_UM[[plane]], TRAVEL_UM, PATH, nodes=1024)[0] @ share)
    return np.array(values) * PIXEL_UM**2


def stack_record(python: str, rounds: int = 7, fine: tuple[int, ...] = (9, 31)) -> dict[str, Any]:
    """Return medians of both, their ratio round by round, and the errors.

    Parameters
    ----------
    python : str
        Interpreter with psfmodels.
    rounds : int
        Timed rounds, ours and theirs in turn; one more is discarded.
    fine : tuple of int
        Oversamplings of psfmodels at which the images are compared.
    """
    worker = subprocess.Popen([python, str(HERE / "peer_stack.py")], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)  # fmt: skip

    def ask(oversampling: int, depths: Any, file: str = "") -> tuple[float, float]:
        job = {"oversampling": oversampling, "depths_um": list(map(float, depths)), "file": file}
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(json.dumps(job) + "\n")
        worker.stdin.flush()
        reply = json.loads(worker.stdout.readline())
        return float(reply["seconds"]), float(reply["processor_s"])

    def timed(aperture_um: float | None) -> tuple[float, float]:
        start, begun = time.perf_counter(), time.process_time()
        kernels(aperture_um)
        return time.perf_counter() - start, time.process_time() - begun

    first = timed(None)[0]
    samples = [(timed(None), timed(0.0), ask(3, DEPTHS_UM)) for _ in range(rounds + 1)][1:]
    # (round, competitor, clock or processor)
    ours, points, theirs = np.moveaxis(np.array(samples), 1, 0)
    speedups, at_points = theirs / ours, theirs / points
    record = {
        "first_call_s": first,
        "ours_s": float(np.median(ours[:, 0])),
        "ours_without_aperture_s": float(np.median(points[:, 0])),
        "psfmodels_default_s": float(np.median(theirs[:, 0])),
        "speedup": float(np.median(speedups[:, 0])),
        "speedup_least": float(speedups[:, 0].min()),
        "speedup_without_aperture": float(np.median(at_points[:, 0])),
        "ours_processor_s": float(np.median(ours[:, 1])),
        "psfmodels_processor_s": float(np.median(theirs[:, 1])),
        "speedup_in_processor_time": float(np.median(speedups[:, 1])),
        "load_at_end": os.getloadavg()[0],
    } | _errors(ask, fine)
    worker.communicate("")
    return record


def _errors(ask: Any, fine: tuple[int, ...]) -> dict[str, float]:
    stack = kernels()
    middle = SIDE // 2
    picks = tuple(np.array([(middle + r, middle + c) for r, c in PIXELS]).T)
    truth = np.array([quadrature(plane) for plane in CHECKED])
    own = stack.kernels[list(CHECKED)]
    peak = own.max(axis=(1, 2))
    found = {
        "error_of_ours": float((np.abs(own[:, *picks] - truth) / peak[:, None]).max()),
        "bound_of_ours": float(stack.error_bound.max()),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "stack.npy")
        for oversampling in (3, *fine):
            ask(oversampling, DEPTHS_UM[list(CHECKED)], file)
            other = np.load(file)
            other *= (own.sum(axis=(1, 2)) / other.sum(axis=(1, 2)))[:, None, None]
            name = f"psfmodels_{oversampling}"
            found[f"ours_against_{name}"] = float(
                (np.abs(own - other).max(axis=(1, 2)) / peak).max()
            )
            found[f"error_of_{name}"] = float(
                (np.abs(other[:, *picks] - truth) / peak[:, None]).max()
            )
            in_focus = CHECKED.index(51)
            found[f"ours_against_{name}_in_focus"] = float(
                np.abs(own - other)[in_focus].max() / peak[in_focus]
            )
    return found


def main() -> int:
    """Run, print and write stack.json; 1 if an aim is missed."""
    record = stack_record(sys.argv[1])
    write_json(HERE / "stack.json", record | {"versions": versions()})
    for key, value in record.items():
        print(f"{key:45s} {value}")
    return int(record["speedup"] < 10.0 or record["error_of_ours"] > 1e-4)


if __name__ == "__main__":
    sys.exit(main())
