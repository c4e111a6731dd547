r"""The single-PSF error without images: what is left over at a place of the field, per frequency.

Near the place x0 an enlargement m(z) about the axis is a shift by (m(z) - 1) x0, so that the exact
image of a sample (Eq. 1 of Zhou et al. 2025) has the local transfer function

.. math:: A_j(f; x_0) = \sum_z w_z e_j(z, f) T(f, z) G(f, z) e^{-2 \pi i f \cdot x_0 (m_z - m)}

for each of the transmissions Y_j of `spectra`; e_j is the energy left at z by the photons that Y_j
stands for, T the optics, G the penumbra over that of the entrance face, m the registered scale.
The single-PSF image has s_j H0(f), with H0 the generalized transfer function of the open beam. The
mean square error is the sum of (A - s H0)_i (A - s H0)_j^* over the sample's cross-spectra: a few
milliseconds instead of images. Left out: variation of the shift inside the blur (the blur is
enlarged by less than a thousandth), the oblique path through the sample, and the lens's field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from scintscope.errors import InputError
from scintscope.forward.plane import Plane, depth_scale, penumbra_sigma_um
from scintscope.forward.simulate import Bench
from scintscope.instrument import Instrument
from scintscope.materials import attenuation
from scintscope.response import DepthResponse, at_frequencies
from scintscope.units import UM_PER_MM
from scintscope.verdict.effects import EFFECTS, PLATE_SPECTRA, only, present, with_deposition
from scintscope.verdict.single_psf import EDGE_FROM
from scintscope.verdict.spectra import SampleSpectra, sample_spectra

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_ANGLES = 6
_LARGE_FIELD_PX = 1 << 20
_THINNED = 4
"""Of large fields every fourth tile is looked at; tiles overlap by half."""

_SETTLED = 0.01
"""Registered scale, over the spread of the scales: the error is level there."""
_OF_THE_FIELD = ("field_aberration", "plate_tilt")


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalError:
    """Error of the single-PSF model over the standard deviation of the exact image.

    Parameters
    ----------
    radius_um, share, by_radius : (B,) array
        Places, their shares of the field, RMS error there.
    rms, edge : float
        Over the field; over its outer tenth.
    scale : float
        Registered scale.
    spread : float
        Standard deviation of the exact image, electrons per um2 and s.
    difference : (B, J, K, angles) complex array
        Single minus exact transfer over ``spread``.
    """

    radius_um: Array
    share: Array
    by_radius: Array
    rms: float
    edge: float
    scale: float
    spread: float
    difference: Complex


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalBudget:
    """The budget as numbers: as `budget.Budget`, without images.

    Parameters
    ----------
    rms, edge : dict of str to float or None
        By effect; None for effects of the lens's field, which have no local form here.
    total, interaction : float
        RMS of all together (but the lens's field), and of what the parts do not explain.
    optics_only : float
        RMS of a PSF without halo, `LocalModel.optics_only`.
    radius_um : (B,) array
        Places.
    profile : dict of str to (B,) array
        RMS error there, by effect present, and ``total``.
    contrast_gain : float
        By which the thin plate's contrast is multiplied to meet the thick one's.
    """

    rms: Mapping[str, float | None]
    edge: Mapping[str, float | None]
    total: float
    interaction: float
    contrast_gain: float
    optics_only: float
    radius_um: Array
    profile: Mapping[str, Array]


class LocalModel:
    """Local errors of one sample on the thick plate of an instrument.

    Parameters
    ----------
    instrument : Instrument
        The instrument.
    responses : dict of str to DepthResponse
        ``thick``, and ``thin`` where ``plate_spectra`` is asked for.
    plane : Plane
        Of the thick plate.
    spectra : SampleSpectra
        The sample.
    mu_per_um : dict of str to dict
        By plate: attenuation of the sample's materials at the response's energies.
    half_side_um : float, optional
        Half the shorter side of the field; by default the plane's.
    """

    def __init__(
        self,
        instrument: Instrument,
        responses: Mapping[str, DepthResponse],
        plane: Plane,
        spectra: SampleSpectra,
        mu_per_um: Mapping[str, Mapping[str, Array]],
        half_side_um: float | None = None,
    ) -> None:
        self._instrument, self._plane, self._spectra = instrument, plane, spectra
        self._half_um = half_side_um or 0.5 * plane.pixel_um * min(plane.camera_shape)
        self._loadings = {name: spectra.loadings(mu) for name, mu in mu_per_um.items()}
        self._with_halo = dict(responses)
        self._without: dict[str, DepthResponse] = {}
        self._energy_left: dict[tuple[str, bool, bool, float], tuple[Array, Array]] = {}
        self.gain = 1.0

    def present(self) -> tuple[str, ...]:
        """Return the effects that the instrument has and that have a local form."""
        has = present(self._instrument, self._with_halo["thick"])
        return tuple(
            e
            for e in has
            if e not in _OF_THE_FIELD and (e != PLATE_SPECTRA or "thin" in self._loadings)
        )

    def _response(self, wanted: Collection[str], plate: str) -> DepthResponse:
        if "halo" in wanted:
            return self._with_halo[plate]
        if plate not in self._without:
            effects = only(self._instrument, ()).accuracy.effects
            self._without[plate] = with_deposition(self._with_halo[plate], effects)
        return self._without[plate]

    def _weights(self, wanted: Collection[str], plate: str) -> Array:
        """Return what each Y_j stands for, (J, E): photons, or their mean without hardening."""
        response = self._response(wanted, plate)
        photons = response.spectrum.photons_per_um2_s * response.electrons_per_kev
        weights = np.asarray(self._loadings[plate] * photons)
        if "sample_hardening" in wanted and self._instrument.accuracy.effects.sample_hardening:
            return weights
        left = response.deposit_kev_per_um(response.depth_um) @ response.depth_weight_um
        mean = (weights @ left) / (photons @ left)
        return np.asarray(mean[:, None] * photons)

    def _left(self, wanted: Collection[str], plate: str, path: float) -> tuple[Array, Array]:
        """Return the energy left by what Y_j stands for, (J, D, K), and its sum over depth, (J,).

        Kept for the life of the model: most effects change neither beam nor plate.
        """
        key = (plate, "halo" in wanted, "sample_hardening" in wanted, path)
        if key not in self._energy_left:
            response = self._response(wanted, plate)
            f = np.concatenate([[0.0], self._spectra.frequency_cy_per_um])
            left = response.deposition.mean_transfer(
                self._weights(wanted, plate), response.depth_um, f, path
            )
            self._energy_left[key] = (left[:, :, 1:], left[:, :, 0] @ response.depth_weight_um)
        return self._energy_left[key]

    def _path(self, radius_um: float, wanted: Collection[str]) -> float:
        if "obliquity" not in wanted or not np.isfinite(self._plane.entrance_mm):
            return 1.0
        return float(np.hypot(1.0, radius_um / (self._plane.entrance_mm * UM_PER_MM)))

    def error(self, wanted: Collection[str]) -> LocalError:
        """Return the error with the wanted effects alone, registered."""
        response, spectra = self._response(wanted, "thick"), self._spectra
        f, z = spectra.frequency_cy_per_um, response.depth_um
        instrument = only(self._instrument, wanted)
        effects = instrument.accuracy.effects
        scale = depth_scale(z, self._plane, response, instrument.lens.pupil_distance_mm, effects)
        carried = self._carried(response, instrument, f)
        paths = [self._path(r, wanted) for r in spectra.radius_um]
        known = {path: self._left(wanted, "thick", path) for path in dict.fromkeys(paths)}
        seen = {path: left * carried for path, (left, _) in known.items()}
        exact = [seen[path] for path in paths]
        levels = {path: self._single_level(wanted, known[path][1], path) for path in known}
        single = np.array([levels[path] for path in paths])[:, :, None] * self._open_transfer(
            response, f
        )

        def difference(registered: float) -> Complex:
            shift = scale - registered
            moved = [_moved(e, f, r, shift) for e, r in zip(exact, spectra.radius_um, strict=True)]
            return np.asarray(single[..., None] - np.array(moved))

        registered = 1.0
        if np.ptp(scale) > 0.0:
            found = minimize_scalar(
                lambda m: float(spectra.share @ self._power(difference(float(m)))),
                bounds=(float(scale.min()), float(scale.max())),
                method="bounded",
                options={"xatol": _SETTLED * float(np.ptp(scale))},
            )
            registered = float(found.x)
        moved = [_moved(e, f, r, scale - registered)
                 for e, r in zip(exact, spectra.radius_um, strict=True)]  # fmt: skip
        variance = float(spectra.share @ self._power(np.array(moved)))
        return self._summary(difference(registered), registered, float(np.sqrt(variance)))

    def _carried(self, response: DepthResponse, instrument: Instrument, f: Array) -> Array:
        """Return w_z T(f, z) G(f, z), (D, K)."""
        sigma = penumbra_sigma_um(response.depth_um, self._plane, instrument)
        entrance = penumbra_sigma_um(np.zeros(1), self._plane, instrument)[0]
        growth = np.exp(-2.0 * np.pi**2 * (sigma**2 - entrance**2)[:, None] * f**2)
        transfer = at_frequencies(f, response.frequency_cy_per_um, response.otf)
        blurred = np.exp(-2.0 * np.pi**2 * entrance**2 * f**2)
        return np.asarray(response.depth_weight_um[:, None] * transfer * growth * blurred)

    def _open_transfer(self, response: DepthResponse, f: Array) -> Array:
        """Return H0, entrance penumbra included, (K,)."""
        z, weight = response.depth_um, response.depth_weight_um
        left = at_frequencies(f, response.frequency_cy_per_um, response.energy_left)
        transfer = at_frequencies(f, response.frequency_cy_per_um, response.otf)
        entrance = penumbra_sigma_um(np.zeros(1), self._plane, self._instrument)[0]
        blurred = np.exp(-2.0 * np.pi**2 * entrance**2 * f**2)
        photons = response.spectrum.photons_per_um2_s
        total = weight @ (photons @ response.deposit_kev_per_um(z))
        return np.asarray((weight @ (left * transfer)) * blurred / total)

    def _single_level(self, wanted: Collection[str], thick: Array, path: float) -> Array:
        """Return s_j: of the thick plate, or of the thin one at the best contrast."""
        if PLATE_SPECTRA not in wanted:
            return thick
        thin = self._left(wanted, "thin", path)[1]
        covariance = np.tensordot(self._spectra.share, self._spectra.cross.sum(axis=3), axes=1)
        slope = float(thick @ covariance @ thin) / float(thin @ covariance @ thin)
        opened = [
            self._response(wanted, plate).light_per_um(self._response(wanted, plate).depth_um)
            .sum(axis=0) @ self._response(wanted, plate).depth_weight_um
            for plate in ("thick", "thin")
        ]  # fmt: skip
        self.gain = slope / float(opened[0] / opened[1])
        return slope * thin

    def _power(self, difference: Complex) -> Array:
        """Return the mean square at each place, (B,), never negative."""
        cross = self._spectra.cross
        found = np.einsum("bika,bijk,bjka->b", difference, cross, difference.conj(), optimize=True)
        return np.asarray(np.maximum(found.real / difference.shape[3], 0.0))

    def _summary(self, difference: Complex, registered: float, spread: float) -> LocalError:
        spectra, unit = self._spectra, spread or 1.0
        power = self._power(difference / unit)
        radius = spectra.radius_um
        at_edge = radius >= EDGE_FROM * self._half_um
        if not at_edge.any():
            at_edge = radius == radius.max()
        return LocalError(
            radius_um=radius,
            share=spectra.share,
            by_radius=np.sqrt(power),
            rms=float(np.sqrt(spectra.share @ power)),
            edge=float(np.sqrt(np.average(power[at_edge], weights=spectra.share[at_edge]))),
            scale=registered,
            spread=spread,
            difference=difference / unit,
        )

    def budget(self) -> LocalBudget:
        """Return every effect alone, all together, and the interaction."""
        has = self.present()
        alone = {effect: self.error((effect,)) for effect in has}
        total = self.error(has)
        rest = total.difference - sum(part.difference for part in alone.values())
        interaction = float(np.sqrt(self._spectra.share @ self._power(rest)))
        missing = present(self._instrument, self._with_halo["thick"])
        missing = tuple(e for e in missing if e not in has)

        def value(effect: str, measure: str) -> float | None:
            if effect in missing:
                return None
            return getattr(alone[effect], measure) if effect in alone else 0.0

        return LocalBudget(
            rms={effect: value(effect, "rms") for effect in EFFECTS},
            edge={effect: value(effect, "edge") for effect in EFFECTS},
            total=total.rms,
            interaction=interaction,
            contrast_gain=self.gain,
            optics_only=self.optics_only(),
            radius_um=self._spectra.radius_um,
            profile={e: part.by_radius for e, part in alone.items()} | {"total": total.by_radius},
        )

    def optics_only(self) -> float:
        """Return the error of a PSF without halo for the light of all effects (Eq. 2)."""
        has = tuple(e for e in self.present() if e != PLATE_SPECTRA)
        full = self._with_halo["thick"]
        level = np.broadcast_to(full.energy_left[:, :1], full.energy_left.shape)
        model = replace(full, energy_left=level)
        difference = self._open_transfer(model, self._spectra.frequency_cy_per_um)
        found = self.error(has)
        change = difference - self._open_transfer(full, self._spectra.frequency_cy_per_um)
        level_j = self._left(has, "thick", 1.0)[1] / found.spread
        rest = found.difference + (level_j[:, None] * change)[None, :, :, None]
        return float(np.sqrt(self._spectra.share @ self._power(rest)))


def local_model(bench: Bench, sample: str) -> LocalModel:
    """Return the local model of a sample of a bench, over its own field."""
    plane = bench.planes["thick"]
    scene = bench.scene("thick", sample)
    if scene.specimen is None:
        raise InputError("an open beam has no single-PSF error: name a sample.")
    mu: dict[str, Mapping[str, Array]] = {"thick": scene.mu_per_um}
    energy = bench.responses["thin"].spectrum.energy_kev
    mu["thin"] = {
        name: attenuation.total_per_um(bench.experiment.absorbers[name], energy)
        for name in scene.mu_per_um
    }
    count = scene.plane.camera_shape[0] * scene.plane.camera_shape[1]
    spectra = sample_spectra(
        scene.specimen, scene.mu_per_um, plane, thinned=_THINNED if count > _LARGE_FIELD_PX else 1
    )
    return LocalModel(bench.experiment.instrument, bench.responses, plane, spectra, mu)


def local_budget(bench: Bench, sample: str) -> LocalBudget:
    """Return the budget of a sample of a bench without images."""
    return local_model(bench, sample).budget()


def _moved(carried: Array, f: Array, radius_um: float, shift: Array) -> Complex:
    """Return sum_z carried exp(-2 pi i f cos(angle) radius shift_z), (J, K, angles)."""
    if radius_um == 0.0 or not shift.any():
        total = carried.sum(axis=1).astype(np.complex128)
        return np.repeat(total[:, :, None], _ANGLES, axis=2)
    cosine = np.cos(0.5 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES)
    turn = 2.0 * np.pi * radius_um * f[:, None, None] * cosine[:, None] * shift
    return np.asarray(np.einsum("jdk,kad->jka", carried, np.exp(-1j * turn), optimize=True))
