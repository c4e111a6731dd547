"""Stacks of point-spread functions of emitters at 128 depths of a plate under a dry lens."""

from __future__ import annotations

import numpy as np

NA, WAVELENGTH_UM, INDEX, PIXEL_UM = 0.4, 0.55, 1.82, 0.325
THICKNESS_UM, FOCUS_UM = 100.0, 40.0


def depths_um(planes: int) -> np.ndarray:
    """Return the emitters' depths below the face towards the lens."""
    return np.linspace(0.0, THICKNESS_UM, planes)


def scintscope(planes: int, side: int, first: bool = False):
    """Return our stack: scalar, mean over square pixels, stage where depth 40 um is sharp.

    With ``first`` the pixels' layout, which is kept for the next stack of the same shape, pixel and
    cut-off, is made anew each time.
    """
    from scintscope.optics import psf_kernels
    from scintscope.optics.psf_kernels import psf_stack
    from scintscope.optics.wavefront import OpticalPath
    from scintscope.threads import fix_threads

    fix_threads()
    path = OpticalPath(na=NA, index=INDEX, wavelength_um=WAVELENGTH_UM)
    travel_um = FOCUS_UM / INDEX

    def work() -> dict:
        if first:
            psf_kernels._layout.cache_clear()
        stack = psf_stack(depths_um(planes), travel_um, path, pixel_um=PIXEL_UM, shape=(side, side))
        return {"error_bound": float(stack.error_bound.max())}

    return work, {}


def scintscope_first(planes: int, side: int):
    """Return our stack with nothing kept from an earlier one."""
    return scintscope(planes, side, first=True)


def psfmodels(planes: int, side: int):
    """Return psfmodels' scalar stack, one call a depth, as a depth series needs."""
    import psfmodels as peer

    lens = {
        "NA": NA, "ns": INDEX, "ni": 1.0, "ni0": 1.0, "ng": 1.5, "ng0": 1.5,
        "tg": 0.0, "tg0": 0.0, "ti0": 20000.0,
    }  # fmt: skip

    def work() -> None:
        for z in depths_um(planes):
            stage = z * (1.0 - 1.0 / INDEX) + FOCUS_UM / INDEX
            peer.scalar_psf([stage], side, dxy=PIXEL_UM, pz=z, wvl=WAVELENGTH_UM, params=lens)

    return work, {}


def microsim(planes: int, side: int):
    """Return microsim's vectorial stack over stage positions, the emitter at one depth."""
    from microsim.psf import vectorial_psf, vectorial_rz
    from microsim.schema.lens import ObjectiveLens

    lens = ObjectiveLens(
        na=NA,
        numerical_aperture=NA,
        specimen_ri=INDEX,
        immersion_medium_ri=1.0,
        immersion_medium_ri_spec=1.0,
        coverslip_thickness=0.0,
        coverslip_thickness_spec=0.0,
        working_distance=20000.0,
    )

    def work() -> None:
        vectorial_rz.cache_clear()  # it keeps its last answers
        vectorial_psf(
            tuple(depths_um(planes)), nx=side, dxy=PIXEL_UM, wvl=WAVELENGTH_UM, objective=lens
        )

    return work, {}


def microsim_volume(planes: int, side: int, psf_side: int):
    """Return microsim's image formation: a 3-D FFT convolution of a volume by its PSF."""
    from scipy.signal import fftconvolve

    rng = np.random.default_rng(1)
    volume = rng.random((planes, side, side), dtype=np.float32)
    psf = rng.random((planes, psf_side, psf_side), dtype=np.float32)

    def work() -> None:
        fftconvolve(volume, psf, mode="same").sum(axis=0)

    return work, {}
