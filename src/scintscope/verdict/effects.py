"""The effects that part Eq. 1 of Zhou et al. 2025 from Eq. 2, each with its switch."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from scintscope.accuracy import Effects
from scintscope.instrument import Instrument
from scintscope.noise import mean_electrons_per_um2
from scintscope.optics.field import FieldAberrations
from scintscope.plate_deposition import plate_deposition
from scintscope.response import DepthResponse

PLATE_SPECTRA = "plate_spectra"

EFFECTS = (
    "cone_magnification",
    "lens_perspective",
    "obliquity",
    "penumbra_depth",
    PLATE_SPECTRA,
    "sample_hardening",
    "halo",
    "field_aberration",
    "plate_tilt",
)

WORDS = {
    "cone_magnification": "cone magnification",
    "lens_perspective": "lens perspective",
    "obliquity": "obliquity of the beam",
    "penumbra_depth": "penumbra growing with depth",
    PLATE_SPECTRA: "the plates' different effective spectra",
    "sample_hardening": "hardening by the sample",
    "halo": "halo of the deposited energy",
    "field_aberration": "field aberrations of the lens",
    "plate_tilt": "tilt and bow of the plate",
}

_OF_THE_PLATE = ("tilt_rows_mrad", "tilt_columns_mrad", "bow_um")


def only(instrument: Instrument, wanted: Collection[str]) -> Instrument:
    """Return the instrument with no other effects than those wanted (as far as it has them).

    ``plate_spectra`` is no property of the forward model and changes nothing here.
    """
    on = instrument.accuracy.effects
    halo = "halo" in wanted
    effects = replace(
        on,
        fluorescence=on.fluorescence if halo else "local",
        electrons=on.electrons and halo,
        scattered_photons=on.scattered_photons and halo,
        cone_magnification=on.cone_magnification and "cone_magnification" in wanted,
        lens_perspective=on.lens_perspective and "lens_perspective" in wanted,
        obliquity=on.obliquity and "obliquity" in wanted,
        penumbra_depth=on.penumbra_depth and "penumbra_depth" in wanted,
        sample_hardening=on.sample_hardening and "sample_hardening" in wanted,
    )
    return replace(
        instrument,
        accuracy=replace(instrument.accuracy, effects=effects),
        lens=replace(instrument.lens, field=_field(instrument.lens.field, wanted)),
    )


def _field(field: FieldAberrations, wanted: Collection[str]) -> FieldAberrations:
    """Return the lens's own field, the plate's, both or none."""
    plate = {name: getattr(field, name) for name in _OF_THE_PLATE}
    if "field_aberration" not in wanted:
        field = FieldAberrations(corner_um=field.corner_um)
    kept = plate if "plate_tilt" in wanted else dict.fromkeys(_OF_THE_PLATE, 0.0)
    return replace(field, **kept)


def present(instrument: Instrument, response: DepthResponse) -> tuple[str, ...]:
    """Return the effects that an instrument has and that are switched on, in order."""
    on, lens = instrument.accuracy.effects, instrument.lens
    cone = not instrument.geometry.is_parallel
    many = response.spectrum.energy_kev.size > 1
    plate = any(getattr(lens.field, name) for name in _OF_THE_PLATE)
    has = {
        "cone_magnification": cone and on.cone_magnification,
        "lens_perspective": math.isfinite(lens.pupil_distance_mm) and on.lens_perspective,
        "obliquity": cone and on.obliquity,
        "penumbra_depth": cone
        and on.penumbra
        and on.penumbra_depth
        and instrument.source.focal_spot_fwhm_um > 0.0,
        PLATE_SPECTRA: many,
        "sample_hardening": many and on.sample_hardening,
        "halo": on.fluorescence != "local" or on.electrons or on.scattered_photons,
        "field_aberration": not _field(lens.field, ("field_aberration",)).is_none,
        "plate_tilt": plate,
    }
    return tuple(name for name in EFFECTS if has[name])


def with_deposition(response: DepthResponse, effects: Effects) -> DepthResponse:
    """Return a response whose energy is left as ``effects`` say; light, focus and nodes stay."""
    energy = response.spectrum.energy_kev
    gains = tuple(budget.electrons_per_kev for budget in response.budgets)
    found = plate_deposition(response.plate, energy, effects, gains)
    photons = response.spectrum.photons_per_um2_s
    frequency = response.frequency_cy_per_um
    return replace(
        response,
        deposition=found,
        energy_left=found.mean_transfer(photons[None], response.depth_um, frequency)[0],
    )


def open_rate_per_um2(response: DepthResponse) -> float:
    """Return open-beam electrons per um2 and s."""
    return mean_electrons_per_um2(response) / response.plate.exposure_s
