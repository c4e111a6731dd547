"""What a sample is made of: the arrays of each content, their dimensions and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scintscope.dataset.study import Study

PLATES = ("thin", "thick")

CONTENTS: Mapping[str, str] = {
    "frames": "Raw camera frames of every stack: plate with sample, plate without (background)",
    "darks": "Dark frames for each exposure, and the camera's flat",
    "averaged": "Means of the stacks, dark and camera flat taken off",
    "noise_free": "Noise-free, defect-free images at the stack's mean position",
    "xray": "X-ray image before the plate: transmission weighted by what the plate absorbs",
    "truth": "Both truths in the thick plate's frame: what a restoration is scored against",
    "kz": "k(z): share of the plate's light made per um of depth",
    "psf": "True generalized PSF of each plate, and true kernel from thin to thick",
    "defects": "Defect masks of each plate",
    "drift": "Where plate and sample were in each frame, and the source's output",
    "restored": "Baseline: input and result of the study's restoration, and its estimated PSF",
}
"""Contents of a store, in order, each with a sentence."""

DEPTHS = 64
"""Depths at which k(z) is kept: the middles of equal parts of the plate."""

EMISSION, TRANSMISSION, GLOW = 1, 2, 4
"""Bits of a defect mask."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArraySpec:
    """One array of a sample.

    Parameters
    ----------
    content : str
        Of `CONTENTS`.
    dtype : str
        NumPy type.
    dims : tuple of str
        Dimension names, the sample's own left out.
    shape : tuple of int
        Of one sample.
    unit, description : str
        For people and for the store's attributes.
    """

    content: str
    dtype: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    unit: str
    description: str

    @property
    def nbytes(self) -> int:
        """Bytes of one sample."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


def objects(study: Study) -> tuple[str, ...]:
    """Return what is imaged besides the background."""
    return ("target", "specimen") if study.families else ("target",)


def stacks(study: Study) -> tuple[str, ...]:
    """Return the names of all stacks, in the order of the drift arrays."""
    return tuple(f"{plate}_{what}" for plate in PLATES for what in (*objects(study), "background"))


def specs(study: Study) -> dict[str, ArraySpec]:
    """Return the arrays of a study's samples by name, in the order of `CONTENTS`."""
    makers = {
        "frames": _frames,
        "darks": _darks,
        "averaged": _averaged,
        "noise_free": _noise_free,
        "xray": _xray,
        "truth": _truth,
        "kz": _kz,
        "psf": _psf,
        "defects": _defects,
        "drift": _drift,
        "restored": _restored,
    }
    return {name: spec for content in study.contents for name, spec in makers[content](study)}


Named = Iterator[tuple[str, ArraySpec]]


def _image(study: Study, content: str, unit: str, text: str, dtype: str = "<f4") -> ArraySpec:
    shape = study.base.camera.shape
    return ArraySpec(
        content=content,
        dtype=dtype,
        dims=("row", "column"),
        shape=(shape[0], shape[1]),
        unit=unit,
        description=text,
    )


def _stack(study: Study, content: str, count: int, frame: str, text: str) -> ArraySpec:
    shape = study.base.camera.shape
    return ArraySpec(
        content=content,
        dtype="<u2",
        dims=(frame, "row", "column"),
        shape=(count, shape[0], shape[1]),
        unit="ADU",
        description=text,
    )


def _frames(study: Study) -> Named:
    count = study.base.acquisition.frames
    for name in stacks(study):
        plate, what = name.split("_")
        text = f"Frames of the {what} on the {plate} plate"
        yield f"{name}_frames", _stack(study, "frames", count, "frame", text)


def _darks(study: Study) -> Named:
    acquisition = study.base.acquisition
    if acquisition.dark_frames:
        for plate in PLATES:
            text = f"Dark frames with the {plate} plate's exposure"
            spec = _stack(study, "darks", acquisition.dark_frames, "dark_frame", text)
            yield f"{plate}_dark_frames", spec
    if acquisition.flat_frames:
        text = "Camera flat: even light, no scintillator, the thick plate's exposure"
        spec = _stack(study, "darks", acquisition.flat_frames, "flat_frame", text)
        yield "camera_flat_frames", spec


def _averaged(study: Study) -> Named:
    for name in stacks(study):
        plate, what = name.split("_")
        text = f"Mean of the {what} on the {plate} plate above dark, camera flat divided out"
        yield f"{name}_averaged", _image(study, "averaged", "ADU", text)


def _noise_free(study: Study) -> Named:
    for plate in PLATES:
        for what in objects(study):
            text = f"Expected electrons per pixel and frame of the {what} on the {plate} plate"
            spec = _image(study, "noise_free", "electron", f"{text}, no defects")
            yield f"{plate}_{what}_electrons", spec


def _xray(study: Study) -> Named:
    for plate in PLATES:
        for what in objects(study):
            text = f"X-ray transmission of the {what}, weighted by what the {plate} plate absorbs"
            yield f"{plate}_{what}_xray", _image(study, "xray", "1", text)


def _truth(study: Study) -> Named:
    for what in objects(study):
        text = f"Thin plate's noise-free, defect-free transmission of the {what}"
        spec = _image(study, "truth", "1", f"{text}, in the thick plate's frame")
        yield f"{what}_truth", spec
        text = f"X-ray transmission of the {what} in the thick plate's frame"
        yield f"{what}_truth_xray", _image(study, "truth", "1", text)


def _kz(study: Study) -> Named:
    for plate in PLATES:
        for name, unit, text in (
            ("depth_um", "um", "Depths z, from the entrance face"),
            ("k_per_um", "1/um", "k(z) of the open beam; its integral over the plate is one"),
        ):
            yield (
                f"{plate}_{name}",
                ArraySpec(
                    content="kz",
                    dtype="<f8",
                    dims=("depth",),
                    shape=(DEPTHS,),
                    unit=unit,
                    description=f"{text}, {plate} plate",
                ),
            )


def _kernel(study: Study, content: str, text: str) -> ArraySpec:
    size = study.base.restoration.psf_size_px
    return ArraySpec(
        content=content,
        dtype="<f4",
        dims=("psf_row", "psf_column"),
        shape=(size, size),
        unit="1",
        description=f"{text}; centre at [{size // 2}, {size // 2}]",
    )


def _psf(study: Study) -> Named:
    for plate in PLATES:
        text = f"Generalized PSF of the {plate} plate on camera pixels, pixel aperture included"
        yield f"{plate}_psf", _kernel(study, "psf", text)
    yield "psf_thin_to_thick", _kernel(study, "psf", "True kernel from thin to thick image")


def _defects(study: Study) -> Named:
    for plate in PLATES:
        text = (
            f"Defects of the {plate} plate where they lie without drift: bit {EMISSION} light is "
            f"lost, bit {TRANSMISSION} light is scattered, bit {GLOW} a spot glows"
        )
        yield f"{plate}_defect_mask", _image(study, "defects", "1", text, dtype="|u1")


def _drift(study: Study) -> Named:
    count, frames = len(stacks(study)), study.base.acquisition.frames
    for name, dims, shape, unit, text in (
        ("plate_drift_um", ("axis",), (2,), "um", "Displacement of the plate, (row, column)"),
        ("sample_drift_um", ("axis",), (2,), "um", "Displacement of the sample, (row, column)"),
        ("source_factor", (), (), "1", "Source output over its mean"),
    ):
        yield (
            name,
            ArraySpec(
                content="drift",
                dtype="<f8",
                dims=("stack", "frame", *dims),
                shape=(count, frames, *shape),
                unit=unit,
                description=f"{text}, in each frame; stacks: {', '.join(stacks(study))}",
            ),
        )


def _restored(study: Study) -> Named:
    config = study.base.restoration
    for what in objects(study):
        divided = what == "specimen" and config.specimen_background == "divide"
        unit = "1" if divided else "ADU"
        kind = "Transmission" if divided else "Signal"
        text = f"{kind} of the {what} on the thick plate, background taken off"
        yield f"{what}_input", _image(study, "restored", unit, text)
        text = f"The same restored by {config.deconvolution} with the estimated PSF"
        yield f"{what}_restored", _image(study, "restored", unit, text)
    yield "psf_estimated", _kernel(study, "restored", "Kernel estimated from the target's pair")
