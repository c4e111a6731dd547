"""DepthResponse: what one plate in one instrument does to light, per energy, depth, frequency.

It is computed once, in one dimension, on plain numbers; the curves of the data sheet are read off
it, the image model sums it over images, the verdict switches its parts off. So a curve and a
simulated image on axis can differ only by noise.

Symbols (all object side): phi_E open-beam photons per um2 and s, e_E(z, f) mean energy a photon
leaves per um of depth (keV) as a radial transfer function (its electrons and re-absorbed photons
spread it), c electrons per keV, T(f, z) transfer function of the optics, P(f) = sinc(f pixel).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import PhysicsWarning, SamplingError
from scintscope.instrument import Instrument
from scintscope.materials import attenuation
from scintscope.optics.focus import best_focus_um
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from scintscope.plate_deposition import PlateDeposition, plate_deposition
from scintscope.plate_transfer import (
    LightModel,
    film_path,
    light_model,
    optical_path,
    plate_otf,
)
from scintscope.quadrature import defocus_nodes, interval_nodes, plate_nodes
from scintscope.scintillator.layers import crossed_media, emitting_layers
from scintscope.scintillator.light_budget import LightBudget, light_budget
from scintscope.scintillator.plate import DefectRecipe, Plate
from scintscope.source import Spectrum, beam_spectra

Array = NDArray[np.float64]

_FREQUENCY_POWER = 1.5
"""Transfer functions vary fastest at low frequency, where the samples are therefore denser."""

_KEPT_OTFS = 24
_MAX_DEPTH_NODES = 4096
_MAX_OVERSAMPLING = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthResponse:
    """One plate in one instrument.

    Parameters
    ----------
    plate : Plate
        The plate.
    spectrum : Spectrum
        Open beam at its entrance face, on axis (E groups).
    deposition : PlateDeposition
        Where photons of each energy leave theirs.
    budgets : tuple of LightBudget
        From keV to electrons in each layer that makes light, the film first.
    depth_um, depth_weight_um : (D,) array
        Quadrature nodes and weights over the layers that make light.
    frequency_cy_per_um : (F,) array
        From 0 to the optical cut-off, denser at the low end.
    otf : (D, F) array
        T(f, z), light mirrored by the entrance face included, T(0) = 1.
    energy_left : (D, F) array
        sum_E phi_E e_E(z, f), keV per um3 and s of the open beam.
    electrons_per_kev : float
        c, everything from yield to quantum efficiency.
    path : OpticalPath
        Lens and its glass; what lies in the plate is added per layer (`plate_transfer`).
    light : LightModel
        Scalar or vectorial, one wavelength or a band.
    travel_um, focus_um : float
        Stage travel; depth in focus, z from the entrance face.
    pixel_um : float
        Camera pixel, object side.
    """

    plate: Plate
    spectrum: Spectrum
    deposition: PlateDeposition
    budgets: tuple[LightBudget, ...]
    depth_um: Array
    depth_weight_um: Array
    frequency_cy_per_um: Array
    otf: Array
    energy_left: Array
    electrons_per_kev: float
    path: OpticalPath
    light: LightModel
    travel_um: float
    focus_um: float
    pixel_um: float

    @property
    def thickness_um(self) -> float:
        """Thickness of the plate."""
        return self.plate.thickness_um

    def deposit_kev_per_um(self, z_um: Array, path: float = 1.0) -> Array:
        """Return e_E(z, 0) per incident photon, (E, D)."""
        return self.deposition.mean_kev_per_um(z_um, path)

    def interacting_fraction(self) -> Array:
        """Return the share of photons that interact in what makes light, (E,)."""
        return self.deposition.interacting_fraction()

    def light_per_um(self, z_um: Array) -> Array:
        """Return open-beam electrons per um2, s and um of depth, per energy, (E, D)."""
        photons = self.spectrum.photons_per_um2_s[:, None]
        return np.asarray(photons * self.deposit_kev_per_um(z_um) * self.electrons_per_kev)

    def k_per_um(self, z_um: Array) -> Array:
        """Return k(z), 1/um: the share of the plate's light made per um of depth, (D,)."""
        total = self.depth_weight_um @ self.light_per_um(self.depth_um).sum(axis=0)
        return np.asarray(self.light_per_um(z_um).sum(axis=0) / total)

    def otf_at(self, z_um: Array) -> Array:
        """Return T(f, z) at any depths, (D, F); read-only, as the last few are kept."""
        z = np.asarray(z_um, dtype=np.float64)
        f = self.frequency_cy_per_um
        plate = replace(self.plate, defects=DefectRecipe(), exposure_s=1.0)  # T knows neither
        return _otf_at(f.tobytes(), z.tobytes(), plate, self.path, self.travel_um, self.light)


@lru_cache(maxsize=_KEPT_OTFS)
def _otf_at(
    frequency: bytes,
    depth: bytes,
    plate: Plate,
    path: OpticalPath,
    travel_um: float,
    light: LightModel,
) -> Array:
    """Return `plate_otf`; plates in front of many samples are asked for the same depths again."""
    f, z = (np.frombuffer(x, dtype=np.float64) for x in (frequency, depth))
    found = plate_otf(f, z, plate, path, travel_um, light)
    found.setflags(write=False)
    return found


def plate_spectrum(instrument: Instrument, plate: Plate) -> Spectrum:
    """Return the open beam at a plate's entrance face.

    Bins are cut at the absorption edges of everything in the beam. Both plates of an instrument
    get the same energies, whatever they are made of and wherever their faces lie.
    """
    geometry, thin = instrument.geometry, instrument.thin
    plates = (plate, thin, instrument.thick)
    distances = [geometry.entrance_distance_mm(p.thickness_um, thin.thickness_um) for p in plates]
    media = [layer for p in plates for layer in crossed_media(p)]
    edges = np.union1d(instrument.edges_kev, attenuation.edges_of(media))
    bin_kev = instrument.accuracy.energy_bin_kev
    return beam_spectra(instrument.source, tuple(distances), bin_kev, edges)[0]


def depth_response(instrument: Instrument, plate: Plate) -> DepthResponse:
    """Return the response of a plate in an instrument.

    Depth nodes are doubled until the depth-summed transfer function changes by less than
    ``accuracy.depth_tolerance``; ``focus_um = "best"`` is solved here.

    Warns
    -----
    PhysicsWarning
        If the focus lies outside the plate.
    """
    spectrum = plate_spectrum(instrument, plate)
    path = optical_path(instrument, plate)
    layers = emitting_layers(plate)
    budgets = tuple(
        light_budget(plate, instrument.lens, instrument.camera, layer=layer) for layer in layers
    )
    light = light_model(instrument, plate, budgets[0].detected_band)
    draft = DepthResponse(
        plate=plate,
        spectrum=spectrum,
        deposition=plate_deposition(
            plate,
            spectrum.energy_kev,
            instrument.accuracy.effects,
            tuple(budget.electrons_per_kev for budget in budgets),
        ),
        budgets=budgets,
        depth_um=np.zeros(0),
        depth_weight_um=np.zeros(0),
        frequency_cy_per_um=response_frequencies(
            replace(path, wavelength_um=light.shortest_um(path)), plate.thickness_um
        ),
        otf=np.zeros((0, 0)),
        energy_left=np.zeros((0, 0)),
        electrons_per_kev=budgets[0].electrons_per_kev,
        path=path,
        light=light,
        travel_um=0.0,
        focus_um=0.0,
        pixel_um=instrument.pixel_um_object,
    )
    focused = _focus(draft, instrument)
    return _resolve_depth(focused, instrument)


def response_frequencies(path: OpticalPath, thickness_um: float) -> Array:
    """Return the radial frequencies at which transfer functions are tabulated, (F,).

    Their number follows the widest blur disc R: H(f) oscillates with period 1 / (2 R) in f; eight
    samples a period keep a cubic spline through them good to 1e-5.
    """
    sine = path.na / path.index
    radius_um = 2.0 * thickness_um * sine / float(np.sqrt(1.0 - sine**2))
    count = int(np.clip(4.0 * path.cutoff_cy_per_um * radius_um, 192, 1024))
    return np.asarray(path.cutoff_cy_per_um * np.linspace(0.0, 1.0, count) ** _FREQUENCY_POWER)


def _focus(draft: DepthResponse, instrument: Instrument) -> DepthResponse:
    """Return the response with its focus depth and stage travel set."""
    plate = draft.plate
    path, thickness = film_path(draft.path, plate), plate.thickness_um
    if isinstance(plate.focus_um, str):
        count = defocus_nodes(thickness, path.na, path.index, path.wavelength_um)
        z, weight = interval_nodes(0.0, thickness, 2 * count)
        light = weight * draft.light_per_um(z).sum(axis=0)
        below_exit = best_focus_um(
            thickness - z,
            light,
            path,
            instrument.camera_nyquist_cy_per_um,
            instrument.pixel_um_object,
            thickness,
        )
    else:
        below_exit = thickness - plate.focus_um
        if not 0.0 <= plate.focus_um <= thickness:
            warnings.warn(
                f"focus_um = {plate.focus_um:g} lies outside the plate of {thickness:g} um: "
                "every depth is out of focus.",
                PhysicsWarning,
                stacklevel=3,
            )
    return replace(
        draft,
        travel_um=float(travel_for_focus_um(below_exit, path)),
        focus_um=float(thickness - below_exit),
    )


def _resolve_depth(draft: DepthResponse, instrument: Instrument) -> DepthResponse:
    """Return the response with enough depth nodes and its transfer functions."""
    accuracy, path = instrument.accuracy, draft.path
    if accuracy.depth_nodes != "auto":
        return with_depth_nodes(draft, int(accuracy.depth_nodes))
    probe = draft.frequency_cy_per_um[:: max(1, draft.frequency_cy_per_um.size // 48)]
    count = defocus_nodes(draft.thickness_um, path.na, path.index, path.wavelength_um)
    previous = mean_transfer(with_depth_nodes(draft, count, probe))
    while True:
        doubled = mean_transfer(with_depth_nodes(draft, 2 * count, probe))
        change = float(np.max(np.abs(doubled - previous)))
        if change <= accuracy.depth_tolerance:
            return with_depth_nodes(draft, count)
        count, previous = 2 * count, doubled
        if count > _MAX_DEPTH_NODES:
            raise SamplingError(
                f"{count} depth nodes do not reach accuracy.depth_tolerance = "
                f"{accuracy.depth_tolerance:g} (last change {change:.1e}). Raise it."
            )


def with_depth_nodes(
    response: DepthResponse, count: int, frequency_cy_per_um: Array | None = None
) -> DepthResponse:
    """Return the response on ``count`` depth nodes (and on other frequencies, if given)."""
    frequency = response.frequency_cy_per_um if frequency_cy_per_um is None else frequency_cy_per_um
    z, weight = _layer_nodes(response, count)
    photons = response.spectrum.photons_per_um2_s
    return replace(
        response,
        depth_um=z,
        depth_weight_um=weight,
        frequency_cy_per_um=frequency,
        otf=plate_otf(
            frequency, z, response.plate, response.path, response.travel_um, response.light
        ),
        energy_left=response.deposition.mean_transfer(photons[None], z, frequency)[0],
    )


def _layer_nodes(response: DepthResponse, count: int) -> tuple[Array, Array]:
    """Return nodes and weights over all layers that make light; ``count`` is the film's."""
    parts, path = [], response.path

    def resolved(thickness_um: float) -> int:
        return defocus_nodes(thickness_um, path.na, path.index, path.wavelength_um)

    for layer in emitting_layers(response.plate):
        own = -(-count * resolved(layer.thickness_um) // resolved(response.thickness_um))
        z, weight = plate_nodes(layer.thickness_um, min(own, _MAX_DEPTH_NODES))
        parts.append((layer.entrance_um + z, weight))
    nodes, weights = (np.concatenate(values) for values in zip(*parts, strict=True))
    return nodes, weights


def mean_transfer(response: DepthResponse) -> Array:
    """Return the generalized transfer function, sum_z e(f, z) T(f, z) / sum_z e(0, z), (F,).

    The transform of PSF_all of Zhou et al. 2025, Eq. 2, at the tabulated frequencies, with the
    spread of the deposited energy that the paper leaves out.
    """
    total = response.depth_weight_um @ response.energy_left[:, 0]
    return np.asarray(response.depth_weight_um @ (response.energy_left * response.otf) / total)


def at_frequencies(frequency_cy_per_um: Array, tabulated_cy_per_um: Array, values: Array) -> Array:
    """Return curves (last axis tabulated) at other frequencies; zero beyond the cut-off.

    Cubic spline in f, not-a-knot at both ends: at f = 0 the curves have a cusp of slope
    -4 / (pi cut-off), the loss of overlap of the two pupils.
    """
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(tabulated_cy_per_um, values, axis=-1)
    result = spline(np.minimum(frequency_cy_per_um, tabulated_cy_per_um[-1]))
    return np.asarray(np.where(frequency_cy_per_um < tabulated_cy_per_um[-1], result, 0.0))


def presampled_mtf(response: DepthResponse, frequency_cy_per_um: Array) -> Array:
    """Return |sum_z k T| P along a pixel row: the MTF before sampling, penumbra not included."""
    transfer = at_frequencies(
        frequency_cy_per_um, response.frequency_cy_per_um, mean_transfer(response)
    )
    return np.abs(transfer * np.sinc(frequency_cy_per_um * response.pixel_um))


def check_sampling(instrument: Instrument, responses: tuple[DepthResponse, ...]) -> int:
    """Return the oversampling of the simulation grid; refuse one that would alias.

    On the pitch pixel / oversampling the presampled MTF beyond the Nyquist frequency must stay
    below ``accuracy.alias_tolerance``. The camera's own aliasing is physical and is kept.

    Raises
    ------
    SamplingError
        Naming key, value, the MTF found and the smallest oversampling that serves.
    """
    accuracy = instrument.accuracy
    pixel = instrument.pixel_um_object

    def worst(factor: int) -> float:
        nyquist = 0.5 * factor / pixel
        found = 0.0
        for response in responses:
            cutoff = response.path.cutoff_cy_per_um
            if nyquist < cutoff:
                f = np.linspace(nyquist, cutoff, 400)
                found = max(found, float(presampled_mtf(response, f).max()))
        return found

    served = [k for k in range(1, _MAX_OVERSAMPLING + 1) if worst(k) <= accuracy.alias_tolerance]
    remedy = (
        f"Use accuracy.oversampling = {served[0]} or more, or raise accuracy.alias_tolerance."
        if served
        else "Use a camera with a smaller pixel, a higher magnification or a higher tolerance."
    )
    chosen = accuracy.oversampling
    if chosen == "auto":
        if served:
            return served[0]
        chosen = _MAX_OVERSAMPLING
    if worst(int(chosen)) > accuracy.alias_tolerance:
        raise SamplingError(
            f"accuracy.oversampling = {chosen} leaves a presampled MTF of {worst(int(chosen)):.3f} "
            f"beyond the simulation grid's Nyquist frequency {0.5 * int(chosen) / pixel:.3g} "
            f"cycles/um; allowed is accuracy.alias_tolerance = {accuracy.alias_tolerance:g}. "
            + remedy
        )
    return int(chosen)
