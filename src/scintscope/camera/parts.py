"""The camera and how a stack of frames is taken, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scintscope.errors import InputError, RangeError, check_range


def _check_whole(name: str, value: int, low: int, high: int, unit: str = "") -> None:
    """Raise `RangeError` unless ``value`` is a whole number from ``low`` to ``high``."""
    check_range(name, value, low=low, high=high, unit=unit)
    if int(value) != value:
        raise RangeError(name, value, f"[{low}, {high}], whole", "Give a whole number.")


def _check_curve(curve: tuple[tuple[float, float], ...] | None) -> None:
    """Raise `InputError` unless a curve of quantum efficiency is None or rises in wavelength."""
    if curve is None:
        return
    name = "camera.quantum_efficiency_curve"
    if len(curve) < 2 or any(len(pair) != 2 for pair in curve):
        raise InputError(
            f"{name} = {[list(pair) for pair in curve]!r}: give at least 2 pairs "
            "[nm, quantum efficiency]."
        )
    for _, value in curve:
        check_range(name, value, low=0.0, high=1.0)
    if any(b[0] <= a[0] for a, b in pairwise(curve)) or curve[0][0] <= 0.0:
        raise InputError(f"{name} = ...: its wavelengths must rise from one pair to the next.")
    if all(value == 0.0 for _, value in curve):
        raise InputError(f"{name} = ...: a camera that sees nothing is of no use.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Camera:
    """A scientific CMOS camera.

    Parameters
    ----------
    pixel_um_sensor : float
        Pixel pitch on the sensor.
    shape : (int, int)
        Rows and columns.
    quantum_efficiency : float
        Photo-electrons per photon at the emission.
    gain_electrons_per_adu, offset_adu : float
        Conversion factor and pedestal.
    read_noise_electrons, dark_electrons_per_s : float
        Rms read noise; mean dark current.
    full_well_electrons, bits : float, int
        Saturation of the pixel and of the converter.
    prnu, dsnu_electrons : float
        Relative rms of the pixels' sensitivity; rms of their offsets.
    hot_pixel_fraction, hot_pixel_electrons_per_s : float
        Share of pixels with a large dark current, and its mean.
    zingers_per_frame : float
        Mean number of direct X-ray hits in a frame.
    quantum_efficiency_curve : tuple of (float, float), or None
        Pairs (wavelength in nm, quantum efficiency), linear between; replaces
        ``quantum_efficiency``. None is the same efficiency at all wavelengths.
    """

    pixel_um_sensor: float = 6.5
    shape: tuple[int, int] = (2048, 2048)
    quantum_efficiency: float = 0.72
    gain_electrons_per_adu: float = 0.46
    offset_adu: float = 100.0
    read_noise_electrons: float = 1.6
    dark_electrons_per_s: float = 0.06
    full_well_electrons: float = 30000.0
    bits: int = 16
    prnu: float = 0.0
    dsnu_electrons: float = 0.0
    hot_pixel_fraction: float = 0.0
    hot_pixel_electrons_per_s: float = 50.0
    zingers_per_frame: float = 0.0
    quantum_efficiency_curve: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        check_range(
            "camera.pixel_um_sensor",
            self.pixel_um_sensor,
            low=0.0,
            low_open=True,
            high=1000.0,
            unit="um",
        )
        if len(self.shape) != 2 or any(int(n) != n or not 16 <= n <= 16384 for n in self.shape):
            raise InputError(
                f"camera.shape = {list(self.shape)!r}: give [rows, columns], each 16 to 16384."
            )
        check_range(
            "camera.quantum_efficiency", self.quantum_efficiency, low=0.0, low_open=True, high=1.0
        )
        check_range(
            "camera.gain_electrons_per_adu", self.gain_electrons_per_adu, low=0.0, low_open=True
        )
        for name in (
            "offset_adu",
            "read_noise_electrons",
            "dark_electrons_per_s",
            "dsnu_electrons",
            "hot_pixel_electrons_per_s",
            "zingers_per_frame",
        ):
            check_range(f"camera.{name}", getattr(self, name), low=0.0)
        check_range("camera.full_well_electrons", self.full_well_electrons, low=1.0)
        _check_whole("camera.bits", self.bits, 8, 16, "bits")
        check_range("camera.prnu", self.prnu, low=0.0, high=0.3)
        check_range("camera.hot_pixel_fraction", self.hot_pixel_fraction, low=0.0, high=0.1)
        _check_curve(self.quantum_efficiency_curve)

    def quantum_efficiency_at(self, wavelength_nm: float) -> float:
        """Return photo-electrons per photon at a wavelength.

        Raises
        ------
        RangeError
            If there is a curve and the wavelength lies outside it.
        """
        if self.quantum_efficiency_curve is None:
            return self.quantum_efficiency
        wavelengths, values = zip(*self.quantum_efficiency_curve, strict=True)
        check_range(
            "camera.quantum_efficiency_curve: wavelength",
            wavelength_nm,
            # a wavelength converted to um and back may differ in its last digit
            low=wavelengths[0] * (1.0 - 1e-12),
            high=wavelengths[-1] * (1.0 + 1e-12),
            unit="nm",
            remedy="Give the curve over the whole emission band, with 0 where nothing is seen.",
        )
        return float(np.interp(wavelength_nm, wavelengths, values))


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquisition:
    """How the stacks are taken.

    Parameters
    ----------
    frames : int
        Frames per stack.
    plate_drift_um, sample_drift_um : float
        Rms displacement per axis between two stacks; within a stack, frames follow a random walk
        whose last frame has half this rms. Plate and sample move independently.
    source_flicker : float
        Relative rms of the source's output from frame to frame.
    dark_frames, flat_frames : int
        Frames of the dark stack (per exposure) and of the camera flat (even light, no
        scintillator).
    flat_electrons : float
        Mean signal of a camera-flat frame.
    seed : int
        Seed of everything random.
    """

    frames: int = 10
    plate_drift_um: float = 0.0
    sample_drift_um: float = 0.0
    source_flicker: float = 0.0
    dark_frames: int = 10
    flat_frames: int = 10
    flat_electrons: float = 10000.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_whole("acquisition.frames", self.frames, 1, 100000)
        check_range("acquisition.plate_drift_um", self.plate_drift_um, low=0.0, high=1e3, unit="um")
        check_range(
            "acquisition.sample_drift_um", self.sample_drift_um, low=0.0, high=1e3, unit="um"
        )
        check_range("acquisition.source_flicker", self.source_flicker, low=0.0, high=0.5)
        _check_whole("acquisition.dark_frames", self.dark_frames, 0, 100000)
        _check_whole("acquisition.flat_frames", self.flat_frames, 0, 100000)
        check_range("acquisition.flat_electrons", self.flat_electrons, low=1.0)
        _check_whole("acquisition.seed", self.seed, 0, 2**63 - 1)
