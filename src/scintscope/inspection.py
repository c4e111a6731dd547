"""The data sheet of an instrument: numbers and curves, no images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.instrument import Instrument
from scintscope.materials import absorber, attenuation
from scintscope.noise import mean_electrons_per_um2, signal_noise
from scintscope.optics.defocus import (
    first_crossing_um,
    rayleigh_half_depth_um,
    strehl_half_depth_um,
)
from scintscope.response import DepthResponse, check_sampling, depth_response
from scintscope.scintillator.emission import collection_fraction
from scintscope.scintillator.swank import PulseMoments
from scintscope.source import Spectrum, TubeSource
from scintscope.source.beam import half_value_layer_mm_al
from scintscope.units import UM_PER_MM

Array = NDArray[np.float64]

MTF_LEVEL_OF_DEPTH = 0.3
STREHL_OF_DEPTH = 0.8


def inspect(instrument: Instrument) -> dict[str, Any]:
    """Return the data sheet: spectrum, thin, thick, lens.

    Keys whose physics is not computed yet are None. All values are plain numbers and lists.

    Raises
    ------
    SamplingError
        If the simulation grid would alias.
    """
    thin = depth_response(instrument, instrument.thin)
    thick = depth_response(instrument, instrument.thick)
    check_sampling(instrument, (thin, thick))
    return data_sheet(instrument, thin, thick)


def data_sheet(instrument: Instrument, thin: DepthResponse, thick: DepthResponse) -> dict[str, Any]:
    """Return the data sheet of responses already computed."""
    return {
        "spectrum": spectrum_sheet(instrument, thin.spectrum),
        "thin": plate_sheet(instrument, thin),
        "thick": plate_sheet(instrument, thick),
        "lens": lens_sheet(instrument),
    }


def spectrum_sheet(instrument: Instrument, spectrum: Spectrum) -> dict[str, float]:
    """Return mean energy, share of 10-30 keV, half-value layer and flux of the open beam."""
    source = instrument.source
    if isinstance(source, TubeSource):
        from scintscope.source import tube

        hvl = tube.half_value_layer_mm_al(source, instrument.geometry.source_to_scintillator_mm)
    else:
        hvl = half_value_layer_mm_al(
            spectrum,
            attenuation.total_per_um(absorber("Al"), spectrum.energy_kev) * UM_PER_MM,
            attenuation.energy_absorption_per_um(absorber("air"), spectrum.energy_kev),
        )
    return {
        "mean_energy_kev": spectrum.mean_energy_kev,
        "fraction_10_30_kev": spectrum.fraction_between(10.0, 30.0),
        "hvl_mm_al": hvl,
        "photons_per_um2_s": spectrum.total_photons_per_um2_s,
    }


def plate_sheet(instrument: Instrument, response: DepthResponse) -> dict[str, Any]:
    """Return absorption, light and resolution of one plate."""
    photons = response.spectrum.photons_per_um2_s
    energy = response.spectrum.energy_kev
    weight, z = response.depth_weight_um, response.depth_um
    interacting = photons @ response.interacting_fraction()
    deposited = weight @ (photons @ response.deposit_kev_per_um(z))
    curves = signal_noise(
        response,
        sheet_frequencies(instrument, response),
        instrument.camera.read_noise_electrons,
        instrument.camera.dark_electrons_per_s * response.plate.exposure_s,
        instrument.camera.gain_electrons_per_adu,
    )
    frequency = [float(f) for f in curves.frequency_cy_per_um]
    mtf50 = first_below(curves.frequency_cy_per_um, curves.mtf, 0.5)
    return {
        "absorbed_photon_fraction": float(interacting / photons.sum()),
        "absorbed_energy_fraction": float(
            (photons * energy) @ response.deposition.deposited_fraction() / (photons @ energy)
        ),
        "mean_depth_um": float(weight @ (z * response.k_per_um(z))),
        "fluorescence_share": response.deposition.fluorescence_share(photons),
        "energy_balance": energy_balance(response),
        "swank": swank_factors(response),
        "electrons_per_xray": float(response.electrons_per_kev * deposited / interacting),
        "light_budget": [
            {"key": step.key, "label": step.label, "factor": step.factor}
            for step in response.budgets[0].steps
        ],
        "yield_uncertainty": response.budgets[0].yield_uncertainty,
        "electrons_per_pixel": mean_electrons_per_um2(response) * response.pixel_um**2,
        "focus_um": response.focus_um,
        "mtf50_cy_per_um": mtf50,
        "mtf": {"frequency_cy_per_um": frequency, "value": curves.mtf.tolist()},
        "nps": {"frequency_cy_per_um": frequency, "value": curves.normalised_nps_um2.tolist()},
        "dqe": {"frequency_cy_per_um": frequency, "value": curves.dqe.tolist()},
        "neq": {"frequency_cy_per_um": frequency, "value": curves.neq_per_um2.tolist()},
        "lubberts": {"frequency_cy_per_um": frequency, "value": curves.lubberts.tolist()},
        "depth_of_field_um": depth_of_field_um(instrument, response),
    }


def energy_balance(response: DepthResponse) -> dict[str, float]:
    """Return where the energy that falls on the film goes, shares of it over the spectrum."""
    energy = response.spectrum.photons_per_um2_s * response.spectrum.energy_kev
    balance = response.deposition.balance()
    parts = (
        "deposited",
        "transmitted",
        "fluorescence_escaped",
        "scattered_escaped",
        "electrons_escaped",
        "untracked",
    )
    return {part: float(energy @ getattr(balance, part) / energy.sum()) for part in parts}


def swank_factors(response: DepthResponse) -> dict[str, float]:
    """Return M1^2 / (M0 M2) of the energy one X-ray leaves, and of the electrons it gives.

    Over interacting X-rays, photons re-absorbed elsewhere counted to their event (Swank 1973, J.
    Appl. Phys. 44, 4199); Poisson light adds its mean to the variance.
    """
    photons, weight = response.spectrum.photons_per_um2_s, response.depth_weight_um
    events = response.deposition.event_power(
        photons[None], response.depth_um, weight, np.ones((weight.size, 1)), np.zeros(1)
    )[0, :, 0]
    pulses = PulseMoments(
        interacting=float(photons @ response.interacting_fraction()),
        first=float(weight @ response.energy_left[:, 0]),
        second=float(weight @ events),
    )
    return {
        "energy": pulses.swank,
        "with_light": pulses.with_light(response.electrons_per_kev).swank,
    }


def sheet_frequencies(instrument: Instrument, response: DepthResponse) -> Array:
    """Return the frequencies of the curves: 0 to twice the camera's Nyquist or the cut-off."""
    top = min(2.0 * instrument.camera_nyquist_cy_per_um, response.path.cutoff_cy_per_um)
    return np.linspace(0.0, top, instrument.accuracy.frequency_samples)


def first_below(frequency: Array, curve: Array, level: float) -> float | None:
    """Return where a curve first falls to a level (linear between samples); None if never."""
    below = np.flatnonzero(curve <= level)
    if not below.size:
        return None
    i = int(below[0])
    if i == 0:
        return float(frequency[0])
    step = (curve[i - 1] - level) / (curve[i - 1] - curve[i])
    return float(frequency[i - 1] + step * (frequency[i] - frequency[i - 1]))


def depth_of_field_um(instrument: Instrument, response: DepthResponse) -> dict[str, float | None]:
    """Return the depth of field inside the plate by each usual definition, um, both sides together.

    Rayleigh: a quarter wave; contrast zero and MTF 30 %: at the camera's Nyquist frequency;
    Strehl 0.8. Lens taken as corrected at the focal depth, no pixel.
    """
    na, wavelength, index = response.path.na, response.path.wavelength_um, response.path.index
    nyquist = instrument.camera_nyquist_cy_per_um

    def both(half_um: float | None) -> float | None:
        return None if half_um is None else 2.0 * half_um

    return {
        "rayleigh": both(rayleigh_half_depth_um(na, wavelength, index)),
        "contrast_zero": both(first_crossing_um(0.0, nyquist, na, wavelength, index)),
        "mtf30": both(first_crossing_um(MTF_LEVEL_OF_DEPTH, nyquist, na, wavelength, index)),
        "strehl80": both(strehl_half_depth_um(na, wavelength, index, STREHL_OF_DEPTH)),
    }


def lens_sheet(instrument: Instrument) -> dict[str, Any]:
    """Return cut-off, collection and first contrast zero of the lens with the thick plate."""
    scintillator = instrument.thick.scintillator
    na, wavelength = instrument.lens.na, scintillator.emission_um
    nyquist = instrument.camera_nyquist_cy_per_um
    return {
        "cutoff_cy_per_um": 2.0 * na / wavelength,
        "collection_fraction": float(collection_fraction(na, scintillator.refractive_index)),
        "first_zero_defocus_um": {
            "air": first_crossing_um(0.0, nyquist, na, wavelength, 1.0),
            "scintillator": first_crossing_um(
                0.0, nyquist, na, wavelength, scintillator.refractive_index
            ),
        },
    }


_SHOWN_CY_PER_UM = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3)
"""Frequencies of the printed curves; the last row is the middle of the tabulated range, which is
the camera's Nyquist frequency unless the lens cuts off before twice that."""

_PLATE_LINES = (
    ("photons absorbed", "absorbed_photon_fraction", "{:.3f}"),
    ("energy absorbed", "absorbed_energy_fraction", "{:.3f}"),
    ("energy re-absorbed at a distance (share)", "fluorescence_share", "{:.3f}"),
    ("mean depth of the light (um)", "mean_depth_um", "{:.1f}"),
    ("depth in focus (um)", "focus_um", "{:.1f}"),
    ("electrons per absorbed X-ray", "electrons_per_xray", "{:.2f}"),
    ("electrons per pixel and frame", "electrons_per_pixel", "{:.0f}"),
    ("MTF 50 % (lp/mm)", "mtf50_cy_per_um", "lp"),
)


def print_sheet(sheet: dict[str, Any]) -> None:
    """Print a data sheet for people on standard output.

    Parameters
    ----------
    sheet : dict
        From `inspect` or `data_sheet`. What is None stands as "-".
    """
    from rich.console import Console

    console = Console(highlight=False)
    spectrum, lens = sheet["spectrum"], sheet["lens"]
    zero = lens["first_zero_defocus_um"]
    console.print("[bold]Open beam at the scintillator[/bold]")
    console.print(
        f"  {spectrum['photons_per_um2_s']:.3g} photons/um2/s, mean energy "
        f"{spectrum['mean_energy_kev']:.2f} keV, {spectrum['fraction_10_30_kev']:.1%} between 10 "
        f"and 30 keV, half-value layer {_text(spectrum['hvl_mm_al'], '{:.4f}')} mm Al"
    )
    console.print("[bold]Lens[/bold]")
    console.print(
        f"  cut-off {_text(lens['cutoff_cy_per_um'], 'lp')} lp/mm, collects "
        f"{lens['collection_fraction']:.2%} of the light; contrast at the camera's Nyquist "
        f"frequency dies at {_text(zero['air'], '{:.2f}')} um of defocus in air, "
        f"{_text(zero['scintillator'], '{:.2f}')} um inside the plate"
    )
    console.print(_plate_table(sheet))
    console.print(_curve_table(sheet))


def _text(value: float | None, form: str) -> str:
    """Return a number as text; "-" for None; ``lp`` turns cycles/um into lp/mm."""
    if value is None:
        return "-"
    return f"{value * UM_PER_MM:.0f}" if form == "lp" else form.format(value)


def _plate_table(sheet: dict[str, Any]) -> Any:
    """Return the plates' numbers side by side, for rich."""
    from rich.table import Table

    table = Table("Plate", box=None, title_justify="left")
    for plate in ("thin", "thick"):
        table.add_column(plate, justify="right")
    for label, key, form in _PLATE_LINES:
        table.add_row(label, *(_text(sheet[plate][key], form) for plate in ("thin", "thick")))
    for definition in sheet["thin"]["depth_of_field_um"]:
        values = (sheet[plate]["depth_of_field_um"][definition] for plate in ("thin", "thick"))
        label = f"depth of field, {definition.replace('_', ' ')} (um)"
        table.add_row(label, *(_text(value, "{:.1f}") for value in values))
    return table


def _curve_table(sheet: dict[str, Any]) -> Any:
    """Return MTF, NPS and DQE of both plates at a few frequencies, for rich."""
    from rich.table import Table

    table = Table("lp/mm", box=None)
    for name in ("MTF", "NPS/mean2 (um2)", "DQE"):
        for plate in ("thin", "thick"):
            table.add_column(f"{name} {plate}", justify="right")
    curves = [
        (np.array(sheet[plate][kind]["frequency_cy_per_um"]), sheet[plate][kind]["value"], form)
        for kind, form in (("mtf", "{:.3f}"), ("nps", "{:.2e}"), ("dqe", "{:.4f}"))
        for plate in ("thin", "thick")
    ]
    top = min(float(frequency[-1]) for frequency, _, _ in curves)
    shown = [0.0, *(f for f in _SHOWN_CY_PER_UM if f < 0.98 * 0.5 * top), 0.5 * top]
    for f in shown:
        cells = [form.format(float(np.interp(f, x, y))) for x, y, form in curves]
        table.add_row(f"{f * UM_PER_MM:.0f}", *cells)
    return table
