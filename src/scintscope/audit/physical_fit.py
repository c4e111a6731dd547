"""A kernel from the physics of both plates, a handful of its numbers fitted to the measured pair.

Known from the instrument: aperture, wavelength, indices, thicknesses, what the lens was corrected
for. Fitted: where each plate is in focus, how fast the light falls off with depth, how much of the
thick plate's light is a halo of re-absorbed photons and how wide it is, and the thin image's noise.
The halo is that of photons sent out evenly and absorbed after L on average, exp(-r / L) / (4 pi
r^2 L) in space; the transform of its projection is atan(k L) / (k L) with k = 2 pi f.

The model is simpler than what makes the images: one exponential for all energies, no electrons, no
mirrored light, one halo without faces. It is fitted to the same ring spectra as the radial PSF of
`restoration`; derivatives with respect to the foci are `optics.otf`'s own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.optimize import least_squares

from scintscope.instrument import Instrument
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from scintscope.plate_transfer import film_path, optical_path
from scintscope.quadrature import defocus_nodes, interval_nodes
from scintscope.restoration.psf_radial import RingSpectra, standard_deviation

Array = NDArray[np.float64]

PARAMETERS = (
    "thick_focus_um",
    "thin_focus_um",
    "attenuation_per_um",
    "halo_share",
    "halo_length_um",
    "gain",
    "noise",
)
"""What is fitted: depths in focus from the entrance faces; decay of the light with depth; share and
length of the thick plate's halo; thick signal per thin signal; thin noise over its weakest ring."""

_FREQUENCIES = 32
_COUNTS = (72, 6)
"""Nodes along and across the shear: 150 rad of defocus at a quarter of the cut-off."""

_NODES = 1.4
"""Depth nodes per node that `defocus_nodes` asks for at least."""

_FOCUS_STARTS = (0.05, 0.3)
"""Shares of the thick plate's depth at which the search for its focus starts."""

_KERNEL_PX = 258


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicalFit:
    """A fitted model.

    Parameters
    ----------
    values : dict of str to float
        By `PARAMETERS`.
    residual : float
        Root mean square misfit in standard deviations.
    frequency_cy_per_um, transfer : (F,) array
        The kernel's transfer function without gain.
    pixel_um : float
    """

    values: dict[str, float]
    residual: float
    frequency_cy_per_um: Array
    transfer: Array
    pixel_um: float

    def kernel(self) -> Array:
        """Return the kernel on camera pixels, centre at ``n // 2``, unit sum."""
        f = np.fft.fftfreq(_KERNEL_PX)
        radial = np.hypot(f[:, None], np.fft.rfftfreq(_KERNEL_PX)[None, :]) / self.pixel_um
        values = np.interp(radial, self.frequency_cy_per_um, self.transfer)
        kernel = fft.fftshift(fft.irfft2(values, s=(_KERNEL_PX, _KERNEL_PX)))
        return np.asarray(kernel / kernel.sum())


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicalModel:
    """H(f) of a pair of plates as a function of `PARAMETERS`, compiled once per instrument.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Where H is computed; between, it is interpolated.
    depths : callable
        Both foci to the plates' transfer functions by depth, and their derivatives.
    transfer : callable
        Parameters and what ``depths`` gave to H, (F,), without gain and noise.
    misfit, slope : callable
        The same and the ring data to misfits and their derivatives.
    thickness_um : dict of str to float
    pixel_um : float
    """

    frequency_cy_per_um: Array
    depths: Callable[..., Any]
    transfer: Callable[..., Any]
    misfit: Callable[..., Any]
    slope: Callable[..., Any]
    thickness_um: dict[str, float]
    pixel_um: float


@lru_cache(maxsize=4)
def physical_model(instrument: Instrument) -> PhysicalModel:
    """Return the model of an instrument; only what a user knows of it is used."""
    from scintscope.jax64 import jax, jnp

    nyquist = 0.5 / instrument.pixel_um_object
    frequency = 2.0**0.5 * nyquist * np.linspace(0.0, 1.0, _FREQUENCIES) ** 1.5
    plates = [_Plate.of(instrument, name, frequency) for name in ("thick", "thin")]

    def depths(thick_focus: Any, thin_focus: Any) -> Any:
        return tuple(
            jax.jvp(plate.by_depth, (focus,), (jnp.ones_like(focus),))
            for plate, focus in zip(plates, (thick_focus, thin_focus), strict=True)
        )

    def transfer(parameters: Any, found: Any, foci: Any) -> Any:
        thick, thin = (
            plate.mean(values + slope * (parameters[i] - foci[i]), parameters[2])
            for i, (plate, (values, slope)) in enumerate(zip(plates, found, strict=True))
        )
        k = 2.0 * jnp.pi * parameters[4] * jnp.maximum(frequency, 1e-9)
        return thick / thin * (1.0 - parameters[3] + parameters[3] * jnp.arctan(k) / k)

    def misfit(parameters: Any, found: Any, foci: Any, data: Any) -> Any:
        f, cross, thin, weakest, spread = data
        h = parameters[5] * jnp.interp(f, frequency, transfer(parameters, found, foci))
        return (cross - h * (thin - parameters[6] * weakest)) / spread

    return PhysicalModel(
        frequency_cy_per_um=frequency,
        depths=jax.jit(depths),
        transfer=jax.jit(transfer),
        misfit=jax.jit(misfit),
        slope=jax.jit(jax.jacfwd(misfit)),
        thickness_um={"thick": plates[0].thickness_um, "thin": plates[1].thickness_um},
        pixel_um=instrument.pixel_um_object,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plate:
    """A plate's light by depth, as a function of its focus."""

    path: OpticalPath
    thickness_um: float
    frequency: Array
    z_um: Array
    weight_um: Array

    @classmethod
    def of(cls, instrument: Instrument, name: str, frequency: Array) -> _Plate:
        """Return the model's plate for one of the instrument's."""
        plate = getattr(instrument, name)
        path = film_path(optical_path(instrument, plate), plate)
        least = defocus_nodes(plate.thickness_um, path.na, path.index, path.wavelength_um)
        z, weight = interval_nodes(0.0, plate.thickness_um, round(_NODES * least))
        return cls(
            path=path,
            thickness_um=plate.thickness_um,
            frequency=frequency,
            z_um=z,
            weight_um=weight,
        )

    def by_depth(self, focus_um: Any) -> Any:
        """Return T(f, z), (D, F)."""
        travel = travel_for_focus_um(self.thickness_um - focus_um, self.path)
        below = self.thickness_um - self.z_um
        return otf(self.frequency, below, travel, self.path, counts=_COUNTS)

    def mean(self, by_depth: Any, attenuation: Any) -> Any:
        """Return the mean over depth of light that falls off exponentially, (F,)."""
        from scintscope.jax64 import jnp

        light = self.weight_um * jnp.exp(-attenuation * self.z_um)
        return light @ by_depth / light.sum()


def fit_physical(model: PhysicalModel, rings: RingSpectra) -> PhysicalFit:
    """Return the parameters that fit the ring spectra of a pair best, of a few starts.

    Parameters
    ----------
    model : PhysicalModel
    rings : RingSpectra
        From `restoration.psf_radial.ring_spectra` of the registered signals.
    """
    from scintscope.jax64 import jnp

    weakest = rings.count * float((rings.thin / rings.count).min())
    frequency = rings.frequency_cy_per_px / model.pixel_um
    columns = (frequency, rings.cross, rings.thin, weakest, standard_deviation(rings))
    data = tuple(jnp.asarray(column) for column in columns)
    thick, thin = model.thickness_um["thick"], model.thickness_um["thin"]
    gain = float(rings.cross[0] / rings.thin[0])
    bounds = (
        [-0.2 * thick, -0.2 * thin, 0.0, 0.0, 5.0, 0.1 * gain, 0.0],
        [1.2 * thick, 1.2 * thin, 0.1, 0.6, 400.0, 10.0 * gain, 1.0],
    )
    found = []
    for share in _FOCUS_STARTS:
        search = _Search(model, data)
        start = [share * thick, 0.5 * thin, 0.5 / thick, 0.1, 100.0, gain, 0.3]
        result = least_squares(
            search.misfit,
            start,
            jac=search.slope,
            bounds=bounds,
            x_scale=[10.0, 2.0, 0.005, 0.1, 50.0, gain, 0.3],
            max_nfev=30,
            xtol=1e-5,
            ftol=1e-6,
        )
        found.append((float(result.cost), result.x, search))
    cost, x, search = min(found, key=lambda item: item[0])
    return PhysicalFit(
        values=dict(zip(PARAMETERS, (float(value) for value in x), strict=True)),
        residual=float(np.sqrt(2.0 * cost / rings.count.size)),
        frequency_cy_per_um=model.frequency_cy_per_um,
        transfer=np.asarray(model.transfer(x, search.depths(x), x[:2])),
        pixel_um=model.pixel_um,
    )


class _Search:
    """Misfit and slope of one data set; transfer functions by depth are shared between them."""

    def __init__(self, model: PhysicalModel, data: tuple[Any, ...]) -> None:
        self.model, self.data = model, data
        self._foci: tuple[float, float] | None = None
        self._found: Any = None

    def depths(self, x: Array) -> Any:
        """Return the transfer functions by depth at the parameters' foci."""
        foci = (float(x[0]), float(x[1]))
        if foci != self._foci:
            self._found, self._foci = self.model.depths(*foci), foci
        return self._found

    def misfit(self, x: Array) -> Array:
        """Return the misfits in standard deviations."""
        return np.asarray(self.model.misfit(x, self.depths(x), x[:2], self.data))

    def slope(self, x: Array) -> Array:
        """Return their derivatives."""
        return np.asarray(self.model.slope(x, self.depths(x), x[:2], self.data))
