"""Worker for stack.py, run with a Python that has psfmodels: one stack per line on standard input.

A line holds the oversampling and, after it, the depths (um); the reply is the time, and for a file
name after them the stack is saved there.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import psfmodels

NA, INDEX, WAVELENGTH_UM, PIXEL_UM, SIDE = 0.4, 1.82, 0.55, 0.325, 255
TRAVEL_UM = 40.0 / INDEX


def stack(oversampling: int, depths_um: list[float]) -> np.ndarray:
    """Return the scalar images, one call per depth as the stage stands still."""
    lens = {"NA": NA, "ns": INDEX, "ni": 1.0, "ni0": 1.0, "ng": 1.5, "ng0": 1.5, "tg": 0.0,
            "tg0": 0.0, "ti0": 20000.0, "sf": oversampling}  # fmt: skip
    return np.stack([
        psfmodels.scalar_psf(zv=np.array([TRAVEL_UM + z - z / INDEX]), nx=SIDE, dxy=PIXEL_UM, pz=z,
                             wvl=WAVELENGTH_UM, params=lens, normalize=False)[0]
        for z in depths_um
    ])  # fmt: skip


for line in sys.stdin:
    job = json.loads(line)
    start, begun = time.perf_counter(), time.process_time()
    images = stack(job["oversampling"], job["depths_um"])
    seconds, processor = time.perf_counter() - start, time.process_time() - begun
    if job.get("file"):
        np.save(job["file"], images)
    print(json.dumps({"seconds": seconds, "processor_s": processor}), flush=True)
