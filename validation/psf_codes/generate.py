"""Make the reference images of other packages; see SOURCE.md for versions and conventions.

Run with a Python that has psfmodels, pyotf, MicroscPSF-Py and prysm, which are no dependencies of
this project: ``python generate.py [folder]`` writes one CSV per case, values over the window
normalised to unit sum, and index.csv with the cases.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

WAVELENGTH_UM = 0.55
PLATE_INDEX = 1.82
OVERSAMPLING = 15
APERTURES = ((0.4, 0.2), (0.9, 0.1))  # NA, pixel in um
WINDOW = 41
FOCUS = {"in_focus": (0.0, 0.0), "air": (0.0, 3.0), "plate": (20.0, 0.0), "buried": (20.0, None)}
"""(depth below the exit face, stage travel) in um; None: near the best focus of that depth."""
BEST_TRAVEL_UM = {0.4: 10.7, 0.9: 8.4}
ABERRATIONS = ((2, 0.08), (4, 0.05), (6, 0.07), (7, -0.06), (8, 0.1), (11, 0.05))  # Noll, waves rms


def psfmodels_image(model: str, na: float, pixel_um: float, depth: float, travel: float):
    """Gibson-Lanni: stage at zv = travel + depth - depth / n; no cover slip, ng only a face."""
    import psfmodels

    stage = travel + depth - depth / PLATE_INDEX
    parameters = {"NA": na, "ns": PLATE_INDEX, "ni": 1.0, "ni0": 1.0, "ng": 1.5, "ng0": 1.5,
                  "tg": 0.0, "tg0": 0.0, "ti0": 1000.0, "sf": OVERSAMPLING}  # fmt: skip
    image = getattr(psfmodels, f"{model}_psf")
    return image(zv=np.array([stage]), nx=WINDOW, dxy=pixel_um, pz=depth, wvl=WAVELENGTH_UM,
                 params=parameters, normalize=False)[0]  # fmt: skip


def microscpsf_image(na: float, pixel_um: float, depth: float, travel: float):
    """Gibson-Lanni by Bessel series (Li, Xue and Blu 2017), at the pixels' own radii."""
    from microscPSF import microscPSF

    settings = dict(microscPSF.m_params)
    settings.update(M=100.0, NA=na, ns=PLATE_INDEX, ni=1.0, ni0=1.0, ng=1.5, ng0=1.5, tg=0.0,
                    tg0=0.0, ti0=1000.0)  # fmt: skip
    offset = pixel_um * (np.arange(WINDOW) - WINDOW // 2)
    radius, place = np.unique(np.hypot(offset[:, None], offset), return_inverse=True)
    values = microscPSF.gLZRParticleScan(
        settings, radius, np.array([depth]), normalize=False, wvl=WAVELENGTH_UM, zv=-travel
    )[0]
    return values[place.ravel()].reshape(WINDOW, WINDOW)


def pyotf_image(vectorial: bool, index: float, na: float, pixel_um: float, depth: float):
    """Pupil on an FFT grid (Hanser 2004) in one medium; 1 / sqrt(cos) if vectorial."""
    from pyotf.otf import HanserPSF

    size = 1024
    image = HanserPSF(wl=WAVELENGTH_UM, na=na, ni=index, res=pixel_um, size=size, zrange=[depth],
                      vec_corr="total" if vectorial else "none",
                      condition="sine" if vectorial else "none").PSFi[0]  # fmt: skip
    half = WINDOW // 2
    middle = slice(size // 2 - half, size // 2 + half + 1)
    return image[middle, middle]


def prysm_image(na: float, pixel_um: float):
    """Scalar Fourier optics of an aberrated pupil, by matrix transform."""
    from prysm.coordinates import cart_to_polar, make_xy_grid
    from prysm.polynomials import noll_to_nm, zernike_nm
    from prysm.propagation import Wavefront

    x, y = make_xy_grid(1024, diameter=2.0)
    rho, phi = cart_to_polar(x, y)
    waves = sum(c * zernike_nm(*noll_to_nm(j), rho, phi, norm=True) for j, c in ABERRATIONS)
    pupil = Wavefront.from_amp_and_phase(
        (rho <= 1.0).astype(float), waves * WAVELENGTH_UM * 1e3, WAVELENGTH_UM, x[0, 1] - x[0, 0]
    )
    image = pupil.focus_fixed_sampling(efl=1.0 / na, dx=pixel_um, samples=WINDOW)
    return image.intensity.data


def cases():
    """Yield (name, description, image)."""
    for na, pixel in APERTURES:
        for focus, (depth, travel) in FOCUS.items():
            a = BEST_TRAVEL_UM[na] if travel is None else travel
            row = {"na": na, "pixel_um": pixel, "depth_um": depth, "travel_um": a}
            for model in ("scalar", "vectorial"):
                if focus == "plate" and na == 0.9:
                    continue  # 20 um of unrefocused plate: light leaves the window
                image = psfmodels_image(model, na, pixel, depth, a)
                yield f"psfmodels_{model}_{na}_{focus}", row | {"code": "psfmodels", "model": model,
                      "aperture": 1}, image  # fmt: skip
            if focus in ("in_focus", "buried"):
                yield f"microscpsf_{na}_{focus}", row | {"code": "MicroscPSF-Py", "model": "scalar",
                      "aperture": 0}, microscpsf_image(na, pixel, depth, a)  # fmt: skip
        for index in (1.0, PLATE_INDEX):
            for depth in (0.0, 2.0):
                for vectorial in (False, True):
                    name = "vectorial" if vectorial else "scalar"
                    yield f"pyotf_{name}_{na}_{index}_{depth}", {
                        "na": na, "pixel_um": pixel, "depth_um": depth, "travel_um": 0.0,
                        "code": "pyotf", "model": name, "aperture": 0, "index": index,
                    }, pyotf_image(vectorial, index, na, pixel, depth)  # fmt: skip
        row = {"na": na, "pixel_um": pixel, "depth_um": 0.0, "travel_um": 0.0}
        yield (
            f"prysm_{na}",
            row | {"code": "prysm", "model": "scalar", "aperture": 0},
            prysm_image(na, pixel),
        )


def main() -> None:
    """Write all cases."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "reference"
    folder.mkdir(exist_ok=True)
    fields = (
        "case",
        "code",
        "model",
        "na",
        "pixel_um",
        "depth_um",
        "travel_um",
        "index",
        "aperture",
    )
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fields, lineterminator="\n")
        table.writeheader()
        for name, row, image in cases():
            values = np.asarray(image, dtype=np.float64)
            np.savetxt(folder / f"{name}.csv", values / values.sum(), fmt="%.6e", delimiter=",")
            table.writerow({"case": name, "index": PLATE_INDEX} | row)


if __name__ == "__main__":
    main()
