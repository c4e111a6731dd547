r"""Curves of one plate for the sliders, through the design model's equations.

The design model (`design.model`) tabulates an instrument's numbers over its keys; here they are
computed for each state, which takes milliseconds, and only what takes longer is tabulated: what
X-rays leave in films of each material (`film`), and the transfer functions of the light. So any
key of the scenario may change, and curves carry no error of interpolation in NA, focus or voltage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import j0

from scintscope.cache import cached_arrays
from scintscope.design.beam_numbers import water_dose_gy_per_s
from scintscope.design.events import ORDERS
from scintscope.design.instrument_numbers import instrument_numbers
from scintscope.design.light import focus_merit, layer_waves, merit_planes, travel_for
from scintscope.design.model import DEPTH_COUNTS, Curves, DesignModel, Plan, spline_matrix
from scintscope.design.pupil_table import PupilTable, frequency_stencil, pupil_table, v_nodes
from scintscope.design.xray_tables import FACE_NODES, MIDDLE_NODES, panel_depths, to_depths
from scintscope.errors import ScintscopeError
from scintscope.instrument import Instrument
from scintscope.jax64 import jax, jnp
from scintscope.noise.theory import Moments, NoiseCurves, noise_curves
from scintscope.scintillator.layers import emitting_layers
from scintscope.scintillator.plate import Plate
from scintscope.source import Spectrum

Array = NDArray[np.float64]
Numbers = dict[str, Array]

FREQUENCIES = 192
COUNTS = (64, 256, 512)
"""Depth nodes to choose from: each is compiled once."""
RADII = 160
_FINE, _LAST = 1600, 0.05
_FOCUS_NODES = 200
_SCAN = 41
_NO_PIXEL_UM = 1e-6
_MARGIN_WAVES = 0.05
_THIRD = 5e-3
"""Margin of the tables, and the third-order wavefront from which it counts (`tabulate`)."""


class NotReadyError(ScintscopeError):
    """Tables or compiled functions that a state needs are still being made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateView:
    """What the page shows of one plate.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Of the curves below, to twice the camera's Nyquist frequency or the cut-off.
    curves : NoiseCurves
        MTF, NPS and DQE of one frame, pixel included.
    depth_um, k_per_um : (D,) array
        Depths in the film, and the share of the plate's light made there per um.
    focus_um, pixel_um : float
        Depth in focus; object-side pixel.
    electrons_per_um2, incident_per_um2, variance_electrons2 : float
        Mean signal and X-rays of one open-beam frame; what the camera adds to a pixel.
    light_cy_per_um, transfer, events_per_um2 : (G,) array
        To the cut-off, without the pixel: depth-summed transfer function, and the power of what
        single X-rays leave in a frame, electrons^2 per um2.
    radius_um, psf_per_um2 : (R,) array
        Depth-summed point spread function, unit integral.
    """

    frequency_cy_per_um: Array
    curves: NoiseCurves
    depth_um: Array
    k_per_um: Array
    focus_um: float
    pixel_um: float
    electrons_per_um2: float
    incident_per_um2: float
    variance_electrons2: float
    light_cy_per_um: Array
    transfer: Array
    events_per_um2: Array
    radius_um: Array
    psf_per_um2: Array


def beam_totals(spectrum: Spectrum) -> Numbers:
    """Return the totals of the beam under the names of `design.beam_numbers`."""
    return {
        "incident": np.asarray(spectrum.total_photons_per_um2_s),
        "incident_kev": np.asarray(spectrum.photons_per_um2_s @ spectrum.energy_kev),
        "dose_gy_per_s": np.asarray(water_dose_gy_per_s(spectrum)),
    }


def _no_beam() -> Numbers:
    return {name: np.zeros(()) for name in ("incident", "incident_kev", "dose_gy_per_s")}


def wave_ranges(
    corners: Sequence[Numbers],
) -> tuple[tuple[float, float], tuple[float, float], bool]:
    """Return ranges of `pupil_table` that serve instruments focused anywhere inside their plate."""
    low, high, third = np.full(2, np.inf), np.full(2, -np.inf), 0.0
    for numbers in corners:
        thickness = float(numbers["thickness"])
        for below in (0.0, thickness):
            travel = travel_for(numbers, below)
            layers = sum(name.startswith("layer@") for name in numbers)
            for layer in range(layers):
                ends = np.array([0.0, float(numbers[f"layer@{layer}"])])
                _, _, c1, c2, c3 = layer_waves(numbers, layer, ends, travel)
                pair = np.stack([np.ravel(c1), np.ravel(c2)])
                low, high = np.minimum(low, pair.min(1)), np.maximum(high, pair.max(1))
                third = max(third, float(np.abs(c3).max()))
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    margin = _MARGIN_WAVES * (high - low) + _MARGIN_WAVES
    low, high = low - margin, high + margin
    return (low[0], high[0]), (low[1], high[1]), third > _THIRD


def light_table(
    range_1: tuple[float, float], range_2: tuple[float, float], third: bool
) -> PupilTable:
    """Return `pupil_table`, from disk if it was made before."""

    def made() -> dict[str, NDArray[Any]]:
        table = pupil_table(range_1, range_2, third)
        found = {"low": np.array([table.low_1, table.low_2]), "values": np.asarray(table.values)}
        return found if table.slope is None else found | {"slope": np.asarray(table.slope)}

    inputs = {"version": 1, "ranges": [*range_1, *range_2], "third": third}
    kept = cached_arrays("explore-light", inputs, made)
    slope = kept.get("slope")
    return PupilTable(
        low_1=float(kept["low"][0]),
        low_2=float(kept["low"][1]),
        values=jnp.asarray(kept["values"]),
        slope=None if slope is None else jnp.asarray(slope),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """Makes curves.

    Parameters
    ----------
    pupil, focus_pupil : PupilTable
        Transfer functions of the light; the same at fewer frequencies, for the focus.
    frequency_cy_per_um, light_cy_per_um : (F,), (G,) array
        Of the curves; to the cut-off at the largest NA.
    compiled : set of int
        Depth nodes for which the model is compiled (`compile`).
    """

    pupil: PupilTable
    focus_pupil: PupilTable
    frequency_cy_per_um: Array
    light_cy_per_um: Array
    compiled: set[int] = field(default_factory=set)

    def view(
        self,
        instrument: Instrument,
        plate: Plate,
        spectrum: Spectrum,
        layers: Sequence[Mapping[str, Any]],
    ) -> PlateView:
        """Return what the page shows of a plate.

        Parameters
        ----------
        instrument, plate
            At the sliders' values.
        spectrum : Spectrum
            At the plate's entrance face.
        layers : sequence of dict
            ``left``, ``squares``, ``products`` of each layer that makes light, summed over the
            photons that reach it.

        Raises
        ------
        NotReadyError
            If the model is not compiled for as many depth nodes.
        """
        numbers: Numbers = dict(instrument_numbers(instrument, plate)) | beam_totals(spectrum)
        count = depth_nodes(numbers)
        if count not in self.compiled:
            raise NotReadyError(f"the model is being compiled for {count} depths.")
        focus = numbers.get("focus")
        if focus is None:
            left = layers[0]["left"][..., 0]
            focus = np.asarray(_best_focus(self.focus_pupil, numbers, left, count))
        bare = numbers | {
            "focus": focus,
            "pixel": np.asarray(_NO_PIXEL_UM),
            "variance": np.zeros(()),
        }
        light = self._curves(bare, layers, count)
        mean = float(light.electrons_per_um2)
        events = np.maximum(light.nps_electrons2_per_um2 - mean, 0.0)
        radius, psf = radial(self.light_cy_per_um, light.transfer)
        pixel, variance = float(numbers["pixel"]), float(numbers["variance"])
        f = self.frequency_cy_per_um
        moments = Moments(
            incident_per_um2=float(light.incident_per_um2),
            signal_per_um2=mean * CubicSpline(self.light_cy_per_um, light.transfer)(f),
            events_per_um2=np.maximum(CubicSpline(self.light_cy_per_um, events)(f), 0.0),
            light_per_um2=mean,
        )
        return PlateView(
            frequency_cy_per_um=f,
            curves=noise_curves(moments, np.sinc(f * pixel), variance / pixel**2),
            depth_um=np.asarray(light.depth_um),
            k_per_um=np.asarray(light.k_per_um),
            focus_um=float(focus),
            pixel_um=pixel,
            electrons_per_um2=mean,
            incident_per_um2=float(light.incident_per_um2),
            variance_electrons2=variance,
            light_cy_per_um=self.light_cy_per_um,
            transfer=np.asarray(light.transfer),
            events_per_um2=events,
            radius_um=radius,
            psf_per_um2=psf,
        )

    def compile(self, instrument: Instrument, plate: Plate, tabulated: int) -> None:
        """Run once through what is compiled at its first use, on tables without content.

        Parameters
        ----------
        instrument, plate
            Whose depth nodes are the kind to compile.
        tabulated : int
            Frequencies of the tables.
        """
        numbers: Numbers = dict(instrument_numbers(instrument, plate)) | _no_beam()
        count = depth_nodes(numbers)
        depths = 2 * FACE_NODES + MIDDLE_NODES
        empty = {
            "left": np.zeros((depths, tabulated)),
            "squares": np.zeros((depths, tabulated)),
            "products": np.zeros((tabulated, ORDERS, ORDERS)),
        }
        _best_focus(self.focus_pupil, numbers, empty["left"][:, 0], count)
        bare = numbers | {"focus": np.zeros(()), "pixel": np.asarray(_NO_PIXEL_UM)}
        self._curves(bare, [empty] * len(emitting_layers(plate)), count)
        self.compiled.add(count)

    def _curves(self, numbers: Numbers, layers: Sequence[Mapping[str, Any]], count: int) -> Curves:
        """Return the design model's curves up to the cut-off, at a given focus."""
        tabulated = layers[0]["left"].shape[-1]
        model = DesignModel(
            plan=Plan(
                axes=(),
                numbers=tuple((name, ()) for name in sorted(numbers)),
                layers=((),) * len(layers),
                by_energy=False,
                best_focus=False,
            ),
            tables={
                "numbers": {name: jnp.asarray(value) for name, value in numbers.items()},
                "layers": [dict(layer) for layer in layers],
                "frequency": jnp.asarray(self.light_cy_per_um),
                "spline": jnp.asarray(spline_matrix(self.light_cy_per_um, tabulated)),
            },
            pupil=self.pupil,
        )
        return model.curves({}, count)


@partial(jax.jit, static_argnames=("count",))
def _best_focus(pupil: PupilTable, numbers: Any, left: Any, count: int) -> Any:
    """Return the best focus of a film, um from its entrance face.

    The merit of `design.light.best_focus`, scanned over the plate, then once more about the best,
    then a parabola: without its derivatives, which take long to compile and nobody needs here.
    """
    z, weight = panel_depths(numbers["layer@0"], count, jnp)
    light = weight * (jnp.asarray(to_depths(count)) @ left)
    merit = jax.vmap(focus_merit(pupil, merit_planes(pupil, numbers), numbers, z, light))
    unit = jnp.linspace(-1.0, 1.0, _SCAN)
    thickness = numbers["layer@0"]

    def scan(_: Any, found: tuple[Any, Any]) -> tuple[Any, Any]:
        middle, reach = found
        places = jnp.clip(middle + reach * unit, 0.0, thickness)
        values = merit(places)
        best = jnp.clip(jnp.argmax(values), 1, _SCAN - 2)
        step = 2.0 * reach / (_SCAN - 1)
        before, here, after = (values[best + i] for i in (-1, 0, 1))
        bend = jnp.minimum(before - 2.0 * here + after, -1e-12)
        moved = places[best] + step * jnp.clip(0.5 * (before - after) / bend, -1.0, 1.0)
        return jnp.clip(moved, 0.0, thickness), step

    below, _ = jax.lax.fori_loop(0, 2, scan, (0.5 * thickness, 0.5 * thickness))
    return numbers["thickness"] - below


def fewer_frequencies(table: PupilTable) -> PupilTable:
    """Return a table of transfer functions at fewer frequencies, enough to find a focus."""
    count = table.values.shape[2]
    if count <= _FOCUS_NODES:
        return table
    index, weight = frequency_stencil(jnp.asarray(v_nodes(_FOCUS_NODES)), count)
    index, share = np.asarray(index), np.asarray(weight, dtype=np.float32)

    def thinned(values: Any) -> Any:
        full = np.asarray(values)
        return jnp.asarray(sum(full[..., i] * w for i, w in zip(index.T, share.T, strict=True)))

    slope = None if table.slope is None else thinned(table.slope)
    return replace(table, values=thinned(table.values), slope=slope)


def depth_nodes(numbers: Numbers) -> int:
    """Return the depth nodes between the faces, as `design.model.depth_count`, from fewer kinds."""
    slab = numbers["slab@0"][:, 0] / numbers["wave"]
    wanted = 8.0 + 2.0 * 2.0 * float(np.abs(slab).max() * numbers["layer@0"])
    return next((n for n in COUNTS if n >= wanted), DEPTH_COUNTS[-1])


def radial(frequency_cy_per_um: Array, transfer: Array) -> tuple[Array, Array]:
    """Return radii and the point spread function of a radial transfer function, (R,) each.

    PSF(r) = 2 pi INT T(f) J0(2 pi f r) f df (Bracewell 2000, The Fourier Transform and Its
    Applications, ch. 13), by the trapezoidal rule on a fine grid. Radii reach to twice the period
    at which T last exceeds 0.05.
    """
    f = np.linspace(0.0, float(frequency_cy_per_um[-1]), _FINE)
    values = CubicSpline(frequency_cy_per_um, transfer)(f)
    last = float(f[np.flatnonzero(values > _LAST)[-1]])
    r = np.linspace(0.0, float(np.clip(2.0 / max(last, f[1]), 5.0, 0.2 / f[1])), RADII)
    kernel = j0(2.0 * np.pi * r[:, None] * f)
    return r, 2.0 * np.pi * (f[1] - f[0]) * (kernel @ (f * values))


def light_frequencies(cutoff_cy_per_um: float) -> Array:
    """Return frequencies up to the cut-off, dense where transfer functions fall first, (F,)."""
    return np.asarray(cutoff_cy_per_um * np.linspace(0.0, 1.0, FREQUENCIES) ** 1.5)
